// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 2: the control-flow graph of a group, by reachability from its entries.
 *
 * Kernel modules have no jump tables (retpolines and IBT turn them off), so direct
 * branches and the edges of the module's tables are all there is.
 */

#include "internal.h"

bool fi_refuse(struct fi_group *g, u64 va, const char *why)
{
	if (!g->refusal) {
		g->refusal = why;
		g->refusal_va = va;
	}
	return false;
}

/* Index into g->at of @va, or U32_MAX. */
static u32 at_index(const struct fi_group *g, u64 va)
{
	u32 i;

	for (i = 0; i < g->nr_parts; i++) {
		const struct fi_part *p = &g->part[i];

		if (va - p->va < p->size)
			return p->at0 + (u32)(va - p->va);
	}
	return U32_MAX;
}

static u64 at_va(const struct fi_group *g, u32 at, const u8 **bytes, u32 *avail)
{
	u32 i;

	for (i = 0; i < g->nr_parts; i++) {
		const struct fi_part *p = &g->part[i];
		u32 off = at - p->at0;

		if (at < p->at0 || off >= p->size)
			continue;
		*bytes = p->bytes + off;
		*avail = p->size - off;
		return p->va + off;
	}
	return 0;
}

struct fi_insn *fi_cfg_at(struct fi_group *g, u64 va)
{
	u32 at = at_index(g, va);

	if (at == U32_MAX || !g->at[at])
		return NULL;
	return &g->insn[g->at[at] - 1];
}

static bool push_work(struct fi_group *g, u32 *n, u32 at)
{
	g->work = fi_unit_grow(g->u, g->work, &g->cap_work, *n + 1,
			       sizeof(*g->work));
	if (g->u->nomem)
		return false;
	g->work[(*n)++] = at;
	return true;
}

/* What the branch at @in goes to; thunks become what they stand for. */
static bool resolve_target(struct fi_group *g, struct fi_insn *in)
{
	struct fi_dbi_unit *u = g->u;
	struct fi_dbi_target t = { .kind = FI_DBI_T_UNKNOWN };
	int f;

	f = fi_unit_func(u, in->target);
	if (f >= 0 && u->funcs[f].va == in->target) {
		in->tfunc = f + 1;
		in->tkind = FI_DBI_T_CALL;
		return true;
	}
	if (fi_unit_text(u, in->target) >= 0)
		return fi_refuse(g, in->va, in->kind == FI_I_CALL ?
				 "call into the middle of a function" :
				 "jump into the middle of a function");
	u->env->resolve(u->env->ctx, in->target, &t);
	in->tkind = t.kind;
	in->tto = t.to;
	switch (t.kind) {
	case FI_DBI_T_UNKNOWN:
		return fi_refuse(g, in->va, "branch to an unknown target");
	case FI_DBI_T_FENTRY:
		if (in->kind == FI_I_CALL)
			in->kind = FI_I_NOP;
		break;
	case FI_DBI_T_RETURN:
		if (in->kind != FI_I_JMP)
			return fi_refuse(g, in->va, "odd use of a return thunk");
		in->kind = FI_I_RET;
		break;
	case FI_DBI_T_THUNK:
		if (in->kind != FI_I_JMP && in->kind != FI_I_CALL)
			return fi_refuse(g, in->va, "odd use of an indirect thunk");
		in->kind = in->kind == FI_I_CALL ? FI_I_ICALL : FI_I_IJMP;
		in->reg = t.reg;
		in->mem.present = false;
		in->use |= FI_REG(t.reg);
		break;
	default:
		break;
	}
	return true;
}

static void apply_edge(struct fi_group *g, struct fi_insn *in)
{
	const struct fi_dbi_edge *e = fi_unit_edge(g->u, in->va);
	const struct fi_dbi_edge *end = g->u->edges + g->u->nr_edges;

	for (; e && e < end && e->from == in->va; e++) {
		switch (e->kind) {
		case FI_DBI_EDGE_JUMP_LABEL:
			in->label = true;
			in->kind = FI_I_JMP;	/* or not: both ways */
			in->target = 0;
			in->xva = e->to;
			in->store = FI_S_NONE;
			break;
		case FI_DBI_EDGE_EXTABLE:
			in->extable = true;
			in->xva = e->to;
			break;
		case FI_DBI_EDGE_STATIC_CALL:
			in->scall = true;
			break;
		}
	}
}

static bool ends_run(const struct fi_insn *in)
{
	switch (in->kind) {
	case FI_I_JMP:
		return !in->label;
	case FI_I_IJMP:
	case FI_I_RET:
	case FI_I_TRAP:
		return true;
	default:
		return false;
	}
}

