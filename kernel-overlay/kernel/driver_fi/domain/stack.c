// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks of a domain: the pool behind the few that each CPU keeps (fi_cpu).
 *
 * A thread may sleep inside an import and wake up on another CPU, so a stack
 * belongs to a crossing, not to a CPU. Each has unmapped pages below it.
 */
#include <linux/kmemleak.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/driver_fi.h>

#include "domain.h"
#include "stack.h"

#define FI_STACKS_PER_CPU	6
#define FI_STACKS_EXTRA		10

/**
 * struct fi_stacks - the pool
 * @lock: protects @nr and @free
 * @nr: free stacks in @free
 * @total: stacks made
 */
struct fi_stacks {
	raw_spinlock_t lock;
	unsigned int nr, total;
	void **all;
	unsigned long free[];
};

unsigned long __fi_stack_get(struct fi_domain *d)
{
	struct fi_stacks *p = d->stacks;
	unsigned long top = 0;

	raw_spin_lock(&p->lock);
	if (p->nr)
		top = p->free[--p->nr];
	raw_spin_unlock(&p->lock);
	return top;
}

void __fi_stack_put(struct fi_domain *d, unsigned long top)
{
	struct fi_stacks *p = d->stacks;

	raw_spin_lock(&p->lock);
	p->free[p->nr++] = top;
	raw_spin_unlock(&p->lock);
}

/*
 * Is @addr in the guard below, or just above, the stack that ends at @top? Or where
 * a copy of a return address would say that there is too little left of it?
 */
bool fi_stack_guard_hit(struct fi_domain *d, unsigned long top, unsigned long addr)
{
	unsigned long base = top - FI_STACK_SIZE;
	unsigned long deny = base - FI_STACK_GUARD - FI_STACK_TWIN;

	if (fi_on_kernel_pgt(d) && addr >= deny && addr < deny + FI_STACK_DENY)
		return true;
	return (addr < base && addr >= base - FI_STACK_GUARD) ||
	       (addr >= top && addr < top + PAGE_SIZE);
}

/* Bytes that back the pool, for the figures of a domain. */
size_t fi_stacks_bytes(const struct fi_domain *d)
{
	size_t below = FI_STACK_GUARD + (fi_translated(d) ? FI_STACK_TWIN : 0);

	return d->stacks->total * (below + FI_STACK_SIZE);
}

void fi_stacks_destroy(struct fi_domain *d)
{
	struct fi_stacks *p = d->stacks;
	unsigned int i;

	if (!p)
		return;
	for (i = 0; i < p->total; i++)
		fi_area_free(d, p->all[i]);
	kfree(p->all);
	kfree(p);
	d->stacks = NULL;
}

/* A frame, what a check pushes, and a fault have to have room. */
static_assert((FI_STACK_ROOM) > FI_STACK_MAX_FRAME + 1024);

/* Pages that nobody may touch; @s is the lowest address, @below the stack itself. */
static void fi_stack_guard(struct fi_domain *d, void *s, size_t below)
{
	unsigned long guard = (unsigned long)s + below - FI_STACK_GUARD;

	if (!fi_on_kernel_pgt(d)) {
		arch_fi_unmap(d->pgt, guard, FI_STACK_GUARD >> PAGE_SHIFT);
		return;
	}
	/* The pages stay the area's: it is freed as a whole. */
	kmemleak_no_scan(s);
	vunmap_range(guard, guard + FI_STACK_GUARD);
	vunmap_range((unsigned long)s, (unsigned long)s + FI_STACK_DENY);
}

/* Context: may sleep. Return: 0 or -ENOMEM */
int fi_stacks_create(struct fi_domain *d)
{
	unsigned int want = num_possible_cpus() * FI_STACKS_PER_CPU + FI_STACKS_EXTRA;
	size_t below = FI_STACK_GUARD + (fi_translated(d) ? FI_STACK_TWIN : 0);
	struct fi_stacks *p = kzalloc(struct_size(p, free, want), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	d->stacks = p;
	raw_spin_lock_init(&p->lock);
	p->all = kcalloc(want, sizeof(*p->all), GFP_KERNEL);
	if (!p->all)
		goto fail;
	while (p->total < want) {
		void *s = fi_area_alloc(d, below + FI_STACK_SIZE, GFP_KERNEL);

		if (!s)
			goto fail;
		p->all[p->total++] = s;
		p->free[p->nr++] = (unsigned long)s + below + FI_STACK_SIZE;
		/* Return addresses are copied there, by no store that is checked. */
		fi_mem_revoke(d, s, below);
		fi_stack_guard(d, s, below);
	}
	arch_fi_flush();
	return 0;
fail:
	fi_stacks_destroy(d);
	return -ENOMEM;
}
