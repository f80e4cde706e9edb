// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of the PCI core: devices and their regions.
 */
#include <linux/export.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "manual.h"
#include "pci.h"

static const struct fi_type *pci_dev_type, *device_type;

static int __init fi_pci_init(void)
{
	pci_dev_type = fi_type_get("pci_dev", sizeof(struct pci_dev), NULL, 0);
	device_type = fi_type_get("device", sizeof(struct device), NULL, 0);
	return 0;
}
core_initcall(fi_pci_init);

/*
 * Devices of all domains. The lock is taken with IRQs off: masking a device
 * happens in the interrupt that delivers a fault.
 */
static LIST_HEAD(fi_pci_devs);
static DEFINE_RAW_SPINLOCK(fi_pci_lock);

static struct fi_pci_dev *find(struct fi_domain *d, const struct pci_dev *pdev)
{
	struct fi_pci_dev *p, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&fi_pci_lock, flags);
	list_for_each_entry(p, &fi_pci_devs, node) {
		if (p->dom == d && p->pdev == pdev && !p->removed)
			found = p;
	}
	raw_spin_unlock_irqrestore(&fi_pci_lock, flags);
	return found;
}

void fi_pci_for_each(struct fi_domain *d, void (*fn)(struct fi_pci_dev *p))
{
	struct fi_pci_dev *p;
	unsigned long flags;

	raw_spin_lock_irqsave(&fi_pci_lock, flags);
	list_for_each_entry(p, &fi_pci_devs, node) {
		if (p->dom == d)
			fn(p);
	}
	raw_spin_unlock_irqrestore(&fi_pci_lock, flags);
}

struct pci_dev *fi_pci_get_nth(struct fi_domain *d, unsigned int n)
{
	struct pci_dev *found = NULL;
	struct fi_pci_dev *p;
	unsigned long flags;

	raw_spin_lock_irqsave(&fi_pci_lock, flags);
	list_for_each_entry(p, &fi_pci_devs, node) {
		if (p->dom == d && !n--) {
			found = pci_dev_get(p->pdev);
			break;
		}
	}
	raw_spin_unlock_irqrestore(&fi_pci_lock, flags);
	return found;
}

struct fi_pci_dev *fi_pci_probing(struct fi_domain *d)
{
	struct fi_pci_dev *p, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&fi_pci_lock, flags);
	list_for_each_entry(p, &fi_pci_devs, node) {
		if (p->dom == d && p->prober == current)
			found = p;
	}
	raw_spin_unlock_irqrestore(&fi_pci_lock, flags);
	return found;
}

/* Gives the device's regions back and disables it. Idempotent. */
static void undo(struct fi_pci_dev *p)
{
	if (p->bars) {
		pci_release_selected_regions(p->pdev, p->bars);
		fi_pci_ports(p->dom, p->pdev, p->bars, false);
	}
	p->bars = 0;
	for (; p->enables; p->enables--)
		pci_disable_device(p->pdev);
}

static void release_dev(struct fi_domain *d, void *ptr, unsigned long cookie)
{
	undo((struct fi_pci_dev *)cookie);
}

static int hold(struct fi_pci_dev *p)
{
	int err = fi_obj_add(p->dom, p->pdev, pci_dev_type, release_dev, (unsigned long)p);

	if (err)
		return err;
	err = fi_obj_add(p->dom, &p->pdev->dev, device_type, NULL, 0);
	if (err)
		fi_obj_del(p->dom, p->pdev, pci_dev_type, NULL);
	return err;
}

static void unhold(struct fi_pci_dev *p)
{
	fi_obj_del(p->dom, &p->pdev->dev, device_type, NULL);
	if (fi_obj_del(p->dom, p->pdev, pci_dev_type, NULL))
		undo(p);
}

static void forget(struct fi_pci_dev *p)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fi_pci_lock, flags);
	list_del(&p->node);
	raw_spin_unlock_irqrestore(&fi_pci_lock, flags);
	pci_dev_put(p->pdev);
	kfree(p);
}

