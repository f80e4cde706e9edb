// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver has changed in a shadowed object, looked at, and then in the original
 * or not.
 *
 * The driver stores to a copy, so what it changed is where the copy differs from a
 * snapshot. Without a page table of its own it stores to the original: then the bytes
 * that it said it would store to are known, each with what it was before, and to
 * refuse what is there means to put that back.
 */
#include <linux/bitmap.h>
#include <linux/string.h>

#include "merge.h"
#include "rm.h"

#define WORDS	(PAGE_SIZE / sizeof(u64))

/* Other bytes of the word may change in the kernel at the same time. */
static void change_word(u64 *to, u64 new, u64 old)
{
	u64 was = READ_ONCE(*to), bits = 0, diff = new ^ old;
	int i;

	for (i = 0; i < 64; i += 8)
		if (diff >> i & 0xff)
			bits |= 0xffULL << i;
	while (!try_cmpxchg64(to, &was, (was & ~bits) | (new & bits)))
		;
}

/* The first byte of [@from, @from + 8) that changed and is not the driver's, or 0. */
static unsigned long foreign_in_word(const struct fi_shadow *s, unsigned long from)
{
	unsigned long i, off = s->obj - s->page;
	u64 mask;

	for (i = from; i < from + sizeof(u64); i++) {
		u8 diff = s->new[i] ^ s->snap[i];

		if (!diff)
			continue;
		if (i < off || !fi_type_may_store(s->type, i - off, 1, &mask) || diff & ~mask)
			return s->page + i;
	}
	return 0;
}

static unsigned long find_foreign(const struct fi_shadow *s)
{
	const u64 *new = (u64 *)s->new, *snap = (u64 *)s->snap;
	unsigned long at = 0;
	unsigned int i;

	for (i = 0; i < WORDS && !at; i++) {
		if (unlikely(new[i] != snap[i]))
			at = foreign_in_word(s, i * sizeof(u64));
	}
	return at;
}

/*
 * And then the copy is as the original is now: what the kernel has changed meanwhile
 * is the driver's to see. Unless the driver stores there at this moment.
 */
static void merge_words(struct fi_shadow *s)
{
	u64 *copy = (u64 *)s->copy, *snap = (u64 *)s->snap, *orig = (u64 *)s->page;
	const u64 *new = (u64 *)s->new;
	unsigned int i;
	u64 now;

	for (i = 0; i < WORDS; i++) {
		if (new[i] != snap[i])
			change_word(&orig[i], new[i], snap[i]);
		snap[i] = new[i];
		now = READ_ONCE(orig[i]);
		if (now != new[i] && cmpxchg64(&copy[i], new[i], now) == new[i])
			snap[i] = now;
	}
}

static bool is_valid(const struct fi_shadow *s, const u8 *was, struct fi_fault *f)
{
	unsigned long off = s->obj - s->page;

	f->why = fi_type_invalid(s->type, s->dom, (unsigned long)s->new + off,
				 (unsigned long)was + off);
	f->addr = s->obj;
	return !f->why;
}

static bool merge_copy(struct fi_shadow *s, struct fi_fault *f)
{
	/* Other threads of the driver may still store: what is looked at counts. */
	memcpy(s->new, s->copy, PAGE_SIZE);
	f->addr = find_foreign(s);
	if (f->addr) {
		f->why = "bytes of it are not the driver's to write";
		return false;
	}
	if (!is_valid(s, s->snap, f))
		return false;
	merge_words(s);
	return true;
}

/* @new: what is there; @copy: what would be if the driver had stored nothing. */
static void compare_in_place(struct fi_shadow *s)
{
	unsigned int i;

	memcpy(s->new, (void *)s->page, PAGE_SIZE);
	memcpy(s->copy, s->new, PAGE_SIZE);
	for_each_set_bit(i, s->stored, PAGE_SIZE)
		s->copy[i] = s->snap[i];
}

static void put_back(struct fi_shadow *s)
{
	const u64 *new = (u64 *)s->new, *was = (u64 *)s->copy;
	u64 *orig = (u64 *)s->page;
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		if (new[i] != was[i])
			change_word(&orig[i], was[i], new[i]);
	}
}

static bool merge_in_place(struct fi_shadow *s, struct fi_fault *f)
{
	unsigned int i;

	compare_in_place(s);
	if (!is_valid(s, s->copy, f)) {
		put_back(s);
		return false;
	}
	for_each_set_bit(i, s->stored, PAGE_SIZE)
		s->snap[i] = s->new[i];
	return true;
}

/* What the driver stores from now on is to be merged. */
void fi_merge_begin(struct fi_shadow *s)
{
	if (s->in_place) {
		bitmap_zero(s->stored, PAGE_SIZE);
		return;
	}
	memcpy(s->copy, (void *)s->page, PAGE_SIZE);
	memcpy(s->snap, s->copy, PAGE_SIZE);
}

/* In place: the driver is about to store to this byte. */
void fi_merge_stored(struct fi_shadow *s, unsigned long addr)
{
	unsigned long i = addr - s->page;

	if (!__test_and_set_bit(i, s->stored))
		s->snap[i] = READ_ONCE(*(const u8 *)addr);
}

/* What the kernel has changed since the copy was made, but where the driver stored. */
void fi_merge_refresh(struct fi_shadow *s)
{
	u64 *copy = (u64 *)s->copy, *snap = (u64 *)s->snap, *orig = (u64 *)s->page;
	unsigned int i;
	u64 now;

	for (i = 0; i < WORDS; i++) {
		now = READ_ONCE(orig[i]);
		if (now != snap[i] && cmpxchg64(&copy[i], snap[i], now) == snap[i])
			snap[i] = now;
	}
}

/* False: nothing was merged, or it was put back, and @f says why. */
bool fi_merge(struct fi_shadow *s, struct fi_fault *f)
{
	return s->in_place ? merge_in_place(s, f) : merge_copy(s, f);
}

/* What the driver has stored since it was last merged is forgotten. */
void fi_merge_restore(struct fi_shadow *s)
{
	if (!s->in_place)
		return;
	compare_in_place(s);
	put_back(s);
}
