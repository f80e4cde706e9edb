// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 6a: the code of one store check.
 *
 * In line: address to a scratch register, shift, compare the shadow, branch. The
 * out-of-line half computes the address again and asks the slow path, which returns
 * if the bytes are permitted after all.
 */

#include "internal.h"

void fi_put(struct fi_group *g, const void *p, u32 n)
{
	fi_asm_bytes(g->u, &g->u->a, p, n);
}

void fi_emit_call(struct fi_group *g, u64 target)
{
	static const u8 call[5] = { 0xe8 };

	fi_put(g, call, 5);
	fi_asm_fix(g->u, &g->u->a, FI_FIX_ABS, target, 0);
}

#define LEA	(FI_OP_W | 0x8d)

/* Quadwords of shadow that a loop's check looks at when its limit is passed. */
#define AHEAD_QUADS	4

/* The helper takes the words that were pushed for it away. */
void fi_emit_site_call(struct fi_group *g, const struct fi_dbi_site *s, u64 helper)
{
	u64 va = fi_unit_site(g->u, s);
	u8 t[FI_EMIT_MAX];

	fi_put(g, t, fi_emit_push_imm(t, (s32)va));
	fi_emit_call(g, helper);
}

static void push(struct fi_group *g, u8 reg)
{
	u8 t[FI_EMIT_MAX];

	fi_put(g, t, fi_emit_push(t, reg));
}

static void pop(struct fi_group *g, u8 reg)
{
	u8 t[FI_EMIT_MAX];

	fi_put(g, t, fi_emit_pop(t, reg));
}

/* lea of the operand with @pushed words more on the stack; @op: lea or lea32 */
static void lea(struct fi_group *g, u32 op, const struct fi_mem *mem, u8 reg,
		u32 pushed)
{
	struct fi_emit_mem m = {
		.base = mem->base, .index = mem->index, .scale = mem->scale,
		.rip = mem->rip, .disp = mem->disp,
	};
	u8 t[FI_EMIT_MAX];

	if (m.base == FI_RSP)
		m.disp += 8 * pushed;
	/* a move between registers costs the CPU nothing */
	if (op == LEA && m.base != FI_NOREG && m.index == FI_NOREG && !m.disp && !m.rip)
		fi_put(g, t, fi_emit_reg_op(t, FI_OP_W | 0x8b, reg, m.base));
	else
		fi_put(g, t, fi_emit_mem_op(t, op, reg, &m));
	if (mem->rip)
		fi_asm_fix(g->u, &g->u->a, FI_FIX_ABS, mem->abs, 0);
}

static void shift(struct fi_group *g, u8 ext, u8 reg, u8 count)
{
	u8 t[FI_EMIT_MAX];

	fi_put(g, t, fi_emit_shift(t, ext, reg, count));
}

/*
 * The bit's byte: base + (offset >> log2(bits)) * bytes, offset signed. With a single
 * base register the sum is one operand and one scratch register does.
 */
static void bit_address(struct fi_group *g, struct fi_check *c, u32 pushed)
{
	const struct fi_insn *in = &g->insn[c->insn];
	u8 r1 = c->scratch[0], r2 = c->scratch[c->nscratch - 1];
	struct fi_emit_mem m = { .base = r1, .index = r2, .scale = in->opsize };
	u32 op = in->opsize == 8 ? FI_OP_W | 0x8b :
		 in->opsize == 4 ? FI_OP_W | 0x63 :
		 FI_OP_W | FI_OP_0F | 0xbf;
	u8 t[FI_EMIT_MAX];

	if (c->nscratch == 1) {
		m.base = c->mem.base;
		m.disp = c->mem.disp + (m.base == FI_RSP ? 8 * pushed : 0);
	} else {
		lea(g, LEA, &c->mem, r1, pushed);
	}
	fi_put(g, t, fi_emit_reg_op(t, op, r2, in->reg));
	shift(g, 7, r2, in->opsize == 8 ? 6 : in->opsize == 4 ? 5 : 4);
	fi_put(g, t, fi_emit_mem_op(t, LEA, r1, &m));
}

