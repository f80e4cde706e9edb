/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls a function on another stack, and the way back from the middle of it. */

	.text
/* u64 rt_enter(u64 fn, const u64 *arg, u64 top, u64 *save) */
	.globl	rt_enter
	.type	rt_enter, @function
rt_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rcx)
	mov	%rdi, %rax
	mov	%rdx, %rsp
	push	%rcx
	push	%rcx
	mov	%rsi, %r11
	mov	(%r11), %rdi
	mov	8(%r11), %rsi
	mov	16(%r11), %rdx
	mov	24(%r11), %rcx
	mov	32(%r11), %r8
	mov	40(%r11), %r9
	mov	%rax, %r11
	xor	%eax, %eax
	mov	$0x1111111111111111, %rbx
	mov	$0x2222222222222222, %rbp
	mov	$0x3333333333333333, %r12
	mov	$0x4444444444444444, %r13
	mov	$0x5555555555555555, %r14
	mov	$0x6666666666666666, %r15
	call	*%r11
	/* a function that breaks the ABI shows here */
	mov	$0x1111111111111111, %r11
	xor	%r11, %rbx
	mov	$0x2222222222222222, %r11
	xor	%r11, %rbp
	mov	$0x3333333333333333, %r11
	xor	%r11, %r12
	mov	$0x4444444444444444, %r11
	xor	%r11, %r13
	mov	$0x5555555555555555, %r11
	xor	%r11, %r14
	mov	$0x6666666666666666, %r11
	xor	%r11, %r15
	or	%rbp, %rbx
	or	%r12, %rbx
	or	%r13, %rbx
	or	%r14, %rbx
	or	%r15, %rbx
	pop	%rcx
	mov	%rbx, 8(%rcx)
	mov	(%rcx), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	rt_enter, . - rt_enter

/* void rt_leave(u64 *save): rt_enter() returns 0 */
	.globl	rt_leave
	.type	rt_leave, @function
rt_leave:
	mov	(%rdi), %rsp
	xor	%eax, %eax
	cld
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	rt_leave, . - rt_leave
	.section .note.GNU-stack, "", @progbits
