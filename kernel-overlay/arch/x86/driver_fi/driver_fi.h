/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of arch/x86/driver_fi.
 */
#ifndef _X86_DRIVER_FI_H
#define _X86_DRIVER_FI_H

#include <linux/driver_fi.h>
#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/linkage.h>
#include <linux/percpu.h>

/* Of a leaf: FI's own mapping, not the kernel's or a stripped copy of it. */
#define FI_OWN		_PAGE_SOFTW2

/* Top-level entries for the permission map: of the direct map to the vmemmap. */
#define FI_MAP_FIRST_SLOT	482
#define FI_MAP_LAST_SLOT	506

int fi_pgtable_init(void);
void fi_tlb_init(void);
int fi_idt_init(void);
unsigned long fi_idt_pfn(void);

/* tlb.c and idt.c: what gate.S reads. */
extern unsigned long fi_cr3_noflush;
extern atomic64_t fi_tlb_gen;
extern unsigned long fi_idt_target[];
DECLARE_PER_CPU(unsigned long, fi_kernel_cr3);

/* init.c: called by gate.S and gate_dbi.S in a kernel with CONFIG_TRACE_IRQFLAGS. */
asmlinkage void fi_trace_irqs(unsigned long flags);

/* gate.S: one stub per vector, and those for gates with an IST of their own. */
extern char fi_idt_stubs[];
void fi_ist_debug(void);
void fi_ist_nmi(void);
void fi_ist_double_fault(void);
void fi_ist_machine_check(void);

#endif
