// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 6: a group, instruction by instruction, into the byte stream. What is not
 * listed here is copied, with its pc-relative operand pointing where it did.
 */

#include "internal.h"

static const u8 ud2[] = { 0x0f, 0x0b };

/* The label of instruction @insn (index + 1), for a branch from @from. */
static u32 target_label(struct fi_group *g, const struct fi_insn *from, u32 insn)
{
	const struct fi_block *b = &g->block[g->insn[insn - 1].block];

	return g->insn[insn - 1].block == from->block ? b->loop : b->label;
}

static void lower_copy(struct fi_group *g, const struct fi_insn *in)
{
	fi_put(g, in->bytes, in->len);
	if (in->mem.rip)
		fi_asm_fix(g->u, &g->u->a, FI_FIX_ABS, in->mem.abs,
			   in->len - in->disp_off - 4);
}

/* e8, e9 or 0f 8x with a 32-bit displacement to where @in goes. */
static void rel32(struct fi_group *g, const struct fi_insn *in, u8 op, u8 cc)
{
	u8 t[6] = { op };
	u32 n = op == 0x0f ? 2 : 1;

	if (op == 0x0f)
		t[1] = 0x80 | cc;
	fi_put(g, t, n + 4);
	if (!in->tfunc)
		fi_asm_fix(g->u, &g->u->a, FI_FIX_ABS, in->tto, 0);
	else
		fi_asm_fix(g->u, &g->u->a,
			   op == 0xe8 ? FI_FIX_ENTRY : FI_FIX_BODY,
			   in->tfunc - 1, 0);
}

/* A jump to another function: the callee returns for us. */
static void lower_tail(struct fi_group *g, const struct fi_insn *in)
{
	u32 over;

	/* the kernel patches the branch: it stands alone, after the check */
	if (in->kind == FI_I_JCC && in->scall) {
		fi_control_ret_check_live(g, in);
		fi_asm_pc(g->u, &g->u->a, in->va, true);
		rel32(g, in, 0x0f, in->cc);
		return;
	}
	over = fi_asm_label(g->u, &g->u->a);
	if (in->kind == FI_I_JCC)
		fi_asm_branch(g->u, &g->u->a, in->cc ^ 1, over, false);
	fi_control_give_back(g);
	/* an entry of the module after the store keeps our shadow */
	if (!in->tfunc)
		fi_control_ret_check(g, in, FI_NOREG);
	if (in->scall)
		fi_asm_pc(g->u, &g->u->a, in->va, true);
	rel32(g, in, 0xe9, 0);
	fi_asm_bind(&g->u->a, over);
}

