// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of timers: a driver's timer has a twin in kernel memory.
 *
 * The kernel keeps timers in lists, whose links the driver must not be able
 * to overwrite. In the driver's own struct timer_list only what it looks at
 * inline is kept up: whether it is pending, and when it expires. While it is
 * pending the driver has no right to it.
 */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include "../domain/handover.h"
#include "manual.h"

static const struct fi_type *timer_type __ro_after_init;

/**
 * struct fi_timer - twin of a driver's timer
 * @timer: the kernel's
 * @dom: the driver's domain
 * @entry: the driver's function
 * @own: address of the driver's struct timer_list, what @entry gets
 * @handed: the driver's struct timer_list
 * @lock: makes one of @timer, what the driver sees of it and @handed
 */
struct fi_timer {
	struct timer_list timer;
	struct fi_domain *dom;
	struct fi_entry *entry;
	unsigned long own;
	struct fi_handover handed;
	spinlock_t lock;	/* see above */
};

static int __init fi_timer_init(void)
{
	timer_type = fi_type_get("timer", 0, NULL, 0);
	return 0;
}
core_initcall(fi_timer_init);

static unsigned long slot_call(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret;

	fi_invoke(e, a, &ret);
	return ret;
}

const struct fi_slot fi_slot_timer_fn = {
	.name = "timer_fn", .fn = slot_call, .nargs = 1,
};
EXPORT_SYMBOL_GPL(fi_slot_timer_fn);

/* timer_pending() of the driver looks at this. */
static void show_pending(struct fi_timer *t, bool pending)
{
	struct timer_list *own = (struct timer_list *)t->own;

	if (!READ_ONCE(t->dom->dead) &&
	    (fi_handed(&t->handed) || fi_mem_writable(t->dom, t->own, sizeof(*own))))
		WRITE_ONCE(own->entry.pprev, pending ? &own->entry.next : NULL);
}

/* It ran or was stopped: the driver's again, unless it was started anew. */
static void end_pending(struct fi_timer *t)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	if (!timer_pending(&t->timer)) {
		show_pending(t, false);
		fi_hand_back(t->dom, &t->handed);
	}
	spin_unlock_irqrestore(&t->lock, flags);
}

static void fi_timer_fn(struct timer_list *timer)
{
	struct fi_timer *t = from_timer(t, timer, timer);
	unsigned long a[6] = { t->own }, ret;

	end_pending(t);
	fi_invoke(t->entry, a, &ret);
}

static void free_twin(struct fi_domain *d, void *own, unsigned long cookie)
{
	struct fi_timer *t = (struct fi_timer *)cookie;

	timer_shutdown_sync(&t->timer);
	fi_hand_back(d, &t->handed);
	kfree(t);
}

static struct fi_timer *find_twin(struct fi_call *c)
{
	unsigned long cookie;

	if (!fi_obj_cookie(c->dom, (void *)c->arg[0], timer_type, &cookie))
		return NULL;
	return (struct fi_timer *)cookie;
}

static struct fi_timer *new_twin(struct fi_call *c, u32 flags)
{
	struct fi_timer *t = kzalloc(sizeof(*t), GFP_ATOMIC);
	int err;

	if (!t)
		goto no_memory;
	t->dom = c->dom;
	t->own = c->arg[0];
	t->handed.addr = t->own;
	t->handed.len = sizeof(struct timer_list);
	spin_lock_init(&t->lock);
	timer_setup(&t->timer, fi_timer_fn, flags);
	err = fi_obj_add(c->dom, (void *)t->own, timer_type, free_twin, (unsigned long)t);
	if (!err)
		return t;
	kfree(t);
	if (err == -EEXIST)	/* another CPU was first */
		return find_twin(c);
no_memory:
	fi_reject(c, 0, "no memory for a timer");
	return NULL;
}

/* The twin with the driver's present function; NULL: rejected. */
static struct fi_timer *get_twin(struct fi_call *c)
{
	struct timer_list *own = (struct timer_list *)c->arg[0];
	struct fi_timer *t = find_twin(c);
	unsigned long fn;

