// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says: its log lines and events of driver fault isolation.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fictl.h"

#define TAG	"driver_fi: "

/*
 * A record of /dev/kmsg is "level,sequence,microseconds,flags;text\n" and then
 * lines with properties. Prints ours; true if it was.
 */
static bool print_record(char *rec, const char *driver, bool stamp)
{
	char *text = strchr(rec, ';'), *comma, *mine;
	unsigned long long us = 0;

	if (!text)
		return false;
	*text++ = '\0';
	text[strcspn(text, "\n")] = '\0';
	mine = strstr(text, TAG);
	if (mine != text)
		return false;
	if (driver && (strncmp(text + strlen(TAG), driver, strlen(driver)) ||
		       text[strlen(TAG) + strlen(driver)] != ':'))
		return false;
	comma = strchr(rec, ',');
	comma = comma ? strchr(comma + 1, ',') : NULL;
	if (comma)
		us = strtoull(comma + 1, NULL, 10);
	if (stamp)
		printf("[%5llu.%06llu] %s\n", us / 1000000, us % 1000000, text);
	else
		fprintf(stderr, "fictl: kernel: %s\n", text + strlen(TAG));
	return true;
}

/* Prints what can be read now. False at an error. */
static bool drain(int fd, const char *driver, bool stamp)
{
	char rec[8192];
	ssize_t n;

	for (;;) {
		n = read(fd, rec, sizeof(rec) - 1);
		if (n < 0 && errno == EPIPE)
			continue;	/* overwritten before we read it */
		if (n < 0)
			return errno == EAGAIN;
		if (!n)
			return true;
		rec[n] = '\0';
		print_record(rec, driver, stamp);
	}
}

/* Where the kernel's log ends now, for kmsg_since(). */
int kmsg_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Tells what the kernel said since then: the reason of a failure. */
void kmsg_since(int mark)
{
	if (mark < 0)
		return;
	drain(mark, NULL, false);
	close(mark);
}

static int uevent_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static const char *env_of(const char *msg, size_t len, const char *key)
{
	const char *p;

	for (p = msg; p < msg + len; p += strlen(p) + 1)
		if (!strncmp(p, key, strlen(key)) && p[strlen(key)] == '=')
			return p + strlen(key) + 1;
	return "";
}

static void print_uevent(int fd, const char *driver)
{
	char msg[8192];
	ssize_t n = recv(fd, msg, sizeof(msg) - 1, 0);

	if (n <= 0)
		return;
	msg[n] = '\0';
	if (strcmp(env_of(msg, n, "SUBSYSTEM"), "driver_fi") || !*env_of(msg, n, "FI_ACTION"))
		return;
	if (driver && strcmp(env_of(msg, n, "DRIVER"), driver))
		return;
	printf("event: %s %s, state %s, fault %s, restarts %s\n",
	       env_of(msg, n, "DRIVER"), env_of(msg, n, "FI_ACTION"),
	       env_of(msg, n, "STATE"), env_of(msg, n, "FAULT"),
	       env_of(msg, n, "RESTARTS"));
}

static int follow(int kmsg, const char *driver)
{
	struct pollfd fds[2] = {
		{ .fd = kmsg, .events = POLLIN },
		{ .fd = uevent_open(), .events = POLLIN },
	};

	for (;;) {
		fflush(stdout);
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return error("poll: %s", strerror(errno));
		if (fds[0].revents && !drain(kmsg, driver, true))
			return error("/dev/kmsg: %s", strerror(errno));
		if (fds[1].revents)
			print_uevent(fds[1].fd, driver);
	}
}

int cmd_log(int argc, char **argv)
{
	const char *driver = NULL, *bad = NULL;
	bool go_on = false;
	int fd, i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-f") || !strcmp(argv[i], "--follow"))
			go_on = true;
		else if (*argv[i] == '-' || driver)
			bad = argv[i];
		else
			driver = module_name(argv[i]);
	}
	if (bad) {
		error("log does not know '%s'; usage: fictl log [-f] [DRIVER]", bad);
		return EXIT_USAGE;
	}
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error("/dev/kmsg: %s", strerror(errno));
	if (!drain(fd, driver, true))
		return error("/dev/kmsg: %s", strerror(errno));
	return go_on ? follow(fd, driver) : EXIT_OK;
}
