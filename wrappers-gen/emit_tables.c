// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emit: the C file's frame: declarations, type descriptors, release
 * functions, tables of imports and bindings, module init and exit.
 */
#include <string.h>

#include "annotate.h"
#include "emit.h"
#include "expr.h"
#include "stages.h"
#include "util.h"

bool plan_generated_fn(const struct plan *p)
{
	return !p->refused && p->note && p->note->class == FC_GEN &&
	       !p->pointer_only && !p->by_kernel;
}

bool splan_generated_fn(const struct splan *p)
{
	return !p->refused && !p->note->manual;
}

const char *slot_ident(const char *name)
{
	char *s = xfmt("%s", name), *c;

	for (c = s; *c; c++) {
		if (*c == '.')
			*c = '_';
	}
	return s;
}

const char *slot_ref(const struct slot_note *n)
{
	return n->manual ? slot_symbol(n) : xfmt("slot_%s", slot_ident(n->name));
}

/* --- declarations ---------------------------------------------------------- */

/*
 * Kernel functions are called as words in, word out, under another C name, so
 * that no prototype of a header is needed or contradicted.
 */
static void declare(FILE *o, struct names *done, const char *name, u32 words)
{
	u32 i;

	if (!names_add(done, name, o))
		return;
	fprintf(o, "extern unsigned long k_%s(", name);
	for (i = 0; i < words; i++)
		fprintf(o, "%sunsigned long", i ? ", " : "");
	fprintf(o, "%s) __asm__(\"%s\");\n", words ? "" : "void", name);
}

static bool dropped(const struct run *r, const struct type_note *t)
{
	u32 i, j;

	for (i = 0; t->drop && i < r->nr_splan; i++) {
		const struct splan *s = r->splan[i];

		for (j = 0; splan_generated_fn(s) && j < s->nr; j++) {
			if (s->p[j].spec.kind == SP_TRANSFER_IN && s->p[j].tn == t)
				return true;
		}
	}
	return false;
}

static void emit_functions(struct run *r, FILE *o)
{
	struct names *done = names_new();
	u32 i;

	for (i = 0; i < r->nr_plan; i++) {
		const struct plan *p = r->plan[i];
		u32 extra = 0;

		if (!plan_generated_fn(p) || p->note->fatal)
			continue;
		if (p->note->printf_arg >= 0)
			extra = 1;	/* the va_format behind "%pV" */
		declare(o, done, p->name, p->nr_pos + extra);
	}
	for (i = 0; i < r->nr_plan; i++) {
		if (plan_generated_fn(r->plan[i]) && r->plan[i]->note->free)
			declare(o, done, r->plan[i]->note->free, 1);
	}
	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];

		if (dropped(r, t))
			declare(o, done, t->drop, 1 + t->nr_drop_arg);
	}
	fputc('\n', o);
}

static void emit_hooks(struct run *r, FILE *o)
{
	struct names *done = names_new();
	u32 i;

	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];

		if (!t->used || !t->take || !names_add(done, t->take, o))
			continue;
		fprintf(o, "extern int h_%s(struct fi_domain *d, void *p) __asm__(\"%s\");\n",
			t->take, t->take);
		fprintf(o, "extern bool h_%s(struct fi_domain *d, void *p) __asm__(\"%s\");\n",
			t->give, t->give);
	}
	fputc('\n', o);
}

static void emit_manual_slots(struct run *r, FILE *o)
{
	struct names *done = names_new();
	u32 i;

	for (i = 0; i < r->nr_splan; i++) {
		const struct splan *s = r->splan[i];

		if (!s->refused && s->note->manual &&
		    names_add(done, slot_symbol(s->note), o))
			fprintf(o, "extern const struct fi_slot %s;\n", slot_symbol(s->note));
	}
	fputc('\n', o);
}

/* --- types ----------------------------------------------------------------- */

static void emit_fields(FILE *o, const struct type_note *t)
{
	u32 i;

	if (!t->nr_field)
		return;
	fprintf(o, "static const struct fi_field f_%s[] = {\n", t->name);
	for (i = 0; i < t->nr_field; i++) {
		const struct field *f = &t->field[i];

		const char *mask = f->mask == ~0ULL ? "~0ULL" :
				   xfmt("0x%llx", (unsigned long long)f->mask);

		fprintf(o, "\t{ %u, %u, %s%s },\t/* %s */\n", f->off, f->len, mask,
			f->shadow ? ", true" : "", f->path);
	}
	fprintf(o, "};\n\n");
}

