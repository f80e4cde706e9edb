// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emit: one C function per import that a driver calls.
 */
#include <string.h>

#include "emit.h"
#include "expr.h"
#include "load.h"
#include "stages.h"
#include "util.h"

static const char *arg(const struct param *p)
{
	return arg_emit(p->pos, false);
}

const char *len_emit(const struct param *p, const struct param *all, u32 nr, bool slot)
{
	struct scope s = { .p = all, .nr = nr, .slot = slot, .size = true };

	return p->spec.len ? expr_emit(p->spec.len, &s) : xfmt("%u", p->len);
}

/* "if (!ok) reject", skipped for NULL where that is allowed. */
static void emit_if(FILE *o, u32 i, const struct param *p, const char *ok,
		    const char *why)
{
	const char *null = p->spec.nullable ? xfmt("%s && ", arg(p)) : "";

	fprintf(o, "\tif (%s!%s)\n", null, ok);
	fprintf(o, "\t\treturn fi_reject(c, %u, \"%s: %s\");\n", i, p->name, why);
}

static const char *held(const struct param *p)
{
	const char *at = p->within ? xfmt("(%s - %u)", arg(p), p->within) : arg(p);

	return xfmt("fi_obj_held(c->dom, (void *)%s, t_%s)", at, p->tn->name);
}

static const char *memory(const char *what, const struct plan *pl, const struct param *p)
{
	return xfmt("%s(c->dom, %s, %s)", what, arg(p),
		    len_emit(p, pl->p, pl->nr, false));
}

/* What the kernel may follow, and call, through an embedded struct. */
static void emit_members(FILE *o, u32 i, const struct param *p)
{
	const struct type_note *t = p->tn;
	u32 j;

	for (j = 0; j < t->nr_held; j++)
		emit_if(o, i, p, xfmt("fi_obj_held(c->dom, FI_LD(void *, %s, %u), t_%s)",
				      arg(p), t->held[j].off, t->held[j].tn->name),
			xfmt("%s is not a %s of this driver", t->held[j].path,
			     t->held[j].tn->name));
	for (j = 0; j < t->nr_cb; j++) {
		const char *fn = xfmt("FI_LD(unsigned long, %s, %u)", arg(p), t->cb[j].off);
		const char *null = p->spec.nullable ? xfmt("%s && ", arg(p)) : "";

		fprintf(o, "\tif (%s%s &&\n", null, fn);
		fprintf(o, "\t    !fi_bind_fn(c, %u, %s, &%s))\n\t\treturn 0;\n", i, fn,
			slot_ref(t->cb[j].slot->note));
	}
}

static void emit_param(FILE *o, const struct plan *pl, u32 i)
{
	const struct param *p = &pl->p[i];
	const char *not_held = p->tn ? xfmt("not a %s of this driver", p->tn->name) : "";

	if (p->also)
		emit_if(o, i, p, xfmt("fi_obj_held(c->dom, (void *)%s, t_%s)", arg(p),
				      p->also->name),
			xfmt("not a %s of this driver", p->also->name));
	switch (p->spec.kind) {
	case SP_RELEASE:
	case SP_RETAKE:
		/* Giving up is a check, too; but conditions may look inside. */
		if (pl->note->nr_check)
			emit_if(o, i, p, held(p), not_held);
		break;
	case SP_HELD:
		emit_if(o, i, p, held(p), not_held);
		if (p->tn->nr_sound)
			emit_if(o, i, p, xfmt("sound_%s(%s)", p->tn->name, arg(p)),
				xfmt("the %s is not sound", p->tn->name));
		break;
	case SP_WITHIN:
		emit_if(o, i, p, held(p), xfmt("not in a %s of this driver", p->tn->name));
		break;
	case SP_OUT:
	case SP_INOUT:
		emit_if(o, i, p, memory("fi_gen_writable", pl, p),
			"not writable by this driver");
		break;
	case SP_IN:
		emit_if(o, i, p, memory("fi_gen_readable", pl, p), "not readable");
		break;
	case SP_IOMEM:
		emit_if(o, i, p, memory("fi_gen_writable", pl, p),
			"not a mapping of this driver");
		break;
	case SP_ACQUIRE:
		fprintf(o, "\tif (%s)\n", held(p));
		fprintf(o, "\t\treturn fi_reject(c, %u, \"%s: handed over twice\");\n",
			i, p->name);
		if (!p->tn->embedded)
			break;
		/* fall through */
	case SP_EMBEDDED:
		emit_if(o, i, p, xfmt("fi_gen_writable(c->dom, %s, %u)", arg(p),
				      p->tn->type->size),
			"not in memory of this driver");
		emit_members(o, i, p);
		break;
	case SP_STRING:
		emit_if(o, i, p, xfmt("fi_mem_string(c->dom, %s, PAGE_SIZE)", arg(p)),
			"not a string");
		break;
	case SP_USER:
		emit_if(o, i, p, xfmt("access_ok((void __user *)%s, %s)", arg(p),
				      len_emit(p, pl->p, pl->nr, false)),
			"not user memory");
		break;
	case SP_CB:
		fprintf(o, "\tif (%s!fi_bind_fn(c, %u, %s, &%s))\n\t\treturn 0;\n",
			p->spec.nullable ? xfmt("%s && ", arg(p)) : "", i, arg(p),
			slot_ref(p->cb->note));
		break;
	default:
		break;
	}
}

