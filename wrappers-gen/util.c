// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that lives until exit, text, sets of names, errors.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

void die(const char *fmt, ...)
{
	va_list ap;

	fputs("wrappers-gen: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void die_at(struct where w, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: error: ", w.file, w.line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die("out of memory");
	return p;
}

/* Grows by doubling: the array has room for the next power of two. */
void *xgrow(void *p, u32 nr, size_t size)
{
	if (nr & (nr - 1))
		goto zero;
	p = realloc(p, (nr ? 2 * (size_t)nr : 1) * size);
	if (!p)
		die("out of memory");
zero:
	memset((char *)p + nr * size, 0, size);
	return p;
}

char *xfmt(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	return s;
}

struct slot {
	const char *name;
	void *val;
};

struct names {
	struct slot *slot;
	u32 nr, size;		/* size is a power of two, at most half full */
};

static struct slot *names_slot(const struct names *n, const char *name)
{
	u32 h = 2166136261u;
	const char *c;

	for (c = name; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619u;
	for (h &= n->size - 1; n->slot[h].name; h = (h + 1) & (n->size - 1)) {
		if (!strcmp(n->slot[h].name, name))
			break;
	}
	return &n->slot[h];
}

struct names *names_new(void)
{
	struct names *n = xcalloc(1, sizeof(*n));

	n->size = 64;
	n->slot = xcalloc(n->size, sizeof(*n->slot));
	return n;
}

static void names_double(struct names *n)
{
	struct names big = { .size = 2 * n->size, .nr = n->nr };
	u32 i;

	big.slot = xcalloc(big.size, sizeof(*big.slot));
	for (i = 0; i < n->size; i++) {
		if (n->slot[i].name)
			*names_slot(&big, n->slot[i].name) = n->slot[i];
	}
	free(n->slot);
	*n = big;
}

bool names_add(struct names *n, const char *name, void *val)
{
	struct slot *s;

	if (2 * n->nr >= n->size)
		names_double(n);
	s = names_slot(n, name);
	if (s->name)
		return false;
	s->name = name;
	s->val = val;
	n->nr++;
	return true;
}

bool names_has(const struct names *n, const char *name)
{
	return names_slot(n, name)->name;
}

void *names_get(const struct names *n, const char *name)
{
	return names_slot(n, name)->val;
}
