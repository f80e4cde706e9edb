// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: reads annotation files, line by line.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "read.h"
#include "util.h"

#define NOTE_FIND(what, field, nr)					\
struct what##_note *note_##field(struct notes *n, const char *name)	\
{									\
	u32 i;								\
									\
	for (i = 0; i < n->nr; i++) {					\
		if (!strcmp(n->what[i].name, name))			\
			return &n->what[i];				\
	}								\
	return NULL;							\
}

NOTE_FIND(func, func, nr_func)
NOTE_FIND(type, type, nr_type)
NOTE_FIND(slot, slot, nr_slot)
NOTE_FIND(obj, object, nr_obj)

/* Splits at spaces outside brackets and quotes. A # outside them ends it. */
static void split(struct reader *r, char *line)
{
	int depth = 0;
	bool quote = false;
	char *c = line, *start = NULL;

	r->nr = 0;
	r->word = NULL;
	for (;; c++) {
		bool end = !*c || (!quote && *c == '#');

		if (end || (isspace((unsigned char)*c) && !depth && !quote)) {
			if (start) {
				r->word = xgrow(r->word, r->nr, sizeof(*r->word));
				r->word[r->nr++] = xfmt("%.*s", (int)(c - start), start);
				start = NULL;
			}
			if (end)
				break;
			continue;
		}
		if (!start)
			start = c;
		if (*c == '"')
			quote = !quote;
		if (!quote && (*c == '(' || *c == '['))
			depth++;
		if (!quote && (*c == ')' || *c == ']'))
			depth--;
	}
	if (depth || quote)
		die_at(r->where, "unbalanced brackets or quotes");
}

static void read_line(struct reader *r)
{
	static const struct { const char *word; void (*fn)(struct reader *r); } lines[] = {
		{ "func", read_func }, { "type", read_type },
		{ "inplace", read_inplace }, { "shadow", read_shadow }, { "lent", read_lent },
		{ "slot", read_slot }, { "object", read_object }, { "token", read_token },
	};
	char *w = r->word[0];
	size_t len = strlen(w);
	u32 i;

	r->optional = w[len - 1] == '?';
	if (r->optional)
		w[len - 1] = 0;
	if (r->nr < 2)
		die_at(r->where, "a name must follow '%s'", w);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (!strcmp(w, lines[i].word)) {
			lines[i].fn(r);
			return;
		}
	}
	die_at(r->where, "unknown line '%s'", w);
}

void notes_read(struct notes *n, const struct kernel *k, const char *path)
{
	struct reader r = { .n = n, .k = k, .where = { path, 0 } };
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		die("%s: cannot open", path);
	while (getline(&line, &size, f) > 0) {
		r.where.line++;
		split(&r, line);
		if (r.nr)
			read_line(&r);
	}
	free(line);
	fclose(f);
}

void notes_finish(struct notes *n)
{
	u32 i;

	for (i = 0; i < n->nr_type; i++)
		fields_merge(&n->type[i]);
}
