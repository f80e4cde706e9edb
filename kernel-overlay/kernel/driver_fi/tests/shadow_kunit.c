// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of shadow copies: what fi_victim stores into a kernel object arrives whole
 * and valid, or not at all.
 *
 * Boot with driver_fi=fi_victim:pt,restart=always, or full, or dbi.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "../rm/shadow.h"
#include "victim.h"
#include "wait.h"

static const struct fi_field fields[] = {
	{ offsetof(struct fi_victim_obj, a), 4, ~0ULL, true },
	{ offsetof(struct fi_victim_obj, b), 4, ~0ULL, true },
	{ offsetof(struct fi_victim_obj, both), 8, ~0ULL, true },
	{ offsetof(struct fi_victim_obj, count), 8, ~0ULL },
};

static const struct fi_type *type;
static struct fi_victim_obj *obj;

/* What the kernel saw while the victim was in the middle. */
static struct fi_victim_obj seen;
static bool held;

static const char *valid(struct fi_domain *d, unsigned long new, unsigned long old)
{
	return ((struct fi_victim_obj *)new)->a > 100 ? "victim_obj.a" : NULL;
}

/* Without a page table of its own the victim stores to the object, for a while. */
static bool in_place(void)
{
	return fi_on_kernel_pgt(victim_domain);
}

static void look(void)
{
	seen = *obj;
}

/* As a wrapper that is given the object. */
static void hold_and_look(void)
{
	held = fi_obj_held(victim_domain, obj, type);
	seen = *obj;
}

static void change(void)
{
	look();
	obj->kernel = 77;
	obj->both = 88;
	obj->b = 99;
}

static void cross(struct work_struct *work)
{
	victim->null();
}

/* Another thread's crossing begins and ends meanwhile. */
static void beside(void)
{
	struct work_struct work;

	INIT_WORK_ONSTACK(&work, cross);
	schedule_work(&work);
	flush_work(&work);
	destroy_work_on_stack(&work);
	look();
}

static unsigned long configure(void (*in_import)(void), unsigned long a, unsigned long b,
			       bool die)
{
	unsigned long ret;

	*obj = (struct fi_victim_obj){ .kernel = 1, .a = 2, .b = 3, .both = 4 };
	victim_in_import = in_import;
	ret = victim->configure(obj, a, b, die);
	victim_in_import = NULL;
	return ret;
}

static void expect_obj(struct kunit *test, u64 kernel, u32 a, u32 b, u64 both)
{
	KUNIT_EXPECT_EQ(test, obj->kernel, kernel);
	KUNIT_EXPECT_EQ(test, obj->a, a);
	KUNIT_EXPECT_EQ(test, obj->b, b);
	KUNIT_EXPECT_EQ(test, obj->both, both);
}

/* The copy is closed, so that the next store is the first again. */
static void settle(void)
{
	flush_workqueue(system_wq);
}

static void shadow_valid(struct kunit *test)
{
	int i;

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, configure(look, 10, 20, false), 0);
		KUNIT_EXPECT_EQ(test, seen.a, in_place() ? 10 : 2);
		expect_obj(test, 1, 10, 20, 4);
		settle();
	}
	/* And while the copy of the call before is still there. */
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, configure(look, i, 20 + i, false), 0);
		KUNIT_EXPECT_EQ(test, obj->a, i);
		KUNIT_EXPECT_EQ(test, obj->b, 20 + i);
	}
	settle();
	KUNIT_EXPECT_TRUE(test, fi_obj_held(victim_domain, obj, type));
}

/* What the driver passes the object to sees what it wrote. */
static void shadow_passed(struct kunit *test)
{
	held = false;
	KUNIT_EXPECT_EQ(test, configure(hold_and_look, 10, 20, false), 0);
	KUNIT_EXPECT_TRUE(test, held);
	KUNIT_EXPECT_EQ(test, seen.a, 10);
	KUNIT_EXPECT_EQ(test, seen.b, 3);
	expect_obj(test, 1, 10, 20, 4);
	settle();
}

/* What the kernel changes meanwhile stays, unless the driver changes it too. */
static void shadow_concurrent(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, configure(change, 10, 3, false), 0);
	expect_obj(test, 77, 10, in_place() ? 3 : 99, 88);
	settle();
	KUNIT_EXPECT_EQ(test, configure(change, 10, 20, false), 0);
	expect_obj(test, 77, 10, 20, 88);
	settle();
}

/* What is not configured needs no copy, and is right with one, before, and after. */
static void shadow_count(struct kunit *test)
{
	unsigned long count = (unsigned long)&obj->count;
	int i;

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, victim->store(count, 5 + i), 0);
		KUNIT_EXPECT_EQ(test, obj->count, 5 + i);
		KUNIT_EXPECT_EQ(test, atomic_read(&victim_domain->shadowed), 0);
		KUNIT_EXPECT_EQ(test, configure(hold_and_look, 10, 20 + i, false), 0);
		KUNIT_EXPECT_EQ(test, seen.count, 2);
		KUNIT_EXPECT_EQ(test, obj->count, 3);
		KUNIT_EXPECT_EQ(test, victim->store(count, 9 + i), 0);
		KUNIT_EXPECT_EQ(test, obj->count, 9 + i);
		settle();
	}
}

