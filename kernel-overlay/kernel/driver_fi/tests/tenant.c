// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module to be isolated: uses memory, locks, work, timers and interrupts,
 * rightly and wrongly, as the tests ask.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "tenant.h"

static void tenant_work_fn(struct work_struct *work);
static void tenant_delayed_fn(struct work_struct *work);
static void tenant_timer_fn(struct timer_list *timer);

static DEFINE_SPINLOCK(tenant_spin);
static DEFINE_MUTEX(tenant_mutex);
static DECLARE_WORK(tenant_work, tenant_work_fn);
static DECLARE_DELAYED_WORK(tenant_delayed, tenant_delayed_fn);
static struct timer_list tenant_timer;
static unsigned long tenant_count, tenant_again, tenant_ran, tenant_ticks;
static unsigned int tenant_line;
static void *tenant_kept;

static void tenant_work_fn(struct work_struct *work)
{
	if (work != &tenant_work)
		return;
	tenant_ran++;
	if (tenant_ran < tenant_again)
		schedule_work(work);
}

static void tenant_delayed_fn(struct work_struct *work)
{
	if (to_delayed_work(work) == &tenant_delayed)
		tenant_ran++;
}

static void tenant_timer_fn(struct timer_list *timer)
{
	if (timer == &tenant_timer && in_softirq())
		tenant_ticks++;
}

static bool is_zero(const u8 *p, size_t size)
{
	while (size--)
		if (*p++)
			return false;
	return true;
}

/* 1 if all is as it should be. */
static noinline unsigned long use_heap(size_t size)
{
	u8 *a = kmalloc(size, GFP_KERNEL), *b = kzalloc(size, GFP_ATOMIC);
	u8 *v = vzalloc(size), *k = kvmalloc(size, GFP_KERNEL);
	unsigned long ok;

	ok = a && b && v && k && is_zero(b, size) && is_zero(v, size);
	if (ok) {
		memset(a, 1, size);
		memset(k, 1, size);
		memcpy(b, a, size);
		memcpy(v, b, size);
		ok = !memcmp(v, k, size);
	}
	kvfree(k);
	vfree(v);
	kfree(b);
	kfree(a);
	kfree(NULL);
	vfree(NULL);
	return ok;
}

static noinline unsigned long use_pages(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	if (!page)
		return 0;
	memset(page_address(page), 5, PAGE_SIZE << order);
	/* Inline: stores to the page that the fault handler carries out. */
	get_page(page);
	put_page(page);
	put_page(page);
	page = alloc_pages(GFP_ATOMIC, order);
	if (!page)
		return 0;
	__free_pages(page, order);
	return 1;
}

static bool spin_free(void)
{
	if (spin_trylock(&tenant_spin)) {
		spin_unlock(&tenant_spin);
		return true;
	}
	return false;
}

static noinline unsigned long spin_kinds(void)
{
	unsigned long flags, seen;

	spin_lock_irqsave(&tenant_spin, flags);
	seen = irqs_disabled() && !spin_free();
	spin_unlock_irqrestore(&tenant_spin, flags);
	seen += !irqs_disabled();
	spin_lock_irq(&tenant_spin);
	seen += irqs_disabled();
	spin_unlock_irq(&tenant_spin);
	spin_lock_bh(&tenant_spin);
	seen += in_softirq() && !irqs_disabled();
	spin_unlock_bh(&tenant_spin);
	seen += !in_softirq() && !irqs_disabled();
	seen += spin_free();
	local_bh_disable();
	seen += !!in_softirq();
	local_bh_enable();
	rcu_read_lock();
	rcu_read_unlock();
	cond_resched();
	seen += mutex_trylock(&tenant_mutex) && mutex_is_locked(&tenant_mutex);
	mutex_unlock(&tenant_mutex);
	return seen;
}

/* Loses counts where two do it at the same time. */
static void count_one(void)
{
	unsigned long n = READ_ONCE(tenant_count);

	cpu_relax();
	WRITE_ONCE(tenant_count, n + 1);
}

