/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites that end a domain on purpose wait for.
 */
#ifndef _DRIVER_FI_WAIT_H
#define _DRIVER_FI_WAIT_H

#include <linux/delay.h>

#include "../fi.h"

/* Waits until @d runs again, 10 s at most; the fault that ended it, if any. */
static inline enum fi_fault_kind fi_wait_live(struct fi_domain *d)
{
	enum fi_fault_kind kind = FI_FAULT_NONE;
	int i;

	for (i = 0; i < 1000; i++) {
		if (!READ_ONCE(d->dead) && READ_ONCE(d->state) == FI_LIVE)
			break;
		kind = d->fault.kind;
		msleep(10);
	}
	return kind;
}

#endif
