/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that emulate_kunit.c runs natively and emulated.
 *
 * rdi and rbx point to the middle of fi_emu_buf, rsi into another buffer; r8
 * has the flags, before and after.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

/*
 * A function that runs \text, and its entry in the table: struct insn_case.
 * \cx and \ax are the bits of these registers that may be set: an index or a
 * count must stay small. \string: rdi and rsi move.
 */
.macro insn cx:req ax:req string:req text:vararg
	.text
	.balign	16
	.type	fi_emu_insn_\@, @function
fi_emu_insn_\@:
	ENDBR
	pushq	%r8
	popfq
.Lbegin\@:
	\text
.Lend\@:
	pushfq
	popq	%r8
	RET
	.size	fi_emu_insn_\@, . - fi_emu_insn_\@

	.section .rodata
	.quad	.Lname\@
	.quad	fi_emu_insn_\@
	.quad	.Lbegin\@ - fi_emu_insn_\@
	.quad	.Lend\@ - fi_emu_insn_\@
	.quad	\cx
	.quad	\ax
	.quad	\string
	.section .rodata.str1.1, "aMS", @progbits, 1
.Lname\@:
	.asciz	"\text"
.endm

.macro plain text:vararg
	insn	-1, -1, 0, \text
.endm

	.section .rodata
	.balign	8
SYM_DATA_START(fi_emu_cases)

.irp op, add, or, adc, sbb, and, sub, xor
	plain	\op %dl, (%rdi)
	plain	\op %ah, 3(%rdi)
	plain	\op %dx, -6(%rbx)
	insn	7, -1, 0, \op %eax, 4(%rdi,%rcx,4)
	insn	3, -1, 0, \op %rax, (%rbx,%rcx,8)
	plain	lock \op %edx, 8(%rdi)
	plain	\op %rdx, 29(%rdi)
	plain	\op\()b $0x85, (%rdi)
	plain	\op\()w $0x1234, (%rdi)
	plain	\op\()l $0x12345678, (%rdi)
	plain	\op\()q $-3, (%rdi)
	plain	\op\()q $-0x12345678, (%rdi)
.endr

.irp op, inc, dec, not, neg
	plain	\op\()b (%rdi)
	plain	\op\()w (%rdi)
	plain	\op\()l 12(%rbx)
	insn	15, -1, 0, \op\()q (%rdi,%rcx)
	plain	lock \op\()l (%rdi)
.endr

.irp op, rol, ror, rcl, rcr, shl, shr, sar
	plain	\op\()b (%rdi)
	plain	\op\()w $5, (%rdi)
	plain	\op\()b %cl, (%rdi)
	plain	\op\()l %cl, (%rdi)
	plain	\op\()q %cl, (%rdi)
.endr

.irp op, bts, btr, btc
	insn	-1, 0xffffffffffff00ff, 0, \op %ax, (%rdi)
	insn	-1, 0xff, 0, \op %eax, (%rdi)
	insn	-1, 0xff, 0, lock \op %rax, (%rdi)
	plain	\op\()l $37, (%rdi)
	plain	lock \op\()q $63, (%rdi)
.endr

.irp cc, o, no, b, nb, z, nz, be, nbe, s, ns, p, np, l, nl, le, nle
	plain	set\cc (%rdi)
.endr

	plain	mov %dl, (%rdi)
	plain	mov %ch, (%rdi)
	plain	mov %sil, (%rdi)
	plain	mov %dx, (%rdi)
	insn	15, -1, 0, mov %eax, 4(%rdi,%rcx,2)
	plain	mov %rsi, 11(%rdi)
	plain	movb $0x7f, (%rdi)
	plain	movw $0x8765, (%rdi)
	plain	movq $-2, (%rdi)
	plain	mov %rax, fi_emu_buf+88(%rip)
	plain	addl $77, fi_emu_buf+88(%rip)
	plain	movnti %rax, (%rdi)
	plain	xchg %dl, (%rdi)
	plain	xchg %dh, (%rdi)
	plain	xchg %edx, (%rdi)
	plain	xchg %rax, (%rbx)
	plain	lock xadd %al, (%rdi)
	plain	xadd %dx, (%rdi)
	plain	lock xadd %eax, (%rdi)
	plain	xadd %rdx, (%rdi)
	plain	lock cmpxchg %dl, (%rdi)
	plain	cmpxchg %dx, (%rdi)
	/* Whether a match clears the upper half of rax depends on the CPU. */
	insn	-1, 0xffffffff, 0, lock cmpxchg %edx, (%rdi)
	plain	lock cmpxchg %rdx, (%rdi)

	insn	-1, -1, 1, stosb
	insn	-1, -1, 1, stosq
	insn	-1, -1, 1, movsl
	insn	31, -1, 1, rep stosb
	insn	15, -1, 1, rep stosw
	insn	31, -1, 1, rep movsb
	insn	7, -1, 1, rep movsq

	.section .rodata
SYM_DATA_END_LABEL(fi_emu_cases, SYM_L_GLOBAL, fi_emu_cases_end)

	.text
/* void fi_emu_native(struct cpu *c, void (*insn)(void)) */
SYM_FUNC_START(fi_emu_native)
	pushq	%rbx
	pushq	%rdi
	movq	%rsi, %r11
	movq	%rdi, %r10
	movq	(%r10), %rax
	movq	8(%r10), %rbx
	movq	16(%r10), %rcx
	movq	24(%r10), %rdx
	movq	32(%r10), %rsi
	movq	40(%r10), %rdi
	movq	48(%r10), %r8
	CALL_NOSPEC r11
	popq	%r10
	movq	%rax, (%r10)
	movq	%rbx, 8(%r10)
	movq	%rcx, 16(%r10)
	movq	%rdx, 24(%r10)
	movq	%rsi, 32(%r10)
	movq	%rdi, 40(%r10)
	movq	%r8, 48(%r10)
	popq	%rbx
	RET
SYM_FUNC_END(fi_emu_native)
