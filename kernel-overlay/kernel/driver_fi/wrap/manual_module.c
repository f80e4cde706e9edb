// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slots every module has: init and exit.
 */
#include <linux/atomic.h>
#include <linux/errno.h>

#include "../fi.h"
#include "bind.h"

static unsigned long fi_module_init(struct fi_entry *e, unsigned long *a)
{
	struct fi_domain *d = e->dom;
	unsigned long ret;

	if (READ_ONCE(d->state) == FI_LOADING)
		fi_domain_snapshot_take(d);
	if (fi_invoke(e, a, &ret) && !(int)ret)
		cmpxchg(&d->state, FI_LOADING, FI_LIVE);
	return ret;
}

static unsigned long fi_module_exit(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret;

	fi_invoke(e, a, &ret);
	return 0;
}

const struct fi_slot fi_slot_module_init = {
	.name = "module_init", .fn = fi_module_init, .errval = (unsigned long)-EIO,
};

const struct fi_slot fi_slot_module_exit = {
	.name = "module_exit", .fn = fi_module_exit,
};

int fi_domain_run_init(struct fi_domain *d)
{
	struct fi_entry *e = fi_entry_by_addr(d, d->init_addr);
	unsigned long a[8] = { 0 }, ret;

	if (!e)
		return 0;
	fi_invoke(e, a, &ret);
	return (int)ret;
}
