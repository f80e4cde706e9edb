// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: what leaves a function in other ways than its text says, each caught with the
 * instruction and the target; and the tables that know code by its address.
 */

#include "dbi_bed.h"

/* rdi, rsi: as each wants */
static const u8 inc[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8d, 0x47, 0x01, 0xc3 };
static const u8 icall[] = {	/* sub $8,%rsp; call *%rsi; add $8,%rsp; ret */
	0x48, 0x83, 0xec, 0x08, 0xff, 0xd6, 0x48, 0x83, 0xc4, 0x08, 0xc3,
};

static const u8 imem[] = {	/* sub $8,%rsp; call *8(%rsi); add $8,%rsp; ret */
	0x48, 0x83, 0xec, 0x08, 0xff, 0x56, 0x08, 0x48, 0x83, 0xc4, 0x08, 0xc3,
};

static const u8 ijmp[] = { 0xff, 0xe6 };		/* jmp *%rsi */
static const u8 smash[] = { 0x48, 0x89, 0x34, 0x24, 0xc3 };	/* mov %rsi,(%rsp); ret */
static const u8 smash_far[] = {	/* mov %rsi,(%rsp,%rdi,8); ret */
	0x48, 0x89, 0x34, 0xfc, 0xc3,
};

enum { INC, ICALL, IMEM, IJMP, SMASH, SMASH_FAR, NR };

static void add_all(struct fi_bed *b)
{
	fi_bed_add(b, inc, sizeof(inc), FI_DBI_FN_ABI | FI_DBI_FN_TAKEN);
	fi_bed_add(b, icall, sizeof(icall), FI_DBI_FN_ABI);
	fi_bed_add(b, imem, sizeof(imem), FI_DBI_FN_ABI);
	fi_bed_add(b, ijmp, sizeof(ijmp), FI_DBI_FN_ABI);
	fi_bed_add(b, smash, sizeof(smash), FI_DBI_FN_ABI);
	fi_bed_add(b, smash_far, sizeof(smash_far), FI_DBI_FN_ABI);
	/* the stack has no map here */
	b->cfg.checks = FI_DBI_SEGMENT;
	b->cfg.seg_shift = 40;
	b->cfg.seg_id = 0x1234;
}

static void expect(struct fi_bed *b, enum fi_bed_what what, u32 f, u32 off, u64 at)
{
	KUNIT_EXPECT_EQ(b->test, b->what, what);
	KUNIT_EXPECT_EQ(b->test, b->va, b->func[f].va + off);
	KUNIT_EXPECT_EQ(b->test, b->at, at);
}

static void dbi_flow_legal(struct kunit *test)
{
	struct fi_bed *b = test->priv;
	u64 ops[2];

	add_all(b);
	fi_bed_translate(b);
	ops[1] = b->func[INC].va;
	KUNIT_EXPECT_EQ(test, fi_bed_run(b, ICALL, 41, b->func[INC].va, 0), 42);
	KUNIT_EXPECT_EQ(test, fi_bed_run(b, IMEM, 41, (u64)ops, 0), 42);
	KUNIT_EXPECT_EQ(test, fi_bed_run(b, IJMP, 41, b->func[INC].va, 0), 42);
	KUNIT_EXPECT_EQ(test, b->what, FI_BED_NOTHING);
}

static void dbi_flow_call(struct kunit *test)
{
	struct fi_bed *b = test->priv;
	u64 bad[6], ops[2];
	u32 i;

	add_all(b);
	fi_bed_translate(b);
	bad[0] = b->func[INC].va + 4;		/* the middle of a function */
	bad[1] = b->func[SMASH].va;		/* nobody took its address */
	bad[2] = (u64)fi_bed_run;		/* the kernel's */
	bad[3] = fi_dbi_entry(b->u, b->func[INC].va);	/* the cache itself */
	bad[4] = (u64)b->mem;			/* data */
	bad[5] = 0;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fi_bed_run(b, ICALL, 1, bad[i], 0);
		expect(b, FI_BED_ICALL, ICALL, 4, bad[i]);
		ops[1] = bad[i];
		fi_bed_run(b, IMEM, 1, (u64)ops, 0);
		expect(b, FI_BED_ICALL, IMEM, 4, bad[i]);
		fi_bed_run(b, IJMP, 1, bad[i], 0);
		KUNIT_EXPECT_EQ(test, b->what, FI_BED_ICALL);
		KUNIT_EXPECT_EQ(test, b->at, bad[i]);
	}
}

