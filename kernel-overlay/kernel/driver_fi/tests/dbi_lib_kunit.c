// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: functions of the kernel, translated where they run, against themselves.
 */

#include <crypto/sha1.h>
#include <linux/gcd.h>
#include <linux/hex.h>
#include <linux/kallsyms.h>
#include <linux/math.h>
#include <linux/parser.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/xxhash.h>

#include "dbi_bed.h"

#define HALF	1024		/* of the bed's memory: results, and what is worked on */
#define ROUNDS	300

/* The arguments of one call, from random numbers; @m: HALF bytes, random in the upper part. */
static void two_numbers(u8 *m, u64 *a)
{
	a[0] = get_random_u64() >> (a[0] & 63);
	a[1] = get_random_u64() >> (a[1] & 63) | 1;
}

static void a_power(u8 *m, u64 *a)
{
	a[1] = get_random_u8() & 63;
}

static void a_key(u8 *m, u64 *a)
{
	a[2] = (u64)(m + HALF / 2);
}

static void from_upper(u8 *m, u64 *a)
{
	a[0] = (u64)m;
	a[1] = (u64)(m + HALF / 2);
	a[2] = get_random_u8();
}

static void of_upper(u8 *m, u64 *a)
{
	a[0] = (u64)(m + HALF / 2);
	a[1] = get_random_u8();
}

static void sha_block(u8 *m, u64 *a)
{
	a[0] = (u64)m;
	a[1] = (u64)(m + HALF / 2);
	a[2] = (u64)(m + 64);
}

static void texts(u8 *m, u64 *a)
{
	static const char pattern[] = "*a?b*ac*f*";
	u32 i;

	for (i = HALF / 2; i < HALF; i++)
		m[i] = 'a' + m[i] % 7;
	m[HALF - 1] = 0;
	memcpy(m, pattern, sizeof(pattern));
	a[0] = (u64)m;
	a[1] = (u64)(m + HALF - 1 - get_random_u8() % 32);
}

static const struct lib {
	const char *name;
	void *fn;
	void (*prepare)(u8 *m, u64 *arg);
	u64 kept;		/* bits of the result */
	bool bytes;		/* stores to what the map describes, and to its frame */
} libs[] = {
	{ "int_sqrt", int_sqrt, two_numbers, ~0ULL, true },
	{ "gcd", gcd, two_numbers, ~0ULL, true },
	{ "int_pow", int_pow, a_power, ~0ULL, true },
	{ "siphash_2u64", siphash_2u64, a_key, ~0ULL, true },
	{ "bin2hex", bin2hex, from_upper, ~0ULL, true },
	{ "xxh64", xxh64, of_upper, ~0ULL, true },
	{ "match_wildcard", match_wildcard, texts, 0xff, true },
	{ "sha1_transform", sha1_transform, sha_block, 0, false },
};

/* The whole of it, by name; from @mode on: with what checks. */
static void translate(struct fi_bed *b, const struct lib *l, enum fi_dbi_checks checks,
		      bool poison)
{
	unsigned long size, off;

	KUNIT_ASSERT_TRUE(b->test, kallsyms_lookup_size_offset((unsigned long)l->fn,
							       &size, &off));
	KUNIT_ASSERT_EQ(b->test, off, 0);
	if (b->u) {
		fi_dbi_destroy(b->u);
		b->u = NULL;
		fi_bed_open(b);
	}
	b->cfg.checks = checks;
	b->cfg.poison = poison;
	b->cfg.seg_shift = 40;
	b->cfg.seg_id = 0x1234;
	b->text = (struct fi_dbi_text){ .va = (u64)l->fn, .size = size, .bytes = l->fn };
	b->nr_funcs = 0;
	fi_bed_add(b, NULL, size, FI_DBI_FN_ABI);
	fi_bed_translate(b);
	KUNIT_EXPECT_EQ_MSG(b->test, fi_dbi_stats(b->u)->refused, 0, "%s: %s", l->name,
			    fi_dbi_refusal(b->u, 0, NULL));
}

