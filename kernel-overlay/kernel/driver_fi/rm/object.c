// SPDX-License-Identifier: GPL-2.0-only
/*
 * Object table of a domain: the kernel objects that its driver holds.
 *
 * Objects come and go with every packet, so nothing here takes a lock that
 * CPUs share: the table is a resizable hash with a lock in each bucket, and
 * lookups take none. Memory of struct fi_obj is reused at once but stays a
 * struct fi_obj for a grace period (SLAB_TYPESAFE_BY_RCU); @seq tells a lookup
 * that what it stands on became another object.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "slab_base.h"
#include "table.h"

/**
 * struct obj_key - what is looked for
 * @addr: start of the object
 * @type: its type
 * @off: in fi_objtab_may_store() and fi_objtab_may_lock(): any type that
 *	permits this store, or has a lock there
 * @len: of the store, 0: a lock
 * @mask: of the store, a result
 * @seq: of the object that was found, a result
 * @found: its type, a result of cmp_store() and cmp_hit()
 */
struct obj_key {
	unsigned long addr;
	const struct fi_type *type;
	unsigned long off;
	u32 len;
	u64 mask;
	u64 seq;
	const struct fi_type *found;
};

static struct kmem_cache *obj_cache;

static void obj_ctor(void *p)
{
	memset(p, 0, sizeof(struct fi_obj));
}

/* Once, before the first table; again does nothing. Sleeps. 0 or -ENOMEM. */
int fi_objtab_init(void)
{
	if (!obj_cache)
		obj_cache = kmem_cache_create("fi_obj", sizeof(struct fi_obj), 0,
					      SLAB_TYPESAFE_BY_RCU, obj_ctor);
	return obj_cache ? 0 : -ENOMEM;
}

static u32 hash_addr(unsigned long addr, u32 seed)
{
	return hash_64(addr ^ (u64)seed << 32, 32);
}

static u32 key_hash(const void *key, u32 len, u32 seed)
{
	return hash_addr(((const struct obj_key *)key)->addr, seed);
}

static u32 obj_hash(const void *obj, u32 len, u32 seed)
{
	return hash_addr(((const struct fi_obj *)obj)->addr, seed);
}

/*
 * Is @o, at some moment of this call, an object at @addr that is held? Its
 * @type was read at the same moment.
 */
bool fi_obj_read(const struct fi_obj *o, unsigned long addr,
		 const struct fi_type **type, u64 *seq)
{
	/* Pairs with the release in fi_obj_add(). */
	*seq = smp_load_acquire(&o->seq);
	if (!*seq || READ_ONCE(o->addr) != addr)
		return false;
	*type = READ_ONCE(o->type);
	/* Pairs with smp_wmb() in new_obj(): a reused object has another seq. */
	smp_rmb();
	return READ_ONCE(o->seq) == *seq;
}

/* As rhashtable wants it: 0 is a match. */
static int cmp_typed(struct rhashtable_compare_arg *arg, const void *obj)
{
	struct obj_key *k = (struct obj_key *)arg->key;
	const struct fi_type *t;

	return !(fi_obj_read(obj, k->addr, &t, &k->seq) && t == k->type);
}

/* Matches the first object at that address whose type permits it. */
static int cmp_store(struct rhashtable_compare_arg *arg, const void *obj)
{
	struct obj_key *k = (struct obj_key *)arg->key;
	const struct fi_type *t;

	if (!fi_obj_read(obj, k->addr, &t, &k->seq))
		return 1;
	if (!k->len)
		return !fi_type_may_lock(t, k->off);
	k->found = t;
	return !fi_type_may_store(t, k->off, k->len, &k->mask);
}

/* Matches the first object at that address that reaches to @off. */
static int cmp_hit(struct rhashtable_compare_arg *arg, const void *obj)
{
	struct obj_key *k = (struct obj_key *)arg->key;
	const struct fi_type *t;

	if (!fi_obj_read(obj, k->addr, &t, &k->seq))
		return 1;
	k->found = t;
	return k->off && k->off >= t->size;
}

static const struct rhashtable_params typed_params = {
	.head_offset = offsetof(struct fi_obj, node),
	.key_len = sizeof(struct obj_key),
	.hashfn = key_hash,
	.obj_hashfn = obj_hash,
	.obj_cmpfn = cmp_typed,
	.automatic_shrinking = true,
};