static void dbi_flow_return(struct kunit *test)
{
	struct fi_bed *b = test->priv;

	add_all(b);
	fi_bed_translate(b);
	fi_bed_run(b, SMASH, 0, (u64)fi_bed_run, 0);
	expect(b, FI_BED_RET, SMASH, 4, (u64)fi_bed_run);
	fi_bed_run(b, SMASH_FAR, 0, b->func[INC].va, 0);
	expect(b, FI_BED_RET, SMASH_FAR, 4, b->func[INC].va);
	/* a function that keeps everything compares in another way */
	b->func[SMASH].flags = 0;
	fi_dbi_destroy(b->u);
	b->u = NULL;
	fi_bed_open(b);
	fi_bed_translate(b);
	fi_bed_run(b, SMASH, 0, 0x1234567890, 0);
	expect(b, FI_BED_RET, SMASH, 4, 0x1234567890);
}

/* What must not be executed ends the domain where it stands, and no earlier. */
static void dbi_flow_trap(struct kunit *test)
{
	static const struct {
		u8 code[8];
		u32 len;
		u8 sens;
	} odd[] = {
		{ { 0xf4, 0xc3 }, 2, FI_SENS_HALT },
		{ { 0x0f, 0x22, 0xdf, 0xc3 }, 4, FI_SENS_CR },		/* mov %rdi,%cr3 */
		{ { 0x0f, 0x30, 0xc3 }, 3, FI_SENS_MSR },		/* wrmsr */
		{ { 0x0f, 0x01, 0x1f, 0xc3 }, 4, FI_SENS_TABLE },	/* lidt (%rdi) */
		{ { 0xfd, 0xc3 }, 2, FI_SENS_DIRECTION },		/* std */
		{ { 0xcd, 0x80, 0xc3 }, 3, FI_SENS_SYSTEM },		/* int $0x80 */
		{ { 0x48, 0xcf }, 2, FI_SENS_RETURN },			/* iretq */
		{ { 0x0f, 0x01, 0xd8, 0xc3 }, 4, FI_SENS_VM },		/* vmrun */
		{ { 0x48, 0x89, 0xfc, 0x55, 0xc3 }, 5, FI_SENS_RSP },	/* mov %rdi,%rsp; push */
	};
	struct fi_bed *b = test->priv;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(odd); i++)
		fi_bed_add(b, odd[i].code, odd[i].len, 0);
	fi_bed_translate(b);
	KUNIT_EXPECT_EQ(test, fi_dbi_stats(b->u)->traps, ARRAY_SIZE(odd));
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		fi_bed_run(b, i, 0, 0, 0);
		expect(b, FI_BED_TRAP, i, 0, odd[i].sens);
	}
}

static void dbi_flow_port(struct kunit *test)
{
	static const u8 out[] = { 0x89, 0xfa, 0x89, 0xf0, 0xee, 0xc3 };	/* out %al,(%dx) */
	static const u8 in[] = { 0xe4, 0x64, 0xc3 };			/* in $0x64,%al */
	struct fi_bed *b = test->priv;

	fi_bed_add(b, out, sizeof(out), FI_DBI_FN_ABI);
	fi_bed_add(b, in, sizeof(in), FI_DBI_FN_ABI);
	fi_bed_translate(b);
	fi_bed_run(b, 0, 0xcf8, 0, 0);
	expect(b, FI_BED_PORT, 0, 4, 0xcf8);
	fi_bed_run(b, 1, 0, 0, 0);
	expect(b, FI_BED_PORT, 1, 0, 0x64);
}