/* Room in g->at for the parts from @first on, which are not decoded yet. */
static bool lay_out(struct fi_group *g, u32 first)
{
	u32 i, old = g->at_size;

	for (i = first; i < g->nr_parts; i++) {
		g->part[i].at0 = g->at_size;
		g->at_size += g->part[i].size;
	}
	/* growing keeps what is there */
	g->at = fi_unit_grow(g->u, g->at, &g->cap_at, g->at_size, sizeof(*g->at));
	if (g->u->nomem)
		return false;
	memset(g->at + old, 0, (g->at_size - old) * sizeof(*g->at));
	return true;
}

static bool push_entries(struct fi_group *g, u32 first, u32 *nwork)
{
	u32 i;

	for (i = first; i < g->nr_parts; i++)
		if (!g->part[i].cold && !push_work(g, nwork, g->part[i].at0))
			return false;
	return true;
}

/* Index of @va, after taking its function into the group if need be. */
static u32 reach(struct fi_group *g, u64 va, bool jump, u32 *nwork)
{
	u32 at = at_index(g, va), parts = g->nr_parts;
	int f;

	if (at != U32_MAX)
		return at;
	f = fi_unit_func(g->u, va);
	if (f < 0 || (jump && g->u->funcs[f].va == va &&
		      !(g->u->funcs[f].flags & FI_DBI_FN_COLD)))
		return U32_MAX;
	if (!fi_unit_unite(g, f) || !lay_out(g, parts) ||
	    !push_entries(g, parts, nwork))
		return U32_MAX;
	return at_index(g, va);
}

static bool follow(struct fi_group *g, struct fi_insn *in, u32 *nwork)
{
	u32 at;

	if (in->xva) {
		at = reach(g, in->xva, false, nwork);
		if (at == U32_MAX)
			return fi_refuse(g, in->va, "table edge leaves the function");
		if (!push_work(g, nwork, at))
			return false;
	}
	if (!in->target || in->kind == FI_I_TRAP)
		return true;
	if (in->kind == FI_I_CALL)
		return resolve_target(g, in);
	at = reach(g, in->target, true, nwork);
	if (g->refusal || g->u->nomem)
		return false;
	if (at != U32_MAX)
		return push_work(g, nwork, at);
	if (in->kind == FI_I_JCX)
		return fi_refuse(g, in->va, "jrcxz out of the function");
	in->tail = true;
	return resolve_target(g, in);
}

/*
 * A verdict of "trap" makes it one, and ends the run. A store that cannot be checked
 * refuses the function, unless nothing is checked.
 */
static bool settle(struct fi_group *g, struct fi_insn *in)
{
	if (in->sens == FI_SENS_STORE && g->u->cfg->checks == FI_DBI_NONE)
		in->sens = FI_SENS_NONE;
	if (in->sens && in->verdict == FI_DBI_TRAP) {
		if (in->odd)
			return fi_refuse(g, in->va, in->odd);
		in->kind = FI_I_TRAP;
	} else if (in->kind == FI_I_ICALL || in->kind == FI_I_IJMP) {
		in->store = FI_S_NONE;
	}
	return true;
}

static struct fi_insn *new_insn(struct fi_group *g)
{
	g->insn = fi_unit_grow(g->u, g->insn, &g->cap_insns, g->nr_insns + 1,
			       sizeof(*g->insn));
	return g->u->nomem ? NULL : &g->insn[g->nr_insns];
}

/* Assembly may go on in the next symbol: then that one is a part as well. */
static bool fall_through(struct fi_group *g, const struct fi_insn *in, u32 *nwork)
{
	u64 va = in->va + in->len;
	int f = fi_unit_func(g->u, va);
	u32 at;

	if (f < 0 || g->u->funcs[f].va != va ||
	    (g->u->funcs[f].flags & (FI_DBI_FN_ABI | FI_DBI_FN_COLD)) ||
	    in->kind == FI_I_CALL || in->kind == FI_I_ICALL || in->kind == FI_I_UD)
		return true;
	at = reach(g, va, false, nwork);
	return at != U32_MAX && push_work(g, nwork, at);
}

/* Straight-line decoding from @at until control cannot go on. */
static bool decode_run(struct fi_group *g, u32 at, u32 *nwork)
{
	struct fi_insn *in;
	const u8 *bytes;
	u32 avail, len;
	u64 va;

	for (;;) {
		va = at_va(g, at, &bytes, &avail);
		if (!va)
			return true;
		if (g->at[at]) {
			g->insn[g->at[at] - 1].leader = true;
			return true;
		}
		in = new_insn(g);
		if (!in)
			return false;
		len = fi_decode(g->u, bytes, avail, va, in);
		if (!len) {
			/* reached or not: it must not run */
			in->va = va;
			in->kind = FI_I_TRAP;
			in->len = 1;
			g->u->stats.decode_failures++;
		}
		in->bytes = bytes;
		g->at[at] = ++g->nr_insns;
		apply_edge(g, in);
		if (!settle(g, in) || !follow(g, in, nwork))
			return false;
		/* follow() may have turned a thunk into its meaning */
		if (ends_run(in))
			return true;
		/* the end of a part is the end of the run */
		if (in->len >= avail)
			return fall_through(g, in, nwork);
		at += in->len;
	}
}

