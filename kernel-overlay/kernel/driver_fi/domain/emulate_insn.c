// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decodes one instruction that stores to memory, asks whether it may, and does
 * what it does.
 *
 * A read-modify-write is computed on a copy and put in place with cmpxchg, so
 * it is atomic whether it has a lock prefix or not, and so that a store of
 * which only some bits are permitted is refused before any byte has changed.
 * The numbers are those of SDM vol. 2, appendix A.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include <asm/insn.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>
#include "emulate.h"

#define PREFIX_LOCK	0xf0
#define PREFIX_REPNE	0xf2
#define PREFIX_REP	0xf3
#define PREFIX_OPSIZE	0x66

/* Bytes of a rep string instruction that are stored in one go, IRQs off. */
#define STRING_CHUNK	1024

/**
 * struct access - the memory operand and what happens to it
 * @op: what
 * @addr: where
 * @src: other operand, count or bit number
 * @reg: register that exchanges with memory, if @op says so
 */
struct access {
	enum fi_emu_op op;
	unsigned long addr;
	u64 src;
	unsigned int reg;
};

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

static unsigned long *reg_ptr(struct fi_emu *e, unsigned int n)
{
	return (void *)e->regs + reg_offset[n];
}

static u64 size_mask(unsigned int size)
{
	return size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
}

/* Without a REX prefix byte registers 4 to 7 are ah, ch, dh, bh. */
static bool is_high_byte(struct fi_emu *e, unsigned int n, unsigned int size)
{
	return size == 1 && n >= 4 && n < 8 && !e->insn.rex_prefix.nbytes;
}

static u64 reg_read(struct fi_emu *e, unsigned int n, unsigned int size)
{
	if (is_high_byte(e, n, size))
		return *reg_ptr(e, n - 4) >> 8 & 0xff;
	return *reg_ptr(e, n) & size_mask(size);
}

static void reg_write(struct fi_emu *e, unsigned int n, unsigned int size, u64 val)
{
	unsigned long *r = reg_ptr(e, is_high_byte(e, n, size) ? n - 4 : n);
	u64 mask = size_mask(size);

	val &= mask;
	if (is_high_byte(e, n, size))
		*r = (*r & ~0xff00UL) | val << 8;
	else if (size == 4)
		*r = val;	/* upper half becomes 0 */
	else
		*r = (*r & ~mask) | val;
}

static bool has_prefix(struct fi_emu *e, u8 prefix)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(e->insn.prefixes.bytes); i++)
		if (e->insn.prefixes.bytes[i] == prefix)
			return true;
	return false;
}

static unsigned int modrm_reg(struct fi_emu *e)
{
	return X86_MODRM_REG(e->insn.modrm.value) |
	       (X86_REX_R(e->insn.rex_prefix.value) ? 8 : 0);
}

/* The digit that selects an instruction of an opcode group. */
static unsigned int modrm_digit(struct fi_emu *e)
{
	return X86_MODRM_REG(e->insn.modrm.value);
}

/* Base and index of an operand with a SIB byte. */
static unsigned long sib_address(struct fi_emu *e)
{
	u8 sib = e->insn.sib.value, rex = e->insn.rex_prefix.value;
	unsigned int base = X86_SIB_BASE(sib);
	unsigned int index = X86_SIB_INDEX(sib) | (X86_REX_X(rex) ? 8 : 0);
	unsigned long addr = 0;

	if (base != 5 || X86_MODRM_MOD(e->insn.modrm.value))
		addr = *reg_ptr(e, base | (X86_REX_B(rex) ? 8 : 0));
	if (index != 4)
		addr += *reg_ptr(e, index) << X86_SIB_SCALE(sib);
	return addr;
}

static unsigned long segment_base(struct fi_emu *e)
{
	return has_prefix(e, 0x65) ? e->gs_base : 0;
}

static unsigned long modrm_address(struct fi_emu *e)
{
	u8 modrm = e->insn.modrm.value, rex = e->insn.rex_prefix.value;
	unsigned int rm = X86_MODRM_RM(modrm);
	unsigned long addr;

	if (rm == 4)
		addr = sib_address(e);
	else if (rm == 5 && !X86_MODRM_MOD(modrm))
		addr = e->regs->ip + e->insn.length;
	else
		addr = *reg_ptr(e, rm | (X86_REX_B(rex) ? 8 : 0));
	return addr + (long)e->insn.displacement.value + segment_base(e);
}

