/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of an object table, for the two files that know it.
 */
#ifndef _DRIVER_FI_TABLE_H
#define _DRIVER_FI_TABLE_H

#include <linux/atomic.h>
#include <linux/rhashtable-types.h>
#include "rm.h"

/**
 * struct fi_obj - an object that the driver holds
 * @node: in the table
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
	struct rhash_head node;
	u64 seq;
	unsigned long addr;
	const struct fi_type *type;
	fi_release_fn rel;
	unsigned long cookie;
	bool spanned;
	bool listed;
	struct list_head release;
};

/**
 * struct fi_objtab - see fi_objtab_create()
 * @ht: the objects by address; types may share one
 * @seq: of the newest object
 * @perm: where fields in place are granted byte by byte, or NULL: stores to
 *	them fault and are carried out bit by bit
 * @gone: raised when an object is given up; what was found before counts no more
 * @spans: objects with in-place fields whose start cannot be computed from an
 *	address within
 */
struct fi_objtab {
	struct rhashtable ht;
	atomic64_t seq;
	atomic_t gone;
	struct fi_spans spans;
	struct fi_permmap *perm;
};

bool fi_obj_read(const struct fi_obj *o, unsigned long addr,
		 const struct fi_type **type, u64 *seq);
bool fi_obj_claim(struct fi_obj *o, u64 seq);
void fi_obj_unlink(struct fi_objtab *tab, struct fi_obj *o);
void fi_obj_free(struct fi_obj *o);

#endif
