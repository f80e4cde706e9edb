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
#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "rm.h"
#include "slab_base.h"

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
 * @spans: objects with in-place fields whose start cannot be computed from an
 *	address within
 */
struct fi_objtab {
	struct rhashtable ht;
	atomic64_t seq;
	struct fi_spans spans;
};

/**
 * struct obj_key - what is looked for
 * @addr: start of the object
 * @type: its type
 * @off: in fi_objtab_may_store() and fi_objtab_may_lock(): any type that
 *	permits this store, or has a lock there
 * @len: of the store, 0: a lock
 * @mask: of the store, a result
 * @seq: of the object that was found, a result
 */
struct obj_key {
	unsigned long addr;
	const struct fi_type *type;
	unsigned long off;
	u32 len;
	u64 mask;
	u64 seq;
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
static bool obj_read(const struct fi_obj *o, unsigned long addr,
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

	return !(obj_read(obj, k->addr, &t, &k->seq) && t == k->type);
}

/* Matches the first object at that address whose type permits it. */
static int cmp_store(struct rhashtable_compare_arg *arg, const void *obj)
{
	struct obj_key *k = (struct obj_key *)arg->key;
	const struct fi_type *t;

	if (!obj_read(obj, k->addr, &t, &k->seq))
		return 1;
	if (!k->len)
		return !fi_type_may_lock(t, k->off);
	return !fi_type_may_store(t, k->off, k->len, &k->mask);
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
	/* seq is 0, and is seen as 0 before the rest changes: obj_read(). */
	smp_wmb();
	WRITE_ONCE(o->addr, (unsigned long)p);
	WRITE_ONCE(o->type, t);
	WRITE_ONCE(o->cookie, cookie);
	o->rel = rel;
	o->listed = false;
	o->spanned = t->size && fi_type_has_fields(t) && !start_is_computable(p);
	return o;
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
	/*
	 * Last: nobody can find, and so remove, an object that is not yet
	 * in the table. Pairs with the acquire in obj_read().
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
		/* Pairs with smp_wmb() in new_obj(), as in obj_read(). */
		smp_rmb();
		held = READ_ONCE(o->seq) == key.seq;
	}
	rcu_read_unlock();
	return held;
}
EXPORT_SYMBOL_GPL(fi_obj_cookie);

/* Who gets true removes the object; nobody else can. */
static bool claim(struct fi_obj *o, u64 seq)
{
	return seq && cmpxchg(&o->seq, seq, 0) == seq;
}

/* Of a claimed object. */
static void remove_obj(struct fi_objtab *tab, struct fi_obj *o)
{
	WARN_ON_ONCE(rhashtable_remove_fast(&tab->ht, &o->node, typed_params));
	if (o->spanned)
		fi_spans_del(&tab->spans, o->addr, o->type);
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
	if (o && !claim(o, key.seq))
		o = NULL;
	rcu_read_unlock();
	if (!o)
		return false;
	remove_obj(tab, o);
	if (cookie)
		*cookie = o->cookie;
	if (!o->listed)
		kmem_cache_free(obj_cache, o);
	return true;
}
EXPORT_SYMBOL_GPL(fi_obj_del);

typedef void (*obj_fn)(struct fi_obj *o, void *arg);

/* Calls @fn for every object; an object may come twice. */
static void visit_all(struct fi_objtab *tab, obj_fn fn, void *arg)
{
	struct rhashtable_iter it;
	struct fi_obj *o;

	rhashtable_walk_enter(&tab->ht, &it);
	rhashtable_walk_start(&it);
	while ((o = rhashtable_walk_next(&it)))
		if (!IS_ERR(o))		/* -EAGAIN: resized, goes on */
			fn(o, arg);
	rhashtable_walk_stop(&it);
	rhashtable_walk_exit(&it);
}

/**
 * struct search - of fi_obj_any()
 * @type: of the objects to look at
 * @match: its question
 * @arg: for @match
 * @found: it said yes
 */
struct search {
	const struct fi_type *type;
	bool (*match)(const void *p, void *arg);
	void *arg;
	bool found;
};

static void search_obj(struct fi_obj *o, void *arg)
{
	struct search *s = arg;
	unsigned long addr = READ_ONCE(o->addr);
	const struct fi_type *t;
	u64 seq;

	if (!s->found && obj_read(o, addr, &t, &seq) && t == s->type)
		s->found = s->match((void *)addr, s->arg);
}

/**
 * fi_obj_any - does the driver hold an object that fits?
 * @d: the domain
 * @t: its type
 * @match: must not sleep; the object may be given up while it runs
 * @arg: for @match
 *
 * Context: may sleep. Walks the whole table.
 */
