// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of driver domains: the kernel's, with less rights.
 *
 * A domain PGD is the kernel half of swapper_pg_dir with write permission
 * cleared and no-execute set in each entry. Permissions AND over the levels
 * (SDM vol. 3, 4.6), so the lower tables stay shared with the kernel and stay
 * current by themselves. Where a domain has rights of its own, the path to the
 * page is private: copies of the kernel's tables with each entry stripped.
 *
 * Private copies must never hide what the entry code needs, so no path into
 * the vmalloc range (kernel stacks) is ever made private. A private path into
 * the direct map can only lack memory that was added later, one into module
 * space only modules loaded later; both are read through faults that
 * arch_fi_repair() mends. What the kernel unmaps in module space is zapped by
 * arch_fi_zap_modules().
 *
 * A domain of mode dbi runs on the kernel's page table and has none: a NULL for
 * which there is nothing to map and nothing to take away.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include <asm/cpu_entry_area.h>
#include <asm/cpufeature.h>
#include <asm/driver_fi.h>
#include <asm/nospec-branch.h>
#include <asm/tlbflush.h>

#include "driver_fi.h"

/* Of a table entry: points to a table private to the domain. */
#define FI_PRIVATE	_PAGE_SOFTW1

/*
 * The levels below the PGD, as a table: where an address indexes, and how
 * much a leaf of that level maps. All entries are u64.
 */
static const struct fi_level {
	unsigned int shift;
} fi_levels[] = {
	{ 39 }, { PUD_SHIFT }, { PMD_SHIFT }, { PAGE_SHIFT },
};

#define FI_LEVEL_PTE	3

/**
 * struct fi_pgtable - the page table of one domain
 * @lock: protects all entries; taken in any context
 * @pgd: first page of an order-1 allocation with page-table isolation, so
 *	that bit 12 of CR3 is clear: the entry code reads it as "user"
 * @pages: tables owned, without the PGD
 */
struct fi_pgtable {
	raw_spinlock_t lock;
	u64 *pgd;
	u32 id;
	unsigned int pages;
};

/* Shared by all domains, built once: CPU entry area and kernel image. */
static u64 fi_cea_entry, fi_image_entry;

static unsigned int fi_pgd_order(void)
{
	return IS_ENABLED(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION) ? 1 : 0;
}

static unsigned int fi_index(unsigned long va, int level)
{
	return va >> fi_levels[level].shift & (PTRS_PER_PTE - 1);
}

static u64 *fi_table(u64 entry)
{
	return __va(entry & PTE_PFN_MASK);
}

static u64 fi_strip(u64 entry)
{
	if (!(entry & _PAGE_PRESENT))
		return 0;
	entry &= ~(u64)(_PAGE_RW | _PAGE_GLOBAL | FI_PRIVATE | FI_OWN);
	return entry | (__supported_pte_mask & _PAGE_NX);
}

static bool fi_leaf(u64 entry, int level)
{
	return level == FI_LEVEL_PTE || (entry & _PAGE_PSE);
}

/* Fills @to with the leaves that together map what large leaf @entry maps. */
static void fi_split(u64 *to, u64 entry, int level)
{
	u64 step = 1ULL << fi_levels[level + 1].shift;
	u64 flags = entry & ~PTE_PFN_MASK;
	u64 pa = entry & PTE_PFN_MASK & ~((1ULL << fi_levels[level].shift) - 1);
	int i;

	/* The PAT bit moves: bit 12 of a large leaf, bit 7 of a small one. */
	if (level + 1 == FI_LEVEL_PTE) {
		flags &= ~(u64)_PAGE_PSE;
		if (entry & _PAGE_PAT_LARGE)
			flags |= _PAGE_PAT;
	} else if (entry & _PAGE_PAT_LARGE) {
		pa |= _PAGE_PAT_LARGE;
	}
	for (i = 0; i < PTRS_PER_PTE; i++, pa += step)
		to[i] = fi_strip(pa | flags);
}

static u64 *fi_alloc_table(struct fi_pgtable *pgt)
{
	u64 *t = (u64 *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);

	if (t && pgt)
		pgt->pages++;
	return t;
}

/*
 * A private table for what @entry at @level maps, below @va. In FI's own slot
 * a domain sees only what is mapped for it, so nothing is copied there.
 */