/*
 * The bit string that a register offset selects from reaches beyond the
 * operand: SDM vol. 2, 3.1.1.9.
 */
static void address_bit(struct fi_emu *e, struct access *a)
{
	unsigned int bits = 8 * e->size;
	s64 bit = a->src;

	if (e->size == 4)
		bit = (s32)bit;
	else if (e->size == 2)
		bit = (s16)bit;
	a->src = bit & (bits - 1);
	a->addr += (bit - (s64)a->src) / 8;
}

static void from_reg(struct fi_emu *e, struct access *a, enum fi_emu_op op)
{
	a->op = op;
	a->reg = modrm_reg(e);
	a->src = reg_read(e, a->reg, e->size);
}

static void from_imm(struct fi_emu *e, struct access *a, enum fi_emu_op op)
{
	a->op = op;
	a->src = (s64)e->insn.immediate.value & size_mask(e->size);
}

static void classify_shift(struct fi_emu *e, struct access *a, u8 opcode)
{
	a->op = FI_EMU_ROL + modrm_digit(e);
	if (opcode < 0xd0)
		a->src = e->insn.immediate.value & 0xff;
	else
		a->src = opcode < 0xd2 ? 1 : e->regs->cx & 0xff;
}

/* Opcode groups 3 (f6, f7), 4 (fe) and 5 (ff). */
static void classify_unary(struct fi_emu *e, struct access *a, u8 opcode)
{
	unsigned int digit = modrm_digit(e);

	if (opcode >= 0xfe && digit < 2)
		a->op = FI_EMU_INC + digit;
	else if (opcode < 0xfe && (digit == 2 || digit == 3))
		a->op = FI_EMU_NOT + digit - 2;
}

static void classify_pop(struct fi_emu *e, struct access *a)
{
	e->size = has_prefix(e, PREFIX_OPSIZE) ? 2 : 8;
	if (modrm_digit(e) || fi_emu_load(e->regs->sp, e->size, &a->src))
		return;
	/* The address is computed with the stack pointer after the pop. */
	e->regs->sp += e->size;
	a->addr = modrm_address(e);
	e->regs->sp -= e->size;
	a->op = FI_EMU_MOV;
}

static void classify_moffs(struct fi_emu *e, struct access *a)
{
	a->op = FI_EMU_MOV;
	a->src = reg_read(e, 0, e->size);
	a->addr = ((u64)(u32)e->insn.moffset2.value << 32 | (u32)e->insn.moffset1.value) +
		  segment_base(e);
}

static void classify_one_byte(struct fi_emu *e, struct access *a)
{
	u8 opcode = e->insn.opcode.bytes[0];

	switch (opcode) {
	case 0x00 ... 0x3f:
		if ((opcode & 7) < 2 && opcode < 0x38)
			from_reg(e, a, FI_EMU_ADD + (opcode >> 3));
		break;
	case 0x80: case 0x81: case 0x83:
		if (modrm_digit(e) != 7)
			from_imm(e, a, FI_EMU_ADD + modrm_digit(e));
		break;
	case 0x86: case 0x87:
		from_reg(e, a, FI_EMU_XCHG);
		break;
	case 0x88: case 0x89:
		from_reg(e, a, FI_EMU_MOV);
		break;
	case 0x8f:
		classify_pop(e, a);
		break;
	case 0xa2: case 0xa3:
		classify_moffs(e, a);
		break;
	case 0xc0: case 0xc1: case 0xd0 ... 0xd3:
		classify_shift(e, a, opcode);
		break;
	case 0xc6: case 0xc7:
		if (!modrm_digit(e))
			from_imm(e, a, FI_EMU_MOV);
		break;
	case 0xf6: case 0xf7: case 0xfe: case 0xff:
		classify_unary(e, a, opcode);
		break;
	}
}

