// SPDX-License-Identifier: GPL-2.0-only
/*
 * Permission map against a plain array of booleans.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <asm/driver_fi.h>
#include "../fi.h"

#define BASE	0xffff888012345000UL
#define SPAN	(FI_PERM_SPAN + 2 * PAGE_SIZE)
#define ROUNDS	2000

static void permmap_random(struct kunit *test)
{
	struct fi_permmap *m = test->priv;
	u8 *right = kunit_kzalloc(test, SPAN, GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, right);
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < ROUNDS; i++) {
		u32 off = prandom_u32_state(&rnd) % SPAN;
		u32 len = prandom_u32_state(&rnd) % (i & 1 ? SPAN - off + 1 : 16);

		len = min_t(u32, len, SPAN - off);
		switch (prandom_u32_state(&rnd) % 4) {
		case 0:
			KUNIT_ASSERT_EQ(test, fi_permmap_set(m, BASE + off, len), 0);
			memset(right + off, 1, len);
			break;
		case 1:
			fi_permmap_clear(m, BASE + off, len);
			memset(right + off, 0, len);
			break;
		default:
			KUNIT_ASSERT_EQ_MSG(test, fi_permmap_test(m, BASE + off, len),
					    !memchr(right + off, 0, len),
					    "round %u off %u len %u", i, off, len);
		}
	}
}

static void permmap_edges(struct kunit *test)
{
	struct fi_permmap *m = test->priv;
	unsigned long end = BASE + PAGE_SIZE;

	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, BASE, 1));
	KUNIT_EXPECT_TRUE(test, fi_permmap_test(m, BASE, 0));
	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, end - 1, 2), 0);
	KUNIT_EXPECT_TRUE(test, fi_permmap_test(m, end - 1, 2));
	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, end - 2, 2));
	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, end, 2));
	fi_permmap_clear(m, end, 1);
	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, end - 1, 2));
	KUNIT_EXPECT_TRUE(test, fi_permmap_test(m, end - 1, 1));

	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, ~0UL, 1), 0);
	KUNIT_EXPECT_TRUE(test, fi_permmap_test(m, ~0UL, 1));
	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, ~0UL, 2), -EINVAL);
	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, ~0UL, 2));
	fi_permmap_clear(m, ~0UL - 1, 2);
	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, ~0UL, 1));
}

/* An object's bytes by bitmap are those bytes, wherever the object lies. */
static void permmap_object(struct kunit *test)
{
	DECLARE_BITMAP(bits, 200);
	struct fi_permmap *m = test->priv;
	struct rnd_state rnd;
	unsigned int off, i;

	prandom_seed_state(&rnd, 2);
	for (off = 0; off < 130; off++) {
		unsigned long at = BASE + FI_PERM_SPAN - 64 + off;

		for (i = 0; i < 200; i++)
			__assign_bit(i, bits, prandom_u32_state(&rnd) & 1);
		KUNIT_ASSERT_EQ(test, fi_permmap_apply(m, at, bits, 200, true), 0);
		for (i = 0; i < 200; i++)
			KUNIT_ASSERT_EQ_MSG(test, fi_permmap_test(m, at + i, 1),
					    test_bit(i, bits), "at %u byte %u", off, i);
		KUNIT_ASSERT_FALSE(test, fi_permmap_test(m, at - 1, 1));
		KUNIT_ASSERT_FALSE(test, fi_permmap_test(m, at + 200, 1));
		KUNIT_ASSERT_EQ(test, fi_permmap_set(m, at - 1, 202), 0);
		KUNIT_ASSERT_EQ(test, fi_permmap_apply(m, at, bits, 200, false), 0);
		for (i = 0; i < 200; i++)
			KUNIT_ASSERT_EQ(test, fi_permmap_test(m, at + i, 1),
					!test_bit(i, bits));
		KUNIT_ASSERT_TRUE(test, fi_permmap_test(m, at - 1, 1));
		KUNIT_ASSERT_TRUE(test, fi_permmap_test(m, at + 200, 1));
		fi_permmap_clear(m, at - 1, 202);
	}
}

/* The limit holds, an attempt beyond it leaves nothing, and clearing frees. */
static void permmap_bounded(struct kunit *test)
{
	struct fi_permmap *m = test->priv;
	const unsigned long base = ALIGN(BASE, FI_PERM_SPAN);
	unsigned long at = base, nr = 0;

	while (!fi_permmap_set(m, at, 1)) {
		at += FI_PERM_SPAN;
		KUNIT_ASSERT_LT(test, ++nr, 1UL << 20);
	}
	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, at, 1), -ENOSPC);
	fi_permmap_clear(m, base, FI_PERM_SPAN);
	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, at, 2 * FI_PERM_SPAN), -ENOSPC);
	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, at, 1));
	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, at, 1), 0);
	fi_permmap_clear(m, base, at + 1 - base);
	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, base, nr * FI_PERM_SPAN), 0);
	KUNIT_EXPECT_TRUE(test, fi_permmap_test(m, base, nr * FI_PERM_SPAN));
}

