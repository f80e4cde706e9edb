/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into translated code, and out of it from wherever a slow path ends it.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

	.bss
	.balign	8
	.local	fi_bed_sp
fi_bed_sp:
	.quad	0

	.text
/* u64 fi_bed_enter(u64 fn, u64 x, u64 y, u64 z); interrupts are off, one at a time */
SYM_CODE_START(fi_bed_enter)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, fi_bed_sp(%rip)
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	ANNOTATE_RETPOLINE_SAFE
	call	*%rax
SYM_INNER_LABEL(fi_bed_escape, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	mov	fi_bed_sp(%rip), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_CODE_END(fi_bed_enter)
