/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects in a driver's memory that the kernel has for a while.
 */
#ifndef _DRIVER_FI_HANDOVER_H
#define _DRIVER_FI_HANDOVER_H

#include <linux/list.h>

#include "../fi.h"

/**
 * struct fi_handover - one such object; part of what the kernel has in its place
 * @addr: first byte; set by the owner, before it is handed over
 * @len: bytes
 * @node: in fi_domain.handed
 * @handed: the kernel has it; under fi_domain.handed_lock
 */
struct fi_handover {
	unsigned long addr;
	size_t len;
	struct list_head node;
	bool handed;
};

void fi_hand_over(struct fi_domain *d, struct fi_handover *h);
void fi_hand_back(struct fi_domain *d, struct fi_handover *h);
bool fi_handed_any(struct fi_domain *d, const void *p, size_t len);
void fi_handed_forget(struct fi_domain *d, const void *p, size_t len);

/* Has the kernel got it, at an address that is still the driver's? */
static inline bool fi_handed(const struct fi_handover *h)
{
	return READ_ONCE(h->handed);
}

#endif
