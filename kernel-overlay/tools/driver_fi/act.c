// SPDX-License-Identifier: GPL-2.0-only
/*
 * fictl isolate, restart and inject.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fictl.h"

#define WAIT_SECONDS	30

static void nap(void)
{
	struct timespec t = { .tv_nsec = 10 * 1000 * 1000 };

	nanosleep(&t, NULL);
}

/* Writes, and passes on what the kernel has to say when it refuses @what. */
static int tell_kernel(const char *path, const char *text, const char *what)
{
	int mark = kmsg_mark(), err = write_text(path, text);

	if (err) {
		error("%s: %s", what, strerror(-err));
		kmsg_since(mark);
		return EXIT_ERROR;
	}
	if (mark >= 0)
		close(mark);
	return EXIT_OK;
}

int cmd_isolate(int argc, char **argv)
{
	char name[64];
	int ret;

	if (argc != 2) {
		error("usage: fictl isolate DRIVER[:MODE[,OPTION...]]");
		return EXIT_USAGE;
	}
	if (*argv[1] == '-') {
		error("isolate does not know '%s'", argv[1]);
		return EXIT_USAGE;
	}
	if (!armed())
		return EXIT_ERROR;
	ret = tell_kernel(sysfs_path("/policy"), argv[1], argv[1]);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(argv[1], ":"), argv[1]);
	if (!ret && is_module(module_name(name)))
		printf("in force when the driver is next loaded; it is loaded now\n");
	return ret;
}

static unsigned long nr_restarts(const char *name)
{
	char text[32];

	read_text(sysfs_path("/%s/restarts", name), text, sizeof(text));
	return strtoul(text, NULL, 10);
}

static bool is_state(const char *name, const char *want)
{
	char text[32];

	read_text(sysfs_path("/%s/state", name), text, sizeof(text));
	return !strcmp(text, want);
}

/* Until the driver has been restarted once more than @before, or is off. */
static int wait_restart(const char *name, unsigned long before)
{
	char ms[32];
	int i;

	for (i = 0; i < WAIT_SECONDS * 100; i++, nap()) {
		if (is_state(name, "off"))
			return error("%s: restart limit reached, the driver is off", name);
		if (nr_restarts(name) != before && is_state(name, "live")) {
			read_text(sysfs_path("/%s/last_restart_ms", name), ms, sizeof(ms));
			printf("%s: restarted in %s ms\n", name, ms);
			return EXIT_OK;
		}
	}
	return error("%s: not restarted after %d s", name, WAIT_SECONDS);
}

int cmd_restart(int argc, char **argv)
{
	unsigned long before;
	const char *name;

	if (argc != 2) {
		error("usage: fictl restart DRIVER");
		return EXIT_USAGE;
	}
	if (!armed())
		return EXIT_ERROR;
	name = module_name(argv[1]);
	if (!is_isolated(name))
		return error("'%s' is not loaded, or not isolated", name);
	before = nr_restarts(name);
	if (is_state(name, "off"))
		return error("%s has been given up; load it again", name);
	if (tell_kernel(sysfs_path("/%s/restart", name), "1", name))
		return EXIT_ERROR;
	return wait_restart(name, before);
}

static int print_file(const char *file)
{
	static char text[TEXT_MAX];
	int err = read_text(debugfs_path(file), text, sizeof(text));

	if (err == -ENOENT)
		return error("no %s: no CONFIG_DRIVER_FI_INJECT in this kernel, or no debugfs",
			     debugfs_path(file));
	if (err)
		return error("%s: %s", debugfs_path(file), strerror(-err));
	puts(text);
	return EXIT_OK;
}

static int wait_fired(void)
{
	char text[256];
	int i;

	for (i = 0; i < WAIT_SECONDS * 100; i++, nap()) {
		if (read_text(debugfs_path("injected"), text, sizeof(text)))
			break;
		if (!strncmp(text, "fired", 5)) {
			puts(text);
			return EXIT_OK;
		}
	}
	write_text(debugfs_path("inject"), "none");
	return error("the driver was not called for %d s; taken back", WAIT_SECONDS);
}

int cmd_inject(int argc, char **argv)
{
	bool wait = false;
	char spec[192];
	int i = 1, n;

	if (argc == 2 && (!strcmp(argv[1], "-l") || !strcmp(argv[1], "--list")))
		return print_file("inject");
	if (argc == 2 && (!strcmp(argv[1], "-c") || !strcmp(argv[1], "--canaries")))
		return print_file("canaries");
	if (argc == 2 && !strcmp(argv[1], "none"))
		return tell_kernel(debugfs_path("inject"), "none", "none");
	if (argc > 1 && (!strcmp(argv[1], "-w") || !strcmp(argv[1], "--wait"))) {
		wait = true;
		i++;
	}
	if (i < argc && *argv[i] == '-') {
		error("inject does not know '%s', or not with what follows", argv[i]);
		return EXIT_USAGE;
	}
	if (argc - i < 2 || argc - i > 3) {
		error("usage: fictl inject [-w] DRIVER KIND [FUNCTION|SLOT], or -l for the kinds");
		return EXIT_USAGE;
	}
	if (access(debugfs_path("inject"), F_OK))
		return print_file("inject");
	n = snprintf(spec, sizeof(spec), "%s", module_name(argv[i]));
	for (i++; i < argc && n < (int)sizeof(spec); i++)
		n += snprintf(spec + n, sizeof(spec) - n, " %s", argv[i]);
	if (tell_kernel(debugfs_path("inject"), spec, spec))
		return EXIT_ERROR;
	return wait ? wait_fired() : EXIT_OK;
}
