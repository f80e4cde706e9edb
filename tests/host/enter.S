/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls a function on another stack, and the way back from the middle of it. */

	.text
/* The caller's registers go on its stack, whose place goes to (\save). */
	.macro	leave_to save
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (\save)
	.endm

/* To the caller, whose stack is loaded. */
	.macro	back
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.endm

/* u64 rt_enter(u64 fn, const u64 *arg, u64 top, u64 *save) */
	.globl	rt_enter
	.type	rt_enter, @function
rt_enter:
	leave_to	%rcx
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
	back
	.size	rt_enter, . - rt_enter

/* void rt_leave(u64 *save): rt_enter() returns 0 */
	.globl	rt_leave
	.type	rt_leave, @function
rt_leave:
	mov	(%rdi), %rsp
	xor	%eax, %eax
	cld
	back
	.size	rt_leave, . - rt_leave

/*
 * u64 rt_run(u64 fn, u64 *state, u64 top, u64 *save): all registers but rsp, and
 * the flags, from state[0..16]; the same back afterwards.
 */
	.globl	rt_run, rt_run_back, rt_run_end
	.type	rt_run, @function
rt_run:
	leave_to	%rcx
	mov	%rcx, rt_run_save(%rip)
	mov	%rsi, rt_run_state(%rip)
	mov	%rdi, rt_run_fn(%rip)
	mov	%rdx, %rsp
	fninit
	lea	rt_run_vectors(%rip), %rax
	cmpb	$0, rt_run_avx(%rip)
	je	1f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	32*\n(%rax), %ymm\n
	.endr
	jmp	2f
1:	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	32*\n(%rax), %xmm\n
	.endr
2:	mov	%rsi, %rax
	mov	8(%rax), %rcx
	mov	16(%rax), %rdx
	mov	24(%rax), %rbx
	mov	40(%rax), %rbp
	mov	48(%rax), %rsi
	mov	56(%rax), %rdi
	mov	64(%rax), %r8
	mov	72(%rax), %r9
	mov	80(%rax), %r10
	mov	88(%rax), %r11
	mov	96(%rax), %r12
	mov	104(%rax), %r13
	mov	112(%rax), %r14
	mov	120(%rax), %r15
	pushq	128(%rax)
	mov	(%rax), %rax
	popfq
	call	*rt_run_fn(%rip)
rt_run_back:
	pushfq
	push	%rax
	mov	rt_run_state(%rip), %rax
	mov	%rcx, 8(%rax)
	mov	%rdx, 16(%rax)
	mov	%rbx, 24(%rax)
	mov	%rbp, 40(%rax)
	mov	%rsi, 48(%rax)
	mov	%rdi, 56(%rax)
	mov	%r8, 64(%rax)
	mov	%r9, 72(%rax)
	mov	%r10, 80(%rax)
	mov	%r11, 88(%rax)
	mov	%r12, 96(%rax)
	mov	%r13, 104(%rax)
	mov	%r14, 112(%rax)
	mov	%r15, 120(%rax)
	popq	(%rax)
	popq	128(%rax)
	cld
	mov	rt_run_save(%rip), %rcx
	mov	(%rcx), %rsp
	mov	$1, %eax
	back
rt_run_end:
	.size	rt_run, . - rt_run
	.globl	rt_run_vectors, rt_run_avx
	.comm	rt_run_vectors, 512, 64
	.comm	rt_run_avx, 1, 1
	.local	rt_run_save, rt_run_state, rt_run_fn
	.comm	rt_run_save, 8, 8
	.comm	rt_run_state, 8, 8
	.comm	rt_run_fn, 8, 8
	.section .note.GNU-stack, "", @progbits
