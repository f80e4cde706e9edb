// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 5: which stores are checked, where, together with which others, and with
 * which registers.
 *
 * Left out: stores inside the own frame. Shared: stores of one block with the same
 * unmodified base and index, no call between. Moved up: checks whose flags or
 * registers are dead a few instructions earlier.
 */

#include "internal.h"

#define MAX_OPEN	8	/* checks of a block that may still take stores */
#define MAX_WINDOW	MAX_ONE_COMPARE
#define MAX_HOIST	24

struct planner {
	struct fi_group *g;
	struct fi_dbi_stats *stats;
	u32 open[MAX_OPEN];
	u32 nr_open;
};

static struct fi_check *new_check(struct fi_group *g, u32 insn, u8 kind)
{
	struct fi_check *c;

	g->check = fi_unit_grow(g->u, g->check, &g->cap_checks,
				g->nr_checks + 1, sizeof(*g->check));
	if (g->u->nomem)
		return NULL;
	c = &g->check[g->nr_checks++];
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->at = insn;
	c->insn = insn;
	c->last = insn;
	c->mem = g->insn[insn].mem;
	c->size = g->insn[insn].size;
	c->cold = U32_MAX;
	g->insn[insn].covered = g->nr_checks;
	return c;
}

/* Of @size bytes read at @mem. */
static struct fi_check *new_load(struct fi_group *g, u32 insn, u8 kind,
				 const struct fi_mem *mem, u32 size)
{
	u32 store = g->insn[insn].covered;
	struct fi_check *c = new_check(g, insn, kind);

	if (!c)
		return NULL;
	g->insn[insn].covered = store;
	g->u->stats.loads_checked++;
	c->load = true;
	c->mem = *mem;
	c->size = size;
	c->mask = size >= 64 ? ~0ULL : (1ULL << size) - 1;
	return c;
}

static s64 mem_place(const struct fi_mem *m)
{
	return m->rip ? (s64)m->abs : m->disp;
}

static bool same_base(const struct fi_mem *a, const struct fi_mem *b)
{
	return a->rip == b->rip && a->base == b->base && a->index == b->index &&
	       a->scale == b->scale && !a->gs && !b->gs;
}

static u64 ones(u32 n)
{
	return n >= 64 ? ~0ULL : (1ULL << n) - 1;
}

/* Widens @c to cover @size bytes at the operand of @in as well, if the window allows. */
static bool join(struct fi_check *c, const struct fi_insn *in, u32 index, u32 size,
		 bool load)
{
	s64 place = mem_place(&in->mem), lo = mem_place(&c->mem), hi;

	if (c->kind != FI_C_STORE || c->load != load || !same_base(&c->mem, &in->mem))
		return false;
	if (c->size > 64 || size > 64)
		return false;
	hi = max(lo + (s64)c->size, place + (s64)size);
	if (hi - min(lo, place) > MAX_WINDOW)
		return false;
	if (place < lo) {
		c->mask = c->mask << (lo - place) | ones(size);
		c->mem = in->mem;
		lo = place;
	} else {
		c->mask |= ones(size) << (place - lo);
	}
	c->size = hi - lo;
	c->last = index;
	return true;
}

static bool in_frame(struct planner *p, const struct fi_insn *in, u32 size)
{
	s32 depth = in->depth;
	s64 disp = in->mem.disp;

	if (in->mem.base != FI_RSP || in->mem.index != FI_NOREG || in->mem.gs)
		return false;
	if (in->store == FI_S_POP)
		depth -= 8;	/* addressed with rsp already moved */
	if (depth != FI_DEPTH_NONE && disp >= 0 && disp + size <= depth)
		return true;
	p->stats->frame_checked++;
	return false;
}

static bool plan_gs(struct planner *p, u32 i)
{
	struct fi_dbi_unit *u = p->g->u;
	struct fi_insn *in = &p->g->insn[i];
	s64 off = in->mem.rip ? (s64)in->mem.abs : in->mem.disp;

	p->stats->gs_stores++;
	/* with a register in it, the offset is not known here */
	if (in->mem.base != FI_NOREG || in->mem.index != FI_NOREG)
		off = -1;
	switch (u->env->gs_store(u->env->ctx, off, in->size)) {
	case FI_DBI_GS_ALLOW:
		return true;
	case FI_DBI_GS_CHECK:
		return u->cfg->this_cpu_off ? !!new_check(p->g, i, FI_C_GS) : false;
	default:
		in->kind = FI_I_TRAP;
		in->sens = FI_SENS_STORE;
		return true;
	}
}

