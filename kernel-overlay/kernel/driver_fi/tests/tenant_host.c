// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tenant module imports besides what every driver does.
 */
#include <linux/export.h>
#include <linux/module.h>

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

static unsigned long w_register(struct fi_call *c)
{
	fi_tenant = (void *)c->arg[0];
	fi_tenant_domain = c->dom;
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
	{ .name = "__stack_chk_fail", .fn = w_nothing },
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
