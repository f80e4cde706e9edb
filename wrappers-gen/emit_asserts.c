// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emit: assertions, against the kernel's own headers, of every size and
 * offset that the generated code relies on.
 */
#include <string.h>

#include "load.h"
#include "stages.h"
#include "util.h"

/* True if there is anything to assert against. */
static bool emit_includes(struct run *r, FILE *o)
{
	struct names *done = names_new();
	bool any = false;
	u32 i;

	for (i = 0; i < r->notes.nr_type; i++) {
		const struct type_note *t = &r->notes.type[i];

		if (!t->used || !t->header || !names_add(done, t->header, o))
			continue;
		fprintf(o, "#include <%s>\n", t->header);
		any = true;
	}
	if (any)
		fputc('\n', o);
	return any;
}

static void assert_offset(FILE *o, const char *type, const char *path, u32 off)
{
	fprintf(o, "static_assert(offsetof(struct %s, %s) == %u);\n", type, path, off);
}

/* Bitfields have no offsetof(); the size and their neighbours hold them. */
static void assert_type(FILE *o, const struct type_note *t)
{
	struct names *done = names_new();
	u32 i;

	fprintf(o, "static_assert(sizeof(struct %s) == %u);\n", t->name, t->type->size);
	for (i = 0; i < t->nr_field; i++) {
		struct member m;

		if (type_member(t->type, t->field[i].path, &m) && !m.bit_size) {
			names_add(done, t->field[i].path, o);
			assert_offset(o, t->name, t->field[i].path, m.bit_off / 8);
		}
	}
	for (i = 0; i < t->nr_rule; i++) {
		if (names_add(done, t->rule[i].path, o))
			assert_offset(o, t->name, t->rule[i].path, t->rule[i].off);
	}
}

static void assert_within(struct run *r, FILE *o)
{
	struct names *done = names_new();
	u32 i, j;

	for (i = 0; i < r->nr_plan; i++) {
		const struct plan *p = r->plan[i];

		for (j = 0; !p->refused && j < p->nr; j++) {
			const struct param *q = &p->p[j];

			if (q->spec.kind == SP_WITHIN && q->tn->header &&
			    names_add(done, q->spec.arg, o))
				assert_offset(o, q->tn->name,
					      strchr(q->spec.arg, '.') + 1, q->within);
		}
	}
}

void emit_asserts(struct run *r, FILE *o)
{
	u32 i;

	if (!emit_includes(r, o))
		return;
	/* sparse lays out bitfields of enums in a way of its own. */
	fprintf(o, "#ifndef __CHECKER__\n");
	for (i = 0; i < r->notes.nr_type; i++) {
		if (r->notes.type[i].used && r->notes.type[i].header)
			assert_type(o, &r->notes.type[i]);
	}
	assert_within(r, o);
	fprintf(o, "#endif\n\n");
}
