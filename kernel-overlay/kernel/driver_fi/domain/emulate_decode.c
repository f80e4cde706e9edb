// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decodes an instruction that stores to memory into a form that is quick to
 * carry out again. The numbers are those of SDM vol. 2, appendix A.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/insn.h>
#include "emulate.h"

#define PREFIX_LOCK	0xf0
#define PREFIX_REPNE	0xf2
#define PREFIX_REP	0xf3
#define PREFIX_OPSIZE	0x66
#define PREFIX_FS	0x64
#define PREFIX_GS	0x65

static const u8 reg_offset[16] = {
	offsetof(struct pt_regs, ax), offsetof(struct pt_regs, cx),
	offsetof(struct pt_regs, dx), offsetof(struct pt_regs, bx),
	offsetof(struct pt_regs, sp), offsetof(struct pt_regs, bp),
	offsetof(struct pt_regs, si), offsetof(struct pt_regs, di),
	offsetof(struct pt_regs, r8), offsetof(struct pt_regs, r9),
	offsetof(struct pt_regs, r10), offsetof(struct pt_regs, r11),
	offsetof(struct pt_regs, r12), offsetof(struct pt_regs, r13),
	offsetof(struct pt_regs, r14), offsetof(struct pt_regs, r15),
};

#define REG_CX	1
#define REG_SP	4

static bool has_prefix(const struct insn *in, u8 prefix)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(in->prefixes.bytes); i++)
		if (in->prefixes.bytes[i] == prefix)
			return true;
	return false;
}

/*
 * Register @n of the operand size. Without a REX prefix byte registers 4 to 7
 * are ah, ch, dh, bh: the second bytes of the first four.
 */
static void from_register(struct fi_store *s, const struct insn *in, unsigned int n)
{
	s->from = FI_FROM_REG;
	if (s->size == 1 && n >= 4 && n < 8 && !in->rex_prefix.nbytes)
		s->reg = reg_offset[n - 4] + 1;
	else
		s->reg = reg_offset[n];
}

static void from_reg(struct fi_store *s, const struct insn *in, enum fi_emu_op op)
{
	s->op = op;
	from_register(s, in, X86_MODRM_REG(in->modrm.value) |
		      (X86_REX_R(in->rex_prefix.value) ? 8 : 0));
}

static void from_imm(struct fi_store *s, enum fi_emu_op op, s64 imm)
{
	s->op = op;
	s->from = FI_FROM_IMM;
	s->imm = imm;
}

/* The digit that selects an instruction of an opcode group. */
static unsigned int modrm_digit(const struct insn *in)
{
	return X86_MODRM_REG(in->modrm.value);
}

static void decode_sib(struct fi_store *s, const struct insn *in)
{
	u8 sib = in->sib.value, rex = in->rex_prefix.value;
	unsigned int base = X86_SIB_BASE(sib);
	unsigned int index = X86_SIB_INDEX(sib) | (X86_REX_X(rex) ? 8 : 0);

	if (base != 5 || X86_MODRM_MOD(in->modrm.value))
		s->base = reg_offset[base | (X86_REX_B(rex) ? 8 : 0)];
	if (index != 4) {
		s->index = reg_offset[index];
		s->scale = X86_SIB_SCALE(sib);
	}
}

static void decode_address(struct fi_store *s, const struct insn *in, unsigned long ip)
{
	u8 modrm = in->modrm.value;
	unsigned int rm = X86_MODRM_RM(modrm);

	s->disp = in->displacement.value;
	if (rm == 4)
		decode_sib(s, in);
	else if (rm == 5 && !X86_MODRM_MOD(modrm))
		s->disp += ip + in->length;
	else
		s->base = reg_offset[rm | (X86_REX_B(in->rex_prefix.value) ? 8 : 0)];
}

static void decode_shift(struct fi_store *s, const struct insn *in, u8 opcode)
{
	enum fi_emu_op op = FI_EMU_ROL + modrm_digit(in);

	if (opcode < 0xd2) {
		from_imm(s, op, opcode < 0xd0 ? in->immediate.value & 0xff : 1);
		return;
	}
	s->op = op;
	s->from = FI_FROM_REG;
	s->reg = reg_offset[REG_CX];
}

/* Opcode groups 3 (f6, f7), 4 (fe) and 5 (ff). */
static void decode_unary(struct fi_store *s, const struct insn *in, u8 opcode)
{
	unsigned int digit = modrm_digit(in);

	if (opcode >= 0xfe && digit < 2)
		from_imm(s, FI_EMU_INC + digit, 0);
	else if (opcode < 0xfe && (digit == 2 || digit == 3))
		from_imm(s, FI_EMU_NOT + digit - 2, 0);
}

static void decode_pop(struct fi_store *s, const struct insn *in)
{
	if (modrm_digit(in))
		return;
	s->size = has_prefix(in, PREFIX_OPSIZE) ? 2 : 8;
	s->op = FI_EMU_MOV;
	s->from = FI_FROM_STACK;
	/* The address is computed with the stack pointer after the pop. */
	if (s->base == reg_offset[REG_SP])
		s->disp += s->size;
}

static void decode_moffs(struct fi_store *s, const struct insn *in)
{
	s->op = FI_EMU_MOV;
	from_register(s, in, 0);
	s->disp = (u64)(u32)in->moffset2.value << 32 | (u32)in->moffset1.value;
}

