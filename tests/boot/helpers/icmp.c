// SPDX-License-Identifier: GPL-2.0-only
/*
 * flood: echo requests as fast as they are answered, or every 10 ms.
 * reach: an echo request every 10 ms until one is answered.
 * gap: an echo request each millisecond; says when answers stayed away.
 *
 *	reach ADDRESS SECONDS
 *	flood ADDRESS SECONDS [SIZE]
 *	gap ADDRESS SECONDS
 */
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"

#define GAP_NS		(20 * 1000000ull)	/* shorter silences are scheduling */

static volatile sig_atomic_t stop;
static unsigned char pkt[65536];

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static uint16_t checksum(const void *p, size_t n)
{
	const uint16_t *w = p;
	uint32_t sum = 0;

	for (; n > 1; n -= 2)
		sum += *w++;
	if (n)
		sum += *(const uint8_t *)w;
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

static int open_icmp(const char *addr)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), size = 1 << 20;

	inet_pton(AF_INET, addr, &a.sin_addr);
	if (fd < 0 || connect(fd, (void *)&a, sizeof(a))) {
		perror("icmp");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	return fd;
}

static void request(int fd, uint16_t id, uint16_t seq, size_t size)
{
	struct icmphdr *h = (void *)pkt;
	size_t i;

	memset(h, 0, sizeof(*h));
	h->type = ICMP_ECHO;
	h->un.echo.id = htons(id);
	h->un.echo.sequence = htons(seq);
	for (i = sizeof(*h); i < sizeof(*h) + size; i++)
		pkt[i] = i * 7 + seq;
	h->checksum = checksum(pkt, sizeof(*h) + size);
	/* a full queue or a link that is down is what is being measured */
	(void)!send(fd, pkt, sizeof(*h) + size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* 1: a right answer, 0: something else, -1: a wrong one */
static int answer(int fd, uint16_t id, size_t size)
{
	ssize_t n = recv(fd, pkt, sizeof(pkt), MSG_DONTWAIT), hl;
	struct icmphdr *h;
	size_t i;
	uint16_t seq;

	if (n < 28)
		return 0;
	hl = (pkt[0] & 15) * 4;
	h = (void *)(pkt + hl);
	if (h->type != ICMP_ECHOREPLY || ntohs(h->un.echo.id) != id)
		return 0;
	if ((size_t)n != hl + sizeof(*h) + size)
		return -1;
	seq = ntohs(h->un.echo.sequence);
	for (i = sizeof(*h); i < sizeof(*h) + size; i++)
		if (pkt[hl + i] != (unsigned char)(i * 7 + seq))
			return -1;
	return 1;
}

int flood_main(int argc, char **argv)
{
	unsigned long sent = 0, got = 0, wrong = 0;
	uint16_t id = getpid();
	struct pollfd p = { .events = POLLIN };
	size_t size = 56;
	uint64_t end;
	int r;

	if (argc < 3)
		return 2;
	if (argc > 3)
		size = atoi(argv[3]);
	p.fd = open_icmp(argv[1]);
	end = now_ns() + atof(argv[2]) * 1e9;
	while (!stop && now_ns() < end) {
		request(p.fd, id, sent++, size);
		while (poll(&p, 1, 10) > 0) {
			r = answer(p.fd, id, size);
			got += r == 1;
			wrong += r < 0;
			if (r)
				break;
		}
	}
	printf("%lu sent, %lu answered, %lu wrong\n", sent, got, wrong);
	/* one in twenty may be lost to full queues beside other traffic */
	return wrong || got * 20 < sent * 19;
}

int reach_main(int argc, char **argv)
{
	struct pollfd p = { .events = POLLIN };
	uint16_t id = getpid(), seq = 0;
	uint64_t end;

	if (argc < 3)
		return 2;
	p.fd = open_icmp(argv[1]);
	end = now_ns() + atof(argv[2]) * 1e9;
	while (!stop && now_ns() < end) {
		request(p.fd, id, seq++, 56);
		while (poll(&p, 1, 10) > 0)
			if (answer(p.fd, id, 56) == 1)
				return 0;
	}
	fprintf(stderr, "reach: no answer from %s\n", argv[1]);
	return 1;
}

int gap_main(int argc, char **argv)
{
	uint64_t end, last, t, next;
	uint16_t id = getpid(), seq = 0;
	struct pollfd p = { .events = POLLIN };

	if (argc < 3)
		return 2;
	p.fd = open_icmp(argv[1]);
	last = next = now_ns();
	end = last + atof(argv[2]) * 1e9;
	while (!stop && (t = now_ns()) < end) {
		if (t >= next) {
			request(p.fd, id, seq++, 16);
			next = t + 1000000;
		}
		if (poll(&p, 1, 1) <= 0 || answer(p.fd, id, 16) != 1)
			continue;
		t = now_ns();
		if (t - last > GAP_NS) {
			printf("gap %llu %llu %llu.%03llu ms\n",
			       (unsigned long long)last, (unsigned long long)t,
			       (unsigned long long)(t - last) / 1000000,
			       (unsigned long long)(t - last) / 1000 % 1000);
			fflush(stdout);
		}
		last = t;
	}
	return 0;
}
