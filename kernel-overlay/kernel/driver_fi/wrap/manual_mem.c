// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of memory: what a driver allocates is its own, stands in the object
 * table, and only that can it free.
 */
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "../domain/handover.h"
#include "manual.h"

/* What a driver can ask of an allocation; the rest is the kernel's business. */
#define DRIVER_GFP	(GFP_KERNEL | GFP_ATOMIC | __GFP_ZERO | __GFP_NOWARN | \
			 __GFP_NORETRY | __GFP_RETRY_MAYFAIL | __GFP_NOMEMALLOC)

/* Larger objects are pages of their own, granted one by one. */
#define HEAP_MAX	SZ_256K

static const struct fi_type *heap_type __ro_after_init;
static const struct fi_type *area_type __ro_after_init;
static const struct fi_type *page_type __ro_after_init;

/* get_page() and put_page() are inline. */
static const struct fi_field page_fields[] = {
	{ .off = offsetof(struct page, _refcount), .len = sizeof(atomic_t), .mask = ~0ULL },
};

static int __init fi_mem_init(void)
{
	heap_type = fi_type_get("kmalloc", 0, NULL, 0);
	area_type = fi_type_get("vmalloc", 0, NULL, 0);
	page_type = fi_type_get("page", sizeof(struct page), page_fields,
				ARRAY_SIZE(page_fields));
	return 0;
}
core_initcall(fi_mem_init);

/* The cookie of a kmalloc object is its size. */
static void free_kmalloc(struct fi_domain *d, void *p, unsigned long size)
{
	if (fi_release_later(d, free_kmalloc, p, size))
		return;
	if (size <= HEAP_MAX) {
		fi_heap_free(d, p);
		return;
	}
	fi_pages_revoke(d, p, size);
	kfree(p);
}

static void *alloc_kmalloc(struct fi_domain *d, size_t size, gfp_t gfp)
{
	void *p;

	if (size <= HEAP_MAX)
		return fi_heap_alloc(d, size, gfp);
	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	p = kmalloc(size, gfp);
	if (p && fi_pages_grant(d, p, size)) {
		kfree(p);
		return NULL;
	}
	return p;
}

/**
 * fi_kmalloc_take - allocates as kmalloc() for a driver
 * @d: its domain
 * @size: bytes; 0 as in kmalloc()
 * @gfp: flags that a driver cannot ask for are dropped
 *
 * Context: as @gfp says. Return: memory that the driver may free, or NULL.
 */
void *fi_kmalloc_take(struct fi_domain *d, size_t size, gfp_t gfp)
{
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	p = alloc_kmalloc(d, size, gfp & DRIVER_GFP);
	if (p && fi_obj_add(d, p, heap_type, free_kmalloc, size)) {
		free_kmalloc(d, p, size);
		return NULL;
	}
	if (p)
		fi_note_alloc(d, p, size, heap_type);
	return p;
}

static unsigned long do_kmalloc(struct fi_call *c, size_t size, gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp) && !fi_may_sleep(c))
		return 0;
	return (unsigned long)fi_kmalloc_take(c->dom, size, gfp);
}

static unsigned long wrap_kmalloc(struct fi_call *c)
{
	return do_kmalloc(c, c->arg[0], (__force gfp_t)c->arg[1]);
}

static unsigned long wrap_kmalloc_node(struct fi_call *c)
{
#ifdef CONFIG_SLAB_BUCKETS
	return do_kmalloc(c, c->arg[0], (__force gfp_t)c->arg[2]);
#else
	return do_kmalloc(c, c->arg[0], (__force gfp_t)c->arg[1]);
#endif
}

/* The cache is a hint of inlined kmalloc(): domains have their own. */
static unsigned long wrap_kmalloc_cache(struct fi_call *c)
{
	return do_kmalloc(c, c->arg[2], (__force gfp_t)c->arg[1]);
}

static unsigned long wrap_kmalloc_cache_node(struct fi_call *c)
{
	return do_kmalloc(c, c->arg[3], (__force gfp_t)c->arg[1]);
}

static unsigned long wrap_kmemdup(struct fi_call *c)
{
	size_t len = c->arg[1];
	unsigned long p;

	if (!fi_mem_readable(c->dom, c->arg[0], len))
		return fi_reject(c, 0, "not readable");
	p = do_kmalloc(c, len, (__force gfp_t)c->arg[2]);
	if (!ZERO_OR_NULL_PTR((void *)p))
		memcpy((void *)p, (void *)c->arg[0], len);
	return p;
}