static struct fi_pci_dev *remember(struct fi_entry *e, struct pci_dev *pdev,
				   const struct pci_device_id *id)
{
	struct fi_pci_dev *p = kzalloc(sizeof(*p), GFP_KERNEL);
	unsigned long flags;

	if (!p)
		return NULL;
	p->dom = e->dom;
	p->pdev = pci_dev_get(pdev);
	p->drv = pdev->driver;
	p->id = id;
	p->probe = e;
	raw_spin_lock_irqsave(&fi_pci_lock, flags);
	list_add_tail(&p->node, &fi_pci_devs);
	raw_spin_unlock_irqrestore(&fi_pci_lock, flags);
	return p;
}

/* False if the driver died on the way: recovery cleans up. */
static bool call_probe(struct fi_pci_dev *p, int *ret)
{
	unsigned long a[8] = { (unsigned long)p->pdev, (unsigned long)p->id };
	unsigned long val;
	bool done;

	p->nr_netdevs = 0;
	p->want_master = false;
	p->prober = current;
	done = fi_invoke(p->probe, a, &val);
	p->prober = NULL;
	*ret = (int)val;
	return done;
}

static unsigned long slot_probe(struct fi_entry *e, unsigned long *a)
{
	struct pci_dev *pdev = (struct pci_dev *)a[0];
	struct fi_pci_dev *p;
	int ret;

	if (READ_ONCE(e->dom->dead))
		return e->slot->errval;
	p = remember(e, pdev, (void *)a[1]);
	if (!p)
		return (unsigned long)-ENOMEM;
	ret = hold(p);
	if (ret) {
		forget(p);
		return (unsigned long)(long)ret;
	}
	if (!call_probe(p, &ret)) {
		/* The kernel does not consider it bound; recovery drops it. */
		if (ret >= 0)
			ret = -EIO;
	} else if (ret < 0) {
		unhold(p);
		forget(p);
	} else {
		p->bound = true;
	}
	return (unsigned long)(long)ret;
}

static unsigned long slot_remove(struct fi_entry *e, unsigned long *a)
{
	struct fi_pci_dev *p = find(e->dom, (struct pci_dev *)a[0]);
	unsigned long ret;

	if (!p)
		return 0;
	if (fi_invoke(e, a, &ret)) {
		unhold(p);
		forget(p);
		return 0;
	}
	/*
	 * The kernel may hand the device to somebody else as soon as we return,
	 * so what recovery would do later is done now.
	 */
	pci_clear_master(p->pdev);
	undo(p);
	p->removed = true;
	return 0;
}

/* For functions whose one pointer argument is a device of the driver. */
static unsigned long slot_pdev(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret = e->slot->errval;

	if (fi_obj_held(e->dom, (void *)a[0], pci_dev_type))
		fi_invoke(e, a, &ret);
	return ret;
}

/*
 * Power management: a device whose driver is off stands still anyway; one that
 * is being restarted is not ready to sleep.
 */
static unsigned long slot_sleep(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret = 0;

	if (fi_obj_held(e->dom, (void *)a[0], device_type) && fi_invoke(e, a, &ret))
		return ret;
	return READ_ONCE(e->dom->state) == FI_OFF ? 0 : (unsigned long)-EBUSY;
}

static unsigned long slot_wake(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret = 0;

	if (fi_obj_held(e->dom, (void *)a[0], device_type) && !fi_invoke(e, a, &ret))
		ret = 0;
	return ret;
}

static unsigned long slot_legacy_sleep(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret = 0;

	if (fi_obj_held(e->dom, (void *)a[0], pci_dev_type) && fi_invoke(e, a, &ret))
		return ret;
	return READ_ONCE(e->dom->state) == FI_OFF ? 0 : (unsigned long)-EBUSY;
}

