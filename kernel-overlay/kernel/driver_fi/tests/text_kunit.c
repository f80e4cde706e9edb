// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hangs on the text of an isolated module: its exception and bug tables,
 * static keys, branches into the middle of it; and that a translated module
 * needs nothing of its original text.
 */
#include <kunit/test.h>
#include <kunit/visibility.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../fi.h"
#include "../glue.h"
#include "expect.h"
#include "victim.h"

#define TOGGLES		50
#define CHANGES		20

/* endbr64 and the instruction that loads 42 follow each other in victim_null(). */
#define NULL_MIDDLE	4

static unsigned long readable = 0x1234;

static void expect_no_restart(struct kunit *test, u32 before, const char *what)
{
	KUNIT_EXPECT_EQ_MSG(test, fi_wait_live(victim_domain), FI_FAULT_NONE, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, victim_domain->generation, before, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, victim->null(), 42, "after %s", what);
}

static void text_fixup(struct kunit *test)
{
	u32 before = victim_domain->generation;

	KUNIT_EXPECT_EQ(test, victim->fixup((unsigned long)&readable), readable);
	KUNIT_EXPECT_EQ(test, victim->fixup(8), (unsigned long)-EFAULT);
	expect_no_restart(test, before, "a load with a fixup");
}

static void text_warn(struct kunit *test)
{
	u32 before = victim_domain->generation;

	KUNIT_EXPECT_EQ(test, victim->warn(0), 2);
	KUNIT_EXPECT_EQ(test, victim->warn(1), 2);
	expect_no_restart(test, before, "WARN_ON()");
}

static atomic_t branch_bad, branch_turns;

static int branch_thread(void *unused)
{
	while (!kthread_should_stop()) {
		unsigned long ret = victim->branch();

		if (ret != 1 && ret != 2)
			atomic_inc(&branch_bad);
		atomic_inc(&branch_turns);
		cond_resched();
	}
	return 0;
}

static void toggle(struct kunit *test, int turns)
{
	while (turns--) {
		static_branch_enable(&fi_test_key);
		KUNIT_ASSERT_EQ(test, victim->branch(), 2);
		static_branch_disable(&fi_test_key);
		KUNIT_ASSERT_EQ(test, victim->branch(), 1);
	}
}

/* A key reaches the text that runs, also while others run it. */
static void text_static_key(struct kunit *test)
{
	u32 before = victim_domain->generation;
	struct task_struct *t[2];
	int i;

	KUNIT_EXPECT_EQ(test, victim->branch(), 1);
	for (i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = kthread_run(branch_thread, NULL, "fi_branch/%d", i);
	toggle(test, TOGGLES);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (!IS_ERR(t[i]))
			kthread_stop(t[i]);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&branch_bad), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&branch_turns), 0);
	expect_no_restart(test, before, "a static key");
}

static void call_update(struct kunit *test, int turns)
{
	while (turns--) {
		static_call_update(fi_test_call, &fi_test_call_two);
		KUNIT_ASSERT_EQ(test, victim->dispatch(), 12);
		static_call_update(fi_test_call, &fi_test_call_one);
		KUNIT_ASSERT_EQ(test, victim->dispatch(), 11);
	}
}

/* An update of a static call counts from the driver's next call on. */
static void text_static_call(struct kunit *test)
{
	u32 before = victim_domain->generation;

	KUNIT_EXPECT_EQ(test, victim->dispatch(), 11);
	call_update(test, 10);
	expect_no_restart(test, before, "a static call");
}

static int null_thread(void *unused)
{
	while (!kthread_should_stop()) {
		unsigned long ret = victim->null();

		if (ret < 42 || ret > 42 + CHANGES)
			atomic_inc(&branch_bad);
		atomic_inc(&branch_turns);
		cond_resched();
	}
	return 0;
}

static void change_null(struct kunit *test, u8 *insn, unsigned long to)
{
	put_unaligned_le32(to, insn + 1);
	KUNIT_ASSERT_TRUE(test, fi_text_change((void *)victim->null + NULL_MIDDLE, insn, 5));
	KUNIT_ASSERT_EQ(test, victim->null(), to);
}

