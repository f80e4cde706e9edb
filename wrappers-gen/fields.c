// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: fields that a driver may change, as byte ranges with bit masks.
 */
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "load.h"
#include "util.h"

static void push(struct type_note *t, u32 off, u32 len, u64 mask, bool shadow,
		 const char *path)
{
	t->field = xgrow(t->field, t->nr_field, sizeof(*t->field));
	t->field[t->nr_field++] = (struct field){ off, len, mask, shadow, path };
}

/*
 * Masks other than "all" are kept byte by byte until the merge, so that
 * bitfields which share a byte add up.
 */
static void push_bits(struct type_note *t, u32 off, u64 mask, bool shadow,
		      const char *path)
{
	for (; mask; mask >>= 8, off++) {
		u64 b = mask & 0xff;

		if (b)
			push(t, off, 1, b == 0xff ? ~0ULL : b, shadow, path);
	}
}

void field_add(struct type_note *t, const char *path, u64 bits, bool shadow, struct where w)
{
	struct member m;
	u32 size;

	if (!type_member(t->type, path, &m))
		die_at(w, "struct %s has no member '%s'", t->name, path);
	size = type_size(m.type);
	if (m.bit_size) {
		u32 shift = m.bit_off % 8;

		if (m.bit_size + shift > 64)
			die_at(w, "bitfield '%s' is too wide", path);
		bits &= m.bit_size == 64 ? ~0ULL : (1ULL << m.bit_size) - 1;
		push_bits(t, m.bit_off / 8, bits << shift, shadow, path);
	} else if (bits != ~0ULL) {
		if (size > 8)
			die_at(w, "bits= of '%s', which is longer than 8 bytes", path);
		push_bits(t, m.bit_off / 8, bits, shadow, path);
	} else if (size) {
		push(t, m.bit_off / 8, size, ~0ULL, shadow, path);
	} else {
		die_at(w, "'%s' has no size", path);
	}
}

static int by_off(const void *x, const void *y)
{
	const struct field *a = x, *b = y;

	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	return a->len < b->len ? -1 : a->len > b->len;
}

/* Joins neighbours of a kind whose bits are all free, and equal bytes. */
void fields_merge(struct type_note *t)
{
	struct field *f = t->field;
	u32 i, n = 0;

	qsort(f, t->nr_field, sizeof(*f), by_off);
	for (i = 0; i < t->nr_field; i++) {
		struct field *last = n ? &f[n - 1] : NULL;

		if (last && last->shadow != f[i].shadow)
			last = NULL;
		if (last && last->mask == ~0ULL && f[i].off < last->off + last->len &&
		    f[i].mask != ~0ULL)
			continue;	/* a part of what is free already */
		if (last && last->mask == ~0ULL && f[i].mask == ~0ULL &&
		    f[i].off <= last->off + last->len) {
			u32 end = f[i].off + f[i].len;

			if (end > last->off + last->len)
				last->len = end - last->off;
		} else if (last && last->off == f[i].off && last->mask != ~0ULL &&
			   f[i].mask != ~0ULL) {
			last->mask |= f[i].mask;
			if (last->mask == 0xff)
				last->mask = ~0ULL;
		} else {
			f[n++] = f[i];
		}
	}
	t->nr_field = n;
}
