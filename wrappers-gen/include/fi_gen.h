/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of generated wrapper modules, beside the vocabulary of the core.
 */
#ifndef FI_GEN_H
#define FI_GEN_H

#include <linux/driver_fi_wrap.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

/* A member of a kernel object by its offset: known from BTF, asserted below. */
#define FI_LD(type, ptr, off)	READ_ONCE(*(const type *)((ptr) + (off)))

/* Is a member not the same in two objects? */
static inline bool fi_gen_differ(unsigned long a, unsigned long b, u32 off, u32 len)
{
	return memcmp((const void *)(a + off), (const void *)(b + off), len);
}

/* NULL, or what the kernel can print? */
static inline bool fi_gen_string(struct fi_domain *d, unsigned long addr)
{
	return !addr || fi_mem_string(d, addr, PAGE_SIZE);
}

/* What stands for a lock that has no address of its own. */
#define FI_GEN_LOCK(kind)	((void *)(unsigned long)((kind) + 1))

/* Nothing may be written to, or read from, any address. */
static inline bool fi_gen_writable(struct fi_domain *d, unsigned long addr, size_t len)
{
	return !len || fi_mem_writable(d, addr, len);
}

static inline bool fi_gen_readable(struct fi_domain *d, unsigned long addr, size_t len)
{
	return !len || fi_mem_readable(d, addr, len);
}

/* A driver that sleeps with a lock held would take the kernel along. */
static inline bool fi_gen_may_sleep(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_COUNT) ? preemptible() : !irqs_disabled();
}

/*
 * Bytes from @addr to the end of the kernel's allocation, 0 if it is none.
 * A vmalloc area ends at its guard page.
 */
static inline size_t fi_gen_alloc_size(unsigned long addr)
{
	unsigned long end = addr;
	struct folio *folio;

	if (is_vmalloc_addr((void *)addr)) {
		while (vmalloc_to_page((void *)end))
			end = (end & PAGE_MASK) + PAGE_SIZE;
		return end - addr;
	}
	if (!virt_addr_valid((void *)addr))
		return 0;
	folio = virt_to_folio((void *)addr);
	if (folio_test_slab(folio))
		return ksize((void *)addr);
	return folio_size(folio) - offset_in_folio(folio, addr);
}

#endif
