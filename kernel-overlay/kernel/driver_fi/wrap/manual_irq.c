// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of interrupts. The kernel's handler is FI's own, with an action in
 * kernel memory; it crosses to the driver's.
 */
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/list.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "manual.h"

static const struct fi_type *irq_type __ro_after_init;
static const struct fi_type *pci_type __ro_after_init;

/* What a driver of a device may ask for. */
#define DRIVER_IRQF	(IRQF_TRIGGER_MASK | IRQF_SHARED | IRQF_PROBE_SHARED | \
			 IRQF_ONESHOT | IRQF_NO_SUSPEND | IRQF_NO_THREAD | \
			 IRQF_COND_ONESHOT | IRQF_NO_AUTOEN | IRQF_NOBALANCING)

/* How long a line rests whose handler had no stack to run on. */
#define REST_MS		10

/*
 * Every struct fi_irq that is not being dropped. The lock is also held over what changes
 * the kernel's count of disables of a line, so that it and @disabled go together. It
 * is taken in hard interrupts. Some lines of slow buses can be disabled in process
 * context alone; no driver of a PCI device has those.
 */
static LIST_HEAD(irqs);
static DEFINE_RAW_SPINLOCK(irqs_lock);

/**
 * struct fi_irq - twin of an interrupt action
 * @node: in irqs; empty when it is being dropped. Under irqs_lock
 * @dom: whose it is
 * @irq: the line
 * @stands: the kernel has the action. Before that the line may be shut, and what
 *	a driver disables would be forgotten
 * @dev_id: what the driver's handlers get
 * @handler: entry of the driver's handler, or NULL
 * @thread_fn: the same of its threaded handler
 * @masked: bit 0: this line was disabled because the handler could not run: the
 *	domain has failed, or has no free stack. A level interrupt that nobody
 *	clears would keep the CPU from everything else
 * @rested: enables it again if it was for lack of a stack
 * @disabled: how often the driver has disabled the line and not enabled it; under
 *	irqs_lock
 * @name: as /proc/interrupts shows it
 * @devname: the driver's pointer to it, which free_irq() returns
 */
struct fi_irq {
	struct list_head node;
	struct fi_domain *dom;
	unsigned int irq;
	bool stands;
	unsigned long dev_id;
	struct fi_entry *handler;
	struct fi_entry *thread_fn;
	unsigned long masked;
	struct delayed_work rested;
	unsigned int disabled;
	char name[32];
	unsigned long devname;
};

static int __init fi_irq_init(void)
{
	irq_type = fi_type_get("irq", 0, NULL, 0);
	pci_type = fi_type_get("pci_dev", sizeof(struct pci_dev), NULL, 0);
	return 0;
}
core_initcall(fi_irq_init);

/* Never called: the kernel has fi_irq_handler(). */
static unsigned long slot_call(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret;

	fi_invoke(e, a, &ret);
	return ret;
}

const struct fi_slot fi_slot_irq_handler = {
	.name = "irq_handler", .fn = slot_call, .nargs = 2, .errval = IRQ_HANDLED,
};
EXPORT_SYMBOL_GPL(fi_slot_irq_handler);

const struct fi_slot fi_slot_irq_thread = {
	.name = "irq_thread", .fn = slot_call, .nargs = 2, .errval = IRQ_HANDLED,
};
EXPORT_SYMBOL_GPL(fi_slot_irq_thread);

/* The driver's threads may have left their stacks: let the handler try again. */
static void rested(struct work_struct *work)
{
	struct fi_irq *i = container_of(work, struct fi_irq, rested.work);

	if (test_and_clear_bit(0, &i->masked))
		enable_irq(i->irq);
}

/* The handler could not run, or did not come back. */
static void mask_line(struct fi_irq *i)
{
	unsigned long flags;

	if (test_and_set_bit(0, &i->masked))
		return;
	disable_irq_nosync(i->irq);
	/* A failed domain gives the line back when its objects are released. */
	if (READ_ONCE(i->dom->dead))
		return;
	raw_spin_lock_irqsave(&irqs_lock, flags);
	if (!list_empty(&i->node))
		schedule_delayed_work(&i->rested, msecs_to_jiffies(REST_MS));
	raw_spin_unlock_irqrestore(&irqs_lock, flags);
}

