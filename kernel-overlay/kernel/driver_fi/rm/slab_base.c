// SPDX-License-Identifier: GPL-2.0-only
/*
 * The start of a kernel object from an address within: slab objects and pages.
 */
#include <linux/compiler.h>
#include <linux/memblock.h>
#include <linux/mm.h>
/* Nothing public finds the start of a slab object without complaining. */
#include "../../../mm/slab.h"
#include "slab_base.h"

/* @addr: of RAM */
static unsigned long slab_start(unsigned long addr)
{
	struct slab *slab = virt_to_slab((void *)addr);
	struct kmem_cache *cache;

	if (!slab)
		return 0;
	cache = READ_ONCE(slab->slab_cache);
	/* A slab that is being freed on another CPU. */
	if (!cache || !cache->size)
		return 0;
	return (unsigned long)nearest_obj(cache, slab, (void *)addr);
}

/**
 * fi_slab_base - start of the slab object that @addr may lie in
 * @addr: any value
 *
 * The object may be free, and @addr in the padding behind it. Nothing keeps
 * the slab: the answer is a guess to be looked up in an object table, which
 * knows what is held.
 *
 * Context: any. Return: an address, or 0 if @addr is in no slab.
 */
unsigned long fi_slab_base(unsigned long addr)
{
	if (addr < PAGE_OFFSET || addr >= (unsigned long)high_memory ||
	    !pfn_valid(PHYS_PFN(addr - PAGE_OFFSET)))
		return 0;
	return slab_start(addr);
}

/**
 * fi_is_slab_start - is this what fi_slab_base() finds for addresses in it?
 * @p: a kernel object that exists
 *
 * Context: any.
 */
bool fi_is_slab_start(const void *p)
{
	unsigned long addr = (unsigned long)p;

	return addr >= PAGE_OFFSET && addr < (unsigned long)high_memory &&
	       slab_start(addr) == addr;
}

/**
 * fi_page_base - the struct page that @addr lies in
 * @addr: any value
 *
 * Context: any. Return: an address, or 0 if @addr is outside the memory map.
 */
unsigned long fi_page_base(unsigned long addr)
{
	unsigned long start = VMEMMAP_START;

	if (addr < start || addr >= (unsigned long)(vmemmap + max_pfn))
		return 0;
	return addr - (addr - start) % sizeof(struct page);
}
