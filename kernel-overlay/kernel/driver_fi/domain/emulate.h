/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carrying out one store instruction: the part that knows no domain.
 */
#ifndef _DRIVER_FI_EMULATE_H
#define _DRIVER_FI_EMULATE_H

#include <linux/types.h>
#include <asm/insn.h>
#include <asm/ptrace.h>

/**
 * struct fi_emu - one store to be carried out
 * @regs: registers at the instruction; changed as the instruction would
 * @gs_base: base of gs, which must not change meanwhile: IRQs are off
 * @may_store: may these up to 8 bytes be stored to, and which bits of them
 * @data: for @may_store
 * @insn: the decoded instruction
 * @size: bytes of the operand
 */
struct fi_emu {
	struct pt_regs *regs;
	unsigned long gs_base;
	bool (*may_store)(void *data, unsigned long addr, u32 len, u64 *mask);
	void *data;
	struct insn insn;
	unsigned int size;
};

int fi_emu_run(struct fi_emu *e, const void *text, size_t avail);

/* What an instruction does to its memory operand. */
enum fi_emu_op {
	FI_EMU_ADD, FI_EMU_OR, FI_EMU_ADC, FI_EMU_SBB,	/* in opcode order */
	FI_EMU_AND, FI_EMU_SUB, FI_EMU_XOR, FI_EMU_CMP,
	FI_EMU_ROL, FI_EMU_ROR, FI_EMU_RCL, FI_EMU_RCR,	/* in opcode order */
	FI_EMU_SHL, FI_EMU_SHR, FI_EMU_SAL, FI_EMU_SAR,
	FI_EMU_BT, FI_EMU_BTS, FI_EMU_BTR, FI_EMU_BTC,	/* in opcode order */
	FI_EMU_INC, FI_EMU_DEC, FI_EMU_NOT, FI_EMU_NEG,
	FI_EMU_MOV, FI_EMU_XCHG, FI_EMU_XADD, FI_EMU_CMPXCHG,
	FI_EMU_NONE
};

/* emulate_exec.c: the CPU does the arithmetic, on values. */
u64 fi_emu_exec(enum fi_emu_op op, unsigned int size, u64 dst, u64 src,
		unsigned long *flags);
bool fi_emu_condition(unsigned int cc, unsigned long flags);

/* emulate_mem.c: kernel memory, without faults. 0 or -EFAULT. */
int fi_emu_load(unsigned long addr, unsigned int size, u64 *val);
int fi_emu_store(unsigned long addr, unsigned int size, u64 val);
/* -EAGAIN: the memory is not @old. */
int fi_emu_cmpxchg(unsigned long addr, unsigned int size, u64 old, u64 new);

#endif
