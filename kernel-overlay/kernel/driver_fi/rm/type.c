// SPDX-License-Identifier: GPL-2.0-only
/*
 * Types of kernel objects that drivers hold, and the bits of them that a
 * holder may change in place.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "rm.h"

/*
 * Wrapper modules name the same types and come and go; descriptors stay, so
 * that the pointer is the type. There are as many as names in annotations.
 */
static LIST_HEAD(types);
static DEFINE_MUTEX(types_lock);

/* What a type is when there was no memory for it; nothing is held as this. */
static const struct fi_type_desc no_type = { .t.name = "(no memory)" };

static struct fi_type_desc *find_type(const char *name)
{
	struct fi_type_desc *d;

	list_for_each_entry(d, &types, node)
		if (!strcmp(d->t.name, name))
			return d;
	return NULL;
}

static struct fi_type_desc *new_type(const char *name)
{
	struct fi_type_desc *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d)
		return NULL;
	d->t.name = kstrdup_const(name, GFP_KERNEL);
	if (!d->t.name) {
		kfree(d);
		return NULL;
	}
	list_add_tail(&d->node, &types);
	return d;
}

static bool field_fits(const struct fi_field *f, u32 size)
{
	return f->len && f->off < size && f->len <= size - f->off;
}

static void add_field(u8 *bytes, const struct fi_field *f)
{
	u32 i;

	for (i = 0; i < f->len; i++) {
		u8 *b = &bytes[f->off + i];

		/* Beyond 8 bytes there are no masks: see struct fi_field. */
		WRITE_ONCE(*b, *b | (f->len > 8 ? 0xff : (u8)(f->mask >> 8 * i)));
	}
}

static void add_fields(struct fi_type_desc *d, const struct fi_field *fields, u32 nr)
{
	u8 *bytes = d->bytes;
	u32 i;

	if (!nr)
		return;
	if (!d->grants)
		d->grants = bitmap_zalloc(d->t.size, GFP_KERNEL);
	if (!d->shadow)
		d->shadow = bitmap_zalloc(d->t.size, GFP_KERNEL);
	if (!bytes)
		bytes = kzalloc(d->t.size + sizeof(u64), GFP_KERNEL);
	if (!bytes || !d->grants || !d->shadow) {
		if (bytes != d->bytes)
			kfree(bytes);
		return;		/* fewer rights, never more */
	}
	for (i = 0; i < nr; i++) {
		if (WARN_ON_ONCE(!field_fits(&fields[i], d->t.size)))
			continue;
		add_field(bytes, &fields[i]);
		if (fields[i].shadow)
			bitmap_set(d->shadow, fields[i].off, fields[i].len);
	}
	for (i = 0; i < d->t.size; i++) {
		if (bytes[i])
			assign_bit(i, d->grants, !test_bit(i, d->shadow));
	}
	/* Pairs with the acquire in fi_type_may_store(). */
	smp_store_release(&d->bytes, bytes);
}

/**
 * fi_type_get - the descriptor of a type
 * @name: the C tag or a name of its own; copied
 * @size: sizeof; 0 if the caller does not know or there is no memory
 * @fields: bytes that a holder may write in place; copied
 * @nr_fields: their number
 *
 * The fields of all callers together are the type's. The first known size is
 * kept: fields that come with another one (a wrapper module built for another
 * kernel) are refused with a message.
 *
 * Context: sleeps. Return: never NULL. Without memory a type that nothing is
 * ever held as.
 */
const struct fi_type *fi_type_get(const char *name, u32 size,
				  const struct fi_field *fields, u32 nr_fields)
{
	struct fi_type_desc *d;

	guard(mutex)(&types_lock);
	d = find_type(name);
	if (!d)
		d = new_type(name);
	if (!d)
		return &no_type.t;
	if (!d->t.size)
		WRITE_ONCE(d->t.size, size);
	if (size && size != d->t.size) {
		pr_err("driver_fi: type %s has size %u, not %u: its fields are refused\n",
		       name, d->t.size, size);
		return &d->t;
	}
	add_fields(d, fields, nr_fields);
	return &d->t;
}
EXPORT_SYMBOL_GPL(fi_type_get);

/**
 * fi_type_add_lock - holders of the type may take a spinlock in it
 * @t: the type
 * @off: offset of the lock word in an object
 *
 * The driver cannot store to it: only the wrappers of spinlocks change it.
 *
 * Context: sleeps. Return: 0 or -ENOSPC.
 */
int fi_type_add_lock(const struct fi_type *t, u32 off)
{
	struct fi_type_desc *d = (struct fi_type_desc *)fi_type_desc(t);

	guard(mutex)(&types_lock);
	if (fi_type_may_lock(t, off))
		return 0;
	if (d == &no_type || d->nr_locks == FI_TYPE_LOCKS)
		return -ENOSPC;
	d->locks[d->nr_locks] = off;
	/* Pairs with the acquire in fi_type_may_lock(). */
	smp_store_release(&d->nr_locks, d->nr_locks + 1);
	return 0;
}

/* Context: any. Is there such a lock at @off? */
bool fi_type_may_lock(const struct fi_type *t, unsigned long off)
{
	const struct fi_type_desc *d = fi_type_desc(t);
	u32 i, nr;

	/* Pairs with the release in fi_type_add_lock(). */
	nr = smp_load_acquire(&d->nr_locks);
	for (i = 0; i < nr; i++)
		if (d->locks[i] == off)
			return true;
	return false;
}