/* A static key's site: five bytes, a nop or a jump, as it is now. */
static void lower_label(struct fi_group *g, const struct fi_insn *in)
{
	static const u8 nop5[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	const u8 *b = in->bytes;

	if (b[0] != 0xe9 && b[0] != 0xeb)
		fi_put(g, nop5, 5);
	else if (in->xtarget)
		fi_asm_branch(g->u, &g->u->a, FI_CC_JMP,
			      target_label(g, in, in->xtarget), true);
}

/* jrcxz and loop reach eight bits only. */
static void lower_jcx(struct fi_group *g, const struct fi_insn *in)
{
	static const u8 hop[] = { 2, 0xeb, 5 };

	fi_put(g, in->bytes, in->len - 1);
	fi_put(g, hop, sizeof(hop));
	fi_asm_branch(g->u, &g->u->a, FI_CC_JMP, target_label(g, in, in->jtarget), true);
}

static void lower_trap(struct fi_group *g, const struct fi_insn *in)
{
	struct fi_dbi_site s = {
		.va = in->va, .sens = in->sens,
		.kind = in->kind == FI_I_TRAP ? FI_SITE_TRAP : FI_SITE_SKIP,
	};

	g->u->stats.traps++;
	fi_emit_site_call(g, &s, g->u->cfg->slow_trap);
}

static void lower_port(struct fi_group *g, const struct fi_insn *in)
{
	struct fi_dbi_site s = {
		.va = in->va, .kind = FI_SITE_PORT, .size = in->opsize,
	};
	const u8 *b = in->bytes;
	u8 opcode = b[in->len - 1 - in->imm_len];

	if (in->imm_len)
		s.mask = 0x10000 | b[in->len - 1];
	/* e4 to e7 and ec to ef; strings are 6c to 6f */
	if (opcode >= 0xe4) {
		s.nstores = in->len;
		s.user = !(opcode & 2);
	}
	fi_emit_site_call(g, &s, g->u->cfg->slow_port);
}

/* Tests: what is believed dead must not matter. */
static void poison(struct fi_group *g, const struct fi_insn *in)
{
	static const u8 cmp_rsp[2][4] = {
		{ 0x48, 0x39, 0xe4, 0xf9 },	/* cmp %rsp,%rsp; stc */
		{ 0x48, 0x83, 0xfc, 0x7f },	/* cmp $127,%rsp */
	};
	const u64 dead = 0xdead000000000000ULL;
	u8 t[FI_EMIT_MAX];
	u32 r;

	for (r = 0; r < FI_NR_REGS; r++)
		if (!(in->live & FI_REG(r)) && r != FI_RSP)
			fi_put(g, t, fi_emit_mov_imm64(t, r, dead | in->va << 4 | r));
	if (!in->flive)
		fi_put(g, cmp_rsp[in->va & 1], 4);
}

static void lower_insn(struct fi_group *g, struct fi_insn *in)
{
	switch (in->kind) {
	case FI_I_NOP:
		if (in->scall || in->extable)
			lower_copy(g, in);
		break;
	case FI_I_TRAP:
		lower_trap(g, in);
		break;
	case FI_I_JCC:
		if (in->tail)
			lower_tail(g, in);
		else
			fi_asm_branch(g->u, &g->u->a, in->cc,
				      target_label(g, in, in->jtarget), false);
		break;
	case FI_I_JCX:
		lower_jcx(g, in);
		break;
	case FI_I_JMP:
		if (in->label)
			lower_label(g, in);
		else if (in->tail)
			lower_tail(g, in);
		break;		/* in the group: by lower_block() */
	case FI_I_CALL:
		rel32(g, in, 0xe8, 0);
		break;
	case FI_I_ICALL:
	case FI_I_IJMP:
		fi_control_indirect(g, in);
		break;
	case FI_I_RET:
		fi_control_ret(g, in);
		break;
	default:
		if (in->sens && in->verdict == FI_DBI_SKIP) {
			lower_trap(g, in);
			break;
		}
		if (in->sens == FI_SENS_PORT && in->verdict == FI_DBI_ASK)
			lower_port(g, in);
		if (in->rsp_check)
			fi_control_rsp(g, in);
		if (in->redirect)
			fi_check_redirect(g, in, &g->check[in->redirect - 1]);
		else
			lower_copy(g, in);
		break;
	}
}

/* The function whose first instruction starts block @b, as a part, or NULL. */
static struct fi_part *part_of_entry(struct fi_group *g, const struct fi_block *b)
{
	u64 va = g->insn[b->first].va;
	u32 i;

	for (i = 0; i < g->nr_parts; i++)
		if (g->u->funcs[g->part[i].func].va == va)
			return &g->part[i];
	return NULL;
}

/* Where control goes at the end of @b, if it is not what comes next anyway. */
static void lower_end(struct fi_group *g, u32 n)
{
	const struct fi_block *b = &g->block[n];
	const struct fi_insn *in = &g->insn[b->last];
	struct fi_asmbuf *a = &g->u->a;
	u32 to = in->next;

	if (in->kind == FI_I_JMP && !in->label && !in->tail)
		to = in->jtarget;
	else if (in->kind == FI_I_TRAP || in->kind == FI_I_RET ||
		 in->kind == FI_I_IJMP || (in->kind == FI_I_JMP && in->tail))
		return;
	if (!to) {
		/* only reached if a call returns that never does */
		fi_put(g, ud2, 2);
		return;
	}
	if (g->insn[to - 1].block == n + 1 &&
	    !part_of_entry(g, &g->block[n + 1]))
		return;
	fi_asm_branch(g->u, a, FI_CC_JMP, target_label(g, in, to), false);
}

static void lower_block(struct fi_group *g, u32 n)
{
	struct fi_block *b = &g->block[n];
	struct fi_part *p = part_of_entry(g, b);
	struct fi_asmbuf *a = &g->u->a;
	u32 i, c;

	if (p) {
		fi_asm_pc(g->u, a, g->insn[b->first].va, false);
		fi_asm_bind(a, p->entry);
		if (!p->cold)
			fi_control_entry(g);
		fi_asm_bind(a, p->body);
		if (!p->cold)
			fi_control_borrow(g);
	}
	if (b->head && !p && !b->limits && !(g->insn[b->first].va % FI_LOOP_ALIGN)) {
		/* as the compiler had it, whose nops are not copied */
		fi_asm_pc(g->u, a, g->insn[b->first].va, false);
		fi_asm_align(g->u, a);
	}
	fi_asm_bind(a, b->label);
	if (b->limits) {
		fi_asm_pc(g->u, a, g->insn[b->first].va, false);
		fi_check_loop_entry(g, b);
		fi_asm_align(g->u, a);
	}
	fi_asm_bind(a, b->loop);
	for (i = b->first; i <= b->last; i++) {
		struct fi_insn *in = &g->insn[i];

		for (c = in->check; c; c = g->check[c - 1].next) {
			fi_asm_pc(g->u, a, g->insn[g->check[c - 1].insn].va, false);
			fi_check_emit(g, &g->check[c - 1]);
		}
		if (g->u->cfg->poison) {
			fi_asm_pc(g->u, a, in->va, false);
			poison(g, in);
		}
		/* a patched tail call stands behind its check */
		fi_asm_pc(g->u, a, in->va, !(in->scall && in->tail));
		lower_insn(g, in);
		if (in->kind == FI_I_TRAP)
			break;
	}
	lower_end(g, n);
}

bool fi_lower(struct fi_group *g)
{
	struct fi_asmbuf *a = &g->u->a;
	u32 i;

	g->nr_colds = 0;
	for (i = 0; i < g->nr_blocks; i++) {
		g->block[i].label = fi_asm_label(g->u, a);
		g->block[i].loop = fi_asm_label(g->u, a);
	}
	for (i = 0; i < g->nr_parts; i++) {
		g->part[i].entry = fi_asm_label(g->u, a);
		g->part[i].body = fi_asm_label(g->u, a);
	}
	for (i = 0; i < g->nr_blocks && !g->u->nomem; i++)
		lower_block(g, i);
	for (i = 0; i < g->nr_checks && !g->u->nomem; i++)
		fi_check_emit_cold(g, &g->check[i]);
	if (!g->u->nomem)
		fi_control_cold(g);
	return !g->refusal && !g->u->nomem;
}
