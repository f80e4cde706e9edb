// SPDX-License-Identifier: GPL-2.0-only
/*
 * Permission map of a domain: one bit per byte of kernel address space, sparse.
 *
 * A page of the map tells about 32 KiB. Where the driver runs translated, the
 * same pages are mapped, read-only, into its page table (in mode dbi into the
 * kernel's) at a fixed address for the checks that stand in the driver's code:
 * the bit of byte a is bit a & 7 of the byte at (a >> 3, arithmetic) +
 * FI_MAP_DISP.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <asm/driver_fi.h>
#include <asm/tlbflush.h>

#include "fi.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "driver_fi."

/* 8 MiB are for 64 MiB of address space with grants. */
static unsigned int map_kib = SZ_8M / SZ_1K;
module_param(map_kib, uint, 0644);
MODULE_PARM_DESC(map_kib, "KiB that the permission map of a driver may have, when it is loaded");

/* Pages that are found without a walk: every packet asks for the same few. */
#define RECENT_BITS	9

/**
 * struct fi_permmap - see fi_permmap_create()
 * @pages: virtual address / FI_PERM_SPAN -> page of bits. Bit n set: byte n
 *	may be written. Changed under the xarray's lock, read without: a word is
 *	old or new. The lock is taken with IRQs off: grants come in interrupts.
 *	Pages that became empty stay until the limit is reached or a restart is
 *	over; then they leave the map and are freed a grace period later, because
 *	fi_permmap_test() and translated code may still read them.
 * @recent: by hash, pages of the map; page->private is its index in @pages.
 *	Filled under the lock, so no entry outlives its page.
 * @nr: pages in the map, under the lock
 * @limit: pages it may have
 * @pgt: page table that it is mapped in if @mapped; NULL: the kernel's
 * @mapped: translated code reads it
 * @gone: pages that left the map while TLBs may still have them, under the lock
 * @reaper: flushes, and frees these
 */
struct fi_permmap {
	struct xarray pages;
	struct page *recent[1 << RECENT_BITS];
	unsigned int nr;
	unsigned int limit;
	struct fi_pgtable *pgt;
	bool mapped;
	struct list_head gone;
	struct work_struct reaper;
};

/* The bits of @idx if they are at hand, else NULL. Under the lock or RCU. */
static unsigned long *recent_bits(struct fi_permmap *m, unsigned long idx)
{
	struct page *page = READ_ONCE(m->recent[hash_long(idx, RECENT_BITS)]);

	return likely(page && page_private(page) == idx) ? page_address(page) : NULL;
}

/* Under the lock or RCU. */
static unsigned long *find_bits(struct fi_permmap *m, unsigned long idx)
{
	return recent_bits(m, idx) ?: xa_load(&m->pages, idx);
}

/* Under the lock. */
static unsigned long *find_bits_locked(struct fi_permmap *m, unsigned long idx)
{
	unsigned long *bits = recent_bits(m, idx);

	if (likely(bits))
		return bits;
	bits = xa_load(&m->pages, idx);
	if (bits)
		WRITE_ONCE(m->recent[hash_long(idx, RECENT_BITS)], virt_to_page(bits));
	return bits;
}

/* Under the lock: @idx leaves the map. */
static void forget_recent(struct fi_permmap *m, unsigned long idx, const void *bits)
{
	struct page **slot = &m->recent[hash_long(idx, RECENT_BITS)];

	if (*slot == virt_to_page(bits))
		WRITE_ONCE(*slot, NULL);
}

/* What the compiler makes of memset() is slow for the few words of a packet. */
static void fill_words(unsigned long *to, unsigned int n, unsigned long with)
{
	for (; n >= 4; n -= 4, to += 4) {
		WRITE_ONCE(to[0], with);
		WRITE_ONCE(to[1], with);
		WRITE_ONCE(to[2], with);
		WRITE_ONCE(to[3], with);
	}
	while (n--)
		WRITE_ONCE(*to++, with);
}

/* As bitmap_set() and bitmap_clear(). */
static void fill_bits(unsigned long *bits, unsigned int off, unsigned int n, bool set)
{
	if (likely(!((off | n) % BITS_PER_LONG)))
		fill_words(bits + off / BITS_PER_LONG, n / BITS_PER_LONG, set ? ~0UL : 0);
	else if (set)
		bitmap_set(bits, off, n);
	else
		bitmap_clear(bits, off, n);
}

