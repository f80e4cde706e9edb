/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64 byte emitters for the instrumentation engine, also built on the host.
 *
 * Each writes one instruction at @p and returns its length, at most
 * FI_EMIT_MAX, or 0 if it cannot be encoded. Registers are encoding numbers.
 */
#ifndef _ARCH_X86_DRIVER_FI_EMIT_H
#define _ARCH_X86_DRIVER_FI_EMIT_H

#ifdef __KERNEL__
#include <linux/string.h>
#include <linux/types.h>
#else
#include "os.h"
#endif

#define FI_EMIT_MAX	15
#define FI_EMIT_NOREG	0xff

/**
 * struct fi_emit_mem - a memory operand
 * @rip: the operand is disp32(%rip): the field is left 0 for the caller's fix-up,
 *	and is followed only by the immediate
 */
struct fi_emit_mem {
	u8 base;
	u8 index;
	u8 scale;
	bool rip;
	s32 disp;
};

/* Operand sizes, as flags of an opcode. */
#define FI_OP_W		0x10000		/* REX.W */
#define FI_OP_16	0x20000		/* 66 prefix */
#define FI_OP_8		0x40000		/* byte register in reg: REX needed */
#define FI_OP_0F	0x100		/* two-byte opcode */

/* Instruction with opcode @op, ModRM reg @reg and a memory operand. */
u32 fi_emit_mem_op(u8 *p, u32 op, u8 reg, const struct fi_emit_mem *m);
/* Same with a register operand in ModRM rm. */
u32 fi_emit_reg_op(u8 *p, u32 op, u8 reg, u8 rm);
/* Appends a little-endian immediate of @n bytes; returns @n. */
u32 fi_emit_imm(u8 *p, u64 v, u32 n);

u32 fi_emit_push(u8 *p, u8 reg);
u32 fi_emit_pop(u8 *p, u8 reg);
u32 fi_emit_push_imm(u8 *p, s32 imm);
u32 fi_emit_mov_imm64(u8 *p, u8 reg, u64 v);
/* Shift by a constant: @ext is the opcode extension (4 shl, 5 shr, 7 sar, 1 ror, 0 rol). */
u32 fi_emit_shift(u8 *p, u8 ext, u8 reg, u8 count);
/* ALU operation with an immediate on a 64-bit register: @ext 0 add, 4 and, 5 sub, 7 cmp. */
u32 fi_emit_alu_imm(u8 *p, u8 ext, u8 reg, s32 imm);
/* btc $@bit,@reg: toggles one of 64 bits. */
u32 fi_emit_btc(u8 *p, u8 reg, u8 bit);
/* @n bytes that do nothing, in as few instructions as possible; returns @n. */
u32 fi_emit_nops(u8 *p, u32 n);
/* cmp $-1 with @size (1, 2, 4, 8) bytes at @disp(@reg). */
u32 fi_emit_cmp_ones(u8 *p, u32 size, u8 reg, s32 disp);

/*
 * Copies instruction @src of @len bytes with its legacy or VEX memory operand
 * replaced by @disp(@reg): @modrm and @disp_off are its offsets, @rex that of the
 * REX or VEX prefix plus one, 0 if there is none, @imm_len what follows.
 */
u32 fi_emit_redirect(u8 *p, const u8 *src, u32 len, bool vex, u32 rex,
		     u32 modrm, u32 imm_len, u8 reg, s32 disp);

#endif