	if (!(t && fi_handed(&t->handed)) &&
	    !fi_mem_writable(c->dom, c->arg[0], sizeof(*own))) {
		fi_reject(c, 0, "not a timer of this driver");
		return NULL;
	}
	fn = (unsigned long)READ_ONCE(own->function);
	if (!fi_bind_fn(c, 0, fn, &fi_slot_timer_fn))
		return NULL;
	if (!t)
		t = new_twin(c, READ_ONCE(own->flags) & TIMER_INIT_FLAGS);
	if (t)
		WRITE_ONCE(t->entry, fi_entry_by_addr(c->dom, fn));
	return t;
}

/*
 * init_timer_key(timer, func, flags, name, key): fills the driver's memory.
 * The timer of a delayed work has a function of the kernel, and no twin: see
 * manual_work.c. Name and key are for lockdep, which FI's own timers have.
 */
static unsigned long wrap_init_timer(struct fi_call *c)
{
	struct timer_list *own = (struct timer_list *)c->arg[0];

	if (!fi_mem_writable(c->dom, c->arg[0], sizeof(*own)))
		return fi_reject(c, 0, "not memory of this driver");
	if (c->arg[1] != (unsigned long)delayed_work_timer_fn && c->arg[1] &&
	    !fi_bind_fn(c, 1, c->arg[1], &fi_slot_timer_fn))
		return 0;
	memset(own, 0, sizeof(*own));
	own->function = (void *)c->arg[1];
	own->flags = c->arg[2] & TIMER_INIT_FLAGS;
	return 0;
}

static int start(struct fi_timer *t, unsigned long expires)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&t->lock, flags);
	show_pending(t, true);
	WRITE_ONCE(((struct timer_list *)t->own)->expires, expires);
	fi_hand_over(t->dom, &t->handed);
	ret = mod_timer(&t->timer, expires);
	spin_unlock_irqrestore(&t->lock, flags);
	return ret;
}

static unsigned long wrap_mod_timer(struct fi_call *c)
{
	struct fi_timer *t = get_twin(c);

	return t ? start(t, c->arg[1]) : 0;
}

static unsigned long wrap_add_timer(struct fi_call *c)
{
	struct fi_timer *t = get_twin(c);

	if (t)
		start(t, READ_ONCE(((struct timer_list *)t->own)->expires));
	return 0;
}

/* A timer that never ran has no twin and is not pending. */
static unsigned long stop(struct fi_call *c, int (*how)(struct timer_list *timer))
{
	struct fi_timer *t = find_twin(c);
	int ret;

	if (!t)
		return 0;
	ret = how(&t->timer);
	end_pending(t);
	return ret;
}

static unsigned long wrap_timer_delete(struct fi_call *c)
{
	return stop(c, timer_delete);
}

/* Waits for the function, so it must not be called from it. */
static unsigned long wrap_timer_delete_sync(struct fi_call *c)
{
	struct fi_frame *f;

	for (f = current->fi_frame; f; f = f->prev)
		if (f->dom == c->dom && f->entry->slot == &fi_slot_timer_fn)
			return fi_reject(c, 0, "waits for a timer in a timer: deadlock");
	if (in_hardirq())
		return fi_reject(c, 0, "waits for a timer in an interrupt");
	return stop(c, timer_delete_sync);
}

const struct fi_import fi_imports_time[] = {
	{ .name = "init_timer_key", .fn = wrap_init_timer },
	{ .name = "mod_timer", .fn = wrap_mod_timer },
	{ .name = "add_timer", .fn = wrap_add_timer },
	{ .name = "timer_delete", .fn = wrap_timer_delete },
	{ .name = "timer_delete_sync", .fn = wrap_timer_delete_sync },
	{ .name = "queue_work_on", .fn = fi_wrap_queue_work_on },
	{ .name = "queue_delayed_work_on", .fn = fi_wrap_queue_delayed_work_on },
	{ .name = "mod_delayed_work_on", .fn = fi_wrap_mod_delayed_work_on },
	{ .name = "cancel_work_sync", .fn = fi_wrap_cancel_work_sync },
	{ .name = "cancel_delayed_work", .fn = fi_wrap_cancel_delayed_work },
	{ .name = "cancel_delayed_work_sync", .fn = fi_wrap_cancel_work_sync },
	{ .name = "flush_work", .fn = fi_wrap_flush_work },
	{ .name = "flush_delayed_work", .fn = fi_wrap_flush_delayed_work },
	{ }
};
