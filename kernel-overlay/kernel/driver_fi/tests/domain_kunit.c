// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of domains and crossings with a real isolated module, fi_victim.
 *
 * A module of its own: loading it registers the wrappers of the victim and
 * loads that (boot with driver_fi=fi_victim:pt,restart=never).
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/driver_fi_wrap.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/msr.h>
#include <asm/cpu_entry_area.h>
#include <asm/driver_fi.h>
#include <asm/nmi.h>

#include "../fi.h"
#include "expect.h"
#include "victim.h"
#include "wait.h"

static void test_null(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, victim->null(), 42);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_EQ(test, fi_domain_active(victim_domain), 0);
}

static void test_args(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, victim->args(1, 2, 3, 4, 5, 6, 7, 8), 87654321);
}

static void test_import(struct kunit *test)
{
	victim_imports_seen = 0;
	KUNIT_EXPECT_EQ(test, victim->import(100), 4950);
	KUNIT_EXPECT_EQ(test, victim_imports_seen, 100);
}

static void test_nested(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, victim->callback(8), 8);
}

static void test_flags(struct kunit *test)
{
	unsigned long flags;

	local_irq_save(flags);
	KUNIT_EXPECT_EQ(test, victim->import(10), 45);
	KUNIT_EXPECT_TRUE(test, irqs_disabled());
	local_irq_restore(flags);
}

static void test_data(struct kunit *test)
{
	unsigned long first = victim->data(0);

	KUNIT_EXPECT_EQ(test, victim->data(5), first + 5);
}

static void test_unbound(struct kunit *test)
{
	/* victim_init's neighbour in no table: an address inside a function. */
	KUNIT_EXPECT_PTR_EQ(test, fi_entry_by_addr(victim_domain,
						   (unsigned long)victim->null + 1), NULL);
}

static unsigned long canary_data = 0x1122334455667788;
static const unsigned long canary_rodata = 0x8877665544332211;

static DEFINE_PER_CPU(unsigned long, canary_percpu) = 77;

static void expect_store_caught(struct kunit *test, unsigned long *at, const char *what)
{
	unsigned long before = READ_ONCE(*at);

	arm();
	expect_fault(test, victim->store((unsigned long)at, ~before), FI_FAULT_WRITE, what);
	KUNIT_EXPECT_EQ_MSG(test, READ_ONCE(*at), before, "%s changed", what);
}

static void test_stores(struct kunit *test)
{
	unsigned long on_stack = 1;
	unsigned long *heap = kunit_kzalloc(test, 64, GFP_KERNEL);

	expect_store_caught(test, &canary_data, "module data");
	expect_store_caught(test, (unsigned long *)&canary_rodata, "rodata");
	expect_store_caught(test, &on_stack, "kernel stack");
	expect_store_caught(test, heap, "heap");
	expect_store_caught(test, (unsigned long *)&current->comm, "task_struct");
	expect_store_caught(test, (unsigned long *)kfree, "kernel text");
	expect_store_caught(test, per_cpu_ptr(&canary_percpu, 0), "per-CPU data");
	expect_store_caught(test, (unsigned long *)CPU_ENTRY_AREA_RO_IDT, "IDT");
	expect_store_caught(test, (unsigned long *)victim->null, "own text");
	expect_store_caught(test, (unsigned long *)THIS_MODULE, "a module's data");
	expect_store_caught(test, (unsigned long *)victim_domain->mod, "its struct module");
}

static void test_reads(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, victim->load((unsigned long)&canary_data), canary_data);
	arm();
	expect_fault(test, victim->load(8), FI_FAULT_READ, "NULL");
	arm();
	expect_fault(test, victim->load(FI_VA_END - 8), FI_FAULT_READ, "unmapped");
	arm();
	expect_fault(test, victim->load(0xdead000000000000), FI_FAULT_GP, "not canonical");
}

static void test_jumps(struct kunit *test)
{
	arm();
	expect_fault(test, victim->jump((unsigned long)kfree), FI_FAULT_EXEC, "kernel text");
	arm();
	expect_fault(test, victim->jump((unsigned long)&canary_data), FI_FAULT_EXEC, "data");
	arm();
	expect_fault(test, victim->jump(0), FI_FAULT_EXEC, "NULL");
	/* A pointer to an import is a legal target: it goes by its gate. */
	KUNIT_EXPECT_EQ(test, victim->jump((unsigned long)fi_test_import), 1 +
			(unsigned long)fi_test_import);
}

static void test_exceptions(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, victim->divide(4), 250);
	arm();
	expect_fault(test, victim->divide(0), FI_FAULT_DIVIDE, "divide");
	KUNIT_EXPECT_EQ(test, victim->bug(0), 1);
	arm();
	expect_fault(test, victim->bug(1), FI_FAULT_BUG, "BUG");
	KUNIT_EXPECT_EQ(test, victim->recurse(10), 55);
	arm();
	expect_fault(test, victim->recurse(10000), FI_FAULT_STACK, "stack overflow");
	/* The engine does not even let it load such a stack pointer. */
	arm();
	expect_fault(test, victim->bad_stack((unsigned long)&canary_data),
		     fi_translated(victim_domain) ? FI_FAULT_INSN : FI_FAULT_WRITE,
		     "rsp in kernel data");
	arm();
	expect_fault(test, victim->bad_stack(0),
		     fi_translated(victim_domain) ? FI_FAULT_INSN : FI_FAULT_WRITE, "rsp 0");
	arm();
	expect_fault(test, victim->irqs_off(), FI_FAULT_LEAK, "IRQs off");
}

