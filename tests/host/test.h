/* SPDX-License-Identifier: GPL-2.0-only */
/* One line a test; every suite a function. */
#ifndef _HOST_TEST_H
#define _HOST_TEST_H

#include "runtime.h"

void report(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
u64 rnd(void);
void rnd_seed(u64 s);
double seconds(void);

struct options {
	const char *modules;	/* where Debian's modules are */
	const char *fixture;
	double budget;		/* seconds for each random suite */
	u64 seed;
	u64 insns;		/* random instructions to execute, at least */
};

extern struct options opt;

/* Path of a module by file name, or NULL. */
const char *find_module(const char *name);

void suite_decode(void);
void suite_violations(void);
void suite_tables(void);
void suite_model(void);
void suite_kernel(void);
void suite_libraries(void);
void suite_random(void);
void suite_step(void);
void suite_retranslate(void);

#endif
