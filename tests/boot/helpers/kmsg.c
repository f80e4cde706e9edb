// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmsg: the kernel log by sequence number.
 *
 *	kmsg mark		number of the next record
 *	kmsg since MARK		what the kernel itself said from there on
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"

/* Prints kernel records from @from on; returns the number of the next one. */
static unsigned long long scan(unsigned long long from, int print)
{
	unsigned long long seq, next = 0;
	unsigned int prio;
	char rec[8192], *text, *end;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ssize_t n;

	for (;;) {
		n = read(fd, rec, sizeof(rec) - 1);
		if (n < 0 && errno == EPIPE)
			continue;	/* overwritten meanwhile */
		if (n <= 0)
			break;
		rec[n] = 0;
		if (sscanf(rec, "%u,%llu,", &prio, &seq) != 2)
			continue;
		next = seq + 1;
		/* facility 0 is the kernel; the tests' own lines are user's */
		if (!print || seq < from || prio >> 3)
			continue;
		text = strchr(rec, ';');
		end = text ? strchr(text, '\n') : NULL;
		if (!end)
			continue;
		*end = 0;
		printf("<%u> %s\n", prio & 7, text + 1);
	}
	close(fd);
	return next;
}

int kmsg_main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "mark")) {
		printf("%llu\n", scan(0, 0));
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "since")) {
		scan(strtoull(argv[2], NULL, 0), 1);
		return 0;
	}
	return 2;
}
