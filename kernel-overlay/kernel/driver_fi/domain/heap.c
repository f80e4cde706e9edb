// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heap of a domain: SLUB caches of its own.
 *
 * SLUB calls two hooks when a slab of such a cache comes and goes; they make
 * its pages writable in the domain and take that back. So kfree() by the
 * kernel of memory that a driver allocated is right without a wrapper.
 *
 * Free pointers lie inside free objects, which the driver could overwrite, so
 * the caches have SLAB_CONSISTENCY_CHECKS: SLUB then does not follow a pointer
 * that leads outside the slab.
 */
#include <linux/driver_fi.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <asm/driver_fi.h>

#include "../../../mm/slab.h"
#include "domain.h"
#include "handover.h"

#define FI_HEAP_MIN_SHIFT	3
#define FI_HEAP_MAX_SHIFT	18
/*
 * Where rights are held by the byte, so much behind each object is nobody's;
 * else the next slot, which may be granted too, would take what is written
 * one byte too far. As many bytes as KASAN leaves at least.
 */
#define FI_REDZONE		16
#define FI_HEAP_NR		(FI_HEAP_MAX_SHIFT - FI_HEAP_MIN_SHIFT + 2)

struct fi_heap {
	struct kmem_cache *cache[FI_HEAP_NR];
};

/* kmem_cache -> domain. Entries exist as long as the cache. */
static DEFINE_XARRAY(fi_heap_owner);

/* The smallest slot that takes @size bytes. */
static unsigned int slot_shift(size_t size)
{
	return max_t(unsigned int, FI_HEAP_MIN_SHIFT, order_base_2(size));
}

/**
 * fi_heap_alloc - allocate driver memory
 * @d: domain
 * @size: bytes, up to 256 KiB
 * @gfp: as for kmalloc()
 *
 * Aligned like kmalloc(). Context: as @gfp says. Return: memory or NULL
 */
void *fi_heap_alloc(struct fi_domain *d, size_t size, gfp_t gfp)
{
	unsigned int shift;
	void *p;

	if (size > 1UL << FI_HEAP_MAX_SHIFT)
		return NULL;
	shift = slot_shift(size + (fi_translated(d) ? FI_REDZONE : 0));
	p = kmem_cache_alloc(d->heap->cache[shift - FI_HEAP_MIN_SHIFT],
			     gfp & ~(__GFP_ACCOUNT | __GFP_COMP));
	if (p && fi_mem_grant(d, p, size)) {
		kfree(p);
		return NULL;
	}
	return p;
}
EXPORT_SYMBOL_GPL(fi_heap_alloc);

/* The domain whose heap this cache is, or NULL. Any context. */
struct fi_domain *fi_heap_cache_owner(struct kmem_cache *s)
{
	return xa_load(&fi_heap_owner, (unsigned long)s);
}

/**
 * fi_heap_size - size of the heap object that starts at @p
 * @d: domain
 * @p: any value
 *
 * Says whose memory it is, not whether it is allocated: the object table
 * knows that. Context: any. Return: size, 0 if no heap object of @d starts
 * there
 */
size_t fi_heap_size(struct fi_domain *d, const void *p)
{
	struct slab *slab;

	if (!virt_addr_valid(p))
		return 0;
	slab = virt_to_slab(p);
	if (!slab || fi_heap_cache_owner(slab->slab_cache) != d)
		return 0;
	if ((p - slab_address(slab)) % slab->slab_cache->size)
		return 0;
	return slab->slab_cache->object_size;
}
EXPORT_SYMBOL_GPL(fi_heap_size);

void fi_heap_free(struct fi_domain *d, const void *p)
{
	fi_handed_forget(d, p, fi_heap_size(d, p));
	fi_mem_revoke(d, p, fi_heap_size(d, p));
	kfree(p);
}
EXPORT_SYMBOL_GPL(fi_heap_free);

/* SLUB: @s got a slab. Any context; failure means stores are emulated. */
void __fi_slab_come(struct kmem_cache *s, void *start, unsigned int order)
{
	struct fi_domain *d = fi_heap_cache_owner(s);

	if (d)
		arch_fi_map(d->pgt, (unsigned long)start, 1U << order, FI_PROT_W);
}

/* SLUB: @s is about to free a slab. Any context. */
void __fi_slab_go(struct kmem_cache *s, void *start, unsigned int order)
{
	struct fi_domain *d = fi_heap_cache_owner(s);

	if (!d)
		return;
	/* What the kernel freed by itself has kept its rights until now. */
	fi_handed_forget(d, start, PAGE_SIZE << order);
	fi_mem_revoke(d, start, PAGE_SIZE << order);
	arch_fi_unmap(d->pgt, (unsigned long)start, 1U << order);
	if (d->pgt)
		arch_fi_flush();
}

/* Frees the caches. All objects must be free: SLUB reports what is left. */
void fi_heap_destroy(struct fi_domain *d)
{
	int i;

	if (!d->heap)
		return;
	for (i = 0; i < FI_HEAP_NR; i++) {
		struct kmem_cache *s = d->heap->cache[i];

		if (!s)
			continue;
		kmem_cache_destroy(s);
		xa_erase(&fi_heap_owner, (unsigned long)s);
	}
	kfree(d->heap);
	d->heap = NULL;
}

/* Context: may sleep. Return: 0 or -ENOMEM */
int fi_heap_create(struct fi_domain *d)
{
	char name[FI_NAME_LEN + 24];
	int i;

	d->heap = kzalloc(sizeof(*d->heap), GFP_KERNEL);
	if (!d->heap)
		return -ENOMEM;
	for (i = 0; i < FI_HEAP_NR; i++) {
		unsigned int size = 1U << (i + FI_HEAP_MIN_SHIFT);
		struct kmem_cache *s;

		snprintf(name, sizeof(name), "fi-%s-%u", d->policy.name, size);
		s = kmem_cache_create(name, size, size,
				      SLAB_NO_MERGE | SLAB_CONSISTENCY_CHECKS | SLAB_DRIVER_FI,
				      NULL);
		if (!s)
			goto fail;
		d->heap->cache[i] = s;
		if (xa_err(xa_store(&fi_heap_owner, (unsigned long)s, d, GFP_KERNEL)))
			goto fail;
	}
	return 0;
fail:
	fi_heap_destroy(d);
	return -ENOMEM;
}
