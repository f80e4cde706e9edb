// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of spinlocks, bottom halves, RCU and rescheduling.
 *
 * The lock word lies in memory that the driver can overwrite, so the queue of
 * a contended spinlock, whose links the word holds, is not used: a driver's
 * acquisition is a loop of trylocks. Whatever the word says, that loop changes
 * nothing but the word, and it ends when the domain has failed.
 */
#include <linux/bottom_half.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/netdevice.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/spinlock.h>
#include <asm/processor-flags.h>
#include "manual.h"

/* A lock that is not given back for so long will never be. */
#define SPIN_LIMIT_NS	(4 * NSEC_PER_SEC)

/* netif_tx_lock() and its like are inline. */
static int __init fi_sync_init(void)
{
	const struct fi_type *dev, *queue;

	dev = fi_type_get("net_device", sizeof(struct net_device), NULL, 0);
	queue = fi_type_get("netdev_queue", sizeof(struct netdev_queue), NULL, 0);
	return fi_type_add_lock(dev, offsetof(struct net_device, tx_global_lock)) ?:
	       fi_type_add_lock(queue, offsetof(struct netdev_queue, _xmit_lock));
}
core_initcall(fi_sync_init);

/* May the driver take a lock here: its own, or one of an object it holds? */
static bool check_lock(struct fi_call *c)
{
	if (fi_mem_writable(c->dom, c->arg[0], sizeof(arch_spinlock_t)) ||
	    fi_objtab_may_lock(c->dom, c->arg[0]))
		return true;
	fi_reject(c, 0, "not a lock of this driver");
	return false;
}

/* False if the domain failed meanwhile. Preemption is off. */
static bool spin(struct fi_call *c, arch_spinlock_t *lock)
{
	u64 start = 0;
	unsigned int n;

	for (n = 0; !arch_spin_trylock(lock); n++) {
		cpu_relax();
		if (READ_ONCE(c->dom->dead))
			return false;
		if (n & 1023)
			continue;
		if (!start)
			start = local_clock();
		if (local_clock() - start > SPIN_LIMIT_NS) {
			fi_reject(c, 0, "a lock is not given back: deadlock or overwritten");
			return false;
		}
	}
	return true;
}

/* After what the variant turns off is off. Undone with the crossing if not. */
static void lock_it(struct fi_call *c, enum fi_lock_kind kind)
{
	void *lock = (void *)c->arg[0];

	preempt_disable();
	if (fi_may_lock(c, lock) && spin(c, lock))
		fi_lock_acquired(c, kind, lock);
}

static bool unlock_it(struct fi_call *c)
{
	void *lock = (void *)c->arg[0];

	if (!fi_may_unlock(c, lock))
		return false;
	fi_lock_released(c, FI_LOCK_SPIN, lock);
	arch_spin_unlock(lock);
	return true;
}

static unsigned long wrap_spin_lock(struct fi_call *c)
{
	if (check_lock(c))
		lock_it(c, FI_LOCK_SPIN);
	return 0;
}

static unsigned long wrap_spin_lock_irqsave(struct fi_call *c)
{
	unsigned long flags;

	if (!check_lock(c))
		return 0;
	local_irq_save(flags);
	lock_it(c, FI_LOCK_SPIN_IRQ);
	return flags;
}

static unsigned long wrap_spin_lock_irq(struct fi_call *c)
{
	if (!check_lock(c))
		return 0;
	local_irq_disable();
	lock_it(c, FI_LOCK_SPIN_IRQ);
	return 0;
}

static unsigned long wrap_spin_lock_bh(struct fi_call *c)
{
	if (!check_lock(c))
		return 0;
	local_bh_disable();
	lock_it(c, FI_LOCK_SPIN_BH);
	return 0;
}

static unsigned long wrap_spin_trylock(struct fi_call *c)
{
	void *lock = (void *)c->arg[0];

	/* One that the thread holds is busy, not a deadlock. */
	if (!check_lock(c) || fi_lock_held(c, lock) || !fi_may_lock(c, lock))
		return 0;
	preempt_disable();
	if (!arch_spin_trylock(lock)) {
		preempt_enable();
		return 0;
	}
	fi_lock_acquired(c, FI_LOCK_SPIN, lock);
	return 1;
}

static unsigned long wrap_spin_unlock(struct fi_call *c)
{
	if (unlock_it(c))
		preempt_enable();
	return 0;
}

/* Only the interrupt flag of the saved flags is looked at. */
static unsigned long wrap_spin_unlock_irqrestore(struct fi_call *c)
{
	if (!unlock_it(c))
		return 0;
	if (c->arg[1] & X86_EFLAGS_IF)
		local_irq_enable();
	preempt_enable();
	return 0;
}

