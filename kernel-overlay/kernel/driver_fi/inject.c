// SPDX-License-Identifier: GPL-2.0-only
/*
 * Provokes faults in drivers: replaces one call of a driver function by code
 * that does the wrong thing with the driver's rights.
 *
 * With the driver isolated, the crossing asks fi_inject_take() what to run in
 * place of its function. With the driver not isolated, a kprobe sends one call
 * to the same code, which then does to the kernel what it would do.
 */
#define pr_fmt(fmt) "driver_fi: inject: " fmt

#include <linux/ethtool.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/driver_fi_inject.h>
#include <trace/events/driver_fi.h>

#include "domain/translate.h"
#include "fi.h"
#include "inject.h"

#define EVIL_VALUE	0xfa17fa17fa17fa10UL	/* as a PTE: not present */
#define WILD_POINTER	0x6b6b6b6b6b6b6b6bUL	/* not canonical */
#define NULL_FIELD	0x18UL

static_assert(offsetof(struct fi_evil, target) == FI_EVIL_target);
static_assert(offsetof(struct fi_evil, value) == FI_EVIL_value);
static_assert(offsetof(struct fi_evil, alloc) == FI_EVIL_alloc);
static_assert(offsetof(struct fi_evil, alloc_arg) == FI_EVIL_alloc_arg);
static_assert(offsetof(struct fi_evil, second) == FI_EVIL_second);
static_assert(offsetof(struct ethtool_eeprom, len) == FI_EVIL_LENT);

/**
 * struct kind - a kind of fault
 * @evil: what runs
 * @canary: what it aims at, or FI_CANARY_NONE:
 * @target: in that case what it aims at, if anything
 * @second: kernel functions one of which it needs, by name and address
 * @find: finds what it aims at in the memory of an isolated driver
 * @ready: is that so that the fault would be one, at this moment?
 * @value: what it stores, or 0: EVIL_VALUE
 * @stores: how many bytes of that
 */
struct kind {
	const char *name;
	const char *what;
	void (*evil)(void);
	enum fi_canary canary;
	unsigned long target;
	const struct callee *second;
	unsigned long (*find)(struct fi_domain *d);
	bool (*ready)(void);
	unsigned long value;
	size_t stores;
};

struct callee {
	const char *name;
	void *addr;
};

static const struct callee free_callees[] = {
	{ "kfree", kfree }, {}
};

static const struct callee lock_callees[] = {
	{ "_raw_spin_lock", _raw_spin_lock },
	{ "_raw_spin_lock_bh", _raw_spin_lock_bh },
	{ "_raw_spin_lock_irqsave", _raw_spin_lock_irqsave },
	{}
};

#define AIMED(n, w, e, c)	{ .name = n, .what = w, .evil = e, .canary = c, .stores = 8 }
#define PLAIN(n, w, e, ...)	{ .name = n, .what = w, .evil = e, \
				  .canary = FI_CANARY_NONE, __VA_ARGS__ }

