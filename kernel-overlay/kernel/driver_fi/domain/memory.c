// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a domain: what it may write, and how it gets and loses that.
 *
 * The page table is the truth: a page is the driver's if the domain has its
 * own mapping of it. Without a page table of its own (mode dbi) the permission
 * map is, and what is done to the page table here is nothing.
 */
#include <linux/driver_fi.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include <asm/driver_fi.h>
#include <asm/pgtable.h>

#include "domain.h"
#include "handover.h"

/* Address of an alias of MMIO -> the mapping it is an alias of. */
static DEFINE_XARRAY(fi_mmio_orig);

#define MAP_IS_FULL "its permission map has as many KiB as driver_fi.map_kib says"

/* Before the driver has run nobody recovers it: loading fails. */
static noinline void map_is_full(struct fi_domain *d)
{
	struct fi_fault fault = { .kind = FI_FAULT_LIMIT, .arg = -1, .why = MAP_IS_FULL };

	if (READ_ONCE(d->state) != FI_LOADING || current->fi_frame)
		fi_fault_raise(d, &fault);
	else
		pr_err_ratelimited("driver_fi: %s: %s\n", d->policy.name, MAP_IS_FULL);
}

/* All or nothing; a driver that needs more than it may have is at fault. */
static int grant(struct fi_domain *d, const void *p, size_t len)
{
	int err = fi_permmap_set(d->perm, (unsigned long)p, len);

	if (unlikely(err == -ENOSPC))
		map_is_full(d);
	return err;
}

/**
 * fi_mem_grant - bytes of memory whose pages the driver may write become its own
 * @d: domain
 * @p: first byte
 * @len: bytes
 *
 * Says nothing to a domain whose rights are whole pages. Context: any but NMI.
 * Return: 0, -ENOSPC (the domain has failed), -ENOMEM, -EBUSY
 */
int fi_mem_grant(struct fi_domain *d, const void *p, size_t len)
{
	return fi_translated(d) ? grant(d, p, len) : 0;
}

/* The opposite. */
void fi_mem_revoke(struct fi_domain *d, const void *p, size_t len)
{
	if (fi_translated(d))
		fi_permmap_clear(d->perm, (unsigned long)p, len);
}

/**
 * fi_page_open - make a page with granted bytes writable as a whole
 * @d: domain
 * @addr: a byte that it was to write
 *
 * It stays so: each store of a translated driver is checked byte by byte before
 * it happens. Context: any but NMI. Return: false: not granted, or not a
 * domain of that kind
 */
bool fi_page_open(struct fi_domain *d, unsigned long addr)
{
	return fi_translated(d) && d->pgt && fi_permmap_test(d->perm, addr, 1) &&
	       !arch_fi_map(d->pgt, addr & PAGE_MASK, 1, FI_PROT_W);
}

/**
 * fi_page_close - stores to a page have to fault
 * @d: domain
 * @addr: an address in it, of a field in place: such are not on the domain's pages
 *
 * A page that was open has become a page of kernel objects. Context: any.
 */
void fi_page_close(struct fi_domain *d, unsigned long addr)
{
	if (!arch_fi_owned(d->pgt, addr, true))
		return;
	arch_fi_unmap(d->pgt, addr & PAGE_MASK, 1);
	arch_fi_flush();
}

/* What was granted with an area of FI's slot is granted until it is freed. */
static bool fi_area_owned(struct fi_domain *d, unsigned long va)
{
	return fi_on_kernel_pgt(d) ? fi_permmap_test(d->perm, va, 1) :
				     arch_fi_owned(d->pgt, va, true);
}

/* A right was taken away. */
static void fi_flush(struct fi_domain *d)
{
	if (d->pgt)
		arch_fi_flush();
}