/* The part of [*addr, *addr + *len) that lies in one page, cut off. */
static void take_page(unsigned long *addr, size_t *len, unsigned long *idx,
		      unsigned int *off, unsigned int *n)
{
	*idx = *addr / FI_PERM_SPAN;
	*off = *addr % FI_PERM_SPAN;
	*n = min_t(size_t, *len, FI_PERM_SPAN - *off);
	*addr += *n;
	*len -= *n;
}

static bool bad_range(unsigned long addr, size_t len)
{
	return len && addr + len - 1 < addr;
}

/* Where translated code reads the bits of [@idx * FI_PERM_SPAN, + FI_PERM_SPAN). */
static unsigned long map_va(unsigned long idx)
{
	return ((long)(idx * FI_PERM_SPAN) >> 3) + FI_MAP_DISP;
}

static int map_page(struct fi_permmap *m, unsigned long va, struct page *page)
{
	return m->pgt ? arch_fi_map_pfn(m->pgt, va, page_to_pfn(page), 0) :
			arch_fi_kmap(va, page_to_pfn(page));
}

/*
 * No CPU that reads the kernel's page table tells when it has forgotten what it
 * was, so pages wait here for a flush of all TLBs.
 */
static void reap(struct work_struct *work)
{
	struct fi_permmap *m = container_of(work, struct fi_permmap, reaper);
	struct page *page, *next;
	LIST_HEAD(gone);

	xa_lock_irq(&m->pages);
	list_splice_init(&m->gone, &gone);
	xa_unlock_irq(&m->pages);
	flush_tlb_all();
	/* fi_permmap_test() may be reading one. */
	synchronize_rcu();
	list_for_each_entry_safe(page, next, &gone, lru)
		__free_page(page);
}

/**
 * fi_permmap_create - an empty map
 * @pgt: page table of the domain, or NULL: the kernel's
 * @mapped: the domain's code is translated and reads the map
 *
 * It may grow to driver_fi.map_kib. Context: may sleep. Return: the map or NULL.
 */
struct fi_permmap *fi_permmap_create(struct fi_pgtable *pgt, bool mapped)
{
	struct fi_permmap *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (m) {
		xa_init_flags(&m->pages, XA_FLAGS_LOCK_IRQ);
		m->pgt = pgt;
		m->mapped = mapped;
		m->limit = READ_ONCE(map_kib) / (PAGE_SIZE / SZ_1K);
		INIT_LIST_HEAD(&m->gone);
		INIT_WORK(&m->reaper, reap);
	}
	return m;
}

static void free_bits(struct rcu_head *head)
{
	__free_page(container_of(head, struct page, rcu_head));
}

/* Under the lock. */
static void drop(struct fi_permmap *m, unsigned long idx, void *bits)
{
	__xa_erase(&m->pages, idx);
	forget_recent(m, idx, bits);
	m->nr--;
	if (m->mapped && !m->pgt) {
		arch_fi_kunmap(map_va(idx));
		list_add(&virt_to_page(bits)->lru, &m->gone);
		return;
	}
	if (m->pgt)
		arch_fi_unmap(m->pgt, map_va(idx), 1);
	/*
	 * A CPU that runs translated code takes an interrupt before the grace
	 * period ends, and on its way back sees that arch_fi_flush() was called.
	 */
	call_rcu(&virt_to_page(bits)->rcu_head, free_bits);
}

/* Under the lock. */
static void drop_empty(struct fi_permmap *m)
{
	unsigned long idx;
	void *bits;

	xa_for_each(&m->pages, idx, bits) {
		if (bitmap_empty(bits, FI_PERM_SPAN))
			drop(m, idx, bits);
	}
	if (m->pgt)
		arch_fi_flush();
	else if (!list_empty(&m->gone))
		schedule_work(&m->reaper);
}

/**
 * fi_permmap_trim - gives back the pages that grant nothing
 * @m: the map, or NULL
 *
 * After much was revoked. Context: any but NMI.
 */
void fi_permmap_trim(struct fi_permmap *m)
{
	unsigned long flags;

	if (!m)
		return;
	xa_lock_irqsave(&m->pages, flags);
	drop_empty(m);
	xa_unlock_irqrestore(&m->pages, flags);
}

static void drop_all(struct fi_permmap *m)
{
	unsigned long idx;
	void *bits;

	xa_lock_irq(&m->pages);
	xa_for_each(&m->pages, idx, bits)
		drop(m, idx, bits);
	xa_unlock_irq(&m->pages);
}

/**
 * fi_permmap_destroy - frees a map that nobody tests any more
 * @m: the map, or NULL
 *
 * Context: may sleep.
 */
