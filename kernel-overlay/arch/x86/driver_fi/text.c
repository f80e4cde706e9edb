// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two views of a module's text: at one address the kernel maps a page of
 * gates, and the domain the text itself.
 *
 * The module loader allocates, relocates and patches the text as always. Then
 * arch_fi_view_switch() puts gate pages into the kernel's page table in its
 * place. The text pages stay in the vm_struct, which frees them; the kernel
 * reads and changes them through an alias.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/driver_fi.h>
#include <asm/nops.h>
#include <asm/pgtable.h>
#include <asm/text-patching.h>
#include <asm/tlbflush.h>

#include "driver_fi.h"

#define INSN_INT3	0xcc

/* Read by gate.S. An element is set before code that has its index can run. */
struct fi_entry *fi_entry_ptr[FI_MAX_ENTRIES];
const struct fi_import *fi_import_ptr[FI_MAX_IMPORTS];

/**
 * struct fi_view - one allocation of module text
 * @base: address, the same in both views
 * @nr: pages
 * @text: the text's pages
 * @gates: what the kernel maps once switched
 * @alias: the text again, readable and writable by the kernel
 */
struct fi_view {
	unsigned long base;
	unsigned int nr;
	bool switched;
	struct page **text;
	struct page **gates;
	void *alias;
};

static void fi_view_free_gates(struct fi_view *v)
{
	unsigned int i;

	for (i = 0; i < v->nr && v->gates[i]; i++) {
		/* set_memory_rox() of the text made the alias read-only. */
		if (v->switched)
			set_memory_rw((unsigned long)page_address(v->gates[i]), 1);
		__free_page(v->gates[i]);
	}
}

/**
 * arch_fi_view_create - prepare the gates of a text allocation
 * @base: what execmem_alloc() returned
 * @size: multiple of PAGE_SIZE
 *
 * All bytes of the gates are int3. Context: may sleep.
 * Return: the view or NULL without memory
 */
struct fi_view *arch_fi_view_create(void *base, size_t size)
{
	struct fi_view *v = kzalloc(sizeof(*v), GFP_KERNEL);
	unsigned int i;

	if (!v)
		return NULL;
	v->base = (unsigned long)base;
	v->nr = size >> PAGE_SHIFT;
	v->text = kcalloc(v->nr, sizeof(*v->text), GFP_KERNEL);
	v->gates = kcalloc(v->nr, sizeof(*v->gates), GFP_KERNEL);
	if (!v->text || !v->gates)
		goto fail;
	for (i = 0; i < v->nr; i++) {
		v->text[i] = vmalloc_to_page(base + i * PAGE_SIZE);
		v->gates[i] = alloc_page(GFP_KERNEL);
		if (!v->text[i] || !v->gates[i])
			goto fail;
		memset(page_address(v->gates[i]), INSN_INT3, PAGE_SIZE);
	}
	v->alias = vmap(v->text, v->nr, VM_MAP, PAGE_KERNEL);
	if (!v->alias)
		goto fail;
	return v;
fail:
	arch_fi_view_destroy(v);
	return NULL;
}

static void fi_set_kernel_pte(unsigned long va, struct page *page)
{
	unsigned int level;
	pte_t *pte = lookup_address(va, &level);

	if (!WARN_ON_ONCE(!pte || level != PG_LEVEL_4K))
		set_pte_atomic(pte, pfn_pte(page_to_pfn(page), pte_pgprot(*pte)));
}

/**
 * arch_fi_view_switch - the kernel sees gates from here on
 * @v: view; its text is still RW, not executable
 *
 * Context: may sleep
 */
void arch_fi_view_switch(struct fi_view *v)
{
	unsigned int i;

	for (i = 0; i < v->nr; i++)
		fi_set_kernel_pte(v->base + i * PAGE_SIZE, v->gates[i]);
	v->switched = true;
	flush_tlb_kernel_range(v->base, v->base + v->nr * PAGE_SIZE);
}

/**
 * arch_fi_view_destroy - give back the gates
 * @v: view; nothing calls into its text any more
 *
 * Puts the text back into the kernel's page table, so that the module loader
 * frees what it allocated. Context: may sleep.
 */
