// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's address-keyed tables, rewritten to cache addresses before anything
 * registers them. Entries hold distances from themselves. Pure functions: they
 * change what is passed to them, or refuse and change nothing.
 */

#include "internal.h"

static bool relocate(const struct fi_dbi_unit *u, u64 at, s32 field, s32 *out)
{
	u64 to = fi_dbi_to_cache(u, at + (s64)field);
	s64 d = (s64)(to - at);

	if (!to || d != (s32)d)
		return false;
	*out = d;
	return true;
}

static bool relocate_two(const struct fi_dbi_unit *u, u64 va, s32 *a, s32 *b)
{
	s32 x, y;

	if (!relocate(u, va, *a, &x) || !relocate(u, va + 4, *b, &y))
		return false;
	*a = x;
	*b = y;
	return true;
}

/* struct exception_table_entry: insn, fixup, data */
bool fi_dbi_rewrite_extable(const struct fi_dbi_unit *u, u64 va, s32 *insn,
			    s32 *fixup)
{
	return relocate_two(u, va, insn, fixup);
}

/* struct bug_entry: bug_addr_disp first */
bool fi_dbi_rewrite_bug(const struct fi_dbi_unit *u, u64 va, s32 *bug_addr)
{
	return relocate(u, va, *bug_addr, bug_addr);
}

/* struct jump_entry: code, target, key */
bool fi_dbi_rewrite_jump(const struct fi_dbi_unit *u, u64 va, s32 *code,
			 s32 *target)
{
	return relocate_two(u, va, code, target);
}

/* struct static_call_site: addr, key; the key's low bits are flags */
bool fi_dbi_rewrite_static_call(const struct fi_dbi_unit *u, u64 va, s32 *addr)
{
	return relocate(u, va, *addr, addr);
}

static int by_ip(const void *a, const void *b)
{
	const struct fi_dbi_orc *x = a, *y = b;

	return x->ip < y->ip ? -1 : x->ip > y->ip;
}

/*
 * An entry holds from its address to the next one's; between check and store it
 * is off by the pushed words, which only traces can see.
 */
u32 fi_dbi_rewrite_orc(const struct fi_dbi_unit *u, const struct fi_dbi_orc *in,
		       u32 n, struct fi_dbi_orc *out, u32 max)
{
	u32 i, k = 0, used = 0;

	/* one for each change of entry along the cache */
	for (i = 0; i < u->nr_map && used < max; i++) {
		u64 va = u->map[i].orig == FI_NOBODY ? 0 :
			 fi_unit_va(u, u->map[i].orig);
		u32 lo = 0, hi = n;

		if (!va)
			continue;
		while (lo < hi) {
			k = lo + (hi - lo) / 2;
			if (in[k].ip <= va)
				lo = k + 1;
			else
				hi = k;
		}
		if (!lo)
			continue;
		if (used && out[used - 1].entry == in[lo - 1].entry)
			continue;
		out[used].ip = u->va + u->map[i].cache;
		out[used].entry = in[lo - 1].entry;
		used++;
	}
	sort(out, used, sizeof(*out), by_ip, NULL);
	return used;
}
