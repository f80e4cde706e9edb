// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plan: joins what BTF says with what annotations say into one decision per
 * import and per slot. Whatever is not known is refused, with the reason.
 */
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "plan.h"
#include "stages.h"
#include "util.h"

static bool ret_is_acquire(const struct plan *p)
{
	return p->ret.kind == SP_ACQUIRE;
}

static const char *plan_ret(struct run *r, struct plan *p)
{
	const struct spec *s = plan_spec_of(p->note->spec, p->note->nr_spec, "ret");
	struct mtype *t = type_strip(p->proto->ref);
	struct param ret = { .name = "ret", .type = p->proto->ref };
	const char *why;

	if (t->size > 8)
		return "returns a struct";
	if (s)
		p->ret = *s;
	if (!s && t->kind == MK_PTR)
		return xfmt("returns %s, which is not annotated", type_str(t));
	if (!s || s->kind == SP_VALUE)
		return NULL;
	if (!ret_is_acquire(p))
		return "ret= must be value or acquire";
	if (!p->note->free)
		return "ret=acquire without free=";
	ret.spec = *s;
	why = plan_resolve_type(r, &ret);
	p->ret_tn = ret.tn;
	if (!why)
		ret.tn->used = true;
	return why;
}

static const char *plan_exprs(struct plan *p)
{
	struct scope s = { .p = p->p, .nr = p->nr };
	const char *why = plan_check_lengths(p->p, p->nr, false);
	u32 i;

	for (i = 0; !why && i < p->note->nr_check; i++)
		why = expr_check(p->note->check[i].e, &s);
	s.ret = p->proto->ref;
	for (i = 0; !why && i < p->nr; i++) {
		if (p->p[i].spec.kind == SP_ACQUIRE && !p->note->free)
			why = xfmt("%s=acquire without free=", p->p[i].name);
	}
	if (!why && p->note->keep.e)
		why = expr_check(p->note->keep.e, &s);
	return why;
}

static const char *plan_printf(struct plan *p)
{
	int n = p->note->printf_arg;

	if (!p->proto->variadic)
		return n < 0 ? NULL : "printf() of a function without varargs";
	if (n < 0)
		return "takes a variable number of arguments";
	if ((u32)n + 1 != p->nr || n > 5)
		return "printf() is not the last parameter";
	p->p[n].spec.kind = SP_VALUE;
	return NULL;
}

static const char *plan_generated(struct run *r, struct plan *p)
{
	const char *why = plan_place(p->proto, &p->p, &p->nr_pos);
	struct spec *spec = p->note->spec;
	u32 nr_spec = p->note->nr_spec;

	p->nr = p->proto->nr;
	if (why || p->note->fatal)
		return why;
	if (p->note->printf_arg >= 0 && (u32)p->note->printf_arg < p->nr) {
		/* The format's own spec: fi_va_start() looks after it. */
		struct spec *more = xcalloc(nr_spec + 1, sizeof(*more));

		if (nr_spec)
			memcpy(more, spec, nr_spec * sizeof(*more));
		more[nr_spec].kind = SP_VALUE;
		more[nr_spec++].param = p->p[p->note->printf_arg].name;
		spec = more;
	}
	why = plan_params(r, p->p, p->nr, spec, nr_spec, false);
	if (!why)
		why = plan_printf(p);
	if (!why)
		why = plan_ret(r, p);
	if (!why)
		why = plan_exprs(p);
	p->by_type = !nr_spec && !p->note->nr_check;
	return why;
}

/* An annotation to start from: what types say, "?" for what they do not. */
static const char *draft(struct run *r, const struct import *imp)
{
	const char *s = xfmt("func %s", imp->name);
	struct mtype *proto;
	u32 i;

	if (!imp->fn)
		return xfmt("%s plain|manual|lib", s);
	proto = imp->fn->ref;
	for (i = 0; i < proto->nr; i++) {
		struct param p = { .type = proto->memb[i].type };

		if (!plan_by_type(r, &p, false))
			s = xfmt("%s %s=...", s, proto->memb[i].name);
	}
	if (type_is_ptr(proto->ref))
		s = xfmt("%s ret=...", s);
	return proto->variadic ? xfmt("%s printf(%u)", s, proto->nr - 1) : s;
}

static struct plan *plan_import(struct run *r, const struct import *imp)
{
	struct plan *p = xcalloc(1, sizeof(*p));

	p->name = imp->name;
	p->note = note_func(&r->notes, imp->name);
	if (!imp->exported) {
		p->refused = "not exported by the kernel or a module given with -m";
	} else if (!p->note) {
		/* Data can be read by anyone and written by no driver. */
		if (!imp->data || imp->called) {
			p->refused = "no annotation";
			p->draft = draft(r, imp);
		}
	} else if (p->note->class == FC_POINTER) {
		if (imp->called)
			p->refused = "annotated as pointer only, but called";
	} else if (p->note->class == FC_MANUAL || p->note->class == FC_LIB) {
		if (!kernel_wraps(&r->k, imp->name))
			p->refused = "this kernel has no wrapper of its own for it";
	} else if (p->note->class == FC_GEN && kernel_has_own(&r->k, imp->name)) {
		p->by_kernel = true;	/* and the core takes that one first */
	} else if (p->note->class == FC_GEN) {
		if (!imp->fn) {
			p->refused = "BTF has no prototype";
			return p;
		}
		p->proto = imp->fn->ref;
		p->pointer_only = imp->pointer && !imp->called;
		p->refused = plan_generated(r, p);
	}
	return p;
}

bool plan_emitted(const struct plan *p)
{
	if (p->refused)
		return false;
	return !p->by_kernel &&
	       (!p->note || (p->note->class != FC_MANUAL && p->note->class != FC_LIB));
}

static void plan_ko(struct run *r, struct ko *ko, struct names *imps)
{
	u32 i;

	for (i = 0; i < ko->nr_imp; i++) {
		struct import *imp = &ko->imp[i];

		if (!names_has(imps, imp->name)) {
			struct plan *p = plan_import(r, imp);

			names_add(imps, imp->name, p);
			r->plan = xgrow(r->plan, r->nr_plan, sizeof(*r->plan));
			r->plan[r->nr_plan++] = p;
		}
		imp->plan = names_get(imps, imp->name);
	}
	for (i = 0; i < ko->nr_bind; i++) {
		struct bind *b = &ko->bind[i];

		b->plan = plan_slot(r, b->slot, b->proto);
	}
}

/* The types of what fields of @t's shadows point to. */
static void plan_rules(struct run *r, struct type_note *t)
{
	u32 i;

	for (i = 0; i < t->nr_rule; i++) {
		struct rule *u = &t->rule[i];

		if (!u->target)
			continue;
		u->held = note_type(&r->notes, u->target->name);
		if (!u->held || !u->held->object)
			die_at(u->where, "'%s' points to no object", u->path);
		/* Both would have to be looked at, each before the other. */
		if (u->held->nr_rule)
			die_at(u->where, "'%s' points to a %s, which has rules itself",
			       u->path, u->held->name);
		u->held->used |= t->used;
	}
}

void plan(struct run *r)
{
	struct names *imps = names_new();
	u32 i;

	r->slot_index = names_new();
	for (i = 0; i < r->nr_ko; i++)
		plan_ko(r, r->ko[i], imps);
	for (i = 0; i < r->notes.nr_type; i++) {
		struct type_note *t = &r->notes.type[i];

		/* Manual wrappers of the kernel rely on these, too. */
		t->used |= t->nr_field > 0;
		plan_rules(r, t);
	}
}
