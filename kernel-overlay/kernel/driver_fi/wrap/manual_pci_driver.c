// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of registering PCI drivers.
 *
 * The kernel registers a copy of the driver's struct pci_driver, which the
 * driver cannot write and which stays registered over a restart.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "manual.h"
#include "pci.h"

static const struct fi_type *pci_driver_type;

static int __init fi_pci_driver_init(void)
{
	pci_driver_type = fi_type_get("pci_driver", 0, NULL, 0);
	return 0;
}
core_initcall(fi_pci_driver_init);

void fi_pci_driver_end(struct fi_pci_driver *pd)
{
	pci_unregister_driver(&pd->drv);
	kfree(pd);
}

static void release_driver(struct fi_domain *d, void *ptr, unsigned long cookie)
{
	struct fi_pci_driver *pd = (struct fi_pci_driver *)cookie;

	fi_hand_back(d, &pd->handed);
	if (fi_park(d, FI_PARK_PCI_DRIVER, (unsigned long)pd->orig, pd))
		fi_pci_driver_end(pd);
}

/* Is @table something the driver cannot change behind the kernel's back? */
static bool is_constant(struct fi_call *c, const void *table, size_t len)
{
	return !table || (fi_mem_readable(c->dom, (unsigned long)table, len) &&
			  !fi_mem_writable(c->dom, (unsigned long)table, 1));
}

static bool check_driver(struct fi_call *c, const struct pci_driver *drv)
{
	const char *why = NULL;

	if (!fi_mem_readable(c->dom, (unsigned long)drv, sizeof(*drv)))
		why = "not a readable struct pci_driver";
	else if (!fi_mem_string(c->dom, (unsigned long)drv->name, 64))
		why = "the driver's name is no string";
	else if (drv->groups || drv->dev_groups || drv->driver.groups)
		why = "attributes of its own in sysfs are not supported";
	else if (drv->sriov_configure || drv->sriov_set_msix_vec_count)
		why = "SR-IOV is not supported";
	else if (!is_constant(c, drv->err_handler, sizeof(*drv->err_handler)))
		why = "error handlers in writable memory";
	else if (!is_constant(c, drv->driver.pm, sizeof(*drv->driver.pm)))
		why = "power management operations in writable memory";
	else if (!drv->id_table || !is_constant(c, drv->id_table, sizeof(*drv->id_table)))
		why = "device table in writable memory";
	if (why)
		fi_reject(c, 0, why);
	return !why;
}

static bool bind_driver(struct fi_call *c, const struct pci_driver *drv)
{
	return fi_bind_fn(c, 0, (unsigned long)drv->probe, &fi_slot_pci_driver_probe) &&
	       (!drv->remove ||
		fi_bind_fn(c, 0, (unsigned long)drv->remove, &fi_slot_pci_driver_remove)) &&
	       (!drv->shutdown ||
		fi_bind_fn(c, 0, (unsigned long)drv->shutdown, &fi_slot_pci_driver_shutdown)) &&
	       (!drv->suspend ||
		fi_bind_fn(c, 0, (unsigned long)drv->suspend, &fi_slot_pci_driver_suspend)) &&
	       (!drv->resume ||
		fi_bind_fn(c, 0, (unsigned long)drv->resume, &fi_slot_pci_driver_resume));
}

static struct fi_pci_driver *copy_driver(struct fi_domain *d, struct pci_driver *drv)
{
	struct fi_pci_driver *pd = kzalloc(sizeof(*pd), GFP_KERNEL);

	if (!pd)
		return NULL;
	pd->orig = drv;
	pd->handed.addr = (unsigned long)drv;
	pd->handed.len = sizeof(*drv);
	pd->dom = d;
	pd->drv.name = d->policy.name;
	pd->drv.id_table = drv->id_table;
	pd->drv.probe = drv->probe;
	pd->drv.remove = drv->remove;
	pd->drv.suspend = drv->suspend;
	pd->drv.resume = drv->resume;
	pd->drv.shutdown = drv->shutdown;
	pd->drv.err_handler = drv->err_handler;
	pd->drv.driver.pm = drv->driver.pm;
	pd->drv.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;
	pd->drv.driver.suppress_bind_attrs = drv->driver.suppress_bind_attrs;
	return pd;
}

unsigned long fi_wrap_register_pci_driver(struct fi_call *c)
{
	struct pci_driver *drv = (struct pci_driver *)c->arg[0];
	struct fi_domain *d = c->dom;
	struct fi_pci_driver *pd;
	int err;

	if (!fi_may_sleep(c) || !check_driver(c, drv) || !bind_driver(c, drv))
		return 0;
	pd = fi_unpark(d, FI_PARK_PCI_DRIVER, (unsigned long)drv);
	if (pd) {
		/* Still registered; its devices are probed when init is done. */
		err = fi_obj_add(d, drv, pci_driver_type, release_driver, (unsigned long)pd);
		if (err)
			fi_pci_driver_end(pd);
		else
			fi_hand_over(d, &pd->handed);
		return (unsigned long)(long)err;
	}
	pd = copy_driver(d, drv);
	if (!pd)
		return (unsigned long)-ENOMEM;
	err = fi_obj_add(d, drv, pci_driver_type, release_driver, (unsigned long)pd);
	if (!err) {
		fi_hand_over(d, &pd->handed);
		err = __pci_register_driver(&pd->drv, d->mod, d->policy.name);
		if (err)
			fi_hand_back(d, &pd->handed);
		if (err)
			fi_obj_del(d, drv, pci_driver_type, NULL);
	} else if (err == -EEXIST) {
		fi_reject(c, 0, "registered already");
	}
	if (err)
		kfree(pd);
	return (unsigned long)(long)err;
}

unsigned long fi_wrap_unregister_pci_driver(struct fi_call *c)
{
	unsigned long cookie;

	if (!fi_may_sleep(c))
		return 0;
	if (!fi_obj_del(c->dom, (void *)c->arg[0], pci_driver_type, &cookie))
		return fi_reject(c, 0, "not a registered pci_driver of this driver");
	fi_hand_back(c->dom, &((struct fi_pci_driver *)cookie)->handed);
	fi_pci_driver_end((struct fi_pci_driver *)cookie);
	return 0;
}