/* Refused by name, and entered by a trap. */
static void dbi_flow_refused(struct kunit *test)
{
	static const u8 lost[] = { 0xe8, 0x00, 0x50, 0x00, 0x00, 0xc3 };
	static const u8 mid[] = { 0xe8, 0xed, 0xff, 0xff, 0xff, 0xc3 };	/* lost + 2 */
	static const u8 xsave[] = { 0x0f, 0xae, 0x27, 0xc3 };
	static const u8 clzero[] = { 0x0f, 0x01, 0xfc, 0xc3 };
	static const u8 overlap[] = { 0x74, 0x01, 0xb8, 0x01, 0x00, 0x00, 0x00, 0xc3 };
	struct fi_bed *b = test->priv;
	u64 at;

	fi_bed_add(b, lost, sizeof(lost), FI_DBI_FN_ABI);
	fi_bed_add(b, mid, sizeof(mid), FI_DBI_FN_ABI);
	fi_bed_add(b, xsave, sizeof(xsave), FI_DBI_FN_ABI);
	fi_bed_add(b, clzero, sizeof(clzero), FI_DBI_FN_ABI);
	fi_bed_add(b, overlap, sizeof(overlap), FI_DBI_FN_ABI);
	fi_bed_translate(b);
	KUNIT_EXPECT_STREQ(test, fi_dbi_refusal(b->u, 0, &at), "branch to an unknown target");
	KUNIT_EXPECT_EQ(test, at, b->func[0].va);
	KUNIT_EXPECT_STREQ(test, fi_dbi_refusal(b->u, 1, NULL),
			   "call into the middle of a function");
	KUNIT_EXPECT_STREQ(test, fi_dbi_refusal(b->u, 2, NULL), "store without a check: XSAVE");
	KUNIT_EXPECT_STREQ(test, fi_dbi_refusal(b->u, 3, NULL), "store without a check: CLZERO");
	KUNIT_EXPECT_STREQ(test, fi_dbi_refusal(b->u, 4, NULL), "overlapping instructions");
	fi_bed_run(b, 2, (u64)b->mem, 0, 0);
	KUNIT_EXPECT_EQ(test, b->what, FI_BED_TRAP);
	KUNIT_EXPECT_EQ(test, b->va, b->func[2].va);
}

/* The two words that tables hold: distances from themselves. */
static void dbi_tables(struct kunit *test)
{
	/* 0: nop5 site; 5: xor %eax,%eax; 7: ret; 8: ud2; 10: mov (%rdi),%eax; 12: ret */
	static const u8 code[] = {
		0x0f, 0x1f, 0x44, 0x00, 0x00, 0x31, 0xc0, 0xc3,
		0x0f, 0x0b, 0x8b, 0x07, 0xc3,
	};
	static const u8 caller[] = { 0xe8, 0xeb, 0xff, 0xff, 0xff, 0xc3 };
	struct fi_bed *b = test->priv;
	u64 va = b->text.va, at = va + 0x1000;
	s32 one, two;

	fi_bed_add(b, code, sizeof(code), FI_DBI_FN_ABI);
	fi_bed_add(b, caller, sizeof(caller), FI_DBI_FN_ABI);
	b->edge[0] = (struct fi_dbi_edge){ va, va + 8, FI_DBI_EDGE_JUMP_LABEL };
	b->edge[1] = (struct fi_dbi_edge){ va + 10, va + 5, FI_DBI_EDGE_EXTABLE };
	b->edge[2] = (struct fi_dbi_edge){ va + 16, 0, FI_DBI_EDGE_STATIC_CALL };
	b->nr_edges = 3;
	fi_bed_translate(b);

	one = va - at;
	two = va + 8 - (at + 4);
	KUNIT_EXPECT_TRUE(test, fi_dbi_rewrite_jump(b->u, at, &one, &two));
	KUNIT_EXPECT_EQ(test, at + one, fi_dbi_to_cache(b->u, va));
	KUNIT_EXPECT_EQ(test, at + 4 + two, fi_dbi_to_cache(b->u, va + 8));
	KUNIT_EXPECT_EQ(test, memcmp((void *)(at + one), code, 5), 0);

	one = va + 8 - at;
	KUNIT_EXPECT_TRUE(test, fi_dbi_rewrite_bug(b->u, at, &one));
	KUNIT_EXPECT_EQ(test, memcmp((void *)(at + one), code + 8, 2), 0);
	/* the kernel goes on two bytes after it */
	KUNIT_EXPECT_EQ(test, fi_dbi_to_orig(b->u, at + one + 2), va + 10);

	one = va + 10 - at;
	two = va + 5 - (at + 4);
	KUNIT_EXPECT_TRUE(test, fi_dbi_rewrite_extable(b->u, at, &one, &two));
	KUNIT_EXPECT_EQ(test, memcmp((void *)(at + one), code + 10, 2), 0);
	KUNIT_EXPECT_EQ(test, at + 4 + two, fi_dbi_to_cache(b->u, va + 5));

	one = va + 16 - at;
	KUNIT_EXPECT_TRUE(test, fi_dbi_rewrite_static_call(b->u, at, &one));
	KUNIT_EXPECT_EQ(test, *(u8 *)(at + one), 0xe8);

	/* no instruction: nothing is changed */
	one = va + 9 - at;
	two = va + 5 - (at + 4);
	KUNIT_EXPECT_FALSE(test, fi_dbi_rewrite_extable(b->u, at, &one, &two));
	KUNIT_EXPECT_FALSE(test, fi_dbi_rewrite_static_call(b->u, at, &one));
	KUNIT_EXPECT_EQ(test, one, (s32)(va + 9 - at));
	KUNIT_EXPECT_EQ(test, two, (s32)(va + 5 - (at + 4)));
}