static void gs_address(struct fi_group *g, struct fi_check *c)
{
	struct fi_emit_mem m = {
		.base = FI_NOREG, .index = FI_NOREG,
		.disp = g->u->cfg->this_cpu_off,
	};
	u8 t[FI_EMIT_MAX] = { 0x65 };
	u8 r = c->scratch[0];

	fi_put(g, t, 1 + fi_emit_mem_op(t + 1, FI_OP_W | 0x8b, r, &m));
	m.base = r;
	m.disp = c->mem.rip ? (s32)c->mem.abs : c->mem.disp;
	fi_put(g, t, fi_emit_mem_op(t, LEA, r, &m));
}

static void address(struct fi_group *g, struct fi_check *c, u32 pushed)
{
	static const struct fi_mem at_rdi = {
		.base = FI_RDI, .index = FI_NOREG, .present = true,
	};

	switch (c->kind) {
	case FI_C_BITREG:
		bit_address(g, c, pushed);
		break;
	case FI_C_GS:
		gs_address(g, c);
		break;
	case FI_C_STRING:
		lea(g, LEA, &at_rdi, c->scratch[0], pushed);
		break;
	default:
		lea(g, LEA, &c->mem, c->scratch[0], pushed);
		break;
	}
}

static u32 push_scratch(struct fi_group *g, const struct fi_check *c)
{
	u32 i, n = 0;

	for (i = 0; i < c->nscratch; i++) {
		if (!c->push[i])
			continue;
		push(g, c->scratch[i]);
		n++;
	}
	return n;
}

static void pop_scratch(struct fi_group *g, const struct fi_check *c)
{
	u32 i;

	for (i = c->nscratch; i-- > 0;)
		if (c->push[i])
			pop(g, c->scratch[i]);
}

static void compare_shadow(struct fi_group *g, const struct fi_check *c)
{
	s32 disp = g->u->cfg->map_disp;
	u8 r = c->scratch[0];
	u8 t[FI_EMIT_MAX];
	u32 size = c->size == 1 ? 1 : c->size <= 9 ? 2 : c->size <= 25 ? 4 : 8;
	u32 skip;

	shift(g, 7, r, 3);
	if (c->load && g->u->cfg->read_bit)
		fi_put(g, t, fi_emit_btc(t, r, g->u->cfg->read_bit));
	fi_put(g, t, fi_emit_cmp_ones(t, size, r, disp));
	if (c->size <= MAX_ONE_COMPARE)
		return;
	skip = fi_asm_label(g->u, &g->u->a);
	fi_asm_branch(g->u, &g->u->a, 5, skip, false);
	fi_put(g, t, fi_emit_cmp_ones(t, 8, r, disp + 8));
	fi_asm_bind(&g->u->a, skip);
}

static void compare_segment(struct fi_group *g, const struct fi_check *c)
{
	const struct fi_dbi_config *cfg = g->u->cfg;
	u8 r = c->scratch[0];
	u8 t[FI_EMIT_MAX];

	shift(g, 7, r, cfg->seg_shift);
	if (cfg->seg_id)
		fi_put(g, t, fi_emit_alu_imm(t, 7, r, cfg->seg_id));
}

/* Leaves ZF set if the fast test says yes. */
static void compare(struct fi_group *g, const struct fi_check *c)
{
	if (c->kind == FI_C_USER)
		shift(g, 7, c->scratch[0], 47);
	else if (g->u->cfg->checks == FI_DBI_BYTE)
		compare_shadow(g, c);
	else
		compare_segment(g, c);
}

