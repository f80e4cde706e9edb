// SPDX-License-Identifier: GPL-2.0-only
/*
 * The permission map of mode dbi: pages of it in the kernel's own page table.
 *
 * They stand at (address >> 3) + FI_MAP_DISP, in holes of the kernel's address
 * space as long as its regions are at their default places. The top-level
 * entries are made at boot, before other mms copy the PGD; tables below stay
 * for the next driver. Entries carry FI_OWN, so that a domain with a page table
 * of its own, which may have a map at the same addresses, never copies them.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/spinlock.h>

#include <asm/cpufeature.h>
#include <asm/driver_fi.h>
#include <asm/pgalloc.h>
#include <asm/tlbflush.h>

#include "driver_fi.h"

/* Serializes who adds a table. Taken in any context but NMI. */
static DEFINE_RAW_SPINLOCK(fi_kmap_lock);

static bool fi_reserved __ro_after_init;

/**
 * arch_fi_kmap_reserve - top-level entries for the map
 *
 * Context: boot, before other mms exist. What the map tells of the last slot is
 * in the last slot, which is always there.
 */
void __init arch_fi_kmap_reserve(void)
{
	unsigned long i;

	if (!arch_fi_layout_default())
		return;
	for (i = FI_MAP_FIRST_SLOT; i <= FI_MAP_LAST_SLOT; i++) {
		pgd_t *pgd = init_mm.pgd + i;
		p4d_t *p4d = p4d_alloc(&init_mm, pgd, 0);

		if (!p4d || !pud_alloc(&init_mm, p4d, 0))
			panic("driver_fi: no memory for a page table\n");
	}
	fi_reserved = true;
}

/**
 * arch_fi_dbi_unsupported - why this boot has no mode dbi
 *
 * Return: a sentence for people that names the cure where there is one, or
 * NULL if it has
 */
const char *arch_fi_dbi_unsupported(void)
{
	if (!fi_reserved)
		return FI_LAYOUT_MOVED;
	if (!cpu_feature_enabled(X86_FEATURE_SMAP))
		return "the CPU has no SMAP, which stops stores to user memory";
	return NULL;
}

static u64 fi_new_table(void)
{
	unsigned long t = get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);

	return t ? __pa(t) | _KERNPG_TABLE : 0;
}

/* The entry of @va; without @create NULL where tables are missing. */
static pte_t *fi_kmap_pte(unsigned long va, bool create)
{
	p4d_t *p4d = p4d_offset(pgd_offset_k(va), va);
	pud_t *pud;
	pmd_t *pmd;

	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, va);
	if (pud_none(*pud) && create)
		set_pud(pud, __pud(fi_new_table()));
	if (pud_none(*pud) || pud_leaf(*pud))
		return NULL;
	pmd = pmd_offset(pud, va);
	if (pmd_none(*pmd) && create)
		set_pmd(pmd, __pmd(fi_new_table()));
	if (pmd_none(*pmd) || pmd_leaf(*pmd))
		return NULL;
	return pte_offset_kernel(pmd, va);
}

/**
 * arch_fi_kmap - a page of the map, for reading
 * @va: where
 * @pfn: the page
 *
 * A stale entry of a TLB tells of fewer rights, never of more: such a check
 * asks, and is answered by the map itself. Context: any but NMI.
 * Return: 0 or -ENOMEM
 */
int arch_fi_kmap(unsigned long va, unsigned long pfn)
{
	pgprot_t prot = __pgprot((pgprot_val(PAGE_KERNEL_RO) & ~_PAGE_GLOBAL) | FI_OWN);
	unsigned long flags;
	pte_t *pte;

	raw_spin_lock_irqsave(&fi_kmap_lock, flags);
	pte = fi_kmap_pte(va, true);
	if (pte)
		set_pte(pte, pfn_pte(pfn, prot));
	raw_spin_unlock_irqrestore(&fi_kmap_lock, flags);
	return pte ? 0 : -ENOMEM;
}

/* The opposite. The caller flushes before it gives the page to others. */
void arch_fi_kunmap(unsigned long va)
{
	pte_t *pte = fi_kmap_pte(va, false);

	if (pte)
		set_pte(pte, __pte(0));
}

/* This CPU reads the entry of @va again. */
void arch_fi_kmap_refresh(unsigned long va)
{
	flush_tlb_one_kernel(va & PAGE_MASK);
}
