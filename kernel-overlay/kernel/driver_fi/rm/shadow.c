// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow copies of kernel objects that a driver configures by plain stores.
 *
 * Nothing is copied until the driver stores to a field that is configured. Then its
 * domain gets a page of its own at the object's address, with a copy, in which it
 * reads what it wrote. The kernel sees the original. At the end of the crossing, and
 * when the driver passes the object to the kernel, each field that was
 * changed is looked at, and only if all are valid they go into the original. What a
 * driver left half done when it failed never gets there.
 *
 *   closed -- store --> mapped -- merged --> unmapped -- nobody has it --> closed
 *                         ^                     |
 *                         `------- store -------'
 *
 * While it is not closed, each crossing of the domain that ends looks whether there is
 * something to merge, and the object stands in the object table under another type, so
 * that who looks for it by its own comes by fi_shadow_held(). Neither merges what other
 * crossings that are not at their end have stored: they may fail.
 *
 * Fields that a driver counts in all the time are not configured: they stay in place.
 * If the copy is mapped, they are merged with the rest. A driver whose stores are
 * checked byte by byte has the object's own page otherwise, writable: it has no
 * right to the configured bytes, so it asks for each of them.
 *
 * Without a page table of its own a domain asks too, and then stores to the original.
 * What it does there is looked at in the same moments, and put back if it is invalid
 * or if the driver fails.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <asm/driver_fi.h>

#include "merge.h"
#include "rm.h"
#include "shadow.h"
#include "table.h"

static DEFINE_MUTEX(shadows_lock);

static void condemn(struct fi_domain *d, struct fi_fault *f)
{
	struct fi_frame *frame = current->fi_frame;

	f->kind = FI_FAULT_FIELD;
	f->arg = -1;
	if (frame && frame->dom == d) {
		f->entry = frame->entry->slot->name;
		f->ip = frame->entry->addr;
	}
	fi_fault_raise(d, f);
}

/* The next three under the lock. */
static void begin(struct fi_shadow *s)
{
	fi_merge_begin(s);
	fi_type_share(s->hidden, s->type);
	fi_obj_retype(s->dom, (void *)s->obj, s->type, s->hidden);
	atomic_inc(&s->dom->shadowed);
	s->open = true;
}

static void end(struct fi_shadow *s)
{
	memset(s->writer, 0, sizeof(s->writer));
	s->crowded = false;
	s->open = false;
	atomic_dec(&s->dom->shadowed);
	fi_obj_retype(s->dom, (void *)s->obj, s->hidden, s->type);
}

/* Stores will fault, on this CPU at once when it goes back to the driver. */
static void unmap(struct fi_shadow *s)
{
	if (!s->mapped)
		return;
	s->mapped = false;
	arch_fi_unmap(s->dom->pgt, s->page, 1);
	arch_fi_flush();
}

/* The next six under the lock. */
static bool is_writer(const struct fi_shadow *s, const struct fi_frame *f)
{
	int i;

	for (i = 0; i < FI_SHADOW_WRITERS; i++) {
		if (s->writer[i] == f)
			return true;
	}
	return false;
}

static bool has_writer(const struct fi_shadow *s)
{
	int i;

	for (i = 0; i < FI_SHADOW_WRITERS; i++) {
		if (s->writer[i])
			return true;
	}
	return false;
}

static void add_writer(struct fi_shadow *s)
{
	const struct fi_frame *f = current->fi_frame;
	int i;

	if (is_writer(s, f))
		return;
	for (i = 0; i < FI_SHADOW_WRITERS; i++) {
		if (!s->writer[i]) {
			s->writer[i] = f;
			return;
		}
	}
	s->crowded = true;
}

static void del_writer(struct fi_shadow *s, const struct fi_frame *f)
{
	int i;

	for (i = 0; i < FI_SHADOW_WRITERS; i++) {
		if (s->writer[i] == f)
			s->writer[i] = NULL;
	}
}

/* Has this thread stored to it, or is everybody done who has? */
static bool may_merge(const struct fi_shadow *s)
{
	const struct fi_frame *f;

	for (f = current->fi_frame; f; f = f->prev) {
		if (is_writer(s, f))
			return true;
	}
	return s->crowded || !has_writer(s);
}

/*
 * Merges what is open, if it may; false: the driver has failed. What it stores next
 * opens it again, and what it reads till then is what the kernel makes of it.
 */
static bool sync(struct fi_shadow *s, struct fi_fault *f)
{
	bool ok = true;

	if (s->open && may_merge(s) && !READ_ONCE(s->dom->dead)) {
		ok = fi_merge(s, f);
		unmap(s);
	}
	return ok;
}

static void close_work(struct work_struct *work)
{
	struct fi_shadow *s = container_of(work, struct fi_shadow, close);
	struct fi_fault f = {};
	bool ok = true;

	raw_spin_lock_irq(&s->lock);
	if (!has_writer(s))
		unmap(s);
	raw_spin_unlock_irq(&s->lock);
	/* Behind this no CPU stores to the copy but by map_copy(). */
	arch_fi_flush();
	raw_spin_lock_irq(&s->lock);
	if (s->open && !s->mapped && !has_writer(s) && !READ_ONCE(s->dom->dead)) {
		ok = fi_merge(s, &f);
		if (ok)
			end(s);
	}
	raw_spin_unlock_irq(&s->lock);
	if (!ok)
		condemn(s->dom, &f);
}

/* Under RCU, with IRQs off, or under the mutex. */
static struct fi_shadow *find(struct fi_domain *d, unsigned long addr)
{
	struct fi_shadow *s;

	hlist_for_each_entry_rcu(s, &d->shadows, node, lockdep_is_held(&shadows_lock)) {
		if (s->page == (addr & PAGE_MASK))
			return s;
	}
	return NULL;
}

/* Is any byte of the word configured? If what else is in it changes, merging says so. */
static bool is_configured(const struct fi_shadow *s, unsigned long addr)
{
	return addr >= s->obj && fi_type_is_shadowed(s->type, addr - s->obj, true);
}

/* The next four under the lock. */
static bool is_mapped(const struct fi_shadow *s)
{
	return s->mapped && arch_fi_owned(s->dom->pgt, s->page, true);
}

static bool map_copy(struct fi_shadow *s)
{
	if (s->gone)
		return false;
	if (!s->open)
		begin(s);
	else
		fi_merge_refresh(s);
	if (arch_fi_map_pfn(s->dom->pgt, s->page, page_to_pfn(virt_to_page(s->copy)), FI_PROT_W))
		return false;
	s->mapped = true;
	add_writer(s);
	/* The page may have been writable, see map_object(). */
	arch_fi_flush();
	return true;
}

/* For stores to what is not configured. */
static bool map_object(struct fi_shadow *s, unsigned long addr)
{
	return fi_translated(s->dom) && fi_permmap_test(s->dom->perm, addr, 1) &&
	       !arch_fi_map(s->dom->pgt, s->page, 1, FI_PROT_W);
}

static bool note_store(struct fi_shadow *s, unsigned long addr)
{
	if (s->gone)
		return false;
	if (!s->open)
		begin(s);
	fi_merge_stored(s, addr);
	add_writer(s);
	return true;
}

/* The slow half of fi_shadow_fault(). */
static noinline bool fault(struct fi_shadow *s, unsigned long addr, bool configured)
{
	bool ok;

	raw_spin_lock(&s->lock);
	ok = is_mapped(s) || (configured ? map_copy(s) : map_object(s, addr));
	raw_spin_unlock(&s->lock);
	return ok;
}

/**
 * fi_shadow_fault - a store faulted: is it one into an object with a shadow?
 * @d: domain with a page table of its own
 * @addr: first byte of the store
 *
 * Each store that is carried out asks, so this takes no lock: with IRQs off nobody
 * frees a shadow, see fi_shadow_del().
 *
 * Context: exception in the domain, IRQs off.
 * Return: true: it will not fault again for that reason
 */
bool fi_shadow_fault(struct fi_domain *d, unsigned long addr)
{
	struct fi_shadow *s = find(d, addr);
	bool configured;

	if (likely(!s))
		return false;
	configured = is_configured(s, addr);
	return (configured || fi_translated(d)) && fault(s, addr, configured);
}

/**
 * fi_shadow_ask - a driver whose stores are checked asks for a byte
 * @d: domain
 * @addr: byte that it has no right to
 *
 * Context: exception in the domain, IRQs off.
 * Return: true: it is of an object with a shadow, and may be stored to now
 */
bool fi_shadow_ask(struct fi_domain *d, unsigned long addr)
{
	struct fi_shadow *s = find(d, addr);
	bool ok;

	if (!s || !fi_type_is_shadowed(s->type, addr - s->obj, false))
		return false;
	raw_spin_lock(&s->lock);
	if (is_mapped(s))
		add_writer(s);
	ok = s->in_place ? note_store(s, addr) : is_mapped(s) || map_copy(s);
	raw_spin_unlock(&s->lock);
	return ok;
}

/**
 * fi_shadow_held - does the driver hold an object that is being changed?
 * @d: domain
 * @p: any value
 * @t: type
 *
 * The slow half of fi_obj_held(): the kernel is about to look at the object.
 * Context: any but NMI. Return: false also if what the driver wrote is invalid
 */
bool fi_shadow_held(struct fi_domain *d, const void *p, const struct fi_type *t)
{
	struct fi_fault fault = {};
	struct fi_shadow *s;
	unsigned long flags;
	bool ok;

	guard(rcu)();
	s = find(d, (unsigned long)p);
	if (!s || s->obj != (unsigned long)p || s->type != t || READ_ONCE(s->gone))
		return false;
	raw_spin_lock_irqsave(&s->lock, flags);
	ok = sync(s, &fault);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	if (!ok)
		condemn(d, &fault);
	return ok;
}

static bool leave(struct fi_shadow *s, const struct fi_frame *f)
{
	struct fi_fault fault = {};
	unsigned long flags;
	bool ok, idle;

	raw_spin_lock_irqsave(&s->lock, flags);
	ok = sync(s, &fault);
	del_writer(s, f);
	idle = s->open && !has_writer(s) && !READ_ONCE(s->dom->dead);
	/* In place nothing tells of the stores of one that has no entry. */
	if (ok && idle && s->in_place && !s->crowded)
		end(s);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	if (!ok)
		condemn(s->dom, &fault);
	else if (idle && !s->in_place)
		queue_work(system_wq, &s->close);
	return ok;
}

/**
 * fi_shadow_leave - a crossing ends while a shadow is not closed
 * @f: the crossing
 *
 * What this thread stores next will fault. Another one that is inside may go on storing
 * to the copy until it leaves, which then merges, or the work does.
 *
 * Context: any but NMI. Return: false: something is invalid, the domain has failed
 */
bool fi_shadow_leave(const struct fi_frame *f)
{
	struct fi_shadow *s;
	bool ok = true;

	guard(rcu)();
	hlist_for_each_entry_rcu(s, &f->dom->shadows, node) {
		if (READ_ONCE(s->open))
			ok &= leave(s, f);
	}
	return ok;
}

static void discard(struct fi_shadow *s)
{
	raw_spin_lock_irq(&s->lock);
	if (s->open) {
		fi_merge_restore(s);
		unmap(s);
		end(s);
	}
	raw_spin_unlock_irq(&s->lock);
}

/**
 * fi_shadow_discard_all - what a driver wrote before it failed is forgotten
 * @d: a domain with nobody inside
 *
 * Context: may sleep.
 */
void fi_shadow_discard_all(struct fi_domain *d)
{
	struct fi_shadow *s;

	guard(mutex)(&shadows_lock);
	hlist_for_each_entry(s, &d->shadows, node)
		discard(s);
	arch_fi_flush();
}

static void destroy(struct fi_shadow *s)
{
	free_page((unsigned long)s->copy);
	free_page((unsigned long)s->snap);
	free_page((unsigned long)s->new);
	kfree(s);
}

/**
 * fi_shadow_add - stores into an object go to a copy
 * @d: domain, which holds the object
 * @obj: alone on its page; if it has more than one, or the page is none of the
 *	direct map, it gets no shadow and is changed in place
 * @t: its type
 *
 * Context: may sleep. Return: 0 or -ENOMEM
 */
int fi_shadow_add(struct fi_domain *d, void *obj, const struct fi_type *t)
{
	struct fi_shadow *s;
	char name[64];

	if (offset_in_page(obj) + t->size > PAGE_SIZE || !virt_addr_valid(obj))
		return 0;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	scnprintf(name, sizeof(name), "%s being changed", t->name);
	s->dom = d;
	s->type = t;
	s->hidden = fi_type_get(name, 0, NULL, 0);
	s->obj = (unsigned long)obj;
	s->page = s->obj & PAGE_MASK;
	s->in_place = !d->pgt;
	raw_spin_lock_init(&s->lock);
	INIT_WORK(&s->close, close_work);
	s->copy = (u8 *)get_zeroed_page(GFP_KERNEL);
	s->snap = (u8 *)get_zeroed_page(GFP_KERNEL);
	s->new = (u8 *)get_zeroed_page(GFP_KERNEL);
	if (!s->copy || !s->snap || !s->new || !fi_type_is_known(s->hidden)) {
		destroy(s);
		return -ENOMEM;
	}
	guard(mutex)(&shadows_lock);
	hlist_add_head_rcu(&s->node, &d->shadows);
	return 0;
}
EXPORT_SYMBOL_GPL(fi_shadow_add);

/**
 * fi_shadow_del - the opposite, before the object is given up
 * @d: domain
 * @obj: any value
 *
 * What was not merged is lost. Context: may sleep.
 */
void fi_shadow_del(struct fi_domain *d, const void *obj)
{
	struct fi_shadow *s;

	mutex_lock(&shadows_lock);
	s = find(d, (unsigned long)obj & PAGE_MASK);
	if (s)
		hlist_del_rcu(&s->node);
	mutex_unlock(&shadows_lock);
	if (!s)
		return;
	WRITE_ONCE(s->gone, true);
	discard(s);
	arch_fi_flush();
	/* Faults and lookups find shadows under RCU, and may queue the work. */
	synchronize_rcu();
	cancel_work_sync(&s->close);
	destroy(s);
}
EXPORT_SYMBOL_GPL(fi_shadow_del);
