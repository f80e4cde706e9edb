// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 4: how much of the function's own frame lies above rsp, at least.
 *
 * A lower bound suffices: a store at rsp + d of n bytes with d >= 0 and d + n within
 * the bound cannot leave the frame. Where paths meet the smaller bound holds, so the
 * values only fall and the iteration ends.
 */

#include "internal.h"

#define MAX_DEPTH	0x100000	/* no frame is that large */

struct frame {
	s32 depth;	/* FI_DEPTH_NONE: unknown */
	s32 rbp;	/* bytes of the frame above rbp, or FI_DEPTH_NONE */
};

/* @depth less @by, which a hostile immediate may make anything. */
static s32 rise(s32 depth, s32 by)
{
	s64 d = (s64)depth - by;

	return depth == FI_DEPTH_NONE || d < 0 || d > MAX_DEPTH ? FI_DEPTH_NONE : d;
}

static void step(const struct fi_insn *in, struct frame *f)
{
	s32 rbp = f->rbp;

	/* a call keeps rsp, and rbp by the ABI; a broken callee shows at ret */
	if (in->def & FI_REG(FI_RBP))
		f->rbp = FI_DEPTH_NONE;
	switch (in->spop) {
	case FI_SP_ADD:
		f->depth = rise(f->depth, in->spill_imm);
		break;
	case FI_SP_TO_RBP:
		f->rbp = f->depth;
		return;
	case FI_SP_FROM_RBP:
		f->depth = rise(rbp, in->spill_imm);
		break;
	case FI_SP_OTHER:
		f->depth = FI_DEPTH_NONE;
		break;
	default:
		break;
	}
	/* rbp was saved: what it points to stays the caller's business */
	if (f->rbp != FI_DEPTH_NONE && f->depth == FI_DEPTH_NONE)
		f->rbp = FI_DEPTH_NONE;
}

static bool meet(s32 *into, s32 v)
{
	if (*into == v || *into == FI_DEPTH_NONE)
		return false;
	if (*into != FI_DEPTH_TOP && v != FI_DEPTH_NONE && v >= *into)
		return false;
	*into = v;
	return true;
}

/* A pointer to a different depth is a different rbp: unknown, not smaller. */
static bool meet_rbp(s32 *into, s32 v)
{
	if (*into == v)
		return false;
	if (*into == FI_DEPTH_TOP) {
		*into = v;
		return true;
	}
	if (*into == FI_DEPTH_NONE)
		return false;
	*into = FI_DEPTH_NONE;
	return true;
}

static struct frame run_block(struct fi_group *g, const struct fi_block *b,
			      bool record)
{
	struct frame f = { b->depth_in, b->rbp_in };
	u32 i;

	for (i = b->first; i <= b->last; i++) {
		if (record)
			g->insn[i].depth = f.depth;
		step(&g->insn[i], &f);
	}
	return f;
}

static void enter(struct fi_group *g, u64 va, s32 depth)
{
	struct fi_insn *in = fi_cfg_at(g, va);
	struct fi_block *b;

	if (!in)
		return;
	b = &g->block[in->block];
	meet(&b->depth_in, depth);
	meet_rbp(&b->rbp_in, FI_DEPTH_NONE);
	b->stale = true;
}

/* After rsp came from an unknown place, only a return may follow. */
static bool only_returns(const struct fi_group *g, u32 i)
{
	const struct fi_insn *in = &g->insn[i];

	while (in->next) {
		in = &g->insn[in->next - 1];
		if (in->kind == FI_I_RET)
			return true;
		if (in->store != FI_S_NONE || in->kind > FI_I_NOP ||
		    (in->spop == FI_SP_ADD && in->spill_imm < 0))
			return false;
	}
	return in->kind == FI_I_RET;
}

/*
 * mov %reg,%rsp; lea n(%reg),%rsp: the end of a block with arrays of its own. Code is
 * put before it that allows it to give back less than a frame, if it finds flags and a
 * register that are dead.
 */
static bool can_check(struct fi_group *g, const struct fi_insn *in)
{
	u8 op = in->bytes[in->opc_off];
	u16 busy = in->live | in->use | in->wr | FI_REG(FI_RSP);

	/* mov %rsp,%rsp names no other register; nor is half of one compared */
	if (!(in->use & ~FI_REG(FI_RSP)) || in->opsize != 8)
		return false;
	if (!g->abi || in->enc || in->flive || busy == FI_ALL_REGS || in->extable)
		return false;
	if (op == 0x8d)
		return in->mem.present && in->mem.base != FI_NOREG &&
		       in->mem.index == FI_NOREG && in->mem.base != FI_RSP;
	return (op == 0x89 || op == 0x8b) && !in->mem.present;
}

static void judge_rsp(struct fi_group *g)
{
	u32 i;

	for (i = 0; i < g->nr_insns; i++) {
		struct fi_insn *in = &g->insn[i];
		bool wild = in->spop == FI_SP_OTHER;

		if (in->kind == FI_I_TRAP)
			continue;
		if (in->spop == FI_SP_ADD &&
		    -(s64)in->spill_imm >= (s64)g->u->cfg->max_frame) {
			fi_refuse(g, in->va, "stack frame larger than the guard");
			return;
		}
		if (in->spop == FI_SP_FROM_RBP) {
			/* followed below by depth: unknown if rbp was */
			const struct fi_insn *n = in->next ?
				&g->insn[in->next - 1] : NULL;

			wild = n && n->block == in->block &&
			       n->depth == FI_DEPTH_NONE;
		}
		if (!wild || only_returns(g, i))
			continue;
		in->rsp_check = can_check(g, in);
		if (in->rsp_check)
			continue;
		in->sens = FI_SENS_RSP;
		in->verdict = g->u->cfg->verdict[FI_SENS_RSP];
	}
}

void fi_frame(struct fi_group *g)
{
	bool again;
	u32 i, k;

	for (i = 0; i < g->nr_blocks; i++) {
		g->block[i].depth_in = FI_DEPTH_TOP;
		g->block[i].rbp_in = FI_DEPTH_TOP;
	}
	for (i = 0; i < g->nr_parts; i++)
		if (!g->part[i].cold)
			enter(g, g->u->funcs[g->part[i].func].va, 0);
	do {
		again = false;
		for (i = 0; i < g->nr_blocks; i++) {
			struct fi_block *b = &g->block[i];
			struct frame f;

			if (!b->stale)
				continue;
			b->stale = false;
			f = (struct frame){ b->depth_in, b->rbp_in };
			if (b->moves)
				f = run_block(g, b, false);
			for (k = 0; k < ARRAY_SIZE(b->succ); k++) {
				struct fi_block *t;

				if (!b->succ[k])
					continue;
				t = &g->block[b->succ[k] - 1];
				t->stale |= meet(&t->depth_in, f.depth);
				t->stale |= meet_rbp(&t->rbp_in, f.rbp);
				again |= t->stale;
			}
		}
	} while (again);
	for (i = 0; i < g->nr_blocks; i++) {
		if (g->block[i].depth_in == FI_DEPTH_TOP)
			g->block[i].depth_in = FI_DEPTH_NONE;
		if (g->block[i].rbp_in == FI_DEPTH_TOP)
			g->block[i].rbp_in = FI_DEPTH_NONE;
		run_block(g, &g->block[i], true);
	}
	judge_rsp(g);
}