/* What grants nothing is given back, and what does is not. */
static void permmap_trimmed(struct kunit *test)
{
	struct fi_permmap *m = test->priv;
	const unsigned long base = ALIGN(BASE, FI_PERM_SPAN);

	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, base, 9 * FI_PERM_SPAN), 0);
	fi_permmap_clear(m, base, 9 * FI_PERM_SPAN - 1);
	KUNIT_EXPECT_EQ(test, fi_permmap_pages(m), 9);
	fi_permmap_trim(m);
	KUNIT_EXPECT_EQ(test, fi_permmap_pages(m), 1);
	KUNIT_EXPECT_TRUE(test, fi_permmap_test(m, base + 9 * FI_PERM_SPAN - 1, 1));
	KUNIT_EXPECT_FALSE(test, fi_permmap_test(m, base, 1));
}

/* One byte that is not granted, anywhere in a packet's length. */
static void permmap_hole(struct kunit *test)
{
	struct fi_permmap *m = test->priv;
	unsigned int hole, start = 3;

	KUNIT_ASSERT_EQ(test, fi_permmap_set(m, BASE, 1600), 0);
	for (hole = 0; hole < 1600; hole++) {
		fi_permmap_clear(m, BASE + hole, 1);
		KUNIT_ASSERT_EQ_MSG(test, fi_permmap_test(m, BASE + start, 1500),
				    hole < start || hole >= start + 1500, "byte %u", hole);
		KUNIT_ASSERT_EQ(test, fi_permmap_set(m, BASE + hole, 1), 0);
	}
}

/* What translated code of mode dbi reads of [@at, @at + 8). */
static u8 seen(unsigned long at)
{
	return READ_ONCE(*(u8 *)(((long)at >> 3) + FI_MAP_DISP));
}

/* In the kernel's page table stands what the map says, and zeros are put where it is empty. */
static void permmap_in_kernel(struct kunit *test)
{
	const unsigned long at = ALIGN(BASE, FI_PERM_SPAN), next = at + FI_PERM_SPAN;
	struct fi_permmap *m;

	if (arch_fi_dbi_unsupported())
		kunit_skip(test, "%s", arch_fi_dbi_unsupported());
	m = fi_permmap_create(NULL, true);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_EQ(test, fi_permmap_set(m, at + 3, 10), 0);
	KUNIT_EXPECT_EQ(test, seen(at), 0xf8);
	KUNIT_EXPECT_EQ(test, seen(at + 8), 0x1f);
	fi_permmap_clear(m, at + 4, 1);
	KUNIT_EXPECT_EQ(test, seen(at), 0xe8);
	KUNIT_EXPECT_TRUE(test, arch_fi_is_hole(((long)at >> 3) + FI_MAP_DISP));
	KUNIT_EXPECT_TRUE(test, fi_permmap_fault(m, ((long)next >> 3) + FI_MAP_DISP));
	KUNIT_EXPECT_EQ(test, seen(next), 0);
	/* No address of the kernel's, and one that is not of the map. */
	KUNIT_EXPECT_FALSE(test, fi_permmap_fault(m, FI_MAP_DISP));
	KUNIT_EXPECT_FALSE(test, fi_permmap_fault(m, (unsigned long)m));
	fi_permmap_destroy(m);
}

static int permmap_init(struct kunit *test)
{
	test->priv = fi_permmap_create(NULL, false);
	return test->priv ? 0 : -ENOMEM;
}

static void permmap_exit(struct kunit *test)
{
	fi_permmap_destroy(test->priv);
}

static struct kunit_case permmap_cases[] = {
	KUNIT_CASE(permmap_random),
	KUNIT_CASE(permmap_edges),
	KUNIT_CASE(permmap_object),
	KUNIT_CASE(permmap_bounded),
	KUNIT_CASE(permmap_trimmed),
	KUNIT_CASE(permmap_hole),
	KUNIT_CASE(permmap_in_kernel),
	{ }
};

static struct kunit_suite permmap_suite = {
	.name = "fi_permmap",
	.init = permmap_init,
	.exit = permmap_exit,
	.test_cases = permmap_cases,
};

kunit_test_suite(permmap_suite);