static noinline void count_spin(unsigned long times)
{
	while (times--) {
		spin_lock(&tenant_spin);
		count_one();
		spin_unlock(&tenant_spin);
	}
}

static noinline void count_mutex(unsigned long times)
{
	while (times--) {
		mutex_lock(&tenant_mutex);
		count_one();
		mutex_unlock(&tenant_mutex);
	}
}

/* The function of what the kernel has: of work, of delayed work, of its timer, of a timer. */
static noinline void *handed_over(unsigned long which)
{
	schedule_delayed_work(&tenant_delayed, 100 * HZ);
	mod_timer(&tenant_timer, jiffies + 100 * HZ);
	switch (which) {
	case 0:
		return &tenant_delayed.work.func;
	case 1:
		return &tenant_delayed.timer.function;
	case 2:
		return &tenant_timer.function;
	case 3:
		return &tenant_timer.expires;
	case 4:
		return &tenant_timer.entry.next;
	default:	/* their neighbours */
		return which == 5 ? (void *)&tenant_ticks : &tenant_count;
	}
}

/* Overwrites and restores; 1 if nothing stopped it. */
static void rewrite(void *p, size_t size)
{
	u8 *b = p;

	while (size--) {
		WRITE_ONCE(*b, ~*b);
		WRITE_ONCE(*b, ~*b);
		b++;
	}
}

/* What has run, and what was cancelled, is the driver's again. */
static noinline unsigned long handed_back(void)
{
	schedule_delayed_work(&tenant_delayed, 100 * HZ);
	mod_timer(&tenant_timer, jiffies + 100 * HZ);
	cancel_delayed_work_sync(&tenant_delayed);
	timer_delete(&tenant_timer);
	rewrite(&tenant_delayed, sizeof(tenant_delayed));
	rewrite(&tenant_timer, sizeof(tenant_timer));
	schedule_work(&tenant_work);
	flush_work(&tenant_work);
	rewrite(&tenant_work, sizeof(tenant_work));
	return 1;
}

static noinline void free_handed(void)
{
	struct timer_list *t = kmalloc(sizeof(*t), GFP_KERNEL);

	timer_setup(t, tenant_timer_fn, 0);
	mod_timer(t, jiffies + 100 * HZ);
	kfree(t);
}

/* Bit 0: it was pending; bit 1: the driver saw that it was. */
static unsigned long cancel_delayed(void)
{
	bool seen = delayed_work_pending(&tenant_delayed);

	return cancel_delayed_work_sync(&tenant_delayed) | seen << 1 |
	       (unsigned long)tenant_ran << 2;
}

static noinline unsigned long keep(void)
{
	tenant_kept = kmalloc(300, GFP_KERNEL);
	tenant_kept = vmalloc(5000);
	tenant_kept = alloc_page(GFP_KERNEL);
	mutex_lock(&tenant_mutex);
	mutex_unlock(&tenant_mutex);
	mod_timer(&tenant_timer, jiffies + 100 * HZ);
	schedule_delayed_work(&tenant_delayed, 100 * HZ);
	return !!tenant_kept;
}

static irqreturn_t tenant_irq(int irq, void *dev_id)
{
	return IRQ_NONE;
}

static irqreturn_t tenant_line_fn(int irq, void *dev_id)
{
	if (irq == tenant_line && dev_id == &tenant_line)
		tenant_ticks++;
	return IRQ_HANDLED;
}

static unsigned long line_request(unsigned int irq)
{
	tenant_ticks = 0;
	tenant_line = irq;
	fi_tenant_line(irq);
	return !request_irq(irq, tenant_line_fn, IRQF_SHARED, "tenant", &tenant_line);
}