static void emit_checks(FILE *o, const struct plan *pl)
{
	struct scope s = { .p = pl->p, .nr = pl->nr };
	u32 i;

	for (i = 0; i < pl->note->nr_check; i++) {
		fprintf(o, "\tif (!(%s))\n", expr_emit(pl->note->check[i].e, &s));
		fprintf(o, "\t\treturn fi_reject(c, -1, \"not %s\");\n",
			pl->note->check[i].text);
	}
}

/* The driver loses the object before the kernel may free it. */
static void emit_give(FILE *o, const struct plan *pl)
{
	u32 i;

	for (i = 0; i < pl->nr; i++) {
		const struct param *p = &pl->p[i];
		const char *give;

		if (p->spec.kind != SP_RELEASE && p->spec.kind != SP_RETAKE)
			continue;
		give = p->tn->give ? xfmt("h_%s(c->dom, (void *)%s)", p->tn->give, arg(p)) :
		       xfmt("fi_obj_del(c->dom, (void *)%s, t_%s, NULL)", arg(p), p->tn->name);
		emit_if(o, i, p, give, xfmt(p->tn->give ? "not a sane %s of this driver" :
					    "not a %s of this driver", p->tn->name));
	}
}

static const char *take(const struct type_note *t, const char *ptr, const char *free)
{
	if (t->take)
		return xfmt("h_%s(c->dom, (void *)%s)", t->take, ptr);
	return xfmt("fi_obj_add(c->dom, (void *)%s, t_%s, %s, 0)", ptr, t->name,
		    free ? xfmt("r_%s", free) : "NULL");
}

static void emit_retake(FILE *o, const struct plan *pl)
{
	struct scope s = { .p = pl->p, .nr = pl->nr, .ret = pl->proto->ref };
	u32 i;

	for (i = 0; i < pl->nr; i++) {
		const struct param *p = &pl->p[i];
		const char *keep = "";

		if (p->spec.kind != SP_RETAKE)
			continue;
		if (p->spec.nullable)
			keep = xfmt("%s && ", arg(p));
		if (pl->note->keep.e)
			keep = xfmt("%s(%s) && ", keep, expr_emit(pl->note->keep.e, &s));
		fprintf(o, "\tif (%s%s)\n", keep, take(p->tn, arg(p), NULL));
		fprintf(o, "\t\treturn fi_reject(c, -1, \"no memory to track %s\");\n",
			p->name);
	}
}

static void emit_free(FILE *o, const struct plan *pl, const char *ptr)
{
	fprintf(o, "\t\tk_%s(%s);\n", pl->note->free, ptr);
	fprintf(o, "\t\treturn fi_reject(c, -1, \"no memory to track the object\");\n\t}\n");
}

