// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects in a driver's memory that the kernel has for a while: timers, work and
 * the like. The driver has no right to their bytes until it gets them back.
 *
 * Takes effect where rights are bytes. Everywhere it is known which memory
 * must not be freed.
 */
#include <linux/driver_fi.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include "domain.h"
#include "handover.h"

static bool overlaps(const struct fi_handover *h, unsigned long addr, size_t len)
{
	return h->addr < addr + len && addr < h->addr + h->len;
}

/**
 * fi_hand_over - the kernel has it from now on
 * @d: domain
 * @h: where it is; belongs to the caller, who serializes calls for it
 *
 * Again does nothing. Context: any but NMI.
 */
void fi_hand_over(struct fi_domain *d, struct fi_handover *h)
{
	unsigned long flags;

	spin_lock_irqsave(&d->handed_lock, flags);
	if (!h->handed) {
		h->handed = true;
		list_add(&h->node, &d->handed);
		fi_mem_revoke(d, (void *)h->addr, h->len);
	}
	spin_unlock_irqrestore(&d->handed_lock, flags);
}

/**
 * fi_hand_back - and now it is the driver's again
 * @d: domain
 * @h: as in fi_hand_over()
 *
 * Does nothing if it was not handed over, or if its memory has gone meanwhile.
 * Context: any but NMI. Without memory the driver is left without the right.
 */
void fi_hand_back(struct fi_domain *d, struct fi_handover *h)
{
	unsigned long flags;

	spin_lock_irqsave(&d->handed_lock, flags);
	if (h->handed) {
		h->handed = false;
		list_del(&h->node);
		fi_mem_grant(d, (void *)h->addr, h->len);
	}
	spin_unlock_irqrestore(&d->handed_lock, flags);
}

/**
 * fi_handed_any - has the kernel an object in this memory?
 * @d: domain
 * @p: first byte
 * @len: bytes
 *
 * Context: any but NMI.
 */
bool fi_handed_any(struct fi_domain *d, const void *p, size_t len)
{
	const struct fi_handover *h;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&d->handed_lock, flags);
	list_for_each_entry(h, &d->handed, node)
		found |= overlaps(h, (unsigned long)p, len);
	spin_unlock_irqrestore(&d->handed_lock, flags);
	return found;
}

/**
 * fi_handed_forget - memory of the driver is about to be freed
 * @d: domain
 * @p: first byte
 * @len: bytes
 *
 * Nothing in it will be handed back. Context: any but NMI.
 */
void fi_handed_forget(struct fi_domain *d, const void *p, size_t len)
{
	struct fi_handover *h, *next;
	unsigned long flags;

	spin_lock_irqsave(&d->handed_lock, flags);
	list_for_each_entry_safe(h, next, &d->handed, node) {
		if (!overlaps(h, (unsigned long)p, len))
			continue;
		h->handed = false;
		list_del(&h->node);
	}
	spin_unlock_irqrestore(&d->handed_lock, flags);
}
