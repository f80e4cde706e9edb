// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plan: what each parameter of an import or a slot is, from its annotation or
 * from its type.
 */
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "plan.h"
#include "stages.h"
#include "util.h"

/* System V: integer words in order; 16-byte structs take two. */
const char *plan_place(struct mtype *proto, struct param **out, u32 *nr_pos)
{
	struct param *p = xcalloc(proto->nr, sizeof(*p));
	u32 i, pos = 0;

	for (i = 0; i < proto->nr; i++) {
		struct mtype *t = type_strip(proto->memb[i].type);
		u32 words = 1;

		p[i].name = *proto->memb[i].name ? proto->memb[i].name :
			    xfmt("arg%u", i);
		p[i].type = proto->memb[i].type;
		p[i].pos = pos;
		if (t->kind == MK_FLOAT || t->size > 16)
			return xfmt("parameter '%s' is passed in memory or vector registers",
				    p[i].name);
		if (t->kind == MK_INT && t->size == 16)
			return xfmt("parameter '%s' has 128 bits", p[i].name);
		if (t->kind == MK_STRUCT || t->kind == MK_UNION)
			words = (t->size + 7) / 8;
		if (pos < 6 && pos + words > 6)
			return xfmt("parameter '%s' straddles the registers", p[i].name);
		pos += words;
	}
	*out = p;
	*nr_pos = pos;
	return NULL;
}

const struct spec *plan_spec_of(const struct spec *s, u32 nr, const char *name)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(s[i].param, name))
			return &s[i];
	}
	return NULL;
}

static bool kind_has_type(enum spec_kind k)
{
	switch (k) {
	case SP_HELD: case SP_RELEASE: case SP_RETAKE: case SP_ACQUIRE:
	case SP_EMBEDDED: case SP_TRANSFER_IN: case SP_BORROW:
		return true;
	default:
		return false;
	}
}

/* A token is held of an object, which must be held, too. */
static const char *resolve_token(struct run *r, struct param *p)
{
	struct type_note *t = NULL;

	if (p->spec.kind != SP_ACQUIRE && p->spec.kind != SP_RELEASE &&
	    p->spec.kind != SP_HELD)
		return xfmt("parameter '%s': %s is a token", p->name, p->tn->name);
	if (type_is_ptr(p->type))
		t = note_type(&r->notes, type_target(p->type)->name);
	if (!t || !t->object)
		return xfmt("parameter '%s': a token of no object", p->name);
	t->used = true;
	p->also = t;
	return NULL;
}

/* Finds the type note that an object's spec is about. */
const char *plan_resolve_type(struct run *r, struct param *p)
{
	const char *name = p->spec.arg;
	struct mtype *t;

	if (!name) {
		t = type_is_ptr(p->type) ? type_target(p->type) : type_strip(p->type);
		if (t->kind != MK_STRUCT && t->kind != MK_FWD)
			return xfmt("parameter '%s' needs the name of a type", p->name);
		name = t->name;
	}
	p->tn = note_type(&r->notes, name);
	if (!p->tn)
		return xfmt("parameter '%s': struct %s has no type line", p->name, name);
	return p->tn->type ? NULL : resolve_token(r, p);
}

static const char *resolve_within(struct run *r, struct param *p)
{
	const char *dot = p->spec.arg ? strchr(p->spec.arg, '.') : NULL;
	struct member m;

	if (!dot)
		return xfmt("parameter '%s': within(type.member) expected", p->name);
	p->tn = note_type(&r->notes, xfmt("%.*s", (int)(dot - p->spec.arg), p->spec.arg));
	if (!p->tn || !type_member(p->tn->type, dot + 1, &m) || m.bit_off % 8)
		return xfmt("parameter '%s': no %s", p->name, p->spec.arg);
	p->within = m.bit_off / 8;
	return NULL;
}

static const char *resolve_len(struct param *p)
{
	if (p->spec.len || p->spec.alloc)
		return NULL;
	if (type_is_ptr(p->type))
		p->len = type_size(type_target(p->type));
	if (!p->len && p->spec.kind == SP_IOMEM)
		p->len = 1;
	if (!p->len)
		return xfmt("parameter '%s' needs a length", p->name);
	return NULL;
}

/* An object, with its rules if there are any; or a buffer of a length. */
static const char *resolve_lend(struct run *r, struct param *p)
{
	const char *why = resolve_len(p);
	struct type_note *t = NULL;

	if (!why && type_is_ptr(p->type))
		t = note_type(&r->notes, type_target(p->type)->name);
	if (!t || !t->nr_rule)
		return why;
	p->tn = t;
	return p->len ? NULL : xfmt("parameter '%s': %s has rules, so it is lent whole",
				    p->name, t->name);
}

