// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the driver_fi= grammar.
 */
#include <kunit/test.h>
#include <linux/string.h>

#include "../policy.h"

struct good {
	const char *text;
	const char *printed;	/* the same in full */
};

static const struct good goods[] = {
	{ "e1000", "e1000:pt,restart=5/60s" },
	{ "e1000:pt", "e1000:pt,restart=5/60s" },
	{ "e1000:off", "e1000:off,restart=5/60s" },
	{ "  e1000 : pt , restart=always ", "e1000:pt,restart=always" },
	{ "e1000:pt,restart=always", "e1000:pt,restart=always" },
	{ "e1000:restart=always", "e1000:pt,restart=always" },
	{ "e1000:pt,restart=never", "e1000:pt,restart=never" },
	{ "e1000:pt,restart=0", "e1000:pt,restart=never" },
	{ "e1000:pt,restart=7", "e1000:pt,restart=7/60s" },
	{ "e1000:pt,restart=7/10", "e1000:pt,restart=7/10s" },
	{ "e1000:pt,restart=7/10s", "e1000:pt,restart=7/10s" },
	{ "e1000:pt,restart=7/10m", "e1000:pt,restart=7/600s" },
	{ "e1000:pt,restart=7/2h", "e1000:pt,restart=7/7200s" },
	{ "e1000:pt,restart=always,restart=3/5s", "e1000:pt,restart=3/5s" },
	{ "e1000:pt,checks=none", "e1000:pt,restart=5/60s" },
	{ "e1000:pt,deny=fail", "e1000:pt,restart=5/60s" },
	{ "e1000:full,deny=fail", "e1000:full,restart=5/60s,checks=byte" },
	{ "e1000:full,deny=skip", "e1000:full,restart=5/60s,checks=byte,deny=skip" },
	{ "e1000:dbi,deny=skip", "e1000:dbi,restart=5/60s,checks=byte,deny=skip" },
	{ "snd-ens1370:pt", "snd_ens1370:pt,restart=5/60s" },
	{ "8139too:pt", "8139too:pt,restart=5/60s" },
};

