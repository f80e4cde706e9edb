// SPDX-License-Identifier: GPL-2.0-only
/*
 * Original address <-> cache address, at every instruction.
 *
 * Two sorted arrays: one by cache offset with an entry wherever the instruction on
 * whose behalf the code runs changes, one by original offset with the place of the
 * instruction itself. Old fragments stay in the first one, so that a thread that is
 * still inside one can be reported.
 */

#include "internal.h"

/* Texts are numbered through by their offset over all texts; U32_MAX: none. */
u32 fi_unit_off(const struct fi_dbi_unit *u, u64 va)
{
	u32 i, off = 0;

	for (i = 0; i < u->nr_texts; i++) {
		if (va >= u->texts[i].va && va - u->texts[i].va < u->texts[i].size)
			return off + (u32)(va - u->texts[i].va);
		off += u->texts[i].size;
	}
	return U32_MAX;
}

u64 fi_unit_va(const struct fi_dbi_unit *u, u32 off)
{
	u32 i;

	for (i = 0; i < u->nr_texts; i++) {
		if (off < u->texts[i].size)
			return u->texts[i].va + off;
		off -= u->texts[i].size;
	}
	return 0;
}

/* Takes over what the stream recorded for the fragment at arena offset @start. */
bool fi_map_append(struct fi_dbi_unit *u, u32 start)
{
	const struct fi_asmbuf *a = &u->a;
	u32 i;

	u->map = fi_unit_grow(u, u->map, &u->cap_map, u->nr_map + a->nr_pcs + 1,
			      sizeof(*u->map));
	if (u->nomem)
		return false;
	for (i = 0; i < a->nr_pcs; i++) {
		struct fi_map_entry *m = &u->map[u->nr_map++];

		m->cache = start + fi_asm_pos(a, a->pc[i].pos, a->pc[i].br);
		m->orig = fi_unit_off(u, a->pc[i].va);
		m->main = a->pc[i].main;
	}
	/* what follows belongs to nobody yet */
	u->map[u->nr_map].cache = start + fi_asm_size(a);
	u->map[u->nr_map].orig = U32_MAX;
	u->map[u->nr_map].main = 0;
	u->nr_map++;
	return true;
}

static int by_orig(const void *a, const void *b)
{
	const struct fi_map_entry *x = a, *y = b;

	if (x->orig != y->orig)
		return x->orig < y->orig ? -1 : 1;
	return x->cache < y->cache ? -1 : x->cache > y->cache;
}

/* The fragment that counts is the youngest: the highest cache offset. */
bool fi_map_finish(struct fi_dbi_unit *u)
{
	u32 i, n = 0;
	void *old = u->rmap;
	struct fi_map_entry *r;

	r = u->env->alloc(u->env->ctx, (size_t)(u->nr_map + 1) * sizeof(*r));
	if (!r)
		return false;
	for (i = 0; i < u->nr_map; i++)
		if (u->map[i].main)
			r[n++] = u->map[i];
	sort(r, n, sizeof(*r), by_orig, NULL);
	u->rmap = r;
	u->nr_rmap = n;
	if (old)
		u->env->free(u->env->ctx, old);
	return true;
}

u64 fi_dbi_to_cache(const struct fi_dbi_unit *u, u64 va)
{
	u32 off = fi_unit_off(u, va), lo = 0, hi = u->nr_rmap;

	if (off == U32_MAX)
		return 0;
	/* the last entry that is not above @off */
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (u->rmap[mid].orig <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || u->rmap[lo - 1].orig != off)
		return 0;
	return u->va + u->rmap[lo - 1].cache;
}

u64 fi_dbi_to_orig(const struct fi_dbi_unit *u, u64 cache)
{
	u32 lo = 0, hi = u->nr_map, off;

	if (cache < u->va || cache - u->va >= u->used)
		return 0;
	off = cache - u->va;
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (u->map[mid].cache <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || u->map[lo - 1].orig == U32_MAX)
		return 0;
	return fi_unit_va(u, u->map[lo - 1].orig);
}
