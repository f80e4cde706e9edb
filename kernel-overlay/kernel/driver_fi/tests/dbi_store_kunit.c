// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: checks on stores against a plain model, in the kernel's own address space. A
 * store a byte outside of what is granted is caught and does nothing; inside, never.
 */

#include "dbi_bed.h"

#define MIDDLE	512	/* where objects are, in the memory of the bed */
#define AROUND	48

/* rdi: where, rsi: what, or how much; @mask: bytes that are stored, from rdi on */
struct store {
	const char *name;
	u64 mask;
	u32 len;
	u8 code[16];
};

static const struct store stores[] = {
	{ "movb", 0x1, 4, { 0x40, 0x88, 0x37, 0xc3 } },
	{ "movw", 0x3, 4, { 0x66, 0x89, 0x37, 0xc3 } },
	{ "movl", 0xf, 3, { 0x89, 0x37, 0xc3 } },
	{ "movq", 0xff, 4, { 0x48, 0x89, 0x37, 0xc3 } },
	{ "movq, movq", 0xffff, 8,
	  { 0x48, 0x89, 0x37, 0x48, 0x89, 0x77, 0x08, 0xc3 } },
	{ "movl, movl with a hole", 0xf00f, 6, { 0x89, 0x37, 0x89, 0x77, 0x0c, 0xc3 } },
	{ "movq, movb far", 0x1000000ff, 8,
	  { 0x48, 0x89, 0x37, 0x40, 0x88, 0x77, 0x20, 0xc3 } },
	{ "movnti", 0xf, 4, { 0x0f, 0xc3, 0x37, 0xc3 } },
	{ "addl", 0xf, 3, { 0x01, 0x37, 0xc3 } },
	{ "setc", 0x1, 4, { 0x0f, 0x92, 0x07, 0xc3 } },
	{ "xchg", 0xff, 4, { 0x48, 0x87, 0x37, 0xc3 } },
	{ "lock xadd", 0xff, 6, { 0xf0, 0x48, 0x0f, 0xc1, 0x37, 0xc3 } },
	{ "lock cmpxchg", 0xf, 5, { 0xf0, 0x0f, 0xb1, 0x37, 0xc3 } },
	{ "cmpxchg8b", 0xff, 4, { 0x0f, 0xc7, 0x0f, 0xc3 } },
	{ "pop", 0xff, 4, { 0x56, 0x8f, 0x07, 0xc3 } },
	{ "stosq", 0xff, 3, { 0x48, 0xab, 0xc3 } },
	{ "btsl $3", 0xf, 5, { 0x0f, 0xba, 0x2f, 0x03, 0xc3 } },
	{ "movl, flags live", 0xf, 8,
	  { 0x39, 0xf6, 0x89, 0x37, 0x0f, 0x94, 0xc0, 0xc3 } },
};

static bool model(u64 mask, int at, int lo, int hi)
{
	int i;

	for (i = 0; i < 64; i++)
		if ((mask >> i & 1) && (at + i < lo || at + i >= hi))
			return false;
	return true;
}

/* One store at @at, where [@lo, @hi) is granted; false if it is not as it should be. */
static bool one(struct fi_bed *b, u32 f, int at, int lo, int hi, bool expect)
{
	u64 ea = (u64)b->mem + at;
	int i;

	memset(b->mem + MIDDLE - AROUND, 0x5a, 3 * AROUND);
	fi_bed_run(b, f, ea, 0x0102030405060708, 0);
	if (expect)
		return b->what == FI_BED_NOTHING;
	if (b->what != FI_BED_STORE || b->at - (u64)b->mem - (lo - 64) >= 192 ||
	    b->va < b->func[f].va || b->va >= b->func[f].va + b->func[f].size)
		return false;
	if (b->at - (u64)b->mem >= lo && b->at - (u64)b->mem < hi)
		return false;
	for (i = MIDDLE - AROUND; i < MIDDLE + 2 * AROUND; i++)
		if (b->mem[i] != 0x5a)
			return false;
	return true;
}

/* All alignments and edges of objects of all sizes up to four words. */
static void all_objects(struct fi_bed *b, u32 f, u64 mask, u32 *caught, u32 *passed,
			u32 *wrong)
{
	int lo, size, at;

	for (lo = MIDDLE; lo < MIDDLE + 8; lo++) {
		for (size = 1; size <= 34; size++) {
			fi_bed_grant(b, lo, size, true);
			for (at = lo - 40; at < lo + size + 8; at++) {
				bool may = model(mask, at, lo, lo + size);

				*wrong += !one(b, f, at, lo, lo + size, may);
				*(may ? passed : caught) += 1;
			}
			fi_bed_grant(b, lo, size, false);
		}
	}
}

static void against_model(struct kunit *test, bool poison)
{
	struct fi_bed *b = test->priv;
	u32 i, f[ARRAY_SIZE(stores)];

	b->cfg.poison = poison;
	for (i = 0; i < ARRAY_SIZE(stores); i++)
		f[i] = fi_bed_add(b, stores[i].code, stores[i].len, FI_DBI_FN_ABI);
	fi_bed_translate(b);
	KUNIT_EXPECT_EQ(test, fi_dbi_stats(b->u)->refused, 0);
	for (i = 0; i < ARRAY_SIZE(stores); i++) {
		u32 caught = 0, passed = 0, wrong = 0;

		all_objects(b, f[i], stores[i].mask, &caught, &passed, &wrong);
		KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "%s", stores[i].name);
		KUNIT_EXPECT_GT_MSG(test, caught, 100, "%s", stores[i].name);
		KUNIT_EXPECT_GT_MSG(test, passed, 10, "%s", stores[i].name);
	}
}

