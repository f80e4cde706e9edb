// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: lines about functions.
 */
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "read.h"
#include "util.h"

/* Kinds of lock that the core can give back by themselves. */
static const char *lock_kind(struct reader *r, const char *kind)
{
	if (strcmp(kind, "RTNL"))
		die_at(r->where, "unknown kind of lock '%s'", kind);
	return kind;
}

static void word_manual(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	(void)r;
	(void)in;
	f->class = FC_MANUAL;
}

static void word_lib(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	(void)r;
	(void)in;
	f->class = FC_LIB;
}

static void word_plain(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	(void)r;
	(void)in;
	f->class = FC_PLAIN;
}

static void word_pointer(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	(void)r;
	(void)in;
	f->class = FC_POINTER;
}

static void word_sleep(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	(void)r;
	(void)in;
	f->sleep = true;
}

static void word_atomic(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	(void)r;
	(void)in;
	f->sleep = false;
}

static void word_free(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	if (!kernel_exports(r->k, in))
		die_at(r->where, "free=%s is not an exported function", in);
	f->free = in;
}

static void word_printf(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	f->printf_arg = (int)read_number(r, in);
}

static void word_lock(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	f->lock = lock_kind(r, in);
}

static void word_unlock(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	f->unlock = lock_kind(r, in);
}

static void word_fatal(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	(void)r;
	f->fatal = in;
}

static void word_check(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	f->check = xgrow(f->check, f->nr_check, sizeof(*f->check));
	f->check[f->nr_check++] = read_check_of(r, in);
}

static void word_keep(struct reader *r, void *note, const char *in)
{
	struct func_note *f = note;

	f->keep = read_check_of(r, in);
}

static const struct word func_words[] = {
	{ "manual", word_manual }, { "lib", word_lib }, { "plain", word_plain },
	{ "pointer", word_pointer }, { "sleep", word_sleep },
	{ "atomic", word_atomic }, { "free=", word_free },
	{ "printf(", word_printf }, { "lock(", word_lock },
	{ "unlock(", word_unlock }, { "fatal(", word_fatal },
	{ "check(", word_check }, { "keep(", word_keep }, {}
};

void read_func(struct reader *r)
{
	const char *name = r->word[1];
	struct mtype *fn = kernel_find(r->k, MK_FUNC, name);
	struct func_note *f, *old = note_func(r->n, name);
	u32 i;

	if (read_missing(r, fn || kernel_has_symbol(r->k, name), "function", name))
		return;
	if (old)
		read_duplicate(r, name, old->where);
	r->n->func = xgrow(r->n->func, r->n->nr_func, sizeof(*f));
	f = &r->n->func[r->n->nr_func++];
	f->name = name;
	f->where = r->where;
	f->printf_arg = -1;
	f->optional = r->optional;
	for (i = 2; i < r->nr; i++) {
		if (!read_word(r, func_words, f, r->word[i]) &&
		    !read_spec_word(r, r->word[i], fn ? fn->ref : NULL, &f->spec, &f->nr_spec))
			die_at(r->where, "unknown word '%s'", r->word[i]);
	}
}