static unsigned long wrap_spin_unlock_irq(struct fi_call *c)
{
	if (!unlock_it(c))
		return 0;
	local_irq_enable();
	preempt_enable();
	return 0;
}

/* Bottom halves that this crossing turned off, and may turn on here. */
static bool check_bh(struct fi_call *c, unsigned long cnt)
{
	unsigned long had = current->fi_frame->preempt & SOFTIRQ_MASK;

	if (cnt == SOFTIRQ_DISABLE_OFFSET && !in_hardirq() && !irqs_disabled() &&
	    softirq_count() >= had + SOFTIRQ_DISABLE_OFFSET)
		return true;
	fi_reject(c, -1, "turns on bottom halves that it did not turn off, or with IRQs off");
	return false;
}

static unsigned long wrap_spin_unlock_bh(struct fi_call *c)
{
	if (!check_bh(c, SOFTIRQ_DISABLE_OFFSET) || !unlock_it(c))
		return 0;
	preempt_enable();
	local_bh_enable();
	return 0;
}

static unsigned long wrap_local_bh_enable_ip(struct fi_call *c)
{
	if (check_bh(c, c->arg[1]))
		__local_bh_enable_ip(_THIS_IP_, SOFTIRQ_DISABLE_OFFSET);
	return 0;
}

static unsigned long wrap_local_bh_disable_ip(struct fi_call *c)
{
	if (c->arg[1] != SOFTIRQ_DISABLE_OFFSET)
		return fi_reject(c, 1, "not what local_bh_disable() passes");
	local_bh_disable();
	return 0;
}

static unsigned long wrap_cond_resched(struct fi_call *c)
{
	return fi_may_sleep(c) ? _cond_resched() : 0;
}

#ifdef CONFIG_PREEMPT_RCU
/* The crossing compares the nesting at its end. */
static unsigned long wrap_rcu_read_lock(struct fi_call *c)
{
	__rcu_read_lock();
	return 0;
}

static unsigned long wrap_rcu_read_unlock(struct fi_call *c)
{
	if (rcu_preempt_depth() <= current->fi_frame->rcu)
		return fi_reject(c, -1, "leaves an RCU section that it did not enter");
	__rcu_read_unlock();
	return 0;
}
#endif

#ifdef CONFIG_LOCKDEP
/*
 * lock_acquire() and lock_release(), which inline functions call. Lockdep is told
 * nothing of what a driver takes: it would have to be taken back when it fails.
 */
static unsigned long wrap_lock_map(struct fi_call *c)
{
	return 0;
}
#endif

const struct fi_import fi_imports_sync[] = {
	{ .name = "_raw_spin_lock", .fn = wrap_spin_lock },
	{ .name = "_raw_spin_lock_irqsave", .fn = wrap_spin_lock_irqsave },
	{ .name = "_raw_spin_lock_irq", .fn = wrap_spin_lock_irq },
	{ .name = "_raw_spin_lock_bh", .fn = wrap_spin_lock_bh },
	{ .name = "_raw_spin_trylock", .fn = wrap_spin_trylock },
	{ .name = "_raw_spin_unlock", .fn = wrap_spin_unlock },
	{ .name = "_raw_spin_unlock_irqrestore", .fn = wrap_spin_unlock_irqrestore },
	{ .name = "_raw_spin_unlock_irq", .fn = wrap_spin_unlock_irq },
	{ .name = "_raw_spin_unlock_bh", .fn = wrap_spin_unlock_bh },
	{ .name = "__local_bh_enable_ip", .fn = wrap_local_bh_enable_ip },
	{ .name = "__local_bh_disable_ip", .fn = wrap_local_bh_disable_ip },
	{ .name = "__SCT__cond_resched", .fn = wrap_cond_resched },
#ifdef CONFIG_PREEMPT_RCU
	{ .name = "__rcu_read_lock", .fn = wrap_rcu_read_lock },
	{ .name = "__rcu_read_unlock", .fn = wrap_rcu_read_unlock },
#endif
#ifdef CONFIG_LOCKDEP
	{ .name = "lock_acquire", .fn = wrap_lock_map },
	{ .name = "lock_release", .fn = wrap_lock_map },
	{ .name = "rcu_lock_map", .plain = true },
#endif
	{ .name = "mutex_lock", .fn = fi_wrap_mutex_lock },
	{ .name = "mutex_lock_nested", .fn = fi_wrap_mutex_lock },
	{ .name = "mutex_trylock", .fn = fi_wrap_mutex_trylock },
	{ .name = "mutex_unlock", .fn = fi_wrap_mutex_unlock },
	{ .name = "mutex_is_locked", .fn = fi_wrap_mutex_is_locked },
	{ .name = "__mutex_init", .fn = fi_wrap_mutex_init },
	{ }
};
