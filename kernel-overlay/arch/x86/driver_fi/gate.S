/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only code that runs across a change between the kernel's page table and
 * a domain's.
 *
 * What lies in .entry.text here, between __fi_text_start and __fi_text_end, is
 * the only kernel text that a domain can execute. Everything else that a
 * domain needs of the kernel goes through these pages.
 *
 * Rules that hold everywhere below:
 *  - IRQs are off from the store of fi_kernel_cr3 to the load of a domain's
 *    CR3, and from a load of the kernel's CR3 until rsp is a kernel stack.
 *  - GSBASE is the kernel's: a domain runs in ring 0 and does not change it.
 *  - A frame is on current->fi_frame before its domain's CR3 is loaded and
 *    until the kernel's is back.
 *  - The CPU never pushes on a domain stack: in a domain every IDT gate has an
 *    IST (idt.c).
 */
#include <linux/export.h>
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/asm-offsets.h>
#include <asm/cpufeatures.h>
#include <asm/driver_fi.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/processor-flags.h>
#include <asm/unwind_hints.h>
#include "../entry/calling.h"

/* Clobbers \reg. Kernel CR3, IRQs off. */
.macro FI_SAVE_KERNEL_CR3 reg:req
	movq	%cr3, \reg
	orq	fi_cr3_noflush(%rip), \reg
	movq	\reg, PER_CPU_VAR(fi_kernel_cr3)
.endm

.macro FI_LOAD_KERNEL_CR3 reg:req
	movq	PER_CPU_VAR(fi_kernel_cr3), \reg
	movq	\reg, %cr3
.endm

/*
 * \cr3 = what to load for domain \dom: with PCID, bit 63 keeps the TLB entries
 * of the domain if nothing was flushed on this CPU since they were made
 * (tlb.c). SDM vol. 3, 4.10.4.1. Clobbers the two scratch registers.
 */
.macro FI_DOMAIN_CR3 dom:req cr3:req tmp:req tmp2:req
	movq	FI_DOM_cr3(\dom), \cr3
	movl	FI_DOM_id(\dom), \tmp\()d
	movq	fi_tlb_gen(%rip), \tmp2
	cmpq	\tmp2, %gs:fi_tlb_seen(, \tmp, 8)
	je	.Lnoflush\@
	movq	\tmp2, %gs:fi_tlb_seen(, \tmp, 8)
	jmp	.Ldone\@
.Lnoflush\@:
	orq	fi_cr3_noflush(%rip), \cr3
.Ldone\@:
.endm

/*
 * An NMI, #DB or #MC may have hit a stub below before it loaded the kernel's
 * CR3. It must go on: an interrupt that is not acknowledged would block the
 * local APIC. Its own way back will find the domain dead.
 */
.macro FI_IN_STUB rip:req tmp:req resume:req
	leaq	fi_idt_code(%rip), \tmp
	cmpq	\tmp, \rip(%rsp)
	jb	.Lnot\@
	leaq	fi_idt_code_end(%rip), \tmp
	cmpq	\tmp, \rip(%rsp)
	jb	\resume
.Lnot\@:
.endm

/*
 * Points pt_regs at rsp to the landing pad: it will run with the kernel's CR3
 * on the crossing's kernel stack with IRQs off. \frame is the frame.
 */
.macro FI_UNWIND_REGS frame:req tmp:req
	leaq	fi_landing(%rip), \tmp
	movq	\tmp, RIP(%rsp)
	movq	FI_FRAME_kernel_sp(\frame), \tmp
	movq	\tmp, RSP(%rsp)
	movq	$X86_EFLAGS_FIXED, EFLAGS(%rsp)
.endm

	.text

/*
 * Kernel side of a gate at a driver function's address: r11d = index of the
 * entry. The wrapper gets the entry and the saved registers: a[0..5], then
 * saved rbp and return address, so stack arguments start at a[8].
 */
SYM_FUNC_START(fi_gate_common)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%r9
	pushq	%r8
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movl	%r11d, %r11d
	movq	fi_entry_ptr(, %r11, 8), %rdi
	movq	%rsp, %rsi
	movq	FI_ENTRY_fn(%rdi), %rax
	CALL_NOSPEC rax
	leave
	RET
SYM_FUNC_END(fi_gate_common)

