/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that lives until exit, text buffers, sets of names, errors.
 */
#ifndef WRAPPERS_GEN_UTIL_H
#define WRAPPERS_GEN_UTIL_H

#include <stdio.h>

#include "model.h"

#define __noreturn	__attribute__((__noreturn__))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))

void *xcalloc(size_t n, size_t size);
void *xgrow(void *p, u32 nr, size_t size);	/* room for one more, zeroed */
char *xfmt(const char *fmt, ...) __printf(1, 2);
void __noreturn die(const char *fmt, ...) __printf(1, 2);
void __noreturn die_at(struct where w, const char *fmt, ...) __printf(2, 3);

/* A set of names, or a map from names to pointers. */
struct names;
struct names *names_new(void);
bool names_add(struct names *n, const char *name, void *val); /* false: was there */
bool names_has(const struct names *n, const char *name);
void *names_get(const struct names *n, const char *name);

#endif
