// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wrappers of memory, locks, work, timers and interrupts, called from a domain by
 * fi_tenant: what is right works, what is wrong ends the domain and leaves
 * the kernel as it was.
 *
 * Boot with driver_fi=fi_tenant:pt,restart=always.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "../fi.h"
#include "tenant.h"
#include "wait.h"

static unsigned long run(enum tenant_act act, unsigned long arg)
{
	return fi_tenant->run(act, arg);
}

/* The domain ends with that fault; the thread is as it was, the next runs. */
static void expect_fault(struct kunit *test, enum tenant_act act, unsigned long arg,
			 enum fi_fault_kind kind, const char *what)
{
	u32 generation = fi_tenant_domain->generation;

	KUNIT_EXPECT_EQ_MSG(test, run(act, arg), (unsigned long)-EIO, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, fi_wait_live(fi_tenant_domain), kind, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, fi_tenant_domain->generation, generation + 1, "%s", what);
	KUNIT_EXPECT_FALSE_MSG(test, irqs_disabled(), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, preempt_count(), 0, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, run(TENANT_HEAP, 64), 1, "after %s", what);
	/* What it had is gone: a lock is free, nothing is left in the table. */
	KUNIT_EXPECT_EQ_MSG(test, run(TENANT_SPIN_COUNT, 1), 1, "after %s", what);
	KUNIT_EXPECT_EQ_MSG(test, fi_objtab_count(fi_tenant_domain), 0, "after %s", what);
}

static void wrap_memory(struct kunit *test)
{
	static const size_t sizes[] = { 1, 8, 200, 4096, 9000, SZ_256K, SZ_256K + 1, SZ_512K };
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ_MSG(test, run(TENANT_HEAP, sizes[i]), 1, "size %zu", sizes[i]);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ_MSG(test, run(TENANT_PAGES, i), 1, "order %d", i);
	KUNIT_EXPECT_EQ(test, fi_objtab_count(fi_tenant_domain), 0);
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
}

static void wrap_memory_misused(struct kunit *test)
{
	void *foreign = kunit_kzalloc(test, 256, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int refs = page_ref_count(page);

	expect_fault(test, TENANT_FREE_TWICE, 0, FI_FAULT_OBJECT, "kfree twice");
	expect_fault(test, TENANT_FREE, (unsigned long)foreign, FI_FAULT_OBJECT,
		     "kfree of the kernel's memory");
	expect_fault(test, TENANT_FREE, 0x1234567, FI_FAULT_OBJECT, "kfree of nothing");
	expect_fault(test, TENANT_FREE_INSIDE, 0, FI_FAULT_OBJECT, "kfree inside");
	expect_fault(test, TENANT_VFREE_TWICE, 0, FI_FAULT_OBJECT, "vfree twice");
	expect_fault(test, TENANT_PUT_PAGE, (unsigned long)page, FI_FAULT_WRITE,
		     "put_page of the kernel's page");
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
	expect_fault(test, TENANT_PAGE_FLAGS, 0, FI_FAULT_WRITE, "flags of its page");
	__free_page(page);
}

#define COUNT_THREADS	4
#define COUNT_TIMES	2000

struct counters {
	enum tenant_act act;
	atomic_t running;
	struct completion done;
};

static int count_thread(void *arg)
{
	struct counters *c = arg;

	run(c->act, COUNT_TIMES);
	if (atomic_dec_and_test(&c->running))
		complete(&c->done);
	return 0;
}

/* Threads count up without losing one. */
static void count_together(struct kunit *test, enum tenant_act act)
{
	struct counters c = { .act = act, .running = ATOMIC_INIT(COUNT_THREADS) };
	int i;

	init_completion(&c.done);
	run(TENANT_GET_COUNT, 0);
	for (i = 0; i < COUNT_THREADS; i++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(count_thread, &c, "fi-count/%d", i)));
	wait_for_completion(&c.done);
	KUNIT_EXPECT_EQ(test, run(TENANT_GET_COUNT, 0), COUNT_THREADS * COUNT_TIMES);
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
}

static void wrap_locks(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, run(TENANT_SPIN_KINDS, 0), 8);
	KUNIT_EXPECT_EQ(test, preempt_count(), 0);
	count_together(test, TENANT_SPIN_COUNT);
	count_together(test, TENANT_MUTEX_COUNT);
}

