// SPDX-License-Identifier: GPL-2.0-only
/*
 * Original address <-> cache address, at every instruction.
 *
 * Two arrays: one sorted by cache offset with an entry wherever the instruction on
 * whose behalf the code runs changes, one indexed by original offset with the place of
 * the instruction itself. Old fragments stay in the first one, so that a thread that is
 * still inside one can be reported.
 */

#include "internal.h"

/* Texts are numbered through by their offset over all texts; FI_NOBODY: none. */
u32 fi_unit_off(const struct fi_dbi_unit *u, u64 va)
{
	u32 i, off = 0;

	for (i = 0; i < u->nr_texts; i++) {
		if (va >= u->texts[i].va && va - u->texts[i].va < u->texts[i].size)
			return off + (u32)(va - u->texts[i].va);
		off += u->texts[i].size;
	}
	return FI_NOBODY;
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
	struct fi_map_entry *m;
	u32 i;

	u->map = fi_unit_grow(u, u->map, &u->cap_map, u->nr_map + a->nr_pcs + 1,
			      sizeof(*u->map));
	if (u->nomem)
		return false;
	m = &u->map[u->nr_map];
	for (i = 0; i < a->nr_pcs; i++, m++) {
		m->cache = start + fi_asm_pos(a, a->pc[i].pos, a->pc[i].br);
		m->orig = fi_unit_off(u, a->pc[i].va);
		m->main = a->pc[i].main;
	}
	/* what follows belongs to nobody yet */
	m->cache = start + fi_asm_size(a);
	m->orig = FI_NOBODY;
	m->main = 0;
	u->nr_map += a->nr_pcs + 1;
	return true;
}

/*
 * The other way round, from entry @first on. The fragment that counts is the youngest:
 * the highest cache offset.
 */
bool fi_map_finish(struct fi_dbi_unit *u, u32 first)
{
	const struct fi_dbi_env *env = u->env;
	u32 i;

	if (!u->rmap)
		u->rmap = env->alloc(env->ctx,
				     (u->stats.orig_bytes + 1) * sizeof(*u->rmap));
	if (!u->rmap)
		return false;
	for (i = first; i < u->nr_map; i++)
		if (u->map[i].main && u->map[i].orig != FI_NOBODY)
			WRITE_ONCE(u->rmap[u->map[i].orig], u->map[i].cache);
	return true;
}

u64 fi_dbi_to_cache(const struct fi_dbi_unit *u, u64 va)
{
	u32 off = fi_unit_off(u, va), at;

	if (off == FI_NOBODY || !u->rmap)
		return 0;
	at = READ_ONCE(u->rmap[off]);
	return at ? u->va + at : 0;
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
	if (!lo || u->map[lo - 1].orig == FI_NOBODY)
		return 0;
	return fi_unit_va(u, u->map[lo - 1].orig);
}
