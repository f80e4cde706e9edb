// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unit: a module's functions in groups, the arena, and what ties the fragments
 * together.
 *
 * The arena: the table of legal targets, the stub, fragments upward from there; the
 * sites downward from its end.
 */

#include "internal.h"

void *__fi_unit_grow(struct fi_dbi_unit *u, void *p, u32 *cap, u32 need, size_t size)
{
	u32 n = *cap ? *cap : 64;
	void *q;

	if (u->nomem)
		return p;
	while (n < need)
		n *= 2;
	q = u->env->alloc(u->env->ctx, n * size);
	if (!q) {
		u->nomem = true;
		return p;
	}
	if (p) {
		memcpy(q, p, *cap * size);
		u->env->free(u->env->ctx, p);
	}
	*cap = n;
	return q;
}

int fi_unit_text(const struct fi_dbi_unit *u, u64 va)
{
	u32 i;

	for (i = 0; i < u->nr_texts; i++)
		if (va >= u->texts[i].va && va - u->texts[i].va < u->texts[i].size)
			return i;
	return -1;
}

int fi_unit_func(const struct fi_dbi_unit *u, u64 va)
{
	u32 lo = 0, hi = u->nr_funcs;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (u->funcs[mid].va <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || va - u->funcs[lo - 1].va >= u->funcs[lo - 1].size)
		return -1;
	return lo - 1;
}

static bool edge_below(const struct fi_dbi_unit *u, u32 i, u64 from)
{
	return i < u->nr_edges && u->edges[i].from < from;
}

/* The first edge from @from, or NULL. Instructions come in runs: start at the last. */
const struct fi_dbi_edge *fi_unit_edge(struct fi_dbi_unit *u, u64 from)
{
	u32 lo = u->edge_hint, hi = u->nr_edges;

	if (edge_below(u, lo, from) || (lo && !edge_below(u, lo - 1, from))) {
		lo = 0;
		while (lo < hi) {
			u32 mid = lo + (hi - lo) / 2;

			if (u->edges[mid].from < from)
				lo = mid + 1;
			else
				hi = mid;
		}
		u->edge_hint = lo;
	}
	return lo < u->nr_edges && u->edges[lo].from == from ?
	       &u->edges[lo] : NULL;
}

/* Puts @s into the arena; its address, or 0 without room. */
u64 fi_unit_site(struct fi_dbi_unit *u, const struct fi_dbi_site *s)
{
	u32 at = u->arena_size - u->data_used - sizeof(*s);

	if (u->used + u->data_used + sizeof(*s) > u->arena_size) {
		u->nospace = true;
		return 0;
	}
	memcpy(u->w + at, s, sizeof(*s));
	u->data_used += sizeof(*s);
	return u->va + at;
}

/* Takes function @f and all that is in one ring with it into the group of @g. */
bool fi_unit_add_parts(struct fi_group *g, u32 f)
{
	struct fi_dbi_unit *u = g->u;
	u32 i = f;

	do {
		const struct fi_dbi_func *fn = &u->funcs[i];
		struct fi_part *p = &g->part[g->nr_parts];
		int t = fi_unit_text(u, fn->va);

		if (t < 0 || fn->va + fn->size > u->texts[t].va + u->texts[t].size)
			return fi_refuse(g, fn->va, "function outside the text");
		if (g->nr_parts == FI_MAX_PARTS)
			return fi_refuse(g, fn->va, "too many parts");
		g->nr_parts++;
		p->func = i;
		p->text = t;
		p->off = fn->va - u->texts[t].va;
		p->size = fn->size;
		p->va = fn->va;
		p->bytes = u->texts[t].bytes + p->off;
		p->cold = fn->flags & FI_DBI_FN_COLD;
		if (!p->cold && !(fn->flags & FI_DBI_FN_ABI))
			g->abi = false;
		i = u->chain[i];
	} while (i != f);
	return true;
}

/*
 * A jump leads from the group of @g into the middle of function @f, or to a cold part:
 * they are one. If @f already has a fragment, that one stays good; the new one holds a
 * second copy. False if the group is refused for it.
 */