static void good_desc(const struct good *g, char *desc)
{
	strscpy(desc, g->text, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(good, goods, good_desc);

static void policy_good(struct kunit *test)
{
	const struct good *g = test->param_value;
	char err[FI_POLICY_ERR] = "", buf[128];
	struct fi_policy p;

	KUNIT_EXPECT_EQ_MSG(test, 0, fi_policy_parse_one(g->text, strlen(g->text), &p, err),
			    "%s", err);
	fi_policy_print_one(&p, buf, sizeof(buf));
	KUNIT_EXPECT_STREQ(test, buf, g->printed);
	KUNIT_EXPECT_NULL(test, p.refused);
}

/* What is printed can be read again, and is the same then. */
static void policy_round_trip(struct kunit *test)
{
	const struct good *g = test->param_value;
	char err[FI_POLICY_ERR], again[128];
	struct fi_policy p;

	KUNIT_ASSERT_EQ(test, 0, fi_policy_parse_one(g->printed, strlen(g->printed), &p, err));
	fi_policy_print_one(&p, again, sizeof(again));
	KUNIT_EXPECT_STREQ(test, again, g->printed);
}

struct bad {
	const char *text;
	int ret;
	const char *name;	/* that is refused; "" if none can be told */
	const char *says;	/* the message names the culprit */
};

static const struct bad bads[] = {
	{ "e1000:dbi,checks=segment", -EOPNOTSUPP, "e1000", "checks=segment is not" },
	{ "8139too:dbi,checks=none", -EINVAL, "8139too", "not with checks=none" },
	{ "e1000:dbi,colour=red", -EINVAL, "e1000", "'colour=red'" },
	{ "e1000:fast", -EINVAL, "e1000", "unknown mode 'fast'" },
	{ "e1000:PT", -EINVAL, "e1000", "unknown mode 'PT'" },
	{ "e1000:", -EINVAL, "e1000", "unknown mode ''" },
	{ "e1000:pt,", -EINVAL, "e1000", "unknown option ''" },
	{ "e1000:pt,pt", -EINVAL, "e1000", "unknown option 'pt'" },
	{ "e1000:pt,restart", -EINVAL, "e1000", "unknown option 'restart'" },
	{ "e1000:pt,restart=", -EINVAL, "e1000", "bad number in 'restart='" },
	{ "e1000:pt,restart=x", -EINVAL, "e1000", "bad number in 'restart=x'" },
	{ "e1000:pt,restart=-1", -EINVAL, "e1000", "bad number in 'restart=-1'" },
	{ "e1000:pt,restart=+1", -EINVAL, "e1000", "bad number in 'restart=+1'" },
	{ "e1000:pt,restart=5/", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,restart=5/0", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,restart=5/s", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,restart=5/60d", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,restart=5/60ss", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,restart=/60s", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,restart=99999999999", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,restart=1/99999999h", -EINVAL, "e1000", "bad number" },
	{ "e1000:pt,checks=byte", -EINVAL, "e1000", "checks=byte needs mode" },
	{ "e1000:pt,checks=bits", -EINVAL, "e1000", "unknown option 'checks=bits'" },
	{ "e1000:pt,checks=", -EINVAL, "e1000", "unknown option 'checks='" },
	{ "e1000:pt,deny=skip", -EINVAL, "e1000", "deny=skip needs mode" },
	{ "e1000:off,deny=skip", -EINVAL, "e1000", "deny=skip needs mode" },
	{ "e1000:dbi,deny=never", -EINVAL, "e1000", "unknown option 'deny=never'" },
	{ "snd-x:fast", -EINVAL, "snd_x", "unknown mode" },
	{ "", -EINVAL, "", "bad driver name" },
	{ ":pt", -EINVAL, "", "bad driver name" },
	{ "e1000.ko:pt", -EINVAL, "", "bad driver name 'e1000.ko'" },
	{ "e1000,8139too", -EINVAL, "", "bad driver name" },
	{ "a b:pt", -EINVAL, "", "bad driver name 'a b'" },
	{ "x123456789012345678901234567890123456789012345678901234567890:pt",
	  -EINVAL, "", "bad driver name" },
};

static void bad_desc(const struct bad *b, char *desc)
{
	strscpy(desc, *b->text ? b->text : "(empty)", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bad, bads, bad_desc);

static void policy_bad(struct kunit *test)
{
	const struct bad *b = test->param_value;
	char err[FI_POLICY_ERR] = "";
	struct fi_policy p;

	KUNIT_EXPECT_EQ(test, b->ret, fi_policy_parse_one(b->text, strlen(b->text), &p, err));
	KUNIT_EXPECT_STREQ(test, p.name, b->name);
	KUNIT_EXPECT_NOT_NULL(test, p.refused);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(err, b->says), "said: %s", err);
}

static struct fi_policy_table *new_table(struct kunit *test)
{
	struct fi_policy_table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	return t;
}

/* A mistake refuses one driver and leaves the others alone. */
static void policy_several(struct kunit *test)
{
	struct fi_policy_table *t = new_table(test);
	const char *arg = "e1000:pt,restart=always; ;8139too:dbi,checks=sandbox;snd-x:pt;bad:fast;";
	const struct fi_policy *p;

	KUNIT_EXPECT_EQ(test, 2, fi_policy_table_parse(t, arg));
	KUNIT_EXPECT_EQ(test, 4, t->nr);
	p = fi_policy_table_find(t, "e1000");
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, p->restart_always);
	KUNIT_EXPECT_NULL(test, p->refused);
	p = fi_policy_table_find(t, "8139too");
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NOT_NULL(test, p->refused);
	KUNIT_EXPECT_EQ(test, FI_CHECKS_SANDBOX, p->checks);
	p = fi_policy_table_find(t, "snd_x");
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, p->refused);
	p = fi_policy_table_find(t, "bad");
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NOT_NULL(test, p->refused);
	KUNIT_EXPECT_NULL(test, fi_policy_table_find(t, "e1000e"));
}

static void policy_last_wins(struct kunit *test)
{
	struct fi_policy_table *t = new_table(test);

	KUNIT_EXPECT_EQ(test, 0, fi_policy_table_parse(t, "e1000:pt"));
	KUNIT_EXPECT_EQ(test, 0, fi_policy_table_parse(t, "e1000:off;x-y:pt;x_y:off"));
	KUNIT_EXPECT_EQ(test, 2, t->nr);
	KUNIT_EXPECT_EQ(test, FI_MODE_OFF, fi_policy_table_find(t, "e1000")->mode);
	KUNIT_EXPECT_EQ(test, FI_MODE_OFF, fi_policy_table_find(t, "x_y")->mode);
}

static void policy_empty(struct kunit *test)
{
	struct fi_policy_table *t = new_table(test);

	KUNIT_EXPECT_EQ(test, 0, fi_policy_table_parse(t, ""));
	KUNIT_EXPECT_EQ(test, 0, fi_policy_table_parse(t, " ; ;;"));
	KUNIT_EXPECT_EQ(test, 0, t->nr);
}

static void policy_too_many(struct kunit *test)
{
	struct fi_policy_table *t = new_table(test);
	char one[16];
	int i;

	for (i = 0; i < FI_MAX_DOMAINS; i++) {
		scnprintf(one, sizeof(one), "d%d", i);
		KUNIT_EXPECT_EQ(test, 0, fi_policy_table_parse(t, one));
	}
	KUNIT_EXPECT_EQ(test, 1, fi_policy_table_parse(t, "onemore"));
	KUNIT_EXPECT_EQ(test, 0, fi_policy_table_parse(t, "d3:off"));
	KUNIT_EXPECT_EQ(test, FI_MAX_DOMAINS, t->nr);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE_PARAM(policy_good, good_gen_params),
	KUNIT_CASE_PARAM(policy_round_trip, good_gen_params),
	KUNIT_CASE_PARAM(policy_bad, bad_gen_params),
	KUNIT_CASE(policy_several),
	KUNIT_CASE(policy_last_wins),
	KUNIT_CASE(policy_empty),
	KUNIT_CASE(policy_too_many),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "fi_policy",
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);

MODULE_DESCRIPTION("Tests of the driver_fi= grammar");
MODULE_LICENSE("GPL");
