/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Macros of assembly: for gate.S and gate_dbi.S, and for the kernel's entry code.
 */
#ifndef _ASM_X86_DRIVER_FI_ASM_H
#define _ASM_X86_DRIVER_FI_ASM_H

#include <asm/asm-offsets.h>
#include <asm/percpu.h>

/* \reg = innermost frame of current. */
.macro FI_FRAME reg:req
	movq	PER_CPU_VAR(pcpu_hot + X86_current_task), \reg
	movq	TASK_fi_frame(\reg), \reg
.endm

/*
 * Is \reg, an address, one of FI's own PGD slot? Then the zero flag is set.
 * Clobbers \reg. All stacks there are those of domains.
 */
.macro FI_IN_SLOT reg:req
	sarq	$39, \reg
	cmpq	$(FI_VA_PGD_INDEX - 512), \reg
.endm

/*
 * An exception with an IST, or an NMI: did it interrupt a domain of mode dbi?
 * Then the frame, whose slots are given, is marked. By rsp and rip both: where
 * user space has just entered the kernel, rsp is what it likes. And the gates of
 * the other modes have a domain's stack with the kernel's CR3 for a moment; the
 * way out of a marked frame would load the domain's under them.
 */
.macro FI_MARK_DBI rip:req cs:req rsp:req tmp:req
#ifdef CONFIG_DRIVER_FI_DBI
	movq	\rsp(%rsp), \tmp
	FI_IN_SLOT \tmp
	jne	.Lunmarked\@
	cmpq	$MODULES_VADDR, \rip(%rsp)
	jae	.Lmark\@
	cmpq	$fi_gates_end, \rip(%rsp)
	jb	.Lunmarked\@
	cmpq	$__fi_text_end, \rip(%rsp)
	jae	.Lunmarked\@
.Lmark\@:
	movl	$1, \cs+4(%rsp)
.Lunmarked\@:
#endif
.endm

/* The end of error_entry, rax = pt_regs: were they pushed on a domain stack? */
.macro FI_LEAVE_DBI_STACK
#ifdef CONFIG_DRIVER_FI_DBI
	movq	%rsp, %rcx
	FI_IN_SLOT %rcx
	je	fi_leave_stack
#endif
.endm

#endif
