// SPDX-License-Identifier: GPL-2.0-only
/*
 * xfer: bytes over TCP whose every byte is known on both sides.
 *
 *	xfer serve PORT
 *	xfer put|get ADDRESS PORT MIB [progress]
 *
 * The receiver compares each byte with the generator and both sides compare
 * checksums, so neither a changed, a lost nor a doubled byte passes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"

#define CHUNK		65536
/* TCP waits twice as long after each loss, up to two minutes. */
#define STALL_SECONDS	150

struct request {
	uint64_t bytes;
	uint64_t seed;
	char dir;		/* seen from the client: 'p'ut or 'g'et */
	char pad[7];
};

struct state {
	uint64_t next;		/* generator (splitmix64) */
	uint64_t sum;
};

static uint64_t buf[CHUNK / 8], want[CHUNK / 8];

static void generate(struct state *s, uint64_t *to)
{
	unsigned int i;
	uint64_t z;

	for (i = 0; i < CHUNK / 8; i++) {
		z = s->next += 0x9e3779b97f4a7c15;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		to[i] = z ^ (z >> 31);
		s->sum = (s->sum ^ to[i]) * 0x100000001b3;
	}
}

static int all(int fd, void *p, size_t n, int out)
{
	char *c = p;
	ssize_t r;

	while (n) {
		r = out ? send(fd, c, n, MSG_NOSIGNAL) : recv(fd, c, n, 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			if (!r)
				errno = ECONNRESET;
			return -1;
		}
		c += r;
		n -= r;
	}
	return 0;
}

static void progress(const char *dir, uint64_t done, uint64_t total)
{
	if (done % (8 << 20) == 0 || done == total)
		printf("%s %llu of %llu MiB\n", dir, (unsigned long long)done >> 20,
		       (unsigned long long)total >> 20);
	fflush(stdout);
}

static int transmit(int fd, struct request *rq, struct state *s, const char *show)
{
	uint64_t done;

	for (done = 0; done < rq->bytes; done += CHUNK) {
		generate(s, buf);
		if (all(fd, buf, CHUNK, 1))
			return -1;
		if (show)
			progress(show, done + CHUNK, rq->bytes);
	}
	return 0;
}

static int receive(int fd, struct request *rq, struct state *s, const char *show)
{
	uint64_t done;

	for (done = 0; done < rq->bytes; done += CHUNK) {
		generate(s, want);
		if (all(fd, buf, CHUNK, 0))
			return -1;
		if (memcmp(buf, want, CHUNK)) {
			fprintf(stderr, "xfer: wrong bytes after %llu\n",
				(unsigned long long)done);
			errno = EBADMSG;
			return -1;
		}
		if (show)
			progress(show, done + CHUNK, rq->bytes);
	}
	return 0;
}

/* One transfer; @server sends what the client gets. */
static int transfer(int fd, struct request *rq, int server, struct state *s, const char *show)
{
	int out = (rq->dir == 'p') != server;
	uint64_t theirs;

	s->next = rq->seed;
	s->sum = 0xcbf29ce484222325;
	if (out ? transmit(fd, rq, s, show) : receive(fd, rq, s, show))
		return -1;
	if (all(fd, &s->sum, 8, 1) || all(fd, &theirs, 8, 0))
		return -1;
	if (theirs != s->sum) {
		errno = EBADMSG;
		return -1;
	}
	return 0;
}

static void deadlines(int fd)
{
	struct timeval tv = { .tv_sec = STALL_SECONDS };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static void serve_one(int fd)
{
	struct request rq;
	struct state s;

	deadlines(fd);
	if (all(fd, &rq, sizeof(rq), 0) || transfer(fd, &rq, 1, &s, NULL))
		perror("xfer: server");
	close(fd);
}

static int serve(int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, c;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&a, sizeof(a)) || listen(fd, 16)) {
		perror("xfer: serve");
		return 1;
	}
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		c = accept(fd, NULL, NULL);
		if (c < 0)
			continue;
		if (!fork()) {
			serve_one(c);
			_exit(0);
		}
		close(c);
	}
}

static int client(const char *dir, const char *addr, int port, uint64_t mib, int show)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	struct request rq = {
		.bytes = mib << 20,
		.dir = dir[0],
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t begin = now_ns();
	struct state s;

	rq.seed = begin ^ getpid();
	inet_pton(AF_INET, addr, &a.sin_addr);
	deadlines(fd);
	if (connect(fd, (void *)&a, sizeof(a)) || all(fd, &rq, sizeof(rq), 1) ||
	    transfer(fd, &rq, 0, &s, show ? dir : NULL)) {
		fprintf(stderr, "xfer: %s: %s\n", dir, strerror(errno));
		return 1;
	}
	printf("%s %llu MiB, checksum %016llx, %.2f s\n", dir,
	       (unsigned long long)mib, (unsigned long long)s.sum,
	       (now_ns() - begin) / 1e9);
	return 0;
}

int xfer_main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(atoi(argv[2]));
	if (argc >= 5)
		return client(argv[1], argv[2], atoi(argv[3]), atoll(argv[4]), argc > 5);
	fprintf(stderr, "usage: xfer serve PORT | put|get ADDRESS PORT MIB [progress]\n");
	return 2;
}
