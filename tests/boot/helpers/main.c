// SPDX-License-Identifier: GPL-2.0-only
/* Picks the helper by the name it was called by. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "helpers.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} helpers[] = {
	{ "xfer", xfer_main },
	{ "flood", flood_main },
	{ "reach", reach_main },
	{ "gap", gap_main },
	{ "ethctl", ethctl_main },
	{ "kmsg", kmsg_main },
	{ "count", count_main },
};

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	unsigned int i;

	name = name ? name + 1 : argv[0];
	for (i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (!strcmp(name, helpers[i].name))
			return helpers[i].main(argc, argv);
	fprintf(stderr, "%s: no such helper\n", name);
	return 2;
}
