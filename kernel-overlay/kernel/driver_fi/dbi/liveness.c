// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 3: which registers and flags are live before each instruction, backward over
 * the group. Unknown means live.
 */

#include "internal.h"

struct live {
	u16 regs;
	u8 flags;
};

static struct live all_live(void)
{
	return (struct live){ FI_ALL_REGS, FI_ALL_FLAGS };
}

/* What is live where control leaves the group at @in. */
static struct live exit_live(const struct fi_group *g, const struct fi_insn *in)
{
	if (!g->abi)
		return all_live();
	if (in->kind == FI_I_RET)
		return (struct live){ FI_RET_REGS, 0 };
	if (in->kind == FI_I_TRAP)
		return (struct live){ 0, 0 };
	if (in->tail || in->kind == FI_I_IJMP)
		return (struct live){ FI_ARG_REGS | FI_CALLEE_SAVED, 0 };
	/* falls off its end: after a call that does not return */
	return (struct live){ 0, 0 };
}

static struct live before_call(const struct fi_group *g,
			       const struct fi_insn *in, struct live l)
{
	if (!g->abi)
		return all_live();
	if (in->kind == FI_I_CALL && in->tkind == FI_DBI_T_TRANSPARENT)
		return (struct live){ FI_ALL_REGS, l.flags };
	l.regs = (l.regs & FI_CALLEE_SAVED) | FI_ARG_REGS | in->use;
	l.flags = 0;
	return l;
}

static struct live before(const struct fi_group *g, const struct fi_insn *in,
			  struct live l)
{
	switch (in->kind) {
	case FI_I_NOP:
		return l;
	case FI_I_TRAP:
		return exit_live(g, in);
	case FI_I_CALL:
	case FI_I_ICALL:
		l = before_call(g, in, l);
		break;
	case FI_I_JMP:
		break;
	default:
		/* it may fault halfway, and the fixup sees the old values */
		if (!in->extable) {
			l.regs &= ~in->def;
			l.flags &= ~in->fdef;
		}
		l.regs |= in->use;
		l.flags |= in->fuse;
		break;
	}
	l.regs |= FI_REG(FI_RSP);
	return l;
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

static struct live scan_block(struct fi_group *g, struct fi_block *b, bool record)
{
	struct live l = after_block(g, b);
	u32 i;

	for (i = b->last + 1; i-- > b->first;) {
		struct fi_insn *in = &g->insn[i];

		l = before(g, in, l);
		if (record) {
			in->live = l.regs;
			in->flive = l.flags;
		}
	}
	return l;
}

void fi_liveness(struct fi_group *g)
{
	bool again;
	u32 i;

	do {
		again = false;
		for (i = g->nr_blocks; i-- > 0;) {
			struct fi_block *b = &g->block[i];
			struct live l = scan_block(g, b, false);

			if (l.regs == b->live_in && l.flags == b->flive_in)
				continue;
			b->live_in = l.regs;
			b->flive_in = l.flags;
			again = true;
		}
	} while (again);
	for (i = 0; i < g->nr_blocks; i++)
		scan_block(g, &g->block[i], true);
}