static bool free_one(struct fi_call *c, unsigned long ptr, const struct fi_type *t,
		     unsigned long *cookie)
{
	if (fi_obj_del(c->dom, (void *)ptr, t, cookie)) {
		fi_note_free(c->dom, (void *)ptr);
		return true;
	}
	fi_reject_object(c, 0, "not allocated by this driver, or freed already");
	return false;
}

static unsigned long wrap_kfree(struct fi_call *c)
{
	unsigned long size;

	if (ZERO_OR_NULL_PTR((void *)c->arg[0]))
		return 0;
	if (fi_obj_cookie(c->dom, (void *)c->arg[0], heap_type, &size) &&
	    fi_handed_any(c->dom, (void *)c->arg[0], size))
		return fi_reject_object(c, 0, "holds a timer, work or the like that is in use");
	if (free_one(c, c->arg[0], heap_type, &size))
		free_kmalloc(c->dom, (void *)c->arg[0], size);
	return 0;
}

static void free_vmalloc(struct fi_domain *d, void *p, unsigned long cookie)
{
	fi_vfree(d, p);
}

static unsigned long do_vmalloc(struct fi_call *c, size_t size, gfp_t gfp)
{
	void *p;

	if (!fi_may_sleep(c))
		return 0;
	p = fi_vmalloc(c->dom, size, gfp);
	if (p && fi_obj_add(c->dom, p, area_type, free_vmalloc, 0)) {
		fi_vfree(c->dom, p);
		p = NULL;
	}
	if (p)
		fi_note_alloc(c->dom, p, size, area_type);
	return (unsigned long)p;
}

static unsigned long wrap_vmalloc(struct fi_call *c)
{
	return do_vmalloc(c, c->arg[0], GFP_KERNEL);
}

static unsigned long wrap_vzalloc(struct fi_call *c)
{
	return do_vmalloc(c, c->arg[0], GFP_KERNEL | __GFP_ZERO);
}

static unsigned long wrap_vfree(struct fi_call *c)
{
	if (!c->arg[0] || !fi_may_sleep(c))
		return 0;
	if (free_one(c, c->arg[0], area_type, NULL))
		fi_vfree(c->dom, (void *)c->arg[0]);
	return 0;
}

/* kvmalloc() of drivers: contiguous memory if that is cheap. */
static unsigned long wrap_kvmalloc_node(struct fi_call *c)
{
#ifdef CONFIG_SLAB_BUCKETS
	gfp_t gfp = (__force gfp_t)c->arg[2];
#else
	gfp_t gfp = (__force gfp_t)c->arg[1];
#endif
	if (c->arg[0] <= PAGE_SIZE || !gfpflags_allow_blocking(gfp))
		return do_kmalloc(c, c->arg[0], gfp);
	return do_vmalloc(c, c->arg[0], gfp);
}

static unsigned long wrap_kvfree(struct fi_call *c)
{
	if (fi_obj_held(c->dom, (void *)c->arg[0], area_type))
		return wrap_vfree(c);
	return wrap_kfree(c);
}

/* The cookie of a page is its order. */
static void free_page_obj(struct fi_domain *d, void *ptr, unsigned long order)
{
	struct page *page = ptr;

	if (fi_release_later(d, free_page_obj, ptr, order))
		return;
	fi_pages_revoke(d, page_address(page), PAGE_SIZE << order);
	/* 0: the driver died in put_page(), on its way to wrap_folio_put(). */
	if (page_ref_count(page))
		put_page(page);
	else
		__folio_put(page_folio(page));
}

/**
 * fi_page_take - the driver has 2^@order pages
 * @d: its domain
 * @page: the first; in the direct map
 * @order: their order
 *
 * The reference of the caller becomes the driver's.
 *
 * Context: any but NMI. Return: 0 or -errno, after which nothing has changed.
 */
int fi_page_take(struct fi_domain *d, struct page *page, unsigned int order)
{
	int ret = fi_pages_grant(d, page_address(page), PAGE_SIZE << order);

	if (ret)
		return ret;
	ret = fi_obj_add(d, page, page_type, free_page_obj, order);
	if (ret)
		fi_pages_revoke(d, page_address(page), PAGE_SIZE << order);
	return ret;
}