/* Original and translation on the same memory: results and memory must be equal. */
static void compare(struct fi_bed *b, const struct lib *l, const char *mode)
{
	u8 *saved = kunit_kmalloc(b->test, 2 * HALF, GFP_KERNEL);
	u32 i, wrong = 0, stopped = 0;
	u64 a[3], want, got;

	KUNIT_ASSERT_NOT_NULL(b->test, saved);
	for (i = 0; i < ROUNDS; i++) {
		get_random_bytes(b->mem, HALF);
		get_random_bytes(a, sizeof(a));
		l->prepare(b->mem, a);
		memcpy(saved, b->mem, HALF);
		want = ((u64 (*)(u64, u64, u64))l->fn)(a[0], a[1], a[2]);
		memcpy(saved + HALF, b->mem, HALF);
		memcpy(b->mem, saved, HALF);
		got = fi_bed_run(b, 0, a[0], a[1], a[2]);
		stopped += b->what != FI_BED_NOTHING;
		wrong += ((want ^ got) & l->kept) || memcmp(saved + HALF, b->mem, HALF);
	}
	KUNIT_EXPECT_EQ_MSG(b->test, wrong, 0, "%s, %s", l->name, mode);
	KUNIT_EXPECT_EQ_MSG(b->test, stopped, 0, "%s, %s", l->name, mode);
}

static void all(struct kunit *test, enum fi_dbi_checks checks, bool poison, const char *mode)
{
	struct fi_bed *b = test->priv;
	u32 i;

	fi_bed_grant(b, 0, HALF, true);
	for (i = 0; i < ARRAY_SIZE(libs); i++) {
		if (checks == FI_DBI_BYTE && !libs[i].bytes)
			continue;
		translate(b, &libs[i], checks, poison);
		if (!fi_dbi_refusal(b->u, 0, NULL))
			compare(b, &libs[i], mode);
	}
}

static void dbi_lib_none(struct kunit *test)
{
	all(test, FI_DBI_NONE, false, "none");
}

static void dbi_lib_byte(struct kunit *test)
{
	all(test, FI_DBI_BYTE, false, "byte");
}

static void dbi_lib_segment(struct kunit *test)
{
	all(test, FI_DBI_SEGMENT, false, "segment");
}

static void dbi_lib_poison(struct kunit *test)
{
	all(test, FI_DBI_BYTE, true, "byte+poison");
	all(test, FI_DBI_SEGMENT, true, "segment+poison");
}

/* Without rights, what stores is stopped before it has. */
static void dbi_lib_caught(struct kunit *test)
{
	struct fi_bed *b = test->priv;
	const struct lib *l = &libs[4];
	u64 a[3] = { 0 };

	translate(b, l, FI_DBI_BYTE, false);
	memset(b->mem, 0x5a, HALF);
	l->prepare(b->mem, a);
	a[2] = 3;
	fi_bed_grant(b, 0, 4, true);
	fi_bed_run(b, 0, a[0], a[1], a[2]);
	KUNIT_EXPECT_EQ(test, b->what, FI_BED_STORE);
	KUNIT_EXPECT_EQ(test, b->at, (u64)b->mem + 4);
	KUNIT_EXPECT_EQ(test, b->mem[3], 'a');
	KUNIT_EXPECT_EQ(test, b->mem[4], 0x5a);
}

static struct kunit_case lib_cases[] = {
	KUNIT_CASE(dbi_lib_none),
	KUNIT_CASE(dbi_lib_byte),
	KUNIT_CASE(dbi_lib_segment),
	KUNIT_CASE(dbi_lib_poison),
	KUNIT_CASE(dbi_lib_caught),
	{}
};

static struct kunit_suite lib_suite = {
	.name = "driver_fi_dbi_lib",
	.init = fi_bed_init,
	.exit = fi_bed_exit,
	.test_cases = lib_cases,
};

kunit_test_suite(lib_suite);

MODULE_DESCRIPTION("KUnit tests of the driver fault isolation engine on kernel functions");
MODULE_LICENSE("GPL");
