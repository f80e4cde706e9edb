// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 6b: function entries, returns against the parallel shadow stack, indirect
 * calls and jumps through the table of legal targets.
 */

#include "internal.h"

static void put_mem(struct fi_group *g, u32 op, u8 reg, u8 base, s32 disp)
{
	struct fi_emit_mem m = { .base = base, .index = FI_NOREG, .disp = disp };
	u8 t[FI_EMIT_MAX];

	fi_put(g, t, fi_emit_mem_op(t, op, reg, &m));
}

#define MOV_LOAD	(FI_OP_W | 0x8b)
#define MOV_STORE	(FI_OP_W | 0x89)
#define CMP_STORE	(FI_OP_W | 0x39)
#define LEA		(FI_OP_W | 0x8d)

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

static u32 new_cold(struct fi_group *g, u8 kind, const struct fi_insn *in, u32 back)
{
	struct fi_cold *c;

	g->cold = fi_unit_grow(g->u, g->cold, &g->cap_colds, g->nr_colds + 1,
			       sizeof(*g->cold));
	if (g->u->nomem)
		return 0;
	c = &g->cold[g->nr_colds++];
	c->kind = kind;
	c->insn = in - g->insn;
	c->label = fi_asm_label(g->u, &g->u->a);
	c->back = back;
	return c->label;
}

/* The return address a second time, at a constant distance. */
void fi_control_entry(struct fi_group *g)
{
	const struct fi_dbi_config *cfg = g->u->cfg;
	static const u8 endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	if (cfg->ibt)
		fi_put(g, endbr, 4);
	if (!cfg->ret_check)
		return;
	if (g->abi) {
		put_mem(g, MOV_LOAD, FI_R11, FI_RSP, 0);
		put_mem(g, MOV_STORE, FI_R11, FI_RSP, -cfg->shadow);
		return;
	}
	/* no register and no flag: push (%rsp); pop -shadow(%rsp) */
	put_mem(g, 0xff, 6, FI_RSP, 0);
	put_mem(g, 0x8f, 0, FI_RSP, -cfg->shadow);
}

/* Own the register that borrow.c chose: its value to the word below the shadow. */
void fi_control_borrow(struct fi_group *g)
{
	if (g->borrowed != FI_NOREG)
		put_mem(g, MOV_STORE, g->borrowed, FI_RSP, -g->u->cfg->shadow - 8);
}

/* Before the function is left; rsp is what it was on entry. */
void fi_control_give_back(struct fi_group *g)
{
	if (g->borrowed != FI_NOREG)
		put_mem(g, MOV_LOAD, g->borrowed, FI_RSP, -g->u->cfg->shadow - 8);
}

/* Everything may be live: compare without touching registers or flags. */
void fi_control_ret_check_live(struct fi_group *g, const struct fi_insn *in)
{
	static const u8 not_rcx[] = { 0x48, 0xf7, 0xd1 };
	static const u8 lea_sum[] = { 0x48, 0x8d, 0x4c, 0x08, 0x01 };
	static const u8 jrcxz[] = { 0xe3, 10 };
	struct fi_dbi_site s = { .va = in->va, .kind = FI_SITE_RET, .pushed = 2 };

	if (!g->u->cfg->ret_check)
		return;
	g->u->stats.rets++;
	push(g, FI_RAX);
	push(g, FI_RCX);
	put_mem(g, MOV_LOAD, FI_RCX, FI_RSP, 16 - g->u->cfg->shadow);
	fi_put(g, not_rcx, sizeof(not_rcx));
	put_mem(g, MOV_LOAD, FI_RAX, FI_RSP, 16);
	fi_put(g, lea_sum, sizeof(lea_sum));
	fi_put(g, jrcxz, sizeof(jrcxz));
	fi_emit_site_call(g, &s, g->u->cfg->slow_ret);
	pop(g, FI_RCX);
	pop(g, FI_RAX);
}

/* Compares the return address before control leaves the function; @busy is a
 * register that must be kept although liveness calls it dead.
 */
