// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions about a driver's call that many wrappers ask.
 */
#include <linux/array_size.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include "manual.h"

/**
 * fi_may_sleep - may a wrapped function that sleeps be called here?
 * @c: the call; it is rejected if not
 */
bool fi_may_sleep(struct fi_call *c)
{
	if (!preempt_count() && !irqs_disabled())
		return true;
	fi_reject(c, -1, "may sleep, called in atomic context");
	return false;
}

/**
 * fi_owns - may the kernel change these bytes for the driver?
 * @c: the call
 * @addr: first byte
 * @len: up to 8 bytes, or any number in the driver's memory
 *
 * Says nothing to the driver. Context: any, but not NMI.
 */
bool fi_owns(struct fi_call *c, unsigned long addr, size_t len)
{
	u64 mask, all = len < 8 ? (1ULL << 8 * len) - 1 : ~0ULL;

	if (fi_mem_writable(c->dom, addr, len))
		return true;
	return len <= 8 && fi_may_store(c->dom, addr, len, &mask) &&
	       (mask & all) == all;
}

/**
 * fi_may_lock - can the driver take this lock now?
 * @c: the call; it is rejected if not
 * @lock: as fi_lock_acquired() will know it
 *
 * Not one that the thread holds, in this crossing or one around it; and not
 * more than a crossing can give back.
 */
bool fi_may_lock(struct fi_call *c, const void *lock)
{
	if (fi_lock_held(c, lock)) {
		fi_reject(c, 0, "takes a lock that it holds: deadlock");
		return false;
	}
	if (current->fi_frame->nr_locks == ARRAY_SIZE(current->fi_frame->locks)) {
		fi_reject(c, 0, "holds too many locks");
		return false;
	}
	return true;
}

/**
 * fi_may_unlock - did this crossing take the lock?
 * @c: the call; it is rejected if not
 * @lock: as fi_lock_acquired() knows it
 */
bool fi_may_unlock(struct fi_call *c, const void *lock)
{
	struct fi_frame *f = current->fi_frame;
	int i;

	for (i = f->nr_locks - 1; i >= 0; i--)
		if (f->locks[i].lock == lock)
			return true;
	fi_reject(c, 0, "gives back a lock that it does not hold");
	return false;
}

/* Where the call returns to that this CPU's driver is in; 0 if unknown. */
static unsigned long caller_of_import(struct fi_domain *d)
{
	struct fi_frame *f = current->fi_frame;
	unsigned long at;

	if (!f || f->dom != d)
		return 0;
	at = f->domain_sp + sizeof(long);	/* behind the flags that gate.S pushed */
	return fi_mem_writable(d, at, sizeof(long)) ? *(unsigned long *)at : 0;
}

void fi_note_alloc(struct fi_domain *d, const void *p, size_t size, const struct fi_type *t)
{
	fi_origin_note(d->origins, p, size, t->name, caller_of_import(d));
}

void fi_note_free(struct fi_domain *d, const void *p)
{
	fi_origin_freed(d->origins, p, caller_of_import(d));
}
