// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: words of a line, shared by all kinds of line.
 */
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "read.h"
#include "util.h"

/* The inside of "word(inside)", or NULL. */
const char *read_inside(const char *w, const char *word)
{
	size_t n = strlen(word), len = strlen(w);

	if (strncmp(w, word, n) || w[n] != '(' || w[len - 1] != ')')
		return NULL;
	return xfmt("%.*s", (int)(len - n - 2), w + n + 1);
}

const char *read_after(const char *w, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(w, prefix, n) ? NULL : w + n;
}

static bool word_fits(const char *word, const char *w, const char **in)
{
	size_t n = strlen(word);

	*in = NULL;
	if (word[n - 1] == '=')
		*in = read_after(w, word);
	else if (word[n - 1] == '(')
		*in = read_inside(w, xfmt("%.*s", (int)n - 1, word));
	else
		return !strcmp(w, word);
	return *in;
}

bool read_word(struct reader *r, const struct word *list, void *note, const char *w)
{
	const char *in;

	for (; list->word; list++) {
		if (!word_fits(list->word, w, &in))
			continue;
		list->fn(r, note, in);
		return true;
	}
	return false;
}

s64 read_number(struct reader *r, const char *s)
{
	char *end;
	s64 v = strtoll(s, &end, 0);

	if (!*s || *end)
		die_at(r->where, "'%s' is not a number", s);
	return v;
}

void read_duplicate(struct reader *r, const char *name, struct where w)
{
	die_at(r->where, "'%s' was annotated before, at %s:%u", name, w.file, w.line);
}

/* True if the line is to be left out: the name is missing and may be. */
bool read_missing(struct reader *r, bool found, const char *what, const char *name)
{
	if (found)
		return false;
	if (!r->optional)
		die_at(r->where, "unknown %s '%s'", what, name);
	return true;
}

/* name=spec; the name must be one of the prototype's, or "ret". */
bool read_spec_word(struct reader *r, const char *w, struct mtype *proto,
		    struct spec **spec, u32 *nr)
{
	const char *eq = strchr(w, '=');
	const char *param;
	u32 i;

	if (!eq)
		return false;
	param = xfmt("%.*s", (int)(eq - w), w);
	for (i = 0; i < *nr; i++) {
		if (!strcmp((*spec)[i].param, param))
			die_at(r->where, "'%s' stands twice", param);
	}
	for (i = 0; proto && i < proto->nr; i++) {
		if (!strcmp(proto->memb[i].name, param))
			break;
	}
	if (strcmp(param, "ret") && (!proto || i == proto->nr))
		die_at(r->where, "no parameter '%s'", param);
	*spec = xgrow(*spec, *nr, sizeof(**spec));
	(*spec)[(*nr)++] = spec_parse(param, eq + 1, r->where);
	return true;
}

struct check read_check_of(struct reader *r, const char *text)
{
	return (struct check){ expr_parse(text, r->where), text };
}
