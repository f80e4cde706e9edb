// SPDX-License-Identifier: GPL-2.0-only
/*
 * The byte stream of a group: bytes with branches between them, which take their
 * short or long form when everything is known.
 *
 * A position in the stream is a pair: bytes before it, branches before it. Its
 * place in the fragment is the first plus the size of the second.
 */

#include "internal.h"

void fi_asm_reset(struct fi_asmbuf *a)
{
	a->len = 0;
	a->nr_br = 0;
	a->nr_labels = 0;
	a->nr_fixes = 0;
	a->nr_pcs = 0;
	a->align = 16;
}

void fi_asm_bytes(struct fi_dbi_unit *u, struct fi_asmbuf *a, const void *p, u32 n)
{
	a->buf = fi_unit_grow(u, a->buf, &a->cap, a->len + n, 1);
	if (u->nomem)
		return;
	memcpy(a->buf + a->len, p, n);
	a->len += n;
}

/* Returns a label that is not bound yet. */
u32 fi_asm_label(struct fi_dbi_unit *u, struct fi_asmbuf *a)
{
	a->label = fi_unit_grow(u, a->label, &a->cap_labels, a->nr_labels + 1,
				sizeof(*a->label));
	if (u->nomem)
		return 0;
	a->label[a->nr_labels].pos = U32_MAX;
	a->label[a->nr_labels].br = 0;
	return a->nr_labels++;
}

void fi_asm_bind(struct fi_asmbuf *a, u32 label)
{
	if (label >= a->nr_labels)
		return;
	a->label[label].pos = a->len;
	a->label[label].br = a->nr_br;
}

void fi_asm_branch(struct fi_dbi_unit *u, struct fi_asmbuf *a, u8 cc, u32 label,
		   bool wide)
{
	struct fi_branch *b;

	a->br = fi_unit_grow(u, a->br, &a->cap_br, a->nr_br + 1, sizeof(*a->br));
	if (u->nomem)
		return;
	b = &a->br[a->nr_br++];
	b->pos = a->len;
	b->label = label;
	b->cc = cc;
	b->wide = wide;
	b->cum = 0;
	b->size = 0;
}

/* What comes next starts at a multiple of FI_LOOP_ALIGN. */
void fi_asm_align(struct fi_dbi_unit *u, struct fi_asmbuf *a)
{
	a->align = FI_LOOP_ALIGN;
	fi_asm_branch(u, a, FI_CC_ALIGN, 0, false);
}

/* The field is the last four bytes of the stream but @tail. */
void fi_asm_fix(struct fi_dbi_unit *u, struct fi_asmbuf *a, u8 kind, u64 target,
		u8 tail)
{
	struct fi_fix *f;

	a->fix = fi_unit_grow(u, a->fix, &a->cap_fixes, a->nr_fixes + 1,
			      sizeof(*a->fix));
	if (u->nomem)
		return;
	f = &a->fix[a->nr_fixes++];
	f->pos = a->len - tail - 4;
	f->br = a->nr_br;
	f->tail = tail;
	f->kind = kind;
	f->target = target;
}

void fi_asm_pc(struct fi_dbi_unit *u, struct fi_asmbuf *a, u64 va, bool main)
{
	struct fi_pcmap *m;

	a->pc = fi_unit_grow(u, a->pc, &a->cap_pcs, a->nr_pcs + 1, sizeof(*a->pc));
	if (u->nomem)
		return;
	m = &a->pc[a->nr_pcs++];
	m->va = va;
	m->pos = a->len;
	m->br = a->nr_br;
	m->main = main;
}

static u32 branch_size(const struct fi_branch *b)
{
	if (b->cc == FI_CC_ALIGN)
		return -(b->pos + b->cum) & (FI_LOOP_ALIGN - 1);
	return !b->wide ? 2 : b->cc == FI_CC_JMP ? 5 : 6;
}

static u32 sum_branches(struct fi_asmbuf *a)
{
	u32 i, cum = 0;

	for (i = 0; i < a->nr_br; i++) {
		a->br[i].cum = cum;
		a->br[i].size = branch_size(&a->br[i]);
		cum += a->br[i].size;
	}
	return cum;
}

u32 fi_asm_size(const struct fi_asmbuf *a)
{
	return fi_asm_pos(a, a->len, a->nr_br);
}

/*
 * Widens branches until each reaches its label; they only ever grow, so it ends. Nops
 * for alignment follow: the last round has found all in place with them.
 */
void fi_asm_relax(struct fi_asmbuf *a)
{
	bool again;
	u32 i;

	do {
		again = false;
		sum_branches(a);
		for (i = 0; i < a->nr_br; i++) {
			struct fi_branch *b = &a->br[i];
			struct fi_label *l;
			s64 d;

			if (b->wide || b->cc == FI_CC_ALIGN)
				continue;
			l = &a->label[b->label];
			d = (s64)fi_asm_pos(a, l->pos, l->br) -
			    (s64)(b->pos + b->cum + 2);
			if (d >= -128 && d <= 127)
				continue;
			b->wide = true;
			again = true;
		}
	} while (again);
	sum_branches(a);
}