static u64 *fi_privatize(struct fi_pgtable *pgt, u64 entry, int level, unsigned long va)
{
	u64 *t = fi_alloc_table(pgt);
	int i;

	if (!t)
		return NULL;
	if (!(entry & _PAGE_PRESENT) || (va >= FI_VA_START && va < FI_VA_END))
		return t;
	if (level && fi_leaf(entry, level)) {
		fi_split(t, entry, level);
	} else {
		const u64 *from = fi_table(entry);

		for (i = 0; i < PTRS_PER_PTE; i++)
			t[i] = fi_strip(READ_ONCE(from[i]));
	}
	return t;
}

/* The leaf slot of @va in tables private to the domain. */
static u64 *fi_walk(struct fi_pgtable *pgt, u64 *table, int level, unsigned long va,
		    bool create)
{
	for (; level < FI_LEVEL_PTE; level++) {
		u64 *e = &table[fi_index(va, level)];

		if (!(*e & FI_PRIVATE)) {
			u64 *t;

			if (!create)
				return NULL;
			t = fi_privatize(pgt, *e, level, va);
			if (!t)
				return NULL;
			WRITE_ONCE(*e, __pa(t) | _PAGE_PRESENT | _PAGE_RW |
				   _PAGE_ACCESSED | _PAGE_DIRTY | FI_PRIVATE);
		}
		table = fi_table(*e);
	}
	return &table[fi_index(va, level)];
}

static u64 fi_make_pte(unsigned long pfn, unsigned int prot, u64 cache)
{
	u64 e = (u64)pfn << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_ACCESSED |
		_PAGE_DIRTY | FI_OWN | cache;

	if (prot & FI_PROT_W)
		e |= _PAGE_RW;
	if (!(prot & FI_PROT_X))
		e |= __supported_pte_mask & _PAGE_NX;
	return e;
}

/* The kernel's mapping of @va as a stripped small leaf, 0 if there is none. */
static u64 fi_kernel_leaf(unsigned long va)
{
	unsigned int level;
	pte_t *pte = lookup_address(va, &level);
	u64 tmp, size, cache;

	if (!pte || !(pte_val(*pte) & _PAGE_PRESENT))
		return 0;
	tmp = pte_val(*pte);
	if (level == PG_LEVEL_4K)
		return tmp & FI_OWN ? 0 : fi_strip(tmp);
	size = level == PG_LEVEL_2M ? PMD_SIZE : PUD_SIZE;
	cache = tmp & (_PAGE_PWT | _PAGE_PCD);
	if (tmp & _PAGE_PAT_LARGE)
		cache |= _PAGE_PAT;
	return fi_strip((((tmp & PTE_PFN_MASK & ~(size - 1)) | (va & (size - 1) & PAGE_MASK)) |
			 cache | _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY));
}

static int fi_set(struct fi_pgtable *pgt, unsigned long va, u64 leaf)
{
	unsigned long flags;
	u64 *e;

	raw_spin_lock_irqsave(&pgt->lock, flags);
	e = fi_walk(pgt, pgt->pgd, 0, va, true);
	if (e)
		WRITE_ONCE(*e, leaf);
	raw_spin_unlock_irqrestore(&pgt->lock, flags);
	return e ? 0 : -ENOMEM;
}

/**
 * arch_fi_map_pfn - give a domain a page of its own at @va
 * @pgt: page table
 * @va: page-aligned address outside the vmalloc range
 * @pfn: the page; the kernel may map another one at @va
 * @prot: FI_PROT_*
 *
 * Context: any. Adding rights needs no flush: a fault on a stale entry is
 * repaired by the trap handler.
 * Return: 0, -ENOMEM, -EINVAL
 */
int arch_fi_map_pfn(struct fi_pgtable *pgt, unsigned long va, unsigned long pfn,
		    unsigned int prot)
{
	if (va >= VMALLOC_START && va <= VMALLOC_END)
		return -EINVAL;
	return fi_set(pgt, va, fi_make_pte(pfn, prot, 0));
}

/**
 * arch_fi_map - give a domain rights to pages that the kernel maps at @va
 * @pgt: page table
 * @va: page-aligned address outside the vmalloc range
 * @nr_pages: number of pages
 * @prot: FI_PROT_*
 *
 * Cacheability is that of the kernel's mapping. Context: any.
 * Return: 0, -ENOMEM, -EINVAL (nothing mapped there, or vmalloc range); on
 * error nothing stays mapped
 */
