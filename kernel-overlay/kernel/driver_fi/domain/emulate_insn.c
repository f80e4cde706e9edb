// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carries out one decoded store: asks whether it may, and does what it does.
 *
 * A read-modify-write is computed on a copy and put in place with cmpxchg, so
 * it is atomic whether it has a lock prefix or not, and so that a store of
 * which only some bits are permitted is refused before any byte has changed.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/types.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>
#include "emulate.h"

/* Elements of a string that are asked for one by one, IRQs off. */
#define STRING_SINGLY	128

/**
 * struct access - the memory operand and what happens to it
 * @addr: where
 * @src: other operand, count or bit number
 */
struct access {
	unsigned long addr;
	u64 src;
};

static u64 size_mask(unsigned int size)
{
	return size == 8 ? ~0ULL : (1ULL << 8 * size) - 1;
}

static unsigned long reg_value(const struct fi_emu *e, u8 off)
{
	return *(unsigned long *)((void *)e->regs + off);
}

static u64 reg_read(const struct fi_emu *e, u8 off, unsigned int size)
{
	void *r = (void *)e->regs + off;

	switch (size) {
	case 1:
		return *(u8 *)r;
	case 2:
		return *(u16 *)r;
	case 4:
		return *(u32 *)r;
	default:
		return *(u64 *)r;
	}
}

static void reg_write(struct fi_emu *e, u8 off, unsigned int size, u64 val)
{
	void *r = (void *)e->regs + off;

	switch (size) {
	case 1:
		*(u8 *)r = val;
		break;
	case 2:
		*(u16 *)r = val;
		break;
	case 4:
		val = (u32)val;		/* upper half becomes 0 */
		fallthrough;
	default:
		*(u64 *)r = val;
	}
}

static unsigned long address(const struct fi_store *s, const struct fi_emu *e)
{
	unsigned long addr = s->disp;

	if (s->base != FI_STORE_NOREG)
		addr += reg_value(e, s->base);
	if (s->index != FI_STORE_NOREG)
		addr += reg_value(e, s->index) << s->scale;
	if (s->flags & FI_STORE_GS)
		addr += e->gs_base;
	return addr;
}

/*
 * The bit string that a register offset selects from reaches beyond the
 * operand: SDM vol. 2, 3.1.1.9.
 */
static void address_bit(const struct fi_store *s, struct access *a)
{
	unsigned int bits = 8 * s->size;
	s64 bit = a->src;

	if (s->size == 4)
		bit = (s32)bit;
	else if (s->size == 2)
		bit = (s16)bit;
	a->src = bit & (bits - 1);
	a->addr += (bit - (s64)a->src) / 8;
}

static int fetch(const struct fi_store *s, struct fi_emu *e, struct access *a)
{
	a->addr = address(s, e);
	switch ((enum fi_store_from)s->from) {
	case FI_FROM_REG:
		a->src = reg_read(e, s->reg, s->size);
		if (s->flags & FI_STORE_BITS)
			address_bit(s, a);
		return 0;
	case FI_FROM_IMM:
		a->src = s->imm & size_mask(s->size);
		return 0;
	case FI_FROM_CC:
		a->src = fi_emu_condition(s->imm, e->regs->flags);
		return 0;
	case FI_FROM_STACK:
		return fi_emu_load(e->regs->sp, s->size, &a->src);
	}
	return -EOPNOTSUPP;
}

/* The new value of memory; flags go to the copy. */
static u64 compute(const struct fi_store *s, const struct fi_emu *e, u64 src, u64 old,
		   unsigned long *flags)
{
	u8 ax = offsetof(struct pt_regs, ax);

	switch (s->op) {
	case FI_EMU_XADD:
		return fi_emu_exec(FI_EMU_ADD, s->size, old, src, flags);
	case FI_EMU_CMPXCHG:
		fi_emu_exec(FI_EMU_CMP, s->size, reg_read(e, ax, s->size), old, flags);
		return *flags & X86_EFLAGS_ZF ? src : old;
	default:
		return fi_emu_exec(s->op, s->size, old, src, flags);
	}
}

static void write_back(const struct fi_store *s, struct fi_emu *e, u64 old,
		       unsigned long flags)
{
	e->regs->flags = flags;
	if (s->op == FI_EMU_XCHG || s->op == FI_EMU_XADD)
		reg_write(e, s->reg, s->size, old);
	else if (s->op == FI_EMU_CMPXCHG && !(flags & X86_EFLAGS_ZF))
		reg_write(e, offsetof(struct pt_regs, ax), s->size, old);
}

static bool crosses_line(unsigned long addr, unsigned int size)
{
	return (addr & 63) + size > 64;
}

