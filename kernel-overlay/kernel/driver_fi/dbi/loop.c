// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 5b: checks in a block that branches to itself, where the address only grows.
 *
 * A register that is dead in the whole block holds a limit: as long as the counting
 * register is not above it (signed), the store is permitted. Above it, a quadword of the
 * permission map tells about the next 57 bytes and moves the limit; near the edge of an
 * object the slow path does so. On entry to the loop the limit is the smallest number.
 * One compare and a branch take the place of the check, and the map is read once for
 * several rounds. A block has no call in between, so no right is taken away meanwhile by
 * the driver's own doing.
 */

#include "internal.h"

static bool is_self_loop(const struct fi_block *b, u32 index)
{
	return b->succ[0] == index + 1 || b->succ[1] == index + 1;
}

static u16 writes_of(const struct fi_group *g, const struct fi_block *b)
{
	u16 w = 0;
	u32 i;

	for (i = b->first; i <= b->last; i++)
		w |= g->insn[i].wr;
	return w;
}

/* By how much @reg grows in a round, if it does nothing else; 0: it does. */
static u64 growth(const struct fi_group *g, const struct fi_block *b, u8 reg)
{
	u64 sum = 0;
	u32 i;

	for (i = b->first; i <= b->last; i++) {
		if (!(g->insn[i].wr & FI_REG(reg)))
			continue;
		if (!g->insn[i].grows)
			return 0;
		sum += g->insn[i].grows;
	}
	return sum;
}

/* The one register of the operand that changes in the loop, or FI_NOREG. */
static u8 counter_of(const struct fi_group *g, const struct fi_block *b,
		     const struct fi_check *c, u8 *step)
{
	const struct fi_mem *m = &c->mem;
	u16 w = writes_of(g, b);
	bool base = m->base != FI_NOREG && (w & FI_REG(m->base));
	bool index = m->index != FI_NOREG && (w & FI_REG(m->index));
	u64 n;
	u8 reg;

	if (base == index)
		return FI_NOREG;	/* none, or both */
	if (m->base == m->index)
		return FI_NOREG;
	reg = base ? m->base : m->index;
	*step = base ? 1 : m->scale;
	n = growth(g, b, reg) * *step;
	/* not worth it below three rounds for one look */
	return reg != FI_RSP && n && 2 * n + c->size <= MAX_ONE_COMPARE ?
	       reg : FI_NOREG;
}

/* A register that nothing in the block and nothing after it wants. */
static u8 free_register(const struct fi_group *g, const struct fi_block *b)
{
	u16 busy = FI_REG(FI_RSP) | b->limits;
	u8 r;
	u32 i;

	for (i = b->first; i <= b->last; i++)
		busy |= g->insn[i].live | g->insn[i].wr | g->insn[i].use;
	for (i = 0; i < ARRAY_SIZE(b->succ); i++)
		if (b->succ[i])
			busy |= g->block[b->succ[i] - 1].live_in;
	for (r = 0; r < FI_NR_REGS; r++)
		if (!(busy & FI_REG(r)))
			return r;
	return FI_NOREG;
}

static bool simple_block(const struct fi_group *g, const struct fi_block *b)
{
	u32 i;

	for (i = b->first; i <= b->last; i++) {
		const struct fi_insn *in = &g->insn[i];

		if (in->extable || in->label || in->tail ||
		    (in->kind != FI_I_PLAIN && in->kind != FI_I_NOP &&
		     in->kind != FI_I_JCC && in->kind != FI_I_JMP))
			return false;
	}
	return !b->exits;
}

void fi_loop_plan(struct fi_group *g, u32 block, u32 first_check)
{
	struct fi_block *b = &g->block[block];
	u32 i, k;

	if (g->u->cfg->checks != FI_DBI_BYTE || !is_self_loop(b, block) ||
	    !simple_block(g, b))
		return;
	for (i = first_check; i < g->nr_checks; i++) {
		struct fi_check *c = &g->check[i];
		u8 step = 0, ctl, limit;

		if (c->kind != FI_C_STORE || c->load)
			continue;
		ctl = counter_of(g, b, c, &step);
		limit = ctl == FI_NOREG ? FI_NOREG : free_register(g, b);
		if (limit == FI_NOREG)
			continue;
		c->kind = FI_C_LOOP;
		c->ctl = ctl;
		c->limit = limit;
		c->step = step;
		b->limits |= FI_REG(limit);
		for (k = b->first; k <= b->last; k++)
			g->insn[k].live |= FI_REG(limit);
	}
}
