// SPDX-License-Identifier: GPL-2.0-only
/*
 * Permission map of a domain: one bit per byte of kernel address space, sparse.
 */
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "fi.h"

/* Bitmaps a domain may have: 8 MiB of it, for 64 MiB of granted pages. */
#define PERMMAP_LIMIT	(SZ_64M / PAGE_SIZE)

/**
 * struct perm_page - the bytes of one page
 * @bits: bit n set: byte n may be written. Changed under the xarray's lock,
 *	read without: a word is old or new.
 * @rcu: empty pages leave the map first and are freed a grace period later,
 *	because fi_permmap_test() may still read them
 */
struct perm_page {
	unsigned long bits[BITS_TO_LONGS(PAGE_SIZE)];
	struct rcu_head rcu;
};

/**
 * struct fi_permmap - see fi_permmap_create()
 * @pages: virtual address / PAGE_SIZE -> struct perm_page. Its lock is taken
 *	with IRQs off: grants come and go in interrupts.
 * @nr: pages in the map, under the lock
 */
struct fi_permmap {
	struct xarray pages;
	unsigned int nr;
};

static struct kmem_cache *perm_page_cache;

static int __init permmap_init(void)
{
	perm_page_cache = KMEM_CACHE(perm_page, SLAB_PANIC);
	return 0;
}
core_initcall(permmap_init);

/* The part of [*addr, *addr + *len) that lies in one page, cut off. */
static void take_page(unsigned long *addr, size_t *len, unsigned long *idx,
		      unsigned int *off, unsigned int *n)
{
	*idx = *addr >> PAGE_SHIFT;
	*off = offset_in_page(*addr);
	*n = min_t(size_t, *len, PAGE_SIZE - *off);
	*addr += *n;
	*len -= *n;
}

static bool bad_range(unsigned long addr, size_t len)
{
	return len && addr + len - 1 < addr;
}

/**
 * fi_permmap_create - an empty map
 *
 * Context: may sleep. Return: the map or NULL.
 */
struct fi_permmap *fi_permmap_create(void)
{
	struct fi_permmap *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (m)
		xa_init_flags(&m->pages, XA_FLAGS_LOCK_IRQ);
	return m;
}

/**
 * fi_permmap_destroy - frees a map that nobody tests any more
 * @m: the map, or NULL
 *
 * Context: may sleep.
 */
void fi_permmap_destroy(struct fi_permmap *m)
{
	struct perm_page *p;
	unsigned long idx;

	if (!m)
		return;
	xa_for_each(&m->pages, idx, p)
		kmem_cache_free(perm_page_cache, p);
	xa_destroy(&m->pages);
	kfree(m);
}

/* Under the lock. Removes the page if none of its bytes is granted. */
static void drop_if_empty(struct fi_permmap *m, unsigned long idx, struct perm_page *p)
{
	if (!bitmap_empty(p->bits, PAGE_SIZE))
		return;
	__xa_erase(&m->pages, idx);
	m->nr--;
	kfree_rcu(p, rcu);
}

static int add_page(struct fi_permmap *m, unsigned long idx)
{
	struct perm_page *p;
	int ret;

	if (xa_load(&m->pages, idx))
		return 0;
	if (m->nr >= PERMMAP_LIMIT)
		return -ENOSPC;
	p = kmem_cache_zalloc(perm_page_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!p)
		return -ENOMEM;
	/* GFP_ATOMIC: the lock is not dropped. */
	ret = xa_err(__xa_store(&m->pages, idx, p, GFP_ATOMIC | __GFP_NOWARN));
	if (ret)
		kmem_cache_free(perm_page_cache, p);
	else
		m->nr++;
	return ret;
}

/* Under the lock. After an error no page is left that it added. */
static int fill_range(struct fi_permmap *m, unsigned long first, unsigned long last)
{
	unsigned long idx;
	int ret;

	for (idx = first; idx <= last; idx++) {
		ret = add_page(m, idx);
		if (ret)
			goto undo;
	}
	return 0;
undo:
	while (idx-- > first)
		drop_if_empty(m, idx, xa_load(&m->pages, idx));
	return ret;
}

/**
 * fi_permmap_set - grants [@addr, @addr + @len)
 * @m: the map
 * @addr: first byte
 * @len: bytes; 0 does nothing
 *
 * All or nothing. Rights are not counted: granting twice and revoking once
 * leaves none.
 *
 * Context: any but NMI. Return: 0, -EINVAL (the range wraps), -ENOSPC (the map
 * has reached its limit) or -ENOMEM.
 */
int fi_permmap_set(struct fi_permmap *m, unsigned long addr, size_t len)
{
	unsigned long idx, flags;
	unsigned int off, n;
	int ret;

	if (bad_range(addr, len) || len > PERMMAP_LIMIT * PAGE_SIZE)
		return -EINVAL;
	if (!len)
		return 0;
	xa_lock_irqsave(&m->pages, flags);
	ret = fill_range(m, addr >> PAGE_SHIFT, (addr + len - 1) >> PAGE_SHIFT);
	while (!ret && len) {
		struct perm_page *p;

		take_page(&addr, &len, &idx, &off, &n);
		p = xa_load(&m->pages, idx);
		bitmap_set(p->bits, off, n);
	}
	xa_unlock_irqrestore(&m->pages, flags);
	return ret;
}

/**
 * fi_permmap_clear - revokes [@addr, @addr + @len), granted or not
 * @m: the map
 * @addr: first byte
 * @len: bytes
 *
 * Context: any but NMI. A fi_permmap_test() that runs on another CPU may still
 * say yes for the moment.
 */
void fi_permmap_clear(struct fi_permmap *m, unsigned long addr, size_t len)
{
	unsigned long idx, flags;
	unsigned int off, n;

	if (bad_range(addr, len))
		return;
	xa_lock_irqsave(&m->pages, flags);
	while (len) {
		struct perm_page *p;

		take_page(&addr, &len, &idx, &off, &n);
		p = xa_load(&m->pages, idx);
		if (!p)
			continue;
		bitmap_clear(p->bits, off, n);
		drop_if_empty(m, idx, p);
	}
	xa_unlock_irqrestore(&m->pages, flags);
}

static bool page_test(struct fi_permmap *m, unsigned long idx,
		      unsigned int off, unsigned int n)
{
	struct perm_page *p = xa_load(&m->pages, idx);

	return p && find_next_zero_bit(p->bits, off + n, off) >= off + n;
}

/**
 * fi_permmap_test - are all bytes of [@addr, @addr + @len) granted?
 * @m: the map
 * @addr: first byte
 * @len: bytes; 0 is granted
 *
 * Context: any, also NMI; takes no lock.
 */
bool fi_permmap_test(struct fi_permmap *m, unsigned long addr, size_t len)
{
	unsigned long idx;
	unsigned int off, n;
	bool ok = !bad_range(addr, len);

	rcu_read_lock();
	while (ok && len) {
		take_page(&addr, &len, &idx, &off, &n);
		ok = page_test(m, idx, off, n);
	}
	rcu_read_unlock();
	return ok;
}
