// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plan: joins what BTF says with what annotations say into one decision per
 * import and per slot. Whatever is not known is refused, with the reason.
 */
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "stages.h"
#include "util.h"

static struct splan *slot_plan(struct run *r, const char *name, struct mtype *proto);

/* --- parameters: common to imports and slots ------------------------------ */

/* System V: integer words in order; 16-byte structs take two. */
static const char *place_params(struct mtype *proto, struct param **out, u32 *nr_pos)
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
			return xfmt("parameter '%s' is passed in memory or vector registers", p[i].name);
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

static const struct spec *spec_of(const struct spec *s, u32 nr, const char *name)
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
static const char *resolve_type(struct run *r, struct param *p)
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

static const char *resolve_cb(struct run *r, struct param *p)
{
	p->cb = slot_plan(r, p->spec.arg ? p->spec.arg : "",
			  slot_proto(&r->k, p->spec.arg ? p->spec.arg : ""));
	if (p->cb->refused)
		return xfmt("parameter '%s': slot %s: %s", p->name, p->cb->name,
			    p->cb->refused);
	return NULL;
}

/* The kernel will call the driver through these members. */
static const char *resolve_embedded(struct run *r, struct param *p)
{
	const char *why = resolve_type(r, p);
	u32 i;

	for (i = 0; !why && p->tn->type && i < p->tn->nr_cb; i++) {
		const char *name = xfmt("%s.%s", p->tn->name, p->tn->cb[i].path);
		struct splan *s = slot_plan(r, name, slot_proto(&r->k, name));

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
		return resolve_type(r, p);
	switch (p->spec.kind) {
	case SP_WITHIN:
		return resolve_within(r, p);
	case SP_IN: case SP_OUT: case SP_INOUT: case SP_LEND:
	case SP_IOMEM: case SP_USER:
		return resolve_len(p);
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
static bool by_type(struct run *r, struct param *p, bool slot)
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

static const char *plan_params(struct run *r, struct param *p, u32 nr,
			       const struct spec *spec, u32 nr_spec, bool slot)
{
	const char *why;
	u32 i;

	for (i = 0; i < nr; i++) {
		const struct spec *s = spec_of(spec, nr_spec, p[i].name);

		p[i].spec.param = p[i].name;
		if (s)
			p[i].spec = *s;
		else if (!by_type(r, &p[i], slot))
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

static const char *check_lengths(const struct param *p, u32 nr, bool slot)
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

/* --- imports --------------------------------------------------------------- */

static bool ret_is_acquire(const struct plan *p)
{
	return p->ret.kind == SP_ACQUIRE;
}

static const char *plan_ret(struct run *r, struct plan *p)
{
	const struct spec *s = spec_of(p->note->spec, p->note->nr_spec, "ret");
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
	why = resolve_type(r, &ret);
	p->ret_tn = ret.tn;
	if (!why)
		ret.tn->used = true;
	return why;
}

static const char *plan_exprs(struct plan *p)
{
	struct scope s = { .p = p->p, .nr = p->nr };
	const char *why = check_lengths(p->p, p->nr, false);
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
	const char *why = place_params(p->proto, &p->p, &p->nr_pos);
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

		if (!by_type(r, &p, false))
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

/* --- slots ----------------------------------------------------------------- */

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
	const struct spec *s = spec_of(p->note->spec, p->note->nr_spec, "ret");

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

static const char *plan_slot_generated(struct run *r, struct splan *p)
{
	const char *why = place_params(p->proto, &p->p, &p->nr_pos);

	p->nr = p->proto->nr;
	if (!why)
		why = plan_params(r, p->p, p->nr, p->note->spec, p->note->nr_spec, true);
	if (!why)
		why = check_lengths(p->p, p->nr, true);
	if (!why)
		why = plan_slot_ret(p);
	if (!why)
		why = plan_errval(p);
	return why;
}

/* The plan of a slot, made when it is first asked for. */
static struct splan *slot_plan(struct run *r, const char *name, struct mtype *proto)
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

/* --- stage ----------------------------------------------------------------- */

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

		b->plan = slot_plan(r, b->slot, b->proto);
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
	}
}
