/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Provoked faults: each function runs in place of a driver function, inside
 * its domain or, for comparison, unprotected in the kernel.
 *
 * It stands among the text that domains execute, calls nothing but what
 * fi_evil names, and changes no register that a C function must keep. Who is
 * not stopped returns 0 to the driver function's caller.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/asm.h>
#include <asm/driver_fi_inject.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

/* No return thunk: domains do not execute the kernel's. */
.macro EVIL_RET
	ANNOTATE_UNRET_SAFE
	ret
	int3
.endm

/* Tells objtool that leaving noinstr text is meant. */
.macro EVIL_CALL reg:req
1:	.pushsection .discard.instr_begin, "", @progbits
	.long	1b
	.popsection
	ANNOTATE_RETPOLINE_SAFE
	call	*\reg
2:	.pushsection .discard.instr_end, "", @progbits
	.long	2b
	.popsection
.endm

	.pushsection .entry.text, "ax"

SYM_CODE_START(fi_evil_write)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	fi_evil+FI_EVIL_target(%rip), %rax
	movq	fi_evil+FI_EVIL_value(%rip), %rcx
	movq	%rcx, (%rax)
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_write)

SYM_CODE_START(fi_evil_write_byte)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	fi_evil+FI_EVIL_target(%rip), %rax
	movq	fi_evil+FI_EVIL_value(%rip), %rcx
	movb	%cl, (%rax)
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_write_byte)

SYM_CODE_START(fi_evil_write_int)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	fi_evil+FI_EVIL_target(%rip), %rax
	movq	fi_evil+FI_EVIL_value(%rip), %rcx
	movl	%ecx, (%rax)
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_write_int)

/* Fails between two stores that belong together. */
SYM_CODE_START(fi_evil_torn)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	fi_evil+FI_EVIL_target(%rip), %rax
	movl	$FI_EVIL_MTU, (%rax)
	ud2
SYM_CODE_END(fi_evil_torn)

/* A store that is permitted, then one that is not, in the same object. */
SYM_CODE_START(fi_evil_protected)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	fi_evil+FI_EVIL_second(%rip), %rax
	movl	$FI_EVIL_MTU, (%rax)
	movq	fi_evil+FI_EVIL_target(%rip), %rax
	movq	fi_evil+FI_EVIL_value(%rip), %rcx
	movl	%ecx, (%rax)
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_protected)

/* Says of the object in the second argument that there is more behind it. */
SYM_CODE_START(fi_evil_lent)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movl	$0x7fffffff, FI_EVIL_LENT(%rsi)
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_lent)

/* To jump to the middle of this is harmless, where it is not stopped. */
SYM_CODE_START(fi_evil_nothing)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	nop
SYM_INNER_LABEL(fi_evil_middle, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_nothing)

SYM_CODE_START(fi_evil_jump)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	fi_evil+FI_EVIL_target(%rip), %rax
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rax
SYM_CODE_END(fi_evil_jump)

/* Leaves the stack at its low end. */
SYM_CODE_START(fi_evil_overflow)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	pushq	%rax
	jmp	fi_evil_overflow
SYM_CODE_END(fi_evil_overflow)

SYM_CODE_START(fi_evil_bug)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	ud2
SYM_CODE_END(fi_evil_bug)

SYM_CODE_START(fi_evil_divide)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	xorl	%edx, %edx
	xorl	%ecx, %ecx
	movl	$1, %eax
	divl	%ecx
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_divide)

SYM_CODE_START(fi_evil_loop_irqoff)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	cli
1:	pause
	jmp	1b
SYM_CODE_END(fi_evil_loop_irqoff)

SYM_CODE_START(fi_evil_loop)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
1:	pause
	jmp	1b
SYM_CODE_END(fi_evil_loop)

SYM_CODE_START(fi_evil_leak_irqoff)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	cli
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_leak_irqoff)

/* Allocates, and keeps what it got in rbx. */
.macro EVIL_ALLOC
	pushq	%rbx
	movq	fi_evil+FI_EVIL_alloc_arg(%rip), %rdi
	movq	fi_evil+FI_EVIL_alloc_arg+8(%rip), %rsi
	movq	fi_evil+FI_EVIL_alloc_arg+16(%rip), %rdx
	movq	fi_evil+FI_EVIL_alloc(%rip), %rax
	EVIL_CALL %rax
	movq	%rax, %rbx
.endm

.macro EVIL_SECOND
	movq	%rbx, %rdi
	movq	fi_evil+FI_EVIL_second(%rip), %rax
	EVIL_CALL %rax
.endm

SYM_CODE_START(fi_evil_second_twice)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	EVIL_ALLOC
	EVIL_SECOND
	EVIL_SECOND
	popq	%rbx
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_second_twice)

SYM_CODE_START(fi_evil_second_once)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	EVIL_ALLOC
	EVIL_SECOND
	popq	%rbx
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_second_once)

/* Calls through a pointer in the driver's memory that was overwritten. */
SYM_CODE_START(fi_evil_function_pointer)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	EVIL_ALLOC
	movq	fi_evil+FI_EVIL_target(%rip), %rax
	movq	%rax, 8(%rbx)
	movq	8(%rbx), %rax
	EVIL_CALL %rax
	EVIL_SECOND
	popq	%rbx
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_function_pointer)

/* One byte behind what was allocated. */
SYM_CODE_START(fi_evil_overrun)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	EVIL_ALLOC
	movq	fi_evil+FI_EVIL_alloc_arg(%rip), %rax
	movq	fi_evil+FI_EVIL_value(%rip), %rcx
	movb	%cl, (%rbx,%rax)
	EVIL_SECOND
	popq	%rbx
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_overrun)

SYM_CODE_START(fi_evil_use_after_free)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	EVIL_ALLOC
	EVIL_SECOND
	movq	fi_evil+FI_EVIL_value(%rip), %rcx
	movq	%rcx, 32(%rbx)
	popq	%rbx
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_use_after_free)

/* Returns to where it stands itself, twice: the first time by a changed address. */
SYM_CODE_START(fi_evil_smash)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	movq	(%rsp), %rax
	pushq	%rax
	leaq	1f(%rip), %rax
	movq	%rsp, %rcx
	movq	%rax, (%rcx)
	EVIL_RET
1:	UNWIND_HINT_FUNC
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_smash)

/* Privileged instructions that change nothing where they are not stopped. */
SYM_CODE_START(fi_evil_wrmsr)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movl	$MSR_TSC_AUX, %ecx
	rdmsr
	wrmsr
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_wrmsr)

SYM_CODE_START(fi_evil_cr3)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	%cr3, %rax
	movq	%rax, %cr3
	xorl	%eax, %eax
	EVIL_RET
SYM_CODE_END(fi_evil_cr3)

/* The port of power-on diagnostics, which nobody listens to. */
SYM_CODE_START(fi_evil_port)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	xorl	%eax, %eax
	outb	%al, $0x80
	EVIL_RET
SYM_CODE_END(fi_evil_port)

	.popsection

	.text
SYM_FUNC_START(fi_canary_text)
	ANNOTATE_NOENDBR
	incq	fi_canary_landed(%rip)
	xorl	%eax, %eax
	RET
	.balign	8, 0xcc
SYM_INNER_LABEL(fi_canary_text_word, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	.fill	8, 1, 0xcc
SYM_FUNC_END(fi_canary_text)