static void dbi_store_model(struct kunit *test)
{
	against_model(test, false);
}

static void dbi_store_model_poison(struct kunit *test)
{
	against_model(test, true);
}

/* bts %rsi,(%rdi): a word at rdi + (rsi >> 6) * 8, rsi signed */
static void dbi_store_bit(struct kunit *test)
{
	static const u8 bts[] = { 0x48, 0x0f, 0xab, 0x37, 0xc3 };
	struct fi_bed *b = test->priv;
	u32 f = fi_bed_add(b, bts, sizeof(bts), FI_DBI_FN_ABI);
	s64 bit;

	fi_bed_translate(b);
	fi_bed_grant(b, MIDDLE - 8, 16, true);
	for (bit = -300; bit < 300; bit++) {
		bool may = bit >= -64 && bit < 64;

		fi_bed_run(b, f, (u64)b->mem + MIDDLE, bit, 0);
		KUNIT_EXPECT_EQ_MSG(test, b->what, may ? FI_BED_NOTHING : FI_BED_STORE,
				    "bit %lld", bit);
		if (may)
			KUNIT_EXPECT_TRUE(test, test_bit(bit + 64, (void *)(b->mem + MIDDLE - 8)));
	}
}

/* mov %rsi,%rcx; rep stosb, and words: [rdi, rdi + rsi * size) */
static void dbi_store_repeated(struct kunit *test)
{
	static const u8 stosb[] = { 0x48, 0x89, 0xf1, 0xf3, 0xaa, 0xc3 };
	static const u8 stosq[] = { 0x48, 0x89, 0xf1, 0xf3, 0x48, 0xab, 0xc3 };
	struct fi_bed *b = test->priv;
	u32 f[2], k, n, off;

	f[0] = fi_bed_add(b, stosb, sizeof(stosb), FI_DBI_FN_ABI);
	f[1] = fi_bed_add(b, stosq, sizeof(stosq), FI_DBI_FN_ABI);
	fi_bed_translate(b);
	fi_bed_grant(b, MIDDLE + 3, 100, true);
	for (k = 0; k < 2; k++) {
		for (off = 0; off < 120; off++) {
			for (n = 0; n < 24; n++) {
				u32 end = off + n * (k ? 8 : 1);
				bool may = !n || (off >= 3 && end <= 103);

				fi_bed_run(b, f[k], (u64)b->mem + MIDDLE + off, n, 0);
				KUNIT_EXPECT_EQ_MSG(test, b->what,
						    may ? FI_BED_NOTHING : FI_BED_RANGE,
						    "%u at %u", n, off);
			}
		}
	}
}

/* 1: mov %sil,(%rdi); inc %rdi; dec %rdx; jne 1b; ret: bounded once for many rounds */
static void dbi_store_loop(struct kunit *test)
{
	static const u8 fill[] = {
		0x40, 0x88, 0x37, 0x48, 0xff, 0xc7, 0x48, 0xff, 0xca, 0x75, 0xf5, 0xc3,
	};
	struct fi_bed *b = test->priv;
	u32 f = fi_bed_add(b, fill, sizeof(fill), FI_DBI_FN_ABI), len, off;

	fi_bed_translate(b);
	KUNIT_EXPECT_EQ(test, fi_dbi_stats(b->u)->loops, 1);
	for (len = 1; len < 400; len += 13) {
		for (off = 0; off < 9; off++) {
			u8 *at = b->mem + MIDDLE + off;

			memset(b->mem, 0, FI_BED_MEM);
			fi_bed_grant(b, MIDDLE + off, len, true);
			fi_bed_run(b, f, (u64)at, 1, len);
			KUNIT_EXPECT_EQ(test, b->what, FI_BED_NOTHING);
			fi_bed_run(b, f, (u64)at, 2, len + 5);
			/* exactly the one that a check of every store would stop */
			KUNIT_EXPECT_EQ(test, b->what, FI_BED_STORE);
			KUNIT_EXPECT_EQ(test, b->at, (u64)at + len);
			KUNIT_EXPECT_EQ(test, at[len - 1], 2);
			KUNIT_EXPECT_EQ(test, at[len], 0);
			fi_bed_grant(b, MIDDLE + off, len, false);
		}
	}
}

static struct kunit_case store_cases[] = {
	KUNIT_CASE_SLOW(dbi_store_model),
	KUNIT_CASE_SLOW(dbi_store_model_poison),
	KUNIT_CASE(dbi_store_bit),
	KUNIT_CASE(dbi_store_repeated),
	KUNIT_CASE(dbi_store_loop),
	{}
};

static struct kunit_suite store_suite = {
	.name = "driver_fi_dbi_store",
	.init = fi_bed_init,
	.exit = fi_bed_exit,
	.test_cases = store_cases,
};

kunit_test_suite(store_suite);

MODULE_DESCRIPTION("KUnit tests of the driver fault isolation engine's store checks");
MODULE_LICENSE("GPL");