static bool decode_group(struct fi_group *g)
{
	u32 n = 0;

	if (!push_entries(g, 0, &n))
		return false;
	/* an entry of its own, if nothing else leads to it */
	if (!n && !push_work(g, &n, g->part[0].at0))
		return false;
	while (n) {
		u32 at = g->work[--n];

		if (g->at[at]) {
			g->insn[g->at[at] - 1].leader = true;
			continue;
		}
		if (!decode_run(g, at, &n))
			return false;
		g->insn[g->at[at] - 1].leader = true;
	}
	return true;
}

/* Links instructions and finds the remaining leaders. */
static bool link_insns(struct fi_group *g)
{
	u32 i;

	for (i = 0; i < g->nr_insns; i++) {
		struct fi_insn *in = &g->insn[i];
		struct fi_insn *t;

		if (!ends_run(in)) {
			t = fi_cfg_at(g, in->va + in->len);
			in->next = t ? (u32)(t - g->insn) + 1 : 0;
		}
		if (in->target && !in->tail &&
		    (in->kind == FI_I_JMP || in->kind == FI_I_JCC ||
		     in->kind == FI_I_JCX)) {
			t = fi_cfg_at(g, in->target);
			if (!t)
				return fi_refuse(g, in->va, "branch into nowhere");
			in->jtarget = (u32)(t - g->insn) + 1;
		}
		if (in->xva) {
			t = fi_cfg_at(g, in->xva);
			in->xtarget = t ? (u32)(t - g->insn) + 1 : 0;
		}
		/* both sides of a branch start blocks */
		if (in->next && (in->kind == FI_I_JCC || in->kind == FI_I_JCX ||
				 in->xva))
			g->insn[in->next - 1].leader = true;
	}
	return true;
}

static struct fi_block *new_block(struct fi_group *g)
{
	struct fi_block *b;

	g->block = fi_unit_grow(g->u, g->block, &g->cap_blocks,
				g->nr_blocks + 1, sizeof(*g->block));
	if (g->u->nomem)
		return NULL;
	b = &g->block[g->nr_blocks++];
	memset(b, 0, sizeof(*b));
	return b;
}

/* Blocks in address order, so that the fragment keeps the original layout. */
static bool make_blocks(struct fi_group *g)
{
	struct fi_block *b = NULL;
	u32 at = 0, seen = 0;

	while (at < g->at_size) {
		const struct fi_insn *in;
		u32 i = g->at[at];

		if (!i) {
			at++;
			continue;
		}
		i--;
		in = &g->insn[i];
		/* none goes beyond its part */
		at += in->len;
		seen++;
		if (!b || g->insn[i].leader || i != b->last + 1 ||
		    g->insn[b->last].next != i + 1) {
			b = new_block(g);
			if (!b)
				return false;
			b->first = i;
		}
		b->last = i;
		b->moves |= in->spop != FI_SP_KEEP || (in->def & FI_REG(FI_RBP));
		g->insn[i].block = g->nr_blocks - 1;
	}
	return seen == g->nr_insns ||
	       fi_refuse(g, g->part[0].va, "overlapping instructions");
}

static void link_blocks(struct fi_group *g)
{
	u32 i, k;

	for (i = 0; i < g->nr_blocks; i++) {
		struct fi_block *b = &g->block[i];
		const struct fi_insn *in = &g->insn[b->last];

		if (in->next)
			b->succ[0] = g->insn[in->next - 1].block + 1;
		if (in->jtarget)
			b->succ[1] = g->insn[in->jtarget - 1].block + 1;
		if (in->xtarget)
			b->succ[2] = g->insn[in->xtarget - 1].block + 1;
		b->exits = in->tail || !in->next;
		for (k = 0; k < ARRAY_SIZE(b->succ); k++)
			if (b->succ[k] && b->succ[k] - 1 <= i)
				g->block[b->succ[k] - 1].head = true;
	}
}

bool fi_cfg_build(struct fi_group *g)
{
	g->nr_insns = 0;
	g->nr_blocks = 0;
	g->nr_checks = 0;
	g->at_size = 0;
	if (!lay_out(g, 0) || !decode_group(g) || !link_insns(g) || !make_blocks(g))
		return false;
	link_blocks(g);
	return true;
}
