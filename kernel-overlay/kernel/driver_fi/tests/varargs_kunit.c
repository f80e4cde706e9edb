// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the walk over formats: what it accepts, vsnprintf() must survive.
 */
#include <kunit/test.h>
#include <linux/driver_fi_wrap.h>

#include "../wrap/varargs.h"

#define WILD	0xdead000000000000UL	/* not canonical */
#define HOLE	0xffffc8ffffff0000UL	/* canonical, nothing there */

static const u8 bytes[64] = "text";

struct fmt_case {
	const char *fmt;
	unsigned long word[4];
	bool good;
};

#define B	((unsigned long)bytes)

static const struct fmt_case cases[] = {
	{ "plain", {}, true },
	{ "100%%", {}, true },
	{ "%d %5u %-08lx %#llx %hhd", { 1, 2, 3, 4 }, false },	/* one too many */
	{ "%d %5u %-08lx %#llx", { 1, 2, 3, 4 }, true },
	{ "%zu %td %c %i", { 1, 2, 'x', 4 }, true },
	{ "%s", { B }, true },
	{ "%-10.3s|", { B }, true },
	{ "%.*s", { 4, B }, true },
	{ "%*d", { 7, 1 }, true },
	{ "%s", { 0 }, true },
	{ "%s", { (unsigned long)-ENOMEM }, true },
	{ "%s", { WILD }, false },
	{ "%s", { HOLE }, false },
	{ "%.0s", { WILD }, true },
	{ "%.4s", { HOLE }, false },
	{ "%.*s", { (unsigned long)-1, HOLE }, true },	/* negative: 0 */
	{ "%.s", { HOLE }, false },			/* none: no limit */
	{ "%.*s", { 40000, B }, false },
	{ "%*d", { 1 << 30, 1 }, false },
	{ "%*d", { (unsigned long)-12, 1 }, true },
	{ "%p %px %pK %pS", { WILD, WILD, WILD, WILD }, true },
	{ "%ps %pB %pe", { HOLE, HOLE, HOLE }, true },
	{ "%pM %pm %pMR", { B, B, B }, true },
	{ "%pM", { WILD }, false },
	{ "%pI4 %pI6c %pU %pNF", { B, B, B, B }, true },
	{ "%pI4", { HOLE }, false },
	{ "%*ph", { 16, B }, true },
	{ "%16ph", { B }, true },
	{ "%*ph", { 16, HOLE }, false },
	{ "%*ph", { (unsigned long)-64, HOLE }, false },
	{ "%zld", { 1 }, false },
	{ "%*pb", { 64, B }, true },
	{ "%pad", { B }, true },
	{ "%pR", { B }, false },
	{ "%pV", { B }, false },
	{ "%pd", { B }, false },
	{ "%pISpc", { B }, false },
	{ "%n", { B }, false },
	{ "%", {}, false },
	{ "%5", {}, false },
	{ "%l", {}, false },
	{ "%999999d", { 1 }, false },
};

/* Prints through a va_list made as fi_va_start() makes it. */
static int print(char *buf, size_t size, const char *fmt, const unsigned long *word)
{
	struct {
		u32 gp_offset, fp_offset;
		const void *stack, *regs;
	} tag = { 48, 176, word, NULL };
	struct va_format vaf = { .fmt = fmt };
	va_list ap;

	memcpy(&ap, &tag, sizeof(tag));
	vaf.va = &ap;
	return snprintf(buf, size, "%pV", &vaf);
}

static void check_cases(struct kunit *test)
{
	char *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fmt_case *c = &cases[i];
		const char *why = fi_va_check(NULL, c->fmt, c->word, ARRAY_SIZE(c->word));

		KUNIT_EXPECT_EQ_MSG(test, !why, c->good, "format \"%%%s\"", c->fmt + 1);
		if (!why)
			KUNIT_EXPECT_GE(test, print(buf, PAGE_SIZE, c->fmt, c->word), 0);
	}
}

static void same_text(struct kunit *test)
{
	const unsigned long word[] = { 42, B, (u32)-7, 0x1234 };
	char got[64];

	print(got, sizeof(got), "%lu %s %d %#lx", word);
	KUNIT_EXPECT_STREQ(test, got, "42 text -7 0x1234");
}

static void no_end(struct kunit *test)
{
	char *page = kunit_kmalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	unsigned long word[] = { (unsigned long)page };

	KUNIT_ASSERT_NOT_NULL(test, page);
	memset(page, 'x', 2 * PAGE_SIZE);
	KUNIT_EXPECT_NOT_NULL(test, fi_va_check(NULL, "%s", word, 1));
	KUNIT_EXPECT_NULL(test, fi_va_check(NULL, "%.9s", word, 1));
}

static struct kunit_case varargs_cases[] = {
	KUNIT_CASE(check_cases),
	KUNIT_CASE(same_text),
	KUNIT_CASE(no_end),
	{}
};

static struct kunit_suite varargs_suite = {
	.name = "driver_fi_varargs",
	.test_cases = varargs_cases,
};

kunit_test_suite(varargs_suite);