static const struct kind kinds[] = {
	AIMED("wild-text", "write to kernel text", fi_evil_write, FI_CANARY_TEXT),
	AIMED("wild-rodata", "write to kernel read-only data", fi_evil_write, FI_CANARY_RODATA),
	AIMED("wild-data", "write to kernel data", fi_evil_write, FI_CANARY_DATA),
	AIMED("wild-heap", "write to a heap object of others", fi_evil_write, FI_CANARY_HEAP),
	AIMED("wild-task", "write to current's task_struct", fi_evil_write, FI_CANARY_TASK),
	AIMED("wild-stack", "write to current's kernel stack", fi_evil_write, FI_CANARY_STACK),
	AIMED("wild-pgtable", "write to a page table", fi_evil_write, FI_CANARY_PGTABLE),
	AIMED("wild-idt", "write to the interrupt descriptor table", fi_evil_write, FI_CANARY_IDT),
	PLAIN("null", "write through a NULL pointer", fi_evil_write, .target = NULL_FIELD),
	PLAIN("wild-pointer", "write through a freed object's pointer", fi_evil_write,
	      .target = WILD_POINTER),
	PLAIN("jump-text", "jump to kernel text", fi_evil_jump,
	      .target = (unsigned long)fi_canary_text),
	{ .name = "jump-data", .what = "jump to kernel data", .evil = fi_evil_jump,
	  .canary = FI_CANARY_DATA },
	PLAIN("stack-overflow", "endless recursion", fi_evil_overflow),
	PLAIN("bug", "BUG()", fi_evil_bug),
	PLAIN("divide", "division by zero", fi_evil_divide),
	PLAIN("loop", "endless loop", fi_evil_loop),
	PLAIN("loop-irqoff", "endless loop with interrupts off", fi_evil_loop_irqoff),
	PLAIN("double-free", "kfree() twice", fi_evil_second_twice, .second = free_callees),
	PLAIN("leak-lock", "return with a spinlock held", fi_evil_second_once,
	      .second = lock_callees),
	PLAIN("overrun", "write one byte behind a heap object", fi_evil_overrun,
	      .second = free_callees, .stores = 1),
	PLAIN("use-after-free", "write into a freed heap object", fi_evil_use_after_free,
	      .second = free_callees, .stores = 8),
	PLAIN("global-overflow", "write one byte behind a variable", fi_evil_write_byte,
	      .find = fi_aim_global, .stores = 1),
	PLAIN("work-write", "write to the function of pending work", fi_evil_write,
	      .find = fi_aim_work, .ready = fi_aim_pending, .stores = 8),
	PLAIN("timer-write", "write to the function of a running timer", fi_evil_write,
	      .find = fi_aim_timer, .ready = fi_aim_pending, .stores = 8),
	PLAIN("napi-write", "write to the poll function of a NAPI instance", fi_evil_write,
	      .find = fi_aim_napi, .stores = 8),
	PLAIN("list-write", "write to the list head of a NAPI instance", fi_evil_write,
	      .find = fi_aim_list, .stores = 8),
	PLAIN("bad-field", "set the MTU to nonsense", fi_evil_write_int,
	      .find = fi_aim_mtu, .stores = 4),
	PLAIN("bad-pointer", "set the parent device to nonsense", fi_evil_write,
	      .find = fi_aim_parent, .stores = 8),
	PLAIN("good-field", "set the MTU to what it may be", fi_evil_write_int,
	      .find = fi_aim_mtu, .value = FI_EVIL_MTU, .stores = 4),
	PLAIN("protected-field", "set the MTU, and a field of the kernel's own",
	      fi_evil_protected, .find = fi_aim_protected, .stores = 4),
	PLAIN("torn-fields", "set the MTU, and fail before all is set", fi_evil_torn,
	      .find = fi_aim_mtu, .value = FI_EVIL_MTU, .stores = 4),
	PLAIN("bad-lent", "say that more was read of the EEPROM (of get_eeprom only)",
	      fi_evil_lent),
	PLAIN("function-pointer", "call by an overwritten pointer", fi_evil_function_pointer,
	      .target = (unsigned long)fi_evil_middle, .second = free_callees),
	PLAIN("jump-middle", "jump into the middle of a function", fi_evil_jump,
	      .target = (unsigned long)fi_evil_middle),
	PLAIN("smash", "return to a changed address", fi_evil_smash),
	PLAIN("wrmsr", "write to a model-specific register", fi_evil_wrmsr),
	PLAIN("cr3", "write to a control register", fi_evil_cr3),
	PLAIN("port", "write to a port of others", fi_evil_port),
	PLAIN("leak-irqoff", "return with interrupts off", fi_evil_leak_irqoff),
};

struct fi_evil fi_evil;

#ifdef CONFIG_DRIVER_FI_DBI
static void * const evil_funcs[] = {
	fi_evil_write, fi_evil_write_byte, fi_evil_write_int, fi_evil_torn,
	fi_evil_protected, fi_evil_lent, fi_evil_nothing, fi_evil_jump,
	fi_evil_function_pointer, fi_evil_overflow, fi_evil_bug, fi_evil_divide,
	fi_evil_loop, fi_evil_loop_irqoff, fi_evil_leak_irqoff,
	fi_evil_second_twice, fi_evil_second_once,
	fi_evil_overrun, fi_evil_use_after_free, fi_evil_smash,
	fi_evil_wrmsr, fi_evil_cr3, fi_evil_port,
	NULL
};

/* A translated driver misbehaves translated. */
static int __init evil_init(void)
{
	fi_source_extra(evil_funcs);
	return 0;
}
core_initcall(evil_init);
#endif

enum inject_state { INJECT_NONE, INJECT_ARMED, INJECT_FIRED };

/**
 * struct injection - the one provocation at a time
 * @state: ARMED becomes FIRED by cmpxchg, which decides who fires; the rest is
 *	written in state NONE, under @mutex
 * @addr: driver function to replace, 0 for any that matches @slot
 * @slot: slot whose function to replace, "" for any
 * @fired_in: the slot it was, or "a kprobe"
 */
