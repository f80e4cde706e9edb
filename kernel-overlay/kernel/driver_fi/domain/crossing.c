// SPDX-License-Identifier: GPL-2.0-only
/*
 * Crossings: calls of driver functions inside their domain.
 *
 * A crossing keeps its state in a struct fi_frame on the caller's stack. It
 * ends when the function returns, or when the domain has died: gate.S tests
 * that at each return into the domain and goes to the landing pad instead.
 * Either way the caller gets back what it had: stack, IRQ flag, preempt
 * count, RCU nesting and no locks of the driver's.
 */
#include <linux/bottom_half.h>
#include <linux/driver_fi.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include <asm/driver_fi.h>
#include <asm/processor-flags.h>

#include "../rm/shadow.h"
#include "domain.h"
#include "translate.h"

static_assert(offsetof(struct fi_frame, dom) == FI_FRAME_dom);
static_assert(offsetof(struct fi_frame, kernel_sp) == FI_FRAME_kernel_sp);
static_assert(offsetof(struct fi_frame, domain_sp) == FI_FRAME_domain_sp);
static_assert(offsetof(struct fi_frame, flags) == FI_FRAME_flags);
static_assert(offsetof(struct fi_frame, ret_flags) == FI_FRAME_ret_flags);
static_assert(offsetof(struct fi_frame, ticks) == FI_FRAME_ticks);
static_assert(offsetof(struct fi_frame, faulted) == FI_FRAME_faulted);
static_assert(offsetof(struct fi_domain, dead) == FI_DOM_dead);
static_assert(offsetof(struct fi_domain, id) == FI_DOM_id);
static_assert(offsetof(struct fi_domain, cr3) == FI_DOM_cr3);
static_assert(offsetof(struct fi_domain, cpu) == FI_DOM_cpu);
static_assert(offsetof(struct fi_cpu, stats.imports) == FI_CPU_imports);
static_assert(offsetof(struct fi_cpu, stats.cr3_loads) == FI_CPU_cr3_loads);
static_assert(offsetof(struct fi_entry, fn) == FI_ENTRY_fn);
static_assert(offsetof(struct fi_import, fn) == FI_IMPORT_fn);

#define FI_FLAGS_KEPT	(X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC)

#ifdef CONFIG_DRIVER_FI_INJECT
DEFINE_STATIC_KEY_FALSE(fi_inject_key);
fi_inject_fn fi_inject_hook;
#endif

/* Gives back what the driver holds, newest first. */
static void fi_locks_release(struct fi_frame *f)
{
	while (f->nr_locks) {
		void *lock = f->locks[--f->nr_locks].lock;

		switch ((enum fi_lock_kind)f->locks[f->nr_locks].kind) {
		case FI_LOCK_SPIN:
		case FI_LOCK_SPIN_BH:
		case FI_LOCK_SPIN_IRQ:
			/*
			 * As manual_sync.c took it: the word alone, not what a debug
			 * kernel keeps beside it. Preempt count and IRQ flag are
			 * restored as a whole.
			 */
			arch_spin_unlock(lock);
			break;
		case FI_LOCK_MUTEX:
			mutex_unlock(lock);
			break;
		case FI_LOCK_RTNL:
			rtnl_unlock();
			break;
		case FI_LOCK_RCU:
		case FI_LOCK_BH:
			break;
		}
	}
}

static void fi_leak(struct fi_frame *f, const char *why)
{
	struct fi_fault fault = {
		.kind = FI_FAULT_LEAK,
		.ip = f->entry->addr,
		.arg = -1,
		.why = why,
		.entry = f->entry->slot->name,
	};

	fi_fault_raise(f->dom, &fault);
}

static void fi_restore_context(struct fi_frame *f)
{
	fi_locks_release(f);
	while (rcu_preempt_depth() > f->rcu)
		__rcu_read_unlock();	/* as wrap_rcu_read_lock() */
	preempt_count_set(f->preempt);
}

