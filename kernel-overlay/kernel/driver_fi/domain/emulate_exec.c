// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic of emulated stores: each instruction is run on registers, so that
 * results and flags are the CPU's own.
 */
#include <linux/types.h>
#include <asm/processor-flags.h>
#include "emulate.h"

#define ARITH_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

static unsigned long current_flags(void)
{
	unsigned long fl;

	asm volatile("pushfq\n\tpopq %0" : "=r" (fl));
	return fl;
}

/* One instruction, with the driver's arithmetic flags before and after. */
#define RUN(type, code, con)						\
do {									\
	type d_ = dst, s_ = src;					\
									\
	asm volatile("pushq %[fl]\n\t"					\
		     "popfq\n\t"					\
		     code "\n\t"					\
		     "pushfq\n\t"					\
		     "popq %[fl]"					\
		     : [d] "+q" (d_), [fl] "+r" (fl)			\
		     : [s] con(s_) : "cc");				\
	dst = d_;							\
} while (0)

/* The sizes of words: bit instructions have no bytes. */
#define RUN_WORDS(insn)							\
do {									\
	if (size == 2)							\
		RUN(u16, #insn " %[s], %[d]", "q");			\
	else if (size == 4)						\
		RUN(u32, #insn " %[s], %[d]", "q");			\
	else								\
		RUN(u64, #insn " %[s], %[d]", "q");			\
} while (0)

#define RUN_BINARY(insn)						\
do {									\
	if (size == 1)							\
		RUN(u8, #insn " %[s], %[d]", "q");			\
	else								\
		RUN_WORDS(insn);					\
} while (0)

#define RUN_UNARY(insn)							\
do {									\
	if (size == 1)							\
		RUN(u8, #insn " %[d]", "q");				\
	else if (size == 2)						\
		RUN(u16, #insn " %[d]", "q");				\
	else if (size == 4)						\
		RUN(u32, #insn " %[d]", "q");				\
	else								\
		RUN(u64, #insn " %[d]", "q");				\
} while (0)

#define RUN_SHIFT(insn)							\
do {									\
	if (size == 1)							\
		RUN(u8, #insn " %%cl, %[d]", "c");			\
	else if (size == 2)						\
		RUN(u16, #insn " %%cl, %[d]", "c");			\
	else if (size == 4)						\
		RUN(u32, #insn " %%cl, %[d]", "c");			\
	else								\
		RUN(u64, #insn " %%cl, %[d]", "c");			\
} while (0)

/**
 * fi_emu_exec - result of an instruction
 * @op: what it does; FI_EMU_MOV and later are not arithmetic: @src comes out
 * @size: of the operand: 1, 2, 4 or 8
 * @dst: value of the memory operand
 * @src: the other operand, count or bit number, if there is one
 * @flags: RFLAGS before and after; only the six arithmetic flags count
 */
u64 fi_emu_exec(enum fi_emu_op op, unsigned int size, u64 dst, u64 src,
		unsigned long *flags)
{
	/* IF, AC and the rest are what they are here. */
	unsigned long fl = (current_flags() & ~ARITH_FLAGS) | (*flags & ARITH_FLAGS);

	switch (op) {
	case FI_EMU_ADD:
		RUN_BINARY(add);
		break;
	case FI_EMU_OR:
		RUN_BINARY(or);
		break;
	case FI_EMU_ADC:
		RUN_BINARY(adc);
		break;
	case FI_EMU_SBB:
		RUN_BINARY(sbb);
		break;
	case FI_EMU_AND:
		RUN_BINARY(and);
		break;
	case FI_EMU_SUB:
		RUN_BINARY(sub);
		break;
	case FI_EMU_XOR:
		RUN_BINARY(xor);
		break;
	case FI_EMU_CMP:
		RUN_BINARY(cmp);
		break;
	case FI_EMU_ROL:
		RUN_SHIFT(rol);
		break;
	case FI_EMU_ROR:
		RUN_SHIFT(ror);
		break;
	case FI_EMU_RCL:
		RUN_SHIFT(rcl);
		break;
	case FI_EMU_RCR:
		RUN_SHIFT(rcr);
		break;
	case FI_EMU_SAL:
	case FI_EMU_SHL:
		RUN_SHIFT(shl);
		break;
	case FI_EMU_SHR:
		RUN_SHIFT(shr);
		break;
	case FI_EMU_SAR:
		RUN_SHIFT(sar);
		break;
	case FI_EMU_BTS:
		RUN_WORDS(bts);
		break;
	case FI_EMU_BTR:
		RUN_WORDS(btr);
		break;
	case FI_EMU_BTC:
		RUN_WORDS(btc);
		break;
	case FI_EMU_INC:
		RUN_UNARY(inc);
		break;
	case FI_EMU_DEC:
		RUN_UNARY(dec);
		break;
	case FI_EMU_NOT:
		RUN_UNARY(not);
		break;
	case FI_EMU_NEG:
		RUN_UNARY(neg);
		break;
	default:
		return src;
	}
	*flags = (*flags & ~ARITH_FLAGS) | (fl & ARITH_FLAGS);
	return dst;
}

/* Does condition @cc of jcc, setcc and cmovcc hold? SDM vol. 2, B.1.4.7. */
bool fi_emu_condition(unsigned int cc, unsigned long flags)
{
	bool cf = flags & X86_EFLAGS_CF, zf = flags & X86_EFLAGS_ZF;
	bool sf = flags & X86_EFLAGS_SF, of = flags & X86_EFLAGS_OF;
	bool pf = flags & X86_EFLAGS_PF;
	const bool holds[8] = {
		of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of
	};

	return holds[cc >> 1 & 7] ^ (cc & 1);
}
