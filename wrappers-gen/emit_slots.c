// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emit: one C function per slot through which the kernel calls drivers.
 *
 * What is handed over before the call is taken back after it, in reverse
 * order; b_x tells what there is to take back. What is lent is the array lent, and
 * ok tells whether it stays as the driver left it.
 */
#include "emit.h"
#include "expr.h"
#include "load.h"
#include "stages.h"
#include "util.h"

static const char *arg(const struct param *p)
{
	return arg_emit(p->pos, true);
}

/* The value for the kernel when the driver was not run to its end. */
static const char *down_value(const struct splan *s)
{
	struct scope sc = { .p = s->p, .nr = s->nr, .slot = true };

	if (s->note->down)
		return expr_emit(s->note->down, &sc);
	return "e->slot->errval";
}

static void emit_drop(FILE *o, const struct param *p, const char *tabs)
{
	const struct type_note *t = p->tn;
	u32 i;

	if (!t->drop)
		return;
	fprintf(o, "%sk_%s(%s", tabs, t->drop, arg(p));
	for (i = 0; i < t->nr_drop_arg; i++)
		fprintf(o, ", %lld", (long long)t->drop_arg[i]);
	fprintf(o, ");\n");
}

static bool lends(const struct splan *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++) {
		if (s->p[i].spec.kind == SP_LEND)
			return true;
	}
	return false;
}

/* An object with what it was, or a buffer. */
static void emit_loan(FILE *o, const struct splan *s, const struct param *p)
{
	fprintf(o, "\t\t{ .obj = (void *)%s, ", arg(p));
	if (p->spec.alloc)
		fprintf(o, ".len = fi_gen_alloc_size(%s) },\n", arg(p));
	else if (!p->len)
		fprintf(o, ".len = %s ? %s : 0 },\n", arg(p), len_emit(p, s->p, s->nr, true));
	else
		fprintf(o, ".len = %u, .was = was_%s%s },\n", p->len, p->name,
			p->tn ? xfmt(", .type = t_%s", p->tn->name) : "");
}

static void emit_loans(FILE *o, const struct splan *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++) {
		if (s->p[i].spec.kind == SP_LEND && s->p[i].len)
			fprintf(o, "\tu64 was_%s[%u];\n", s->p[i].name, (s->p[i].len + 7) / 8);
	}
	fprintf(o, "\tstruct fi_loan lent[] = {\n");
	for (i = 0; i < s->nr; i++) {
		if (s->p[i].spec.kind == SP_LEND)
			emit_loan(o, s, &s->p[i]);
	}
	fprintf(o, "\t};\n\tbool ok = false;\n");
}

static void emit_locals(FILE *o, const struct splan *s)
{
	u32 i;

	fprintf(o, "\tunsigned long ret = %s;\n", down_value(s));
	for (i = 0; i < s->nr; i++) {
		if (s->p[i].spec.kind == SP_BORROW)
			fprintf(o, "\tbool b_%s = false;\n", s->p[i].name);
	}
	if (lends(s))
		emit_loans(o, s);
	fputc('\n', o);
}

static void emit_borrow(FILE *o, const struct param *p)
{
	fprintf(o, "\tif (%s && !fi_obj_held(e->dom, (void *)%s, t_%s)) {\n",
		arg(p), arg(p), p->tn->name);
	fprintf(o, "\t\tif (fi_obj_add(e->dom, (void *)%s, t_%s, NULL, 0))\n",
		arg(p), p->tn->name);
	fprintf(o, "\t\t\tgoto out;\n\t\tb_%s = true;\n\t}\n", p->name);
}

static void emit_transfer(FILE *o, const struct param *p)
{
	if (p->tn->take)
		fprintf(o, "\tif (h_%s(e->dom, (void *)%s)) {\n", p->tn->take, arg(p));
	else
		fprintf(o, "\tif (fi_obj_add(e->dom, (void *)%s, t_%s, %s, 0)) {\n",
			arg(p), p->tn->name,
			p->tn->drop ? xfmt("d_%s", p->tn->name) : "NULL");
	emit_drop(o, p, "\t\t");
	fprintf(o, "\t\tgoto out;\n\t}\n");
}

static const struct param *transferred(const struct splan *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++) {
		if (s->p[i].spec.kind == SP_TRANSFER_IN)
			return &s->p[i];
	}
	return NULL;
}

static void emit_begin(FILE *o, const struct splan *s)
{
	const struct param *p = transferred(s);

	fprintf(o, "\tif (fi_loan_begin(e, lent, ARRAY_SIZE(lent)))%s\n", p ? " {" : "");
	if (p)
		emit_drop(o, p, "\t\t");
	fprintf(o, "\t\treturn ret;\n%s", p ? "\t}\n" : "");
}

static void emit_prepare(FILE *o, const struct splan *s)
{
	u32 i;

	if (lends(s))
		emit_begin(o, s);
	for (i = 0; i < s->nr; i++) {
		if (s->p[i].spec.kind == SP_BORROW)
			emit_borrow(o, &s->p[i]);
		else if (s->p[i].spec.kind == SP_TRANSFER_IN)
			emit_transfer(o, &s->p[i]);
	}
}

static const char *given_back(const struct param *p)
{
	if (p->tn->give)
		return xfmt("h_%s(e->dom, (void *)%s)", p->tn->give, arg(p));
	return xfmt("fi_obj_del(e->dom, (void *)%s, t_%s, NULL)", arg(p), p->tn->name);
}

/* Does it matter what the driver returned? */
static bool looks(const struct splan *s)
{
	return transferred(s) || s->ret.kind != SP_NONE || s->note->nr_valid;
}