static void emit_types(struct run *r, FILE *o)
{
	u32 i;

	for (i = 0; i < r->notes.nr_type; i++) {
		if (r->notes.type[i].used)
			emit_fields(o, &r->notes.type[i]);
	}
	for (i = 0; i < r->notes.nr_type; i++) {
		if (r->notes.type[i].used)
			fprintf(o, "static const struct fi_type *t_%s __ro_after_init;\n",
				r->notes.type[i].name);
	}
	fprintf(o, "\nstatic void __init get_types(void)\n{\n");
	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];

		if (!t->used)
			continue;
		fprintf(o, "\tt_%s = fi_type_get(\"%s\", %u, ", t->name, t->name,
			t->type ? t->type->size : 0);
		if (t->nr_field)
			fprintf(o, "f_%s, ARRAY_SIZE(f_%s));\n", t->name, t->name);
		else
			fprintf(o, "NULL, 0);\n");
	}
	fprintf(o, "}\n\n");
}

/* What each use of an object relies on, as one function a type. */
static void emit_sound(struct run *r, FILE *o)
{
	u32 i, j;

	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];
		struct param obj = obj_param(t, "obj");
		struct scope s = { .p = &obj, .nr = 1, .obj = true };

		if (!t->used || !t->nr_sound)
			continue;
		fprintf(o, "static inline bool sound_%s(unsigned long obj)\n{\n", t->name);
		for (j = 0; j < t->nr_sound; j++)
			fprintf(o, "%s(%s)%s\n", j ? "\t       " : "\treturn ",
				expr_emit(t->sound[j].e, &s), j + 1 < t->nr_sound ? " &&" : ";");
		fprintf(o, "}\n\n");
	}
}

/* The condition on a field that has changed. */
static const char *rule_emit(const struct type_note *t, const struct rule *u)
{
	struct param p[] = { obj_param(t, "obj"), obj_param(t, "old") };
	struct scope s = { .p = p, .nr = 2, .obj = true };

	if (u->table)
		return xfmt("fi_mem_constant(d, FI_LD(u64, obj, %u), %u)", u->off, u->table);
	if (u->held)
		return xfmt("!FI_LD(u64, obj, %u) ||\n\t      fi_obj_held(d, FI_LD(void *, obj, %u), t_%s)",
			    u->off, u->off, u->held->name);
	if (u->string)
		return xfmt("fi_gen_string(d, FI_LD(u64, obj, %u))", u->off);
	return expr_emit(u->valid.e, &s);
}

/* What a shadow must be before it is merged, and a lent object, as one function a type. */
static void emit_valid(struct run *r, FILE *o)
{
	u32 i, j;

	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];

		if (!t->used || !t->nr_rule)
			continue;
		fprintf(o, "static const char *valid_%s(struct fi_domain *d, unsigned long obj,\n"
			"\t\t\t       unsigned long old)\n{\n", t->name);
		for (j = 0; j < t->nr_rule; j++) {
			const struct rule *u = &t->rule[j];

			fprintf(o, "\tif (fi_gen_differ(obj, old, %u, %u) &&\n\t    !(%s))\n"
				"\t\treturn \"%s.%s\";\n", u->off, u->len,
				rule_emit(t, u), t->name, u->path);
		}
		fprintf(o, "\treturn NULL;\n}\n\n");
	}
}

static void emit_rules(struct run *r, FILE *o, const char *verb)
{
	u32 i;

	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];

		if (t->used && t->nr_rule)
			fprintf(o, "\tfi_type_%s_rule(t_%s, valid_%s);\n", verb, t->name, t->name);
	}
}

/* --- release functions ------------------------------------------------------ */

static void emit_release(FILE *o, const char *prefix, const char *name,
			 const char *fn, const struct type_note *t)
{
	u32 i;

	fprintf(o, "static void %s_%s(struct fi_domain *d, void *ptr, unsigned long cookie)\n",
		prefix, name);
	fprintf(o, "{\n\tk_%s((unsigned long)ptr", fn);
	for (i = 0; t && i < t->nr_drop_arg; i++)
		fprintf(o, ", %lld", (long long)t->drop_arg[i]);
	fprintf(o, ");\n}\n\n");
}

static void emit_releases(struct run *r, FILE *o)
{
	struct names *done = names_new();
	u32 i;

	for (i = 0; i < r->nr_plan; i++) {
		const struct plan *p = r->plan[i];

		if (plan_generated_fn(p) && p->note->free &&
		    names_add(done, p->note->free, o))
			emit_release(o, "r", p->note->free, p->note->free, NULL);
	}
	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];

		if (!t->take && dropped(r, t))
			emit_release(o, "d", t->name, t->drop, t);
	}
}

/* --- tables ----------------------------------------------------------------- */