int arch_fi_map(struct fi_pgtable *pgt, unsigned long va, unsigned int nr_pages,
		unsigned int prot)
{
	unsigned int i;
	int err;

	if (!pgt)
		return 0;
	if (va >= VMALLOC_START && va <= VMALLOC_END)
		return -EINVAL;
	for (i = 0; i < nr_pages; i++) {
		unsigned long at = va + i * PAGE_SIZE;
		u64 leaf = fi_kernel_leaf(at);

		err = -EINVAL;
		if (!leaf)
			goto undo;
		err = fi_set(pgt, at,
			     fi_make_pte((leaf & PTE_PFN_MASK) >> PAGE_SHIFT, prot,
					 leaf & (_PAGE_PWT | _PAGE_PCD | _PAGE_PAT)));
		if (err)
			goto undo;
	}
	return 0;
undo:
	arch_fi_unmap(pgt, va, i);
	return err;
}

/**
 * arch_fi_is_hole - is there nothing of the kernel's at @va?
 * @va: page-aligned address
 *
 * Nor will be: what is mapped on demand is the vmalloc range. Context: any.
 */
bool arch_fi_is_hole(unsigned long va)
{
	return !(va >= VMALLOC_START && va <= VMALLOC_END) && !fi_kernel_leaf(va);
}

/**
 * arch_fi_unmap - back to what every domain may do there: read
 * @pgt: page table
 * @va: page-aligned address
 * @nr_pages: number of pages
 *
 * Context: any. The caller flushes with arch_fi_flush() before it relies on
 * the loss of rights.
 */
void arch_fi_unmap(struct fi_pgtable *pgt, unsigned long va, unsigned int nr_pages)
{
	bool own_slot = va >= FI_VA_START && va < FI_VA_END;
	unsigned long flags;
	u64 *e;

	for (; pgt && nr_pages; nr_pages--, va += PAGE_SIZE) {
		u64 leaf = own_slot ? 0 : fi_kernel_leaf(va);

		raw_spin_lock_irqsave(&pgt->lock, flags);
		e = fi_walk(pgt, pgt->pgd, 0, va, false);
		if (e)
			WRITE_ONCE(*e, leaf);
		raw_spin_unlock_irqrestore(&pgt->lock, flags);
	}
}

/**
 * arch_fi_owned - does the domain have its own mapping of the page at @va?
 * @pgt: page table
 * @va: any address
 * @writable: does it also have to be writable?
 *
 * Context: any, no lock: tables are freed only with the domain.
 */
bool arch_fi_owned(struct fi_pgtable *pgt, unsigned long va, bool writable)
{
	int shift;
	u64 e;

	if (!pgt)
		return false;
	e = FI_PRIVATE | __pa(pgt->pgd);
	/* Each store that faults asks. Where the path is shared, nothing is own. */
	for (shift = 39; e & FI_PRIVATE && shift >= PAGE_SHIFT; shift -= 9)
		e = READ_ONCE(fi_table(e)[va >> shift & (PTRS_PER_PTE - 1)]);
	return va >= PAGE_OFFSET && e & FI_OWN && (!writable || e & _PAGE_RW);
}

/**
 * arch_fi_repair - mend a stale copy after a fault
 * @pgt: page table
 * @va: faulting address
 *
 * Context: any, in the kernel's view.
 * Return: true if the entry was missing while the kernel has one; retry
 */
bool arch_fi_repair(struct fi_pgtable *pgt, unsigned long va)
{
	unsigned long flags;
	bool mended = false;
	u64 *e, leaf;

	if (!pgt || va < (unsigned long)PAGE_OFFSET ||
	    (va >= FI_VA_START && va < FI_VA_END))
		return false;
	leaf = fi_kernel_leaf(va);
	if (!leaf)
		return false;
	raw_spin_lock_irqsave(&pgt->lock, flags);
	if (!(pgt->pgd[fi_index(va, 0)] & _PAGE_PRESENT)) {
		/* The kernel got a top-level entry later (memory hotplug). */
		pgt->pgd[fi_index(va, 0)] = fi_strip(pgd_val(*pgd_offset_k(va)));
		mended = true;
	} else {
		e = fi_walk(pgt, pgt->pgd, 0, va, false);
		if (e && !(*e & _PAGE_PRESENT)) {
			WRITE_ONCE(*e, leaf);
			mended = true;
		} else if (!e) {
			/* Ends in a private table whose entry was empty. */
			e = fi_walk(pgt, pgt->pgd, 0, va, true);
			if (e && !(*e & FI_OWN)) {
				mended = *e != leaf;
				WRITE_ONCE(*e, leaf);
			}
		}
	}
	raw_spin_unlock_irqrestore(&pgt->lock, flags);
	return mended;
}