bool fi_obj_any(struct fi_domain *d, const struct fi_type *t,
		bool (*match)(const void *p, void *arg), void *arg)
{
	struct search s = { .type = t, .match = match, .arg = arg };

	visit_all(d->objs, search_obj, &s);
	return s.found;
}
EXPORT_SYMBOL_GPL(fi_obj_any);

static void list_obj(struct fi_obj *o, void *arg)
{
	if (o->listed || !o->seq)
		return;
	o->listed = true;
	list_add(&o->release, arg);
}

static int newest_first(void *priv, const struct list_head *a, const struct list_head *b)
{
	const struct fi_obj *x = list_entry(a, struct fi_obj, release);
	const struct fi_obj *y = list_entry(b, struct fi_obj, release);

	return x->seq < y->seq ? 1 : -1;
}

/* False if the release function of a newer object gave it up already. */
static bool release_obj(struct fi_domain *d, struct fi_obj *o)
{
	if (!claim(o, o->seq))
		return false;
	remove_obj(d->objs, o);
	if (o->rel)
		o->rel(d, (void *)o->addr, o->cookie);
	return true;
}

/**
 * fi_objtab_release_all - gives back everything that the driver holds
 * @d: a domain with nobody inside
 *
 * Newest first, so that what an object was made from outlives it. An object is
 * out of the table when its release function runs; that function may give up
 * others with fi_obj_del(), which are then not released again.
 *
 * Context: sleeps. Return: how many were released.
 */
unsigned int fi_objtab_release_all(struct fi_domain *d)
{
	struct fi_obj *o, *tmp;
	unsigned int nr = 0;
	LIST_HEAD(list);

	do {
		INIT_LIST_HEAD(&list);
		visit_all(d->objs, list_obj, &list);
		list_sort(NULL, &list, newest_first);
		list_for_each_entry_safe(o, tmp, &list, release) {
			nr += release_obj(d, o);
			kmem_cache_free(obj_cache, o);
			cond_resched();
		}
	} while (fi_objtab_count(d));	/* a release function added some */
	return nr;
}

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

/* More types than this in one table are printed as "other". */
#define PRINT_TYPES	48

struct type_counts {
	unsigned int nr;
	unsigned int other;
	struct type_count {
		const struct fi_type *type;
		unsigned int count;
	} of[PRINT_TYPES];
};

static void count_obj(struct fi_obj *o, void *arg)
{
	struct type_counts *c = arg;
	const struct fi_type *t = READ_ONCE(o->type);
	unsigned int i;

	for (i = 0; i < c->nr && c->of[i].type != t; i++)
		;
	if (i == PRINT_TYPES) {
		c->other++;
		return;
	}
	if (i == c->nr)
		c->of[c->nr++] = (struct type_count){ .type = t };
	c->of[i].count++;
}

static int by_name(const void *a, const void *b)
{
	const struct type_count *x = a, *y = b;

	return strcmp(x->type->name, y->type->name);
}

/**
 * fi_objtab_print - how many objects of which type
 * @d: the domain
 * @buf: where to
 * @size: of @buf
 *
 * One line a type, "net_device 1", sorted by name. Counts are those of a
 * moment if the driver runs.
 *
 * Context: sleeps. Return: length.
 */
ssize_t fi_objtab_print(struct fi_domain *d, char *buf, size_t size)
{
	struct type_counts *c = kzalloc(sizeof(*c), GFP_KERNEL);
	ssize_t len = 0;
	unsigned int i;

	if (!c)
		return -ENOMEM;
	visit_all(d->objs, count_obj, c);
	sort(c->of, c->nr, sizeof(c->of[0]), by_name, NULL);
	for (i = 0; i < c->nr; i++)
		len += scnprintf(buf + len, size - len, "%s %u\n",
				 c->of[i].type->name, c->of[i].count);
	if (c->other)
		len += scnprintf(buf + len, size - len, "other %u\n", c->other);
	kfree(c);
	return len;
}

/* Is there an object at @base that permits the store at @addr? */
static bool store_into(struct fi_objtab *tab, unsigned long base,
		       unsigned long addr, u32 len, u64 *mask)
{
	struct obj_key key = { .addr = base, .off = addr - base, .len = len };

	if (!len || !base || !rhashtable_lookup_fast(&tab->ht, &key, store_params))
		return false;
	*mask = key.mask;
	return true;
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
	struct fi_objtab *tab = d->objs;

	return store_into(tab, fi_slab_base(addr), addr, len, mask) ||
	       store_into(tab, fi_page_base(addr), addr, len, mask) ||
	       fi_spans_may_store(&tab->spans, addr, len, mask);
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
