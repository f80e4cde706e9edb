// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of DMA: for devices of the driver, and memory that it may expose.
 */
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "manual.h"

static const struct fi_type *coherent_type __ro_after_init;
static const struct fi_type *map_type __ro_after_init;
static const struct fi_type *device_type __ro_after_init;

static int __init fi_dma_init(void)
{
	coherent_type = fi_type_get("dma_coherent", 0, NULL, 0);
	map_type = fi_type_get("dma_map", 0, NULL, 0);
	device_type = fi_type_get("device", sizeof(struct device), NULL, 0);
	return 0;
}
core_initcall(fi_dma_init);

/**
 * struct fi_dma - something that a device can reach
 * @dev: the device
 * @addr: bus address
 * @size: bytes
 * @attrs: as given
 * @dir: of a mapping
 */
struct fi_dma {
	struct device *dev;
	dma_addr_t addr;
	size_t size;
	unsigned long attrs;
	enum dma_data_direction dir;
};

static struct device *check_device(struct fi_call *c)
{
	if (fi_obj_held(c->dom, (void *)c->arg[0], device_type))
		return (struct device *)c->arg[0];
	fi_reject_object(c, 0, "not a device of this driver");
	return NULL;
}

static bool check_dir(struct fi_call *c, int arg)
{
	if (valid_dma_direction(c->arg[arg]))
		return true;
	fi_reject(c, arg, "no direction");
	return false;
}

/* --- coherent memory ---------------------------------------------------- */

static void free_coherent(struct fi_domain *d, void *va, unsigned long cookie)
{
	struct fi_dma *m = (struct fi_dma *)cookie;

	if (fi_release_later(d, free_coherent, va, cookie))
		return;
	fi_pages_revoke(d, va, m->size);
	dma_free_attrs(m->dev, m->size, va, m->addr, m->attrs);
	kfree(m);
}

/* The memory that @m describes, the driver's; NULL without memory. */
static void *alloc_coherent(struct fi_domain *d, struct fi_dma *m, gfp_t gfp)
{
	void *va = dma_alloc_attrs(m->dev, m->size, &m->addr, gfp, m->attrs);

	if (!va)
		return NULL;
	if (fi_pages_grant(d, va, m->size))
		goto free;
	if (fi_obj_add(d, va, coherent_type, free_coherent, (unsigned long)m))
		goto revoke;
	fi_note_alloc(d, va, m->size, coherent_type);
	return va;
revoke:
	fi_pages_revoke(d, va, m->size);
free:
	dma_free_attrs(m->dev, m->size, va, m->addr, m->attrs);
	return NULL;
}

/* dma_alloc_attrs(dev, size, dma_handle, gfp, attrs) */
static unsigned long wrap_alloc(struct fi_call *c)
{
	struct device *dev = check_device(c);
	gfp_t gfp = (__force gfp_t)c->arg[3];
	struct fi_dma *m;
	void *va;

	if (!dev)
		return 0;
	if (!fi_owns(c, c->arg[2], sizeof(dma_addr_t)))
		return fi_reject(c, 2, "not memory of this driver");
	/* Without a kernel mapping there is nothing to grant. */
	if (!c->arg[1] || c->arg[4] & DMA_ATTR_NO_KERNEL_MAPPING)
		return 0;
	if (gfpflags_allow_blocking(gfp) && !fi_may_sleep(c))
		return 0;
	gfp &= GFP_KERNEL | GFP_ATOMIC | __GFP_NOWARN | __GFP_NORETRY;
	m = kzalloc(sizeof(*m), gfp);
	if (!m)
		return 0;
	*m = (struct fi_dma){ .dev = dev, .size = c->arg[1], .attrs = c->arg[4] };
	va = alloc_coherent(c->dom, m, gfp);
	if (!va) {
		kfree(m);
		return 0;
	}
	*(dma_addr_t *)c->arg[2] = m->addr;
	return (unsigned long)va;
}

/* dma_free_attrs(dev, size, cpu_addr, dma_handle, attrs) */
static unsigned long wrap_free(struct fi_call *c)
{
	void *va = (void *)c->arg[2];
	struct device *dev = check_device(c);
	unsigned long cookie;
	struct fi_dma *m;

	if (!dev || !va)
		return 0;
	if (!fi_obj_del(c->dom, va, coherent_type, &cookie))
		return fi_reject_object(c, 2, "not allocated by this driver, or freed already");
	m = (struct fi_dma *)cookie;
	if (m->dev != dev || m->size != c->arg[1] || m->addr != c->arg[3])
		fi_reject(c, 2, "not as it was allocated");
	fi_note_free(c->dom, va);
	free_coherent(c->dom, va, cookie);
	return 0;
}

/* --- streaming mappings -------------------------------------------------- */

/* Objects of map_type, in all domains. */
static atomic_t nr_maps;

static void free_map(struct fi_domain *d, void *key, unsigned long cookie)
{
	struct fi_dma *m = (struct fi_dma *)cookie;

	if (fi_release_later(d, free_map, key, cookie))
		return;
	dma_unmap_page_attrs(m->dev, m->addr, m->size, m->dir, m->attrs);
	kfree(m);
	atomic_dec(&nr_maps);
}

/* Of RAM; fails for what no struct page stands for. */
static bool is_page(const struct page *page, size_t bytes)
{
	unsigned long pfn = page_to_pfn(page);

	return (unsigned long)page >= VMEMMAP_START && pfn_valid(pfn) &&
	       (bytes < PAGE_SIZE || pfn_valid(pfn + (bytes >> PAGE_SHIFT)));
}

