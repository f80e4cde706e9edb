// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 3: which registers and flags are live before each instruction, backward over
 * the group. Unknown means live.
 *
 * Live before is what it wants, and of what is live after it all that it keeps. A block
 * is the same of its instructions, summed up once.
 */

#include "internal.h"

struct live {
	u16 regs;
	u8 flags;
};

struct transfer {
	struct live wants, keeps;
};

#define NONE_LIVE	((struct live){ 0, 0 })
#define ALL_LIVE	((struct live){ FI_ALL_REGS, FI_ALL_FLAGS })

/* What is live where control leaves the group at @in. */
static struct live exit_live(const struct fi_group *g, const struct fi_insn *in)
{
	if (!g->abi)
		return ALL_LIVE;
	if (in->kind == FI_I_RET)
		return (struct live){ FI_RET_REGS, 0 };
	if (in->kind == FI_I_TRAP)
		return NONE_LIVE;
	if (in->tail || in->kind == FI_I_IJMP)
		return (struct live){ FI_ARG_REGS | FI_CALLEE_SAVED, 0 };
	/* falls off its end: after a call that does not return */
	return NONE_LIVE;
}

static struct transfer of_call(const struct fi_group *g, const struct fi_insn *in)
{
	struct transfer t = { ALL_LIVE, NONE_LIVE };

	if (!g->abi)
		return t;
	if (in->kind == FI_I_CALL && in->tkind == FI_DBI_T_TRANSPARENT) {
		t.wants.flags = 0;
		t.keeps.flags = FI_ALL_FLAGS;
		return t;
	}
	t.wants = (struct live){ FI_ARG_REGS | FI_REG(FI_RSP) | in->use, 0 };
	t.keeps = (struct live){ FI_CALLEE_SAVED, 0 };
	return t;
}

static struct transfer of_insn(const struct fi_group *g, const struct fi_insn *in)
{
	struct transfer t = { NONE_LIVE, ALL_LIVE };

	switch (in->kind) {
	case FI_I_NOP:
		break;
	case FI_I_TRAP:
		t.wants = exit_live(g, in);
		t.keeps = NONE_LIVE;
		break;
	case FI_I_CALL:
	case FI_I_ICALL:
		return of_call(g, in);
	case FI_I_JMP:
		t.wants.regs = FI_REG(FI_RSP);
		break;
	default:
		/* it may fault halfway, and the fixup sees the old values */
		if (!in->extable) {
			t.keeps.regs = ~in->def;
			t.keeps.flags = ~in->fdef;
		}
		t.wants.regs = in->use | FI_REG(FI_RSP);
		t.wants.flags = in->fuse;
		break;
	}
	return t;
}

static struct live before(const struct transfer *t, struct live after)
{
	return (struct live){
		.regs = t->wants.regs | (after.regs & t->keeps.regs),
		.flags = t->wants.flags | (after.flags & t->keeps.flags),
	};
}

static struct transfer of_block(const struct fi_group *g, const struct fi_block *b)
{
	struct transfer sum = { NONE_LIVE, ALL_LIVE };
	u32 i;

	for (i = b->last + 1; i-- > b->first;) {
		struct transfer t = of_insn(g, &g->insn[i]);

		sum.wants = before(&t, sum.wants);
		sum.keeps.regs &= t.keeps.regs;
		sum.keeps.flags &= t.keeps.flags;
	}
	return sum;
}

static struct live after_block(const struct fi_group *g,
			       const struct fi_block *b)
{
	const struct fi_insn *in = &g->insn[b->last];
	struct live l = { 0, 0 };
	u32 i;

	if (b->exits)
		l = exit_live(g, in);
	for (i = 0; i < ARRAY_SIZE(b->succ); i++) {
		if (!b->succ[i])
			continue;
		l.regs |= g->block[b->succ[i] - 1].live_in;
		l.flags |= g->block[b->succ[i] - 1].flive_in;
	}
	return l;
}

static void record(struct fi_group *g, const struct fi_block *b)
{
	struct live l = after_block(g, b);
	u32 i;

	for (i = b->last + 1; i-- > b->first;) {
		struct fi_insn *in = &g->insn[i];
		struct transfer t = of_insn(g, in);

		l = before(&t, l);
		in->live = l.regs;
		in->flive = l.flags;
	}
}

void fi_liveness(struct fi_group *g)
{
	bool again;
	u32 i;

	for (i = 0; i < g->nr_blocks; i++) {
		struct transfer t = of_block(g, &g->block[i]);

		g->block[i].wants = t.wants.regs;
		g->block[i].keeps = t.keeps.regs;
		g->block[i].fwants = t.wants.flags;
		g->block[i].fkeeps = t.keeps.flags;
	}
	do {
		again = false;
		for (i = g->nr_blocks; i-- > 0;) {
			struct fi_block *b = &g->block[i];
			struct live l = after_block(g, b);

			l.regs = b->wants | (l.regs & b->keeps);
			l.flags = b->fwants | (l.flags & b->fkeeps);
			if (l.regs == b->live_in && l.flags == b->flive_in)
				continue;
			b->live_in = l.regs;
			b->flive_in = l.flags;
			again = true;
		}
	} while (again);
	for (i = 0; i < g->nr_blocks; i++)
		record(g, &g->block[i]);
}
