// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tenant module imports besides what every driver does.
 */
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "../fi.h"
#include "tenant.h"

const struct fi_tenant_ops *fi_tenant;
EXPORT_SYMBOL_GPL(fi_tenant);
struct fi_domain *fi_tenant_domain;
EXPORT_SYMBOL_GPL(fi_tenant_domain);

/* Called by the tenant only if it is not isolated. */
void fi_tenant_register(const struct fi_tenant_ops *ops)
{
	fi_tenant = ops;
}
EXPORT_SYMBOL_GPL(fi_tenant_register);

/* Called by the tenant only if it is not isolated. */
void fi_tenant_line(unsigned int irq)
{
}
EXPORT_SYMBOL_GPL(fi_tenant_line);

/* Of a device no more is looked at than its interrupt. */
static struct pci_dev tenant_pdev;

static unsigned long w_line(struct fi_call *c)
{
	const struct fi_type *type = fi_type_get("pci_dev", sizeof(struct pci_dev), NULL, 0);

	fi_obj_del(c->dom, &tenant_pdev, type, NULL);
	tenant_pdev.irq = c->arg[0];
	return c->arg[0] ? fi_obj_add(c->dom, &tenant_pdev, type, NULL, 0) : 0;
}

static unsigned long w_register(struct fi_call *c)
{
	fi_tenant = (void *)c->arg[0];
	fi_tenant_domain = c->dom;
	return 0;
}

static unsigned long w_msleep(struct fi_call *c)
{
	msleep(c->arg[0]);
	return 0;
}

static unsigned long w_nothing(struct fi_call *c)
{
	return 0;
}

static unsigned long slot_run(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret;

	fi_invoke(e, a, &ret);
	return ret;
}

static const struct fi_slot fi_slot_run = {
	.name = "fi_tenant_ops.run", .fn = slot_run, .nargs = 2, .errval = (unsigned long)-EIO,
};

static const struct fi_import tenant_imports[] = {
	{ .name = "fi_tenant_register", .fn = w_register },
	{ .name = "fi_tenant_line", .fn = w_line },
	{ .name = "msleep", .fn = w_msleep },
	{ .name = "__stack_chk_fail", .fn = w_nothing },
	{ .name = "debug_lockdep_rcu_enabled", .fn = w_nothing },
	{ .name = "lockdep_rcu_suspicious", .fn = w_nothing },
	{ .name = "lockdep_init_map_type", .fn = w_nothing },
	{ .name = "__init_work", .fn = w_nothing },
	{ .name = "dump_page", .fn = w_nothing },
	{ .name = "rcu_is_watching", .fn = w_nothing },
	{ .name = "__might_sleep", .fn = w_nothing },
	{ .name = "__might_resched", .fn = w_nothing },
	{ .name = "__x86_return_thunk", .plain = true },
	{ .name = "__x86_indirect_thunk_rax", .plain = true },
	{ .name = "delayed_work_timer_fn", .plain = true },
	{ .name = "jiffies", .plain = true },
	{ .name = "kmalloc_caches", .plain = true },
	{ .name = "page_offset_base", .plain = true },
	{ .name = "pcpu_hot", .plain = true },
	{ .name = "system_percpu_wq", .plain = true },
	{ .name = "system_wq", .plain = true },
	{ .name = "vmemmap_base", .plain = true },
	{ }
};

static const struct fi_binding tenant_bind[] = {
	{ "tenant_run", &fi_slot_run },
	{ }
};

static const struct fi_driver_desc tenant_desc[] = {
	{ .name = "fi_tenant", .bind = tenant_bind },
	{ }
};

static struct fi_wrappers tenant_wrappers = {
	.owner = THIS_MODULE,
	.name = "tenant",
	.imports = tenant_imports,
	.drivers = tenant_desc,
};

static int __init tenant_host_init(void)
{
	return fi_wrappers_register(&tenant_wrappers);
}

static void __exit tenant_host_exit(void)
{
	fi_wrappers_unregister(&tenant_wrappers);
}

module_init(tenant_host_init);
module_exit(tenant_host_exit);
MODULE_DESCRIPTION("Imports of the tenant of the driver fault isolation tests");
MODULE_LICENSE("GPL");
