// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IDT page that domains see.
 *
 * At the address of the kernel's IDT a domain maps another page: the same
 * gates, but each leads to a stub of gate.S, and each that has no IST in the
 * kernel gets the spare one. So the CPU never pushes a frame on a stack that
 * a driver chose; a bad rsp or a full domain stack is a plain fault.
 */
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/printk.h>

#include <asm/cpu_entry_area.h>
#include <asm/desc.h>
#include <asm/driver_fi.h>
#include <asm/processor.h>
#include <asm/trapnr.h>

#include "driver_fi.h"

/* Where the stubs go on: the kernel's handlers, by vector. */
unsigned long fi_idt_target[IDT_ENTRIES] __ro_after_init;

static gate_desc fi_idt[IDT_ENTRIES] __page_aligned_bss;

static unsigned long fi_ist_stub(int vector)
{
	switch (vector) {
	case X86_TRAP_DB:
		return (unsigned long)fi_ist_debug;
	case X86_TRAP_NMI:
		return (unsigned long)fi_ist_nmi;
	case X86_TRAP_DF:
		return (unsigned long)fi_ist_double_fault;
	case X86_TRAP_MC:
		return (unsigned long)fi_ist_machine_check;
	default:
		return 0;
	}
}

unsigned long fi_idt_pfn(void)
{
	return PHYS_PFN(__pa_symbol(fi_idt));
}

/**
 * fi_idt_init - build the page and set the spare IST of all possible CPUs
 *
 * After the kernel's IDT is complete; it is read-only from then on.
 * Return: 0, or -EOPNOTSUPP for a gate with an IST we know no stub for
 */
int __init fi_idt_init(void)
{
	const gate_desc *kernel = (const gate_desc *)CPU_ENTRY_AREA_RO_IDT;
	int i, cpu;

	for (i = 0; i < IDT_ENTRIES; i++) {
		gate_desc *g = &fi_idt[i];
		unsigned long stub = (unsigned long)fi_idt_stubs + i * FI_STUB_SIZE;

		*g = kernel[i];
		if (!g->bits.p)
			continue;
		fi_idt_target[i] = gate_offset(g);
		/* Of SEV-ES guests, see arch_fi_unsupported(): never happens. */
		if (i == X86_TRAP_VC) {
			g->bits.p = 0;
			continue;
		}
		if (g->bits.ist) {
			stub = fi_ist_stub(i);
			if (!stub) {
				pr_err("driver_fi: exception %d has an IST that is not known\n", i);
				return -EOPNOTSUPP;
			}
		} else {
			g->bits.ist = FI_IST;
		}
		g->offset_low = (u16)stub;
		g->offset_middle = (u16)(stub >> 16);
		g->offset_high = (u32)(stub >> 32);
	}
	for_each_possible_cpu(cpu)
		per_cpu(cpu_tss_rw, cpu).x86_tss.ist[FI_IST - 1] =
			(unsigned long)(cpu_entry_stack(cpu) + 1);
	return 0;
}
