/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI devices and drivers of a domain, for recovery above.
 */
#ifndef _DRIVER_FI_PCI_H
#define _DRIVER_FI_PCI_H

#include <linux/list.h>
#include <linux/pci.h>

#include "../domain/handover.h"
#include "../fi.h"

/**
 * struct fi_pci_driver - the kernel's own copy of a driver's struct pci_driver
 * @drv: what is registered; the driver cannot write it
 * @orig: what the driver passed
 * @handed: the same; it cannot write that either while it is registered
 * @dom: its domain
 */
struct fi_pci_driver {
	struct pci_driver drv;
	struct pci_driver *orig;
	struct fi_handover handed;
	struct fi_domain *dom;
};

/**
 * struct fi_pci_dev - a device that a domain's driver was asked to probe
 * @node: in fi_pci_devs
 * @dom: the domain
 * @pdev: the device, with a reference
 * @drv: the kernel's copy of its driver
 * @id: what the kernel passed to probe
 * @probe: the driver's probe function
 * @prober: task that is in probe now
 * @nr_netdevs: network devices allocated in this probe
 * @enables: pci_enable_device() without disable
 * @bars: regions requested
 * @bound: probe succeeded: the kernel will call remove
 * @removed: remove was called and did not do its work
 * @want_master: asked for bus mastering while being probed again
 */
struct fi_pci_dev {
	struct list_head node;
	struct fi_domain *dom;
	struct pci_dev *pdev;
	struct pci_driver *drv;
	const struct pci_device_id *id;
	struct fi_entry *probe;
	struct task_struct *prober;
	unsigned int nr_netdevs;
	unsigned int enables;
	int bars;
	bool bound;
	bool removed;
	bool want_master;
};

/* Calls @fn for each device of @d. Hard interrupt or not; @fn may not sleep. */
void fi_pci_for_each(struct fi_domain *d, void (*fn)(struct fi_pci_dev *p));
/* The @n-th device of @d with a reference to it, or NULL. May sleep. */
struct pci_dev *fi_pci_get_nth(struct fi_domain *d, unsigned int n);
/* Probes @pdev again if its driver is still bound. Under its device lock. */
int fi_pci_reprobe(struct fi_domain *d, struct pci_dev *pdev);
/* Forgets devices that are not bound (any more). */
void fi_pci_reap(struct fi_domain *d);
/* Releases for good what is parked. */
void fi_pci_driver_end(struct fi_pci_driver *pd);

/* The device whose probe runs on this thread, or NULL. */
struct fi_pci_dev *fi_pci_probing(struct fi_domain *d);

/* Functions of drivers that the bus calls. */
extern const struct fi_slot fi_slot_pci_driver_probe, fi_slot_pci_driver_remove;
extern const struct fi_slot fi_slot_pci_driver_shutdown, fi_slot_pci_driver_suspend;
extern const struct fi_slot fi_slot_pci_driver_resume;
extern const struct fi_slot fi_slot_pci_error_handlers_error_detected;
extern const struct fi_slot fi_slot_pci_error_handlers_slot_reset;
extern const struct fi_slot fi_slot_pci_error_handlers_resume;
extern const struct fi_slot fi_slot_dev_pm_ops_suspend, fi_slot_dev_pm_ops_resume;
extern const struct fi_slot fi_slot_dev_pm_ops_freeze, fi_slot_dev_pm_ops_thaw;
extern const struct fi_slot fi_slot_dev_pm_ops_poweroff, fi_slot_dev_pm_ops_restore;

#define FI_PARK_PCI_DRIVER	"pci_driver"

#endif