/*
 * Memory that the driver itself may write. What it may write exists, so below
 * the end of the direct map there is no need to look for the page.
 */
static bool is_own(struct fi_call *c, const struct page *page, size_t off, size_t size)
{
	unsigned long va = (unsigned long)page_address(page) + off;

	return va >= PAGE_OFFSET && va < (unsigned long)high_memory &&
	       size <= (unsigned long)high_memory - va && fi_mem_writable(c->dom, va, size);
}

/* Memory that exists; for a device that writes, the driver's. */
static bool check_memory(struct fi_call *c, const struct page *page, size_t off, size_t size)
{
	bool writes = c->arg[4] != DMA_TO_DEVICE;

	if (likely(off + size >= off)) {
		if (writes ? is_own(c, page, off, size) : is_page(page, off + size))
			return true;
		writes &= is_page(page, off + size);
	}
	fi_reject(c, 1, writes ? "a device would write to memory that is not the driver's" :
				 "not a page");
	return false;
}

/* Is there nothing to undo? So it is without IOMMU and bounce buffer. */
static bool is_plain(struct device *dev, struct page *page, size_t off, dma_addr_t addr)
{
	return addr == phys_to_dma(dev, page_to_phys(page) + off);
}

/* Mappings that hold something are objects, so that recovery undoes them. */
static dma_addr_t remember(struct fi_call *c, struct device *dev, dma_addr_t addr)
{
	struct fi_dma *m = kmalloc(sizeof(*m), GFP_ATOMIC | __GFP_NOWARN);

	if (!m)
		goto unmap;
	*m = (struct fi_dma){ dev, addr, c->arg[3], c->arg[5], c->arg[4] };
	atomic_inc(&nr_maps);
	if (!fi_obj_add(c->dom, (void *)(unsigned long)addr, map_type, free_map,
			(unsigned long)m))
		return addr;
	atomic_dec(&nr_maps);
	kfree(m);
unmap:
	dma_unmap_page_attrs(dev, addr, c->arg[3], c->arg[4], c->arg[5]);
	return DMA_MAPPING_ERROR;
}

/* dma_map_page_attrs(dev, page, offset, size, dir, attrs) */
static unsigned long wrap_map_page(struct fi_call *c)
{
	struct page *page = (struct page *)c->arg[1];
	size_t off = c->arg[2], size = c->arg[3];
	struct device *dev = check_device(c);
	dma_addr_t addr;

	if (!dev || !check_dir(c, 4) || !check_memory(c, page, off, size))
		return DMA_MAPPING_ERROR;
	addr = dma_map_page_attrs(dev, page, off, size, c->arg[4], c->arg[5]);
	if (addr == DMA_MAPPING_ERROR || is_plain(dev, page, off, addr))
		return addr;
	return remember(c, dev, addr);
}

/* dma_unmap_page_attrs(dev, addr, size, dir, attrs); plain ones hold nothing */
static unsigned long wrap_unmap_page(struct fi_call *c)
{
	void *key = (void *)c->arg[1];
	unsigned long cookie;
	struct fi_dma *m;

	/* With plain mappings there is nothing to find, and this is all. */
	if (!atomic_read(&nr_maps))
		return 0;
	if (!check_device(c) || !fi_obj_del(c->dom, key, map_type, &cookie))
		return 0;
	m = (struct fi_dma *)cookie;
	if (m->size != c->arg[2] || m->dir != c->arg[3])
		fi_reject(c, 1, "not as it was mapped");
	free_map(c->dom, key, cookie);
	return 0;
}

/*
 * dma_sync_single_for_*(dev, addr, size, dir). @addr may lie within a mapping;
 * the bounce buffer finds and bounds what it belongs to.
 */
static unsigned long do_sync(struct fi_call *c,
			     void (*sync)(struct device *dev, dma_addr_t addr,
					  size_t size, enum dma_data_direction dir))
{
	struct device *dev = check_device(c);

	if (dev && check_dir(c, 3))
		sync(dev, c->arg[1], c->arg[2], c->arg[3]);
	return 0;
}

static unsigned long wrap_sync_for_cpu(struct fi_call *c)
{
	return do_sync(c, dma_sync_single_for_cpu);
}

static unsigned long wrap_sync_for_device(struct fi_call *c)
{
	return do_sync(c, dma_sync_single_for_device);
}

/* --- masks --------------------------------------------------------------- */

static unsigned long wrap_set_mask(struct fi_call *c)
{
	struct device *dev = check_device(c);

	return dev ? dma_set_mask(dev, c->arg[1]) : 0;
}

static unsigned long wrap_set_coherent_mask(struct fi_call *c)
{
	struct device *dev = check_device(c);

	return dev ? dma_set_coherent_mask(dev, c->arg[1]) : 0;
}

const struct fi_import fi_imports_dma[] = {
	{ .name = "dma_alloc_attrs", .fn = wrap_alloc },
	{ .name = "dma_free_attrs", .fn = wrap_free },
	{ .name = "dma_map_page_attrs", .fn = wrap_map_page },
	{ .name = "dma_unmap_page_attrs", .fn = wrap_unmap_page },
	{ .name = "__dma_sync_single_for_cpu", .fn = wrap_sync_for_cpu },
	{ .name = "__dma_sync_single_for_device", .fn = wrap_sync_for_device },
	{ .name = "dma_set_mask", .fn = wrap_set_mask },
	{ .name = "dma_set_coherent_mask", .fn = wrap_set_coherent_mask },
	{ }
};
