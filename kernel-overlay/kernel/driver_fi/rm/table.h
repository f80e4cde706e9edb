/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of an object table, for the two files that know it.
 */
#ifndef _DRIVER_FI_TABLE_H
#define _DRIVER_FI_TABLE_H

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/list_nulls.h>
#include <linux/spinlock.h>
#include "rm.h"

/**
 * struct fi_obj - an object that the driver holds
 * @node: in its bucket
 * @seq: when it was added, never the same twice; 0 while it is not held.
 *	Whoever changes it to 0 removes the object from the table.
 * @addr: the object
 * @type: its type
 * @rel: gives it back, or NULL
 * @cookie: for @rel
 * @spanned: it is in the table's spans also
 * @listed: fi_objtab_release_all() will free it
 * @release: in the list of fi_objtab_release_all()
 */
struct fi_obj {
	struct hlist_nulls_node node;
	u64 seq;
	unsigned long addr;
	const struct fi_type *type;
	fi_release_fn rel;
	unsigned long cookie;
	bool spanned;
	bool listed;
	struct list_head release;
};

/*
 * A network driver holds some hundred objects. With ten thousand a lookup walks ten.
 */
#define FI_BUCKET_BITS	10

/**
 * struct fi_bucket - objects whose addresses have one hash
 * @lock: of those who change the chain; taken with IRQs off
 * @head: the chain; ends in the bucket's number, which tells a reader that a
 *	reused object led it into another
 */
struct fi_bucket {
	spinlock_t lock;	/* see above */
	struct hlist_nulls_head head;
};

/**
 * struct fi_objtab - see fi_objtab_create()
 * @bucket: the objects by address; types may share one
 * @nr: how many are in the buckets
 * @seq: of the newest object
 * @perm: where fields in place are granted byte by byte, or NULL: stores to
 *	them fault and are carried out bit by bit
 * @gone: raised when an object is given up; what was found before counts no more
 * @spans: objects with in-place fields whose start cannot be computed from an
 *	address within
 */
struct fi_objtab {
	struct fi_bucket *bucket;
	atomic_t nr;
	atomic64_t seq;
	atomic_t gone;
	struct fi_spans spans;
	struct fi_permmap *perm;
};

static inline u32 fi_bucket_of(unsigned long addr)
{
	return hash_long(addr, FI_BUCKET_BITS);
}

bool fi_obj_read(const struct fi_obj *o, unsigned long addr,
		 const struct fi_type **type, u64 *seq);
bool fi_obj_claim(struct fi_obj *o, u64 seq);
void fi_obj_unlink(struct fi_objtab *tab, struct fi_obj *o);
void fi_obj_free(struct fi_obj *o);
void fi_obj_retype(struct fi_domain *d, void *p, const struct fi_type *from,
		   const struct fi_type *to);

#endif