static irqreturn_t run(struct fi_irq *i, struct fi_entry *e)
{
	unsigned long a[6] = { i->irq, i->dev_id }, ret;

	WRITE_ONCE(i->stands, true);
	if (!fi_invoke(e, a, &ret)) {
		mask_line(i);
		return IRQ_HANDLED;
	}
	switch ((u32)ret) {
	case IRQ_NONE:
	case IRQ_HANDLED:
		return ret;
	case IRQ_WAKE_THREAD:
		if (e == i->handler && i->thread_fn)
			return ret;
		fallthrough;
	default:
		fi_slot_reject(e, -1, "not a value that an interrupt handler returns");
		return IRQ_HANDLED;
	}
}

static irqreturn_t fi_irq_handler(int irq, void *data)
{
	struct fi_irq *i = data;

	return run(i, i->handler);
}

static irqreturn_t fi_irq_thread(int irq, void *data)
{
	struct fi_irq *i = data;

	return run(i, i->thread_fn);
}

/* A name of the pair; the object has no memory. */
static void *irq_key(unsigned int irq, unsigned long dev_id)
{
	return (void *)(dev_id ^ (unsigned long)irq << 48);
}

static void list_irq(struct fi_irq *i)
{
	raw_spin_lock_irq(&irqs_lock);
	list_add(&i->node, &irqs);
	raw_spin_unlock_irq(&irqs_lock);
}

/* From here on nothing disables the line for @i. */
static void unlist_irq(struct fi_irq *i)
{
	raw_spin_lock_irq(&irqs_lock);
	list_del_init(&i->node);
	raw_spin_unlock_irq(&irqs_lock);
	cancel_delayed_work_sync(&i->rested);
}

static void drop_irq(struct fi_irq *i)
{
	unsigned int disabled;

	unlist_irq(i);
	free_irq(i->irq, i);
	disabled = i->disabled + test_bit(0, &i->masked);
	/* Others share the line: give it back as it was. */
	if (irq_has_action(i->irq))
		while (disabled--)
			enable_irq(i->irq);
	kfree(i);
}

static void free_irq_obj(struct fi_domain *d, void *key, unsigned long cookie)
{
	drop_irq((struct fi_irq *)cookie);
}

static bool has_irq(const void *p, void *arg)
{
	const struct pci_dev *pdev = p;
	unsigned int irq = *(unsigned int *)arg;
	struct msi_desc *msi = irq_get_msi_desc(irq);

	return pdev->irq == irq || (msi && msi_desc_to_dev(msi) == &pdev->dev);
}

static bool check_line(struct fi_call *c)
{
	unsigned int irq = c->arg[0];

	if (fi_obj_any(c->dom, pci_type, has_irq, &irq))
		return true;
	fi_reject(c, 0, "not an interrupt of a device of this driver");
	return false;
}

static bool bind_handlers(struct fi_call *c, struct fi_irq *i)
{
	if (c->arg[1]) {
		if (!fi_bind_fn(c, 1, c->arg[1], &fi_slot_irq_handler))
			return false;
		i->handler = fi_entry_by_addr(c->dom, c->arg[1]);
	}
	if (c->arg[2]) {
		if (!fi_bind_fn(c, 2, c->arg[2], &fi_slot_irq_thread))
			return false;
		i->thread_fn = fi_entry_by_addr(c->dom, c->arg[2]);
	}
	if (i->handler || i->thread_fn)
		return true;
	fi_reject(c, 1, "no handler");
	return false;
}

static bool fill(struct fi_call *c, struct fi_irq *i)
{
	INIT_DELAYED_WORK(&i->rested, rested);
	i->dom = c->dom;
	i->irq = c->arg[0];
	i->dev_id = c->arg[5];
	i->devname = c->arg[4];
	if (!i->devname || !fi_mem_string(c->dom, i->devname, PAGE_SIZE)) {
		fi_reject(c, 4, "not a string");
		return false;
	}
	strscpy(i->name, (char *)i->devname);
	return bind_handlers(c, i);
}

/* Takes over @i, also when it fails. */
static int request(struct fi_call *c, struct fi_irq *i)
{
	int ret;

	/* The first interrupt may come before this function is through. */
	list_irq(i);
	ret = request_threaded_irq(i->irq, i->handler ? fi_irq_handler : NULL,
				   i->thread_fn ? fi_irq_thread : NULL,
				   c->arg[3], i->name, i);
	if (ret) {
		unlist_irq(i);
		kfree(i);
		return ret;
	}
	if (c->arg[3] & IRQF_NO_AUTOEN)
		i->disabled = 1;
	WRITE_ONCE(i->stands, true);
	ret = fi_obj_add(c->dom, irq_key(i->irq, i->dev_id), irq_type,
			 free_irq_obj, (unsigned long)i);
	if (ret)
		drop_irq(i);
	return ret == -EEXIST ? -EBUSY : ret;
}

