/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carrying out one store instruction: the part that knows no domain.
 */
#ifndef _DRIVER_FI_EMULATE_H
#define _DRIVER_FI_EMULATE_H

#include <linux/types.h>
#include <asm/ptrace.h>

/**
 * struct fi_emu - who a store is carried out for
 * @regs: registers at the instruction; changed as the instruction would
 * @gs_base: base of gs, which must not change meanwhile: IRQs are off
 * @may_store: may these bytes be stored to, and which bits of them; for more
 *	than 8 bytes all or none
 * @data: for @may_store
 */
struct fi_emu {
	struct pt_regs *regs;
	unsigned long gs_base;
	bool (*may_store)(void *data, unsigned long addr, u32 len, u64 *mask);
	void *data;
};

/* What an instruction does to its memory operand. */
enum fi_emu_op {
	FI_EMU_ADD, FI_EMU_OR, FI_EMU_ADC, FI_EMU_SBB,	/* in opcode order */
	FI_EMU_AND, FI_EMU_SUB, FI_EMU_XOR, FI_EMU_CMP,
	FI_EMU_ROL, FI_EMU_ROR, FI_EMU_RCL, FI_EMU_RCR,	/* in opcode order */
	FI_EMU_SHL, FI_EMU_SHR, FI_EMU_SAL, FI_EMU_SAR,
	FI_EMU_BT, FI_EMU_BTS, FI_EMU_BTR, FI_EMU_BTC,	/* in opcode order */
	FI_EMU_INC, FI_EMU_DEC, FI_EMU_NOT, FI_EMU_NEG,
	FI_EMU_MOV, FI_EMU_XCHG, FI_EMU_XADD, FI_EMU_CMPXCHG,
	FI_EMU_STOS, FI_EMU_MOVS,
	FI_EMU_NONE
};

/* Where the other operand, the count or the bit number comes from. */
enum fi_store_from {
	FI_FROM_REG,	/* @reg */
	FI_FROM_IMM,	/* @imm */
	FI_FROM_CC,	/* does condition @imm hold? */
	FI_FROM_STACK,	/* what the stack pointer points to, which moves */
};

#define FI_STORE_LOCK	1
#define FI_STORE_GS	2
#define FI_STORE_REP	4
#define FI_STORE_BITS	8	/* @reg selects from a bit string beyond the operand */

/* No such register; offsets in struct pt_regs are smaller. */
#define FI_STORE_NOREG	0xff

/**
 * struct fi_store - a decoded store instruction, as it stands at one address
 * @op: enum fi_emu_op
 * @size: bytes of the memory operand
 * @length: bytes of the instruction
 * @from: enum fi_store_from
 * @flags: FI_STORE_*
 * @base: register of the address, as offset in struct pt_regs, or FI_STORE_NOREG
 * @index: likewise, shifted by @scale
 * @scale: see @index
 * @reg: register operand, as offset in struct pt_regs of its lowest byte
 * @disp: the rest of the address
 * @imm: constant operand
 */
struct fi_store {
	u8 op, size, length, from;
	u8 flags, base, index, scale;
	u8 reg;
	s64 disp;
	s64 imm;
};

int fi_store_decode(struct fi_store *s, unsigned long ip, const void *text, size_t avail);
int fi_store_run(const struct fi_store *s, struct fi_emu *e);
int fi_emu_run(struct fi_emu *e, const void *text, size_t avail);

/* emulate_exec.c: the CPU does the arithmetic, on values. */
u64 fi_emu_exec(enum fi_emu_op op, unsigned int size, u64 dst, u64 src,
		unsigned long *flags);
bool fi_emu_condition(unsigned int cc, unsigned long flags);

/* emulate_mem.c: kernel memory, without faults. 0 or -EFAULT. */
int fi_emu_load(unsigned long addr, unsigned int size, u64 *val);
int fi_emu_store(unsigned long addr, unsigned int size, u64 val);
/* -EAGAIN: the memory is not @old. */
int fi_emu_cmpxchg(unsigned long addr, unsigned int size, u64 old, u64 new);
/* How many bytes were done. */
size_t fi_emu_copy(unsigned long to, unsigned long from, size_t len);
size_t fi_emu_fill(unsigned long to, unsigned int size, u64 val, size_t len);

#endif
