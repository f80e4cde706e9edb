// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot of the x86 part: what a CPU or kernel must be like for domains, and no
 * global pages.
 */
#include <linux/cc_platform.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/set_memory.h>

#include <asm/cpufeature.h>
#include <asm/driver_fi.h>
#include <asm/nospec-branch.h>
#include <asm/pgalloc.h>
#include <asm/pgtable.h>
#include <asm/sections.h>

#include "driver_fi.h"

#ifdef CONFIG_TRACE_IRQFLAGS
/*
 * At each import: lockdep is told whether IRQs are on, as @flags say the driver had
 * them. Within a domain they change where nobody tells: with the crossing, and by
 * the driver's own cli and sti.
 */
asmlinkage void fi_trace_irqs(unsigned long flags)
{
	unsigned long now;

	raw_local_irq_save(now);
	if (raw_irqs_disabled_flags(flags))
		trace_hardirqs_off();
	else
		trace_hardirqs_on();
	raw_local_irq_restore(now);
}
#endif

/* Are the kernel's memory regions where they are without randomization? */
bool arch_fi_layout_default(void)
{
	return PAGE_OFFSET == __PAGE_OFFSET_BASE_L4 && VMALLOC_START == __VMALLOC_BASE_L4 &&
	       VMEMMAP_START == __VMEMMAP_BASE_L4;
}

/**
 * arch_fi_unsupported - why domains cannot work on this boot
 *
 * Return: a sentence for people that names the cure where there is one, or
 * NULL if they can
 */
const char *arch_fi_unsupported(void)
{
	if (pgtable_l5_enabled())
		return "five-level paging is on; boot with no5lvl";
	if (cpu_feature_enabled(X86_FEATURE_CALL_DEPTH))
		return "call depth tracking writes at each call; boot without retbleed=stuff";
	if (cpu_feature_enabled(X86_FEATURE_FRED))
		return "FRED has no IDT to give a domain; boot with fred=off";
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return "Xen PV owns the page tables";
	if (cpu_feature_enabled(X86_FEATURE_INDIRECT_THUNK_ITS))
		return "ITS thunks are outside a domain; boot with indirect_target_selection=off";
	if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT))
		return "SEV-ES has exceptions of its own";
	if (!boot_cpu_has(X86_FEATURE_NX))
		return "the CPU has no NX";
	return NULL;
}

/*
 * A global TLB entry survives the load of a domain's CR3 and with it the
 * kernel's write permission. Bochs shows it (tests), TCG does not.
 */
static void __init fi_no_global_image(void)
{
	unsigned long start = PFN_ALIGN(_text);
	unsigned long end = ALIGN((unsigned long)_end, PMD_SIZE);

	set_memory_nonglobal(start, (end - start) >> PAGE_SHIFT);
}

/**
 * arch_fi_init - page tables, IDT and TLB of domains
 *
 * Context: boot, after the kernel's IDT is complete. Return: 0 or -errno
 */
int __init arch_fi_init(void)
{
	int err;

	fi_no_global_image();
	fi_tlb_init();
	err = fi_idt_init();
	if (!err)
		err = fi_pgtable_init();
	return err;
}

/**
 * arch_fi_pgd_reserve - give init_mm a table in FI's own slot
 *
 * Called at boot before any other mm exists, so that every mm copies the
 * entry and no later mapping there needs a synchronisation of PGDs.
 */
void __init arch_fi_pgd_reserve(void)
{
	pgd_t *pgd = pgd_offset_k(FI_VA_START);
	p4d_t *p4d;

	if (pgtable_l5_enabled())
		return;
	p4d = p4d_alloc(&init_mm, pgd, FI_VA_START);
	if (!p4d || !pud_alloc(&init_mm, p4d, FI_VA_START))
		panic("driver_fi: no memory for a page table\n");
	arch_fi_kmap_reserve();
}
