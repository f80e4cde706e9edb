// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lies at an address, in words for fault reports.
 *
 * The address is what a failed driver used: it may be anything, and what was
 * there may be gone. Nothing here dereferences it.
 */
#include <linux/hardirq.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page-flags.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/cpu_entry_area.h>
#include <asm/driver_fi.h>
#include <asm/processor.h>
#include <asm/sections.h>

#include "../../mm/slab.h"
#include "address.h"
#include "fi.h"

enum region {
	REGION_NULL, REGION_USER, REGION_WILD, REGION_TASK, REGION_STACK,
	REGION_DRIVER, REGION_MODULE, REGION_TEXT, REGION_RODATA, REGION_DATA,
	REGION_PERCPU, REGION_IDT, REGION_CPU_ENTRY, REGION_AREA, REGION_SLAB,
	REGION_PGTABLE, REGION_PAGE, REGION_VMALLOC, REGION_MEMMAP,
	REGION_NOTHING,
};

static const char * const names[] = {
	[REGION_NULL]		= "a NULL pointer",
	[REGION_USER]		= "user memory",
	[REGION_WILD]		= "a wild address",
	[REGION_TASK]		= "a task_struct",
	[REGION_STACK]		= "a kernel stack",
	[REGION_DRIVER]		= "the driver's own image",
	[REGION_MODULE]		= "another module",
	[REGION_TEXT]		= "kernel text",
	[REGION_RODATA]		= "kernel read-only data",
	[REGION_DATA]		= "kernel data",
	[REGION_PERCPU]		= "per-CPU data",
	[REGION_IDT]		= "the interrupt descriptor table",
	[REGION_CPU_ENTRY]	= "the CPU entry area",
	[REGION_AREA]		= "the area of isolated drivers",
	[REGION_SLAB]		= "a heap object",
	[REGION_PGTABLE]	= "a page table",
	[REGION_PAGE]		= "a page",
	[REGION_VMALLOC]	= "vmalloc memory",
	[REGION_MEMMAP]		= "struct page",
	[REGION_NOTHING]	= "an address where nothing is",
};

static bool in(unsigned long addr, unsigned long start, unsigned long size)
{
	return addr >= start && addr - start < size;
}

static enum region image_region(unsigned long addr)
{
	if (addr < (unsigned long)_etext)
		return REGION_TEXT;
	if (is_kernel_rodata(addr))
		return REGION_RODATA;
	return REGION_DATA;
}

static enum region module_region(const struct fi_domain *d, unsigned long addr)
{
	struct module *mod;

	guard(preempt)();
	mod = __module_address(addr);
	if (!mod)
		return REGION_NOTHING;
	return mod == d->mod ? REGION_DRIVER : REGION_MODULE;
}

static enum region page_region(unsigned long addr)
{
	struct page *page = virt_to_page((void *)addr);

	if (virt_to_slab((void *)addr))
		return REGION_SLAB;
	return PageTable(page) ? REGION_PGTABLE : REGION_PAGE;
}

static enum region find_region(const struct fi_domain *d,
			       const struct fi_fault *f, unsigned long addr)
{
	if (addr < PAGE_SIZE)
		return REGION_NULL;
	if (addr < TASK_SIZE_MAX)
		return REGION_USER;
	if (!__is_canonical_address(addr, boot_cpu_data.x86_virt_bits))
		return REGION_WILD;
	if (f->task && in(addr, f->task, sizeof(struct task_struct)))
		return REGION_TASK;
	if (f->stack && in(addr, f->stack, THREAD_SIZE))
		return REGION_STACK;
	if (in(addr, (unsigned long)_stext, _end - _stext))
		return image_region(addr);
	if (in(addr, MODULES_VADDR, MODULES_LEN))
		return module_region(d, addr);
	if (in(addr, CPU_ENTRY_AREA_RO_IDT, PAGE_SIZE))
		return REGION_IDT;
	if (in(addr, CPU_ENTRY_AREA_BASE, CPU_ENTRY_AREA_MAP_SIZE))
		return REGION_CPU_ENTRY;
	if (addr >= FI_VA_START && addr < FI_VA_END)
		return REGION_AREA;
	if (__is_kernel_percpu_address(addr, NULL))
		return REGION_PERCPU;
	if (is_vmalloc_addr((void *)addr))
		return REGION_VMALLOC;
	if (addr >= VMEMMAP_START && addr < (unsigned long)pfn_to_page(max_pfn))
		return REGION_MEMMAP;
	if (virt_addr_valid((void *)addr))
		return page_region(addr);
	return REGION_NOTHING;
}

/**
 * fi_address_region - the kind of memory at an address
 * @d: the domain that used it
 * @f: how
 * @addr: any value
 *
 * Context: any. Return: a noun phrase, "kernel data".
 */
const char *fi_address_region(const struct fi_domain *d,
			      const struct fi_fault *f, unsigned long addr)
{
	return names[find_region(d, f, addr)];
}

static void describe_slab(struct seq_buf *s, unsigned long addr)
{
	struct slab *slab = virt_to_slab((void *)addr);
	struct kmem_cache *cache;
	char name[32] = "?";

	/* The slab may be freed and used anew while we look. */
	cache = slab ? READ_ONCE(slab->slab_cache) : NULL;
	if (!cache || !cache->size)
		return;
	strncpy_from_kernel_nofault(name, cache->name, sizeof(name) - 1);
	seq_buf_printf(s, ", %lu bytes into a %s",
		       addr - (unsigned long)nearest_obj(cache, slab, (void *)addr),
		       name);
}

/* Looking an area up takes a lock that interrupts do not. */
static void describe_vmalloc(struct seq_buf *s, unsigned long addr)
{
	struct vm_struct *vm;

	if (in_interrupt() || irqs_disabled())
		return;
	vm = find_vm_area((void *)(addr & PAGE_MASK));
	if (vm)
		seq_buf_printf(s, ", %lu bytes into an area of %pS",
			       addr - (unsigned long)vm->addr, vm->caller);
}

static void describe_module(struct seq_buf *s, unsigned long addr)
{
	struct module *mod;

	guard(preempt)();
	mod = __module_address(addr);
	if (mod)
		seq_buf_printf(s, ", %s", mod->name);
}

/**
 * fi_address_describe - tell more about an address
 * @s: gets ", <where exactly>" or nothing
 * @d: the domain that used it
 * @f: how
 * @addr: any value
 *
 * Context: any; vmalloc areas only outside of interrupts.
 */
void fi_address_describe(struct seq_buf *s, const struct fi_domain *d,
			 const struct fi_fault *f, unsigned long addr)
{
	switch (find_region(d, f, addr)) {
	case REGION_TASK:
		seq_buf_printf(s, ", %lu bytes into that of task %d",
			       addr - f->task, f->pid);
		break;
	case REGION_STACK:
		seq_buf_printf(s, ", %lu bytes into that of task %d",
			       addr - f->stack, f->pid);
		break;
	case REGION_TEXT:
	case REGION_RODATA:
	case REGION_DATA:
		seq_buf_printf(s, ", %pS", (void *)addr);
		break;
	case REGION_DRIVER:
	case REGION_MODULE:
		seq_buf_printf(s, ", %pS", (void *)addr);
		describe_module(s, addr);
		break;
	case REGION_SLAB:
		describe_slab(s, addr);
		break;
	case REGION_VMALLOC:
		describe_vmalloc(s, addr);
		break;
	case REGION_IDT:
		seq_buf_printf(s, ", vector %lu",
			       (addr - CPU_ENTRY_AREA_RO_IDT) / sizeof(gate_desc));
		break;
	default:
		break;
	}
}