/* bts, btr, btc with a register; /5, /6, /7 of 0f ba with an immediate. */
static void classify_bit(struct fi_emu *e, struct access *a, enum fi_emu_op op, bool imm)
{
	if (imm) {
		a->op = op;
		a->src = e->insn.immediate.value & (8 * e->size - 1);
		return;
	}
	from_reg(e, a, op);
	address_bit(e, a);
}

static void classify_two_byte(struct fi_emu *e, struct access *a)
{
	u8 opcode = e->insn.opcode.bytes[1];

	switch (opcode) {
	case 0x90 ... 0x9f:
		e->size = 1;
		a->op = FI_EMU_MOV;
		a->src = fi_emu_condition(opcode & 15, e->regs->flags);
		break;
	case 0xab: case 0xb3: case 0xbb:
		e->size = e->insn.opnd_bytes;
		classify_bit(e, a, FI_EMU_BT + (opcode >> 3 & 3), false);
		break;
	case 0xba:
		e->size = e->insn.opnd_bytes;
		if (modrm_digit(e) > 4)
			classify_bit(e, a, FI_EMU_BT + modrm_digit(e) - 4, true);
		break;
	case 0xb0: case 0xb1:
		from_reg(e, a, FI_EMU_CMPXCHG);
		break;
	case 0xc0: case 0xc1:
		from_reg(e, a, FI_EMU_XADD);
		break;
	case 0xc3:
		from_reg(e, a, FI_EMU_MOV);
		break;
	}
}

/* The new value of memory; registers and flags go to the copies. */
static u64 compute(struct fi_emu *e, const struct access *a, u64 old, unsigned long *flags)
{
	switch (a->op) {
	case FI_EMU_XADD:
		return fi_emu_exec(FI_EMU_ADD, e->size, old, a->src, flags);
	case FI_EMU_CMPXCHG:
		fi_emu_exec(FI_EMU_CMP, e->size, reg_read(e, 0, e->size), old, flags);
		return *flags & X86_EFLAGS_ZF ? a->src : old;
	default:
		return fi_emu_exec(a->op, e->size, old, a->src, flags);
	}
}

static void write_back(struct fi_emu *e, const struct access *a, u64 old, unsigned long flags)
{
	e->regs->flags = flags;
	if (a->op == FI_EMU_XCHG || a->op == FI_EMU_XADD)
		reg_write(e, a->reg, e->size, old);
	else if (a->op == FI_EMU_CMPXCHG && !(flags & X86_EFLAGS_ZF))
		reg_write(e, 0, e->size, old);
}

static bool crosses_line(unsigned long addr, unsigned int size)
{
	return (addr & 63) + size > 64;
}

/* One attempt. 1 done, 0 not permitted, -EAGAIN memory changed meanwhile. */
static int try_update(struct fi_emu *e, const struct access *a, u64 mask)
{
	unsigned long flags = e->regs->flags;
	u64 old, new;
	int ret;

	ret = fi_emu_load(a->addr, e->size, &old);
	if (ret)
		return ret;
	new = compute(e, a, old, &flags);
	if ((old ^ new) & ~mask & size_mask(e->size))
		return 0;
	if (!crosses_line(a->addr, e->size))
		ret = fi_emu_cmpxchg(a->addr, e->size, old, new);
	else if (has_prefix(e, PREFIX_LOCK) || a->op == FI_EMU_XCHG)
		ret = -EOPNOTSUPP;	/* a split lock, which the CPU may trap */
	else
		ret = fi_emu_store(a->addr, e->size, new);
	if (ret)
		return ret;
	write_back(e, a, old, flags);
	return 1;
}

static int update(struct fi_emu *e, const struct access *a)
{
	u64 mask;
	int ret;

	if (!e->may_store(e->data, a->addr, e->size, &mask))
		return 0;
	if (a->op == FI_EMU_MOV && !(~mask & size_mask(e->size))) {
		ret = fi_emu_store(a->addr, e->size, a->src);
		return ret ? ret : 1;
	}
	do {
		ret = try_update(e, a, mask);
	} while (ret == -EAGAIN);
	return ret;
}