static void wrap_locks_misused(struct kunit *test)
{
	u32 *word = kunit_kzalloc(test, sizeof(*word), GFP_KERNEL);

	expect_fault(test, TENANT_SPIN_AT, (unsigned long)word, FI_FAULT_ARG,
		     "lock in the kernel's memory");
	KUNIT_EXPECT_EQ(test, *word, 0);
	expect_fault(test, TENANT_SPIN_AT, 0, FI_FAULT_ARG, "lock at NULL");
	expect_fault(test, TENANT_SPIN_TWICE, 0, FI_FAULT_ARG, "spinlock twice");
	expect_fault(test, TENANT_SPIN_LEAK, 0, FI_FAULT_LEAK, "spinlock kept");
	/* As if CPU 16000 waited at its head: a queue to follow into the dark. */
	expect_fault(test, TENANT_SPIN_BROKEN, 0xfa010001, FI_FAULT_ARG, "spinlock overwritten");
	expect_fault(test, TENANT_UNLOCK, 0, FI_FAULT_ARG, "spinlock not held");
	expect_fault(test, TENANT_BH_ENABLE, 0, FI_FAULT_ARG, "bottom halves not off");
	expect_fault(test, TENANT_SLEEP_ATOMIC, 0, FI_FAULT_ARG, "sleeps under a spinlock");
	expect_fault(test, TENANT_MUTEX_TWICE, 0, FI_FAULT_ARG, "mutex twice");
	expect_fault(test, TENANT_MUTEX_UNLOCK, 0, FI_FAULT_ARG, "mutex not held");
}

static void wrap_work(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, run(TENANT_WORK, 20), 1);
	msleep(100);
	KUNIT_EXPECT_EQ(test, run(TENANT_WORK_WAIT, 0), 20);

	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED, 1), 1);
	msleep(100);
	/* It ran, so there was nothing to cancel. */
	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED_CANCEL, 0), 1 << 2);
	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED, 100 * HZ), 1);
	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED, HZ), 0);
	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED_CANCEL, 0), 3);
	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED_CANCEL, 0), 0);
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
}

static void wrap_timer(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, run(TENANT_TIMER, 1), 0);
	msleep(100);
	KUNIT_EXPECT_EQ(test, run(TENANT_TIMER_STOP, 0), 1);
	KUNIT_EXPECT_EQ(test, run(TENANT_TIMER, 100 * HZ), 0);
	KUNIT_EXPECT_EQ(test, run(TENANT_TIMER, 100 * HZ), 1);
	KUNIT_EXPECT_EQ(test, run(TENANT_TIMER_STOP, 0), 0);
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
}

static void foreign_fn(struct work_struct *work)
{
}

static void wrap_work_misused(struct kunit *test)
{
	struct work_struct *work = kunit_kzalloc(test, sizeof(*work), GFP_KERNEL);

	INIT_WORK(work, foreign_fn);
	expect_fault(test, TENANT_WORK_FN, (unsigned long)foreign_fn, FI_FAULT_ARG,
		     "work that calls the kernel");
	expect_fault(test, TENANT_WORK_FN, 0, FI_FAULT_ARG, "work that calls NULL");
	expect_fault(test, TENANT_WORK_AT, (unsigned long)work, FI_FAULT_ARG,
		     "work in the kernel's memory");
	KUNIT_EXPECT_FALSE(test, work_pending(work));
	expect_fault(test, TENANT_WORK_WQ, (unsigned long)work, FI_FAULT_ARG, "no workqueue");
	expect_fault(test, TENANT_TIMER_FN, (unsigned long)foreign_fn, FI_FAULT_ARG,
		     "timer that calls the kernel");
}

/* Queued work and a running timer are overwritten: nobody follows their links. */
static void wrap_work_overwritten(struct kunit *test)
{
	if (fi_translated(fi_tenant_domain)) {
		expect_fault(test, TENANT_WORK_BROKEN, 0, FI_FAULT_WRITE, "queued work");
	} else {
		KUNIT_EXPECT_EQ(test, run(TENANT_WORK_BROKEN, 0), 1);
		msleep(200);
		fi_wait_live(fi_tenant_domain);
	}
	/* Whatever came of it: the same again, from the snapshot. */
	expect_fault(test, TENANT_FREE_TWICE, 0, FI_FAULT_OBJECT, "to start again");
	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED, 1), 1);
	KUNIT_EXPECT_EQ(test, run(TENANT_TIMER, 1), 0);
	msleep(100);
	KUNIT_EXPECT_EQ(test, run(TENANT_DELAYED_CANCEL, 0), 1 << 2);
	KUNIT_EXPECT_EQ(test, run(TENANT_TIMER_STOP, 0), 1);
}