static bool can_redirect(const struct fi_dbi_unit *u, const struct fi_insn *in)
{
	return u->cfg->checks == FI_DBI_SANDBOX && in->store == FI_S_PLAIN &&
	       in->enc != 2 && in->modrm_off;
}

/* The last check may take more. */
static void leave_open(struct planner *p)
{
	if (p->nr_open == MAX_OPEN) {
		memmove(p->open, p->open + 1, sizeof(p->open) - sizeof(p->open[0]));
		p->nr_open--;
	}
	p->open[p->nr_open++] = p->g->nr_checks - 1;
}

static bool plan_plain(struct planner *p, u32 i)
{
	struct fi_group *g = p->g;
	struct fi_insn *in = &g->insn[i];
	struct fi_check *c;
	u32 k;

	if (in_frame(p, in, in->size)) {
		p->stats->stack_elided++;
		return true;
	}
	if (in->size >= 16)
		p->stats->vector++;
	if (can_redirect(g->u, in)) {
		c = new_check(g, i, FI_C_REDIRECT);
		if (c)
			in->redirect = g->nr_checks;
		return c;
	}
	for (k = 0; k < p->nr_open; k++) {
		if (in->store == FI_S_POP)
			break;
		if (!join(&g->check[p->open[k]], in, i, in->size, false))
			continue;
		in->covered = p->open[k] + 1;
		p->stats->merged++;
		return true;
	}
	c = new_check(g, i, FI_C_STORE);
	if (!c)
		return false;
	if (in->store == FI_S_POP && c->mem.base == FI_RSP)
		c->mem.disp += 8;
	c->mask = ones(in->size);
	if (in->size > 64 || in->store == FI_S_POP)
		return true;
	leave_open(p);
	return true;
}

/* movdir64b, enqcmd: the address is a register's value. */
static bool plan_at_reg(struct planner *p, u32 i)
{
	const struct fi_mem m = {
		.base = p->g->insn[i].reg, .index = FI_NOREG, .present = true,
	};
	struct fi_check *c = new_check(p->g, i, FI_C_STORE);

	if (!c)
		return false;
	c->mem = m;
	c->mask = ones(c->size);
	return true;
}

static bool plan_store(struct planner *p, u32 i)
{
	struct fi_insn *in = &p->g->insn[i];

	p->stats->stores++;
	switch (in->store) {
	case FI_S_GS:
		return plan_gs(p, i);
	case FI_S_STRING:
		p->stats->strings++;
		return new_check(p->g, i, FI_C_STRING);
	case FI_S_REP:
		p->stats->strings++;
		return new_check(p->g, i, FI_C_REP);
	case FI_S_BITREG:
		p->stats->bitreg++;
		return new_check(p->g, i, FI_C_BITREG);
	case FI_S_AT_REG:
		return plan_at_reg(p, i);
	default:
		break;
	}
	if (in->extable) {
		p->stats->user_stores++;
		return new_check(p->g, i, FI_C_USER);
	}
	return plan_plain(p, i);
}

/* A string instruction's source; a comparison may end before its count does. */
static bool plan_string_load(struct planner *p, u32 i, u8 base, u32 size)
{
	const struct fi_mem m = { .base = base, .index = FI_NOREG, .present = true };
	struct fi_insn *in = &p->g->insn[i];
	struct fi_check *c;

	if (in->rep == FI_REP_COUNT && base == FI_RSI) {
		c = new_load(p->g, i, FI_C_REP, &m, size);
		if (c)
			c->at_si = true;
		return c;
	}
	/* what is read first; with a count of zero, nothing is */
	return in->rep ? true : (bool)new_load(p->g, i, FI_C_STORE, &m, size);
}

/* With reads: what @i reads, but the own frame. */
static bool plan_load(struct planner *p, u32 i)
{
	struct fi_group *g = p->g;
	struct fi_insn *in = &g->insn[i];
	u32 k;

	if (in->load_si && !plan_string_load(p, i, FI_RSI, in->load_si))
		return false;
	if (in->load_di && !plan_string_load(p, i, FI_RDI, in->load_di))
		return false;
	if (!in->load || in->mem.gs)
		return true;
	g->u->stats.loads++;
	if (in->load_odd)
		return fi_refuse(g, in->va, "load without a check");
	if (in->load_bit)
		return new_load(g, i, FI_C_BITREG, &in->mem, in->load);
	if (in->extable)
		return new_load(g, i, FI_C_USER, &in->mem, in->load);
	if (in_frame(p, in, in->load))
		return true;
	for (k = 0; k < p->nr_open; k++)
		if (join(&g->check[p->open[k]], in, i, in->load, true))
			return true;
	if (!new_load(g, i, FI_C_STORE, &in->mem, in->load))
		return false;
	if (in->load <= 64)
		leave_open(p);
	return true;
}

