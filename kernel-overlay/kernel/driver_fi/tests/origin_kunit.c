// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the table that tells where an object came from.
 */
#include <kunit/test.h>

#include "../origin.h"

#define AT(n)	((void *)(0xffff888000000000UL + (n) * 128UL))

static int origin_setup(struct kunit *test)
{
	test->priv = fi_origins_create();
	return test->priv ? 0 : -ENOMEM;
}

static void origin_cleanup(struct kunit *test)
{
	fi_origins_destroy(test->priv);
}

static bool found(struct kunit *test, const void *p, struct fi_hit *hit)
{
	return fi_origin_find(test->priv, (unsigned long)p, hit);
}

static void origin_life(struct kunit *test)
{
	struct fi_hit hit;

	KUNIT_EXPECT_FALSE(test, found(test, AT(1), &hit));
	fi_origin_note(test->priv, AT(1), 60, "kmalloc", 0x100);
	KUNIT_ASSERT_TRUE(test, found(test, AT(1) + 59, &hit));
	KUNIT_EXPECT_STREQ(test, hit.type, "kmalloc");
	KUNIT_EXPECT_EQ(test, hit.start, (unsigned long)AT(1));
	KUNIT_EXPECT_EQ(test, hit.size, 60);
	KUNIT_EXPECT_EQ(test, hit.alloc_ip, 0x100);
	KUNIT_EXPECT_FALSE(test, hit.freed);

	fi_origin_freed(test->priv, AT(1), 0x200);
	fi_origin_freed(test->priv, AT(1), 0x300);
	KUNIT_ASSERT_TRUE(test, found(test, AT(1), &hit));
	KUNIT_EXPECT_TRUE(test, hit.freed);
	KUNIT_EXPECT_EQ(test, hit.alloc_ip, 0x100);
	/* The first free counts: the second is the fault. */
	KUNIT_EXPECT_EQ(test, hit.free_ip, 0x200);

	fi_origin_note(test->priv, AT(1), 8, "vmalloc", 0x400);
	KUNIT_ASSERT_TRUE(test, found(test, AT(1), &hit));
	KUNIT_EXPECT_STREQ(test, hit.type, "vmalloc");
	KUNIT_EXPECT_FALSE(test, hit.freed);
	KUNIT_EXPECT_EQ(test, hit.free_ip, 0);
}

/* What is beside: the nearer one, the one before, and what is in use first. */
static void origin_beside(struct kunit *test)
{
	struct fi_hit hit;

	fi_origin_note(test->priv, AT(1), 60, "first", 0);
	fi_origin_note(test->priv, AT(2), 60, "second", 0);
	KUNIT_ASSERT_TRUE(test, found(test, AT(1) + 60, &hit));
	KUNIT_EXPECT_STREQ(test, hit.type, "first");
	KUNIT_ASSERT_TRUE(test, found(test, AT(2) - 1, &hit));
	KUNIT_EXPECT_STREQ(test, hit.type, "second");
	/* 34 bytes from both. */
	KUNIT_ASSERT_TRUE(test, found(test, AT(1) + 60 + 33, &hit));
	KUNIT_EXPECT_STREQ(test, hit.type, "first");
	fi_origin_freed(test->priv, AT(1), 0);
	KUNIT_ASSERT_TRUE(test, found(test, AT(1) + 60 + 33, &hit));
	KUNIT_EXPECT_STREQ(test, hit.type, "second");
	KUNIT_ASSERT_TRUE(test, found(test, AT(1) + 59, &hit));
	KUNIT_EXPECT_STREQ(test, hit.type, "first");
	KUNIT_EXPECT_TRUE(test, found(test, AT(1) - 64, &hit));
	KUNIT_EXPECT_FALSE(test, found(test, AT(1) - 65, &hit));
	KUNIT_EXPECT_TRUE(test, found(test, AT(2) + 60 + 63, &hit));
	KUNIT_EXPECT_FALSE(test, found(test, AT(2) + 60 + 64, &hit));
}

/* Full, it forgets what was freed before what is in use, and old before new. */
static void origin_full(struct kunit *test)
{
	unsigned int i, n, live = 0;
	struct fi_hit hit;

	for (i = 0; i < 64; i++)
		fi_origin_note(test->priv, AT(8 * i), 60, "live", i);
	for (n = 0; n < 64; n++) {
		for (i = 0; i < 64; i++) {
			fi_origin_note(test->priv, AT(8 * (64 * n + i) + 4), 60, "gone", i);
			fi_origin_freed(test->priv, AT(8 * (64 * n + i) + 4), i);
		}
	}
	for (i = 0; i < 64; i++)
		live += found(test, AT(8 * i), &hit) && !hit.freed;
	/* A set that the live ones alone fill may have lost one. */
	KUNIT_EXPECT_GE(test, live, 56);
	KUNIT_EXPECT_TRUE(test, found(test, AT(8 * (64 * 63 + 63) + 4), &hit));
	KUNIT_EXPECT_FALSE(test, found(test, AT(4), &hit));
}

static struct kunit_case origin_cases[] = {
	KUNIT_CASE(origin_life),
	KUNIT_CASE(origin_beside),
	KUNIT_CASE(origin_full),
	{}
};

static struct kunit_suite origin_suite = {
	.name = "fi_origin",
	.init = origin_setup,
	.exit = origin_cleanup,
	.test_cases = origin_cases,
};

kunit_test_suite(origin_suite);

MODULE_DESCRIPTION("Tests of where an object came from");
MODULE_LICENSE("GPL");