static void fi_zap_ptes(u64 *table, unsigned long va, unsigned long start, unsigned long end)
{
	int i;

	for (i = 0; i < PTRS_PER_PTE; i++, va += PAGE_SIZE) {
		if (va >= start && va < end && !(table[i] & FI_OWN))
			WRITE_ONCE(table[i], 0);
	}
}

/**
 * arch_fi_zap_modules - the kernel unmapped [start, end): forget copies of it
 * @pgt: page table
 * @start: first byte
 * @end: end
 *
 * Only module space is copied and unmapped again. Context: any.
 */
void arch_fi_zap_modules(struct fi_pgtable *pgt, unsigned long start, unsigned long end)
{
	unsigned long flags, va;

	if (!pgt)
		return;
	start = max(start, MODULES_VADDR);
	end = min(end, MODULES_END);
	raw_spin_lock_irqsave(&pgt->lock, flags);
	for (va = start & PMD_MASK; va < end; va += PMD_SIZE) {
		u64 *e = fi_walk(pgt, pgt->pgd, 0, va, false);

		if (e)
			fi_zap_ptes(e - fi_index(va, FI_LEVEL_PTE), va, start, end);
	}
	raw_spin_unlock_irqrestore(&pgt->lock, flags);
}

unsigned long arch_fi_pgtable_cr3(struct fi_pgtable *pgt)
{
	return pgt ? __sme_pa(pgt->pgd) | FI_PCID_BASE | pgt->id : 0;
}

unsigned int arch_fi_pgtable_pages(struct fi_pgtable *pgt)
{
	return pgt ? pgt->pages + (1U << fi_pgd_order()) : 0;
}

/* The domain may have another map where the kernel has that of mode dbi. */
static void fi_forget_kmap(struct fi_pgtable *pgt)
{
	if (IS_ENABLED(CONFIG_DRIVER_FI_DBI) && arch_fi_layout_default())
		memset(&pgt->pgd[FI_MAP_FIRST_SLOT], 0,
		       (FI_MAP_LAST_SLOT - FI_MAP_FIRST_SLOT + 1) * sizeof(*pgt->pgd));
}

/**
 * arch_fi_pgtable_create - a page table that can read all and change nothing
 * @id: number of the domain, below FI_MAX_DOMAINS; becomes its PCID
 *
 * Context: may sleep. Return: the table, or NULL without memory
 */
struct fi_pgtable *arch_fi_pgtable_create(u32 id)
{
	struct fi_pgtable *pgt = kzalloc(sizeof(*pgt), GFP_KERNEL);
	u64 *last;
	int i;

	if (!pgt)
		return NULL;
	pgt->pgd = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, fi_pgd_order());
	if (!pgt->pgd) {
		kfree(pgt);
		return NULL;
	}
	raw_spin_lock_init(&pgt->lock);
	pgt->id = id;
	for (i = KERNEL_PGD_BOUNDARY; i < PTRS_PER_PGD; i++)
		pgt->pgd[i] = fi_strip(pgd_val(swapper_pg_dir[i]));
	pgt->pgd[FI_VA_PGD_INDEX] = 0;
	fi_forget_kmap(pgt);
	pgt->pgd[pgd_index(CPU_ENTRY_AREA_BASE)] = fi_cea_entry;

	/*
	 * Slot 511: the image's part is common, the modules' the domain's own. What
	 * is below are holes, and in them the permission map, as above.
	 */
	if (!fi_walk(pgt, pgt->pgd, 0, MODULES_VADDR, true)) {
		arch_fi_pgtable_destroy(pgt);
		return NULL;
	}
	last = fi_table(pgt->pgd[PTRS_PER_PGD - 1]);
	memset(last, 0, fi_index(__START_KERNEL_map, 1) * sizeof(*last));
	last[fi_index(__START_KERNEL_map, 1)] = fi_image_entry;
	return pgt;
}

static void fi_free_tables(u64 *table, int level)
{
	int i;

	for (i = 0; level < FI_LEVEL_PTE && i < PTRS_PER_PTE; i++) {
		if (!(table[i] & FI_PRIVATE) || table[i] == fi_cea_entry ||
		    table[i] == fi_image_entry)
			continue;
		fi_free_tables(fi_table(table[i]), level + 1);
		free_page((unsigned long)fi_table(table[i]));
	}
}