/*
 * The driver did not finish: what it still holds of what this call gave it
 * is freed here, once; recovery finds it gone from the table.
 */
static void emit_unfinished(FILE *o, const struct splan *s)
{
	const struct param *p = transferred(s);

	if (p && p->tn->drop) {
		fprintf(o, "\t\tif (%s)\n", given_back(p));
		emit_drop(o, p, "\t\t\t");
	}
	fprintf(o, "\t\tret = %s;\n", down_value(s));
}

/* The first part of a chain of ifs. */
static void emit_invoke(FILE *o, const struct splan *s)
{
	const char *call = "fi_invoke(e, a, &ret)";

	if (lends(s)) {
		fprintf(o, "\tok = %s;\n", call);
		call = "ok";
	} else if (!looks(s) && !s->note->down) {
		fprintf(o, "\t%s;\n", call);
	}
	if (looks(s)) {
		fprintf(o, "\tif (!%s) {\n", call);
		emit_unfinished(o, s);
	} else if (s->note->down && !lends(s)) {
		fprintf(o, "\tif (!%s)\n", call);
		emit_unfinished(o, s);
	}
}

static void emit_refuse(FILE *o, const struct splan *s, const char *cond, const char *why,
			const char *value)
{
	fprintf(o, "\t} else if (%s) {\n", cond);
	fprintf(o, "\t\tfi_slot_reject(e, -1, \"%s\");\n", why);
	fprintf(o, "\t\tret = %s;\n", value);
	if (lends(s))
		fprintf(o, "\t\tok = false;\n");
}

static void emit_consumed(FILE *o, const struct splan *s)
{
	const struct param *p = transferred(s);
	long long lo = s->ret.lo, hi = s->ret.hi;

	if (p) {
		fprintf(o, "\t} else if ((int)ret == %lld) {\n", hi);
		fprintf(o, "\t\tif (!%s) {\n", given_back(p));
		fprintf(o, "\t\t\tfi_slot_reject(e, %u, \"%s: returned, but not held\");\n",
			p->pos, p->name);
		fprintf(o, "\t\t\tret = %lld;\n", lo);
		if (lends(s))
			fprintf(o, "\t\t\tok = false;\n");
		fprintf(o, "\t\t}\n");
	}
	emit_refuse(o, s, xfmt("(int)ret != %lld%s", lo, p ? "" :
			       xfmt(" && (int)ret != %lld", hi)),
		    "impossible return value", xfmt("%lld", lo));
}

static const char *impossible(const struct splan *s)
{
	switch (s->ret.kind) {
	case SP_ERRNO:
		return "(int)ret > 0 || (int)ret < -MAX_ERRNO";
	case SP_IN:
		return xfmt("!fi_gen_readable(e->dom, ret, %u)",
			    type_size(type_target(s->proto->ref)));
	case SP_RANGE:
		return xfmt("(int)ret < %lld || (int)ret > %lld",
			    (long long)s->ret.lo, (long long)s->ret.hi);
	default:
		return NULL;
	}
}

static void emit_ret(FILE *o, const struct splan *s)
{
	struct scope sc = { .p = s->p, .nr = s->nr, .ret = s->proto->ref, .slot = true };
	u32 i;

	if (!looks(s))
		return;
	if (s->ret.kind == SP_CONSUMED)
		emit_consumed(o, s);
	else if (impossible(s))
		emit_refuse(o, s, impossible(s), "impossible return value", down_value(s));
	for (i = 0; i < s->note->nr_valid; i++)
		emit_refuse(o, s, xfmt("!(%s)", expr_emit(s->note->valid[i].e, &sc)),
			    xfmt("not %s", s->note->valid[i].text), down_value(s));
	fprintf(o, "\t}\n");
}

static void emit_undo(FILE *o, const struct splan *s)
{
	bool label = false;
	u32 i;

	for (i = 0; i < s->nr; i++) {
		enum spec_kind k = s->p[i].spec.kind;

		label |= k == SP_BORROW || k == SP_TRANSFER_IN;
	}
	if (label)
		fprintf(o, "out:\n");
	for (i = s->nr; i-- > 0;) {
		const struct param *p = &s->p[i];

		if (p->spec.kind == SP_BORROW)
			fprintf(o, "\tif (b_%s)\n\t\tfi_obj_del(e->dom, (void *)%s, t_%s, NULL);\n",
				p->name, arg(p), p->tn->name);
	}
	if (lends(s))
		fprintf(o, "\tif (!fi_loan_end(e, lent, ARRAY_SIZE(lent), ok))\n\t\tret = %s;\n",
			down_value(s));
}

static void emit_slot(FILE *o, const struct splan *s)
{
	fprintf(o, "static unsigned long s_%s(struct fi_entry *e, unsigned long *a)\n{\n",
		slot_ident(s->name));
	emit_locals(o, s);
	emit_prepare(o, s);
	emit_invoke(o, s);
	emit_ret(o, s);
	emit_undo(o, s);
	fprintf(o, "\treturn ret;\n}\n\n");
	fprintf(o, "static const struct fi_slot slot_%s = {\n", slot_ident(s->name));
	fprintf(o, "\t.name = \"%s\",\n\t.fn = s_%s,\n\t.nargs = %u,\n", s->name,
		slot_ident(s->name), s->nr_pos);
	fprintf(o, "\t.errval = %lldUL,\n};\n\n", (long long)s->errval);
}

void emit_slots(struct run *r, FILE *out)
{
	u32 i;

	for (i = 0; i < r->nr_splan; i++) {
		if (splan_generated_fn(r->splan[i]))
			emit_slot(out, r->splan[i]);
	}
}
