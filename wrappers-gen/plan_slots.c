// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plan: slots, made when an ops object or a parameter asks for them.
 */
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "plan.h"
#include "stages.h"
#include "util.h"

const char *slot_symbol(const struct slot_note *n)
{
	char *s = xfmt("fi_slot_%s", n->as ? n->as : n->name), *c;

	for (c = s; *c; c++) {
		if (*c == '.')
			*c = '_';
	}
	return s;
}

static const char *plan_errval(struct splan *p)
{
	struct mtype *t = type_strip(p->proto->ref);
	struct scope s = { .p = p->p, .nr = p->nr, .slot = true };

	if (p->note->down) {
		const char *why = expr_check(p->note->down, &s);

		if (why)
			return why;
	}
	if (p->note->has_errval)
		p->errval = p->note->errval;
	else if (t->kind == MK_INT && t->is_signed && !t->is_bool)
		p->errval = -19;	/* ENODEV */
	else if (t->kind != MK_VOID && !p->note->down)
		return xfmt("returns %s: errval= is needed", type_str(p->proto->ref));
	return NULL;
}

static const char *plan_slot_ret(struct splan *p)
{
	const struct spec *s = plan_spec_of(p->note->spec, p->note->nr_spec, "ret");

	if (type_strip(p->proto->ref)->size > 8)
		return "returns a struct";
	if (!s)
		return NULL;
	p->ret = *s;
	switch (s->kind) {
	case SP_ERRNO: case SP_RANGE: case SP_CONSUMED: case SP_VALUE:
		return NULL;
	case SP_IN:
		return type_is_ptr(p->proto->ref) && !s->len ? NULL : "ret=in: no pointer";
	default:
		return "ret= must be errno, range(), value, in or a:consumed,b:returned";
	}
}

/* What is lent whole is copied to the kernel's stack for the time of the call. */
#define MAX_LENT	1024

static const char *plan_slot_loans(const struct splan *p)
{
	u32 i, sum = 0;

	for (i = 0; i < p->nr; i++) {
		if (p->p[i].spec.kind == SP_LEND)
			sum += p->p[i].len;
	}
	return sum > MAX_LENT ? xfmt("lends objects of %u bytes: at most %u, or lend[n]",
				     sum, MAX_LENT) : NULL;
}

static const char *plan_slot_valid(const struct splan *p)
{
	struct scope s = { .p = p->p, .nr = p->nr, .ret = p->proto->ref, .slot = true };
	const char *why = NULL;
	u32 i;

	if (p->note->nr_valid && p->ret.kind == SP_CONSUMED)
		return "valid() of a slot that takes an object";
	for (i = 0; i < p->note->nr_valid && !why; i++)
		why = expr_check(p->note->valid[i].e, &s);
	return why;
}

static const char *plan_slot_generated(struct run *r, struct splan *p)
{
	const char *why = plan_place(p->proto, &p->p, &p->nr_pos);

	p->nr = p->proto->nr;
	if (!why)
		why = plan_params(r, p->p, p->nr, p->note->spec, p->note->nr_spec, true);
	if (!why)
		why = plan_check_lengths(p->p, p->nr, true);
	if (!why)
		why = plan_slot_ret(p);
	if (!why)
		why = plan_errval(p);
	if (!why)
		why = plan_slot_loans(p);
	if (!why)
		why = plan_slot_valid(p);
	return why;
}

/* The plan of a slot, made when it is first asked for. */
struct splan *plan_slot(struct run *r, const char *name, struct mtype *proto)
{
	struct splan *p = names_get(r->slot_index, name);

	if (p)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->name = name;
	p->proto = proto;
	p->note = note_slot(&r->notes, name);
	names_add(r->slot_index, name, p);
	r->splan = xgrow(r->splan, r->nr_splan, sizeof(*r->splan));
	r->splan[r->nr_splan++] = p;
	if (p->note && p->note->proto)
		p->proto = p->note->proto;
	if (!p->note)
		p->refused = "slot has no annotation";
	else if (!p->note->manual)
		p->refused = plan_slot_generated(r, p);
	else if (r->k.builtin && !kernel_exports(&r->k, slot_symbol(p->note)))
		p->refused = xfmt("this kernel does not export %s", slot_symbol(p->note));
	return p;
}