/* Memory in FI's own slot, mapped alike in the kernel and in @d. */
void *fi_area_alloc(struct fi_domain *d, size_t size, gfp_t gfp)
{
	unsigned int nr = PAGE_ALIGN(size) >> PAGE_SHIFT;
	void *p;

	if (!size)
		return NULL;
	p = __vmalloc_node_range(size, PAGE_SIZE, FI_VA_START, FI_VA_END,
				 gfp | __GFP_ZERO, PAGE_KERNEL, 0, NUMA_NO_NODE,
				 __builtin_return_address(0));
	if (p && arch_fi_map(d->pgt, (unsigned long)p, nr, FI_PROT_W)) {
		vfree(p);
		return NULL;
	}
	if (p && fi_mem_grant(d, p, size)) {
		fi_area_free(d, p);
		return NULL;
	}
	return p;
}

void fi_area_free(struct fi_domain *d, const void *p)
{
	struct vm_struct *vm = find_vm_area(p);

	if (!vm)
		return;
	fi_handed_forget(d, p, get_vm_area_size(vm));
	fi_mem_revoke(d, p, get_vm_area_size(vm));
	arch_fi_unmap(d->pgt, (unsigned long)p, get_vm_area_size(vm) >> PAGE_SHIFT);
	fi_flush(d);
	vfree(p);
}

/**
 * fi_vmalloc - vmalloc() for a driver
 * @d: domain
 * @size: bytes
 * @gfp: GFP_KERNEL, with __GFP_ZERO or not: the memory is always zeroed
 *
 * Context: may sleep. Return: memory or NULL
 */
void *fi_vmalloc(struct fi_domain *d, size_t size, gfp_t gfp)
{
	return fi_area_alloc(d, size, gfp);
}
EXPORT_SYMBOL_GPL(fi_vmalloc);

/**
 * fi_vfree - free fi_vmalloc() memory
 * @d: domain
 * @p: any value
 *
 * Context: may sleep. Return: false if @p is not the start of an area of @d
 */
bool fi_vfree(struct fi_domain *d, const void *p)
{
	unsigned long va = (unsigned long)p;
	struct vm_struct *vm;

	if (va < FI_VA_START || va >= FI_VA_END)
		return false;
	vm = find_vm_area(p);
	if (!vm || vm->addr != p || !(vm->flags & VM_ALLOC) ||
	    !fi_area_owned(d, va))
		return false;
	fi_area_free(d, p);
	return true;
}
EXPORT_SYMBOL_GPL(fi_vfree);

static unsigned int fi_span(const void *va, size_t len)
{
	unsigned long first = (unsigned long)va & PAGE_MASK;

	return (PAGE_ALIGN((unsigned long)va + len) - first) >> PAGE_SHIFT;
}

/**
 * fi_pages_grant - pages of the direct map become writable in the domain
 * @d: domain
 * @va: start; rounded down to its page
 * @len: bytes; rounded up to whole pages, but where rights are bytes
 *
 * Context: any. Return: 0, -ENOMEM, -EINVAL, or as fi_mem_grant()
 */
int fi_pages_grant(struct fi_domain *d, void *va, size_t len)
{
	int err = fi_mem_grant(d, va, len);

	return err ?: arch_fi_map(d->pgt, (unsigned long)va & PAGE_MASK, fi_span(va, len),
				  FI_PROT_W);
}
EXPORT_SYMBOL_GPL(fi_pages_grant);

/**
 * fi_pages_revoke - the opposite of fi_pages_grant()
 * @d: domain
 * @va: start
 * @len: bytes
 *
 * Context: any; see arch_fi_flush() for what an atomic caller gets
 */
void fi_pages_revoke(struct fi_domain *d, void *va, size_t len)
{
	fi_mem_revoke(d, va, len);
	arch_fi_unmap(d->pgt, (unsigned long)va & PAGE_MASK, fi_span(va, len));
	fi_flush(d);
}
EXPORT_SYMBOL_GPL(fi_pages_revoke);

int fi_bytes_grant(struct fi_domain *d, const void *va, size_t len)
{
	return grant(d, va, len);
}
EXPORT_SYMBOL_GPL(fi_bytes_grant);

void fi_bytes_revoke(struct fi_domain *d, const void *va, size_t len)
{
	fi_permmap_clear(d->perm, (unsigned long)va, len);
}
EXPORT_SYMBOL_GPL(fi_bytes_revoke);