/* request_threaded_irq(irq, handler, thread_fn, flags, devname, dev_id) */
static unsigned long wrap_request_irq(struct fi_call *c)
{
	unsigned long flags = c->arg[3];
	struct fi_irq *i;

	if (!fi_may_sleep(c) || !check_line(c))
		return 0;
	if (flags & ~DRIVER_IRQF)
		return fi_reject(c, 3, "flags that are not a driver's");
	if (flags & IRQF_SHARED && !c->arg[5])
		return -EINVAL;
	i = kzalloc(sizeof(*i), GFP_KERNEL);
	if (!i)
		return -ENOMEM;
	if (fill(c, i))
		return request(c, i);
	kfree(i);
	return 0;
}

/* free_irq(irq, dev_id) */
static unsigned long wrap_free_irq(struct fi_call *c)
{
	unsigned long cookie, devname;
	struct fi_irq *i;

	if (!fi_may_sleep(c))
		return 0;
	if (!fi_obj_del(c->dom, irq_key(c->arg[0], c->arg[1]), irq_type, &cookie))
		return fi_reject_object(c, 0, "not requested by this driver, or freed already");
	i = (struct fi_irq *)cookie;
	devname = i->devname;
	drop_irq(i);
	return devname;
}

/* Under irqs_lock; @disabled: one that the driver may enable. */
static struct fi_irq *requested(struct fi_call *c, bool disabled)
{
	struct fi_irq *i;

	list_for_each_entry(i, &irqs, node)
		if (i->dom == c->dom && i->irq == (u32)c->arg[0] &&
		    READ_ONCE(i->stands) && (!disabled || i->disabled))
			return i;
	return NULL;
}

static bool disable_line(struct fi_call *c)
{
	struct fi_irq *i;
	unsigned long flags;

	raw_spin_lock_irqsave(&irqs_lock, flags);
	i = requested(c, false);
	if (i) {
		i->disabled++;
		disable_irq_nosync(i->irq);
	}
	raw_spin_unlock_irqrestore(&irqs_lock, flags);
	if (!i)
		fi_reject_object(c, 0, "not an interrupt that this driver requested");
	return i;
}

/* disable_irq_nosync(irq) */
static unsigned long wrap_disable_irq_nosync(struct fi_call *c)
{
	disable_line(c);
	return 0;
}

/* disable_irq(irq) */
static unsigned long wrap_disable_irq(struct fi_call *c)
{
	if (fi_may_sleep(c) && disable_line(c))
		synchronize_irq(c->arg[0]);
	return 0;
}

/* bool disable_hardirq(irq) */
static unsigned long wrap_disable_hardirq(struct fi_call *c)
{
	return disable_line(c) && synchronize_hardirq(c->arg[0]);
}

/* enable_irq(irq) */
static unsigned long wrap_enable_irq(struct fi_call *c)
{
	struct fi_irq *i;
	unsigned long flags;

	raw_spin_lock_irqsave(&irqs_lock, flags);
	i = requested(c, true);
	if (i) {
		i->disabled--;
		enable_irq(i->irq);
	}
	raw_spin_unlock_irqrestore(&irqs_lock, flags);
	if (!i)
		fi_reject_object(c, 0, "not an interrupt that this driver disabled");
	return 0;
}

/* synchronize_irq(irq): drivers wait for the line of their device before they request it */
static unsigned long wrap_synchronize_irq(struct fi_call *c)
{
	if (fi_may_sleep(c) && check_line(c))
		synchronize_irq(c->arg[0]);
	return 0;
}

const struct fi_import fi_imports_irq[] = {
	{ .name = "request_threaded_irq", .fn = wrap_request_irq },
	{ .name = "free_irq", .fn = wrap_free_irq },
	{ .name = "disable_irq", .fn = wrap_disable_irq },
	{ .name = "disable_irq_nosync", .fn = wrap_disable_irq_nosync },
	{ .name = "disable_hardirq", .fn = wrap_disable_hardirq },
	{ .name = "enable_irq", .fn = wrap_enable_irq },
	{ .name = "synchronize_irq", .fn = wrap_synchronize_irq },
	{ }
};
