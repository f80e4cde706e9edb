// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the fault record and its delivery to recovery.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "../fault.h"

/* Id of the last domain: the least likely to be in use. */
#define TEST_ID	(FI_MAX_DOMAINS - 1)

static atomic_t delivered;
static bool irqs_were_off;
static struct fi_domain *delivered_to;

static void count_delivery(struct fi_domain *d)
{
	irqs_were_off = irqs_disabled();
	delivered_to = d;
	atomic_inc(&delivered);
}

static const struct fi_fault_ops test_ops = { .faulted = count_delivery };
static const struct fi_fault_ops *real_ops;

static int fault_setup(struct kunit *test)
{
	struct fi_domain *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	if (!d)
		return -ENOMEM;
	d->id = TEST_ID;
	d->state = FI_LIVE;
	strscpy(d->policy.name, "kunit");
	test->priv = d;
	atomic_set(&delivered, 0);
	real_ops = fi_fault_swap_ops(&test_ops);
	return 0;
}

static void fault_cleanup(struct kunit *test)
{
	fi_fault_sync(test->priv);
	fi_fault_swap_ops(real_ops);
}

static void fault_first(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	struct fi_fault f = { .kind = FI_FAULT_WRITE, .addr = 0x1234, .arg = -1, .why = "test" };
	struct fi_fault last;

	KUNIT_EXPECT_FALSE(test, fi_fault_last(d, &last));
	fi_fault_raise(d, &f);
	fi_fault_sync(d);
	KUNIT_EXPECT_EQ(test, 1, d->dead);
	KUNIT_EXPECT_EQ(test, FI_FAULTED, d->state);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&delivered));
	KUNIT_EXPECT_PTR_EQ(test, d, delivered_to);
	KUNIT_EXPECT_TRUE(test, irqs_were_off);
	KUNIT_ASSERT_TRUE(test, fi_fault_last(d, &last));
	KUNIT_EXPECT_EQ(test, FI_FAULT_WRITE, last.kind);
	KUNIT_EXPECT_EQ(test, 0x1234, last.addr);
	KUNIT_EXPECT_STREQ(test, "test", last.why);
	KUNIT_EXPECT_EQ(test, current->pid, last.pid);
	KUNIT_EXPECT_STREQ(test, current->comm, last.comm);
	KUNIT_EXPECT_NE(test, 0, last.time_ns);
}

static noinline void raise(struct fi_domain *d, enum fi_fault_kind kind)
{
	struct fi_fault f = { .kind = kind };

	fi_fault_raise(d, &f);
}

/* Only the first counts until the domain is live again. */
static void fault_second(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	struct fi_fault last;

	raise(d, FI_FAULT_DIVIDE);
	raise(d, FI_FAULT_LOOP);
	d->state = FI_RECOVERING;
	raise(d, FI_FAULT_LOOP);
	fi_fault_sync(d);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&delivered));
	KUNIT_EXPECT_EQ(test, FI_RECOVERING, d->state);
	KUNIT_ASSERT_TRUE(test, fi_fault_last(d, &last));
	KUNIT_EXPECT_EQ(test, FI_FAULT_DIVIDE, last.kind);

	d->state = FI_STARTING;
	WRITE_ONCE(d->dead, 0);
	raise(d, FI_FAULT_LOOP);
	fi_fault_sync(d);
	KUNIT_EXPECT_EQ(test, 2, atomic_read(&delivered));
	KUNIT_EXPECT_EQ(test, FI_FAULTED, d->state);
	KUNIT_EXPECT_EQ(test, 1, d->dead);
	KUNIT_ASSERT_TRUE(test, fi_fault_last(d, &last));
	KUNIT_EXPECT_EQ(test, FI_FAULT_LOOP, last.kind);
}

/* A domain that is given up, or leaves, is sealed but stays what it is. */
static void fault_off(struct kunit *test)
{
	struct fi_domain *d = test->priv;

	d->state = FI_OFF;
	raise(d, FI_FAULT_GP);
	fi_fault_sync(d);
	KUNIT_EXPECT_EQ(test, 1, d->dead);
	KUNIT_EXPECT_EQ(test, FI_OFF, d->state);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&delivered));
}

static void fault_unloading(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	struct fi_fault last;

	d->state = FI_UNLOADING;
	raise(d, FI_FAULT_USER);
	raise(d, FI_FAULT_USER);
	fi_fault_sync(d);
	KUNIT_EXPECT_EQ(test, 1, d->dead);
	KUNIT_EXPECT_EQ(test, FI_UNLOADING, d->state);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&delivered));
	KUNIT_EXPECT_TRUE(test, fi_fault_last(d, &last));
}

static void raise_here(void *info)
{
	raise(info, FI_FAULT_BUG);
}

/* Of all CPUs that fault at once, one is recorded. */
static void fault_race(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	int i;

	for (i = 1; i <= 200; i++) {
		d->state = FI_LIVE;
		WRITE_ONCE(d->dead, 0);
		on_each_cpu(raise_here, d, 1);
		fi_fault_sync(d);
		KUNIT_ASSERT_EQ(test, i, atomic_read(&delivered));
		KUNIT_ASSERT_EQ(test, FI_FAULTED, d->state);
	}
}

/* A reader never sees half a record: all of one carry the same number. */
static int reader(void *arg)
{
	struct kunit *test = arg;
	struct fi_fault f;
	int torn = 0;

	while (!kthread_should_stop()) {
		if (fi_fault_last(test->priv, &f) &&
		    (f.addr != f.error_code || f.addr != (unsigned long)f.trapnr))
			torn++;
		cond_resched();
	}
	return torn;
}

static void fault_torn(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	struct task_struct *t = kthread_run(reader, test, "fi_reader");
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(t));
	for (i = 1; i < 2000; i++) {
		struct fi_fault f = {
			.kind = FI_FAULT_READ, .addr = i, .error_code = i, .trapnr = i,
		};

		d->state = FI_LIVE;
		WRITE_ONCE(d->dead, 0);
		fi_fault_raise(d, &f);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, 0, kthread_stop(t));
}

static void fault_times(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	u64 sum = 0;
	int i;

	raise(d, FI_FAULT_READ);
	fi_fault_sync(d);
	fi_times_begin(d);
	KUNIT_EXPECT_EQ(test, 0, d->times.total_ns);
	for (i = 0; i < FI_NR_STEPS + 3; i++)
		fi_times_step(d, "step");
	fi_times_end(d, true);
	KUNIT_EXPECT_EQ(test, FI_NR_STEPS, d->times.nr);
	for (i = 0; i < FI_NR_STEPS; i++)
		sum += d->times.step[i].ns;
	KUNIT_EXPECT_LE(test, sum, d->times.total_ns);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fault_first),
	KUNIT_CASE(fault_second),
	KUNIT_CASE(fault_off),
	KUNIT_CASE(fault_unloading),
	KUNIT_CASE(fault_race),
	KUNIT_CASE(fault_torn),
	KUNIT_CASE(fault_times),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "fi_fault",
	.init = fault_setup,
	.exit = fault_cleanup,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);

MODULE_DESCRIPTION("Tests of fault records");
MODULE_LICENSE("GPL");