/* Checks whose base or index @in changes take no more stores. */
static void close_changed(struct planner *p, const struct fi_insn *in)
{
	u32 i, n = 0;

	for (i = 0; i < p->nr_open; i++) {
		const struct fi_mem *m = &p->g->check[p->open[i]].mem;

		if (in->kind == FI_I_CALL || in->kind == FI_I_ICALL)
			continue;
		if (m->base != FI_NOREG && (in->wr & FI_REG(m->base)))
			continue;
		if (m->index != FI_NOREG && (in->wr & FI_REG(m->index)))
			continue;
		p->open[n++] = p->open[i];
	}
	p->nr_open = n;
}

static u16 mem_regs(const struct fi_mem *m)
{
	return (m->base != FI_NOREG ? FI_REG(m->base) : 0) |
	       (m->index != FI_NOREG ? FI_REG(m->index) : 0);
}

/* Registers that the check's own computation reads. */
static u16 check_regs(const struct fi_group *g, const struct fi_check *c)
{
	const struct fi_insn *in = &g->insn[c->insn];

	switch (c->kind) {
	case FI_C_STRING:
	case FI_C_REP:
		return FI_REG(FI_RDI) | FI_REG(FI_RSI) | FI_REG(FI_RCX);
	case FI_C_BITREG:
		return mem_regs(&c->mem) | FI_REG(in->reg);
	default:
		return mem_regs(&c->mem);
	}
}

static u8 scratch_needed(const struct fi_check *c)
{
	switch (c->kind) {
	case FI_C_REP:
	case FI_C_LOOP:
		return 0;
	case FI_C_BITREG:
		return c->mem.base != FI_NOREG && c->mem.index == FI_NOREG &&
		       !c->mem.rip ? 1 : 2;
	default:
		return 1;
	}
}

/* r12 would need a longer encoding as a base. */
static const u8 scratch_order[] = {
	FI_RAX, FI_RCX, FI_RDX, FI_RSI, FI_RDI, FI_RBX, FI_RBP,
	FI_R8, FI_R9, FI_R10, FI_R11, FI_R13, FI_R14, FI_R15,
};

/* Of @regs, the one whose next use is farthest: its way through memory hurts least. */
static u8 idlest(const struct fi_group *g, u32 at, u16 regs)
{
	const struct fi_block *b = &g->block[g->insn[at].block];
	u32 i = at, k;
	u8 r;

	do {
		u16 left = regs & ~(g->insn[i].use | g->insn[i].wr);

		if (!left)
			break;
		regs = left;
		i = i == b->last ? b->first : i + 1;
	} while (i != at);
	for (k = 0; k < ARRAY_SIZE(scratch_order); k++) {
		r = scratch_order[k];
		if (regs & FI_REG(r))
			return r;
	}
	return FI_NOREG;
}

/* Picks @c->nscratch registers at @in; returns how many must be saved. */
static u32 pick_scratch(struct fi_group *g, struct fi_check *c,
			const struct fi_insn *in)
{
	u16 taken = check_regs(g, c) | FI_REG(FI_RSP);
	u32 i, k, spills = 0;

	if (c->kind == FI_C_REDIRECT) {
		taken |= in->use | in->wr;
		/* a REX prefix would turn ah, ch, dh, bh into something else */
		if (!in->enc && !in->rex_off && in->opsize == 1)
			taken |= 0xff00;
	}
	for (k = 0; k < c->nscratch; k++) {
		u8 r = FI_NOREG;

		for (i = 0; i < ARRAY_SIZE(scratch_order) && r == FI_NOREG; i++)
			if (!((in->live | taken) & FI_REG(scratch_order[i])))
				r = scratch_order[i];
		c->push[k] = r == FI_NOREG;
		if (r == FI_NOREG)
			r = idlest(g, in - g->insn, ~taken & ~FI_REG(FI_R12));
		c->scratch[k] = r;
		taken |= FI_REG(r);
		spills += c->push[k];
	}
	return spills;
}

static u32 cost_at(struct fi_group *g, struct fi_check *c, u32 at)
{
	const struct fi_insn *in = &g->insn[at];
	u32 spills = pick_scratch(g, c, in);

	return (in->flive ? 40 : 0) + spills * 3;
}

