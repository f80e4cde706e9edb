// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of loans: what fi_victim writes into objects that it has for one call stays if
 * it may be so and the call ends, and else never was.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "../fi.h"
#include "victim.h"
#include "wait.h"

static const struct fi_type *type;

/* Two objects and a buffer of the kernel's, and what it saw in the middle of the call. */
static struct fi_victim_obj *obj, *other, seen;
static u64 *buf;

static const char *valid(struct fi_domain *d, unsigned long new, unsigned long old)
{
	u32 was = ((struct fi_victim_obj *)old)->a;

	return ((struct fi_victim_obj *)new)->a > was + 100 ? "victim_lent.a" : NULL;
}

static void look(void)
{
	seen = *obj;
}

static unsigned long fill(unsigned long a, bool die)
{
	unsigned long ret;

	*obj = (struct fi_victim_obj){ .kernel = 1, .a = 2, .b = 3, .both = 4 };
	*other = *obj;
	*buf = 5;
	victim_in_import = look;
	ret = victim->fill(obj, other, buf, a, die);
	victim_in_import = NULL;
	return ret;
}

/* The right ends with the call. */
static void expect_returned(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, fi_mem_writable(victim_domain, (unsigned long)obj, 1));
	KUNIT_EXPECT_FALSE(test, fi_mem_writable(victim_domain, (unsigned long)other, 1));
	KUNIT_EXPECT_FALSE(test, fi_mem_writable(victim_domain, (unsigned long)buf, 1));
}

static void expect_as_it_was(struct kunit *test)
{
	struct fi_victim_obj was = { .kernel = 1, .a = 2, .b = 3, .both = 4 };

	KUNIT_EXPECT_MEMEQ(test, obj, &was, sizeof(was));
	KUNIT_EXPECT_MEMEQ(test, other, &was, sizeof(was));
}

static void loan_arrives(struct kunit *test)
{
	struct fi_victim_obj want = { .kernel = 1, .a = 10, .b = 10, .both = 4 };
	int i;

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, fill(10, false), 0);
		KUNIT_EXPECT_MEMEQ(test, obj, &want, sizeof(want));
		KUNIT_EXPECT_EQ(test, other->a, 10);
		KUNIT_EXPECT_EQ(test, other->b, 3);
		KUNIT_EXPECT_EQ(test, *buf, 10);
		KUNIT_EXPECT_EQ(test, seen.a, 10);
		expect_returned(test);
	}
	KUNIT_EXPECT_EQ(test, victim->store((unsigned long)&obj->kernel, 7), (unsigned long)-EIO);
	KUNIT_EXPECT_EQ(test, fi_wait_live(victim_domain), FI_FAULT_WRITE);
	KUNIT_EXPECT_MEMEQ(test, obj, &want, sizeof(want));
}

/* Dead between two stores: neither has happened. A buffer is not looked at then. */
static void loan_torn(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, fill(10, true), (unsigned long)-EIO);
	KUNIT_EXPECT_EQ(test, seen.a, 10);
	expect_as_it_was(test);
	KUNIT_EXPECT_EQ(test, *buf, 10);
	expect_returned(test);
	KUNIT_EXPECT_EQ(test, fi_wait_live(victim_domain), FI_FAULT_BUG);
	KUNIT_EXPECT_EQ(test, fill(11, false), 0);
	KUNIT_EXPECT_EQ(test, obj->b, 11);
}

/* One object breaks a rule: none of the call's is changed. */
static void loan_invalid(struct kunit *test)
{
	const struct fi_fault *f = &victim_domain->fault;

	KUNIT_EXPECT_EQ(test, fill(102, false), 0);
	KUNIT_EXPECT_EQ(test, fill(103, false), (unsigned long)-EIO);
	KUNIT_EXPECT_EQ(test, seen.a, 103);
	expect_as_it_was(test);
	expect_returned(test);
	KUNIT_EXPECT_EQ(test, fi_wait_live(victim_domain), FI_FAULT_FIELD);
	KUNIT_EXPECT_STREQ(test, f->why, "victim_lent.a");
	KUNIT_EXPECT_STREQ(test, f->entry, "fi_victim_ops.fill");
	KUNIT_EXPECT_STREQ(test, f->hit.type, FI_VICTIM_LENT);
	KUNIT_EXPECT_EQ(test, f->hit.start, (unsigned long)obj);
	KUNIT_EXPECT_EQ(test, f->hit.size, sizeof(*obj));
	KUNIT_EXPECT_EQ(test, fill(10, false), 0);
}

/* The driver's own memory is its own afterwards, too. */
static void loan_own(struct kunit *test)
{
	unsigned long *own = fi_heap_alloc(victim_domain, sizeof(*obj), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, own);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, victim->fill(obj, other, (u64 *)own, i, false), 0);
		KUNIT_EXPECT_EQ(test, *own, i);
		KUNIT_EXPECT_EQ(test, victim->store((unsigned long)own, 6), 0);
		KUNIT_EXPECT_EQ(test, *own, 6);
	}
	KUNIT_EXPECT_EQ(test, fi_wait_live(victim_domain), FI_FAULT_NONE);
	fi_heap_free(victim_domain, own);
}

/* What cannot be lent as a whole is not lent at all. */
static void loan_refused(struct kunit *test)
{
	struct fi_slot slot = { .name = "none" };
	struct fi_entry entry = { .dom = victim_domain, .slot = &slot };
	struct fi_loan lent[] = {
		{ .obj = NULL, .len = 8, .was = &seen },
		{ .obj = obj, .len = sizeof(*obj), .was = &seen },
		{ .obj = (void *)PAGE_OFFSET, .len = SZ_1G },
	};

	KUNIT_EXPECT_EQ(test, fi_loan_begin(&entry, lent, 2), 0);
	KUNIT_EXPECT_TRUE(test, fi_mem_writable(victim_domain, (unsigned long)obj, sizeof(*obj)));
	KUNIT_EXPECT_TRUE(test, fi_loan_end(&entry, lent, 2, true));
	expect_returned(test);
	KUNIT_EXPECT_EQ(test, fi_loan_begin(&entry, lent, 3), -ENOSPC);
	expect_returned(test);
	KUNIT_EXPECT_EQ(test, fi_wait_live(victim_domain), FI_FAULT_LIMIT);
}

static int loan_suite_init(struct kunit_suite *suite)
{
	if (!victim || !victim_domain)
		return -ENODEV;
	type = fi_type_get(FI_VICTIM_LENT, sizeof(*obj), NULL, 0);
	obj = kzalloc(sizeof(*obj), GFP_KERNEL);
	other = kzalloc(sizeof(*other), GFP_KERNEL);
	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	return obj && other && buf ? fi_type_add_rule(type, valid) : -ENOMEM;
}

static void loan_suite_exit(struct kunit_suite *suite)
{
	fi_type_del_rule(type, valid);
	kfree(obj);
	kfree(other);
	kfree(buf);
}

static struct kunit_case loan_cases[] = {
	KUNIT_CASE(loan_arrives),
	KUNIT_CASE(loan_torn),
	KUNIT_CASE(loan_invalid),
	KUNIT_CASE(loan_own),
	KUNIT_CASE(loan_refused),
	{ }
};

static struct kunit_suite loan_suite = {
	.name = "driver_fi_shadow_loan",
	.suite_init = loan_suite_init,
	.suite_exit = loan_suite_exit,
	.test_cases = loan_cases,
};

kunit_test_suite(loan_suite);