/* Bytes of struct module lie among the module's data and are the kernel's. */
static bool fi_hits_module_struct(struct fi_domain *d, unsigned long addr, size_t len)
{
	unsigned long m = (unsigned long)d->mod;

	return d->mod && addr < m + sizeof(struct module) && addr + len > m;
}

/**
 * fi_mem_writable - are all of these bytes the driver's to write?
 * @d: domain
 * @addr: first byte
 * @len: bytes
 *
 * Page rights, permission map and struct module; not the in-place fields of
 * objects. Context: any.
 */
bool fi_mem_writable(struct fi_domain *d, unsigned long addr, size_t len)
{
	unsigned long at, end = addr + len, next;

	if (end < addr || fi_hits_module_struct(d, addr, len))
		return false;
	if (fi_translated(d))
		return fi_permmap_test(d->perm, addr, len);
	for (at = addr; at < end; at = next) {
		next = min(end, (at & PAGE_MASK) + PAGE_SIZE);
		if (!arch_fi_owned(d->pgt, at, true) && !fi_domain_data_page(d, at) &&
		    !fi_permmap_test(d->perm, at, next - at))
			return false;
	}
	return true;
}
EXPORT_SYMBOL_GPL(fi_mem_writable);

/**
 * fi_mem_readable - can the kernel load these bytes?
 * @d: domain
 * @addr: first byte
 * @len: bytes
 *
 * Mapped memory only: not MMIO, not user space. Context: any.
 */
bool fi_mem_readable(struct fi_domain *d, unsigned long addr, size_t len)
{
	unsigned long at = addr & PAGE_MASK;
	unsigned int level;

	if (!len)
		return true;
	if (addr + len < addr || addr < PAGE_OFFSET)
		return false;
	for (; at < addr + len; at += PAGE_SIZE) {
		pte_t *pte = lookup_address(at, &level);

		if (!pte || !(pte_val(*pte) & _PAGE_PRESENT))
			return false;
		if (level == PG_LEVEL_4K && !pfn_valid(pte_pfn(*pte)))
			return false;
	}
	return true;
}
EXPORT_SYMBOL_GPL(fi_mem_readable);

/**
 * fi_mem_constant - a table that the driver cannot change behind the kernel's back?
 * @d: domain
 * @addr: where it stands, or 0
 * @len: bytes
 *
 * Context: any.
 */
bool fi_mem_constant(struct fi_domain *d, unsigned long addr, size_t len)
{
	return !addr || (fi_mem_readable(d, addr, len) && !fi_mem_writable(d, addr, 1) &&
			 !fi_mem_writable(d, addr + len - 1, 1));
}
EXPORT_SYMBOL_GPL(fi_mem_constant);

/**
 * fi_mem_string - length of a string that a driver passes
 * @d: domain
 * @addr: first character
 * @max: at most so many bytes with the NUL
 *
 * Context: any. Return: length with the NUL; 0 if unreadable or too long
 */
