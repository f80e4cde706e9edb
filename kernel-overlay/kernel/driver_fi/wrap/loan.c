// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loans: memory of the kernel's that a driver may write for the time of a call.
 *
 * The driver stores to the object itself. Unlike one that it configures (rm/shadow.c) a
 * lent object belongs to the call, and the kernel waits for its end: nobody sees it half
 * written. So it suffices to look at the end, and to put back what it was if the driver
 * failed or has broken a rule.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/string.h>

#include "../fi.h"
#include "../rm/rm.h"

/* What the driver may write anyway, its own or lent before, stays so. */
static int grant(struct fi_domain *d, struct fi_loan *l)
{
	int err;

	if (!l->obj)
		l->len = 0;
	if (!l->len || fi_mem_writable(d, (unsigned long)l->obj, l->len))
		return 0;
	err = fi_bytes_grant(d, l->obj, l->len);
	l->granted = !err;
	return err;
}

static void revoke(struct fi_domain *d, struct fi_loan *l, unsigned int nr)
{
	while (nr--) {
		if (l[nr].granted)
			fi_bytes_revoke(d, l[nr].obj, l[nr].len);
		l[nr].granted = false;
	}
}

/**
 * fi_loan_begin - lend a driver what it may write during a call
 * @e: the entry that will be called
 * @l: the loans
 * @nr: how many
 *
 * Context: any. Return: 0; an error: nothing is lent, the call must not happen
 */
int fi_loan_begin(struct fi_entry *e, struct fi_loan *l, unsigned int nr)
{
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		err = grant(e->dom, &l[i]);
		if (err) {
			revoke(e->dom, l, i);
			return err;
		}
		if (l[i].was)
			memcpy(l[i].was, l[i].obj, l[i].len);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(fi_loan_begin);

/* The crossing is over, so there is nobody to unwind. */
static void condemn(struct fi_entry *e, const struct fi_loan *l, const char *why)
{
	struct fi_fault fault = {
		.kind = FI_FAULT_FIELD,
		.ip = e->addr,
		.addr = (unsigned long)l->obj,
		.hit = { .type = l->type->name, .start = (unsigned long)l->obj, .size = l->len },
		.arg = -1,
		.why = why,
		.entry = e->slot->name,
	};

	fi_fault_raise(e->dom, &fault);
}

static bool keeps_rules(struct fi_entry *e, const struct fi_loan *l)
{
	const char *why;

	if (!l->type || !l->len)
		return true;
	scoped_guard(irqsave)
		why = fi_type_invalid(l->type, e->dom, (unsigned long)l->obj,
				      (unsigned long)l->was);
	if (!why)
		return true;
	condemn(e, l, why);
	return false;
}

/**
 * fi_loan_end - take back what was lent, and look at it
 * @e: the entry that was called
 * @l: the loans
 * @nr: how many
 * @ok: the call ended as it should; its value may be an error all the same
 *
 * Objects belong together: if one is not as it must be, all are put back.
 *
 * Context: any. Return: false: each object is what it was when the call began
 */
bool fi_loan_end(struct fi_entry *e, struct fi_loan *l, unsigned int nr, bool ok)
{
	unsigned int i;

	revoke(e->dom, l, nr);
	for (i = 0; i < nr && ok; i++)
		ok = keeps_rules(e, &l[i]);
	for (i = 0; i < nr && !ok; i++)
		if (l[i].was)
			memcpy(l[i].obj, l[i].was, l[i].len);
	return ok;
}
EXPORT_SYMBOL_GPL(fi_loan_end);
