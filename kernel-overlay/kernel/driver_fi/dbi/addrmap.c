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

#define RADIX_BITS	11

/* One pass by the digit at @shift; stable. */
static void sort_digit(const struct fi_map_entry *from, struct fi_map_entry *to, u32 n,
		       u32 shift, u32 *count)
{
	u32 i, sum = 0, mask = (1u << RADIX_BITS) - 1;

	memset(count, 0, sizeof(*count) << RADIX_BITS);
	for (i = 0; i < n; i++)
		count[from[i].orig >> shift & mask]++;
	for (i = 0; i <= mask; i++) {
		u32 here = count[i];

		count[i] = sum;
		sum += here;
	}
	for (i = 0; i < n; i++)
		to[count[from[i].orig >> shift & mask]++] = from[i];
}

/* By original offset; those of one instruction keep their order, by cache offset. */
static struct fi_map_entry *sort_by_orig(struct fi_map_entry *a, struct fi_map_entry *b,
					 u32 n, u32 max, u32 *count)
{
	u32 shift;

	for (shift = 0; shift < 32 && max >> shift; shift += RADIX_BITS) {
		struct fi_map_entry *t = a;

		sort_digit(a, b, n, shift, count);
		a = b;
		b = t;
	}
	return a;
}

/* The fragment that counts is the youngest: the highest cache offset. */
bool fi_map_finish(struct fi_dbi_unit *u)
{
	const struct fi_dbi_env *env = u->env;
	u32 i, n = 0, max = 0, *count;
	struct fi_map_entry *r, *t;
	void *old = u->rmap;

	r = env->alloc(env->ctx, (size_t)(u->nr_map + 1) * sizeof(*r));
	t = env->alloc(env->ctx, (size_t)(u->nr_map + 1) * sizeof(*t));
	count = env->alloc(env->ctx, sizeof(*count) << RADIX_BITS);
	if (!r || !t || !count)
		goto fail;
	for (i = 0; i < u->nr_map; i++) {
		if (!u->map[i].main)
			continue;
		r[n++] = u->map[i];
		max = max(max, u->map[i].orig);
	}
	u->rmap = sort_by_orig(r, t, n, max, count);
	u->nr_rmap = n;
	env->free(env->ctx, u->rmap == r ? t : r);
	env->free(env->ctx, count);
	if (old)
		env->free(env->ctx, old);
	return true;
fail:
	if (r)
		env->free(env->ctx, r);
	if (t)
		env->free(env->ctx, t);
	if (count)
		env->free(env->ctx, count);
	return false;
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