static void emit_imports(struct run *r, FILE *o)
{
	u32 i;

	fprintf(o, "static const struct fi_import imports[] = {\n");
	for (i = 0; i < r->nr_plan; i++) {
		const struct plan *p = r->plan[i];

		if (!plan_emitted(p))
			continue;
		if (plan_generated_fn(p))
			fprintf(o, "\t{ .name = \"%s\", .fn = w_%s },\n", p->name, p->name);
		else
			fprintf(o, "\t{ .name = \"%s\", .plain = true },\n", p->name);
	}
	fprintf(o, "\t{}\n};\n\n");
}

static void emit_binds(FILE *o, const struct ko *ko)
{
	u32 i;

	fprintf(o, "static const struct fi_binding bind_%s[] = {\n", ko->name);
	for (i = 0; i < ko->nr_bind; i++) {
		const struct bind *b = &ko->bind[i];

		if (b->why || b->plan->refused)
			continue;
		fprintf(o, "\t{ \"%s\", &%s },\n", b->func, slot_ref(b->plan->note));
	}
	fprintf(o, "\t{}\n};\n\n");
}

void emit_tables(struct run *r, FILE *o)
{
	u32 i;

	emit_imports(r, o);
	for (i = 0; i < r->nr_ko; i++)
		emit_binds(o, r->ko[i]);
	fprintf(o, "static const struct fi_driver_desc drivers[] = {\n");
	for (i = 0; i < r->nr_ko; i++)
		fprintf(o, "\t{ .name = \"%s\", .bind = bind_%s },\n",
			r->ko[i]->name, r->ko[i]->name);
	fprintf(o, "\t{}\n};\n\n");
}

/* --- the file ---------------------------------------------------------------- */

static void emit_head(struct run *r, FILE *o)
{
	u32 i;

	fprintf(o, "// SPDX-License-Identifier: GPL-2.0-only\n");
	fprintf(o, "/*\n * Wrappers for");
	for (i = 0; i < r->nr_ko; i++)
		fprintf(o, "%s %s", i ? "," : "", r->ko[i]->name);
	fprintf(o, ", generated by wrappers-gen from BTF and annotations.\n");
	fprintf(o, " * Do not edit: change the annotations.\n */\n");
	fprintf(o, "#include \"fi_gen.h\"\n\n");
}

static void emit_foot(struct run *r, FILE *o)
{
	struct names *done = names_new();
	u32 i, j;

	fprintf(o, "static struct fi_wrappers wrappers = {\n");
	fprintf(o, "\t.owner = THIS_MODULE,\n\t.name = \"%s\",\n", r->name);
	fprintf(o, "\t.imports = imports,\n\t.drivers = drivers,\n};\n\n");
	fprintf(o, "static int __init wrappers_init(void)\n{\n");
	fprintf(o, "\tint err;\n\n\tget_types();\n\terr = fi_wrappers_register(&wrappers);\n");
	fprintf(o, "\tif (err)\n\t\treturn err;\n");
	emit_rules(r, o, "add");
	fprintf(o, "\treturn 0;\n}\nmodule_init(wrappers_init);\n\n");
	fprintf(o, "static void __exit wrappers_exit(void)\n{\n");
	fprintf(o, "\tfi_wrappers_unregister(&wrappers);\n");
	emit_rules(r, o, "del");
	fprintf(o, "}\nmodule_exit(wrappers_exit);\n\n");
	fprintf(o, "MODULE_DESCRIPTION(\"Driver fault isolation: wrappers for");
	for (i = 0; i < r->nr_ko; i++)
		fprintf(o, "%s %s", i ? "," : "", r->ko[i]->name);
	fprintf(o, "\");\n");
	fprintf(o, "MODULE_LICENSE(\"GPL\");\n");
	/* Made with the kernel, though outside its tree: no taint. */
	fprintf(o, "MODULE_INFO(intree, \"Y\");\n");
	for (i = 0; i < r->nr_ko; i++) {
		for (j = 0; j < r->ko[i]->nr_ns; j++) {
			const char *ns = r->ko[i]->ns[j];

			if (names_add(done, ns, o))
				fprintf(o, "MODULE_IMPORT_NS(%s);\n", ns);
		}
	}
}

void emit_module(struct run *r, FILE *o)
{
	emit_head(r, o);
	emit_functions(r, o);
	emit_hooks(r, o);
	emit_manual_slots(r, o);
	emit_types(r, o);
	emit_sound(r, o);
	emit_valid(r, o);
	emit_releases(r, o);
	emit_slots(r, o);
	emit_wrappers(r, o);
	emit_tables(r, o);
	emit_asserts(r, o);
	emit_foot(r, o);
}