static struct injection {
	struct mutex mutex;	/* serializes arming */
	enum inject_state state;
	char driver[FI_NAME_LEN];
	char slot[64];
	const struct kind *kind;
	unsigned long addr;
	const char *fired_in;
} inj = {
	.mutex = __MUTEX_INITIALIZER(inj.mutex),
};

/* Whoever gets true runs the evil code, now. */
static bool fire(const char *where)
{
	if (inj.kind->ready && !inj.kind->ready())
		return false;
	if (cmpxchg(&inj.state, INJECT_ARMED, INJECT_FIRED) != INJECT_ARMED)
		return false;
	inj.fired_in = where;
	fi_canary_current();
	if (inj.kind->canary != FI_CANARY_NONE)
		fi_evil.target = (unsigned long)fi_canary_addr(inj.kind->canary);
	if (inj.kind->stores)
		fi_canary_expect(inj.kind->second ? NULL : (void *)fi_evil.target,
				 fi_evil.value, inj.kind->stores);
	return true;
}

static unsigned long fi_inject_take(struct fi_domain *d, struct fi_entry *e)
{
	/* Pairs with the release in arm(): the rest of inj is valid. */
	if (smp_load_acquire(&inj.state) != INJECT_ARMED)
		return 0;
	if (strcmp(inj.driver, d->policy.name))
		return 0;
	if (inj.addr && inj.addr != e->addr)
		return 0;
	if (*inj.slot && strcmp(inj.slot, e->slot->name))
		return 0;
	return fire(e->slot->name) ? (unsigned long)inj.kind->evil : 0;
}

/* --- the unprotected twin ---------------------------------------------- */

#ifdef CONFIG_KPROBES
static struct kprobe probe;

static int probe_hit(struct kprobe *p, struct pt_regs *regs)
{
	if (!fire("a kprobe"))
		return 0;
	regs->ip = (unsigned long)inj.kind->evil;
	return 1;
}

/* Keeps kprobes from optimizing the probe, which could not change regs->ip. */
static void probe_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static void probe_remove(void)
{
	if (probe.pre_handler)
		unregister_kprobe(&probe);
	memset(&probe, 0, sizeof(probe));
}

static int probe_place(unsigned long addr)
{
	int err;

	probe.addr = (kprobe_opcode_t *)addr;
	probe.pre_handler = probe_hit;
	probe.post_handler = probe_post;
	err = register_kprobe(&probe);
	if (err)
		memset(&probe, 0, sizeof(probe));
	return err;
}
#else
static void probe_remove(void)
{
}

static int probe_place(unsigned long addr)
{
	return -EOPNOTSUPP;
}
#endif

/* The transmit function of an interface of this module's, or 0. */
static unsigned long xmit_of(struct module *mod)
{
	unsigned long fn = 0;
#ifdef CONFIG_NET
	struct net_device *dev;
	struct net *net;

	guard(rcu)();
	for_each_net_rcu(net) {
		for_each_netdev_rcu(net, dev) {
			if (within_module((unsigned long)dev->netdev_ops->ndo_start_xmit, mod))
				fn = (unsigned long)dev->netdev_ops->ndo_start_xmit;
		}
	}
#endif
	return fn;
}

static unsigned long function_of(struct module *mod, const char *where)
{
	char name[FI_NAME_LEN + 66];

	if (!*where)
		return xmit_of(mod);
	scnprintf(name, sizeof(name), "%s:%s", mod->name, where);
	return module_kallsyms_lookup_name(name);
}

static int aim_native(const char *where)
{
	struct module *mod;
	unsigned long addr;

	scoped_guard(preempt) {
		mod = find_module(inj.driver);
		if (mod && !try_module_get(mod))
			mod = NULL;
	}
	if (!mod) {
		pr_err("%s is not loaded\n", inj.driver);
		return -ENODEV;
	}
	addr = function_of(mod, where);
	module_put(mod);
	if (!addr) {
		pr_err("%s is not isolated: name a function of it\n", inj.driver);
		return -ENOENT;
	}
	pr_warn("%s is NOT isolated: this will hit the kernel\n", inj.driver);
	return probe_place(addr);
}

/* --- arming ------------------------------------------------------------ */

static unsigned long callee(struct fi_domain *d, const struct callee *c)
{
	unsigned long addr = 0;

	for (; c->name && !addr; c++)
		addr = d ? fi_import_stub(d, c->name) : (unsigned long)c->addr;
	return addr;
}

