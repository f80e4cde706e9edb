// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exact tests behind the slow paths: one permission bit per byte, linear map.
 */

#include "internal.h"

static u8 shadow_byte(s64 disp, u64 addr)
{
	return *(const u8 *)(unsigned long)(((s64)addr >> 3) + disp);
}

/* Is every byte of @mask, counted from @addr, permitted? */
bool fi_dbi_map_test(s64 disp, u64 addr, u64 mask)
{
	u32 bit = addr & 7;
	u64 a = addr;

	while (mask) {
		u8 want = (u8)(mask << bit);

		if (want && (shadow_byte(disp, a) & want) != want)
			return false;
		mask >>= 8 - bit;
		a += 8 - bit;
		bit = 0;
	}
	return true;
}

/* Are the 64 bytes at @addr, a multiple of 8, all permitted? */
static bool whole(s64 disp, u64 addr)
{
	u64 v;

	memcpy(&v, (const void *)(unsigned long)(((s64)addr >> 3) + disp), 8);
	return v == ~0ULL;
}

bool fi_dbi_map_test_range(s64 disp, u64 addr, u64 len, u64 *bad)
{
	u64 end = addr + len;

	while (addr < end) {
		u32 bit = addr & 7;
		u8 want, have;
		u32 n;

		if (!bit && end - addr >= 64 && whole(disp, addr)) {
			addr += 64;
			continue;
		}
		n = min_t(u64, end - addr, 8 - bit);
		want = ((1u << n) - 1) << bit;
		have = shadow_byte(disp, addr) & want;
		if (have != want) {
			while (have >> bit & 1) {
				bit++;
				addr++;
			}
			*bad = addr;
			return false;
		}
		addr += n;
	}
	return true;
}

bool fi_dbi_segment_test(const struct fi_dbi_unit *u, u64 addr, u64 len)
{
	const struct fi_dbi_config *c = u->cfg;

	return addr + len - 1 >= addr && (s64)addr >> c->seg_shift == c->seg_id &&
	       (s64)(addr + len - 1) >> c->seg_shift == c->seg_id;
}

u64 fi_dbi_loop_limit(s64 disp, const struct fi_dbi_site *s, u64 ea, u64 ctl)
{
	u64 from = (ea + s->size) & ~7ULL, bad, len = FI_DBI_LOOP_AHEAD;

	if (!fi_dbi_map_test_range(disp, from, len, &bad))
		len = bad - from;
	return fi_dbi_loop_steps(s, ea, ctl, len);
}

u64 fi_dbi_loop_steps(const struct fi_dbi_site *s, u64 ea, u64 ctl, u64 len)
{
	u64 none = 1ULL << 63, end = ea + s->size, from = end & ~7ULL, steps;

	/* holes between the stores: nothing to extend */
	if (s->size < 64 && s->mask != (1ULL << s->size) - 1)
		return none;
	if ((s64)ea >> 47 != (s64)(ea + 2 * FI_DBI_LOOP_AHEAD) >> 47)
		return none;
	if (from + len <= end)
		return ctl == none ? none : ctl;
	steps = (from + len - end) / s->sens;
	/* the end of the numbers would look like the beginning */
	if ((s64)ctl > 0x7fffffffffff0000LL)
		return none;
	return ctl + steps;
}

u64 fi_dbi_site_blame(const struct fi_dbi_unit *u, const struct fi_dbi_site *s,
		      u32 bad_off)
{
	u32 i;

	for (i = 0; i < s->nstores && s->store + i < u->nr_stores; i++) {
		const struct fi_dbi_store *st = &u->store[s->store + i];

		if (bad_off >= st->off && bad_off < st->off + st->size)
			return st->va;
	}
	return s->va;
}
