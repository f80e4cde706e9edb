/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One shadowed object, between shadow.c (when) and merge.c (what).
 */
#ifndef _DRIVER_FI_MERGE_H
#define _DRIVER_FI_MERGE_H

#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "../fi.h"

/* The kernel lets one thread at a time configure an object. */
#define FI_SHADOW_WRITERS	4

/**
 * struct fi_shadow - an object alone on its page
 * @node: in fi_domain.shadows; added and deleted under shadows_lock, read under RCU
 * @dom: whose
 * @type: of the object
 * @hidden: its type in the object table while it is not closed
 * @obj: the object
 * @page: its page
 * @in_place: the domain has no page table of its own: it stores to the original
 * @copy: what the domain has in place of @page
 * @snap: what it was when the driver and the kernel last agreed; with @in_place the
 *	bytes of @stored alone
 * @new: what is being merged
 * @lock: of what follows, and of merging; with IRQs off
 * @open: not closed
 * @mapped: the domain has @copy at @page
 * @gone: the driver has given the object up
 * @stored: with @in_place: bytes that the driver stores to; while it is open
 * @writer: crossings that have stored to it and have not ended, or NULL
 * @crowded: there were more
 * @close: closes it when nobody can have the copy in a TLB any more
 */
struct fi_shadow {
	struct hlist_node node;
	struct fi_domain *dom;
	const struct fi_type *type;
	const struct fi_type *hidden;
	unsigned long obj;
	unsigned long page;
	bool in_place;
	u8 *copy;
	u8 *snap;
	u8 *new;
	raw_spinlock_t lock;	/* see above */
	bool open;
	bool mapped;
	bool gone;
	DECLARE_BITMAP(stored, PAGE_SIZE);
	const struct fi_frame *writer[FI_SHADOW_WRITERS];
	bool crowded;
	struct work_struct close;
};

/* All under the lock. */
void fi_merge_begin(struct fi_shadow *s);
void fi_merge_stored(struct fi_shadow *s, unsigned long addr);
void fi_merge_refresh(struct fi_shadow *s);
bool fi_merge(struct fi_shadow *s, struct fi_fault *f);
void fi_merge_restore(struct fi_shadow *s);

#endif
