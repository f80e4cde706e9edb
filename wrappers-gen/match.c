// SPDX-License-Identifier: GPL-2.0-only
/*
 * Match: which struct an ops object of a driver is. BTF has no variables, so
 * the object's size, what its relocations point to and where, and the
 * prototypes of the functions decide.
 */
#include <string.h>

#include "annotate.h"
#include "load.h"
#include "stages.h"
#include "util.h"

struct search {
	struct run *r;
	struct ko *ko;
	struct object *o;
	struct mtype *found[8];
	u32 nr_elem[8];
	u32 nr;
	bool arrays;
};

/* --- does this type fit? ------------------------------------------------- */

struct fit {
	struct object *o;
	u32 base;		/* of the array element */
	bool *seen;		/* per relocation: a member takes it */
	bool bad;
};

static bool takes(struct mtype *leaf, const struct objrel *rel)
{
	bool func = leaf->kind == MK_PTR && type_target(leaf)->kind == MK_PROTO;

	if (rel->import && !rel->fn)	/* data, or a function without BTF */
		return leaf->kind == MK_PTR;
	if (rel->func || rel->fn)
		return func && (!rel->fn || type_same(type_target(leaf), rel->fn->ref));
	return !func && (leaf->kind == MK_PTR || type_size(leaf) == 8);
}

static void fit_leaf(void *ctx, u32 off, const char *path, struct mtype *leaf)
{
	static const unsigned char zero[8];
	struct fit *f = ctx;
	bool rel = false;
	u32 i;

	(void)path;
	off += f->base;
	for (i = 0; i < f->o->nr_rel; i++) {
		if (f->o->rel[i].off != off)
			continue;
		rel = true;
		f->seen[i] |= takes(leaf, &f->o->rel[i]);
	}
	/* A constant that is not an address cannot stand in a pointer. */
	if (!rel && leaf->kind == MK_PTR && f->o->data &&
	    memcmp(f->o->data + off, zero, 8))
		f->bad = true;
}

static bool fits(struct object *o, struct mtype *t, u32 nr_elem)
{
	struct fit f = { .o = o };
	u32 i;

	f.seen = xcalloc(o->nr_rel, sizeof(*f.seen));
	for (i = 0; i < nr_elem; i++) {
		f.base = i * t->size;
		type_leaves(t, 0, "", fit_leaf, &f);
	}
	for (i = 0; i < o->nr_rel; i++) {
		if (!f.seen[i])
			return false;
	}
	return !f.bad;
}

static void try_type(void *ctx, struct mtype *t)
{
	struct search *s = ctx;
	u32 i, n;

	if (t->size < 8 || s->o->size % t->size || s->nr == 8)
		return;
	n = s->o->size / t->size;
	if (s->arrays != (n > 1) || !fits(s->o, t, n))
		return;
	for (i = 0; i < s->nr; i++) {
		if (type_same(s->found[i], t))
			return;
	}
	s->found[s->nr] = t;
	s->nr_elem[s->nr++] = n;
}

static void search_all(struct search *s)
{
	u32 i;

	types_each_struct(s->r->k.vmlinux, try_type, s);
	for (i = 0; i < s->r->k.nr_mod; i++)
		types_each_struct(s->r->k.mod[i], try_type, s);
	types_each_struct(s->ko->types, try_type, s);
}

/* --- what stands in it --------------------------------------------------- */

struct walk {
	struct ko *ko;
	struct object *o;
	struct notes *notes;
	u32 base;
	bool all_noted;
	bool bind;
};

static void add_bind(struct walk *w, const struct objrel *rel, const char *path,
		     struct mtype *leaf)
{
	struct ko *ko = w->ko;
	struct bind *b;

	ko->bind = xgrow(ko->bind, ko->nr_bind, sizeof(*ko->bind));
	b = &ko->bind[ko->nr_bind++];
	b->func = rel->func;
	b->object = w->o->name;
	b->slot = xfmt("%s.%s", w->o->type->name, path);
	b->proto = type_target(leaf);
}

static void walk_leaf(void *ctx, u32 off, const char *path, struct mtype *leaf)
{
	struct walk *w = ctx;
	u32 i;

	if (leaf->kind != MK_PTR || type_target(leaf)->kind != MK_PROTO)
		return;
	for (i = 0; i < w->o->nr_rel; i++) {
		const struct objrel *rel = &w->o->rel[i];

		if (rel->off != off + w->base || !rel->func)
			continue;
		if (w->bind)
			add_bind(w, rel, path, leaf);
		else if (!note_slot(w->notes, xfmt("%s.%s", w->o->type->name, path)))
			w->all_noted = false;
	}
}

static void walk(struct walk *w)
{
	u32 i;

	w->all_noted = true;
	for (i = 0; i < w->o->nr_elem; i++) {
		w->base = i * w->o->type->size;
		type_leaves(w->o->type, 0, "", walk_leaf, w);
	}
}

/* Of several fitting types, the one whose slots are all annotated. */
static void choose(struct search *s)
{
	struct walk w = { .ko = s->ko, .o = s->o, .notes = &s->r->notes };
	u32 i, pick = 0, nr_pick = 0;
	const char *all = "";

	for (i = 0; i < s->nr; i++) {
		s->o->type = s->found[i];
		s->o->nr_elem = s->nr_elem[i];
		walk(&w);
		if (w.all_noted) {
			pick = i;
			nr_pick++;
		}
		all = xfmt("%s%s%s", all, i ? ", " : "", s->found[i]->name);
	}
	s->o->type = NULL;
	if (s->nr > 1 && nr_pick != 1) {
		s->o->why = xfmt("ambiguous: %s", all);
		return;
	}
	s->o->type = s->found[s->nr > 1 ? pick : 0];
	s->o->nr_elem = s->nr_elem[s->nr > 1 ? pick : 0];
}

/* Imports of other modules have their prototypes there. */
static void find_imports(struct run *r, struct object *o)
{
	u32 i;

	for (i = 0; i < o->nr_rel; i++) {
		if (o->rel[i].import && !o->rel[i].fn)
			o->rel[i].fn = kernel_find(&r->k, MK_FUNC, o->rel[i].import);
	}
}

static void match_one(struct run *r, struct ko *ko, struct object *o)
{
	struct search s = { .r = r, .ko = ko, .o = o };
	struct obj_note *note = note_object(&r->notes, o->name);
	struct walk w = { .ko = ko, .o = o, .notes = &r->notes, .bind = true };

	find_imports(r, o);
	if (note) {
		o->type = kernel_find(&r->k, MK_STRUCT, note->type);
		o->nr_elem = o->type->size ? o->size / o->type->size : 0;
		if (!o->nr_elem || o->size % o->type->size ||
		    !fits(o, o->type, o->nr_elem))
			die_at(note->where, "object %s is no struct %s", o->name, note->type);
	} else {
		search_all(&s);
		s.arrays = true;
		if (!s.nr)
			search_all(&s);
		if (s.nr)
			choose(&s);
		else
			o->why = xfmt("no struct of %u bytes fits", o->size);
	}
	/* The kernel does not know a struct that only the module has. */
	if (o->type && !types_own(ko->types, o->type))
		walk(&w);
	else if (o->type)
		o->why = xfmt("struct %s is the driver's own", o->type->name);
}

void match(struct run *r)
{
	u32 i, j;

	for (i = 0; i < r->nr_ko; i++) {
		for (j = 0; j < r->ko[i]->nr_obj; j++)
			match_one(r, r->ko[i], &r->ko[i]->obj[j]);
	}
}