/* The same table asked another question. */
static const struct rhashtable_params store_params = {
	.head_offset = offsetof(struct fi_obj, node),
	.key_len = sizeof(struct obj_key),
	.hashfn = key_hash,
	.obj_hashfn = obj_hash,
	.obj_cmpfn = cmp_store,
	.automatic_shrinking = true,
};

static const struct rhashtable_params hit_params = {
	.head_offset = offsetof(struct fi_obj, node),
	.key_len = sizeof(struct obj_key),
	.hashfn = key_hash,
	.obj_hashfn = obj_hash,
	.obj_cmpfn = cmp_hit,
	.automatic_shrinking = true,
};

/**
 * fi_objtab_create - an empty table
 * @d: its domain
 *
 * Context: sleeps. Return: the table or NULL.
 */
struct fi_objtab *fi_objtab_create(struct fi_domain *d)
{
	struct fi_objtab *tab = kzalloc(sizeof(*tab), GFP_KERNEL);

	if (!tab)
		return NULL;
	if (rhashtable_init(&tab->ht, &typed_params)) {
		kfree(tab);
		return NULL;
	}
	fi_spans_init(&tab->spans);
	tab->perm = fi_translated(d) ? d->perm : NULL;
	return tab;
}

static void free_leftover(void *obj, void *arg)
{
	struct fi_obj *o = obj;
	struct fi_objtab *tab = arg;

	if (o->spanned)
		fi_spans_del(&tab->spans, o->addr, o->type);
	o->seq = 0;
	kmem_cache_free(obj_cache, o);
}

/**
 * fi_objtab_destroy - frees a table without releasing what is in it
 * @tab: a table that nobody uses any more, or NULL
 *
 * Context: sleeps. fi_objtab_release_all() comes before.
 */
void fi_objtab_destroy(struct fi_objtab *tab)
{
	if (!tab)
		return;
	rhashtable_free_and_destroy(&tab->ht, free_leftover, tab);
	fi_spans_exit(&tab->spans);
	kfree(tab);
}

/* Does a store into the object lead to its start without a search? */
static bool start_is_computable(const void *p)
{
	return fi_slab_base((unsigned long)p) == (unsigned long)p ||
	       fi_page_base((unsigned long)p) == (unsigned long)p;
}

static struct fi_obj *new_obj(void *p, const struct fi_type *t,
			      fi_release_fn rel, unsigned long cookie)
{
	struct fi_obj *o = kmem_cache_alloc(obj_cache, GFP_ATOMIC | __GFP_NOWARN);

	if (!o)
		return NULL;
	/* seq is 0, and is seen as 0 before the rest changes: fi_obj_read(). */
	smp_wmb();
	WRITE_ONCE(o->addr, (unsigned long)p);
	WRITE_ONCE(o->type, t);
	WRITE_ONCE(o->cookie, cookie);
	o->rel = rel;
	o->listed = false;
	o->spanned = t->size && fi_type_has_fields(t) && !start_is_computable(p);
	return o;
}

/* The fields in place of an object; failing means stores that fault. */
static void set_grants(struct fi_objtab *tab, const struct fi_obj *o, bool held)
{
	const unsigned long *bits = tab->perm ? fi_type_grants(o->type) : NULL;

	if (bits)
		fi_permmap_apply(tab->perm, o->addr, bits, o->type->size, held);
}

/**
 * fi_obj_add - the driver now holds an object
 * @d: the domain
 * @p: the object, not NULL
 * @t: its type; fields that the type gets later may not count for @p
 * @rel: gives it back when the domain is released; NULL if it is borrowed
 * @cookie: for @rel
 *
 * Context: any but NMI.
 * Return: 0, -EEXIST (held as that type already) or -ENOMEM.
 */
