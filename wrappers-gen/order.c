// SPDX-License-Identifier: GPL-2.0-only
/*
 * Order: everything by name, each name once, so that the same input always
 * gives the same text. Finds functions that stand in two slots.
 */
#include <stdlib.h>
#include <string.h>

#include "stages.h"
#include "util.h"

static int by_plan(const void *a, const void *b)
{
	return strcmp((*(struct plan *const *)a)->name, (*(struct plan *const *)b)->name);
}

static int by_splan(const void *a, const void *b)
{
	return strcmp((*(struct splan *const *)a)->name, (*(struct splan *const *)b)->name);
}

static int by_ko(const void *a, const void *b)
{
	return strcmp((*(struct ko *const *)a)->name, (*(struct ko *const *)b)->name);
}

static int by_import(const void *a, const void *b)
{
	return strcmp(((const struct import *)a)->name, ((const struct import *)b)->name);
}


static int by_func(const void *x, const void *y)
{
	const struct bind *a = x, *b = y;
	int cmp = strcmp(a->func, b->func);

	return cmp ? cmp : strcmp(a->slot, b->slot);
}

static bool same_params(const struct splan *a, const struct splan *b)
{
	u32 i;

	if (a->nr != b->nr || a->errval != b->errval || a->ret.kind != b->ret.kind ||
	    a->note->down || b->note->down || a->note->nr_valid || b->note->nr_valid)
		return false;
	for (i = 0; i < a->nr; i++) {
		const struct param *p = &a->p[i], *q = &b->p[i];

		if (p->spec.kind != q->spec.kind || p->tn != q->tn || p->len != q->len ||
		    p->spec.len || q->spec.len)
			return false;
	}
	return true;
}

/* May one wrapper serve both slots? */
static bool same_slot(const struct splan *a, const struct splan *b)
{
	if (a == b)
		return true;
	if (a->refused || b->refused || a->note->manual != b->note->manual)
		return false;
	if (a->note->manual)
		return !strcmp(slot_symbol(a->note), slot_symbol(b->note));
	return same_params(a, b);
}

static void order_binds(struct ko *ko)
{
	u32 i, n = 0;

	if (ko->nr_bind)
		qsort(ko->bind, ko->nr_bind, sizeof(*ko->bind), by_func);
	for (i = 0; i < ko->nr_bind; i++) {
		struct bind *b = &ko->bind[i], *last = n ? &ko->bind[n - 1] : NULL;

		if (names_has(ko->twice, b->func))
			b->why = "two functions have this name";
		if (!last || strcmp(last->func, b->func)) {
			ko->bind[n++] = *b;
			continue;
		}
		if (!same_slot(last->plan, b->plan))
			last->why = xfmt("stands in unlike slots: %s, %s",
					 last->slot, b->slot);
	}
	ko->nr_bind = n;
}

void order(struct run *r)
{
	u32 i;

	if (r->nr_plan)
		qsort(r->plan, r->nr_plan, sizeof(*r->plan), by_plan);
	if (r->nr_splan)
		qsort(r->splan, r->nr_splan, sizeof(*r->splan), by_splan);
	qsort(r->ko, r->nr_ko, sizeof(*r->ko), by_ko);
	for (i = 0; i < r->nr_ko; i++) {
		struct ko *ko = r->ko[i];

		if (ko->nr_imp)
			qsort(ko->imp, ko->nr_imp, sizeof(*ko->imp), by_import);
		order_binds(ko);
	}
}
