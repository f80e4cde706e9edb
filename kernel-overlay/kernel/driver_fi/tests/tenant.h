/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the tenant module and the tests of the wrappers that it calls.
 */
#ifndef _DRIVER_FI_TENANT_H
#define _DRIVER_FI_TENANT_H

#include <linux/types.h>

/* What the tenant does; first what is right, then what is not. */
enum tenant_act {
	TENANT_HEAP,		/* allocates, writes and frees; arg: size */
	TENANT_PAGES,		/* likewise; arg: order */
	TENANT_SPIN_COUNT,	/* counts up under a spinlock; arg: times */
	TENANT_SPIN_KINDS,	/* takes it in every way */
	TENANT_MUTEX_COUNT,	/* counts up under a mutex; arg: times */
	TENANT_GET_COUNT,	/* what was counted since the last time */
	TENANT_WORK,		/* queues work that queues itself; arg: how often */
	TENANT_WORK_WAIT,	/* waits for it; how often it ran */
	TENANT_DELAYED,		/* queues delayed work; arg: jiffies */
	TENANT_DELAYED_CANCEL,	/* was it pending, and did the canceled run? */
	TENANT_TIMER,		/* starts the timer; arg: jiffies */
	TENANT_TIMER_STOP,	/* how often it ran since it was started */
	TENANT_KEEP,		/* allocates one of everything and keeps it */
	TENANT_HANDED_BACK,	/* writes to a timer and work that it got back */
	TENANT_SLEEP,		/* arg: milliseconds */
	TENANT_LINE,		/* uses an interrupt line and frees it disabled; arg: line */
	TENANT_LINE_REQUEST,	/* arg: line */
	TENANT_LINE_DISABLE,	/* disables that line, in both ways */
	TENANT_LINE_TICKS,	/* how often its handler ran */

	TENANT_FREE_TWICE,
	TENANT_FREE,		/* arg: what */
	TENANT_FREE_INSIDE,
	TENANT_VFREE_TWICE,
	TENANT_PUT_PAGE,	/* arg: page */
	TENANT_PAGE_FLAGS,	/* of a page of its own */
	TENANT_SPIN_AT,		/* arg: lock */
	TENANT_SPIN_TWICE,
	TENANT_SPIN_LEAK,
	TENANT_SPIN_BROKEN,	/* lock word overwritten; arg: with what */
	TENANT_UNLOCK,
	TENANT_BH_ENABLE,
	TENANT_SLEEP_ATOMIC,
	TENANT_MUTEX_TWICE,
	TENANT_MUTEX_UNLOCK,
	TENANT_WORK_FN,		/* arg: function of the work */
	TENANT_WORK_AT,		/* arg: work */
	TENANT_WORK_WQ,		/* arg: workqueue */
	TENANT_WORK_BROKEN,	/* overwrites its queued work and timer */
	TENANT_HANDED_OVER,	/* writes to the byte arg of those; see tenant.c */
	TENANT_FREE_HANDED,	/* frees memory with a timer that runs */
	TENANT_TIMER_FN,	/* arg: function of the timer */
	TENANT_IRQ,		/* arg: a line that is not its own */
	TENANT_IRQ_DISABLE,	/* likewise */
	TENANT_IRQ_NOSYNC,
	TENANT_IRQ_ENABLE,
	TENANT_IRQ_SYNC,
	TENANT_LINE_ENABLE,	/* requests line arg and enables it once too often */
};

struct fi_tenant_ops {
	unsigned long (*run)(enum tenant_act act, unsigned long arg);
};

/* Imports of the tenant, exported by tenant_host.c. */
void fi_tenant_register(const struct fi_tenant_ops *ops);
/* Its device has this interrupt; 0: it has no device any more. */
void fi_tenant_line(unsigned int irq);

struct fi_domain;

extern const struct fi_tenant_ops *fi_tenant;
extern struct fi_domain *fi_tenant_domain;

#endif