size_t fi_mem_string(struct fi_domain *d, unsigned long addr, size_t max)
{
	size_t n;

	for (n = 0; n < max; n++) {
		if ((!n || !((addr + n) & ~PAGE_MASK)) && !fi_mem_readable(d, addr + n, 1))
			return 0;
		if (!*(const char *)(addr + n))
			return n + 1;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(fi_mem_string);

/**
 * fi_mmio_map - map MMIO a second time where the domain may have it
 * @d: domain
 * @orig: what ioremap() returned
 * @size: bytes
 *
 * The kernel's own mapping stands in the vmalloc range, where domains have no
 * private page tables. The alias is in FI's slot and mapped in both.
 * Context: may sleep. Return: alias or NULL; undo with fi_mmio_unmap()
 */
void __iomem *fi_mmio_map(struct fi_domain *d, void __iomem *orig, size_t size)
{
	unsigned long from = (unsigned long)orig & PAGE_MASK;
	unsigned long off = offset_in_page(orig);
	unsigned int level, nr = fi_span((__force void *)orig, size);
	struct vm_struct *vm;
	unsigned long va;
	pte_t *pte;

	pte = lookup_address(from, &level);
	if (!pte || level != PG_LEVEL_4K)
		return NULL;
	vm = __get_vm_area_caller(nr * PAGE_SIZE, VM_IOREMAP, FI_VA_START, FI_VA_END,
				  __builtin_return_address(0));
	if (!vm)
		return NULL;
	vm->phys_addr = PFN_PHYS(pte_pfn(*pte));
	va = (unsigned long)vm->addr;
	if (ioremap_page_range(va, va + nr * PAGE_SIZE, vm->phys_addr, pte_pgprot(*pte)))
		goto fail;
	if (arch_fi_map(d->pgt, va, nr, FI_PROT_W))
		goto fail;
	if (fi_mem_grant(d, (void *)va + off, size))
		goto unmap;
	if (xa_err(xa_store(&fi_mmio_orig, va, (__force void *)orig, GFP_KERNEL)))
		goto unmap;
	return (void __iomem *)(va + off);
unmap:
	fi_mem_revoke(d, (void *)va + off, size);
	arch_fi_unmap(d->pgt, va, nr);
fail:
	free_vm_area(vm);
	return NULL;
}
EXPORT_SYMBOL_GPL(fi_mmio_map);

/**
 * fi_mmio_unmap - the opposite of fi_mmio_map()
 * @d: domain
 * @alias: any value
 *
 * Context: may sleep. Return: the original for iounmap(), NULL if @alias is
 * not a mapping of @d
 */
void __iomem *fi_mmio_unmap(struct fi_domain *d, void __iomem *alias)
{
	unsigned long va = (unsigned long)alias & PAGE_MASK;
	struct vm_struct *vm;
	void *orig;

	if (!fi_area_owned(d, (unsigned long)alias))
		return NULL;
	orig = xa_erase(&fi_mmio_orig, va);
	vm = orig ? find_vm_area((void *)va) : NULL;
	if (!vm)
		return NULL;
	fi_mem_revoke(d, (void *)va, get_vm_area_size(vm));
	arch_fi_unmap(d->pgt, va, get_vm_area_size(vm) >> PAGE_SHIFT);
	fi_flush(d);
	free_vm_area(vm);
	return (void __iomem *)orig;
}
EXPORT_SYMBOL_GPL(fi_mmio_unmap);

/**
 * struct fi_place - a wish for the next matching allocation of a task
 */
struct fi_place {
	struct fi_domain *dom;
	size_t size, split;
};

/**
 * fi_place_begin - place the next kvmalloc() of exactly @size by current
 * @d: domain
 * @size: the size that will be asked for
 * @split: byte that is to start a page; it and what follows is the driver's
 *
 * Context: task, may sleep; ends with fi_place_end()
 */
void fi_place_begin(struct fi_domain *d, size_t size, size_t split)
{
	struct fi_place *p = kmalloc(sizeof(*p), GFP_KERNEL);

	if (p)
		*p = (struct fi_place){ d, size, split };
	current->fi_place = p;
}
EXPORT_SYMBOL_GPL(fi_place_begin);

void fi_place_end(void)
{
	kfree(current->fi_place);
	current->fi_place = NULL;
}
EXPORT_SYMBOL_GPL(fi_place_end);

/*
 * kvmalloc() of a task that has a wish. A large kmalloc object may be freed by
 * any pointer into it, so the object can start anywhere in the first page.
 */
void *__fi_place_alloc(size_t size, gfp_t gfp)
{
	struct fi_place *p = current->fi_place;
	size_t pad, total;
	void *base;

	if (size != p->size || size < p->split)
		return NULL;
	pad = PAGE_ALIGN(p->split) - p->split;
	total = max_t(size_t, PAGE_ALIGN(pad + size), KMALLOC_MAX_CACHE_SIZE + 1);
	current->fi_place = NULL;
	base = kmalloc(total, gfp & ~__GFP_ACCOUNT);
	current->fi_place = p;
	if (!base)
		return NULL;
	if (fi_pages_grant(p->dom, base + pad + p->split, size - p->split)) {
		kfree(base);
		return NULL;
	}
	kmemleak_free(base);
	kmemleak_alloc(base + pad, size, 1, gfp);
	p->size = 0;
	return base + pad;
}