bool fi_page_held(struct fi_domain *d, const struct page *page)
{
	return fi_obj_held(d, page, page_type);
}

/**
 * fi_page_give - the driver loses pages
 * @d: its domain
 * @page: any value
 *
 * The reference of the driver becomes the caller's.
 *
 * Context: any but NMI. Return: false if it does not have them.
 */
bool fi_page_give(struct fi_domain *d, struct page *page)
{
	unsigned long order;

	if (!fi_obj_del(d, page, page_type, &order))
		return false;
	fi_pages_revoke(d, page_address(page), PAGE_SIZE << order);
	return true;
}

static unsigned long wrap_alloc_pages(struct fi_call *c)
{
	gfp_t gfp = (__force gfp_t)c->arg[0];
	unsigned int order = c->arg[1];
	struct page *page;

	if (order > MAX_PAGE_ORDER)
		return fi_reject(c, 1, "order of pages out of range");
	if (gfpflags_allow_blocking(gfp) && !fi_may_sleep(c))
		return 0;
	gfp &= DRIVER_GFP | __GFP_COMP;
	/* The driver frees by put_page(): the whole must be one folio. */
	page = alloc_pages(order ? gfp | __GFP_COMP : gfp, order);
	if (page && fi_page_take(c->dom, page, order)) {
		__free_pages(page, order);
		page = NULL;
	}
	return (unsigned long)page;
}

/* Inlined put_page() found the count at 0; the count is the driver's word. */
static unsigned long wrap_folio_put(struct fi_call *c)
{
	struct page *page = (struct page *)c->arg[0];

	if (!fi_page_give(c->dom, page))
		return fi_reject_object(c, 0, "not a page of this driver");
	if (page_ref_count(page))
		return fi_reject(c, 0, "a page in use is freed");
	__folio_put(page_folio(page));
	return 0;
}

/*
 * Inlined put_page() asks it once a device with memory of its own is in use. Whatever
 * a driver holds is the page allocator's.
 */
static unsigned long wrap_put_devmap(struct fi_call *c)
{
	return false;
}

static unsigned long wrap_free_pages(struct fi_call *c)
{
	struct page *page = (struct page *)c->arg[0];
	unsigned long order;

	if (!fi_obj_cookie(c->dom, page, page_type, &order) || order != c->arg[1] ||
	    !fi_page_give(c->dom, page))
		return fi_reject_object(c, 0, "no such pages of this driver");
	__free_pages(page, order);
	return 0;
}

const struct fi_import fi_imports_mem[] = {
	{ .name = "__kmalloc_noprof", .fn = wrap_kmalloc },
	{ .name = "__kmalloc_large_noprof", .fn = wrap_kmalloc },
	{ .name = "__kmalloc_large_node_noprof", .fn = wrap_kmalloc },
	{ .name = "__kmalloc_node_noprof", .fn = wrap_kmalloc_node },
	{ .name = "__kmalloc_cache_noprof", .fn = wrap_kmalloc_cache },
	{ .name = "__kmalloc_cache_node_noprof", .fn = wrap_kmalloc_cache_node },
	{ .name = "kmemdup_noprof", .fn = wrap_kmemdup },
	{ .name = "kfree", .fn = wrap_kfree },
	{ .name = "kvfree", .fn = wrap_kvfree },
	{ .name = "vmalloc_noprof", .fn = wrap_vmalloc },
	{ .name = "vzalloc_noprof", .fn = wrap_vzalloc },
	{ .name = "vfree", .fn = wrap_vfree },
	{ .name = "__kvmalloc_node_noprof", .fn = wrap_kvmalloc_node },
	{ .name = "__alloc_pages_noprof", .fn = wrap_alloc_pages },
	{ .name = "alloc_pages_noprof", .fn = wrap_alloc_pages },
	{ .name = "__folio_put", .fn = wrap_folio_put },
	{ .name = "__put_devmap_managed_folio_refs", .fn = wrap_put_devmap },
	{ .name = "__free_pages", .fn = wrap_free_pages },
	{ .name = "ioremap", .fn = fi_wrap_ioremap },
	{ .name = "ioremap_wc", .fn = fi_wrap_ioremap_wc },
	{ .name = "iounmap", .fn = fi_wrap_iounmap },
	{ }
};
