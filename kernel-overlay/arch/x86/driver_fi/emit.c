// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64 byte emitters: a length or a refusal, no policy.
 */

#include "emit.h"

#define REX	0x40
#define REX_W	0x08
#define REX_R	0x04
#define REX_X	0x02
#define REX_B	0x01

static u32 put_opcode(u8 *p, u32 op, u8 rex)
{
	u32 n = 0;

	if (op & FI_OP_16)
		p[n++] = 0x66;
	if (op & FI_OP_W)
		rex |= REX | REX_W;
	if (op & FI_OP_8)
		rex |= REX;
	if (rex)
		p[n++] = REX | rex;
	if (op & FI_OP_0F)
		p[n++] = 0x0f;
	p[n++] = op;
	return n;
}

static u32 scale_bits(u8 scale)
{
	return scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0;
}

/* ModRM, SIB and displacement. */
static u32 put_modrm(u8 *p, u8 reg, const struct fi_emit_mem *m)
{
	u8 r = (reg & 7) << 3;
	u32 n = 0;
	u8 mod;

	if (m->rip) {
		p[n++] = r | 5;
		return n + fi_emit_imm(p + n, 0, 4);
	}
	if (m->base == FI_EMIT_NOREG) {
		p[n++] = r | 4;
		p[n++] = scale_bits(m->scale) << 6 |
			 (m->index == FI_EMIT_NOREG ? 4 : m->index & 7) << 3 | 5;
		return n + fi_emit_imm(p + n, (u32)m->disp, 4);
	}
	mod = !m->disp && (m->base & 7) != 5 ? 0 :
	      m->disp >= -128 && m->disp <= 127 ? 1 : 2;
	if (m->index == FI_EMIT_NOREG && (m->base & 7) != 4) {
		p[n++] = mod << 6 | r | (m->base & 7);
	} else {
		p[n++] = mod << 6 | r | 4;
		p[n++] = scale_bits(m->scale) << 6 |
			 (m->index == FI_EMIT_NOREG ? 4 : m->index & 7) << 3 |
			 (m->base & 7);
	}
	if (mod)
		n += fi_emit_imm(p + n, (u32)m->disp, mod == 1 ? 1 : 4);
	return n;
}

static u8 mem_rex(const struct fi_emit_mem *m)
{
	u8 rex = 0;

	if (!m->rip && m->base != FI_EMIT_NOREG && m->base >= 8)
		rex |= REX_B;
	if (!m->rip && m->index != FI_EMIT_NOREG && m->index >= 8)
		rex |= REX_X;
	return rex;
}

u32 fi_emit_imm(u8 *p, u64 v, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		p[i] = v >> (8 * i);
	return n;
}

u32 fi_emit_mem_op(u8 *p, u32 op, u8 reg, const struct fi_emit_mem *m)
{
	u32 n = put_opcode(p, op, mem_rex(m) | (reg >= 8 ? REX_R : 0));

	return n + put_modrm(p + n, reg, m);
}

u32 fi_emit_reg_op(u8 *p, u32 op, u8 reg, u8 rm)
{
	u32 n = put_opcode(p, op, (reg >= 8 ? REX_R : 0) | (rm >= 8 ? REX_B : 0));

	p[n++] = 0xc0 | (reg & 7) << 3 | (rm & 7);
	return n;
}

u32 fi_emit_push(u8 *p, u8 reg)
{
	u32 n = put_opcode(p, 0x50 | (reg & 7), reg >= 8 ? REX_B : 0);

	return n;
}

u32 fi_emit_pop(u8 *p, u8 reg)
{
	return put_opcode(p, 0x58 | (reg & 7), reg >= 8 ? REX_B : 0);
}

u32 fi_emit_push_imm(u8 *p, s32 imm)
{
	p[0] = 0x68;
	return 1 + fi_emit_imm(p + 1, (u32)imm, 4);
}

u32 fi_emit_mov_imm64(u8 *p, u8 reg, u64 v)
{
	u32 n = put_opcode(p, FI_OP_W | 0xb8 | (reg & 7), reg >= 8 ? REX_B : 0);

	return n + fi_emit_imm(p + n, v, 8);
}

