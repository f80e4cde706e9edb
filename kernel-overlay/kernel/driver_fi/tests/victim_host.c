// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the victim module imports, and the wrappers and slots for it.
 */
#include <linux/module.h>

#include "../fi.h"
#include "victim.h"

const struct fi_victim_ops *victim;
EXPORT_SYMBOL_GPL(victim);
struct fi_domain *victim_domain;
EXPORT_SYMBOL_GPL(victim_domain);
unsigned long victim_imports_seen;
EXPORT_SYMBOL_GPL(victim_imports_seen);

/* A key of the kernel's that the victim branches on. */
DEFINE_STATIC_KEY_FALSE(fi_test_key);
EXPORT_SYMBOL_GPL(fi_test_key);
void (*victim_in_import)(void);
EXPORT_SYMBOL_GPL(victim_in_import);

unsigned long fi_test_call_one(void)
{
	return 1;
}
EXPORT_SYMBOL_GPL(fi_test_call_one);

unsigned long fi_test_call_two(void)
{
	return 2;
}
EXPORT_SYMBOL_GPL(fi_test_call_two);

/* And one that it calls through. */
DEFINE_STATIC_CALL(fi_test_call, fi_test_call_one);
EXPORT_STATIC_CALL_GPL(fi_test_call);

unsigned long fi_test_import(unsigned long n)
{
	victim_imports_seen++;
	if (victim_in_import)
		victim_in_import();
	return n;
}
EXPORT_SYMBOL_GPL(fi_test_import);

unsigned long fi_test_callback(unsigned long depth)
{
	return victim->callback(depth);
}
EXPORT_SYMBOL_GPL(fi_test_callback);

unsigned long fi_test_register(const struct fi_victim_ops *ops)
{
	victim = ops;
	return 0;
}
EXPORT_SYMBOL_GPL(fi_test_register);

static unsigned long w_import(struct fi_call *c)
{
	return fi_test_import(c->arg[0]);
}

/* The driver's call is one of the kernel, and this is where that is patched. */
static unsigned long w_static_call(struct fi_call *c)
{
	return static_call(fi_test_call)();
}

static unsigned long w_callback(struct fi_call *c)
{
	return fi_test_callback(c->arg[0]);
}

static unsigned long w_register(struct fi_call *c)
{
	victim_domain = c->dom;
	return fi_test_register((void *)c->arg[0]);
}

/* __warn_printk() and the like are not what is tested here. */
static unsigned long w_nothing(struct fi_call *c)
{
	return 0;
}

static const struct fi_import victim_imports[] = {
	{ .name = "fi_test_import", .fn = w_import },
	{ .name = "fi_test_callback", .fn = w_callback },
	{ .name = "fi_test_register", .fn = w_register },
	{ .name = "fi_test_key", .plain = true },
	{ .name = "__SCT__fi_test_call", .fn = w_static_call },
	{ .name = "__SCK__fi_test_call", .plain = true },
	{ .name = "__stack_chk_fail", .fn = w_nothing },
	{ .name = "__x86_return_thunk", .plain = true },
	{ .name = "__x86_indirect_thunk_rax", .plain = true },
	{ .name = "__x86_indirect_thunk_rdi", .plain = true },
	{ }
};

static unsigned long slot_any(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret;

	fi_invoke(e, a, &ret);
	return ret;
}

static const struct fi_type *lent_type;

/* As wrappers-gen makes it of obj=lend other=lend buf=lend[8]. */
static unsigned long slot_lend(struct fi_entry *e, unsigned long *a)
{
	u64 was_obj[sizeof(struct fi_victim_obj) / sizeof(u64)];
	u64 was_other[sizeof(struct fi_victim_obj) / sizeof(u64)];
	struct fi_loan lent[] = {
		{ .obj = (void *)a[0], .len = sizeof(was_obj), .was = was_obj, .type = lent_type },
		{ .obj = (void *)a[1], .len = sizeof(was_other), .was = was_other },
		{ .obj = (void *)a[2], .len = 8 },
	};
	unsigned long ret = e->slot->errval;
	bool ok;

	if (fi_loan_begin(e, lent, ARRAY_SIZE(lent)))
		return ret;
	ok = fi_invoke(e, a, &ret);
	if (!fi_loan_end(e, lent, ARRAY_SIZE(lent), ok))
		ret = e->slot->errval;
	return ret;
}

#define SLOT_FN(n, args, f)						\
	static const struct fi_slot slot_##n = {			\
		.name = "fi_victim_ops." #n, .fn = f,			\
		.nargs = args, .errval = (unsigned long)-EIO,		\
	}

#define SLOT(n, args)	SLOT_FN(n, args, slot_any)

SLOT(null, 0);
SLOT(args, 8);
SLOT(import, 1);
SLOT(callback, 1);
SLOT(store, 2);
SLOT(load, 1);
SLOT(jump, 1);
SLOT(divide, 1);
SLOT(bug, 1);
SLOT(warn, 1);
SLOT(spin, 1);
SLOT(irqs_off, 0);
SLOT(bad_stack, 1);
SLOT(data, 1);
SLOT(recurse, 1);
SLOT(fixup, 1);
SLOT(branch, 0);
SLOT(dispatch, 0);
SLOT(configure, 4);
SLOT_FN(fill, 5, slot_lend);

#define BIND(n) { "victim_" #n, &slot_##n }
static const struct fi_binding victim_bind[] = {
	BIND(null), BIND(args), BIND(import), BIND(callback), BIND(store), BIND(load),
	BIND(jump), BIND(divide), BIND(bug), BIND(warn), BIND(spin), BIND(irqs_off),
	BIND(bad_stack), BIND(data), BIND(recurse),
	BIND(fixup), BIND(branch), BIND(dispatch), BIND(configure), BIND(fill),
	{ }
};

static const struct fi_driver_desc victim_desc[] = {
	{ .name = "fi_victim", .bind = victim_bind },
	{ }
};

static struct fi_wrappers victim_wrappers = {
	.owner = THIS_MODULE,
	.name = "victim",
	.imports = victim_imports,
	.drivers = victim_desc,
};

static int __init victim_host_init(void)
{
	lent_type = fi_type_get(FI_VICTIM_LENT, sizeof(struct fi_victim_obj), NULL, 0);
	return fi_wrappers_register(&victim_wrappers);
}

static void __exit victim_host_exit(void)
{
	fi_wrappers_unregister(&victim_wrappers);
}

module_init(victim_host_init);
module_exit(victim_host_exit);
MODULE_DESCRIPTION("Imports of the victim of the driver fault isolation tests");
MODULE_LICENSE("GPL");
