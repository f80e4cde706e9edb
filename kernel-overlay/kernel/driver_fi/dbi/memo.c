// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 1a: instructions decoded before, found again by the bytes that decide.
 *
 * The decoder reads byte by byte and knows from those before displacement and
 * immediate, which stand last, how long these are and what the instruction does. So no
 * such beginning is the beginning of another one, a walk through a tree by bytes ends at
 * the right leaf or nowhere, and what a leaf lacks are the two values.
 */

#include "internal.h"

#define MIN_BITS	9
#define MAX_BITS	16

static s64 read_signed(const u8 *p, u32 n)
{
	u32 v = 0, i;

	for (i = 0; i < n; i++)
		v |= (u32)p[i] << (8 * i);
	return n == 1 ? (s8)v : n == 2 ? (s16)v : (s32)v;
}

static u32 edge_key(u32 node, u8 byte)
{
	return (node << 8 | byte) + 1;
}

/* The edge of this key, or the free one where it belongs. */
static struct fi_memo_edge *edge_of(const struct fi_memo *m, u32 key)
{
	u32 i = key * 0x9e3779b1u >> (32 - m->bits);

	while (m->edge[i].key && m->edge[i].key != key)
		i = (i + 1) & ((1u << m->bits) - 1);
	return &m->edge[i];
}

static const struct fi_memo_insn *find(const struct fi_memo *m, const u8 *bytes, u32 avail)
{
	u32 node = 0, i;

	if (!m->bits)
		return NULL;
	for (i = 0; i < avail; i++) {
		const struct fi_memo_edge *e = edge_of(m, edge_key(node, bytes[i]));

		if (e->next & FI_MEMO_LEAF)
			return &m->insn[e->next & ~FI_MEMO_LEAF];
		if (!e->key)
			break;
		node = e->next;
	}
	return NULL;
}

static bool has_target(const struct fi_insn *in)
{
	return in->kind == FI_I_JCC || in->kind == FI_I_JCX || in->kind == FI_I_JMP ||
	       in->kind == FI_I_CALL;
}

/* Returns the length, or 0: not known, or cut off. */
u32 fi_memo_recall(const struct fi_memo *m, const u8 *bytes, u32 avail, u64 va,
		   struct fi_insn *in)
{
	const struct fi_memo_insn *k = find(m, bytes, avail);

	if (!k)
		return 0;
	memcpy((u8 *)in + FI_INSN_FACTS, k->facts, sizeof(k->facts));
	if (in->len > avail)
		return 0;
	memset((u8 *)in + FI_INSN_STAGES, 0, sizeof(*in) - FI_INSN_STAGES);
	in->va = va;
	in->target = 0;
	in->odd = NULL;
	if (in->disp_len && in->mem.present) {
		in->mem.disp = read_signed(bytes + in->disp_off, in->disp_len);
		if (in->mem.rip)
			in->mem.abs = va + in->len + (s64)in->mem.disp;
	}
	if (has_target(in))
		in->target = va + in->len +
			     read_signed(bytes + in->len - in->imm_len, in->imm_len);
	return in->len;
}

/* Twice the room; without memory all stays as it is. */
static bool grow(struct fi_dbi_unit *u)
{
	const struct fi_dbi_env *env = u->env;
	struct fi_memo *m = &u->memo, n = *m;
	u32 i;

	n.bits = m->bits ? m->bits + 1 : MIN_BITS;
	if (n.bits > MAX_BITS)
		return false;
	n.edge = env->alloc(env->ctx, sizeof(*n.edge) << n.bits);
	n.insn = env->alloc(env->ctx, sizeof(*n.insn) << (n.bits - 1));
	if (!n.edge || !n.insn) {
		if (n.edge)
			env->free(env->ctx, n.edge);
		if (n.insn)
			env->free(env->ctx, n.insn);
		return false;
	}
	for (i = 0; m->bits && i < 1u << m->bits; i++)
		if (m->edge[i].key)
			*edge_of(&n, m->edge[i].key) = m->edge[i];
	if (m->nr_insns)
		memcpy(n.insn, m->insn, m->nr_insns * sizeof(*n.insn));
	fi_memo_drop(u);
	*m = n;
	return true;
}

void fi_memo_keep(struct fi_dbi_unit *u, const u8 *bytes, u32 key,
		  const struct fi_insn *in)
{
	struct fi_memo *m = &u->memo;
	struct fi_memo_edge *e;
	u32 node = 0, i;

	if (in->odd)
		return;
	/* room for all edges of one instruction; each has at least one */
	if ((!m->bits || m->nr_edges + 16 > 1u << (m->bits - 1)) && !grow(u))
		return;
	for (i = 0;; i++) {
		e = edge_of(m, edge_key(node, bytes[i]));
		if (e->next & FI_MEMO_LEAF)
			return;
		if (i + 1 == key)
			break;
		if (!e->key) {
			e->key = edge_key(node, bytes[i]);
			e->next = ++m->nr_nodes;
			m->nr_edges++;
		}
		node = e->next;
	}
	if (e->key)
		return;
	e->key = edge_key(node, bytes[i]);
	e->next = FI_MEMO_LEAF | m->nr_insns;
	m->nr_edges++;
	memcpy(m->insn[m->nr_insns++].facts, (const u8 *)in + FI_INSN_FACTS,
	       sizeof(m->insn->facts));
}

void fi_memo_drop(struct fi_dbi_unit *u)
{
	struct fi_memo *m = &u->memo;

	if (m->edge)
		u->env->free(u->env->ctx, m->edge);
	if (m->insn)
		u->env->free(u->env->ctx, m->insn);
	memset(m, 0, sizeof(*m));
}