bool fi_unit_unite(struct fi_group *g, u32 f)
{
	struct fi_dbi_unit *u = g->u;
	u32 first = g->part[0].func, lead = u->leader[first], i = f, next;

	if (lead == u->leader[f] || !fi_unit_add_parts(g, f))
		return false;
	do {
		u->leader[i] = lead;
		i = u->chain[i];
	} while (i != f);
	/* two rings become one */
	next = u->chain[first];
	u->chain[first] = u->chain[f];
	u->chain[f] = next;
	return true;
}

int fi_dbi_create(struct fi_dbi_unit **unit, const struct fi_dbi_input *in)
{
	const struct fi_dbi_env *env = in->env;
	struct fi_dbi_unit *u = env->alloc(env->ctx, sizeof(*u));
	u32 i;

	if (!u)
		return -ENOMEM;
	u->env = env;
	u->cfg = in->cfg;
	u->texts = in->texts;
	u->nr_texts = in->nr_texts;
	u->funcs = in->funcs;
	u->nr_funcs = in->nr_funcs;
	u->edges = in->edges;
	u->nr_edges = in->nr_edges;
	u->g.u = u;
	u->leader = env->alloc(env->ctx, (in->nr_funcs + 1) * sizeof(*u->leader));
	u->chain = env->alloc(env->ctx, (in->nr_funcs + 1) * sizeof(*u->chain));
	u->frag = env->alloc(env->ctx, (in->nr_funcs + 1) * sizeof(*u->frag));
	u->dec = env->alloc(env->ctx, fi_decode_scratch());
	if (!u->leader || !u->chain || !u->frag || !u->dec) {
		fi_dbi_destroy(u);
		return -ENOMEM;
	}
	fi_decode_init(u->dec);
	for (i = 0; i < u->nr_funcs; i++) {
		u->leader[i] = i;
		u->chain[i] = i;
	}
	u->stats.funcs = u->nr_funcs;
	*unit = u;
	return 0;
}

void fi_dbi_destroy(struct fi_dbi_unit *u)
{
	void *list[] = {
		u->leader, u->chain, u->frag, u->dec, u->xref, u->map, u->rmap, u->store,
		u->g.insn, u->g.block, u->g.check, u->g.at, u->g.work, u->g.cold,
		u->a.buf, u->a.br, u->a.label, u->a.fix, u->a.pc, u,
	};
	const struct fi_dbi_env *env = u->env;
	u32 i;

	fi_memo_drop(u);
	for (i = 0; i < ARRAY_SIZE(list); i++)
		if (list[i])
			env->free(env->ctx, list[i]);
}

/* Text may double; a site and a table entry for each of the shortest stores. */
u64 fi_dbi_arena_size(u64 text_bytes, u32 nr_funcs)
{
	return ALIGN(text_bytes * 4 + (u64)nr_funcs * 96 + 8192, 4096);
}

/* Placing a finished stream */

static void write_branch(struct fi_dbi_unit *u, u8 *p, const struct fi_branch *b)
{
	const struct fi_label *l = &u->a.label[b->label];
	s64 d;

	if (b->cc == FI_CC_ALIGN) {
		fi_emit_nops(p, b->size);
		return;
	}
	d = (s64)fi_asm_pos(&u->a, l->pos, l->br) - (s64)(b->pos + b->cum);
	if (!b->wide) {
		p[0] = b->cc == FI_CC_JMP ? 0xeb : 0x70 | b->cc;
		p[1] = d - 2;
	} else if (b->cc == FI_CC_JMP) {
		p[0] = 0xe9;
		fi_emit_imm(p + 1, d - 5, 4);
	} else {
		p[0] = 0x0f;
		p[1] = 0x80 | b->cc;
		fi_emit_imm(p + 2, d - 6, 4);
	}
}

static void write_stream(struct fi_dbi_unit *u, u8 *out)
{
	const struct fi_asmbuf *a = &u->a;
	u32 i, pos = 0;

	for (i = 0; i < a->nr_br; i++) {
		const struct fi_branch *b = &a->br[i];

		memcpy(out + pos + b->cum, a->buf + pos, b->pos - pos);
		write_branch(u, out + b->pos + b->cum, b);
		pos = b->pos;
	}
	memcpy(out + fi_asm_pos(a, pos, a->nr_br), a->buf + pos, a->len - pos);
}

