// SPDX-License-Identifier: GPL-2.0-only
/*
 * fictl - look at isolated drivers and act on them.
 */
#include <stdio.h>
#include <string.h>

#include "fictl.h"

#ifndef FICTL_VERSION
#define FICTL_VERSION	"0.1"
#endif

static const struct command {
	const char *name;
	const char *args;
	const char *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "list", "", "the drivers named, and how they are", cmd_list },
	{ "show", "DRIVER", "all about one, and where the time of its restart went", cmd_show },
	{ "isolate", "SPEC", "isolate a driver from its next load on", cmd_isolate },
	{ "restart", "DRIVER", "restart it and wait", cmd_restart },
	{ "inject", "[-w] DRIVER KIND [FUNCTION]", "provoke a fault; -w waits until it happened",
	  cmd_inject },
	{ "inject", "-l | -c | none", "list the kinds; check what they aim at; take back",
	  cmd_inject },
	{ "log", "[-f] [DRIVER]", "what was reported; -f goes on, with events", cmd_log },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void help(FILE *to)
{
	char left[64];
	size_t i;

	fputs("usage: fictl COMMAND [ARGUMENTS]\n\n", to);
	for (i = 0; i < NR_COMMANDS; i++) {
		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].args);
		fprintf(to, "  %-38s %s\n", left, commands[i].what);
	}
	fputs("\nSPEC is DRIVER[:MODE[,restart=always|never|N/SECONDS]], as in driver_fi= on the\n"
	      "kernel command line. That parameter, even empty, arms isolation at boot.\n", to);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("fictl " FICTL_VERSION);
		return EXIT_OK;
	}
	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	error("no command '%s'; fictl --help lists them", argv[1]);
	return EXIT_USAGE;
}
