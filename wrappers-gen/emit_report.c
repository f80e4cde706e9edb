// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emit: coverage per driver, each name with what became of it.
 */
#include <string.h>

#include "stages.h"
#include "util.h"

enum outcome { O_TYPES, O_NOTED, O_MANUAL, O_LIB, O_PLAIN, O_REFUSED, O_NR };

static const char *const outcome_name[O_NR] = {
	"generated", "annotated", "manual", "lib", "plain", "refused",
};

static enum outcome import_outcome(const struct plan *p)
{
	if (p->refused)
		return O_REFUSED;
	if (p->by_kernel)
		return O_MANUAL;
	if (!p->note || p->pointer_only)
		return O_PLAIN;
	switch (p->note->class) {
	case FC_GEN:
		return p->by_type ? O_TYPES : O_NOTED;
	case FC_MANUAL:
		return O_MANUAL;
	case FC_LIB:
		return O_LIB;
	default:
		return O_PLAIN;
	}
}

static enum outcome bind_outcome(const struct bind *b)
{
	if (b->why || b->plan->refused)
		return O_REFUSED;
	if (b->plan->note->manual)
		return O_MANUAL;
	return b->plan->note->nr_spec ? O_NOTED : O_TYPES;
}

static void totals(FILE *o, const char *what, u32 total, const u32 *n)
{
	int i;

	fprintf(o, "  %-8s %4u:", what, total);
	for (i = 0; i < O_NR; i++)
		fprintf(o, " %s %u%s", outcome_name[i], n[i], i + 1 < O_NR ? "," : "\n");
}

static void report_imports(FILE *o, const struct ko *ko)
{
	u32 n[O_NR] = {}, i;

	for (i = 0; i < ko->nr_imp; i++)
		n[import_outcome(ko->imp[i].plan)]++;
	totals(o, "imports", ko->nr_imp, n);
	for (i = 0; i < ko->nr_imp; i++) {
		const struct plan *p = ko->imp[i].plan;
		enum outcome out = import_outcome(p);

		fprintf(o, "    %-9s %s", outcome_name[out], p->name);
		if (p->refused)
			fprintf(o, ": %s", p->refused);
		if (p->draft)
			fprintf(o, "; start from: %s", p->draft);
		fputc('\n', o);
	}
}

static void report_binds(FILE *o, const struct ko *ko)
{
	u32 n[O_NR] = {}, i;

	for (i = 0; i < ko->nr_bind; i++)
		n[bind_outcome(&ko->bind[i])]++;
	totals(o, "slots", ko->nr_bind, n);
	for (i = 0; i < ko->nr_bind; i++) {
		const struct bind *b = &ko->bind[i];
		const char *why = b->why ? b->why : b->plan->refused;

		fprintf(o, "    %-9s %s = %s (%s)", outcome_name[bind_outcome(b)],
			b->slot, b->func, b->object);
		fprintf(o, why ? ": %s\n" : "\n", why);
	}
}

static void report_objects(FILE *o, const struct ko *ko)
{
	u32 i;

	for (i = 0; i < ko->nr_obj; i++) {
		if (ko->obj[i].why)
			fprintf(o, "    not bound %s: %s\n", ko->obj[i].name, ko->obj[i].why);
	}
}

void emit_report(struct run *r, FILE *o)
{
	u32 i;

	for (i = 0; i < r->nr_ko; i++) {
		fprintf(o, "%s\n", r->ko[i]->name);
		report_imports(o, r->ko[i]);
		report_binds(o, r->ko[i]);
		report_objects(o, r->ko[i]);
	}
}