/* ret=acquire: unless NULL or an error; param=acquire: if it gave 0 or void. */
static void emit_acquire(FILE *o, const struct plan *pl)
{
	u32 i;

	if (pl->ret.kind == SP_ACQUIRE) {
		fprintf(o, "\tif (!IS_ERR_OR_NULL((void *)ret) && %s) {\n",
			take(pl->ret_tn, "ret", pl->note->free));
		emit_free(o, pl, "ret");
	}
	for (i = 0; i < pl->nr; i++) {
		const struct param *p = &pl->p[i];

		if (p->spec.kind != SP_ACQUIRE)
			continue;
		fprintf(o, "\tif (%s%s) {\n",
			type_strip(pl->proto->ref)->kind == MK_VOID ? "" : "!(int)ret && ",
			take(p->tn, arg(p), pl->note->free));
		emit_free(o, pl, arg(p));
	}
}

static void emit_call(FILE *o, const struct plan *pl)
{
	bool va = pl->note->printf_arg >= 0;
	u32 i;

	fprintf(o, "\tret = k_%s(", pl->name);
	for (i = 0; i < pl->nr_pos; i++) {
		if (va && (int)i == pl->note->printf_arg)
			fprintf(o, "%s(unsigned long)\"%%pV\", (unsigned long)&va.vaf",
				i ? ", " : "");
		else
			fprintf(o, "%s%s", i ? ", " : "", arg_emit(i, false));
	}
	fprintf(o, ");\n");
}

static void emit_lock_before(FILE *o, const struct func_note *n)
{
	if (n->lock)
		fprintf(o, "\tif (fi_lock_held(c, FI_GEN_LOCK(FI_LOCK_%s)))\n"
			"\t\treturn fi_reject(c, -1, \"takes a lock that it holds: deadlock\");\n",
			n->lock);
	if (n->unlock)
		fprintf(o, "\tif (!fi_lock_held(c, FI_GEN_LOCK(FI_LOCK_%s)))\n"
			"\t\treturn fi_reject(c, -1, \"gives back a lock that it does not hold\");\n"
			"\tfi_lock_released(c, FI_LOCK_%s, FI_GEN_LOCK(FI_LOCK_%s));\n",
			n->unlock, n->unlock, n->unlock);
}

static void emit_wrapper(FILE *o, const struct plan *pl)
{
	u32 i;

	fprintf(o, "static unsigned long w_%s(struct fi_call *c)\n{\n", pl->name);
	if (pl->note->fatal) {
		fprintf(o, "\treturn fi_reject(c, -1, %s);\n}\n\n", pl->note->fatal);
		return;
	}
	if (pl->note->printf_arg >= 0)
		fprintf(o, "\tstruct fi_va va;\n");
	fprintf(o, "\tunsigned long ret;\n\n");
	if (pl->note->sleep)
		fprintf(o, "\tif (!fi_gen_may_sleep())\n"
			"\t\treturn fi_reject(c, -1, \"may sleep, called in atomic context\");\n");
	for (i = 0; i < pl->nr; i++)
		emit_param(o, pl, i);
	emit_checks(o, pl);
	if (pl->note->printf_arg >= 0)
		fprintf(o, "\tif (!fi_va_start(&va, c, %d))\n\t\treturn 0;\n",
			pl->note->printf_arg);
	emit_give(o, pl);
	emit_lock_before(o, pl->note);
	emit_call(o, pl);
	if (pl->note->lock)
		fprintf(o, "\tfi_lock_acquired(c, FI_LOCK_%s, FI_GEN_LOCK(FI_LOCK_%s));\n",
			pl->note->lock, pl->note->lock);
	emit_retake(o, pl);
	emit_acquire(o, pl);
	fprintf(o, "\treturn ret;\n}\n\n");
}

void emit_wrappers(struct run *r, FILE *out)
{
	u32 i;

	for (i = 0; i < r->nr_plan; i++) {
		if (plan_generated_fn(r->plan[i]))
			emit_wrapper(out, r->plan[i]);
	}
}