/* Did the driver not give back what it had? IRQs off, as at entry. */
static __always_inline bool fi_context_differs(const struct fi_frame *f)
{
	return f->nr_locks | ((f->ret_flags ^ f->flags) & FI_FLAGS_KEPT) |
	       (preempt_count() ^ f->preempt) | (rcu_preempt_depth() ^ f->rcu);
}

/* The crossing did not end as it should, or something is to be done: what is it? */
static noinline void fi_mend_context(struct fi_frame *f)
{
	const char *why = "returned with another RCU nesting";

	if (!f->faulted && !fi_context_differs(f)) {
		/* A shadow is open: the kernel gets what the driver stored. */
		if (fi_shadow_leave(f))
			return;
		f->faulted = 1;
	}
	if (f->nr_locks)
		why = "returned holding a lock";
	else if ((f->ret_flags ^ f->flags) & FI_FLAGS_KEPT)
		why = f->flags & ~f->ret_flags & X86_EFLAGS_IF ?
		      "returned with IRQs off" : "returned with other flags";
	else if (preempt_count() != f->preempt)
		why = "returned with another preempt count";
	if (!f->faulted)
		fi_leak(f, why);
	fi_restore_context(f);
	f->faulted = 1;
}

/* IRQs off. */
static __always_inline unsigned long fi_stack_get(struct fi_domain *d)
{
	u32 n = this_cpu_read(d->cpu->nr_stacks);

	if (unlikely(!n))
		return __fi_stack_get(d);
	this_cpu_write(d->cpu->nr_stacks, n - 1);
	return this_cpu_read(d->cpu->stack[n - 1]);
}

static __always_inline void fi_stack_put(struct fi_domain *d, unsigned long top)
{
	u32 n = this_cpu_read(d->cpu->nr_stacks);

	if (unlikely(n == FI_STACK_CACHE)) {
		__fi_stack_put(d, top);
		return;
	}
	this_cpu_write(d->cpu->stack[n], top);
	this_cpu_write(d->cpu->nr_stacks, n + 1);
}

/* Copies stack arguments and the return address; the new stack pointer. */
static unsigned long fi_prepare_stack(unsigned long top, const struct fi_entry *e,
				      const unsigned long *a)
{
	unsigned long *sp = (unsigned long *)top;
	u32 i;

	if (unlikely(e->slot->nargs > 6)) {
		sp -= ALIGN(e->slot->nargs - 6, 2);
		for (i = 6; i < e->slot->nargs; i++)
			sp[i - 6] = a[8 + i - 6];
	}
	*--sp = (unsigned long)fi_return_gate;
	return (unsigned long)sp;
}

static __always_inline unsigned long fi_cross_over(struct fi_frame *f, unsigned long fn,
						   const unsigned long *a, unsigned long sp)
{
	return fi_on_kernel_pgt(f->dom) ? fi_cross_stack(f, fn, a, sp) : fi_cross(f, fn, a, sp);
}

static unsigned long fi_entry_target(struct fi_domain *d, struct fi_entry *e)
{
#ifdef CONFIG_DRIVER_FI_INJECT
	if (static_branch_unlikely(&fi_inject_key)) {
		unsigned long evil = READ_ONCE(fi_inject_hook)(d, e);

		if (evil)
			return fi_translate_entry(d, evil);
	}
#endif
	return READ_ONCE(e->target);
}

static noinline bool fi_refuse(struct fi_entry *e, unsigned long *ret)
{
	this_cpu_dec(e->dom->cpu->active);
	*ret = e->slot->errval;
	return false;
}

static noinline void fi_no_stack(struct fi_entry *e)
{
	pr_err_ratelimited("driver_fi: %s: no free stack for %s\n",
			   e->dom->policy.name, e->slot->name);
}

