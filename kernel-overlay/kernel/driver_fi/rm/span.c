// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects by page: finds the object that a store hits when its address does
 * not lead there (objects inside others, on whole pages, in vmalloc space).
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "rm.h"

/**
 * struct span - an object and one page that it touches
 * @next: the next in that page; newest first
 * @addr: start of the object
 * @type: its type
 * @rcu: readers may still stand on a removed span
 */
struct span {
	struct span __rcu *next;
	unsigned long addr;
	const struct fi_type *type;
	struct rcu_head rcu;
};

void fi_spans_init(struct fi_spans *s)
{
	xa_init_flags(&s->pages, XA_FLAGS_LOCK_IRQ);
	spin_lock_init(&s->lock);
}

/* Every object was removed before. */
void fi_spans_exit(struct fi_spans *s)
{
	WARN_ON_ONCE(!xa_empty(&s->pages));
	xa_destroy(&s->pages);
}

static unsigned long first_page(unsigned long addr)
{
	return addr >> PAGE_SHIFT;
}

static unsigned long last_page(unsigned long addr, const struct fi_type *t)
{
	return (addr + t->size - 1) >> PAGE_SHIFT;
}

static int add_span(struct fi_spans *s, unsigned long idx, unsigned long addr,
		    const struct fi_type *t)
{
	struct span *n = kmalloc(sizeof(*n), GFP_ATOMIC | __GFP_NOWARN);
	int ret;

	if (!n)
		return -ENOMEM;
	n->addr = addr;
	n->type = t;
	RCU_INIT_POINTER(n->next, xa_load(&s->pages, idx));
	/* Publishes: xa_store() assigns with release order. */
	ret = xa_err(xa_store(&s->pages, idx, n, GFP_ATOMIC | __GFP_NOWARN));
	if (ret)
		kfree(n);
	return ret;
}

/* Under the lock. A page's first span is in the xarray, others in @next. */
static void del_span(struct fi_spans *s, unsigned long idx, unsigned long addr,
		     const struct fi_type *t)
{
	struct span *prev = NULL, *n, *next;

	for (n = xa_load(&s->pages, idx); n; prev = n, n = next) {
		next = rcu_dereference_protected(n->next, lockdep_is_held(&s->lock));
		if (n->addr != addr || n->type != t)
			continue;
		if (prev)
			rcu_assign_pointer(prev->next, next);
		else if (next)	/* replaces an entry: allocates nothing */
			xa_store(&s->pages, idx, next, GFP_ATOMIC);
		else
			xa_erase(&s->pages, idx);
		kfree_rcu(n, rcu);
		return;
	}
}

/* Context: any but NMI. Return: 0 or -ENOMEM, after which nothing was added. */
int fi_spans_add(struct fi_spans *s, unsigned long addr, const struct fi_type *t)
{
	unsigned long idx, flags;
	int ret = 0;

	spin_lock_irqsave(&s->lock, flags);
	for (idx = first_page(addr); idx <= last_page(addr, t); idx++) {
		ret = add_span(s, idx, addr, t);
		if (ret)
			break;
	}
	while (ret && idx-- > first_page(addr))
		del_span(s, idx, addr, t);
	spin_unlock_irqrestore(&s->lock, flags);
	return ret;
}

/* Context: any but NMI. */
void fi_spans_del(struct fi_spans *s, unsigned long addr, const struct fi_type *t)
{
	unsigned long idx, flags;

	spin_lock_irqsave(&s->lock, flags);
	for (idx = first_page(addr); idx <= last_page(addr, t); idx++)
		del_span(s, idx, addr, t);
	spin_unlock_irqrestore(&s->lock, flags);
}

/* Context: any; takes no lock. */
bool fi_spans_may_lock(struct fi_spans *s, unsigned long addr)
{
	bool ok = false;
	struct span *n;

	rcu_read_lock();
	for (n = xa_load(&s->pages, first_page(addr)); n && !ok;
	     n = rcu_dereference(n->next))
		ok = addr >= n->addr && fi_type_may_lock(n->type, addr - n->addr);
	rcu_read_unlock();
	return ok;
}

/* Context: any; takes no lock. */
bool fi_spans_may_store(struct fi_spans *s, unsigned long addr, u32 len, u64 *mask)
{
	bool ok = false;
	struct span *n;

	rcu_read_lock();
	for (n = xa_load(&s->pages, first_page(addr)); n && !ok;
	     n = rcu_dereference(n->next))
		ok = addr >= n->addr &&
		     fi_type_may_store(n->type, addr - n->addr, len, mask);
	rcu_read_unlock();
	return ok;
}

/* Context: any; takes no lock. */
bool fi_spans_hit(struct fi_spans *s, unsigned long addr, struct fi_hit *hit)
{
	bool found = false;
	struct span *n;

	rcu_read_lock();
	for (n = xa_load(&s->pages, first_page(addr)); n && !found;
	     n = rcu_dereference(n->next)) {
		found = addr - n->addr < n->type->size;
		if (found)
			*hit = (struct fi_hit){
				.type = n->type->name, .start = n->addr,
				.size = n->type->size,
			};
	}
	rcu_read_unlock();
	return found;
}
