// SPDX-License-Identifier: GPL-2.0-only
/*
 * What wrappers of slots say when a driver returns what the slot forbids.
 */
#include <linux/export.h>

#include "../fi.h"

/**
 * fi_slot_reject - the function returned something impossible
 * @e: the entry it was called through
 * @arg: index of the argument it is about, -1 for the return value
 * @why: for people
 *
 * The crossing is over, so there is nobody to unwind: the caller goes on with
 * a value of its own. Context: any.
 */
void fi_slot_reject(struct fi_entry *e, int arg, const char *why)
{
	struct fi_fault fault = {
		.kind = FI_FAULT_ARG,
		.ip = e->addr,
		.arg = arg,
		.what = e->slot->name,
		.why = why,
		.entry = e->slot->name,
	};

	fi_stat_inc(e->dom, rejected);
	fi_fault_raise(e->dom, &fault);
}
EXPORT_SYMBOL_GPL(fi_slot_reject);