static const char *resolve_cb(struct run *r, struct param *p)
{
	p->cb = plan_slot(r, p->spec.arg ? p->spec.arg : "",
			  slot_proto(&r->k, p->spec.arg ? p->spec.arg : ""));
	if (p->cb->refused)
		return xfmt("parameter '%s': slot %s: %s", p->name, p->cb->name,
			    p->cb->refused);
	return NULL;
}

/* The kernel will call the driver through these members. */
static const char *resolve_embedded(struct run *r, struct param *p)
{
	const char *why = plan_resolve_type(r, p);
	u32 i;

	for (i = 0; !why && p->tn->type && i < p->tn->nr_cb; i++) {
		const char *name = xfmt("%s.%s", p->tn->name, p->tn->cb[i].path);
		struct splan *s = plan_slot(r, name, slot_proto(&r->k, name));

		p->tn->cb[i].slot = s;
		if (s->refused)
			why = xfmt("parameter '%s': slot %s: %s", p->name, name, s->refused);
	}
	for (i = 0; !why && i < p->tn->nr_held; i++) {
		struct callback *h = &p->tn->held[i];

		h->tn = note_type(&r->notes, h->target->name);
		if (!h->tn)
			return xfmt("parameter '%s': '%s' is no object", p->name, h->path);
		h->tn->used = true;
	}
	return why;
}

static const char *resolve(struct run *r, struct param *p)
{
	if (p->spec.kind == SP_EMBEDDED || p->spec.kind == SP_ACQUIRE)
		return resolve_embedded(r, p);
	if (kind_has_type(p->spec.kind))
		return plan_resolve_type(r, p);
	switch (p->spec.kind) {
	case SP_WITHIN:
		return resolve_within(r, p);
	case SP_IN: case SP_OUT: case SP_INOUT: case SP_IOMEM: case SP_USER:
		return resolve_len(p);
	case SP_LEND:
		return resolve_lend(r, p);
	case SP_CB:
		return resolve_cb(r, p);
	default:
		return NULL;
	}
}

/* --- what types alone tell ------------------------------------------------- */

static bool is_const(struct mtype *ptr)
{
	struct mtype *t = type_strip(ptr)->ref;

	for (; t->kind == MK_MOD || t->kind == MK_TYPEDEF; t = t->ref) {
		if (t->is_const)
			return true;
	}
	return false;
}

/* False if the parameter needs an annotation. */
bool plan_by_type(struct run *r, struct param *p, bool slot)
{
	struct type_note *t;

	if (!type_is_ptr(p->type)) {
		p->spec.kind = SP_VALUE;
		return true;
	}
	t = note_type(&r->notes, type_target(p->type)->name);
	if (t && t->object)
		p->spec.kind = SP_HELD;
	else if (t && t->embedded && !slot)
		p->spec.kind = SP_EMBEDDED;
	else if (slot && is_const(p->type))
		p->spec.kind = SP_IN;	/* all kernel memory is readable */
	else
		return false;
	return true;
}

static bool allowed(enum spec_kind k, bool slot)
{
	switch (k) {
	case SP_TRANSFER_IN: case SP_BORROW: case SP_LEND:
		return slot;
	case SP_RELEASE: case SP_RETAKE: case SP_ACQUIRE: case SP_WITHIN:
	case SP_OUT: case SP_INOUT: case SP_STRING: case SP_IOMEM:
	case SP_EMBEDDED: case SP_USER: case SP_CB:
		return !slot;
	case SP_VALUE: case SP_HELD: case SP_IN:
		return true;
	default:
		return false;
	}
}

const char *plan_params(struct run *r, struct param *p, u32 nr,
			const struct spec *spec, u32 nr_spec, bool slot)
{
	const char *why;
	u32 i;

	for (i = 0; i < nr; i++) {
		const struct spec *s = plan_spec_of(spec, nr_spec, p[i].name);

		p[i].spec.param = p[i].name;
		if (s)
			p[i].spec = *s;
		else if (!plan_by_type(r, &p[i], slot))
			return xfmt("parameter '%s' (%s) is not annotated",
				    p[i].name, type_str(p[i].type));
		if (!allowed(p[i].spec.kind, slot))
			return xfmt("parameter '%s': that word is for %s", p[i].name,
				    slot ? "imports" : "slots");
		why = resolve(r, &p[i]);
		if (why)
			return why;
		if (p[i].tn)
			p[i].tn->used = true;
	}
	return NULL;
}

const char *plan_check_lengths(const struct param *p, u32 nr, bool slot)
{
	struct scope s = { .p = p, .nr = nr, .slot = slot };
	const char *why;
	u32 i;

	for (i = 0; i < nr; i++) {
		why = p[i].spec.len ? expr_check(p[i].spec.len, &s) : NULL;
		if (why)
			return why;
	}
	return NULL;
}
