/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Out-of-line helpers of emitted code: save everything, ask, restore everything.
 *
 * Built twice. In the text that domains share (FI_DBI_DOMAIN) a question is an
 * exception, whose handler finds a struct fi_dbi_slow at rsp and the number of the
 * question in edi. From dbi/slow.S, for KUnit and for user space, it is a call.
 */

#ifdef FI_DBI_DOMAIN
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include <asm/driver_fi.h>
#define NAME(name)	fi_domain_##name
#define ENTRY_OF(name)	SYM_CODE_START(name) UNWIND_HINT_UNDEFINED; ANNOTATE_NOENDBR;
#define END_OF(name)	SYM_CODE_END(name)
#define DO_RET		ANNOTATE_UNRET_SAFE; ret; int3
#define AT_RETURN
#define MAP_DISP	$FI_MAP_DISP
	.section .entry.text, "ax"
#elif defined(__KERNEL__)
#include <linux/linkage.h>
#include <asm/unwind_hints.h>
#define ENTRY_OF(name)	SYM_FUNC_START(name)
#define END_OF(name)	SYM_FUNC_END(name)
#define DO_RET		RET
#define AT_RETURN	UNWIND_HINT_FUNC
	.text
#else
#define ENTRY_OF(name)	.globl name; .type name, @function; .balign 16; name:
#define END_OF(name)	.size name, . - name
#define DO_RET		ret
#define AT_RETURN
	.section .note.GNU-stack, "", @progbits
	.text
#endif

#ifndef FI_DBI_DOMAIN
#define NAME(name)	fi_dbi_##name
#define MAP_DISP	fi_dbi_map_disp(%rip)
#endif

/*
 * Back to the check, and what it pushed is gone: the return address goes to the place of
 * the last word. pop addresses its operand with rsp already moved.
 */
.macro RETURN args
.if \args == 2
	pop	8(%rsp)
	lea	8(%rsp), %rsp
.elseif \args == 1
	pop	(%rsp)
.endif
	AT_RETURN
	DO_RET
.endm

/* @question: enum fi_dbi_question; @args: words that the check pushed */
.macro SLOW name handler question args
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
#ifdef FI_DBI_DOMAIN
	mov	$\question, %edi
	/* ud0 %eax, %eax: an invalid opcode that no bug table is searched for */
	.byte	0x0f, 0xff, 0xc0
#elif defined(__KERNEL__)
	mov	%rsp, %rdi
	call	\handler
#else
	/* user code wants its stack aligned */
	mov	%rsp, %rdi
	cld
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	\handler
	mov	%rbp, %rsp
#endif
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
	RETURN	\args
END_OF(\name)
.endm

/* struct fi_dbi_site; slow.h asserts these */
#define SITE_MASK	8
#define SITE_SIZE	16
#define SITE_KIND	20

/* Three registers, and the flags in rax; popf would cost more than all the rest. */
.macro FAST_ENTER
	push	%rax
	push	%rcx
	push	%rdx
	lahf
	seto	%al
	push	%rax
.endm

.macro FAST_LEAVE
	pop	%rax
	add	$0x7f, %al
	sahf
	pop	%rdx
	pop	%rcx
	pop	%rax
.endm

#define ARG0	40(%rsp)
#define ARG1	48(%rsp)

/* The exact test of up to 57 bytes; anything else goes to the handler. */
ENTRY_OF(NAME(slow_store))
	FAST_ENTER
	mov	ARG0, %rdx
	cmpb	$0, SITE_KIND(%rdx)
	jne	1f
	cmpl	$57, SITE_SIZE(%rdx)
	ja	1f
	mov	ARG1, %rax
	mov	%eax, %ecx
	sar	$3, %rax
	add	MAP_DISP, %rax
	mov	(%rax), %rax
	and	$7, %ecx
	shr	%cl, %rax
	not	%rax
	test	SITE_MASK(%rdx), %rax
	jne	1f
	FAST_LEAVE
	RETURN	2
1:	FAST_LEAVE
	jmp	NAME(full_store)
END_OF(NAME(slow_store))

/*
 * [rdi, rdi + rcx * size): whole shadow bytes, eight at a time. A part of a byte at
 * either end, or a permission missing, goes to the handler.
 */
ENTRY_OF(NAME(slow_range))
	FAST_ENTER
	mov	ARG0, %rdx
	cmpq	$0, SITE_MASK(%rdx)
	je	1f
	mov	SITE_SIZE(%rdx), %eax
	mov	%rcx, %rdx
	shr	$48, %rdx
	jne	1f
	imul	%rax, %rcx
	test	%rcx, %rcx
	je	3f
	lea	-1(%rdi,%rcx), %rcx
	mov	%rdi, %rax
	sar	$3, %rax
	sar	$3, %rcx
	/* rcx: shadow bytes less one */
	sub	%rax, %rcx
	add	MAP_DISP, %rax
	cmp	$7, %rcx
	jb	4f
	/* the last eight, then eight by eight from the first */
	cmpq	$-1, -7(%rax,%rcx)
	jne	1f
	add	%rax, %rcx
2:	cmpq	$-1, (%rax)
	jne	1f
	add	$8, %rax
	cmp	%rcx, %rax
	jbe	2b
	jmp	3f
4:	cmpb	$-1, (%rax,%rcx)
	jne	1f
	sub	$1, %rcx
	jae	4b
3:	FAST_LEAVE
	RETURN	1
1:	FAST_LEAVE
	jmp	NAME(full_range)
END_OF(NAME(slow_range))

SLOW NAME(full_store) fi_dbi_on_store 0 2
SLOW NAME(full_range) fi_dbi_on_range 1 1
SLOW NAME(slow_icall) fi_dbi_on_icall 2 0
SLOW NAME(slow_ret) fi_dbi_on_ret 3 1
SLOW NAME(slow_trap) fi_dbi_on_trap 4 1
SLOW NAME(slow_port) fi_dbi_on_port 5 1

#ifdef FI_DBI_DOMAIN
SYM_CODE_START(fi_domain_slow_end)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	int3
SYM_CODE_END(fi_domain_slow_end)
#endif