int fi_obj_add(struct fi_domain *d, void *p, const struct fi_type *t,
	       fi_release_fn rel, unsigned long cookie)
{
	struct obj_key key = { .addr = (unsigned long)p, .type = t };
	struct fi_objtab *tab = d->objs;
	struct fi_obj *o;
	int ret = -ENOMEM;

	if (!fi_type_is_known(t))
		return -ENOMEM;
	o = new_obj(p, t, rel, cookie);
	if (!o)
		return -ENOMEM;
	if (o->spanned && fi_spans_add(&tab->spans, o->addr, t))
		goto free;
	ret = rhashtable_lookup_insert_key(&tab->ht, &key, &o->node, typed_params);
	if (ret)
		goto del_span;
	set_grants(tab, o, true);
	/*
	 * Last: nobody can find, and so remove, an object that is not yet
	 * in the table. Pairs with the acquire in fi_obj_read().
	 */
	smp_store_release(&o->seq, atomic64_inc_return(&tab->seq));
	return 0;

del_span:
	if (o->spanned)
		fi_spans_del(&tab->spans, o->addr, t);
free:
	kmem_cache_free(obj_cache, o);
	return ret == -EEXIST ? ret : -ENOMEM;
}
EXPORT_SYMBOL_GPL(fi_obj_add);

/**
 * fi_obj_held - does the driver hold @p as a @t?
 * @d: the domain
 * @p: any value
 * @t: the type
 *
 * Context: any; takes no lock.
 */
bool fi_obj_held(struct fi_domain *d, const void *p, const struct fi_type *t)
{
	struct obj_key key = { .addr = (unsigned long)p, .type = t };

	return rhashtable_lookup_fast(&d->objs->ht, &key, typed_params);
}
EXPORT_SYMBOL_GPL(fi_obj_held);

/**
 * fi_obj_cookie - as fi_obj_held(), and what came with the object
 * @d: the domain
 * @p: any value
 * @t: the type
 * @cookie: gets what fi_obj_add() was given
 *
 * Context: any; takes no lock.
 */
bool fi_obj_cookie(struct fi_domain *d, const void *p, const struct fi_type *t,
		   unsigned long *cookie)
{
	struct obj_key key = { .addr = (unsigned long)p, .type = t };
	struct fi_obj *o;
	bool held = false;

	rcu_read_lock();
	o = rhashtable_lookup(&d->objs->ht, &key, typed_params);
	if (o) {
		*cookie = READ_ONCE(o->cookie);
		/* Pairs with smp_wmb() in new_obj(), as in fi_obj_read(). */
		smp_rmb();
		held = READ_ONCE(o->seq) == key.seq;
	}
	rcu_read_unlock();
	return held;
}
EXPORT_SYMBOL_GPL(fi_obj_cookie);

/* Who gets true removes the object; nobody else can. */
bool fi_obj_claim(struct fi_obj *o, u64 seq)
{
	return seq && cmpxchg(&o->seq, seq, 0) == seq;
}

/* Takes a claimed object out of the table. */
void fi_obj_unlink(struct fi_objtab *tab, struct fi_obj *o)
{
	/* Before anybody releases it: see fi_objtab_hit(). */
	atomic_inc(&tab->gone);
	WARN_ON_ONCE(rhashtable_remove_fast(&tab->ht, &o->node, typed_params));
	set_grants(tab, o, false);
	if (o->spanned)
		fi_spans_del(&tab->spans, o->addr, o->type);
}

void fi_obj_free(struct fi_obj *o)
{
	kmem_cache_free(obj_cache, o);
}

/**
 * fi_obj_del - the driver gives an object up
 * @d: the domain
 * @p: any value
 * @t: its type
 * @cookie: gets what fi_obj_add() was given; may be NULL
 *
 * Of several callers at a time one gets true.
 *
 * Context: any but NMI. Return: false if it was not held.
 */
bool fi_obj_del(struct fi_domain *d, const void *p, const struct fi_type *t,
		unsigned long *cookie)
{
	struct obj_key key = { .addr = (unsigned long)p, .type = t };
	struct fi_objtab *tab = d->objs;
	struct fi_obj *o;

	rcu_read_lock();
	o = rhashtable_lookup(&tab->ht, &key, typed_params);
	if (o && !fi_obj_claim(o, key.seq))
		o = NULL;
	rcu_read_unlock();
	if (!o)
		return false;
	fi_obj_unlink(tab, o);
	if (cookie)
		*cookie = o->cookie;
	if (!o->listed)
		kmem_cache_free(obj_cache, o);
	return true;
}
EXPORT_SYMBOL_GPL(fi_obj_del);

/**
 * fi_objtab_count - how many objects the driver holds
 * @d: the domain
 *
 * Context: any.
 */
unsigned int fi_objtab_count(struct fi_domain *d)
{
	return atomic_read(&d->objs->ht.nelems);
}
EXPORT_SYMBOL_GPL(fi_objtab_count);

