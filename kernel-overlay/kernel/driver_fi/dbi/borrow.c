// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 4b: a register for the checks of a loop in which every register is live.
 *
 * A callee-saved register that the function never names keeps its caller's value all the
 * way through; to push and pop it around each check of a loop costs more than the check.
 * It is saved once on entry, in the shadow stack's word below the return address, and
 * restored where the function is left. No callee's return address goes to that word: a
 * call is made with at least a word of frame in between, or there is no borrowing.
 */

#include "internal.h"

#define CANDIDATES	(FI_REG(FI_RBX) | FI_REG(FI_R12) | FI_REG(FI_R13) | \
			 FI_REG(FI_R14) | FI_REG(FI_R15))

/* Is there any? */
static bool mark_loops(struct fi_group *g)
{
	bool any = false;
	u32 i, k, n;

	/* blocks stand in address order: what a branch back spans is in the loop */
	for (i = 0; i < g->nr_blocks; i++) {
		for (k = 0; k < 2; k++) {
			u32 to = g->block[i].succ[k];

			if (!to || to - 1 > i)
				continue;
			for (n = to - 1; n <= i; n++)
				g->block[n].in_loop = true;
			any = true;
		}
	}
	return any;
}

static bool starved(const struct fi_group *g, const struct fi_insn *in)
{
	u16 busy = in->live | in->use | in->wr | FI_REG(FI_RSP);

	if (in->store != FI_S_PLAIN && in->store != FI_S_BITREG)
		return false;
	return in->mem.base != FI_RSP && busy == FI_ALL_REGS &&
	       g->block[in->block].in_loop;
}

/* What would leave the function, or the saved word, without a restore. */
static bool forbids(const struct fi_insn *in)
{
	switch (in->kind) {
	case FI_I_CALL:
	case FI_I_ICALL:
		return in->depth == FI_DEPTH_NONE || in->depth < 8;
	case FI_I_JCC:
		return in->tail && in->scall;
	default:
		return false;
	}
}

/* Chooses and, from then on, calls the register dead everywhere. */
void fi_borrow(struct fi_group *g)
{
	const struct fi_dbi_config *cfg = g->u->cfg;
	u16 named = 0;
	bool want = false;
	u32 i;
	u8 r;

	g->borrowed = FI_NOREG;
	if (!g->abi || !cfg->ret_check || cfg->checks == FI_DBI_NONE || !mark_loops(g))
		return;
	for (i = 0; i < g->nr_insns; i++) {
		const struct fi_insn *in = &g->insn[i];

		if (forbids(in))
			return;
		named |= in->use | in->wr;
		want |= starved(g, in);
	}
	for (r = 0; want && r < FI_NR_REGS; r++)
		if (CANDIDATES & ~named & FI_REG(r))
			g->borrowed = r;
	if (g->borrowed == FI_NOREG)
		return;
	g->u->stats.borrowed++;
	for (i = 0; i < g->nr_insns; i++)
		g->insn[i].live &= ~FI_REG(g->borrowed);
	for (i = 0; i < g->nr_blocks; i++)
		g->block[i].live_in &= ~FI_REG(g->borrowed);
}
