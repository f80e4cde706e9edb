// SPDX-License-Identifier: GPL-2.0-only
/* Runs the suites named on the command line, or all. */

#define _GNU_SOURCE
#include <ftw.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

struct options opt = { .budget = 10, .seed = 1, .insns = 10000000 };

static u32 passed, failed;

void report(bool ok, const char *fmt, ...)
{
	va_list ap;

	*(ok ? &passed : &failed) += 1;
	printf(ok ? "ok    " : "FAIL  ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

static u64 state = 88172645463325252ULL;

void rnd_seed(u64 s)
{
	state = s * 0x9e3779b97f4a7c15ULL + 88172645463325252ULL;
	if (!state)
		state = 1;
}

/* xorshift64* */
u64 rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717ULL;
}

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static const char *wanted;
static char found[4096];

static int look(const char *p, const struct stat *st, int type, struct FTW *f)
{
	size_t n = strlen(wanted);

	(void)st;
	if (type != FTW_F || strncmp(p + f->base, wanted, n) ||
	    (strcmp(p + f->base + n, ".ko") && strcmp(p + f->base + n, ".ko.xz")))
		return 0;
	snprintf(found, sizeof(found), "%s", p);
	return 1;
}

const char *find_module(const char *name)
{
	wanted = name;
	if (!opt.modules || nftw(opt.modules, look, 16, FTW_PHYS) != 1)
		return NULL;
	return found;
}

static const struct {
	const char *name;
	void (*run)(void);
} suites[] = {
	{ "decode", suite_decode },
	{ "violations", suite_violations },
	{ "random", suite_random },
	{ "libraries", suite_libraries },
	{ "tables", suite_tables },
	{ "kernel", suite_kernel },
	{ "model", suite_model },
	{ "step", suite_step },
	{ "retranslate", suite_retranslate },
};

int main(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "m:f:b:s:n:")) != -1) {
		switch (o) {
		case 'm':
			opt.modules = optarg;
			break;
		case 'f':
			opt.fixture = optarg;
			break;
		case 'b':
			opt.budget = atof(optarg);
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			opt.insns = strtoull(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	/* a unit for each sequence: keep its memory */
	mallopt(M_MMAP_THRESHOLD, 1 << 28);
	mallopt(M_TRIM_THRESHOLD, 1 << 28);
	rt_init();
	for (u32 i = 0; i < ARRAY_SIZE(suites); i++) {
		bool run = optind == argc;

		for (int k = optind; k < argc; k++)
			run |= !strcmp(argv[k], suites[i].name);
		if (run)
			suites[i].run();
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
