/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Out-of-line helpers of emitted code: save everything, ask, restore everything.
 */

#ifdef __KERNEL__
#include <linux/linkage.h>
#define ENTRY_OF(name)	SYM_FUNC_START(name)
#define END_OF(name)	SYM_FUNC_END(name)
#define DO_RET		RET
#else
#define ENTRY_OF(name)	.globl name; .type name, @function; .balign 16; name:
#define END_OF(name)	.size name, . - name
#define DO_RET		ret
	.section .note.GNU-stack, "", @progbits
#endif

	.text

.macro SLOW name handler
ENTRY_OF(\name)
	pushfq
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	\handler
	mov	%rbp, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	popfq
	DO_RET
END_OF(\name)
.endm

SLOW fi_dbi_slow_store fi_dbi_on_store
SLOW fi_dbi_slow_range fi_dbi_on_range
SLOW fi_dbi_slow_icall fi_dbi_on_icall
SLOW fi_dbi_slow_ret fi_dbi_on_ret
SLOW fi_dbi_slow_trap fi_dbi_on_trap
SLOW fi_dbi_slow_port fi_dbi_on_port