bool fi_type_is_known(const struct fi_type *t)
{
	return t != &no_type.t;
}

/* False for types whose objects need not be found by an address within. */
bool fi_type_has_fields(const struct fi_type *t)
{
	const struct fi_type_desc *d = fi_type_desc(t);

	return READ_ONCE(d->bytes) || READ_ONCE(d->nr_locks);
}

/* Bytes of an object that a holder may write in place, or NULL. Any context. */
const unsigned long *fi_type_grants(const struct fi_type *t)
{
	/* Pairs with the release in add_fields(). */
	return smp_load_acquire(&fi_type_desc(t)->bytes) ? fi_type_desc(t)->grants : NULL;
}

/*
 * Does a store to the byte at @off go to the object's shadow copy, or with @word one to
 * any of the 8 aligned bytes around it? Any context.
 */
bool fi_type_is_shadowed(const struct fi_type *t, unsigned long off, bool word)
{
	const struct fi_type_desc *d = fi_type_desc(t);

	/* Pairs with the release in add_fields(). */
	if (off >= t->size || !smp_load_acquire(&d->bytes))
		return false;
	/* Little endian: a byte of the bitmap tells of a word of the object. */
	return ((const u8 *)d->shadow)[off / 8] & (word ? 0xff : 1 << off % 8);
}

/**
 * fi_type_may_store - may a holder store to these bytes of an object?
 * @t: its type
 * @off: first byte in the object
 * @len: bytes
 * @mask: gets the bits that may change, byte 0 lowest; ~0 for @len > 8
 *
 * Context: any. Return: true if any bit may change, for @len > 8 if all may.
 */
bool fi_type_may_store(const struct fi_type *t, unsigned long off, u32 len, u64 *mask)
{
	/* Pairs with the release in add_fields(). */
	const u8 *bytes = smp_load_acquire(&fi_type_desc(t)->bytes);

	if (!bytes || off >= t->size || len > t->size - off)
		return false;
	if (len <= sizeof(u64)) {
		*mask = get_unaligned((const u64 *)(bytes + off));
		if (len < sizeof(u64))
			*mask &= (1ULL << 8 * len) - 1;
		return *mask;
	}
	*mask = ~0ULL;
	return !memchr_inv(bytes + off, 0xff, len);
}

/**
 * fi_type_add_rule - what the fields of a type's objects must be
 * @t: type
 * @fn: gets an object as the driver wants it and as it was, and names what is
 *	invalid of what differs, or returns NULL. Called with IRQs off
 *
 * Further rules for a type are for the same fields, from other wrapper modules: one of
 * them is asked. Context: sleeps. Return: 0 or -ENOSPC.
 */
int fi_type_add_rule(const struct fi_type *t, fi_valid_fn fn)
{
	struct fi_type_desc *d = (struct fi_type_desc *)fi_type_desc(t);
	int i;

	guard(mutex)(&types_lock);
	for (i = 0; i < FI_TYPE_RULES && t != &no_type.t; i++) {
		if (!d->rules[i]) {
			WRITE_ONCE(d->rules[i], fn);
			return 0;
		}
	}
	return -ENOSPC;
}
EXPORT_SYMBOL_GPL(fi_type_add_rule);

/* The opposite; nobody runs @fn afterwards. Sleeps. */
void fi_type_del_rule(const struct fi_type *t, fi_valid_fn fn)
{
	struct fi_type_desc *d = (struct fi_type_desc *)fi_type_desc(t);
	int i;

	scoped_guard(mutex, &types_lock) {
		for (i = 0; i < FI_TYPE_RULES; i++) {
			if (d->rules[i] == fn)
				WRITE_ONCE(d->rules[i], NULL);
		}
	}
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(fi_type_del_rule);

/* The name of what is invalid, or NULL. Context: any, IRQs off. */
const char *fi_type_invalid(const struct fi_type *t, struct fi_domain *d, unsigned long obj,
			    unsigned long old)
{
	int i;

	guard(rcu)();
	for (i = 0; i < FI_TYPE_RULES; i++) {
		fi_valid_fn fn = READ_ONCE(fi_type_desc(t)->rules[i]);

		if (fn)
			return fn(d, obj, old);
	}
	return NULL;
}

/*
 * Objects of @to have the fields and locks of @from, which has no fewer than before.
 * Any context.
 */
void fi_type_share(const struct fi_type *to, const struct fi_type *from)
{
	struct fi_type_desc *t = (struct fi_type_desc *)fi_type_desc(to);
	const struct fi_type_desc *f = fi_type_desc(from);

	WRITE_ONCE(t->t.size, f->t.size);
	memcpy(t->locks, f->locks, sizeof(t->locks));
	/* Pairs with the acquire in fi_type_may_lock(). */
	smp_store_release(&t->nr_locks, smp_load_acquire(&f->nr_locks));
	t->grants = f->grants;
	t->shadow = f->shadow;
	/* Pairs with the acquire in fi_type_may_store(). */
	smp_store_release(&t->bytes, smp_load_acquire(&f->bytes));
}