/* One attempt. 1 done, 0 not permitted, -EAGAIN memory changed meanwhile. */
static int try_update(const struct fi_store *s, struct fi_emu *e,
		      const struct access *a, u64 mask)
{
	unsigned long flags = e->regs->flags;
	u64 old, new;
	int ret;

	ret = fi_emu_load(a->addr, s->size, &old);
	if (ret)
		return ret;
	new = compute(s, e, a->src, old, &flags);
	if ((old ^ new) & ~mask & size_mask(s->size))
		return 0;
	if (!crosses_line(a->addr, s->size))
		ret = fi_emu_cmpxchg(a->addr, s->size, old, new);
	else if (s->flags & FI_STORE_LOCK || s->op == FI_EMU_XCHG)
		ret = -EOPNOTSUPP;	/* a split lock, which the CPU may trap */
	else
		ret = fi_emu_store(a->addr, s->size, new);
	if (ret)
		return ret;
	write_back(s, e, old, flags);
	return 1;
}

static int store_value(const struct fi_store *s, struct fi_emu *e,
		       const struct access *a)
{
	bool plain = s->op >= FI_EMU_STOS || s->op == FI_EMU_MOV;
	u64 mask;
	int ret;

	if (!e->may_store(e->data, a->addr, s->size, &mask))
		return 0;
	if (plain && !(~mask & size_mask(s->size))) {
		ret = fi_emu_store(a->addr, s->size, a->src);
		return ret ? ret : 1;
	}
	do {
		ret = try_update(s, e, a, mask);
	} while (ret == -EAGAIN);
	return ret;
}

/* @n elements of a string are done. */
static void string_advance(const struct fi_store *s, struct fi_emu *e, size_t n)
{
	e->regs->di += n * s->size;
	if (s->op == FI_EMU_MOVS)
		e->regs->si += n * s->size;
	if (s->flags & FI_STORE_REP)
		e->regs->cx -= n;
}

/* One element of movs or stos. */
static int string_step(const struct fi_store *s, struct fi_emu *e)
{
	struct access a = { .addr = e->regs->di };
	int ret;

	a.src = reg_read(e, offsetof(struct pt_regs, ax), s->size);
	if (s->op == FI_EMU_MOVS && fi_emu_load(e->regs->si, s->size, &a.src))
		return -EFAULT;
	ret = store_value(s, e, &a);
	if (ret > 0)
		string_advance(s, e, 1);
	return ret;
}

/*
 * As many elements as lie in this page, if all of it is permitted and no
 * element depends on one before: how many were done. The rest goes singly, and
 * so does what stands across two pages.
 */
static size_t string_page(const struct fi_store *s, struct fi_emu *e, size_t left)
{
	unsigned long to = e->regs->di, from = e->regs->si;
	size_t n = min(left, (PAGE_SIZE - offset_in_page(to)) / s->size);
	size_t len = n * s->size, done;
	u64 mask;

	if (len <= 8 || !e->may_store(e->data, to, len, &mask) || mask != ~0ULL)
		return 0;
	/* Repeats what it has just stored. */
	if (s->op == FI_EMU_MOVS && from < to && to - from < len)
		return 0;
	if (s->op == FI_EMU_STOS)
		done = fi_emu_fill(to, s->size, e->regs->ax, len);
	else
		done = fi_emu_copy(to, from, len);
	done /= s->size;
	string_advance(s, e, done);
	return done;
}

/*
 * Stops after a page or a chunk with the registers saying how far it is, as
 * when an interrupt comes: the CPU goes on from there.
 */
static int string_store(const struct fi_store *s, struct fi_emu *e)
{
	size_t n = s->flags & FI_STORE_REP ? e->regs->cx : 1;
	size_t done;
	int ret;

	if (e->regs->flags & X86_EFLAGS_DF)
		return -EOPNOTSUPP;
	done = n ? string_page(s, e, n) : 0;
	if (done)
		goto out;
	for (; done < n && done < STRING_SINGLY; done++) {
		ret = string_step(s, e);
		if (ret <= 0)
			return ret;
	}
out:
	if (done == n)
		e->regs->ip += s->length;
	return 1;
}

/**
 * fi_store_run - carries out a store
 * @s: the instruction at @e->regs->ip
 * @e: its registers and who to ask for permission
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
int fi_store_run(const struct fi_store *s, struct fi_emu *e)
{
	struct access a;
	int ret;

	if (s->op >= FI_EMU_STOS)
		return string_store(s, e);
	ret = fetch(s, e, &a);
	if (ret)
		return ret;
	ret = store_value(s, e, &a);
	if (ret <= 0)
		return ret;
	if (s->from == FI_FROM_STACK)
		e->regs->sp += s->size;
	e->regs->ip += s->length;
	return 1;
}

/* Decodes the instruction at @text and carries it out: see fi_store_run(). */
int fi_emu_run(struct fi_emu *e, const void *text, size_t avail)
{
	struct fi_store s;
	int ret = fi_store_decode(&s, e->regs->ip, text, avail);

	return ret ? ret : fi_store_run(&s, e);
}