static bool add_xref(struct fi_dbi_unit *u, u32 pos, const struct fi_fix *f)
{
	struct fi_xref *x;

	u->xref = fi_unit_grow(u, u->xref, &u->cap_xrefs, u->nr_xrefs + 1,
			       sizeof(*u->xref));
	if (u->nomem)
		return false;
	x = &u->xref[u->nr_xrefs++];
	x->pos = pos;
	x->func = f->target;
	x->body = f->kind == FI_FIX_BODY;
	return true;
}

static bool apply_fixes(struct fi_dbi_unit *u, u32 start)
{
	u32 i;

	for (i = 0; i < u->a.nr_fixes; i++) {
		const struct fi_fix *f = &u->a.fix[i];
		u32 pos = start + fi_asm_pos(&u->a, f->pos, f->br);
		s64 d;

		if (f->kind != FI_FIX_ABS) {
			if (!add_xref(u, pos, f))
				return false;
			continue;
		}
		d = (s64)(f->target - (u->va + pos + 4 + f->tail));
		if (d != (s32)d)
			return fi_refuse(&u->g, 0, "operand out of reach");
		fi_emit_imm(u->w + pos, d, 4);
	}
	return true;
}

static void set_frags(struct fi_dbi_unit *u, u32 start, u32 len)
{
	const struct fi_asmbuf *a = &u->a;
	u32 i;

	for (i = 0; i < u->g.nr_parts; i++) {
		const struct fi_part *p = &u->g.part[i];
		struct fi_frag *f = &u->frag[p->func];
		const struct fi_label *e = &a->label[p->entry];
		const struct fi_label *b = &a->label[p->body];

		f->start = start;
		f->len = len;
		f->refusal = NULL;
		f->entry = 0;
		f->body = 0;
		if (e->pos == U32_MAX)
			continue;	/* a cold part that nothing reaches */
		f->entry = start + fi_asm_pos(a, e->pos, e->br);
		f->body = start + fi_asm_pos(a, b->pos, b->br);
	}
}

/* Moves the stream into the arena. */
static bool place_group(struct fi_dbi_unit *u)
{
	u32 start = ALIGN(u->used, u->a.align), size, xrefs = u->nr_xrefs, i;

	fi_asm_relax(&u->a);
	size = fi_asm_size(&u->a);
	if (start + size + u->data_used > u->arena_size) {
		u->nospace = true;
		return false;
	}
	for (i = u->used; i < start; i++)
		u->w[i] = 0xcc;
	write_stream(u, u->w + start);
	if (!apply_fixes(u, start)) {
		u->nr_xrefs = xrefs;
		return false;
	}
	if (!fi_map_append(u, start))
		return false;
	set_frags(u, start, size);
	u->used = start + size;
	u->stats.cache_bytes += size;
	u->stats.insns += u->g.nr_insns;
	return true;
}

static bool collect_parts(struct fi_dbi_unit *u, u32 lead)
{
	struct fi_group *g = &u->g;

	g->nr_parts = 0;
	g->abi = true;
	g->borrowed = FI_NOREG;
	g->refusal = NULL;
	return fi_unit_add_parts(g, lead);
}

static bool stages(struct fi_group *g)
{
	if (!fi_cfg_build(g))
		return false;
	fi_liveness(g);
	fi_frame(g);
	fi_borrow(g);
	if (g->refusal || !fi_plan(g) || !fi_lower(g))
		return false;
	return place_group(g->u);
}

static void mark_refused(struct fi_dbi_unit *u, u32 lead)
{
	u32 i;

	for (i = 0; i < u->nr_funcs; i++) {
		if (u->leader[i] != lead)
			continue;
		u->frag[i].refusal = u->g.refusal;
		u->frag[i].refusal_va = u->g.refusal_va;
		u->stats.refused++;
	}
}

