// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB entries of domains: when they are kept over a load of CR3, and when not.
 *
 * A domain has a PCID of its own, so that its entries survive while the kernel
 * runs. The price is that the kernel's flushes do not reach them: INVLPG and
 * INVPCID act on the current PCID (SDM vol. 3, 4.10.4). Hence a generation:
 * gate.S keeps entries only if fi_tlb_seen[id] of this CPU equals fi_tlb_gen,
 * otherwise it loads CR3 without the no-flush bit.
 *
 * Whoever takes rights away raises fi_tlb_gen first and interrupts all CPUs
 * then. A CPU inside a domain comes out for the interrupt and flushes when it
 * goes back. The IPI orders the store before the load in gate.S.
 */
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/driver_fi.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>

#include "../../../kernel/driver_fi/fi.h"
#include "driver_fi.h"

/* Bit 63 where PCIDs are in use, else 0: the CPU would fault on it. */
unsigned long fi_cr3_noflush __ro_after_init;

/* Value 0 is never current: fi_tlb_seen, which gate.S uses, starts with it. */
atomic64_t fi_tlb_gen = ATOMIC64_INIT(1);
DECLARE_PER_CPU(unsigned long [FI_MAX_DOMAINS], fi_tlb_seen);
DEFINE_PER_CPU(unsigned long [FI_MAX_DOMAINS], fi_tlb_seen);

/* CR3 of the kernel on this CPU, stored right before a domain's is loaded. */
DEFINE_PER_CPU(unsigned long, fi_kernel_cr3);

static void fi_flush_ipi(void *unused)
{
}

/**
 * arch_fi_flush - make loss of rights effective in all domains on all CPUs
 *
 * Context: any. Where an IPI cannot be sent and waited for (atomic context),
 * other CPUs that are inside a domain keep stale entries until they next
 * leave it: at the end of the crossing, at an import or at an interrupt.
 */
void arch_fi_flush(void)
{
	atomic64_inc(&fi_tlb_gen);
	if (in_task() && !irqs_disabled() && preemptible())
		on_each_cpu(fi_flush_ipi, NULL, 1);
}

/* The kernel flushed an address on this CPU only in its own PCID. */
void __fi_flush_local(void)
{
	memset(this_cpu_ptr(fi_tlb_seen), 0, sizeof(fi_tlb_seen));
}

void __init fi_tlb_init(void)
{
	if (cpu_feature_enabled(X86_FEATURE_PCID))
		fi_cr3_noflush = X86_CR3_PCID_NOFLUSH;
}
