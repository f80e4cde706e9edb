// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel memory that provoked faults aim at, and what it was before: shows
 * whether a fault reached the kernel.
 */
#include <linux/cleanup.h>
#include <linux/kmemleak.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/desc.h>
#include <asm/driver_fi_inject.h>
#include <asm/pgtable.h>

#include "inject.h"

#define CANARY		0x5afe5afe5afe5afeUL
#define IDT_VECTOR	15	/* reserved by Intel: nobody raises it */

/**
 * struct canary - a word of kernel memory
 * @addr: where
 * @was: what it must be
 * @changed: it was found different; stays until the canaries are reset
 */
struct canary {
	const char *name;
	u64 *addr;
	u64 was;
	bool changed;
};

static struct canary canaries[FI_NR_CANARIES] = {
	[FI_CANARY_TEXT]	= { "text" },
	[FI_CANARY_RODATA]	= { "rodata" },
	[FI_CANARY_DATA]	= { "data" },
	[FI_CANARY_HEAP]	= { "heap" },
	[FI_CANARY_TASK]	= { "task" },
	[FI_CANARY_STACK]	= { "stack" },
	[FI_CANARY_PGTABLE]	= { "pgtable" },
	[FI_CANARY_IDT]		= { "idt" },
	[FI_CANARY_LANDED]	= { "control" },
};

/* Protects canaries[] and task. */
static DEFINE_RAW_SPINLOCK(lock);

/* Whose task_struct and stack are watched; references to both are held. */
static struct task_struct *task;

static const u64 canary_rodata = CANARY;
static u64 canary_data = CANARY;
u64 fi_canary_landed;

/**
 * struct expected - a store that a provoked fault is to make
 * @at: where; NULL: not known
 * @value: what
 * @len: bytes of it, up to 8; 0: no store
 * @done: it has happened
 * @over: the domain has failed, and what is at @at may be anything
 */
static struct expected {
	const void *at;
	u64 value;
	size_t len;
	bool done;
	bool over;
} expected;

/* Under the lock. */
static void check_expected(void)
{
	u64 now = 0;

	if (expected.at && expected.len && !expected.over &&
	    !copy_from_kernel_nofault(&now, expected.at, expected.len) &&
	    !memcmp(&now, &expected.value, expected.len))
		expected.done = true;
}

static void check(struct canary *c)
{
	if (READ_ONCE(*c->addr) != c->was)
		c->changed = true;
}

static void watch(enum fi_canary which, void *addr)
{
	struct canary *c = &canaries[which];

	c->addr = addr;
	c->was = READ_ONCE(*c->addr);
}

/* Watches current in place of whom it watched: two words that never change. */
static struct task_struct *watch_current(void)
{
	struct task_struct *old = task;

	task = get_task_struct(current);
	try_get_task_stack(task);
	watch(FI_CANARY_TASK, &task->start_time);
	watch(FI_CANARY_STACK, end_of_stack(task));
	return old;
}

/* The page table entry of a page that nobody uses. */
static void *spare_pte(void)
{
	void *page = __vmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	unsigned int level;

	if (!page)
		return NULL;
	kmemleak_no_scan(page);
	kmemleak_not_leak(page);
	return lookup_address((unsigned long)page, &level);
}

static void *spare_gate(void)
{
	struct desc_ptr idt;

	store_idt(&idt);
	return (gate_desc *)idt.address + IDT_VECTOR;
}

/**
 * fi_canary_init - begin to watch
 *
 * May be called again. Context: may sleep. Return: 0 or -ENOMEM.
 */
int fi_canary_init(void)
{
	static DEFINE_MUTEX(init_mutex);
	unsigned long flags;
	u64 *heap;
	void *pte;

	guard(mutex)(&init_mutex);
	if (task)
		return 0;
	heap = kmalloc(64, GFP_KERNEL);
	pte = spare_pte();
	if (!heap || !pte) {
		kfree(heap);
		return -ENOMEM;
	}
	kmemleak_not_leak(heap);
	*heap = CANARY;
	raw_spin_lock_irqsave(&lock, flags);
	watch(FI_CANARY_TEXT, &fi_canary_text_word);
	watch(FI_CANARY_RODATA, (void *)&canary_rodata);
	watch(FI_CANARY_DATA, &canary_data);
	watch(FI_CANARY_HEAP, heap);
	watch(FI_CANARY_PGTABLE, pte);
	watch(FI_CANARY_IDT, spare_gate());
	watch(FI_CANARY_LANDED, &fi_canary_landed);
	watch_current();
	raw_spin_unlock_irqrestore(&lock, flags);
	return 0;
}

/**
 * fi_canary_current - watch the running task
 *
 * Context: any but NMI.
 */
void fi_canary_current(void)
{
	struct task_struct *old;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	check(&canaries[FI_CANARY_TASK]);
	check(&canaries[FI_CANARY_STACK]);
	old = watch_current();
	raw_spin_unlock_irqrestore(&lock, flags);
	put_task_stack(old);
	put_task_struct(old);
}

void fi_canary_expect(const void *at, u64 value, size_t len)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	expected = (struct expected){ .at = at, .value = value, .len = len };
	raw_spin_unlock_irqrestore(&lock, flags);
}

void fi_canary_failed(unsigned long at)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (!expected.at)
		expected.at = (void *)at;
	check_expected();
	expected.over = true;
	raw_spin_unlock_irqrestore(&lock, flags);
}

void *fi_canary_addr(enum fi_canary which)
{
	return canaries[which].addr;
}

/* Takes what the canaries are now for what they must be. */
void fi_canary_reset(void)
{
	unsigned long flags;
	struct canary *c;

	raw_spin_lock_irqsave(&lock, flags);
	for (c = canaries; c < canaries + FI_NR_CANARIES && c->addr; c++) {
		c->was = READ_ONCE(*c->addr);
		c->changed = false;
	}
	expected.len = 0;
	expected.done = false;
	raw_spin_unlock_irqrestore(&lock, flags);
}

/* "name intact" or "name CHANGED", one a line. */
void fi_canary_show(struct seq_file *m)
{
	unsigned long flags;
	struct canary *c;
	bool done;

	for (c = canaries; c < canaries + FI_NR_CANARIES; c++) {
		raw_spin_lock_irqsave(&lock, flags);
		if (c->addr)
			check(c);
		raw_spin_unlock_irqrestore(&lock, flags);
		seq_printf(m, "%s %s\n", c->name, c->changed ? "CHANGED" : "intact");
	}
	raw_spin_lock_irqsave(&lock, flags);
	check_expected();
	done = expected.done;
	raw_spin_unlock_irqrestore(&lock, flags);
	seq_printf(m, "target %s\n", done ? "CHANGED" : "intact");
}