/* What the kernel has is not the driver's to write, until it gets it back. */
static void wrap_handed_over(struct kunit *test)
{
	unsigned long i;

	KUNIT_EXPECT_EQ(test, run(TENANT_HANDED_BACK, 0), 1);
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
	expect_fault(test, TENANT_FREE_HANDED, 0, FI_FAULT_OBJECT, "kfree of a running timer");
	if (!fi_translated(fi_tenant_domain))
		return;
	for (i = 0; i < 5; i++)
		expect_fault(test, TENANT_HANDED_OVER, i, FI_FAULT_WRITE, "what it handed over");
	for (; i < 7; i++)
		KUNIT_EXPECT_EQ(test, run(TENANT_HANDED_OVER, i), 1);
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
	/* After a restart all is the driver's. */
	expect_fault(test, TENANT_FREE_TWICE, 0, FI_FAULT_OBJECT, "to give back");
	KUNIT_EXPECT_EQ(test, run(TENANT_HANDED_BACK, 0), 1);
}

/* What a driver had when it failed is given back, queued work and all. */
static void wrap_released(struct kunit *test)
{
	int i;

	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_EQ(test, run(TENANT_KEEP, 0), 1);
		KUNIT_EXPECT_GE(test, fi_objtab_count(fi_tenant_domain), 6);
		expect_fault(test, TENANT_FREE_TWICE, 0, FI_FAULT_OBJECT, "with all kept");
	}
}

static irqreturn_t line_fn(int irq, void *count)
{
	(*(unsigned int *)count)++;
	return IRQ_HANDLED;
}

/* A line that the kernel itself has a handler on, which counts in @count. */
static int make_line(struct kunit *test, unsigned int *count)
{
	int irq = irq_alloc_desc(NUMA_NO_NODE);

	KUNIT_ASSERT_GT(test, irq, 0);
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	KUNIT_ASSERT_EQ(test, request_irq(irq, line_fn, IRQF_SHARED, "fi-test", count), 0);
	return irq;
}

static void free_line(int irq, unsigned int *count)
{
	free_irq(irq, count);
	irq_free_desc(irq);
}

/* An interrupt: do the handlers run, or is the line disabled? */
static bool delivers(int irq, unsigned int *count)
{
	unsigned int before = READ_ONCE(*count);

	generic_handle_irq_safe(irq);
	return READ_ONCE(*count) != before;
}

static void wrap_line(struct kunit *test)
{
	unsigned int *count = kunit_kzalloc(test, sizeof(*count), GFP_KERNEL);
	int irq = make_line(test, count);

	KUNIT_EXPECT_TRUE(test, delivers(irq, count));
	KUNIT_EXPECT_EQ(test, run(TENANT_LINE, irq), 1);
	KUNIT_EXPECT_TRUE_MSG(test, delivers(irq, count), "freed disabled");
	KUNIT_EXPECT_EQ(test, run(TENANT_LINE_REQUEST, irq), 1);
	KUNIT_EXPECT_TRUE(test, delivers(irq, count));
	KUNIT_EXPECT_EQ(test, run(TENANT_LINE_TICKS, 0), 1);
	KUNIT_EXPECT_EQ(test, run(TENANT_LINE_DISABLE, 0), 1);
	KUNIT_EXPECT_FALSE(test, delivers(irq, count));
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
	expect_fault(test, TENANT_FREE_TWICE, 0, FI_FAULT_OBJECT, "with a line disabled");
	KUNIT_EXPECT_TRUE_MSG(test, delivers(irq, count), "after recovery");
	free_line(irq, count);
}

static void wrap_line_misused(struct kunit *test)
{
	unsigned int *count = kunit_kzalloc(test, sizeof(*count), GFP_KERNEL);
	int irq = make_line(test, count);

	expect_fault(test, TENANT_IRQ, irq, FI_FAULT_ARG, "request of another's line");
	expect_fault(test, TENANT_IRQ_DISABLE, irq, FI_FAULT_OBJECT, "disable_irq");
	KUNIT_EXPECT_TRUE(test, delivers(irq, count));
	expect_fault(test, TENANT_IRQ_NOSYNC, irq, FI_FAULT_OBJECT, "disable_irq_nosync");
	KUNIT_EXPECT_TRUE(test, delivers(irq, count));
	disable_irq(irq);
	expect_fault(test, TENANT_IRQ_ENABLE, irq, FI_FAULT_OBJECT, "enable_irq");
	KUNIT_EXPECT_FALSE(test, delivers(irq, count));
	/* Its own line now, but disabled by the kernel. */
	expect_fault(test, TENANT_LINE_ENABLE, irq, FI_FAULT_OBJECT, "enable_irq too often");
	KUNIT_EXPECT_FALSE(test, delivers(irq, count));
	enable_irq(irq);
	KUNIT_EXPECT_TRUE(test, delivers(irq, count));
	expect_fault(test, TENANT_IRQ_SYNC, irq, FI_FAULT_ARG, "synchronize_irq");
	expect_fault(test, TENANT_IRQ_DISABLE, 0x7fffffff, FI_FAULT_OBJECT, "no line at all");
	free_line(irq, count);
}