/* A refused function is entered by a trap. */
static bool place_refusal(struct fi_dbi_unit *u, u32 lead)
{
	struct fi_dbi_site s = { .va = u->funcs[lead].va, .kind = FI_SITE_TRAP };
	struct fi_group *g = &u->g;
	u32 i;

	fi_asm_reset(&u->a);
	for (i = 0; i < g->nr_parts; i++) {
		g->part[i].entry = fi_asm_label(u, &u->a);
		g->part[i].body = g->part[i].entry;
		fi_asm_bind(&u->a, g->part[i].entry);
	}
	g->nr_insns = 0;
	fi_asm_pc(u, &u->a, s.va, false);
	fi_emit_site_call(g, &s, u->cfg->slow_trap);
	return !u->nomem && place_group(u);
}

static bool translate_group(struct fi_dbi_unit *u, u32 lead)
{
	u32 data = u->data_used, stores = u->nr_stores;
	struct fi_dbi_stats saved = u->stats;

	fi_asm_reset(&u->a);
	if (collect_parts(u, lead) && stages(&u->g))
		return true;
	if (u->nomem || u->nospace || !u->g.refusal)
		return false;
	saved.decode_failures = u->stats.decode_failures;
	u->stats = saved;
	u->data_used = data;
	u->nr_stores = stores;
	{
		const char *why = u->g.refusal;
		u64 at = u->g.refusal_va;

		if (!place_refusal(u, lead))
			return false;
		u->g.refusal = why;
		u->g.refusal_va = at;
	}
	mark_refused(u, lead);
	return true;
}

static void link_xref(struct fi_dbi_unit *u, const struct fi_xref *x, u8 *out)
{
	const struct fi_frag *f = &u->frag[x->func];
	u32 to = x->body ? f->body : f->entry;

	/* not reached by anything that was translated: to the stub, which traps */
	fi_emit_imm(out, (s64)(to ? to : u->stub) - (x->pos + 4), 4);
}

static bool place_stub(struct fi_dbi_unit *u)
{
	fi_asm_reset(&u->a);
	u->g.nr_parts = 0;
	u->g.nr_insns = 0;
	u->g.refusal = NULL;
	fi_control_stub(&u->g);
	u->stub = ALIGN(u->used, u->a.align);
	return !u->nomem && place_group(u);
}

/* Legal targets of the first text: the rest is left to the slow path. */
static void fill_table(struct fi_dbi_unit *u)
{
	u64 bad = u->va + u->stub, va;
	u32 i;

	for (i = 0; i < u->table_n; i++)
		fi_emit_imm(u->w + u->table + 8 * i, bad, 8);
	for (i = 0; i < u->nr_funcs; i++) {
		u32 off = u->funcs[i].va - u->texts[0].va;

		if (u->funcs[i].va < u->texts[0].va || off >= u->texts[0].size)
			continue;
		va = fi_dbi_icall(u, u->funcs[i].va);
		if (va && !(off & 15))
			fi_emit_imm(u->w + u->table + 8 * (off / 16), va, 8);
	}
}

int fi_dbi_translate(struct fi_dbi_unit *u, u64 va, u8 *w, u32 size)
{
	u32 i;

	u->va = va;
	u->w = w;
	u->arena_size = size & ~63u;
	u->data_used = 0;
	u->table = 64;
	u->table_n = u->nr_texts ? (u->texts[0].size + 15) / 16 : 0;
	u->used = u->table + 8 * u->table_n;
	if (u->used + 4096 > u->arena_size)
		return -ENOSPC;
	if (!place_stub(u))
		goto fail;
	for (i = 0; i < u->nr_texts; i++)
		u->stats.orig_bytes += u->texts[i].size;
	for (i = 0; i < u->nr_funcs; i++)
		if (u->leader[i] == i && !(u->funcs[i].flags & FI_DBI_FN_COLD) &&
		    !translate_group(u, i))
			goto fail;
	/* cold parts that nothing jumps to */
	for (i = 0; i < u->nr_funcs; i++)
		if (u->leader[i] == i && (u->funcs[i].flags & FI_DBI_FN_COLD) &&
		    !translate_group(u, i))
			goto fail;
	for (i = 0; i < u->nr_xrefs; i++)
		link_xref(u, &u->xref[i], u->w + u->xref[i].pos);
	if (!fi_map_finish(u, 0))
		return -ENOMEM;
	fi_memo_drop(u);
	fill_table(u);
	u->stats.data_bytes = u->data_used + 8 * u->table_n;
	return u->broken ? -EIO : 0;
fail:
	return u->broken ? -EIO : u->nospace ? -ENOSPC : -ENOMEM;
}

