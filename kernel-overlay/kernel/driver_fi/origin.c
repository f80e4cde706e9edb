// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the memory and the objects of a driver came from, for fault reports.
 *
 * A table of fixed size for each domain: it remembers what is allocated, and for
 * a while what was freed. What it has forgotten is only missing in a report.
 * Written where a driver allocates and frees, never with a packet.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "origin.h"

#define SETS	64
#define WAYS	8
/* As far beside an object is an access still one that missed it. */
#define REACH	64

/**
 * struct origin - one allocation
 * @hit: what is known of it; type NULL: unused
 * @seq: when it was allocated, or freed
 */
struct origin {
	struct fi_hit hit;
	u64 seq;
};

/**
 * struct fi_origins - see fi_origins_create()
 * @lock: of all below; with IRQs off, only tried where a fault is recorded
 * @seq: of the newest origin
 * @of: by hash of the address
 */
struct fi_origins {
	raw_spinlock_t lock;
	u64 seq;
	struct origin of[SETS][WAYS];
};

/**
 * fi_origins_create - an empty table
 *
 * Context: may sleep. Return: the table or NULL.
 */
struct fi_origins *fi_origins_create(void)
{
	struct fi_origins *o = kvzalloc(sizeof(*o), GFP_KERNEL);

	if (o)
		raw_spin_lock_init(&o->lock);
	return o;
}

/* The opposite; NULL is ignored. Context: may sleep. */
void fi_origins_destroy(struct fi_origins *o)
{
	kvfree(o);
}

/* Is @a the better one to be forgotten? */
static bool less_wanted(const struct origin *a, const struct origin *b)
{
	if (!a->hit.type || !b->hit.type)
		return !a->hit.type;
	if (a->hit.freed != b->hit.freed)
		return a->hit.freed;
	return a->seq < b->seq;
}

static struct origin *set_of(struct fi_origins *o, const void *p)
{
	return o->of[hash_ptr(p, ilog2(SETS))];
}

static struct origin *find(struct origin *set, const void *p)
{
	int i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].hit.type && set[i].hit.start == (unsigned long)p)
			return &set[i];
	}
	return NULL;
}

static struct origin *least_wanted(struct origin *set)
{
	struct origin *worst = set;
	int i;

	for (i = 1; i < WAYS; i++) {
		if (less_wanted(&set[i], worst))
			worst = &set[i];
	}
	return worst;
}

/**
 * fi_origin_note - a driver got something
 * @o: its domain's table, or NULL
 * @p: what
 * @size: bytes
 * @type: kind, a string that stays
 * @ip: return address of the driver's call, or 0
 *
 * Context: any but NMI.
 */
void fi_origin_note(struct fi_origins *o, const void *p, size_t size, const char *type,
		    unsigned long ip)
{
	struct origin *set, *e;
	unsigned long flags;

	if (!o)
		return;
	set = set_of(o, p);
	raw_spin_lock_irqsave(&o->lock, flags);
	e = find(set, p) ?: least_wanted(set);
	e->hit = (struct fi_hit){
		.type = type, .start = (unsigned long)p, .size = size, .alloc_ip = ip,
	};
	e->seq = ++o->seq;
	raw_spin_unlock_irqrestore(&o->lock, flags);
}

/**
 * fi_origin_freed - a driver gave something back
 * @o: its domain's table, or NULL
 * @p: what
 * @ip: return address of the driver's call, or 0
 *
 * Context: any but NMI.
 */
void fi_origin_freed(struct fi_origins *o, const void *p, unsigned long ip)
{
	unsigned long flags;
	struct origin *e;

	if (!o)
		return;
	raw_spin_lock_irqsave(&o->lock, flags);
	e = find(set_of(o, p), p);
	if (e && !e->hit.freed) {
		e->hit.freed = true;
		e->hit.free_ip = ip;
		e->seq = ++o->seq;
	}
	raw_spin_unlock_irqrestore(&o->lock, flags);
}

/* How far @addr is outside; 0: inside. */
static unsigned long distance(const struct fi_hit *h, unsigned long addr)
{
	if (fi_hit_inside(h, addr))
		return 0;
	return addr < h->start ? h->start - addr : addr - (h->start + h->size) + 1;
}

/*
 * Is @a nearer to @addr? What holds it now comes before what held it once, an
 * overrun before an underrun.
 */
static bool nearer(const struct origin *a, const struct origin *b, unsigned long addr)
{
	unsigned long da = distance(&a->hit, addr), db = distance(&b->hit, addr);

	if (!da != !db)
		return !da;
	if (a->hit.freed != b->hit.freed)
		return b->hit.freed;
	return da != db ? da < db : da ? addr > a->hit.start : a->seq > b->seq;
}

/**
 * fi_origin_find - the object that an address lies in, or just beside
 * @o: the domain's table, or NULL
 * @addr: any value
 * @hit: gets it
 *
 * Context: any, also NMI. Return: false if none is known, or the table is in use
 */
bool fi_origin_find(struct fi_origins *o, unsigned long addr, struct fi_hit *hit)
{
	const struct origin *e, *best = NULL;
	unsigned long flags;

	if (!o || !raw_spin_trylock_irqsave(&o->lock, flags))
		return false;
	for (e = &o->of[0][0]; e < &o->of[SETS][0]; e++) {
		if (e->hit.type && distance(&e->hit, addr) <= REACH &&
		    (!best || nearer(e, best, addr)))
			best = e;
	}
	if (best)
		*hit = best->hit;
	raw_spin_unlock_irqrestore(&o->lock, flags);
	return best;
}
