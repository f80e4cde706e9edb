/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of rm/.
 */
#ifndef _DRIVER_FI_RM_H
#define _DRIVER_FI_RM_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include "../fi.h"

#define FI_TYPE_LOCKS	4
#define FI_TYPE_RULES	4

/**
 * struct fi_type_desc - a type and what may be stored into its objects
 * @t: what users see; its @fields stay NULL, @bytes is what counts
 * @node: in the list of types, under its mutex; types live for ever
 * @bytes: for each byte of an object the bits that a holder may change; NULL
 *	if it has no in-place fields. Followed by zeroes, which a load of 8
 *	bytes may reach. Published once with release order, after which bits
 *	are only added.
 * @grants: a bit for each byte of which a holder may change a bit in place; with @bytes
 * @shadow: likewise for those that go to a shadow copy; a byte is in one of the two
 * @locks: offsets of spinlocks in an object that a holder may take
 * @nr_locks: how many; published with release order
 * @rules: what shadows of such objects, and lent ones, have to be; those of wrapper modules
 *	come and go, and are called under RCU
 */
struct fi_type_desc {
	struct fi_type t;
	struct list_head node;
	u8 *bytes;
	unsigned long *grants;
	unsigned long *shadow;
	u32 locks[FI_TYPE_LOCKS];
	u32 nr_locks;
	fi_valid_fn rules[FI_TYPE_RULES];
};

static inline const struct fi_type_desc *fi_type_desc(const struct fi_type *t)
{
	return container_of(t, struct fi_type_desc, t);
}

bool fi_type_is_known(const struct fi_type *t);
bool fi_type_has_fields(const struct fi_type *t);
bool fi_type_may_store(const struct fi_type *t, unsigned long off, u32 len, u64 *mask);
const unsigned long *fi_type_grants(const struct fi_type *t);
bool fi_type_is_shadowed(const struct fi_type *t, unsigned long off, bool word);
void fi_type_share(const struct fi_type *to, const struct fi_type *from);
const char *fi_type_invalid(const struct fi_type *t, struct fi_domain *d, unsigned long obj,
			    unsigned long old);
bool fi_type_may_lock(const struct fi_type *t, unsigned long off);

/**
 * struct fi_spans - objects found by the pages they lie in
 * @pages: virtual address / PAGE_SIZE -> first struct span of that page
 * @lock: writers; taken with IRQs off. Readers use RCU.
 */
struct fi_spans {
	struct xarray pages;
	spinlock_t lock;	/* see above */
};

void fi_spans_init(struct fi_spans *s);
void fi_spans_exit(struct fi_spans *s);
int fi_spans_add(struct fi_spans *s, unsigned long addr, const struct fi_type *t);
void fi_spans_del(struct fi_spans *s, unsigned long addr, const struct fi_type *t);
bool fi_spans_may_store(struct fi_spans *s, unsigned long addr, u32 len, u64 *mask);
bool fi_spans_may_lock(struct fi_spans *s, unsigned long addr);
bool fi_spans_hit(struct fi_spans *s, unsigned long addr, struct fi_hit *hit);

#endif