/* Text that others than static keys change: the next call runs what stands there now. */
static void text_changed(struct kunit *test)
{
	unsigned long at = (unsigned long)victim->null + NULL_MIDDLE;
	u32 before = victim_domain->generation;
	struct task_struct *t;
	size_t avail = 0;
	const void *text;
	u8 insn[5];
	int i;

	text = fi_text_pristine(victim_domain, at, &avail);
	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_GE(test, avail, sizeof(insn));
	memcpy(insn, text, sizeof(insn));
	/* mov $42, %eax */
	KUNIT_ASSERT_EQ(test, insn[0], 0xb8);
	KUNIT_ASSERT_EQ(test, get_unaligned_le32(insn + 1), 42);
	atomic_set(&branch_bad, 0);
	t = kthread_run(null_thread, NULL, "fi_changed");
	for (i = 1; i <= CHANGES; i++)
		change_null(test, insn, 42 + i);
	change_null(test, insn, 42);
	if (!IS_ERR(t))
		kthread_stop(t);
	KUNIT_EXPECT_EQ(test, atomic_read(&branch_bad), 0);
	expect_no_restart(test, before, "changed text");
}

/* Only the engine sees a branch that stays within the driver's text. */
static void text_middle(struct kunit *test)
{
	unsigned long at = (unsigned long)victim->null + NULL_MIDDLE;

	if (!fi_translated(victim_domain)) {
		KUNIT_EXPECT_EQ(test, victim->jump(at), 43);
		return;
	}
	arm();
	expect_fault(test, victim->jump(at), FI_FAULT_EXEC, "the middle of a function");
}

/* Everything that works without the text that it was translated from. */
static void use_all(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, victim->null(), 42);
	KUNIT_EXPECT_EQ(test, victim->args(1, 2, 3, 4, 5, 6, 7, 8), 87654321);
	KUNIT_EXPECT_EQ(test, victim->import(100), 4950);
	KUNIT_EXPECT_EQ(test, victim->callback(5), 5);
	KUNIT_EXPECT_EQ(test, victim->divide(4), 250);
	KUNIT_EXPECT_EQ(test, victim->recurse(10), 55);
	KUNIT_EXPECT_EQ(test, victim->branch(), 1);
	KUNIT_EXPECT_EQ(test, victim->bug(0), 1);
	text_fixup(test);
	text_warn(test);
	arm();
	expect_fault(test, victim->divide(0), FI_FAULT_DIVIDE, "divide");
	arm();
	expect_fault(test, victim->bug(1), FI_FAULT_BUG, "BUG");
	arm();
	expect_fault(test, victim->store((unsigned long)&readable, 1), FI_FAULT_WRITE, "store");
	arm();
	expect_fault(test, victim->jump(0), FI_FAULT_EXEC, "jump");
}

/* A pattern over the whole original text, also while the victim is restarted. */
static void text_planted(struct kunit *test)
{
	struct module_memory *m;
	void *text, *saved;
	size_t avail = 0;

	if (!fi_translated(victim_domain))
		kunit_skip(test, "this mode runs the original text");
	m = &victim_domain->mod->mem[MOD_TEXT];
	text = (void *)fi_text_pristine(victim_domain, (unsigned long)m->base, &avail);
	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_GE(test, avail, m->size);
	saved = kunit_kmalloc(test, m->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, saved);
	memcpy(saved, text, m->size);
	memset(text, 0x0e, m->size);
	use_all(test);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(text, 0x0e, m->size), NULL);
	memcpy(text, saved, m->size);
}

/* The last in the log: the scenario looks whose symbols they name. */
static void text_named(struct kunit *test)
{
	arm();
	expect_fault(test, victim->bug(1), FI_FAULT_BUG, "BUG");
	arm();
	expect_fault(test, victim->jump(0), FI_FAULT_EXEC, "jump");
}

static int text_suite_init(struct kunit_suite *suite)
{
	return victim && victim_domain ? 0 : -ENODEV;
}

static struct kunit_case text_cases[] = {
	KUNIT_CASE(text_fixup),
	KUNIT_CASE(text_warn),
	KUNIT_CASE(text_static_key),
	KUNIT_CASE(text_static_call),
	KUNIT_CASE(text_changed),
	KUNIT_CASE(text_middle),
	KUNIT_CASE(text_planted),
	KUNIT_CASE(text_named),
	{ }
};

static struct kunit_suite text_suite = {
	.name = "driver_fi_text",
	.suite_init = text_suite_init,
	.test_cases = text_cases,
};

kunit_test_suite(text_suite);
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