#define DEV_SLOT(var, tag, func, args, err)				\
const struct fi_slot fi_slot_##var = {					\
	.name = tag, .fn = func, .nargs = args, .errval = err,		\
};									\
EXPORT_SYMBOL_GPL(fi_slot_##var)

DEV_SLOT(pci_driver_probe, "pci_driver.probe", slot_probe, 2, (unsigned long)-EIO);
DEV_SLOT(pci_driver_remove, "pci_driver.remove", slot_remove, 1, 0);
DEV_SLOT(pci_driver_shutdown, "pci_driver.shutdown", slot_pdev, 1, 0);
DEV_SLOT(pci_driver_suspend, "pci_driver.suspend", slot_legacy_sleep, 2, 0);
DEV_SLOT(pci_driver_resume, "pci_driver.resume", slot_pdev, 1, 0);
DEV_SLOT(pci_error_handlers_error_detected, "pci_error_handlers.error_detected", slot_pdev, 2,
	 (__force unsigned long)PCI_ERS_RESULT_DISCONNECT);
DEV_SLOT(pci_error_handlers_slot_reset, "pci_error_handlers.slot_reset", slot_pdev, 1,
	 (__force unsigned long)PCI_ERS_RESULT_DISCONNECT);
DEV_SLOT(pci_error_handlers_resume, "pci_error_handlers.resume", slot_pdev, 1, 0);
DEV_SLOT(dev_pm_ops_suspend, "dev_pm_ops.suspend", slot_sleep, 1, 0);
DEV_SLOT(dev_pm_ops_resume, "dev_pm_ops.resume", slot_wake, 1, 0);
DEV_SLOT(dev_pm_ops_freeze, "dev_pm_ops.freeze", slot_sleep, 1, 0);
DEV_SLOT(dev_pm_ops_thaw, "dev_pm_ops.thaw", slot_wake, 1, 0);
DEV_SLOT(dev_pm_ops_poweroff, "dev_pm_ops.poweroff", slot_sleep, 1, 0);
DEV_SLOT(dev_pm_ops_restore, "dev_pm_ops.restore", slot_wake, 1, 0);

int fi_pci_reprobe(struct fi_domain *d, struct pci_dev *pdev)
{
	struct fi_pci_dev *p = find(d, pdev);
	int ret;

	if (!p || !p->bound || pdev->driver != p->drv)
		return 0;
	ret = hold(p);
	if (ret)
		return ret;
	/* In the first life the PCI core keeps this use until remove. */
	pm_runtime_get_sync(&pdev->dev);
	if (!call_probe(p, &ret) && ret >= 0)
		ret = -EIO;
	if (ret >= 0 && p->want_master)
		pci_set_master(pdev);
	pm_runtime_put_noidle(&pdev->dev);
	return ret < 0 ? ret : 0;
}

/* The next device that nobody but this file knows. */
static struct fi_pci_dev *take_dropped(struct fi_domain *d)
{
	struct fi_pci_dev *p, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&fi_pci_lock, flags);
	list_for_each_entry(p, &fi_pci_devs, node) {
		if (p->dom == d && (!p->bound || p->removed)) {
			list_del_init(&p->node);
			found = p;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&fi_pci_lock, flags);
	return found;
}

void fi_pci_reap(struct fi_domain *d)
{
	struct fi_pci_dev *p;

	while ((p = take_dropped(d))) {
		pci_dev_put(p->pdev);
		kfree(p);
	}
}

/* --- devices ------------------------------------------------------------- */

/* The device that argument 0 names; rejects the call if it is not held. */
static struct fi_pci_dev *arg_dev(struct fi_call *c)
{
	struct pci_dev *pdev = (struct pci_dev *)c->arg[0];
	struct fi_pci_dev *p = NULL;

	if (fi_obj_held(c->dom, pdev, pci_dev_type))
		p = find(c->dom, pdev);
	if (!p)
		fi_reject(c, 0, "not a PCI device of this driver");
	return p;
}

static unsigned long enable(struct fi_call *c, int (*fn)(struct pci_dev *))
{
	struct fi_pci_dev *p = arg_dev(c);
	int err;

	if (!p || !fi_may_sleep(c))
		return 0;
	err = fn(p->pdev);
	if (!err)
		p->enables++;
	return (unsigned long)(long)err;
}

static unsigned long wrap_enable_device(struct fi_call *c)
{
	return enable(c, pci_enable_device);
}

static unsigned long wrap_enable_device_mem(struct fi_call *c)
{
	return enable(c, pci_enable_device_mem);
}

static unsigned long wrap_disable_device(struct fi_call *c)
{
	struct fi_pci_dev *p = arg_dev(c);

	if (!p)
		return 0;
	if (!p->enables)
		return fi_reject(c, 0, "the driver has not enabled the device");
	p->enables--;
	pci_disable_device(p->pdev);
	return 0;
}

static unsigned long wrap_request_regions(struct fi_call *c)
{
	struct fi_pci_dev *p = arg_dev(c);
	int bars = c->arg[1], err;

	if (!p)
		return 0;
	if (bars & p->bars)
		return (unsigned long)-EBUSY;
	/* The kernel keeps the name, so not the driver's. */
	err = pci_request_selected_regions(p->pdev, bars, p->dom->policy.name);
	if (!err) {
		fi_pci_ports(p->dom, p->pdev, bars & ~p->bars, true);
		p->bars |= bars;
	}
	return (unsigned long)(long)err;
}

static unsigned long wrap_release_regions(struct fi_call *c)
{
	struct fi_pci_dev *p = arg_dev(c);
	int bars = c->arg[1];

	if (!p)
		return 0;
	if (bars & ~p->bars)
		return fi_reject(c, 1, "regions that the driver has not requested");
	pci_release_selected_regions(p->pdev, bars);
	fi_pci_ports(p->dom, p->pdev, bars & p->bars, false);
	p->bars &= ~bars;
	return 0;
}

static unsigned long wrap_ioremap_bar(struct fi_call *c)
{
	struct fi_pci_dev *p = arg_dev(c);
	unsigned int bar = c->arg[1];
	void __iomem *orig;

	if (!p || !fi_may_sleep(c))
		return 0;
	if (bar >= PCI_STD_NUM_BARS)
		return fi_reject(c, 1, "not a BAR");
	orig = pci_ioremap_bar(p->pdev, bar);
	if (!orig)
		return 0;
	return (unsigned long)fi_mmio_take(c->dom, orig, pci_resource_len(p->pdev, bar));
}

/*
 * A device without a reset of its own still has the receive ring of its last
 * life, whose memory is freed. It may not reach memory before probe is through
 * with it, and probe is where drivers reset their devices.
 */
static unsigned long wrap_set_master(struct fi_call *c)
{
	struct pci_dev *pdev = (struct pci_dev *)c->arg[0];
	struct fi_pci_dev *p = fi_pci_probing(c->dom);

	if (!fi_obj_held(c->dom, pdev, pci_dev_type))
		return fi_reject(c, 0, "not a PCI device of this driver");
	if (p && p->pdev == pdev && fi_restarting(c->dom))
		p->want_master = true;
	else
		pci_set_master(pdev);
	return 0;
}

const struct fi_import fi_imports_pci[] = {
	{ .name = "pci_set_master", .fn = wrap_set_master },
	{ .name = "__pci_register_driver", .fn = fi_wrap_register_pci_driver },
	{ .name = "pci_unregister_driver", .fn = fi_wrap_unregister_pci_driver },
	{ .name = "pci_enable_device", .fn = wrap_enable_device },
	{ .name = "pci_enable_device_mem", .fn = wrap_enable_device_mem },
	{ .name = "pci_disable_device", .fn = wrap_disable_device },
	{ .name = "pci_request_selected_regions", .fn = wrap_request_regions },
	{ .name = "pci_release_selected_regions", .fn = wrap_release_regions },
	{ .name = "pci_ioremap_bar", .fn = wrap_ioremap_bar },
	{ }
};