/* Both at least; on a slow machine the rounds, for not longer than the limit. */
#define STRESS_MS	3000
#define STRESS_ROUNDS	200
#define STRESS_LIMIT_MS	60000

static atomic_t stress_irqs, stress_bad, stress_nmis;

static int stress_nmi(unsigned int cmd, struct pt_regs *regs)
{
	atomic_inc(&stress_nmis);
	return NMI_HANDLED;
}

static void stress_ipi(void *unused)
{
	unsigned long ret = victim->import(3);

	if (ret != 3 && ret != (unsigned long)-EIO)
		atomic_inc(&stress_bad);
	atomic_inc(&stress_irqs);
}

static int stress_thread(void *arg)
{
	while (!kthread_should_stop()) {
		unsigned long ret = victim->callback(5);

		if (ret != 5 && ret < (unsigned long)-64)
			atomic_inc(&stress_bad);
		victim->spin(1000);
		cond_resched();
	}
	return 0;
}

static void stress_round(struct kunit *test, bool fault)
{
	unsigned long end = jiffies + msecs_to_jiffies(STRESS_MS);
	unsigned long limit = jiffies + msecs_to_jiffies(STRESS_LIMIT_MS);
	unsigned int round = 0, cpu;

	while (time_before(jiffies, end) ||
	       (round < STRESS_ROUNDS && time_before(jiffies, limit))) {
		round++;
		for_each_online_cpu(cpu)
			apic->send_IPI(cpu, NMI_VECTOR);
		on_each_cpu(stress_ipi, NULL, 1);
		if (fault && !(round % 64)) {
			victim->store((unsigned long)&canary_data, 1);
			fi_wait_live(victim_domain);
		}
		cond_resched();
	}
}

/* NMIs, IPIs that cross, nested crossings that are preempted, and faults. */
static void test_stress(struct kunit *test)
{
	struct task_struct *t[4];
	unsigned long before = canary_data;
	int i;

	KUNIT_ASSERT_EQ(test, register_nmi_handler(NMI_LOCAL, stress_nmi, 0, "fi_stress"), 0);
	for (i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = kthread_run(stress_thread, NULL, "fi_stress/%d", i);
	stress_round(test, false);
	stress_round(test, true);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (!IS_ERR(t[i]))
			kthread_stop(t[i]);
	}
	unregister_nmi_handler(NMI_LOCAL, "fi_stress");
	fi_wait_live(victim_domain);
	kunit_info(test, "%d NMIs, %d crossings in IPIs\n", atomic_read(&stress_nmis),
		   atomic_read(&stress_irqs));
	KUNIT_EXPECT_EQ(test, atomic_read(&stress_bad), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&stress_irqs), 100);
	KUNIT_EXPECT_GT(test, atomic_read(&stress_nmis), 100);
	KUNIT_EXPECT_EQ(test, canary_data, before);
	KUNIT_EXPECT_EQ(test, fi_domain_active(victim_domain), 0);
	KUNIT_EXPECT_EQ(test, victim->null(), 42);
}

#define COST_TURNS	1000

/*
 * What a crossing costs in each direction. Under QEMU's -icount shift=0 the
 * TSC counts instructions; elsewhere these are ticks and mean little.
 */
static void test_cost(struct kunit *test)
{
	u64 t[4];
	int i;

	victim->null();
	victim->import(1);
	t[0] = rdtsc_ordered();
	for (i = 0; i < COST_TURNS; i++)
		victim->null();
	t[1] = rdtsc_ordered();
	victim->import(0);
	t[2] = rdtsc_ordered();
	victim->import(COST_TURNS);
	t[3] = rdtsc_ordered();
	kunit_info(test, "ticks: null crossing %llu, null import %llu\n",
		   div_u64(t[1] - t[0], COST_TURNS),
		   div_u64((t[3] - t[2]) - (t[2] - t[1]), COST_TURNS));
	KUNIT_EXPECT_GT(test, t[1] - t[0], 0);
	KUNIT_EXPECT_EQ(test, fi_domain_active(victim_domain), 0);
}

/* Rights for which the map has no room end the domain, and say so. */
static void test_map_limit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, fi_bytes_grant(victim_domain, (void *)PAGE_OFFSET, SZ_1G), -ENOSPC);
	KUNIT_EXPECT_EQ(test, fi_wait_live(victim_domain), FI_FAULT_LIMIT);
	KUNIT_EXPECT_EQ(test, victim->null(), 42);
}

static int domain_suite_init(struct kunit_suite *suite)
{
	if (!victim || !victim_domain) {
		kunit_err(suite, "fi_victim is not loaded or not isolated; boot with driver_fi=fi_victim:pt,restart=always\n");
		return -ENODEV;
	}
	return 0;
}

static struct kunit_case domain_cases[] = {
	KUNIT_CASE(test_null),
	KUNIT_CASE(test_args),
	KUNIT_CASE(test_import),
	KUNIT_CASE(test_nested),
	KUNIT_CASE(test_flags),
	KUNIT_CASE(test_data),
	KUNIT_CASE(test_unbound),
	KUNIT_CASE(test_reads),
	KUNIT_CASE(test_stores),
	KUNIT_CASE(test_jumps),
	KUNIT_CASE(test_exceptions),
	KUNIT_CASE(test_map_limit),
	KUNIT_CASE(test_cost),
	KUNIT_CASE_SLOW(test_stress),
	{ }
};

static struct kunit_suite domain_suite = {
	.name = "driver_fi_domain",
	.suite_init = domain_suite_init,
	.test_cases = domain_cases,
};

kunit_test_suite(domain_suite);
MODULE_DESCRIPTION("Tests of driver fault isolation: domains and crossings");
MODULE_LICENSE("GPL");
