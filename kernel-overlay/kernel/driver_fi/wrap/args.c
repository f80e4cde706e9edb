// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions about a driver's call that many wrappers ask.
 */
#include <linux/irqflags.h>
#include <linux/preempt.h>
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