void fi_permmap_destroy(struct fi_permmap *m)
{
	unsigned long idx;
	void *bits;

	if (!m)
		return;
	if (m->mapped && !m->pgt) {
		drop_all(m);
		cancel_work_sync(&m->reaper);
		reap(&m->reaper);
	}
	xa_for_each(&m->pages, idx, bits)
		free_page((unsigned long)bits);
	xa_destroy(&m->pages);
	kfree(m);
}

/* Under the lock. */
static int add_page(struct fi_permmap *m, unsigned long idx)
{
	void *bits;
	int ret;

	if (m->nr >= m->limit)
		return -ENOSPC;
	if (m->mapped && !arch_fi_is_hole(map_va(idx)))
		return -EBUSY;
	bits = (void *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);
	if (!bits)
		return -ENOMEM;
	set_page_private(virt_to_page(bits), idx);
	/* GFP_ATOMIC: the lock is not dropped. */
	ret = xa_err(__xa_store(&m->pages, idx, bits, GFP_ATOMIC | __GFP_NOWARN));
	if (ret)
		goto free;
	if (m->mapped)
		ret = map_page(m, map_va(idx), virt_to_page(bits));
	if (ret)
		goto erase;
	m->nr++;
	return 0;
erase:
	__xa_erase(&m->pages, idx);
free:
	free_page((unsigned long)bits);
	return ret;
}

/* Under the lock. Pages that an attempt in vain added are empty. */
static int fill_range(struct fi_permmap *m, unsigned long first, unsigned long last)
{
	bool collected = false;
	unsigned long idx = first;
	int ret = 0;

	while (!ret && idx <= last) {
		if (likely(find_bits_locked(m, idx))) {
			idx++;
			continue;
		}
		ret = add_page(m, idx);
		if (ret == -ENOSPC && !collected) {
			/* It may take what this very call has added. */
			collected = true;
			drop_empty(m);
			idx = first;
			ret = 0;
		}
	}
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
 * has reached its limit), -EBUSY (the kernel has something where the domain would
 * see the map) or -ENOMEM.
 */
int fi_permmap_set(struct fi_permmap *m, unsigned long addr, size_t len)
{
	unsigned long idx, flags;
	unsigned int off, n;
	int ret;

	if (bad_range(addr, len))
		return -EINVAL;
	if (len / FI_PERM_SPAN > m->limit)
		return -ENOSPC;
	if (!len)
		return 0;
	xa_lock_irqsave(&m->pages, flags);
	ret = fill_range(m, addr / FI_PERM_SPAN, (addr + len - 1) / FI_PERM_SPAN);
	while (!ret && len) {
		take_page(&addr, &len, &idx, &off, &n);
		fill_bits(find_bits_locked(m, idx), off, n, true);
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
		unsigned long *bits;

		take_page(&addr, &len, &idx, &off, &n);
		bits = find_bits_locked(m, idx);
		if (bits)
			fill_bits(bits, off, n, false);
	}
	xa_unlock_irqrestore(&m->pages, flags);
}

/* Bits @start on of @bits, up to a word of them. */
static unsigned long take_word(const unsigned long *bits, unsigned int start, unsigned int nr)
{
	unsigned long w = bits[start / BITS_PER_LONG] >> start % BITS_PER_LONG;

	if (start % BITS_PER_LONG && start / BITS_PER_LONG + 1 < BITS_TO_LONGS(nr))
		w |= bits[start / BITS_PER_LONG + 1] << (BITS_PER_LONG - start % BITS_PER_LONG);
	return start + BITS_PER_LONG > nr ? w & BITMAP_LAST_WORD_MASK(nr - start) : w;
}

/*
 * The quick way of fi_permmap_apply(), under the lock: an object at a multiple of 64,
 * in one page of the map. Slab objects of the network stack are.
 */
static void apply_words(unsigned long *to, const unsigned long *bits, unsigned int nr,
			bool grant)
{
	unsigned int i, whole = nr / BITS_PER_LONG;
	unsigned long rest = 0;

	if (nr % BITS_PER_LONG)
		rest = bits[whole] & BITMAP_LAST_WORD_MASK(nr);
	if (grant) {
		for (i = 0; i < whole; i++)
			to[i] |= bits[i];
		if (rest)
			to[i] |= rest;
	} else {
		for (i = 0; i < whole; i++)
			to[i] &= ~bits[i];
		if (rest)
			to[i] &= ~rest;
	}
}