static void fill_site(const struct fi_group *g, const struct fi_check *c,
		      struct fi_dbi_site *s)
{
	memset(s, 0, sizeof(*s));
	s->va = g->insn[c->insn].va;
	s->size = c->size;
	s->kind = c->load ? FI_SITE_LOAD :
		  g->u->cfg->checks != FI_DBI_BYTE ? FI_SITE_SEGMENT :
		  c->size > 64 ? FI_SITE_BYTES : FI_SITE_STORE;
	s->user = c->kind == FI_C_USER;
	if (c->kind == FI_C_LOOP) {
		s->kind = FI_SITE_LOOP;
		s->limit = c->limit;
		s->ctl = c->ctl;
		s->sens = c->step;
	}
	s->mask = (c->kind == FI_C_STORE || c->kind == FI_C_LOOP) && c->mask ? c->mask :
		  c->size >= 64 ? ~0ULL : (1ULL << c->size) - 1;
	/* for loads: no mask means all of the size, which may be more than 64 */
	if (c->load && c->size > 64)
		s->mask = 0;
	s->store = c->store0;
	s->nstores = c->nstores;
}

/* The address to the slow path; scratch registers are saved if @save. */
static void ask(struct fi_group *g, struct fi_check *c, u32 pushed)
{
	struct fi_dbi_site s;

	fill_site(g, c, &s);
	s.pushed = pushed;
	address(g, c, pushed);
	push(g, c->scratch[0]);
	fi_emit_site_call(g, &s, g->u->cfg->slow_store);
}

static void emit_range(struct fi_group *g, const struct fi_check *c)
{
	static const u8 swap[] = { 0x48, 0x87, 0xf7 };	/* xchg %rsi,%rdi */
	struct fi_dbi_site s;

	fill_site(g, c, &s);
	s.kind = c->load ? FI_SITE_LOAD_STRING : FI_SITE_STRING;
	/* tells the helper whether its map decides */
	if (c->load || g->u->cfg->checks != FI_DBI_BYTE)
		s.mask = 0;
	if (c->at_si)
		fi_put(g, swap, sizeof(swap));
	fi_emit_site_call(g, &s, g->u->cfg->slow_range);
	if (c->at_si)
		fi_put(g, swap, sizeof(swap));
}

/* Flags are live: all of it through the slow path, which keeps them. */
static void emit_with_flags(struct fi_group *g, struct fi_check *c)
{
	static const u8 pushf = 0x9c, popf = 0x9d;
	bool shifts = c->kind == FI_C_BITREG;
	u32 pushed = push_scratch(g, c);

	if (shifts)
		fi_put(g, &pushf, 1);
	ask(g, c, pushed + shifts);
	if (shifts)
		fi_put(g, &popf, 1);
	pop_scratch(g, c);
}

/* cmp %ctl,%limit; jl cold */
static void emit_loop(struct fi_group *g, struct fi_check *c)
{
	struct fi_asmbuf *a = &g->u->a;
	u8 t[FI_EMIT_MAX];

	c->cold = fi_asm_label(g->u, a);
	c->back = fi_asm_label(g->u, a);
	/* the cold half has only the limit's register, which it sets anyway */
	c->nscratch = 1;
	c->scratch[0] = c->limit;
	c->push[0] = false;
	fi_put(g, t, fi_emit_reg_op(t, FI_OP_W | 0x39, c->ctl, c->limit));
	fi_asm_branch(g->u, a, g->u->cfg->ask_always ? FI_CC_JMP : 0xc, c->cold, false);
	fi_asm_bind(a, c->back);
}

/* lea of the counter and as many steps as @bytes ahead of the store give; back */
static void set_limit(struct fi_group *g, struct fi_check *c, u32 bytes)
{
	struct fi_emit_mem m = {
		.base = c->ctl, .index = FI_NOREG, .disp = (bytes - c->size) / c->step,
	};
	u8 t[FI_EMIT_MAX];

	fi_put(g, t, fi_emit_mem_op(t, LEA, c->limit, &m));
	fi_asm_branch(g->u, &g->u->a, FI_CC_JMP, c->back, false);
}

/*
 * The limit is passed: one quadword of shadow covers the next MAX_ONE_COMPARE bytes,
 * and with them so many steps more; with the ones behind it, long loops look seldom.
 * Should the counter overflow here, the limit is small and the next step asks again.
 */