/**
 * arch_fi_pgtable_destroy - free the tables
 * @pgt: page table, in use on no CPU
 *
 * Flushes first: CPUs may hold cached walks under this PCID.
 * Context: may sleep
 */
void arch_fi_pgtable_destroy(struct fi_pgtable *pgt)
{
	arch_fi_flush();
	fi_free_tables(pgt->pgd, 0);
	free_pages((unsigned long)pgt->pgd, fi_pgd_order());
	kfree(pgt);
}

/* Private, writable: stacks that the CPU itself pushes on, and DS buffers. */
static void fi_cea_writable(u64 *pud, void *start, size_t size)
{
	unsigned long va = (unsigned long)start;
	u64 *e, leaf;

	for (; size; size -= PAGE_SIZE, va += PAGE_SIZE) {
		leaf = fi_kernel_leaf(va);
		e = fi_walk(NULL, pud, 1, va, true);
		if (e && leaf)
			*e = leaf | _PAGE_RW;
	}
}

static int __init fi_build_cea(void)
{
	unsigned long base = CPU_ENTRY_AREA_BASE;
	u64 *pud, *e;
	int cpu;

	pud = fi_privatize(NULL, pgd_val(*pgd_offset_k(base)), 0, base);
	if (!pud)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct cpu_entry_area *cea = get_cpu_entry_area(cpu);

		fi_cea_writable(pud, &cea->entry_stack_page, sizeof(cea->entry_stack_page));
		fi_cea_writable(pud, &cea->estacks, sizeof(cea->estacks));
#ifdef CONFIG_CPU_SUP_INTEL
		fi_cea_writable(pud, &cea->cpu_debug_store, sizeof(cea->cpu_debug_store));
		fi_cea_writable(pud, &cea->cpu_debug_buffers, sizeof(cea->cpu_debug_buffers));
#endif
	}
	e = fi_walk(NULL, pud, 1, CPU_ENTRY_AREA_RO_IDT, true);
	if (!e)
		return -ENOMEM;
	*e = fi_strip(fi_make_pte(fi_idt_pfn(), 0, 0));
	fi_cea_entry = __pa(pud) | _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED |
		       _PAGE_DIRTY | FI_PRIVATE;
	return 0;
}

static int __init fi_map_exec(u64 *pmd, unsigned long start, unsigned long end)
{
	unsigned long va;

	for (va = start & PAGE_MASK; va < end; va += PAGE_SIZE) {
		u64 *e = fi_walk(NULL, pmd, 2, va, true);

		if (!e)
			return -ENOMEM;
		*e &= ~(u64)_PAGE_NX;
	}
	return 0;
}

/*
 * Driver text jumps to these where the CPU needs them. They share pages with
 * other kernel text, which a wild branch could reach: limitations.rst.
 */
static int __init fi_map_thunks(u64 *pmd)
{
	unsigned long va;
	int err = 0;

#ifdef CONFIG_MITIGATION_RETPOLINE
	if (cpu_feature_enabled(X86_FEATURE_RETPOLINE)) {
		va = (unsigned long)__x86_indirect_thunk_array;
		err = fi_map_exec(pmd, va, va + sizeof(retpoline_thunk_t) * 16);
	}
#endif
#ifdef CONFIG_MITIGATION_RETHUNK
	if (!err && cpu_feature_enabled(X86_FEATURE_RETHUNK)) {
		va = (unsigned long)x86_return_thunk;
		err = fi_map_exec(pmd, va - SMP_CACHE_BYTES, va + SMP_CACHE_BYTES);
	}
#endif
	return err;
}

static int __init fi_build_image(void)
{
	unsigned long base = __START_KERNEL_map;
	u64 pud = *(fi_table(pgd_val(*pgd_offset_k(base))) + fi_index(base, 1));
	u64 *pmd = fi_privatize(NULL, pud, 1, base);

	if (!pmd)
		return -ENOMEM;
	fi_image_entry = __pa(pmd) | _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED |
			 _PAGE_DIRTY | FI_PRIVATE;
	if (fi_map_exec(pmd, (unsigned long)__fi_text_start, (unsigned long)__fi_text_end))
		return -ENOMEM;
	return fi_map_thunks(pmd);
}

int __init fi_pgtable_init(void)
{
	return fi_build_cea() ?: fi_build_image();
}