void arch_fi_view_destroy(struct fi_view *v)
{
	unsigned int i;

	if (v->switched) {
		for (i = 0; i < v->nr; i++)
			fi_set_kernel_pte(v->base + i * PAGE_SIZE, v->text[i]);
		flush_tlb_kernel_range(v->base, v->base + v->nr * PAGE_SIZE);
	}
	if (v->alias)
		vunmap(v->alias);
	if (v->gates)
		fi_view_free_gates(v);
	kfree(v->gates);
	kfree(v->text);
	kfree(v);
}

static bool fi_view_has(struct fi_view *v, unsigned long addr)
{
	return addr >= v->base && addr - v->base < v->nr * PAGE_SIZE;
}

/* A writable pointer to the gate byte at @addr, or NULL: not this view's. */
void *arch_fi_view_gates(struct fi_view *v, unsigned long addr)
{
	if (!fi_view_has(v, addr))
		return NULL;
	return page_address(v->gates[(addr - v->base) >> PAGE_SHIFT]) + offset_in_page(addr);
}

/**
 * arch_fi_view_text - the text as the domain sees it
 * @v: view
 * @addr: address in the text
 * @avail: receives the bytes from there to the end
 *
 * Context: any. Return: a pointer that the kernel may read and write, or NULL
 */
void *arch_fi_view_text(struct fi_view *v, unsigned long addr, size_t *avail)
{
	if (!fi_view_has(v, addr))
		return NULL;
	*avail = v->base + v->nr * PAGE_SIZE - addr;
	return v->alias + (addr - v->base);
}

/* Maps the text executable in a domain. Return: 0 or -ENOMEM */
int arch_fi_view_map(struct fi_view *v, struct fi_pgtable *pgt)
{
	unsigned int i;
	int err;

	for (i = 0; i < v->nr; i++) {
		err = arch_fi_map_pfn(pgt, v->base + i * PAGE_SIZE,
				      page_to_pfn(v->text[i]), FI_PROT_X);
		if (err)
			return err;
	}
	return 0;
}

static u8 *emit_jmp(u8 *p, unsigned long at, unsigned long target)
{
	s32 rel = (s32)(target - (at + 5));

	*p++ = 0xe9;
	memcpy(p, &rel, sizeof(rel));
	return p + sizeof(rel);
}

/* endbr64; mov $index, %r11d; jmp target: 15 bytes of FI_STUB_SIZE. */
static void *emit_stub(void *to, unsigned long at, u32 index, unsigned long target)
{
	static const u8 head[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0xbb };
	u8 *p = to;

	memcpy(p, head, sizeof(head));
	p += sizeof(head);
	memcpy(p, &index, sizeof(index));
	p += sizeof(index);
	return emit_jmp(p, at + (p - (u8 *)to), target);
}

/* Writes the gate of entry @index at @to, which will run at address @at. */
void *arch_fi_emit_gate(void *to, unsigned long at, u32 index)
{
	return emit_stub(to, at, index, (unsigned long)fi_gate_common);
}

static unsigned long import_gate(bool dbi)
{
	if (IS_ENABLED(CONFIG_DRIVER_FI_DBI) && dbi)
		return (unsigned long)fi_stack_import_gate;
	return (unsigned long)fi_import_gate;
}

/*
 * Writes the stub of import @index at @to, which will run at address @at; of a
 * domain on the kernel's page table if @dbi.
 */
void *arch_fi_emit_import(void *to, unsigned long at, u32 index, bool dbi)
{
	return emit_stub(to, at, index, import_gate(dbi));
}

/**
 * arch_fi_nop_calls - take the calls of the function tracer out of a module
 * @site: addresses of the calls, 0 for none
 * @nr: number of addresses
 *
 * The tracer itself does that for other modules, and would patch its calls in
 * again later. Context: the module is being loaded, its text is writable.
 * Return: 0, or -EINVAL if there is no call
 */
int arch_fi_nop_calls(const unsigned long *site, unsigned int nr)
{
	const u8 *nop = x86_nops[CALL_INSN_SIZE];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		u8 *at = (u8 *)site[i];

		if (!at || !memcmp(at, nop, CALL_INSN_SIZE))
			continue;
		if (*at != CALL_INSN_OPCODE)
			return -EINVAL;
		memcpy(at, nop, CALL_INSN_SIZE);
	}
	return 0;
}
