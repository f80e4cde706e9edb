// SPDX-License-Identifier: GPL-2.0-only
/*
 * count: how much the machine executes for a number of packets.
 *
 *	count WHAT SIZE PACKETS PEER_PID
 *
 * For a machine whose clock counts instructions (qemu -icount shift=0): then a
 * nanosecond is an instruction. A child of the lowest priority burns what would
 * be idle time in blocks of known length, so that the clock does not jump; its
 * blocks are taken off. Printed: instructions, packets (bytes for tcp-*).
 *
 * WHAT  send		flat out, to a hardware address that nobody has
 *	 send-one	one at a time, each waited for
 *	 recv		from the peer in bursts of 32; recv-one: singly
 *	 peer, peer-one	the same sent to nobody: what the peer's half costs
 *	 tcp-send, tcp-recv	a stream of SIZE * PACKETS bytes
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"

#define HERE	"10.9.0.1"
#define PEER	"10.9.0.2"
#define NOBODY	"10.9.0.99"	/* has a permanent neighbour entry in both namespaces */
#define BURST	32
#define LOOPS	500		/* a block: 2 instructions a turn, and a few */
#define BLOCK	(2 * LOOPS + 2)

static volatile uint64_t *blocks;
static char buf[65536];

static void burn(void)
{
	struct sched_param p = { 0 };
	uint64_t turns;

	sched_setscheduler(0, SCHED_IDLE, &p);
	for (;;) {
		turns = LOOPS;
		/* two instructions a turn, and the two around it */
		asm volatile("1: dec %0; jnz 1b; incq %1"
			     : "+r" (turns), "+m" (*blocks));
	}
}

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void enter(const char *path)
{
	int fd = open(path, O_RDONLY);

	must(fd >= 0 && !setns(fd, CLONE_NEWNET), path);
	close(fd);
}

static int own_ns;

/* A socket in the peer's namespace or here, bound to @port if not 0. */
static int sock(int type, const char *peer, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, size = 4 << 20, one = 1;

	if (peer)
		enter(peer);
	fd = socket(AF_INET, type, 0);
	if (peer)
		must(!setns(own_ns, CLONE_NEWNET), "setns");
	must(fd >= 0, "socket");
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (port)
		must(!bind(fd, (void *)&a, sizeof(a)), "bind");
	return fd;
}

static void connect_to(int fd, const char *addr, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, addr, &a.sin_addr);
	must(!connect(fd, (void *)&a, sizeof(a)), "connect");
}

/* Until the socket owns no bytes any more: the card has sent them. */
static void drained(int fd)
{
	struct timespec ts = { .tv_nsec = 300000 };
	int left;

	while (!ioctl(fd, SIOCOUTQ, &left) && left)
		nanosleep(&ts, NULL);
}

static void send_to_nobody(int fd, size_t size, long n, int burst)
{
	long i;

	for (i = 1; i <= n; i++) {
		must(send(fd, buf, size, 0) == (ssize_t)size, "send");
		if (burst && i % burst == 0)
			drained(fd);
	}
	drained(fd);
}

static void receive(int from, int to, size_t size, long n, int burst)
{
	long i, j;

	for (i = 0; i < n; i += burst) {
		for (j = 0; j < burst; j++)
			must(send(from, buf, size, 0) == (ssize_t)size, "send");
		for (j = 0; j < burst; j++)
			must(recv(to, buf, sizeof(buf), 0) == (ssize_t)size, "recv");
		drained(from);
	}
}

/* @from sends in a child, so that both ends make progress. */
static void stream(int from, int to, long bytes)
{
	pid_t child = fork();
	ssize_t n;

	if (!child) {
		while (bytes > 0) {
			n = send(from, buf, bytes < 65536 ? bytes : 65536, 0);
			must(n > 0, "send");
			bytes -= n;
		}
		drained(from);
		_exit(0);
	}
	while (bytes > 0) {
		n = recv(to, buf, sizeof(buf), 0);
		must(n > 0, "recv");
		bytes -= n;
	}
	waitpid(child, NULL, 0);
}

static void tcp_pair(const char *peer, int *here, int *there)
{
	int l = sock(SOCK_STREAM, peer, 7100);

	must(!listen(l, 1), "listen");
	*here = sock(SOCK_STREAM, NULL, 0);
	connect_to(*here, PEER, 7100);
	*there = accept(l, NULL, NULL);
	must(*there >= 0, "accept");
}

static void run(const char *what, size_t size, long n, int a, int b)
{
	if (!strcmp(what, "send"))
		send_to_nobody(a, size, n, 0);
	else if (!strcmp(what, "send-one"))
		send_to_nobody(a, size, n, 1);
	else if (!strcmp(what, "peer"))
		send_to_nobody(a, size, n, BURST);
	else if (!strcmp(what, "peer-one"))
		send_to_nobody(a, size, n, 1);
	else if (!strcmp(what, "recv"))
		receive(a, b, size, n, BURST);
	else if (!strcmp(what, "recv-one"))
		receive(a, b, size, n, 1);
	else
		stream(a, b, size * n);
}

int count_main(int argc, char **argv)
{
	uint64_t t0, t1, b0, b1;
	const char *what = argv[1];
	char peer[64];
	int a, b = -1;
	pid_t idle;
	size_t size;
	long n;

	if (argc != 5)
		return 2;
	size = atol(argv[2]);
	n = atol(argv[3]);
	snprintf(peer, sizeof(peer), "/proc/%s/ns/net", argv[4]);
	own_ns = open("/proc/self/ns/net", O_RDONLY);
	blocks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!strncmp(what, "tcp-", 4)) {
		tcp_pair(peer, &a, &b);
		if (!strcmp(what, "tcp-recv")) {
			int t = a;

			a = b;
			b = t;
		}
	} else {
		int from_peer = strncmp(what, "send", 4);

		a = sock(SOCK_DGRAM, from_peer ? peer : NULL, 0);
		if (!strncmp(what, "recv", 4)) {
			b = sock(SOCK_DGRAM, NULL, 7101);
			connect_to(a, HERE, 7101);
		} else {
			connect_to(a, NOBODY, 7101);
		}
	}

	run(what, size, BURST, a, b);		/* caches, neighbours, windows */
	idle = fork();
	if (!idle)
		burn();
	usleep(20000);
	b0 = *blocks;
	t0 = now_ns();
	run(what, size, n, a, b);
	t1 = now_ns();
	b1 = *blocks;
	kill(idle, SIGKILL);
	waitpid(idle, NULL, 0);
	printf("%lld %lld\n", (long long)(t1 - t0 - (b1 - b0) * BLOCK),
	       (long long)(strncmp(what, "tcp-", 4) ? n : (long)size * n));
	return 0;
}
