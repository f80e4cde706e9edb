// SPDX-License-Identifier: GPL-2.0-only
/*
 * fictl list and fictl show.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fictl.h"

#define ROW	"%-20s %-5s %-12s %8s  %-10s %s\n"

static const char *file_of(const char *driver, const char *file)
{
	static char text[4][TEXT_MAX];
	static unsigned int turn;
	char *t = text[turn++ % 4];

	if (read_text(sysfs_path("/%s/%s", driver, file), t, TEXT_MAX))
		snprintf(t, TEXT_MAX, "?");
	return t;
}

/* A driver that is loaded and isolated. */
static void list_live(const char *name)
{
	const char *fault = file_of(name, "last_fault");
	const char *kind = value_of(fault, "kind");
	const char *crossings = value_of(file_of(name, "counters"), "crossings");

	printf(ROW, name, file_of(name, "mode"), file_of(name, "state"),
	       file_of(name, "restarts"), kind ? kind : "-", crossings ? crossings : "-");
}

/* @line is "name:mode,option,... [refused: why]". */
static void list_policy(char *line)
{
	char *refused = strstr(line, " refused: ");
	char *name = strtok(line, ":"), *mode = strtok(NULL, ", ");
	bool loaded = name && is_isolated(name);

	if (!name)
		return;
	if (loaded)
		list_live(name);
	else if (refused)
		printf("%-20s %-5s refused: %s\n", name, mode, refused + strlen(" refused: "));
	else
		printf(ROW, name, mode ? mode : "?",
		       is_module(name) ? "not isolated" : "not loaded", "-", "-", "-");
}

int cmd_list(int argc, char **argv)
{
	static char text[TEXT_MAX];
	char *rest = text, *line;
	int err;

	if (argc > 1) {
		error("list takes no arguments, and not '%s'", argv[1]);
		return EXIT_USAGE;
	}
	if (!armed())
		return EXIT_ERROR;
	err = read_text(sysfs_path("/policy"), text, sizeof(text));
	if (err)
		return error("%s: %s", sysfs_path("/policy"), strerror(-err));
	if (!*text) {
		puts("no driver is named; see fictl isolate");
		return EXIT_OK;
	}
	printf(ROW, "DRIVER", "MODE", "STATE", "RESTARTS", "LAST FAULT", "CROSSINGS");
	while ((line = strsep(&rest, "\n")))
		list_policy(line);
	return EXIT_OK;
}

/* Prints "key value" lines of a file as an indented table. */
static void show_table(const char *title, const char *text)
{
	char line[512];
	int key;

	if (!*text || !strcmp(text, "?"))
		return;
	printf("%s\n", title);
	for (; text && *text; text = strchr(text, '\n'), text += !!text) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
		key = strcspn(line, " ");
		printf("  %-*.*s %s\n", 20, key, line, line[key] ? line + key + 1 : "");
	}
}

/* Where the time of the last restart went, with a bar for each step. */
static void show_times(const char *text, const char *total_ms)
{
	double total = 0, us;
	char name[64];
	const char *p;
	int i;

	if (!*text || !strcmp(text, "?"))
		return;
	for (p = text; p && *p; p = strchr(p, '\n'), p += !!p)
		if (sscanf(p, "%63s %lf", name, &us) == 2)
			total += us;
	printf("last restart: %s ms, of that\n", total_ms);
	for (p = text; p && *p; p = strchr(p, '\n'), p += !!p) {
		if (sscanf(p, "%63s %lf", name, &us) != 2)
			continue;
		printf("  %-20s %10.3f ms  ", name, us / 1000);
		for (i = 0; total > 0 && i < (int)(us / total * 40 + 0.5); i++)
			putchar('#');
		putchar('\n');
	}
}

static int not_loaded(const char *name)
{
	static char text[TEXT_MAX];
	char *rest = text, *line;
	size_t n = strlen(name);

	read_text(sysfs_path("/policy"), text, sizeof(text));
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, name, n) && line[n] == ':')
			return error("%s is %s; policy from its next load on: %s", name,
				     is_module(name) ? "loaded, not isolated" : "not loaded",
				     line);
	return error("'%s' is not isolated; see fictl isolate", name);
}

int cmd_show(int argc, char **argv)
{
	const char *name;

	if (argc != 2) {
		error("usage: fictl show DRIVER");
		return EXIT_USAGE;
	}
	if (!armed())
		return EXIT_ERROR;
	name = module_name(argv[1]);
	if (!is_isolated(name))
		return not_loaded(name);
	printf("%-22s %s\n", "driver", name);
	printf("%-22s %s\n", "policy", file_of(name, "policy"));
	printf("%-22s %s\n", "state", file_of(name, "state"));
	printf("%-22s %s\n", "restarts", file_of(name, "restarts"));
	show_table("last fault", file_of(name, "last_fault"));
	show_times(file_of(name, "times"), file_of(name, "last_restart_ms"));
	show_table("counters", file_of(name, "counters"));
	show_table("objects", file_of(name, "objects"));
	show_table("memory, bytes", file_of(name, "memory"));
	return EXIT_OK;
}
