// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of MMIO: registers of the driver's own devices, mapped where its
 * domain may write.
 */
#include <linux/init.h>
#include <linux/io.h>
#include <linux/pci.h>
#include "manual.h"

static const struct fi_type *mmio_type __ro_after_init;
static const struct fi_type *pci_type __ro_after_init;

static int __init fi_mmio_init(void)
{
	mmio_type = fi_type_get("mmio", 0, NULL, 0);
	pci_type = fi_type_get("pci_dev", sizeof(struct pci_dev), NULL, 0);
	return 0;
}
core_initcall(fi_mmio_init);

static void free_mmio(struct fi_domain *d, void *p, unsigned long cookie)
{
	void __iomem *orig = fi_mmio_unmap(d, (void __iomem *)p);

	if (orig)
		iounmap(orig);
}

/**
 * fi_mmio_take - the driver has an MMIO mapping
 * @d: its domain
 * @orig: what ioremap() returned; NULL returns NULL
 * @size: bytes
 *
 * Context: sleeps. Return: the address that the driver is to use. NULL without
 * memory, after which @orig is unmapped.
 */
void __iomem *fi_mmio_take(struct fi_domain *d, void __iomem *orig, size_t size)
{
	void __iomem *alias;

	if (!orig)
		return NULL;
	alias = fi_mmio_map(d, orig, size);
	if (!alias) {
		iounmap(orig);
		return NULL;
	}
	if (fi_obj_add(d, (__force void *)alias, mmio_type, free_mmio, 0)) {
		free_mmio(d, (__force void *)alias, 0);
		return NULL;
	}
	fi_note_alloc(d, (__force void *)alias, size, mmio_type);
	return alias;
}

/* A range of bus addresses. */
struct bus_range {
	resource_size_t start;
	resource_size_t size;
};

static bool bar_contains(const void *p, void *arg)
{
	const struct pci_dev *pdev = p;
	const struct bus_range *r = arg;
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		resource_size_t start = pci_resource_start(pdev, bar);
		resource_size_t len = pci_resource_len(pdev, bar);

		if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM &&
		    r->start >= start && r->size <= len &&
		    r->start - start <= len - r->size)
			return true;
	}
	return false;
}

static unsigned long do_ioremap(struct fi_call *c,
				void __iomem *(*map)(resource_size_t, unsigned long))
{
	struct bus_range r = { c->arg[0], c->arg[1] };

	if (!fi_may_sleep(c))
		return 0;
	if (!r.size || !fi_obj_any(c->dom, pci_type, bar_contains, &r))
		return fi_reject(c, 0, "not in a BAR of a device of this driver");
	return (__force unsigned long)fi_mmio_take(c->dom, map(r.start, r.size), r.size);
}

unsigned long fi_wrap_ioremap(struct fi_call *c)
{
	return do_ioremap(c, ioremap);
}

unsigned long fi_wrap_ioremap_wc(struct fi_call *c)
{
	return do_ioremap(c, ioremap_wc);
}

unsigned long fi_wrap_iounmap(struct fi_call *c)
{
	void *alias = (void *)c->arg[0];

	if (!alias || !fi_may_sleep(c))
		return 0;
	if (!fi_obj_del(c->dom, alias, mmio_type, NULL))
		return fi_reject_object(c, 0, "not mapped by this driver");
	fi_note_free(c->dom, alias);
	free_mmio(c->dom, alias, 0);
	return 0;
}