static noinline unsigned long line_use(unsigned int irq)
{
	fi_tenant_line(irq);
	synchronize_irq(irq);
	if (!line_request(irq))
		return 0;
	disable_irq(irq);
	disable_irq_nosync(irq);
	enable_irq(irq);
	enable_irq(irq);
	/* Nobody can enable it for this driver after it has freed it. */
	disable_irq(irq);
	free_irq(irq, &tenant_line);
	fi_tenant_line(0);
	return 1;
}

static noinline unsigned long use_time(enum tenant_act act, unsigned long arg)
{
	switch (act) {
	case TENANT_SLEEP:
		msleep(arg);
		return 1;
	case TENANT_LINE:
		return line_use(arg);
	case TENANT_LINE_REQUEST:
		return line_request(arg);
	case TENANT_LINE_DISABLE:
		disable_irq(tenant_line);
		disable_irq_nosync(tenant_line);
		return 1;
	default:	/* TENANT_LINE_TICKS */
		return tenant_ticks;
	}
}

static noinline unsigned long misuse_line(enum tenant_act act, unsigned int irq)
{
	switch (act) {
	case TENANT_IRQ:
		return request_irq(irq, tenant_irq, IRQF_SHARED, "tenant", &tenant_work);
	case TENANT_IRQ_DISABLE:
		disable_irq(irq);
		break;
	case TENANT_IRQ_NOSYNC:
		disable_irq_nosync(irq);
		break;
	case TENANT_IRQ_ENABLE:
		enable_irq(irq);
		break;
	case TENANT_IRQ_SYNC:
		synchronize_irq(irq);
		break;
	default:	/* TENANT_LINE_ENABLE */
		line_request(irq);
		disable_irq(irq);
		enable_irq(irq);
		enable_irq(irq);
	}
	return 1;
}