/**
 * fi_permmap_apply - grants or revokes those bytes of an object that a bitmap names
 * @m: the map
 * @addr: the object
 * @bits: bit n: byte n of it
 * @nr: its size
 * @grant: or revoke
 *
 * Context: any but NMI. Return: as fi_permmap_set()
 */
int fi_permmap_apply(struct fi_permmap *m, unsigned long addr, const unsigned long *bits,
		     unsigned int nr, bool grant)
{
	unsigned long flags, *quick;
	unsigned int done = 0, n;
	int ret = 0;

	if (!nr || bad_range(addr, nr))
		return -EINVAL;
	xa_lock_irqsave(&m->pages, flags);
	quick = recent_bits(m, addr / FI_PERM_SPAN);
	if (likely(quick && !(addr % BITS_PER_LONG) &&
		   addr % FI_PERM_SPAN + nr <= FI_PERM_SPAN)) {
		apply_words(quick + addr % FI_PERM_SPAN / BITS_PER_LONG, bits, nr, grant);
		goto out;
	}
	if (grant)
		ret = fill_range(m, addr / FI_PERM_SPAN, (addr + nr - 1) / FI_PERM_SPAN);
	for (; !ret && done < nr; done += n) {
		unsigned long at = addr + done, off = at % FI_PERM_SPAN;
		unsigned long *page = find_bits_locked(m, at / FI_PERM_SPAN), w;

		/* To the next word of the map. */
		n = min_t(unsigned int, nr - done, BITS_PER_LONG - off % BITS_PER_LONG);
		if (!page)
			continue;
		w = take_word(bits, done, nr) & BITMAP_LAST_WORD_MASK(n);
		w <<= off % BITS_PER_LONG;
		if (grant)
			page[off / BITS_PER_LONG] |= w;
		else
			page[off / BITS_PER_LONG] &= ~w;
	}
out:
	xa_unlock_irqrestore(&m->pages, flags);
	return ret;
}

/* As find_next_zero_bit() says it, for runs that are mostly set. */
static bool all_set(const unsigned long *bits, unsigned int off, unsigned int n)
{
	unsigned int w = off / BITS_PER_LONG, last = (off + n - 1) / BITS_PER_LONG;
	unsigned long first = BITMAP_FIRST_WORD_MASK(off);
	unsigned long end = BITMAP_LAST_WORD_MASK(off + n);

	if (w == last)
		return !(~bits[w] & first & end);
	if (~bits[w] & first || ~bits[last] & end)
		return false;
	for (w++; w + 4 <= last; w += 4) {
		if (~(bits[w] & bits[w + 1] & bits[w + 2] & bits[w + 3]))
			return false;
	}
	for (; w < last; w++) {
		if (~bits[w])
			return false;
	}
	return true;
}

static bool page_test(struct fi_permmap *m, unsigned long idx,
		      unsigned int off, unsigned int n)
{
	const unsigned long *bits = find_bits(m, idx);

	return bits && all_set(bits, off, n);
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

	rcu_read_lock_sched();
	while (ok && len) {
		take_page(&addr, &len, &idx, &off, &n);
		ok = page_test(m, idx, off, n);
	}
	rcu_read_unlock_sched();
	return ok;
}

/**
 * fi_permmap_fault - translated code could not read the map
 * @m: the map
 * @at: address that it read
 *
 * Where there is no page of the map nothing is granted: zeros are mapped, so
 * that the check finds that out. Context: any but NMI.
 * Return: true: try again. False: @at is not in the map
 */
bool fi_permmap_fault(struct fi_permmap *m, unsigned long at)
{
	unsigned long addr = (at - FI_MAP_DISP) << 3, flags;
	bool ok = false;

	/* A domain's own places would tell of addresses where there is never anything. */
	if (at >= FI_VA_START && at < FI_VA_END)
		return false;
	if (!m->mapped || addr < PAGE_OFFSET || !arch_fi_is_hole(at & PAGE_MASK))
		return false;
	xa_lock_irqsave(&m->pages, flags);
	/* A page came meanwhile, or a walk was cached from before it came. */
	ok = xa_load(&m->pages, addr / FI_PERM_SPAN) ||
	     !map_page(m, at & PAGE_MASK, ZERO_PAGE(0));
	xa_unlock_irqrestore(&m->pages, flags);
	return ok;
}

/* Pages in the map, for the figures of a domain. */
unsigned int fi_permmap_pages(const struct fi_permmap *m)
{
	return READ_ONCE(m->nr);
}