/* May a check of @c stand before @in instead of after it? */
static bool may_cross(struct fi_group *g, const struct fi_check *c,
		      const struct fi_insn *in)
{
	if (in->kind != FI_I_PLAIN && in->kind != FI_I_NOP)
		return false;
	if (in->extable || in->label || in->redirect)
		return false;
	return !(in->wr & check_regs(g, c)) && in->spop == FI_SP_KEEP;
}

static void place(struct planner *p, struct fi_check *c)
{
	struct fi_group *g = p->g;
	const struct fi_block *b = &g->block[g->insn[c->insn].block];
	u32 best = c->insn, cost, at = c->insn, limit;

	c->nscratch = scratch_needed(c);
	cost = cost_at(g, c, at);
	if (c->kind != FI_C_STORE && c->kind != FI_C_BITREG &&
	    c->kind != FI_C_LOOP)
		goto done;
	limit = at - b->first > MAX_HOIST ? at - MAX_HOIST : b->first;
	while (cost && at > limit && may_cross(g, c, &g->insn[at - 1])) {
		u32 now = cost_at(g, c, --at);

		if (now < cost) {
			cost = now;
			best = at;
		}
	}
	p->stats->hoisted += best != c->insn;
done:
	c->at = best;
	p->stats->spilled += pick_scratch(g, c, &g->insn[best]) != 0;
	if (c->kind == FI_C_LOOP && g->insn[best].flive) {
		/* no place for a compare: as any other */
		c->kind = FI_C_STORE;
		c->nscratch = 1;
		pick_scratch(g, c, &g->insn[best]);
	}
	c->flags = g->insn[best].flive && c->kind != FI_C_REDIRECT;
	p->stats->flags_live += c->flags;
	p->stats->checked++;
	if (c->kind == FI_C_REDIRECT)
		return;
	c->next = g->insn[best].check;
	g->insn[best].check = (u32)(c - g->check) + 1;
}

/* The slow path wants to know which instruction each byte belongs to. */
static bool list_stores(struct fi_group *g, struct fi_check *c)
{
	struct fi_dbi_unit *u = g->u;
	u32 i, id = (u32)(c - g->check) + 1;

	c->store0 = u->nr_stores;
	if (c->load || (c->kind != FI_C_STORE && c->kind != FI_C_LOOP))
		return true;
	for (i = c->insn; i <= c->last; i++) {
		struct fi_insn *in = &g->insn[i];
		struct fi_dbi_store *s;

		if (in->covered != id)
			continue;
		u->store = fi_unit_grow(u, u->store, &u->cap_stores,
					u->nr_stores + 1, sizeof(*u->store));
		if (u->nomem)
			return false;
		s = &u->store[u->nr_stores++];
		memset(s, 0, sizeof(*s));
		s->va = in->va;
		s->off = c->last == c->insn ? 0 :
			 mem_place(&in->mem) - mem_place(&c->mem);
		s->size = min(in->size, 64);
		c->nstores++;
	}
	return true;
}

static bool plan_block(struct planner *p, const struct fi_block *b)
{
	struct fi_group *g = p->g;
	u32 i, first = g->nr_checks;

	p->nr_open = 0;
	for (i = b->first; i <= b->last; i++) {
		struct fi_insn *in = &g->insn[i];

		if (in->kind == FI_I_TRAP)
			break;
		if (in->store != FI_S_NONE && !plan_store(p, i))
			return false;
		if (g->u->cfg->reads && !plan_load(p, i))
			return false;
		if (in->kind == FI_I_TRAP)
			break;
		close_changed(p, in);
	}
	fi_loop_plan(g, b - g->block, first);
	for (i = first; i < g->nr_checks; i++) {
		p->stats->loops += g->check[i].kind == FI_C_LOOP;
		place(p, &g->check[i]);
		if (!list_stores(g, &g->check[i]))
			return false;
	}
	return true;
}

bool fi_plan(struct fi_group *g)
{
	struct planner p = { .g = g, .stats = &g->u->stats };
	u32 i;

	for (i = 0; i < g->nr_insns; i++) {
		const struct fi_insn *in = &g->insn[i];

		g->u->stats.sens[in->sens]++;
		g->u->stats.tracked += in->sens && in->verdict == FI_DBI_TRACK;
		if (in->sens && in->verdict == FI_DBI_TRAP)
			g->insn[i].kind = FI_I_TRAP;
	}
	if (g->u->cfg->checks == FI_DBI_NONE)
		return true;
	for (i = 0; i < g->nr_blocks; i++)
		if (!plan_block(&p, &g->block[i]))
			return false;
	return true;
}
