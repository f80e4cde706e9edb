// SPDX-License-Identifier: GPL-2.0-only
/*
 * Object table of a domain: the kernel objects that its driver holds.
 *
 * Objects come and go with every packet, so nothing here takes a lock that
 * CPUs share: the table is a hash with a lock in each bucket, and lookups take
 * none. Memory of struct fi_obj is reused at once but stays a
 * struct fi_obj for a grace period (SLAB_TYPESAFE_BY_RCU); @seq tells a lookup
 * that what it stands on became another object.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rculist_nulls.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "shadow.h"
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
 * @found: its type, a result of is_permitting() and is_reaching()
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

/**
 * struct spare - free struct fi_obj of a CPU; with IRQs off
 * @nr: how many
 * @obj: they stay typed, so they may be reused at once like those of the cache
 */
#define SPARES	32
struct spare {
	u32 nr;
	struct fi_obj *obj[SPARES];
};

static DEFINE_PER_CPU(struct spare, spare);

static struct fi_obj *get_obj(void)
{
	struct fi_obj *o = NULL;
	unsigned long flags;
	struct spare *s;

	local_irq_save(flags);
	s = this_cpu_ptr(&spare);
	if (likely(s->nr))
		o = s->obj[--s->nr];
	local_irq_restore(flags);
	return o ?: kmem_cache_alloc(obj_cache, GFP_ATOMIC | __GFP_NOWARN);
}

static void put_obj(struct fi_obj *o)
{
	unsigned long flags;
	struct spare *s;
	bool kept;

	local_irq_save(flags);
	s = this_cpu_ptr(&spare);
	kept = s->nr < SPARES;
	if (likely(kept))
		s->obj[s->nr++] = o;
	local_irq_restore(flags);
	if (unlikely(!kept))
		kmem_cache_free(obj_cache, o);
}

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

static __always_inline bool is_typed(const struct fi_obj *o, struct obj_key *k)
{
	const struct fi_type *t;

	return fi_obj_read(o, k->addr, &t, &k->seq) && t == k->type;
}

/* The first object at that address whose type permits it. */
static bool is_permitting(const struct fi_obj *o, struct obj_key *k)
{
	const struct fi_type *t;

	if (!fi_obj_read(o, k->addr, &t, &k->seq))
		return false;
	if (!k->len)
		return fi_type_may_lock(t, k->off);
	k->found = t;
	return fi_type_may_store(t, k->off, k->len, &k->mask);
}

/* The first object at that address that reaches to @off. */
static bool is_reaching(const struct fi_obj *o, struct obj_key *k)
{
	const struct fi_type *t;

	if (!fi_obj_read(o, k->addr, &t, &k->seq))
		return false;
	k->found = t;
	return !k->off || k->off < t->size;
}

/* Under RCU or the bucket's lock. */
static __always_inline struct fi_obj *find_obj(struct fi_objtab *tab, struct obj_key *k,
					       bool (*fits)(const struct fi_obj *o,
							    struct obj_key *k))
{
	u32 b = fi_bucket_of(k->addr);
	struct hlist_nulls_node *n;
	struct fi_obj *o;

	do {
		hlist_nulls_for_each_entry_rcu(o, n, &tab->bucket[b].head, node) {
			if (fits(o, k))
				return o;
		}
	} while (unlikely(get_nulls_value(n) != b));
	return NULL;
}

static __always_inline bool has_obj(struct fi_objtab *tab, struct obj_key *k,
				    bool (*fits)(const struct fi_obj *o,
						 struct obj_key *k))
{
	bool found;

	/* As a reader of RCU; with PREEMPT_RCU the other kind is two calls. */
	rcu_read_lock_sched();
	found = find_obj(tab, k, fits);
	rcu_read_unlock_sched();
	return found;
}

/* False: there is one already. */
static bool link_obj(struct fi_objtab *tab, struct fi_obj *o, struct obj_key *k)
{
	struct fi_bucket *b = &tab->bucket[fi_bucket_of(o->addr)];
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&b->lock, flags);
	first = !find_obj(tab, k, is_typed);
	if (likely(first))
		hlist_nulls_add_head_rcu(&o->node, &b->head);
	spin_unlock_irqrestore(&b->lock, flags);
	if (likely(first))
		atomic_inc(&tab->nr);
	return first;
}

static void unlink_obj(struct fi_objtab *tab, struct fi_obj *o)
{
	struct fi_bucket *b = &tab->bucket[fi_bucket_of(o->addr)];
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	hlist_nulls_del_rcu(&o->node);
	spin_unlock_irqrestore(&b->lock, flags);
	atomic_dec(&tab->nr);
}

/**
 * fi_objtab_create - an empty table
 * @d: its domain
 *
 * Context: sleeps. Return: the table or NULL.
 */
struct fi_objtab *fi_objtab_create(struct fi_domain *d)
{
	struct fi_objtab *tab = kzalloc(sizeof(*tab), GFP_KERNEL);
	u32 b;