/*
 * An import, now in the kernel's view on the kernel stack below the crossing's
 * saved registers: r10 = frame, r11 = index of the import, arguments in their
 * registers, IRQs off. Builds struct fi_call on the stack.
 */
SYM_CODE_START_LOCAL(fi_import_call)
	/* As if fi_cross() had called us: rbp, rbx, r12-r15, pad, return. */
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=64 type=ORC_TYPE_CALL
	pushq	%r10
	movq	FI_FRAME_domain_sp(%r10), %rax
	addq	$8, %rax			/* above the saved flags */
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
	movq	FI_FRAME_domain_sp(%r10), %rdi
	movq	(%rdi), %rdi
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
	movq	FI_FRAME_domain_sp(%r10), %r11
	testl	$X86_EFLAGS_IF, (%r11)
	jz	1f
	sti
1:
	movq	FI_IMPORT_fn(%rax), %rax
	CALL_NOSPEC rax
	pushfq
	popq	%r11				/* IF as the function left it */
	cli
	movq	72(%rsp), %r10
	addq	$80, %rsp
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=64 type=ORC_TYPE_CALL
	jmp	fi_import_return
SYM_CODE_END(fi_import_call)

/*
 * unsigned long fi_cross(struct fi_frame *f, unsigned long fn,
 *			  const unsigned long *args, unsigned long sp)
 *
 * IRQs off at entry and at return; inside they are as f->flags says. @sp
 * points to the address of fi_return_gate on a stack of the domain.
 */
	.pushsection .entry.text, "ax"

SYM_CODE_START(fi_cross)
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
	movq	FI_FRAME_flags(%rdi), %r12
	movq	FI_FRAME_dom(%rdi), %r14
	FI_SAVE_KERNEL_CR3 %r10
	FI_DOMAIN_CR3 %r14 %r10 %r11 %r13
	movq	40(%rdx), %r9
	movq	32(%rdx), %r8
	movq	24(%rdx), %rcx
	movq	8(%rdx), %rsi
	movq	0(%rdx), %rdi
	movq	16(%rdx), %rdx
	movq	%rbx, %rsp
	UNWIND_HINT_UNDEFINED
	movq	%r10, %cr3
	testl	$X86_EFLAGS_IF, %r12d
	jz	1f
	sti
1:
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax

/* The driver function returns to here, in the domain, rax = its value. */
SYM_INNER_LABEL(fi_return_gate, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	UNWIND_HINT_UNDEFINED
	pushfq
	popq	%rdx
	cli
	cld
	FI_LOAD_KERNEL_CR3 %rcx
	FI_FRAME %rcx
	movq	%rdx, FI_FRAME_ret_flags(%rcx)
	movq	FI_FRAME_kernel_sp(%rcx), %rsp
	jmp	fi_cross_out

/* A crossing that does not end by itself ends here. Kernel CR3, IRQs off. */
SYM_INNER_LABEL(fi_landing, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	UNWIND_HINT_UNDEFINED
	cld
	FI_FRAME %rcx
	movq	FI_FRAME_kernel_sp(%rcx), %rsp
	movl	$1, FI_FRAME_faulted(%rcx)
	xorl	%eax, %eax
SYM_INNER_LABEL(fi_cross_out, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=64 type=ORC_TYPE_CALL
	addq	$8, %rsp
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=56 type=ORC_TYPE_CALL
	popq	%r15
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=48 type=ORC_TYPE_CALL
	popq	%r14
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=40 type=ORC_TYPE_CALL
	popq	%r13
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=32 type=ORC_TYPE_CALL
	popq	%r12
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=24 type=ORC_TYPE_CALL
	popq	%rbx
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=16 type=ORC_TYPE_CALL
	popq	%rbp
	UNWIND_HINT_FUNC
	RET
SYM_CODE_END(fi_cross)

/* An import stub of the driver jumps here: r11d = index. Domain's view. */
SYM_CODE_START(fi_import_gate)
	UNWIND_HINT_UNDEFINED
	ENDBR
	pushfq
	cli
	movl	%r11d, %r11d
	FI_LOAD_KERNEL_CR3 %r10
	FI_FRAME %r10
	movq	%rsp, FI_FRAME_domain_sp(%r10)
	movq	FI_FRAME_kernel_sp(%r10), %rsp
	jmp	fi_import_call
SYM_CODE_END(fi_import_gate)

/* r10 = frame, r11 = flags the import left, rax = value. Kernel's view. */
SYM_CODE_START_LOCAL(fi_import_return)
	UNWIND_HINT_UNDEFINED
	movq	FI_FRAME_dom(%r10), %rcx
	cmpl	$0, FI_DOM_dead(%rcx)
	jne	fi_landing
	FI_SAVE_KERNEL_CR3 %r8
	movq	FI_FRAME_domain_sp(%r10), %rsp
	FI_DOMAIN_CR3 %rcx %r8 %r9 %r10
	movq	%r8, %cr3
	testl	$X86_EFLAGS_IF, %r11d
	jz	1f
	sti
1:
	leaq	8(%rsp), %rsp			/* the saved flags */
	ANNOTATE_UNRET_SAFE
	ret
	int3
SYM_CODE_END(fi_import_return)

/*
 * restore_regs_and_return_to_kernel with the mark set: pt_regs on a kernel
 * stack, IRQs off, kernel's view, which is all that a domain of mode dbi has.
 * Ends in an iretq of its own: a fault at native_irq_return_iret would be taken
 * for one on the way to user mode.
 */
SYM_CODE_START(fi_return_to_domain)
	UNWIND_HINT_REGS
	movl	$0, CS+4(%rsp)
	FI_FRAME %rax
	movq	FI_FRAME_dom(%rax), %rcx
	cmpl	$0, FI_DOM_dead(%rcx)
	jne	.Lunwind
.Lresume:
	cmpq	$0, FI_DOM_cr3(%rcx)
	je	.Lresume_here
	movq	FI_DOM_cpu(%rcx), %rdx
	addq	$2, %gs:FI_CPU_cr3_loads(%rdx)
	FI_SAVE_KERNEL_CR3 %rdx
	FI_DOMAIN_CR3 %rcx %r8 %r9 %r10
	movq	%r8, ORIG_RAX(%rsp)
	POP_REGS
	UNWIND_HINT_IRET_REGS offset=8
	pushq	%rax
	movq	8(%rsp), %rax
	movq	%rax, %cr3
	popq	%rax
	addq	$8, %rsp
	UNWIND_HINT_IRET_REGS
	iretq

.Lunwind:
	UNWIND_HINT_REGS
	FI_IN_STUB RIP, %r8, .Lresume
	FI_UNWIND_REGS %rax %rcx
.Lresume_here:
	POP_REGS
	addq	$8, %rsp
	UNWIND_HINT_IRET_REGS
	iretq
SYM_CODE_END(fi_return_to_domain)

/*
 * The same for an NMI: jumped to from nmi_restore with pt_regs at rsp. An NMI
 * returns through a frame of its own above pt_regs (entry_64.S explains), and
 * a nested NMI replaces that frame by an unmarked one, so its mark decides.
 */
#define NMI_IRET	(21*8)
SYM_CODE_START(fi_nmi_return)
	UNWIND_HINT_REGS
	movl	$0, NMI_IRET+8+4(%rsp)
	FI_FRAME %rax
	movq	FI_FRAME_dom(%rax), %rcx
	cmpl	$0, FI_DOM_dead(%rcx)
	jne	.Lnmi_unwind
.Lnmi_resume:
	/* Of mode dbi: the mark is gone, so as from any kernel code. */
	cmpq	$0, FI_DOM_cr3(%rcx)
	je	nmi_restore
	FI_SAVE_KERNEL_CR3 %rdx
	FI_DOMAIN_CR3 %rcx %r8 %r9 %r10
	movq	%r8, ORIG_RAX(%rsp)
	POP_REGS
	UNWIND_HINT_UNDEFINED
	std
	movq	$0, 11*8(%rsp)			/* "NMI executing" */
	pushq	%rax
	movq	8(%rsp), %rax
	movq	%rax, %cr3
	popq	%rax
	addq	$6*8, %rsp
	iretq

.Lnmi_unwind:
	UNWIND_HINT_REGS
	FI_IN_STUB NMI_IRET, %r8, .Lnmi_resume
	leaq	fi_landing(%rip), %rcx
	movq	%rcx, NMI_IRET+0(%rsp)
	movq	$X86_EFLAGS_FIXED, NMI_IRET+16(%rsp)
	movq	FI_FRAME_kernel_sp(%rax), %rcx
	movq	%rcx, NMI_IRET+24(%rsp)
	jmp	nmi_restore
SYM_CODE_END(fi_nmi_return)

/*
 * What the CPU enters in a domain for a gate that has no IST in the kernel: on
 * this CPU's entry stack, in the domain's view. Moves the hardware frame to
 * the kernel stack as if the CPU had pushed it there, marks it, and goes on
 * into the ordinary handler.
 *
 * Stack: vector, [error code,] rip, cs, flags, rsp, ss.
 */
fi_idt_code:
.macro FI_IDT_COMMON name:req err:req
SYM_CODE_START_LOCAL(\name)
	UNWIND_HINT_UNDEFINED
	pushq	%rax
	pushq	%rdi
	FI_LOAD_KERNEL_CR3 %rax
	FI_FRAME %rax
	movq	FI_FRAME_kernel_sp(%rax), %rax
	andq	$-16, %rax
	movq	8*(7+\err)(%rsp), %rdi
	movq	%rdi, -8(%rax)			/* ss */
	movq	8*(6+\err)(%rsp), %rdi
	movq	%rdi, -16(%rax)			/* rsp */
	movq	8*(5+\err)(%rsp), %rdi
	movq	%rdi, -24(%rax)			/* flags */
	movq	8*(4+\err)(%rsp), %rdi
	btsq	$FI_CS_MARK_SHIFT, %rdi
	movq	%rdi, -32(%rax)			/* cs */
	movq	8*(3+\err)(%rsp), %rdi
	movq	%rdi, -40(%rax)			/* rip */
	.if \err
	movq	8*3(%rsp), %rdi
	movq	%rdi, -48(%rax)			/* error code */
	.endif
	movq	8(%rsp), %rdi
	movq	%rdi, -48-8*\err(%rax)		/* rax, popped below */
	movq	16(%rsp), %rdi
	movq	fi_idt_target(, %rdi, 8), %rdi
	movq	%rdi, -64-8*\err(%rax)
	movq	(%rsp), %rdi
	leaq	-48-8*\err(%rax), %rsp
	popq	%rax
	ANNOTATE_RETPOLINE_SAFE
	jmp	*-24(%rsp)
SYM_CODE_END(\name)
.endm

FI_IDT_COMMON fi_idt_noerr 0
FI_IDT_COMMON fi_idt_err 1

	.balign	FI_STUB_SIZE
SYM_CODE_START(fi_idt_stubs)
	ANNOTATE_NOENDBR
	vector = 0
	.rept	256
	UNWIND_HINT_UNDEFINED
	ENDBR
	pushq	$vector
	.if vector == 8 || vector == 10 || vector == 11 || vector == 12 || \
	    vector == 13 || vector == 14 || vector == 17 || vector == 21
	jmp	fi_idt_err
	.else
	jmp	fi_idt_noerr
	.endif
	.balign	FI_STUB_SIZE, 0xcc
	vector = vector + 1
	.endr
SYM_CODE_END(fi_idt_stubs)

/* Gates that have an IST in the kernel: the frame is where it belongs. */
.macro FI_IST_STUB name:req target:req err:req
SYM_CODE_START(\name)
	UNWIND_HINT_UNDEFINED
	ENDBR
	pushq	%rax
	FI_LOAD_KERNEL_CR3 %rax
	movl	$1, 8+8*\err+8+4(%rsp)		/* the mark in cs */
	popq	%rax
	jmp	\target
SYM_CODE_END(\name)
.endm

FI_IST_STUB fi_ist_debug asm_exc_debug 0
FI_IST_STUB fi_ist_nmi asm_exc_nmi 0
FI_IST_STUB fi_ist_double_fault asm_exc_double_fault 1
#ifdef CONFIG_X86_MCE
FI_IST_STUB fi_ist_machine_check asm_exc_machine_check 0
#else
FI_IST_STUB fi_ist_machine_check asm_exc_nmi 0
#endif
fi_idt_code_end:

/* What domains execute from here on is never on its way from one CR3 to another. */
SYM_ENTRY(fi_gates_end, SYM_L_GLOBAL, SYM_A_NONE)
	.popsection