/* One element of movs or stos. */
static int string_step(struct fi_emu *e, bool movs)
{
	struct access a = { .op = FI_EMU_MOV, .addr = e->regs->di };
	int ret;

	a.src = reg_read(e, 0, e->size);
	if (movs && fi_emu_load(e->regs->si, e->size, &a.src))
		return -EFAULT;
	ret = update(e, &a);
	if (ret <= 0)
		return ret;
	e->regs->di += e->size;
	if (movs)
		e->regs->si += e->size;
	return 1;
}

/*
 * Stops after a chunk with the registers saying how far it is, as when an
 * interrupt comes: the CPU goes on from there.
 */
static int string_store(struct fi_emu *e)
{
	bool movs = e->insn.opcode.bytes[0] < 0xa6;
	bool rep = has_prefix(e, PREFIX_REP) || has_prefix(e, PREFIX_REPNE);
	unsigned int n;
	int ret;

	if (e->regs->flags & X86_EFLAGS_DF || has_prefix(e, 0x65))
		return -EOPNOTSUPP;
	for (n = 0; !rep || e->regs->cx; n += e->size) {
		if (n >= STRING_CHUNK)
			return 1;
		ret = string_step(e, movs);
		if (ret <= 0)
			return ret;
		if (!rep)
			break;
		e->regs->cx--;
	}
	e->regs->ip += e->insn.length;
	return 1;
}

static bool is_string_store(struct fi_emu *e)
{
	u8 opcode = e->insn.opcode.bytes[0];

	return e->insn.opcode.nbytes == 1 &&
	       (opcode == 0xa4 || opcode == 0xa5 || opcode == 0xaa || opcode == 0xab);
}

static bool is_known_form(struct fi_emu *e)
{
	return !insn_is_avx(&e->insn) && !insn_is_rex2(&e->insn) &&
	       e->insn.addr_bytes == 8 && !has_prefix(e, 0x64);
}

static void classify(struct fi_emu *e, struct access *a)
{
	bool memory = e->insn.modrm.nbytes && X86_MODRM_MOD(e->insn.modrm.value) != 3;

	if (memory)
		a->addr = modrm_address(e);
	if (e->insn.opcode.nbytes == 2 && e->insn.opcode.bytes[0] == 0x0f && memory)
		classify_two_byte(e, a);
	else if (e->insn.opcode.nbytes == 1 &&
		 (memory || (e->insn.opcode.bytes[0] & 0xfe) == 0xa2))
		classify_one_byte(e, a);
}

/**
 * fi_emu_run - carries out the store instruction at @text
 * @e: its registers and who to ask for permission
 * @text: the instruction as @e->regs->ip sees it
 * @avail: bytes that may be read there
 *
 * Registers, flags and memory change as the instruction changes them, and the
 * instruction pointer moves past it; for a rep string instruction it may stay,
 * with the count register lower.
 *
 * Context: any, IRQs off if the instruction may use gs.
 * Return: 1 done; 0 not permitted; -EOPNOTSUPP not a known store; -EFAULT an
 * operand is not mapped. Unless it is 1, nothing but earlier elements of a
 * string has changed.
 */
int fi_emu_run(struct fi_emu *e, const void *text, size_t avail)
{
	struct access a = { .op = FI_EMU_NONE };
	int ret;

	if (insn_decode(&e->insn, text, min_t(size_t, avail, MAX_INSN_SIZE), INSN_MODE_64))
		return -EOPNOTSUPP;
	if (!is_known_form(e))
		return -EOPNOTSUPP;
	/* Bit 0 of most opcodes: bytes, or the operand size. */
	e->size = e->insn.opcode.bytes[e->insn.opcode.nbytes - 1] & 1 ?
		  e->insn.opnd_bytes : 1;
	if (is_string_store(e))
		return string_store(e);
	if (e->insn.opcode.bytes[1] == 0xc3)
		e->size = e->insn.opnd_bytes;
	classify(e, &a);
	if (a.op == FI_EMU_NONE)
		return -EOPNOTSUPP;
	ret = update(e, &a);
	if (ret <= 0)
		return ret;
	if (e->insn.opcode.bytes[0] == 0x8f)
		e->regs->sp += e->size;
	e->regs->ip += e->insn.length;
	return 1;
}
