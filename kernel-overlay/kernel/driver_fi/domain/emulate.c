// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores of a driver that its page table refuses: who permits them, and
 * carrying them out in the kernel's view.
 */
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <asm/current.h>
#include "domain.h"
#include "emulate.h"

/* What set_current_state() stores for a driver that waits. */
#define WAIT_STATES	(TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_WAKEKILL)

static bool within(unsigned long addr, u32 len, const void *start, size_t size)
{
	return addr >= (unsigned long)start && len <= size &&
	       addr - (unsigned long)start <= size - len;
}

/*
 * Kernel memory that every driver changes through inline functions, for the
 * thread that it runs on: the preempt count (the crossing compares it) and the
 * task's state, never to what a scheduler would do with a dead task.
 */
static bool may_store_context(unsigned long addr, u32 len, u64 *mask)
{
	if (within(addr, len, raw_cpu_ptr(&pcpu_hot.preempt_count),
		   sizeof(pcpu_hot.preempt_count))) {
		*mask = ~0ULL;
		return true;
	}
	if (within(addr, len, &current->__state, sizeof(current->__state))) {
		*mask = (u64)WAIT_STATES >> 8 * (addr - (unsigned long)&current->__state);
		return true;
	}
	return false;
}

/**
 * fi_may_store - may a driver store to these bytes?
 * @d: its domain
 * @addr: first byte
 * @len: bytes
 * @mask: gets the bits that may change, byte 0 lowest; ~0 for @len > 8
 *
 * Its own memory, granted bytes, fields of objects that it holds, and the
 * context of the thread it runs on.
 *
 * Context: any with IRQs off, not NMI; takes no lock.
 */
bool fi_may_store(struct fi_domain *d, unsigned long addr, u32 len, u64 *mask)
{
	if (fi_mem_writable(d, addr, len) || fi_permmap_test(d->perm, addr, len)) {
		*mask = ~0ULL;
		return true;
	}
	return may_store_context(addr, len, mask) ||
	       fi_objtab_may_store(d, addr, len, mask);
}

static bool domain_may_store(void *data, unsigned long addr, u32 len, u64 *mask)
{
	return fi_may_store(data, addr, len, mask);
}

/**
 * fi_emulate_store - carry out the store at regs->ip
 * @d: the domain that the store faulted in
 * @regs: its registers
 *
 * Context: any but NMI. Return: as fi_emu_run().
 */
int fi_emulate_store(struct fi_domain *d, struct pt_regs *regs)
{
	struct fi_emu e = {
		.regs = regs,
		.may_store = domain_may_store,
		.data = d,
	};
	unsigned long flags;
	const void *text;
	size_t avail;
	int ret;

	text = fi_text_pristine(d, regs->ip, &avail);
	if (!text)
		return -EOPNOTSUPP;
	/* gs is this CPU's, and stays so. */
	local_irq_save(flags);
	e.gs_base = __this_cpu_read(this_cpu_off);
	ret = fi_emu_run(&e, text, avail);
	local_irq_restore(flags);
	return ret;
}