/* Is there an object at @base that permits the store at @addr? */
static bool store_into(struct fi_domain *d, unsigned long base, unsigned long addr,
		       u32 len, u64 *mask, struct fi_obj_hit *hit)
{
	struct obj_key key = { .addr = base, .off = addr - base, .len = len };
	int gone = atomic_read(&d->objs->gone);

	if (!len || !base || !rhashtable_lookup_fast(&d->objs->ht, &key, store_params))
		return false;
	*mask = key.mask;
	*hit = (struct fi_obj_hit){ d, base, key.found, gone };
	return true;
}

/**
 * fi_objtab_find_store - the quicker half of fi_objtab_may_store()
 * @d: the domain
 * @addr: first byte
 * @len: bytes, in one object
 * @mask: as there
 * @hit: gets what was found
 *
 * Finds objects whose start can be computed. Context: any; takes no lock.
 */
bool fi_objtab_find_store(struct fi_domain *d, unsigned long addr, u32 len, u64 *mask,
			  struct fi_obj_hit *hit)
{
	return store_into(d, fi_slab_base(addr), addr, len, mask, hit) ||
	       store_into(d, fi_page_base(addr), addr, len, mask, hit);
}

/**
 * fi_objtab_hit - is this store one into an object that was found before?
 * @hit: what was found, or zeroes
 * @d: the domain
 * @addr: first byte
 * @len: bytes
 * @mask: as in fi_objtab_may_store()
 *
 * No if the driver has given up any object since. Context: any.
 */
bool fi_objtab_hit(const struct fi_obj_hit *hit, struct fi_domain *d,
		   unsigned long addr, u32 len, u64 *mask)
{
	return hit->dom == d && addr - hit->base < hit->type->size &&
	       hit->gone == atomic_read(&d->objs->gone) &&
	       fi_type_may_store(hit->type, addr - hit->base, len, mask);
}

/**
 * fi_objtab_may_store - is this store a permitted in-place change?
 * @d: the domain
 * @addr: first byte
 * @len: bytes, in one object
 * @mask: gets the bits that may change, see fi_type_may_store()
 *
 * Context: any; takes no lock.
 */
bool fi_objtab_may_store(struct fi_domain *d, unsigned long addr, u32 len, u64 *mask)
{
	struct fi_obj_hit hit;

	return fi_objtab_find_store(d, addr, len, mask, &hit) ||
	       fi_spans_may_store(&d->objs->spans, addr, len, mask);
}

/* Is there an object at @base with a lock at @addr? */
static bool lock_in(struct fi_objtab *tab, unsigned long base, unsigned long addr)
{
	struct obj_key key = { .addr = base, .off = addr - base };

	return base && rhashtable_lookup_fast(&tab->ht, &key, store_params);
}

/**
 * fi_objtab_may_lock - is this a spinlock that the driver may take?
 * @d: the domain
 * @addr: its address
 *
 * One of fi_type_add_lock(), in an object that the driver holds.
 *
 * Context: any; takes no lock.
 */
bool fi_objtab_may_lock(struct fi_domain *d, unsigned long addr)
{
	struct fi_objtab *tab = d->objs;

	return lock_in(tab, fi_slab_base(addr), addr) ||
	       fi_spans_may_lock(&tab->spans, addr);
}

static bool hit_at(struct fi_objtab *tab, unsigned long base, unsigned long addr,
		   struct fi_hit *hit)
{
	struct obj_key key = { .addr = base, .off = addr - base };

	if (!base || !rhashtable_lookup_fast(&tab->ht, &key, hit_params))
		return false;
	*hit = (struct fi_hit){
		.type = key.found->name, .start = base, .size = key.found->size,
	};
	return true;
}

/**
 * fi_objtab_object - the kernel object that the driver holds at an address
 * @d: the domain
 * @addr: any value
 * @hit: gets it
 *
 * Objects in others are found by their start, or if they have fields in place.
 * Context: any; takes no lock. Return: false if it holds none there.
 */
bool fi_objtab_object(struct fi_domain *d, unsigned long addr, struct fi_hit *hit)
{
	struct fi_objtab *tab = d->objs;

	return hit_at(tab, addr, addr, hit) ||
	       hit_at(tab, fi_slab_base(addr), addr, hit) ||
	       hit_at(tab, fi_page_base(addr), addr, hit) ||
	       fi_spans_hit(&tab->spans, addr, hit);
}
