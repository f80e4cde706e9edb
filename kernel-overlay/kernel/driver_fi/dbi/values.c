// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 1, continued: where the value of an immediate or a displacement tells what an
 * instruction does: how far rsp moves, by how much a pointer grows.
 */

#include "decode.h"
#include "internal.h"

static bool rsp_to_rbp(const struct fi_decoder *s)
{
	return (s->in.mnemonic == ZYDIS_MNEMONIC_MOV &&
		s->op[0].reg.value == ZYDIS_REGISTER_RBP &&
		s->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		s->op[1].reg.value == ZYDIS_REGISTER_RSP);
}

/* What the instruction does to rsp, as far as frames can follow it. */
void fi_decode_sp(const struct fi_decoder *s, struct fi_insn *in)
{
	const ZydisDecodedOperand *a = &s->op[0], *b = &s->op[1];
	u64 imm = b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? b->imm.value.u : 0;
	bool reg = a->type == ZYDIS_OPERAND_TYPE_REGISTER;

	if (reg && rsp_to_rbp(s)) {
		in->spop = FI_SP_TO_RBP;
		return;
	}
	if (!(in->def & FI_REG(FI_RSP)) || in->kind == FI_I_CALL ||
	    in->kind == FI_I_ICALL || in->kind == FI_I_RET)
		return;
	in->spop = FI_SP_OTHER;
	switch (s->in.mnemonic) {
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_PUSHFQ:
		in->spop = s->in.operand_width == 16 ? FI_SP_OTHER : FI_SP_ADD;
		in->spill_imm = -8;
		break;
	case ZYDIS_MNEMONIC_POP:
	case ZYDIS_MNEMONIC_POPFQ:
		if (s->in.operand_width == 16 ||
		    (reg && a->reg.value == ZYDIS_REGISTER_RSP))
			break;
		in->spop = FI_SP_ADD;
		in->spill_imm = 8;
		break;
	case ZYDIS_MNEMONIC_LEAVE:
		in->spop = FI_SP_FROM_RBP;
		in->spill_imm = 8;
		break;
	case ZYDIS_MNEMONIC_MOV:
		if (b->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    b->reg.value == ZYDIS_REGISTER_RBP)
			in->spop = FI_SP_FROM_RBP;
		break;
	case ZYDIS_MNEMONIC_LEA:
		if (a->reg.value != ZYDIS_REGISTER_RSP ||
		    b->mem.index != ZYDIS_REGISTER_NONE)
			break;
		in->spill_imm = b->mem.disp.value;
		if (b->mem.base == ZYDIS_REGISTER_RSP)
			in->spop = FI_SP_ADD;
		else if (b->mem.base == ZYDIS_REGISTER_RBP)
			in->spop = FI_SP_FROM_RBP;
		break;
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_AND:
		if (b->type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
		    a->reg.value != ZYDIS_REGISTER_RSP)
			break;
		if (s->in.mnemonic == ZYDIS_MNEMONIC_AND) {
			if ((s64)imm < 0 && (s64)imm >= -4096)
				in->spop = FI_SP_ALIGN;
			break;
		}
		in->spop = FI_SP_ADD;
		in->spill_imm = s->in.mnemonic == ZYDIS_MNEMONIC_ADD ?
				(s32)imm : -(s32)imm;
		break;
	default:
		break;
	}
}

/* add $n, inc, lea n(%r),%r: a pointer that only goes up, by less than 256 */
void fi_decode_growth(const struct fi_decoder *s, struct fi_insn *in)
{
	const ZydisDecodedOperand *a = &s->op[0], *b = &s->op[1];
	s64 by = 0;

	if (a->type != ZYDIS_OPERAND_TYPE_REGISTER || s->in.operand_width != 64)
		return;
	switch (s->in.mnemonic) {
	case ZYDIS_MNEMONIC_INC:
		by = 1;
		break;
	case ZYDIS_MNEMONIC_ADD:
		if (b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			by = b->imm.value.s;
		break;
	case ZYDIS_MNEMONIC_SUB:
		if (b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			by = -(u64)b->imm.value.s;
		break;
	case ZYDIS_MNEMONIC_LEA:
		if (b->mem.base == a->reg.value &&
		    b->mem.index == ZYDIS_REGISTER_NONE)
			by = b->mem.disp.value;
		break;
	default:
		break;
	}
	in->grows = by > 0 && by < 256 ? by : 0;
}

bool fi_decode_by_value(const struct fi_decoder *s)
{
	const ZydisDecodedOperand *a = &s->op[0], *b = &s->op[1];

	switch (s->in.mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_AND:
		return a->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		       b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTC:
		/* which byte of the operand */
		return b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
	case ZYDIS_MNEMONIC_LEA:
		return a->reg.value == ZYDIS_REGISTER_RSP ||
		       a->reg.value == b->mem.base;
	default:
		return fi_decode_is_shift(s->in.mnemonic);
	}
}