static noinline unsigned long misuse_memory(enum tenant_act act, unsigned long arg)
{
	struct page *page;
	void *p = NULL;

	switch (act) {
	case TENANT_FREE_TWICE:
		p = kmalloc(100, GFP_KERNEL);
		kfree(p);
		OPTIMIZER_HIDE_VAR(p);
		kfree(p);
		break;
	case TENANT_FREE:
		kfree((void *)arg);
		break;
	case TENANT_FREE_INSIDE:
		p = kmalloc(100, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(p);
		kfree(p + 8);
		break;
	case TENANT_VFREE_TWICE:
		p = vmalloc(100);
		vfree(p);
		vfree(p);
		break;
	case TENANT_PUT_PAGE:
		put_page((struct page *)arg);
		break;
	default:	/* TENANT_PAGE_FLAGS */
		page = alloc_page(GFP_KERNEL);
		WRITE_ONCE(page->flags, 0);
	}
	return 1;
}

/* Half of a pair, which is the misuse; sparse is told that it is meant. */
static void take_only(spinlock_t *lock)
{
	spin_lock(lock);
	__release(lock);
}

static void drop_only(spinlock_t *lock)
{
	__acquire(lock);
	spin_unlock(lock);
}

static noinline unsigned long misuse_locks(enum tenant_act act, unsigned long arg)
{
	switch (act) {
	case TENANT_SPIN_AT:
		take_only((spinlock_t *)arg);
		break;
	case TENANT_SPIN_TWICE:
		take_only(&tenant_spin);
		take_only(&tenant_spin);
		break;
	case TENANT_SPIN_LEAK:
		take_only(&tenant_spin);
		break;
	case TENANT_SPIN_BROKEN:
		*(u32 *)&tenant_spin = arg;
		take_only(&tenant_spin);
		break;
	case TENANT_UNLOCK:
		drop_only(&tenant_spin);
		break;
	case TENANT_BH_ENABLE:
		local_bh_enable();
		break;
	case TENANT_SLEEP_ATOMIC:
		spin_lock(&tenant_spin);
		kfree(kmalloc(10, GFP_KERNEL));
		spin_unlock(&tenant_spin);
		break;
	case TENANT_MUTEX_TWICE:
		mutex_lock(&tenant_mutex);
		mutex_lock(&tenant_mutex);
		break;
	default:	/* TENANT_MUTEX_UNLOCK */
		mutex_unlock(&tenant_mutex);
	}
	return 1;
}

static noinline unsigned long misuse_time(enum tenant_act act, unsigned long arg)
{
	switch (act) {
	case TENANT_WORK_FN:
		tenant_work.func = (work_func_t)arg;
		schedule_work(&tenant_work);
		break;
	case TENANT_WORK_AT:
		schedule_work((struct work_struct *)arg);
		break;
	case TENANT_WORK_WQ:
		queue_work((struct workqueue_struct *)arg, &tenant_work);
		break;
	case TENANT_WORK_BROKEN:
		schedule_delayed_work(&tenant_delayed, 2);
		mod_timer(&tenant_timer, jiffies + 2);
		memset(&tenant_delayed, 0xa5, sizeof(tenant_delayed));
		memset(&tenant_timer, 0xa5, sizeof(tenant_timer));
		break;
	case TENANT_HANDED_OVER:
		WRITE_ONCE(*(unsigned long *)handed_over(arg), 0x1234);
		break;
	case TENANT_FREE_HANDED:
		free_handed();
		break;
	default:	/* TENANT_TIMER_FN */
		tenant_timer.function = (void *)arg;
		mod_timer(&tenant_timer, jiffies + 1);
	}
	return 1;
}

static unsigned long tenant_run(enum tenant_act act, unsigned long arg)
{
	unsigned long n;

	switch (act) {
	case TENANT_HEAP:
		return use_heap(arg);
	case TENANT_PAGES:
		return use_pages(arg);
	case TENANT_SPIN_COUNT:
		count_spin(arg);
		return 1;
	case TENANT_MUTEX_COUNT:
		count_mutex(arg);
		return 1;
	case TENANT_SPIN_KINDS:
		return spin_kinds();
	case TENANT_GET_COUNT:
		n = tenant_count;
		tenant_count = 0;
		return n;
	case TENANT_WORK:
		tenant_ran = 0;
		tenant_again = arg;
		return schedule_work(&tenant_work);
	case TENANT_WORK_WAIT:
		while (flush_work(&tenant_work))
			;
		cancel_work_sync(&tenant_work);
		return tenant_ran;
	case TENANT_DELAYED:
		tenant_ran = 0;
		return schedule_delayed_work(&tenant_delayed, arg);
	case TENANT_DELAYED_CANCEL:
		return cancel_delayed();
	case TENANT_TIMER:
		tenant_ticks = 0;
		return mod_timer(&tenant_timer, jiffies + arg);
	case TENANT_TIMER_STOP:
		timer_delete_sync(&tenant_timer);
		return tenant_ticks;
	case TENANT_KEEP:
		return keep();
	case TENANT_HANDED_BACK:
		return handed_back();
	case TENANT_SLEEP ... TENANT_LINE_TICKS:
		return use_time(act, arg);
	case TENANT_IRQ ... TENANT_LINE_ENABLE:
		return misuse_line(act, arg);
	case TENANT_FREE_TWICE ... TENANT_PAGE_FLAGS:
		return misuse_memory(act, arg);
	case TENANT_SPIN_AT ... TENANT_MUTEX_UNLOCK:
		return misuse_locks(act, arg);
	default:
		return misuse_time(act, arg);
	}
}

static const struct fi_tenant_ops tenant_ops = { .run = tenant_run };

static int __init tenant_init(void)
{
	timer_setup(&tenant_timer, tenant_timer_fn, 0);
	fi_tenant_register(&tenant_ops);
	return 0;
}

static void __exit tenant_exit(void)
{
	timer_delete_sync(&tenant_timer);
	fi_tenant_register(NULL);
}

module_init(tenant_init);
module_exit(tenant_exit);
MODULE_DESCRIPTION("User of kernel services in the driver fault isolation tests");
MODULE_LICENSE("GPL");
