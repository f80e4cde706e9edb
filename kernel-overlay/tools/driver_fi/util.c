// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of the kernel, and error messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fictl.h"

int error(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("fictl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_ERROR;
}

static const char *root(void)
{
	const char *r = getenv("FICTL_ROOT");

	return r ? r : "";
}

const char *sysfs_path(const char *fmt, ...)
{
	static char path[4][512];
	static unsigned int turn;
	char *p = path[turn++ % 4];
	va_list args;
	int n;

	n = snprintf(p, sizeof(path[0]), "%s/sys/kernel/driver_fi", root());
	va_start(args, fmt);
	vsnprintf(p + n, sizeof(path[0]) - n, fmt, args);
	va_end(args);
	return p;
}

const char *debugfs_path(const char *file)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/sys/kernel/debug/driver_fi/%s", root(), file);
	return path;
}

int read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	*buf = '\0';
	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0) {
			n = -errno;
			close(fd);
			return n;
		}
		if (!n)
			break;
		len += n;
	}
	close(fd);
	while (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return 0;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

const char *value_of(const char *text, const char *key)
{
	static char value[4][256];
	static unsigned int turn;
	size_t n = strlen(key);
	char *v;

	for (; text && *text; text = strchr(text, '\n'), text += !!text) {
		if (strncmp(text, key, n) || text[n] != ' ')
			continue;
		v = value[turn++ % 4];
		snprintf(v, sizeof(value[0]), "%.*s", (int)strcspn(text + n + 1, "\n"),
			 text + n + 1);
		return v;
	}
	return NULL;
}

const char *module_name(const char *name)
{
	static char buf[64];
	char *p;

	snprintf(buf, sizeof(buf), "%s", name);
	for (p = buf; *p; p++)
		if (*p == '-')
			*p = '_';
	return buf;
}

bool is_module(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/sys/module/%s/initstate", root(), name);
	return !access(path, F_OK);
}

bool is_isolated(const char *name)
{
	return *name && !strchr(name, '/') && !access(sysfs_path("/%s/state", name), F_OK);
}

bool armed(void)
{
	char status[256];
	int err = read_text(sysfs_path("/status"), status, sizeof(status));

	if (err == -ENOENT) {
		error("this kernel has no driver fault isolation (CONFIG_DRIVER_FI)");
		return false;
	}
	if (err) {
		error("%s: %s", sysfs_path("/status"), strerror(-err));
		return false;
	}
	if (!strcmp(status, "ready"))
		return true;
	error("driver fault isolation is off: %s", status);
	return false;
}