u32 fi_emit_shift(u8 *p, u8 ext, u8 reg, u8 count)
{
	u32 n = fi_emit_reg_op(p, FI_OP_W | 0xc1, ext, reg);

	p[n++] = count;
	return n;
}

u32 fi_emit_alu_imm(u8 *p, u8 ext, u8 reg, s32 imm)
{
	bool byte = imm >= -128 && imm <= 127;
	u32 n = fi_emit_reg_op(p, FI_OP_W | (byte ? 0x83 : 0x81), ext, reg);

	return n + fi_emit_imm(p + n, (u32)imm, byte ? 1 : 4);
}

u32 fi_emit_btc(u8 *p, u8 reg, u8 bit)
{
	u32 n = fi_emit_reg_op(p, FI_OP_W | FI_OP_0F | 0xba, 7, reg);

	p[n++] = bit;
	return n;
}

u32 fi_emit_nops(u8 *p, u32 n)
{
	static const u8 nop[9][9] = {
		{ 0x90 },
		{ 0x66, 0x90 },
		{ 0x0f, 0x1f, 0x00 },
		{ 0x0f, 0x1f, 0x40, 0x00 },
		{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
		{ 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	};
	u32 left = n;

	while (left) {
		u32 k = left < 9 ? left : 9;

		memcpy(p, nop[k - 1], k);
		p += k;
		left -= k;
	}
	return n;
}

u32 fi_emit_cmp_ones(u8 *p, u32 size, u8 reg, s32 disp)
{
	struct fi_emit_mem m = {
		.base = reg, .index = FI_EMIT_NOREG, .disp = disp,
	};
	u32 op = size == 1 ? 0x80 : size == 2 ? 0x83 | FI_OP_16 :
		 size == 4 ? 0x83 : 0x83 | FI_OP_W;
	u32 n = fi_emit_mem_op(p, op, 7, &m);

	p[n++] = 0xff;
	return n;
}

static u32 redirect_vex(u8 *p, const u8 *src, u32 rex, u8 reg)
{
	u32 n = rex - 1, from = rex - 1;

	memcpy(p, src, n);
	if (src[from] == 0xc5) {
		/* two-byte form has no B: widen */
		p[n++] = 0xc4;
		p[n++] = (src[from + 1] & 0x80) | 0x40 | (reg >= 8 ? 0 : 0x20) | 1;
		p[n++] = src[from + 1] & 0x7f;
	} else {
		p[n++] = 0xc4;
		p[n++] = (src[from + 1] & 0x9f) | 0x40 | (reg >= 8 ? 0 : 0x20);
		p[n++] = src[from + 2];
	}
	return n;
}

u32 fi_emit_redirect(u8 *p, const u8 *src, u32 len, bool vex, u32 rex,
		     u32 modrm, u32 imm_len, u8 reg, s32 disp)
{
	struct fi_emit_mem m = {
		.base = reg, .index = FI_EMIT_NOREG, .disp = disp,
	};
	u32 n, skip;

	if (!modrm || imm_len > len || modrm >= len)
		return 0;
	if (vex) {
		if (!rex)
			return 0;
		n = redirect_vex(p, src, rex, reg);
		skip = rex - 1 + (src[rex - 1] == 0xc5 ? 2 : 3);
	} else {
		u8 old = rex ? src[rex - 1] : 0;
		u8 new = (old & ~(REX_X | REX_B)) | (reg >= 8 ? REX | REX_B : 0);

		/* legacy prefixes end where REX stands or the opcode starts */
		n = 0;
		while (n < len && (!rex || n < rex - 1) &&
		       (src[n] == 0x66 || src[n] == 0xf0 || src[n] == 0xf2 ||
			src[n] == 0xf3 || src[n] == 0x2e || src[n] == 0x3e ||
			src[n] == 0x26 || src[n] == 0x36)) {
			p[n] = src[n];
			n++;
		}
		skip = rex ? rex : n;
		if (new)
			p[n++] = new;
	}
	if (skip > modrm)
		return 0;
	memcpy(p + n, src + skip, modrm - skip);
	n += modrm - skip;
	n += put_modrm(p + n, src[modrm] >> 3 & 7, &m);
	memcpy(p + n, src + len - imm_len, imm_len);
	n += imm_len;
	return n <= FI_EMIT_MAX ? n : 0;
}