/* A failed domain was restarted, which gave the object up. */
static void hold_again(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, victim->null(), 42);
	fi_shadow_del(victim_domain, obj);
	fi_obj_del(victim_domain, obj, type, NULL);
	KUNIT_ASSERT_EQ(test, fi_obj_add(victim_domain, obj, type, NULL, 0), 0);
	KUNIT_ASSERT_EQ(test, fi_shadow_add(victim_domain, obj, type), 0);
}

static void expect_fault(struct kunit *test, unsigned long ret, enum fi_fault_kind kind,
			 const char *why)
{
	KUNIT_EXPECT_EQ(test, ret, (unsigned long)-EIO);
	KUNIT_EXPECT_EQ(test, fi_wait_live(victim_domain), kind);
	if (why)
		KUNIT_EXPECT_STREQ(test, victim_domain->fault.why, why);
	expect_obj(test, 1, 2, 3, 4);
	hold_again(test);
}

static void shadow_invalid(struct kunit *test)
{
	expect_fault(test, configure(look, 101, 20, false), FI_FAULT_FIELD, "victim_obj.a");
	held = true;
	expect_fault(test, configure(hold_and_look, 101, 20, false), FI_FAULT_FIELD,
		     "victim_obj.a");
	KUNIT_EXPECT_FALSE(test, held);
	KUNIT_EXPECT_EQ(test, seen.a, 2);
}

/* Dead between two stores: neither has happened. */
static void shadow_torn(struct kunit *test)
{
	expect_fault(test, configure(look, 10, 20, true), FI_FAULT_BUG, NULL);
	KUNIT_EXPECT_EQ(test, configure(look, 10, 20, false), 0);
	expect_obj(test, 1, 10, 20, 4);
	settle();
}

/* Another crossing that ends does not merge what is half done. */
static void shadow_beside(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, configure(beside, 10, 20, false), 0);
	KUNIT_EXPECT_EQ(test, seen.a, in_place() ? 10 : 2);
	expect_obj(test, 1, 10, 20, 4);
	settle();
	expect_fault(test, configure(beside, 10, 20, true), FI_FAULT_BUG, NULL);
}

/* What is not the driver's to write, at once, or behind what is. */
static void shadow_foreign(struct kunit *test)
{
	*obj = (struct fi_victim_obj){ .kernel = 1, .a = 2, .b = 3, .both = 4 };
	expect_fault(test, victim->store((unsigned long)&obj->kernel, 5), FI_FAULT_WRITE, NULL);
	expect_fault(test, victim->store((unsigned long)&obj->both + 4, ~0UL),
		     fi_translated(victim_domain) ? FI_FAULT_WRITE : FI_FAULT_FIELD, NULL);
}

static int shadow_suite_init(struct kunit_suite *suite)
{
	if (!victim || !victim_domain)
		return -ENODEV;
	type = fi_type_get("victim_obj", sizeof(*obj), fields, ARRAY_SIZE(fields));
	obj = (void *)get_zeroed_page(GFP_KERNEL);
	if (!obj)
		return -ENOMEM;
	/* Not at the start of its page. */
	obj = (void *)obj + 1024;
	return fi_type_add_rule(type, valid) ?:
	       fi_obj_add(victim_domain, obj, type, NULL, 0) ?:
	       fi_shadow_add(victim_domain, obj, type);
}

static void shadow_suite_exit(struct kunit_suite *suite)
{
	fi_shadow_del(victim_domain, obj);
	fi_obj_del(victim_domain, obj, type, NULL);
	fi_type_del_rule(type, valid);
	free_page((unsigned long)obj & PAGE_MASK);
}

static struct kunit_case shadow_cases[] = {
	KUNIT_CASE(shadow_valid),
	KUNIT_CASE(shadow_passed),
	KUNIT_CASE(shadow_concurrent),
	KUNIT_CASE(shadow_count),
	KUNIT_CASE(shadow_invalid),
	KUNIT_CASE(shadow_torn),
	KUNIT_CASE(shadow_beside),
	KUNIT_CASE(shadow_foreign),
	{ }
};

static struct kunit_suite shadow_suite = {
	.name = "driver_fi_shadow",
	.suite_init = shadow_suite_init,
	.suite_exit = shadow_suite_exit,
	.test_cases = shadow_cases,
};

kunit_test_suite(shadow_suite);
MODULE_DESCRIPTION("Tests of driver fault isolation: shadow copies");
MODULE_LICENSE("GPL");
