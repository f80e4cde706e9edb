/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files that read annotations.
 */
#ifndef WRAPPERS_GEN_READ_H
#define WRAPPERS_GEN_READ_H

#include "util.h"

/* A line being read. */
struct reader {
	struct notes *n;
	const struct kernel *k;
	struct where where;
	char **word;
	u32 nr;
	bool optional;
};

/*
 * What may stand in a line: "word", "word=..." or "word(...)", by the last
 * character of @word. @fn gets what stands in "...", or NULL.
 */
struct word {
	const char *word;
	void (*fn)(struct reader *r, void *note, const char *in);
};

/* Runs what fits @w; false if nothing does. The list ends with an empty one. */
bool read_word(struct reader *r, const struct word *list, void *note, const char *w);

/* The inside of "word(inside)", or NULL. */
const char *read_inside(const char *w, const char *word);
/* What follows @prefix, or NULL. */
const char *read_after(const char *w, const char *prefix);
s64 read_number(struct reader *r, const char *s);
struct check read_check_of(struct reader *r, const char *text);
void __noreturn read_duplicate(struct reader *r, const char *name, struct where w);
/* True if the line is to be left out: the name is missing and may be. */
bool read_missing(struct reader *r, bool found, const char *what, const char *name);
/* name=spec; the name must be one of the prototype's, or "ret". */
bool read_spec_word(struct reader *r, const char *w, struct mtype *proto,
		    struct spec **spec, u32 *nr);

void read_func(struct reader *r);
void read_type(struct reader *r);
void read_token(struct reader *r);
void read_inplace(struct reader *r);
void read_shadow(struct reader *r);
void read_lent(struct reader *r);
void read_slot(struct reader *r);
void read_object(struct reader *r);

#endif