	if (!tab)
		return NULL;
	tab->bucket = kvcalloc(1U << FI_BUCKET_BITS, sizeof(*tab->bucket), GFP_KERNEL);
	if (!tab->bucket) {
		kfree(tab);
		return NULL;
	}
	for (b = 0; b < 1U << FI_BUCKET_BITS; b++) {
		spin_lock_init(&tab->bucket[b].lock);
		INIT_HLIST_NULLS_HEAD(&tab->bucket[b].head, b);
	}
	fi_spans_init(&tab->spans);
	tab->perm = fi_translated(d) ? d->perm : NULL;
	return tab;
}

static void free_leftovers(struct fi_objtab *tab, struct fi_bucket *b)
{
	struct hlist_nulls_node *n = b->head.first;

	while (!is_a_nulls(n)) {
		struct fi_obj *o = hlist_nulls_entry(n, struct fi_obj, node);

		n = n->next;
		if (o->spanned)
			fi_spans_del(&tab->spans, o->addr, o->type);
		o->seq = 0;
		kmem_cache_free(obj_cache, o);
	}
}

/**
 * fi_objtab_destroy - frees a table without releasing what is in it
 * @tab: a table that nobody uses any more, or NULL
 *
 * Context: sleeps. fi_objtab_release_all() comes before.
 */
void fi_objtab_destroy(struct fi_objtab *tab)
{
	u32 b;

	if (!tab)
		return;
	for (b = 0; b < 1U << FI_BUCKET_BITS; b++)
		free_leftovers(tab, &tab->bucket[b]);
	fi_spans_exit(&tab->spans);
	kvfree(tab->bucket);
	kfree(tab);
}

/* Does a store into the object lead to its start without a search? */
static bool start_is_computable(const void *p)
{
	return fi_is_slab_start(p) ||
	       fi_page_base((unsigned long)p) == (unsigned long)p;
}

static struct fi_obj *new_obj(void *p, const struct fi_type *t,
			      fi_release_fn rel, unsigned long cookie)
{
	struct fi_obj *o = get_obj();

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
	bool first = true;

	if (!fi_type_is_known(t))
		return -ENOMEM;
	o = new_obj(p, t, rel, cookie);
	if (!o)
		return -ENOMEM;
	if (o->spanned && fi_spans_add(&tab->spans, o->addr, t))
		goto free;
	first = link_obj(tab, o, &key);
	if (unlikely(!first))
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
	put_obj(o);
	return first ? -ENOMEM : -EEXIST;
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

	if (likely(has_obj(d->objs, &key, is_typed)))
		return true;
	return fi_shadow_held(d, p, t);
}
EXPORT_SYMBOL_GPL(fi_obj_held);

/*
 * What is held as @from is held as @to, which shares its fields. Back before it
 * is given up. Any context.
 */
void fi_obj_retype(struct fi_domain *d, void *p, const struct fi_type *from,
		   const struct fi_type *to)
{
	struct obj_key key = { .addr = (unsigned long)p, .type = from };
	struct fi_obj *o;

	rcu_read_lock();
	o = find_obj(d->objs, &key, is_typed);
	if (o)
		WRITE_ONCE(o->type, to);
	rcu_read_unlock();
}

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

	rcu_read_lock_sched();
	o = find_obj(d->objs, &key, is_typed);
	if (o) {
		*cookie = READ_ONCE(o->cookie);
		/* Pairs with smp_wmb() in new_obj(), as in fi_obj_read(). */
		smp_rmb();
		held = READ_ONCE(o->seq) == key.seq;
	}
	rcu_read_unlock_sched();
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
	unlink_obj(tab, o);
	set_grants(tab, o, false);
	if (o->spanned)
		fi_spans_del(&tab->spans, o->addr, o->type);
}

void fi_obj_free(struct fi_obj *o)
{
	put_obj(o);
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

	rcu_read_lock_sched();
	o = find_obj(tab, &key, is_typed);
	if (o && !fi_obj_claim(o, key.seq))
		o = NULL;
	rcu_read_unlock_sched();
	if (!o)
		return false;
	fi_obj_unlink(tab, o);
	if (cookie)
		*cookie = o->cookie;
	if (!o->listed)
		put_obj(o);
	return true;
}
EXPORT_SYMBOL_GPL(fi_obj_del);

/* Is there an object at @base that permits the store at @addr? */
static bool store_into(struct fi_domain *d, unsigned long base, unsigned long addr,
		       u32 len, u64 *mask, struct fi_obj_hit *hit)
{
	struct obj_key key = { .addr = base, .off = addr - base, .len = len };
	int gone = atomic_read(&d->objs->gone);

	if (!len || !base || !has_obj(d->objs, &key, is_permitting))
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

	return base && has_obj(tab, &key, is_permitting);
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

	if (!base || !has_obj(tab, &key, is_reaching))
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