/* What the evil function calls: import stubs of the driver, or the kernel. */
static int find_callees(struct fi_domain *d)
{
	static const struct callee alloc[] = {
		{ "__kmalloc_noprof", __kmalloc_noprof }, {}
	};

	if (!inj.kind->second)
		return 0;
	fi_evil.alloc = callee(d, alloc);
	/* A slot's size, or where nobody would notice, less: another object is not hit. */
	fi_evil.alloc_arg[0] = d && fi_translated(d) ? 64 : 56;
	fi_evil.alloc_arg[1] = (__force unsigned long)(GFP_ATOMIC | __GFP_ZERO);
	fi_evil.second = callee(d, inj.kind->second);
	if (fi_evil.alloc && fi_evil.second)
		return 0;
	pr_err("%s does not import what %s needs\n", inj.driver, inj.kind->name);
	return -EOPNOTSUPP;
}

/* A function's name or a slot's. */
static int aim_domain(struct fi_domain *d, const char *where)
{
	struct fi_entry *e;

	if (!*where)
		return 0;
	e = fi_entry_by_name(d, where);
	if (e)
		inj.addr = e->addr;
	else
		strscpy(inj.slot, where);
	return 0;
}

static const struct kind *find_kind(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static int aim(const char *where)
{
	struct fi_domain *d;
	int err;

	guard(mutex)(&fi_domains_lock);
	d = fi_domain_find(inj.driver);
	err = find_callees(d);
	if (err)
		return err;
	fi_evil.value = inj.kind->value ?: EVIL_VALUE;
	fi_evil.target = inj.kind->target;
	if (inj.kind->find) {
		fi_evil.target = d ? inj.kind->find(d) : 0;
		if (!fi_evil.target) {
			pr_err("%s: nothing there to be hit by %s\n", inj.driver,
			       inj.kind->name);
			return -ENOENT;
		}
	}
	return d ? aim_domain(d, where) : aim_native(where);
}

/* Before recovery touches anything: did the store happen? Hard interrupt. */
static void fault_seen(void *unused, const char *driver, const char *kind,
		       unsigned long ip, unsigned long addr, const char *slot)
{
	if (READ_ONCE(inj.state) == INJECT_FIRED && !strcmp(driver, inj.driver))
		fi_canary_failed(strcmp(kind, "write") ? 0 : addr);
}

static int watch_faults(void)
{
	static bool watching;
	int err = watching ? 0 : register_trace_driver_fi_fault(fault_seen, NULL);

	watching |= !err;
	return err;
}

static void disarm(void)
{
	/* From here on fire() refuses, so inj may be written. */
	xchg(&inj.state, INJECT_NONE);
	probe_remove();
	inj.addr = 0;
	inj.slot[0] = '\0';
	inj.fired_in = NULL;
}

/**
 * fi_inject_arm - provoke a fault at the next matching call of a driver
 * @spec: "driver kind [function or slot]", changed; "none" and "driver none"
 *	take back
 *
 * Context: may sleep. Return: 0 or -errno, and why is printed.
 */
int fi_inject_arm(char *spec)
{
	char *driver = strsep(&spec, " "), *name = strsep(&spec, " ");
	int err;

	guard(mutex)(&inj.mutex);
	disarm();
	err = fi_canary_init() ?: watch_faults();
	if (err || !strcmp(name ?: driver, "none"))
		return err;
	inj.kind = name ? find_kind(name) : NULL;
	if (!inj.kind) {
		pr_err("no fault named '%s'\n", name ?: "");
		return -EINVAL;
	}
	strscpy(inj.driver, driver);
	strreplace(inj.driver, '-', '_');
	WRITE_ONCE(fi_inject_hook, fi_inject_take);
	static_branch_enable(&fi_inject_key);
	err = aim(spec ? strim(spec) : "");
	if (err) {
		disarm();
		return err;
	}
	/* Pairs with the acquire in fi_inject_take(). */
	smp_store_release(&inj.state, INJECT_ARMED);
	return 0;
}

void fi_inject_show_kinds(struct seq_file *m)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		seq_printf(m, "%-16s%s\n", kinds[i].name, kinds[i].what);
}

/* "none", "armed <driver> <kind>" or "fired <driver> <kind> in <slot>". */
void fi_inject_show_state(struct seq_file *m)
{
	guard(mutex)(&inj.mutex);
	switch (READ_ONCE(inj.state)) {
	case INJECT_NONE:
		seq_puts(m, "none\n");
		break;
	case INJECT_ARMED:
		seq_printf(m, "armed %s %s\n", inj.driver, inj.kind->name);
		break;
	case INJECT_FIRED:
		seq_printf(m, "fired %s %s in %s\n", inj.driver, inj.kind->name,
			   READ_ONCE(inj.fired_in) ?: "?");
		break;
	}
}
