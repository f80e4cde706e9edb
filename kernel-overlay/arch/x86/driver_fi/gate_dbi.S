/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Crossings of mode dbi: to another stack, and nothing more. The driver runs
 * on the kernel's page table.
 *
 * What gate.S says of IRQs and frames holds here too, but one thing: the CPU
 * does push on a domain stack. Translated code never leaves its stack, and
 * room for the CPU is kept below it (domain/stack.h). Stacks of domains are all
 * the stacks there are in FI's own PGD slot, so entry code knows by rsp.
 */
#include <linux/linkage.h>
#include <asm/asm-offsets.h>
#include <asm/driver_fi.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/processor-flags.h>
#include <asm/unwind_hints.h>
#include "../entry/calling.h"

	.text

/*
 * unsigned long fi_cross_stack(struct fi_frame *f, unsigned long fn,
 *			      const unsigned long *args, unsigned long sp)
 *
 * As fi_cross(), whose end it shares; puts its own return gate at @sp.
 */
SYM_CODE_START(fi_cross_stack)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	movq	%rsp, FI_FRAME_kernel_sp(%rdi)
	movq	%rsi, %rax
	movq	%rcx, %rbx
	movq	$fi_stack_return_gate, (%rbx)
	movq	FI_FRAME_flags(%rdi), %r12
	movq	40(%rdx), %r9
	movq	32(%rdx), %r8
	movq	24(%rdx), %rcx
	movq	8(%rdx), %rsi
	movq	0(%rdx), %rdi
	movq	16(%rdx), %rdx
	movq	%rbx, %rsp
	UNWIND_HINT_UNDEFINED
	testl	$X86_EFLAGS_IF, %r12d
	jz	1f
	sti
1:
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax

/* The driver function returns to here, on the domain stack, rax = its value. */
SYM_INNER_LABEL(fi_stack_return_gate, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	UNWIND_HINT_UNDEFINED
	pushfq
	popq	%rdx
	cli
	cld
	FI_FRAME %rcx
	movq	%rdx, FI_FRAME_ret_flags(%rcx)
	movq	FI_FRAME_kernel_sp(%rcx), %rsp
	jmp	fi_cross_out
SYM_CODE_END(fi_cross_stack)

/*
 * An import stub of the driver jumps here: r11d = index. Builds struct fi_call
 * on the kernel stack below the crossing's saved registers, as fi_import_call
 * in gate.S. IRQs stay as they are: whoever interrupts this returns to it.
 */
SYM_CODE_START(fi_stack_import_gate)
	UNWIND_HINT_UNDEFINED
	ENDBR
	FI_FRAME %r10
	/* As if flags had been saved, which fi_import_gate does. */
	leaq	-8(%rsp), %rax
	movq	%rax, FI_FRAME_domain_sp(%r10)
	addq	$8, %rax
	movq	FI_FRAME_kernel_sp(%r10), %rsp
	/* As if fi_cross_stack() had called us: rbp, rbx, r12-r15, pad, return. */
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=64 type=ORC_TYPE_CALL
	pushq	%r10
	pushq	%rax				/* .dsp */
	movq	fi_import_ptr(, %r11, 8), %rax
	pushq	%rax				/* .imp */
	pushq	FI_FRAME_dom(%r10)		/* .dom */
	pushq	%r9
	pushq	%r8
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
#ifdef CONFIG_TRACE_IRQFLAGS
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=144 type=ORC_TYPE_CALL
	pushfq
	popq	%rdi
	call	fi_trace_irqs
	movq	56(%rsp), %rax
	movq	72(%rsp), %r10
#endif
	movq	%rsp, %rdi
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=144 type=ORC_TYPE_CALL
	movl	$0, FI_FRAME_ticks(%r10)
	movq	FI_FRAME_dom(%r10), %r11
	movq	FI_DOM_cpu(%r11), %r11
	incq	%gs:FI_CPU_imports(%r11)
	movq	FI_IMPORT_fn(%rax), %rax
	CALL_NOSPEC rax
	movq	72(%rsp), %r10
	addq	$80, %rsp
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=64 type=ORC_TYPE_CALL
	pushfq
	popq	%r11				/* IF as the function left it */
	/* Who marks the domain dead from here on finds us on its stack. */
	cli
	movq	FI_FRAME_dom(%r10), %rcx
	cmpl	$0, FI_DOM_dead(%rcx)
	jne	fi_landing
	movq	FI_FRAME_domain_sp(%r10), %rsp
	UNWIND_HINT_UNDEFINED
	addq	$8, %rsp
	testl	$X86_EFLAGS_IF, %r11d
	jz	1f
	sti
1:
	RET
SYM_CODE_END(fi_stack_import_gate)

/*
 * The end of error_entry for an exception or interrupt that the CPU pushed on
 * a domain stack: rax = pt_regs there. Moves them to the kernel stack as if the
 * CPU had pushed there, and marks them. IRQs off.
 */
	.pushsection .entry.text, "ax"
SYM_CODE_START(fi_leave_stack)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	FI_FRAME %rcx
	movq	FI_FRAME_kernel_sp(%rcx), %rdi
	andq	$-16, %rdi
	subq	$PTREGS_SIZE, %rdi
	movq	%rdi, %rdx
	movq	%rax, %rsi
	movl	$(PTREGS_SIZE / 8), %ecx
	rep movsq
	movl	$1, CS+4(%rdx)
	movq	%rdx, %rax
	RET
SYM_CODE_END(fi_leave_stack)
	.popsection