/* No canary: the frame is checked field by field, and each instruction counts. */
__no_stack_protector
bool fi_invoke(struct fi_entry *e, const unsigned long *a, unsigned long *ret)
{
	struct fi_domain *d = e->dom;
	/* Zeroing all of it would cost more than the rest of this function. */
	struct fi_frame f __attribute__((uninitialized));
	unsigned long top;

	/*
	 * Pairs with fi_domain_kick(): its IPI comes after the store of dead,
	 * so it sees this increment, or we see dead.
	 */
	this_cpu_inc(d->cpu->active);
	barrier();
	if (unlikely(READ_ONCE(d->dead)))
		return fi_refuse(e, ret);

	local_irq_save(f.flags);
	top = fi_stack_get(d);
	if (unlikely(!top)) {
		local_irq_restore(f.flags);
		fi_no_stack(e);
		return fi_refuse(e, ret);
	}
	f.dom = d;
	f.entry = e;
	f.stack = (void *)top;
	f.ticks = 0;
	f.faulted = 0;
	f.nr_locks = 0;
	f.preempt = preempt_count();
	f.rcu = rcu_preempt_depth();
	f.prev = current->fi_frame;
	fi_stat_inc(d, crossings);
	WRITE_ONCE(current->fi_frame, &f);

	*ret = fi_cross_over(&f, fi_entry_target(d, e), a, fi_prepare_stack(top, e, a));
	/* They are; lockdep was last told at an import. */
	trace_hardirqs_off();

	if (unlikely(f.faulted | fi_context_differs(&f) | atomic_read(&d->shadowed)))
		fi_mend_context(&f);
	WRITE_ONCE(current->fi_frame, f.prev);
	fi_stack_put(d, top);
	this_cpu_dec(d->cpu->active);
	local_irq_restore(f.flags);
	if (likely(!f.faulted))
		return true;
	*ret = e->slot->errval;
	return false;
}
EXPORT_SYMBOL_GPL(fi_invoke);

unsigned long fi_stack_arg(struct fi_call *c, unsigned int n)
{
	unsigned long at = c->dsp + 8 + (n - 6) * sizeof(long);

	return fi_mem_writable(c->dom, at, sizeof(long)) ? *(unsigned long *)at : 0;
}
EXPORT_SYMBOL_GPL(fi_stack_arg);

/* Records on the crossing that the driver took or gave back a lock. */
void fi_lock_acquired(struct fi_call *c, enum fi_lock_kind kind, void *lock)
{
	struct fi_frame *f = current->fi_frame;

	if (f->nr_locks == ARRAY_SIZE(f->locks)) {
		fi_leak(f, "holds more locks than can be tracked");
		return;
	}
	f->locks[f->nr_locks].kind = kind;
	f->locks[f->nr_locks++].lock = lock;
}
EXPORT_SYMBOL_GPL(fi_lock_acquired);

void fi_lock_released(struct fi_call *c, enum fi_lock_kind kind, void *lock)
{
	struct fi_frame *f = current->fi_frame;
	int i;

	for (i = f->nr_locks - 1; i >= 0; i--) {
		if (f->locks[i].lock == lock)
			break;
	}
	if (i < 0)
		return;
	f->nr_locks--;
	for (; i < f->nr_locks; i++)
		f->locks[i] = f->locks[i + 1];
}
EXPORT_SYMBOL_GPL(fi_lock_released);

/* Is @lock held by the driver on this thread, in any crossing of its? */
bool fi_lock_held(struct fi_call *c, const void *lock)
{
	struct fi_frame *f;
	int i;

	for (f = current->fi_frame; f; f = f->prev) {
		for (i = 0; f->dom == c->dom && i < f->nr_locks; i++) {
			if (f->locks[i].lock == lock)
				return true;
		}
	}
	return false;
}
EXPORT_SYMBOL_GPL(fi_lock_held);

int fi_domain_active(struct fi_domain *d)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(d->cpu, cpu)->active;
	return sum;
}
EXPORT_SYMBOL_GPL(fi_domain_active);

static void fi_kick_ipi(void *unused)
{
}

void fi_domain_kick(struct fi_domain *d)
{
	/* Interrupted crossings test d->dead on their way back in. */
	on_each_cpu(fi_kick_ipi, NULL, 1);
}