void fi_control_ret_check(struct fi_group *g, const struct fi_insn *in, u8 busy)
{
	s32 d = -g->u->cfg->shadow;
	u8 r = FI_R11, pushed = 0;

	if (!g->abi) {
		fi_control_ret_check_live(g, in);
		return;
	}
	if (!g->u->cfg->ret_check)
		return;
	g->u->stats.rets++;
	if (busy == r) {
		r = FI_RAX;
		push(g, r);
		pushed = 8;
	}
	put_mem(g, MOV_LOAD, r, FI_RSP, pushed);
	put_mem(g, CMP_STORE, r, FI_RSP, d + pushed);
	if (pushed)
		pop(g, r);
	fi_asm_branch(g->u, &g->u->a, 5, new_cold(g, FI_COLD_RET, in, 0), false);
}

/* Before rsp is loaded from a register: new less old within a frame, or a trap. */
void fi_control_rsp(struct fi_group *g, const struct fi_insn *in)
{
	u16 busy = in->live | in->use | in->wr | FI_REG(FI_RSP);
	u16 from = in->use & ~FI_REG(FI_RSP);
	u8 r = 0, src = 0, t[FI_EMIT_MAX];

	while (busy >> r & 1)
		r++;
	while (!(from >> src & 1))
		src++;
	put_mem(g, LEA, r, src, in->mem.present ? in->mem.disp : 0);
	fi_put(g, t, fi_emit_reg_op(t, FI_OP_W | 0x29, FI_RSP, r));
	fi_put(g, t, fi_emit_alu_imm(t, 7, r, g->u->cfg->max_frame));
	fi_asm_branch(g->u, &g->u->a, 3, new_cold(g, FI_COLD_RSP, in, 0), false);
}

static void jmp_abs(struct fi_group *g, u64 target)
{
	static const u8 jmp[5] = { 0xe9 };

	fi_put(g, jmp, 5);
	fi_asm_fix(g->u, &g->u->a, FI_FIX_ABS, target, 0);
}

void fi_control_ret(struct fi_group *g, const struct fi_insn *in)
{
	static const u8 ret = 0xc3;

	fi_control_give_back(g);
	fi_control_ret_check(g, in, FI_NOREG);
	if (g->u->cfg->ret_thunk)
		jmp_abs(g, g->u->cfg->ret_thunk);
	else
		fi_put(g, &ret, 1);
}

/* The target, as an offset from the module's text, to r11. */
static void load_target(struct fi_group *g, const struct fi_insn *in)
{
	struct fi_emit_mem m = {
		.base = in->mem.base, .index = in->mem.index,
		.scale = in->mem.scale, .disp = in->mem.disp, .rip = in->mem.rip,
	};
	s64 base = g->u->texts[0].va;
	u8 t[FI_EMIT_MAX], from = in->reg;
	u32 n = 0;

	if (from == FI_NOREG) {
		if (in->mem.gs)
			t[n++] = 0x65;
		n += fi_emit_mem_op(t + n, MOV_LOAD, FI_R11, &m);
		fi_put(g, t, n);
		if (m.rip)
			fi_asm_fix(g->u, &g->u->a, FI_FIX_ABS, in->mem.abs, 0);
		from = FI_R11;
	}
	put_mem(g, LEA, FI_R11, from, -base);
}

/* Call or jump to table entry r11; r11 stays for the stub. */
static void through_table(struct fi_group *g, bool call)
{
	struct fi_dbi_unit *u = g->u;
	struct fi_emit_mem m = {
		.base = FI_NOREG, .index = FI_R11, .scale = 8,
		.disp = u->va + u->table,
	};
	u8 t[FI_EMIT_MAX];

	if (!u->cfg->ind_thunk) {
		fi_put(g, t, fi_emit_mem_op(t, 0xff, call ? 2 : 4, &m));
		return;
	}
	fi_put(g, t, fi_emit_mem_op(t, MOV_LOAD, FI_R11, &m));
	if (call)
		fi_emit_call(g, u->cfg->ind_thunk);
	else
		jmp_abs(g, u->cfg->ind_thunk);
}

static bool kernel_slot(struct fi_group *g, const struct fi_insn *in)
{
	return in->reg == FI_NOREG && in->mem.rip && !in->mem.gs &&
	       g->u->env->const_slot(g->u->env->ctx, in->mem.abs);
}