/* Whatever the unwinder asks of the cache, it gets the original's entry. */
static void dbi_tables_orc(struct kunit *test)
{
	struct fi_bed *b = test->priv;
	struct fi_dbi_orc in[4], *out;
	u32 n, i, k;
	u64 off;

	add_all(b);
	fi_bed_translate(b);
	for (i = 0; i < ARRAY_SIZE(in); i++) {
		in[i].ip = b->func[ICALL].va + 4 * i - (i == 3);
		in[i].entry = 100 + i;
	}
	out = kunit_kzalloc(test, 64 * sizeof(*out), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, out);
	n = fi_dbi_rewrite_orc(b->u, in, ARRAY_SIZE(in), out, 64);
	KUNIT_ASSERT_GE(test, n, 3);
	for (off = 0; off < sizeof(icall); off++) {
		u64 va = b->func[ICALL].va + off, at = fi_dbi_to_cache(b->u, va);

		if (!at)
			continue;
		for (i = 0, k = 0; i < n && out[i].ip <= at; i++)
			k = out[i].entry;
		for (i = 0; i < ARRAY_SIZE(in) && in[i].ip <= va; i++)
			;
		KUNIT_EXPECT_EQ(test, k, in[i - 1].entry);
	}
}

/* A static key changes its site: the function is translated again, callers follow. */
static void dbi_again(struct kunit *test)
{
	/* nop5; xor %eax,%eax; ret; mov $2,%eax; ret */
	static const u8 keyed[] = {
		0x0f, 0x1f, 0x44, 0x00, 0x00, 0x31, 0xc0, 0xc3,
		0xb8, 0x02, 0x00, 0x00, 0x00, 0xc3,
	};
	static const u8 jump[] = { 0xe9, 0x03, 0x00, 0x00, 0x00 };
	static const u8 caller[] = { 0xe8, 0xeb, 0xff, 0xff, 0xff, 0xc3 };
	struct fi_bed *b = test->priv;
	u64 va = b->text.va, old;
	struct fi_dbi_patch p[8];
	int n, i;

	fi_bed_add(b, keyed, sizeof(keyed), FI_DBI_FN_ABI);
	fi_bed_add(b, caller, sizeof(caller), FI_DBI_FN_ABI);
	b->edge[0] = (struct fi_dbi_edge){ va, va + 8, FI_DBI_EDGE_JUMP_LABEL };
	b->nr_edges = 1;
	fi_bed_translate(b);
	KUNIT_EXPECT_EQ(test, fi_bed_run(b, 1, 0, 0, 0), 0);
	old = fi_dbi_to_cache(b->u, va);

	KUNIT_EXPECT_EQ(test, fi_dbi_retranslate(b->u, 0x1000, p, 8), -ENOENT);
	memcpy(b->code, jump, sizeof(jump));
	fi_bed_open(b);
	n = fi_dbi_retranslate(b->u, va, p, ARRAY_SIZE(p));
	KUNIT_ASSERT_GE(test, n, 1);
	for (i = 0; i < n; i++)
		memcpy((void *)p[i].va, p[i].bytes, p[i].len);
	fi_bed_close(b);
	KUNIT_EXPECT_EQ(test, fi_bed_run(b, 1, 0, 0, 0), 2);
	/* the old fragment can still be named, the map leads to the new one */
	KUNIT_EXPECT_NE(test, fi_dbi_to_cache(b->u, va), old);
	KUNIT_EXPECT_EQ(test, fi_dbi_to_orig(b->u, old), va);
}

static struct kunit_case flow_cases[] = {
	KUNIT_CASE(dbi_flow_legal),
	KUNIT_CASE(dbi_flow_call),
	KUNIT_CASE(dbi_flow_return),
	KUNIT_CASE(dbi_flow_trap),
	KUNIT_CASE(dbi_flow_port),
	KUNIT_CASE(dbi_flow_refused),
	KUNIT_CASE(dbi_tables),
	KUNIT_CASE(dbi_tables_orc),
	KUNIT_CASE(dbi_again),
	{}
};

static struct kunit_suite flow_suite = {
	.name = "driver_fi_dbi_flow",
	.init = fi_bed_init,
	.exit = fi_bed_exit,
	.test_cases = flow_cases,
};

kunit_test_suite(flow_suite);

MODULE_DESCRIPTION("KUnit tests of the driver fault isolation engine's control flow");
MODULE_LICENSE("GPL");
