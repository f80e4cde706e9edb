// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: lines about slots and ops objects.
 */
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "read.h"
#include "util.h"

struct mtype *slot_proto(const struct kernel *k, const char *name)
{
	const char *dot = strchr(name, '.');
	struct member m;
	struct mtype *t;

	if (!dot)
		return NULL;
	t = kernel_find(k, MK_STRUCT, xfmt("%.*s", (int)(dot - name), name));
	if (!t || !type_member(t, dot + 1, &m) || !type_is_ptr(m.type))
		return NULL;
	t = type_target(m.type);
	return t->kind == MK_PROTO ? t : NULL;
}

/*
 * "struct.member(dev,skb)": pointers to functions have no parameter names in
 * BTF, so the annotation gives them.
 */
static struct mtype *slot_names(struct reader *r, struct mtype *proto, char *names)
{
	struct mtype *t = xcalloc(1, sizeof(*t));
	char *save = NULL, *name = strtok_r(names, ",", &save);
	u32 i = 0;

	*t = *proto;
	t->memb = xcalloc(t->nr, sizeof(*t->memb));
	for (; name; name = strtok_r(NULL, ",", &save), i++) {
		if (i == t->nr)
			die_at(r->where, "the slot has %u parameters only", t->nr);
		t->memb[i] = proto->memb[i];
		t->memb[i].name = name;
	}
	if (i != t->nr)
		die_at(r->where, "the slot has %u parameters, not %u", t->nr, i);
	return t;
}

static void word_manual(struct reader *r, void *note, const char *in)
{
	struct slot_note *s = note;

	(void)r;
	(void)in;
	s->manual = true;
}

/* When a slot is called: for readers of the file. */
static void word_context(struct reader *r, void *note, const char *in)
{
	(void)r;
	(void)note;
	(void)in;
}

static void word_as(struct reader *r, void *note, const char *in)
{
	struct slot_note *s = note;

	(void)r;
	s->as = in;
}

static void word_errval(struct reader *r, void *note, const char *in)
{
	struct slot_note *s = note;

	s->has_errval = true;
	s->errval = read_number(r, in);
}

static void word_down(struct reader *r, void *note, const char *in)
{
	struct slot_note *s = note;

	s->down = expr_parse(in, r->where);
}

/* valid(ret||x->y): what must be true when the driver returned. */
static void word_valid(struct reader *r, void *note, const char *in)
{
	struct slot_note *s = note;

	s->valid = xgrow(s->valid, s->nr_valid, sizeof(*s->valid));
	s->valid[s->nr_valid++] = read_check_of(r, in);
}

static const struct word slot_words[] = {
	{ "manual", word_manual }, { "atomic", word_context },
	{ "sleep", word_context }, { "as=", word_as },
	{ "errval=", word_errval }, { "down(", word_down },
	{ "valid(", word_valid }, {}
};

void read_slot(struct reader *r)
{
	const char *name = xfmt("%.*s", (int)strcspn(r->word[1], "("), r->word[1]);
	const char *names = read_inside(r->word[1], name);
	struct slot_note *s = note_slot(r->n, name);
	struct mtype *proto = slot_proto(r->k, name);
	u32 i;

	/* A name without a dot is a manual slot that no struct holds. */
	if (read_missing(r, proto || !strchr(name, '.'), "slot", name))
		return;
	if (s)
		read_duplicate(r, name, s->where);
	if (names && proto)
		proto = slot_names(r, proto, xfmt("%s", names));
	r->n->slot = xgrow(r->n->slot, r->n->nr_slot, sizeof(*s));
	s = &r->n->slot[r->n->nr_slot++];
	s->name = name;
	s->where = r->where;
	s->optional = r->optional;
	s->proto = names ? proto : NULL;
	for (i = 2; i < r->nr; i++) {
		if (!read_word(r, slot_words, s, r->word[i]) &&
		    !read_spec_word(r, r->word[i], proto, &s->spec, &s->nr_spec))
			die_at(r->where, "unknown word '%s'", r->word[i]);
	}
	if (!proto && !s->manual)
		die_at(r->where, "slot '%s' stands in no struct: must be manual", name);
}

void read_object(struct reader *r)
{
	struct obj_note *o;

	if (r->nr != 3)
		die_at(r->where, "object NAME TYPE expected");
	if (read_missing(r, kernel_find(r->k, MK_STRUCT, r->word[2]), "type: struct",
			 r->word[2]))
		return;
	r->n->obj = xgrow(r->n->obj, r->n->nr_obj, sizeof(*o));
	o = &r->n->obj[r->n->nr_obj++];
	o->name = r->word[1];
	o->type = r->word[2];
	o->where = r->where;
}