u32 fi_dbi_arena_used(const struct fi_dbi_unit *u)
{
	return u->used + u->data_used;
}

/* Translating again */

static bool add_patch(struct fi_dbi_patch *p, u32 *n, u32 max, u64 va,
		      const u8 *bytes, u8 len)
{
	if (*n == max)
		return false;
	p[*n].va = va;
	p[*n].len = len;
	memcpy(p[*n].bytes, bytes, len);
	(*n)++;
	return true;
}

static bool patch_callers(struct fi_dbi_unit *u, u32 lead, u32 old_xrefs,
			  struct fi_dbi_patch *p, u32 *n, u32 max)
{
	u8 b[8];
	u32 i;

	for (i = 0; i < u->nr_xrefs; i++) {
		const struct fi_xref *x = &u->xref[i];

		if (i >= old_xrefs) {
			link_xref(u, x, u->w + x->pos);
			continue;
		}
		if (u->leader[x->func] != lead)
			continue;
		link_xref(u, x, b);
		if (!add_patch(p, n, max, u->va + x->pos, b, 4))
			return false;
	}
	for (i = 0; i < u->nr_funcs; i++) {
		u32 off = u->funcs[i].va - u->texts[0].va;
		u64 va = fi_dbi_icall(u, u->funcs[i].va);

		if (u->leader[i] != lead || off >= u->texts[0].size ||
		    (off & 15) || !va)
			continue;
		fi_emit_imm(b, va, 8);
		if (!add_patch(p, n, max, u->va + u->table + 8 * (off / 16), b, 8))
			return false;
	}
	return true;
}

int fi_dbi_retranslate(struct fi_dbi_unit *u, u64 va,
		       struct fi_dbi_patch *patches, u32 max)
{
	struct fi_frag saved[FI_MAX_PARTS];
	u32 xrefs = u->nr_xrefs, map = u->nr_map, used = u->used;
	u32 lead, i, n = 0;
	int f = fi_unit_func(u, va);

	if (f < 0)
		return -ENOENT;
	lead = u->leader[f];
	if (!collect_parts(u, lead))
		return -EINVAL;
	for (i = 0; i < u->g.nr_parts; i++)
		saved[i] = u->frag[u->g.part[i].func];
	if (translate_group(u, lead) &&
	    patch_callers(u, lead, xrefs, patches, &n, max) && fi_map_finish(u, map))
		return n;
	/* nothing was published: forget it */
	collect_parts(u, lead);
	for (i = 0; i < u->g.nr_parts; i++)
		u->frag[u->g.part[i].func] = saved[i];
	u->nr_xrefs = xrefs;
	u->nr_map = map;
	u->used = used;
	return u->nospace ? -ENOSPC : u->nomem ? -ENOMEM : -E2BIG;
}

/* Questions */

u64 fi_dbi_entry(const struct fi_dbi_unit *u, u64 va)
{
	int f = fi_unit_func(u, va);

	if (f < 0 || u->funcs[f].va != va || !u->frag[f].entry)
		return 0;
	return u->va + u->frag[f].entry;
}

u64 fi_dbi_icall(const struct fi_dbi_unit *u, u64 va)
{
	int f = fi_unit_func(u, va);

	if (f < 0 || !(u->funcs[f].flags & FI_DBI_FN_TAKEN))
		return 0;
	return fi_dbi_entry(u, va);
}

const struct fi_dbi_stats *fi_dbi_stats(const struct fi_dbi_unit *u)
{
	return &u->stats;
}

const char *fi_dbi_refusal(const struct fi_dbi_unit *u, u32 i, u64 *at)
{
	if (i >= u->nr_funcs)
		return NULL;
	if (at)
		*at = u->frag[i].refusal_va;
	return u->frag[i].refusal;
}

u32 fi_dbi_fragment(const struct fi_dbi_unit *u, u32 i, u64 *va)
{
	if (i >= u->nr_funcs || u->frag[i].refusal)
		return 0;
	*va = u->va + u->frag[i].start;
	return u->frag[i].len;
}