static void loop_ahead(struct fi_group *g, struct fi_check *c)
{
	struct fi_asmbuf *a = &g->u->a;
	u32 slow = fi_asm_label(g->u, a), one = fi_asm_label(g->u, a), k;
	u8 t[FI_EMIT_MAX];

	address(g, c, 0);
	shift(g, 7, c->limit, 3);
	for (k = 0; k < AHEAD_QUADS; k++) {
		fi_put(g, t, fi_emit_cmp_ones(t, 8, c->limit,
					      g->u->cfg->map_disp + 8 * k));
		fi_asm_branch(g->u, a, 5, k ? one : slow, false);
	}
	set_limit(g, c, MAX_ONE_COMPARE + 64 * (AHEAD_QUADS - 1));
	fi_asm_bind(a, one);
	set_limit(g, c, MAX_ONE_COMPARE);
	fi_asm_bind(a, slow);
}

/* On the way into the loop: nothing is permitted yet. */
void fi_check_loop_entry(struct fi_group *g, const struct fi_block *b)
{
	u8 t[FI_EMIT_MAX];
	u8 r;

	for (r = 0; r < FI_NR_REGS; r++)
		if (b->limits & FI_REG(r))
			fi_put(g, t, fi_emit_mov_imm64(t, r, 1ULL << 63));
}

void fi_check_emit(struct fi_group *g, struct fi_check *c)
{
	struct fi_asmbuf *a = &g->u->a;
	u32 pushed;

	c->cold = U32_MAX;
	if (c->kind == FI_C_REP) {
		emit_range(g, c);
		return;
	}
	if (c->kind == FI_C_LOOP) {
		emit_loop(g, c);
		return;
	}
	if (c->flags || c->size > MAX_TWO_COMPARES) {
		emit_with_flags(g, c);
		return;
	}
	c->cold = fi_asm_label(g->u, a);
	c->back = fi_asm_label(g->u, a);
	pushed = push_scratch(g, c);
	address(g, c, pushed);
	compare(g, c);
	pop_scratch(g, c);
	fi_asm_branch(g->u, a, g->u->cfg->ask_always ? FI_CC_JMP : 5, c->cold, false);
	fi_asm_bind(a, c->back);
}

void fi_check_emit_cold(struct fi_group *g, struct fi_check *c)
{
	struct fi_asmbuf *a = &g->u->a;
	u32 pushed;

	if (c->cold == U32_MAX || c->kind == FI_C_REDIRECT)
		return;
	fi_asm_pc(g->u, a, g->insn[c->insn].va, false);
	fi_asm_bind(a, c->cold);
	if (c->kind == FI_C_LOOP && !g->u->cfg->ask_always)
		loop_ahead(g, c);
	pushed = push_scratch(g, c);
	ask(g, c, pushed);
	pop_scratch(g, c);
	fi_asm_branch(g->u, a, FI_CC_JMP, c->back, false);
}

/*
 * Sandboxing: the address keeps its lower 32 bits, the segment gives the others,
 * and the store goes there. No branch, no flags.
 */
void fi_check_redirect(struct fi_group *g, const struct fi_insn *in,
		       struct fi_check *c)
{
	u32 pushed = push_scratch(g, c);
	u8 r = c->scratch[0];
	u8 t[2 * FI_EMIT_MAX];
	u32 n;

	lea(g, 0x8d, &c->mem, r, pushed);
	if (!g->u->cfg->seg_low)
		fi_put(g, t, fi_emit_reg_op(t, FI_OP_W | 0x63, r, r));
	n = fi_emit_redirect(t, in->bytes, in->len, in->enc == 1,
			     in->rex_off, in->modrm_off, in->imm_len, r, 0);
	if (!n)
		fi_refuse(g, in->va, "store cannot be redirected");
	fi_put(g, t, n);
	pop_scratch(g, c);
}