/* Long: on a slow machine the last one begins when the first would be done. */
static int sleep_thread(void *arg)
{
	struct counters *c = arg;

	run(TENANT_SLEEP, 3000);
	if (atomic_dec_and_test(&c->running))
		complete(&c->done);
	return 0;
}

/* More threads on each CPU than the domain has stacks. */
static void take_stacks(struct kunit *test, struct counters *c)
{
	int i, cpu, each = 6 * num_possible_cpus() + 16;
	struct task_struct *t;

	atomic_set(&c->running, each * num_online_cpus());
	init_completion(&c->done);
	for_each_online_cpu(cpu) {
		for (i = 0; i < each; i++) {
			t = kthread_create(sleep_thread, c, "fi-sleep/%d", i);
			KUNIT_ASSERT_FALSE(test, IS_ERR(t));
			kthread_bind(t, cpu);
			wake_up_process(t);
		}
	}
}

/* An interrupt is delivered, and the next one is not. */
static bool rests(int irq, unsigned int *count)
{
	int i;

	/* A slow machine may let it rest long enough between the two. */
	for (i = 0; i < 20; i++)
		if (delivers(irq, count) && !delivers(irq, count))
			return true;
	return false;
}

/* A handler without a stack to run on: its line rests, and works again by itself. */
static void wrap_line_no_stack(struct kunit *test)
{
	unsigned int *count = kunit_kzalloc(test, sizeof(*count), GFP_KERNEL);
	int irq = make_line(test, count);
	unsigned long ticks;
	struct counters c;

	KUNIT_EXPECT_EQ(test, run(TENANT_LINE_REQUEST, irq), 1);
	take_stacks(test, &c);
	msleep(200);
	KUNIT_EXPECT_TRUE(test, rests(irq, count));
	KUNIT_EXPECT_EQ(test, atomic_read(&c.running) != 0, 1);
	wait_for_completion(&c.done);
	msleep(100);
	ticks = run(TENANT_LINE_TICKS, 0);
	KUNIT_EXPECT_TRUE_MSG(test, delivers(irq, count), "rested");
	KUNIT_EXPECT_EQ(test, run(TENANT_LINE_TICKS, 0), ticks + 1);
	KUNIT_EXPECT_EQ(test, fi_wait_live(fi_tenant_domain), FI_FAULT_NONE);
	expect_fault(test, TENANT_FREE_TWICE, 0, FI_FAULT_OBJECT, "to free the line");
	free_line(irq, count);
}

static int wrap_suite_init(struct kunit_suite *suite)
{
	if (fi_tenant && fi_tenant_domain)
		return 0;
	kunit_err(suite, "fi_tenant is not loaded or not isolated; boot with driver_fi=fi_tenant:pt,restart=always\n");
	return -ENODEV;
}

/* Each test finds a tenant that holds nothing. */
static int wrap_init(struct kunit *test)
{
	run(TENANT_FREE_TWICE, 0);
	fi_wait_live(fi_tenant_domain);
	return 0;
}

static struct kunit_case wrap_cases[] = {
	KUNIT_CASE(wrap_memory),
	KUNIT_CASE(wrap_memory_misused),
	KUNIT_CASE(wrap_locks),
	KUNIT_CASE_SLOW(wrap_locks_misused),
	KUNIT_CASE(wrap_work),
	KUNIT_CASE(wrap_timer),
	KUNIT_CASE(wrap_work_misused),
	KUNIT_CASE(wrap_work_overwritten),
	KUNIT_CASE(wrap_handed_over),
	KUNIT_CASE(wrap_released),
	KUNIT_CASE(wrap_line),
	KUNIT_CASE(wrap_line_misused),
	KUNIT_CASE_SLOW(wrap_line_no_stack),
	{ }
};

static struct kunit_suite wrap_suite = {
	.name = "driver_fi_wrap",
	.suite_init = wrap_suite_init,
	.init = wrap_init,
	.test_cases = wrap_cases,
};

kunit_test_suite(wrap_suite);
MODULE_DESCRIPTION("Tests of driver fault isolation: wrappers called from a domain");
MODULE_LICENSE("GPL");
