// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module to be isolated: does on request what a driver must not do.
 */
#include <linux/bug.h>
#include <linux/module.h>
#include <linux/objtool.h>
#include <linux/uaccess.h>

#include "victim.h"

static unsigned long victim_counter = 1000;

static unsigned long victim_null(void)
{
	return 42;
}

static unsigned long victim_args(long a, long b, long c, long d, long e, long f, long g, long h)
{
	return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f + 1000000 * g +
	       10000000 * h;
}

static unsigned long victim_import(unsigned long n)
{
	unsigned long sum = 0;

	while (n--)
		sum += fi_test_import(n);
	return sum;
}

static unsigned long victim_callback(unsigned long depth)
{
	return depth ? fi_test_callback(depth - 1) + 1 : 0;
}

static unsigned long victim_store(unsigned long addr, unsigned long val)
{
	WRITE_ONCE(*(unsigned long *)addr, val);
	return 0;
}

static unsigned long victim_load(unsigned long addr)
{
	return READ_ONCE(*(unsigned long *)addr);
}

static unsigned long victim_jump(unsigned long addr)
{
	unsigned long (*fn)(void) = (void *)addr;

	return fn() + 1;
}

static unsigned long victim_divide(unsigned long by)
{
	return 1000 / READ_ONCE(by);
}

static unsigned long victim_bug(unsigned long on)
{
	BUG_ON(on);
	return 1;
}

static unsigned long victim_warn(unsigned long on)
{
	WARN_ON(on);
	return 2;
}

static noinline unsigned long victim_recurse(unsigned long depth)
{
	volatile char eat[256];

	eat[depth & 255] = depth;
	return depth ? victim_recurse(depth - 1) + eat[depth & 255] : 0;
}

static unsigned long victim_spin(unsigned long turns)
{
	unsigned long i;

	for (i = 0; i < turns; i++)
		cpu_relax();
	return i;
}

static unsigned long victim_irqs_off(void)
{
	asm volatile("cli" : : : "memory");
	return 0;
}

static unsigned long victim_bad_stack(unsigned long rsp)
{
	asm volatile("movq %%rsp, %%rbx\n\tmovq %0, %%rsp\n\tpushq $0\n\tpopq %%rax\n\t"
		     "movq %%rbx, %%rsp" : : "r" (rsp) : "rax", "rbx", "memory");
	return 0;
}

STACK_FRAME_NON_STANDARD(victim_bad_stack);

/* Configures an object: two fields, a call between, and perhaps a bug. */
static unsigned long victim_configure(struct fi_victim_obj *obj, unsigned long a,
				      unsigned long b, unsigned long die)
{
	WRITE_ONCE(obj->count, READ_ONCE(obj->count) + 1);
	WRITE_ONCE(obj->a, a);
	if (READ_ONCE(obj->a) != (u32)a)
		return 1;
	WRITE_ONCE(obj->count, READ_ONCE(obj->count) + 1);
	fi_test_import(0);
	WRITE_ONCE(obj->count, READ_ONCE(obj->count) + 1);
	BUG_ON(die);
	WRITE_ONCE(obj->b, b);
	return READ_ONCE(obj->b) == (u32)b ? 0 : 2;
}

/* Fills what was lent for the call, with a call between, and perhaps a bug. */
static unsigned long victim_fill(struct fi_victim_obj *obj, struct fi_victim_obj *other, u64 *buf,
				 unsigned long a, unsigned long die)
{
	WRITE_ONCE(*buf, a);
	WRITE_ONCE(other->a, a);
	WRITE_ONCE(obj->a, a);
	fi_test_import(0);
	BUG_ON(die);
	WRITE_ONCE(obj->b, a);
	return 0;
}

static unsigned long victim_data(unsigned long val)
{
	victim_counter += val;
	return victim_counter;
}

static unsigned long victim_fixup(unsigned long addr)
{
	unsigned long val;

	__get_kernel_nofault(&val, (unsigned long *)addr, unsigned long, bad);
	return val;
bad:
	return -EFAULT;
}

static unsigned long victim_branch(void)
{
	return static_branch_unlikely(&fi_test_key) ? 2 : 1;
}

static unsigned long victim_dispatch(void)
{
	return static_call(fi_test_call)() + 10;
}

static const struct fi_victim_ops victim_ops = {
	.null = victim_null,
	.args = victim_args,
	.import = victim_import,
	.callback = victim_callback,
	.store = victim_store,
	.load = victim_load,
	.jump = victim_jump,
	.divide = victim_divide,
	.bug = victim_bug,
	.warn = victim_warn,
	.recurse = victim_recurse,
	.spin = victim_spin,
	.irqs_off = victim_irqs_off,
	.bad_stack = victim_bad_stack,
	.data = victim_data,
	.fixup = victim_fixup,
	.branch = victim_branch,
	.dispatch = victim_dispatch,
	.configure = victim_configure,
	.fill = victim_fill,
};

static int __init victim_init(void)
{
	return fi_test_register(&victim_ops);
}

static void __exit victim_exit(void)
{
	fi_test_register(NULL);
}

module_init(victim_init);
module_exit(victim_exit);
MODULE_DESCRIPTION("Victim of the driver fault isolation tests");
MODULE_LICENSE("GPL");
