// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what recovery decides and keeps: backoff, parked objects, classes.
 */
#include <kunit/test.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "../recovery/recovery.h"
#include "../wrap/class.h"

#define MS	((u64)NSEC_PER_MSEC)
#define SEC	((u64)NSEC_PER_SEC)

static const struct fi_policy always = { .restart_always = true, .backoff_ms = 100 };

/* A driver that fails each time as soon as it is live. */
static void backoff_grows(struct kunit *test)
{
	static const int delays[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
	struct fi_backoff b;
	u64 now = SEC;
	int i;

	KUNIT_ASSERT_EQ(test, fi_backoff_init(&b, &always), 0);
	for (i = 0; i < ARRAY_SIZE(delays); i++) {
		KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &always, now), delays[i]);
		now += delays[i] * MS + MS;
		fi_backoff_live(&b, now);
	}
	fi_backoff_exit(&b);
}

/* Restarts that fail do not make the driver live, and count. */
static void backoff_failed_restarts(struct kunit *test)
{
	struct fi_backoff b;
	int i;

	KUNIT_ASSERT_EQ(test, fi_backoff_init(&b, &always), 0);
	for (i = 0; i < 100; i++)
		fi_backoff_next(&b, &always, (1 + i) * 100 * SEC);
	KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &always, 20000 * SEC), FI_BACKOFF_MAX_MS);
	fi_backoff_exit(&b);
}

static void backoff_decays(struct kunit *test)
{
	struct fi_backoff b;
	int i;

	KUNIT_ASSERT_EQ(test, fi_backoff_init(&b, &always), 0);
	for (i = 0; i < 8; i++)
		fi_backoff_next(&b, &always, SEC);
	/* 8 in a row, lived 2 s: as if it were 2. */
	fi_backoff_live(&b, 2 * SEC);
	KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &always, 4 * SEC), 200);
	fi_backoff_live(&b, 5 * SEC);
	KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &always, 100 * SEC), 0);
	/* One fault each second, for ever: no delay. */
	for (i = 0; i < 100; i++) {
		fi_backoff_live(&b, (200 + i) * SEC);
		KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &always, (201 + i) * SEC), 0);
	}
	fi_backoff_exit(&b);
}

static void backoff_limit(struct kunit *test)
{
	const struct fi_policy p = { .restart_max = 3, .restart_window = 60, .backoff_ms = 100 };
	struct fi_backoff b;

	KUNIT_ASSERT_EQ(test, fi_backoff_init(&b, &p), 0);
	KUNIT_EXPECT_GE(test, fi_backoff_next(&b, &p, 1 * SEC), 0);
	KUNIT_EXPECT_GE(test, fi_backoff_next(&b, &p, 20 * SEC), 0);
	KUNIT_EXPECT_GE(test, fi_backoff_next(&b, &p, 60 * SEC), 0);
	KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &p, 60 * SEC), -EPERM);
	/* The first has left the window. */
	KUNIT_EXPECT_GE(test, fi_backoff_next(&b, &p, 61 * SEC), 0);
	KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &p, 79 * SEC), -EPERM);
	KUNIT_EXPECT_GE(test, fi_backoff_next(&b, &p, 80 * SEC), 0);
	fi_backoff_exit(&b);
}

static void backoff_never(struct kunit *test)
{
	const struct fi_policy p = { .restart_window = 60 };
	struct fi_backoff b;

	KUNIT_ASSERT_EQ(test, fi_backoff_init(&b, &p), 0);
	KUNIT_EXPECT_EQ(test, fi_backoff_next(&b, &p, SEC), -EPERM);
	fi_backoff_exit(&b);
}

/* --- parked objects and classes ------------------------------------------ */

static struct fi_domain *new_domain(struct kunit *test)
{
	struct fi_domain *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	KUNIT_ASSERT_EQ(test, fi_classes_create(d), 0);
	return d;
}

static void park_and_back(struct kunit *test)
{
	struct fi_domain *d = new_domain(test);
	int x, y;

	KUNIT_EXPECT_EQ(test, fi_park(d, "thing", 1, &x), 0);
	KUNIT_EXPECT_EQ(test, fi_park(d, "thing", 1, &y), -EEXIST);
	KUNIT_EXPECT_EQ(test, fi_park(d, "thing", 2, &y), 0);
	KUNIT_EXPECT_EQ(test, fi_parked(d), 2);
	KUNIT_EXPECT_NULL(test, fi_unpark(d, "other", 1));
	KUNIT_EXPECT_NULL(test, fi_unpark(d, "thing", 3));
	KUNIT_EXPECT_PTR_EQ(test, fi_unpark(d, "thing", 1), (void *)&x);
	KUNIT_EXPECT_NULL(test, fi_unpark(d, "thing", 1));
	KUNIT_EXPECT_NULL(test, fi_unpark_any(d, "other"));
	KUNIT_EXPECT_PTR_EQ(test, fi_unpark_any(d, "thing"), (void *)&y);
	KUNIT_EXPECT_EQ(test, fi_parked(d), 0);
	fi_park_close(d);
	KUNIT_EXPECT_EQ(test, fi_park(d, "thing", 1, &x), -ESHUTDOWN);
	fi_classes_destroy(d);
}

/* Each test class writes its letter: small when called, capital to abandon. */
static char trail[16];
static int first_fails;

static void note(char c)
{
	size_t n = strlen(trail);

	if (n < sizeof(trail) - 1)
		trail[n] = c;
}

static int replay_a(struct fi_domain *d)
{
	note('a');
	return first_fails;
}

static int replay_b(struct fi_domain *d)
{
	note('b');
	return 0;
}

static void abandon_a(struct fi_domain *d)
{
	note('A');
}

static void abandon_b(struct fi_domain *d)
{
	note('B');
}

/* Other classes are there as well; they know nothing of this domain. */
static void class_order(struct kunit *test)
{
	static const struct fi_class_ops a = {
		.name = "a", .replay = replay_a, .abandon = abandon_a,
	};
	static const struct fi_class_ops b = {
		.name = "b", .replay = replay_b, .abandon = abandon_b,
	};
	struct fi_domain *d = new_domain(test);

	memset(trail, 0, sizeof(trail));
	first_fails = 0;
	KUNIT_EXPECT_NULL(test, fi_class_data(d, &a));
	KUNIT_ASSERT_EQ(test, fi_class_register(&a), 0);
	KUNIT_ASSERT_EQ(test, fi_class_register(&b), 0);
	KUNIT_ASSERT_NOT_NULL(test, fi_class_data(d, &a));
	KUNIT_EXPECT_NULL(test, *fi_class_data(d, &a));
	KUNIT_EXPECT_PTR_NE(test, fi_class_data(d, &a), fi_class_data(d, &b));
	KUNIT_EXPECT_EQ(test, fi_classes_replay(d), 0);
	fi_classes_abandon(d);
	first_fails = -EIO;
	KUNIT_EXPECT_EQ(test, fi_classes_replay(d), -EIO);
	KUNIT_EXPECT_STREQ(test, trail, "abBAa");
	fi_class_unregister(&b);
	fi_class_unregister(&a);
	fi_classes_destroy(d);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(backoff_grows),
	KUNIT_CASE(backoff_failed_restarts),
	KUNIT_CASE(backoff_decays),
	KUNIT_CASE(backoff_limit),
	KUNIT_CASE(backoff_never),
	KUNIT_CASE(park_and_back),
	KUNIT_CASE(class_order),
	{ }
};

static struct kunit_suite suite = {
	.name = "fi_recovery",
	.test_cases = cases,
};

kunit_test_suite(suite);