static void decode_one_byte(struct fi_store *s, const struct insn *in)
{
	u8 opcode = in->opcode.bytes[0];

	switch (opcode) {
	case 0x00 ... 0x3f:
		if ((opcode & 7) < 2 && opcode < 0x38)
			from_reg(s, in, FI_EMU_ADD + (opcode >> 3));
		break;
	case 0x80: case 0x81: case 0x83:
		if (modrm_digit(in) != 7)
			from_imm(s, FI_EMU_ADD + modrm_digit(in), in->immediate.value);
		break;
	case 0x86: case 0x87:
		from_reg(s, in, FI_EMU_XCHG);
		break;
	case 0x88: case 0x89:
		from_reg(s, in, FI_EMU_MOV);
		break;
	case 0x8f:
		decode_pop(s, in);
		break;
	case 0xa2: case 0xa3:
		decode_moffs(s, in);
		break;
	case 0xc0: case 0xc1: case 0xd0 ... 0xd3:
		decode_shift(s, in, opcode);
		break;
	case 0xc6: case 0xc7:
		if (!modrm_digit(in))
			from_imm(s, FI_EMU_MOV, in->immediate.value);
		break;
	case 0xf6: case 0xf7: case 0xfe: case 0xff:
		decode_unary(s, in, opcode);
		break;
	}
}

/* bts, btr, btc with a register; /5, /6, /7 of 0f ba with an immediate. */
static void decode_bit_reg(struct fi_store *s, const struct insn *in, u8 opcode)
{
	s->size = in->opnd_bytes;
	from_reg(s, in, FI_EMU_BT + (opcode >> 3 & 3));
	s->flags |= FI_STORE_BITS;
}

static void decode_bit_imm(struct fi_store *s, const struct insn *in)
{
	s->size = in->opnd_bytes;
	if (modrm_digit(in) > 4)
		from_imm(s, FI_EMU_BT + modrm_digit(in) - 4,
			 in->immediate.value & (8 * s->size - 1));
}

static void decode_two_byte(struct fi_store *s, const struct insn *in)
{
	u8 opcode = in->opcode.bytes[1];

	switch (opcode) {
	case 0x90 ... 0x9f:
		s->size = 1;
		from_imm(s, FI_EMU_MOV, opcode & 15);
		s->from = FI_FROM_CC;
		break;
	case 0xab: case 0xb3: case 0xbb:
		decode_bit_reg(s, in, opcode);
		break;
	case 0xba:
		decode_bit_imm(s, in);
		break;
	case 0xb0: case 0xb1:
		from_reg(s, in, FI_EMU_CMPXCHG);
		break;
	case 0xc0: case 0xc1:
		from_reg(s, in, FI_EMU_XADD);
		break;
	case 0xc3:
		s->size = in->opnd_bytes;
		from_reg(s, in, FI_EMU_MOV);
		break;
	}
}

/* False: not stos or movs. */
static bool decode_string(struct fi_store *s, const struct insn *in)
{
	u8 opcode = in->opcode.bytes[0];

	if (in->opcode.nbytes != 1 || (opcode & 0xfe) == 0xa2)
		return false;
	if ((opcode & 0xfe) == 0xa4)
		s->op = FI_EMU_MOVS;
	else if ((opcode & 0xfe) == 0xaa)
		s->op = FI_EMU_STOS;
	else
		return false;
	if (has_prefix(in, PREFIX_REP) || has_prefix(in, PREFIX_REPNE))
		s->flags |= FI_STORE_REP;
	/* A segment would be that of the source. */
	if (s->flags & FI_STORE_GS)
		s->op = FI_EMU_NONE;
	return true;
}

static bool is_known_form(const struct insn *in)
{
	return !insn_is_avx((struct insn *)in) && !insn_is_rex2((struct insn *)in) &&
	       in->addr_bytes == 8 && !has_prefix(in, PREFIX_FS);
}

static void decode_operands(struct fi_store *s, const struct insn *in, unsigned long ip)
{
	bool memory = in->modrm.nbytes && X86_MODRM_MOD(in->modrm.value) != 3;
	u8 opcode = in->opcode.bytes[0];

	if (memory)
		decode_address(s, in, ip);
	if (in->opcode.nbytes == 2 && opcode == 0x0f && memory)
		decode_two_byte(s, in);
	else if (in->opcode.nbytes == 1 && (memory || (opcode & 0xfe) == 0xa2))
		decode_one_byte(s, in);
}

/**
 * fi_store_decode - what the instruction at @text stores, and where
 * @s: receives it
 * @ip: its address
 * @text: its bytes
 * @avail: bytes that may be read there
 *
 * Context: any. Return: 0, or -EOPNOTSUPP: not a known store.
 */
int fi_store_decode(struct fi_store *s, unsigned long ip, const void *text, size_t avail)
{
	struct insn in;

	if (insn_decode(&in, text, min_t(size_t, avail, MAX_INSN_SIZE), INSN_MODE_64))
		return -EOPNOTSUPP;
	if (!is_known_form(&in))
		return -EOPNOTSUPP;
	*s = (struct fi_store){
		.op = FI_EMU_NONE,
		/* Bit 0 of most opcodes: bytes, or the operand size. */
		.size = in.opcode.bytes[in.opcode.nbytes - 1] & 1 ? in.opnd_bytes : 1,
		.length = in.length,
		.base = FI_STORE_NOREG,
		.index = FI_STORE_NOREG,
	};
	if (has_prefix(&in, PREFIX_LOCK))
		s->flags |= FI_STORE_LOCK;
	if (has_prefix(&in, PREFIX_GS))
		s->flags |= FI_STORE_GS;
	if (!decode_string(s, &in))
		decode_operands(s, &in, ip);
	return s->op == FI_EMU_NONE ? -EOPNOTSUPP : 0;
}