static void copy_indirect(struct fi_group *g, const struct fi_insn *in)
{
	fi_put(g, in->bytes, in->len);
	fi_asm_fix(g->u, &g->u->a, FI_FIX_ABS, in->mem.abs,
		   in->len - in->disp_off - 4);
}

/* Does the register of this jump come from arithmetic? */
static bool is_computed(struct fi_group *g, const struct fi_insn *in)
{
	u32 first = g->block[in->block].first, i = in - g->insn;

	if (in->reg == FI_NOREG)
		return in->mem.index != FI_NOREG;
	while (i-- > first) {
		const struct fi_insn *w = &g->insn[i];

		if (w->wr & FI_REG(in->reg))
			return w->bytes[w->opc_off] != 0x8b &&
			       w->bytes[w->opc_off] != 0x89;
	}
	return false;
}

void fi_control_indirect(struct fi_group *g, const struct fi_insn *in)
{
	struct fi_dbi_unit *u = g->u;
	bool call = in->kind == FI_I_ICALL;
	u32 back = 0;
	u8 t[FI_EMIT_MAX];

	if (!call) {
		fi_control_give_back(g);
		fi_control_ret_check(g, in, in->reg);
	}
	if (kernel_slot(g, in)) {
		copy_indirect(g, in);
		return;
	}
	/*
	 * What a pointer from memory leads to is a C function, so that r11 and the
	 * flags are dead before the transfer also in assembly. A computed jump of
	 * an assembly function is no such transfer.
	 */
	if (!g->abi && !call && is_computed(g, in)) {
		fi_refuse(g, in->va, "computed jump in assembly");
		return;
	}
	u->stats.icalls++;
	load_target(g, in);
	fi_put(g, t, fi_emit_shift(t, 1, FI_R11, 4));
	fi_put(g, t, fi_emit_alu_imm(t, 7, FI_R11, u->table_n));
	if (call)
		back = fi_asm_label(u, &u->a);
	fi_asm_branch(u, &u->a, 3,
		      new_cold(g, call ? FI_COLD_CALL : FI_COLD_JMP, in, back),
		      false);
	through_table(g, call);
	if (call)
		fi_asm_bind(&u->a, back);
}

/*
 * Where table entries that are no target lead, and offsets outside the table: r11
 * is the offset turned right by four. The helper answers with the address to go to.
 */
void fi_control_stub(struct fi_group *g)
{
	static const u8 jmp_r11[] = { 0x41, 0xff, 0xe3 };
	static const u8 endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	u8 t[FI_EMIT_MAX];

	if (g->u->cfg->ibt)
		fi_put(g, endbr, 4);
	fi_put(g, t, fi_emit_shift(t, 0, FI_R11, 4));
	put_mem(g, LEA, FI_R11, FI_R11, (s32)g->u->texts[0].va);
	fi_emit_call(g, g->u->cfg->slow_icall);
	if (g->u->cfg->ind_thunk)
		jmp_abs(g, g->u->cfg->ind_thunk);
	else
		fi_put(g, jmp_r11, 3);
}

void fi_control_cold(struct fi_group *g)
{
	struct fi_dbi_unit *u = g->u;
	struct fi_asmbuf *a = &u->a;
	u32 i;

	for (i = 0; i < g->nr_colds; i++) {
		const struct fi_cold *c = &g->cold[i];
		struct fi_dbi_site s = {
			.va = g->insn[c->insn].va, .kind = FI_SITE_RET,
		};

		fi_asm_pc(u, a, s.va, false);
		fi_asm_bind(a, c->label);
		switch (c->kind) {
		case FI_COLD_RET:
			fi_emit_site_call(g, &s, u->cfg->slow_ret);
			break;
		case FI_COLD_RSP:
			s.kind = FI_SITE_TRAP;
			s.sens = FI_SENS_RSP;
			fi_emit_site_call(g, &s, u->cfg->slow_trap);
			break;
		case FI_COLD_CALL:
			fi_emit_call(g, u->va + u->stub);
			fi_asm_branch(u, a, FI_CC_JMP, c->back, false);
			break;
		default:
			jmp_abs(g, u->va + u->stub);
			break;
		}
	}
}
