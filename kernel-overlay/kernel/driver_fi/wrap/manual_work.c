// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of work items: a driver's work has a twin in kernel memory.
 *
 * The kernel keeps work in lists, whose links the driver must not be able to
 * overwrite. In the driver's own struct work_struct only the pending bit is
 * kept up, which work_pending() looks at inline. From being queued to its
 * function the driver has no right to it.
 */
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "../domain/handover.h"
#include "manual.h"

static const struct fi_type *work_type __ro_after_init;

/**
 * struct fi_work - twin of a driver's work
 * @dw: the kernel's; its timer is used if the driver delays it
 * @dom: the driver's domain
 * @entry: the driver's function
 * @own: address of the driver's struct work_struct, what @entry gets
 * @runner: the task that runs it now, or NULL
 * @handed: the driver's struct work_struct, or struct delayed_work
 * @lock: makes one of @dw, what the driver sees of it and @handed
 */
struct fi_work {
	struct delayed_work dw;
	struct fi_domain *dom;
	struct fi_entry *entry;
	unsigned long own;
	struct task_struct *runner;
	struct fi_handover handed;
	spinlock_t lock;	/* see above */
};

static int __init fi_work_init(void)
{
	work_type = fi_type_get("work", 0, NULL, 0);
	return 0;
}
core_initcall(fi_work_init);

static unsigned long slot_call(struct fi_entry *e, unsigned long *a)
{
	unsigned long ret;

	fi_invoke(e, a, &ret);
	return ret;
}

const struct fi_slot fi_slot_work_fn = {
	.name = "work_fn", .fn = slot_call, .nargs = 1,
};
EXPORT_SYMBOL_GPL(fi_slot_work_fn);

static void show_pending(struct fi_work *w, bool pending)
{
	struct work_struct *work = (struct work_struct *)w->own;

	if (READ_ONCE(w->dom->dead) ||
	    !(fi_handed(&w->handed) || fi_mem_writable(w->dom, w->own, sizeof(*work))))
		return;
	if (pending)
		set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work));
	else
		clear_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work));
}

/* It begins to run or was cancelled: the driver's, unless it was queued anew. */
static void end_pending(struct fi_work *w)
{
	unsigned long flags;

	spin_lock_irqsave(&w->lock, flags);
	if (!work_pending(&w->dw.work)) {
		show_pending(w, false);
		fi_hand_back(w->dom, &w->handed);
	}
	spin_unlock_irqrestore(&w->lock, flags);
}

static void fi_work_fn(struct work_struct *work)
{
	struct fi_work *w = container_of(to_delayed_work(work), struct fi_work, dw);
	unsigned long a[6] = { w->own }, ret;

	end_pending(w);
	WRITE_ONCE(w->runner, current);
	fi_invoke(READ_ONCE(w->entry), a, &ret);
	WRITE_ONCE(w->runner, NULL);
}

static void free_twin(struct fi_domain *d, void *own, unsigned long cookie)
{
	struct fi_work *w = (struct fi_work *)cookie;

	disable_delayed_work_sync(&w->dw);
	fi_hand_back(d, &w->handed);
	kfree(w);
}

static struct fi_work *find_twin(struct fi_call *c, int arg)
{
	unsigned long cookie;

	if (!fi_obj_cookie(c->dom, (void *)c->arg[arg], work_type, &cookie))
		return NULL;
	return (struct fi_work *)cookie;
}

static struct fi_work *new_twin(struct fi_call *c, int arg)
{
	struct fi_work *w = kzalloc(sizeof(*w), GFP_ATOMIC);
	int err;

	if (!w)
		goto no_memory;
	w->dom = c->dom;
	w->own = c->arg[arg];
	w->handed.addr = w->own;
	spin_lock_init(&w->lock);
	INIT_DELAYED_WORK(&w->dw, fi_work_fn);
	err = fi_obj_add(c->dom, (void *)w->own, work_type, free_twin, (unsigned long)w);
	if (!err)
		return w;
	kfree(w);
	if (err == -EEXIST)	/* another CPU was first */
		return find_twin(c, arg);
no_memory:
	fi_reject(c, arg, "no memory for a work item");
	return NULL;
}

/* The twin with the driver's present function; NULL: rejected. */
static struct fi_work *get_twin(struct fi_call *c, int arg)
{
	struct work_struct *own = (struct work_struct *)c->arg[arg];
	struct fi_work *w = find_twin(c, arg);
	struct fi_entry *e;
	unsigned long fn;

	if (!(w && fi_handed(&w->handed)) &&
	    !fi_mem_writable(c->dom, c->arg[arg], sizeof(*own))) {
		fi_reject(c, arg, "not a work item of this driver");
		return NULL;
	}
	fn = (unsigned long)READ_ONCE(own->func);
	if (!fi_bind_fn(c, arg, fn, &fi_slot_work_fn))
		return NULL;
	e = fi_entry_by_addr(c->dom, fn);
	if (!w)
		w = new_twin(c, arg);
	if (w)
		WRITE_ONCE(w->entry, e);
	return w;
}

static bool is_system_wq(const void *wq)
{
	return wq == system_wq || wq == system_percpu_wq || wq == system_long_wq ||
	       wq == system_unbound_wq || wq == system_dfl_wq ||
	       wq == system_highpri_wq || wq == system_freezable_wq ||
	       wq == system_power_efficient_wq || wq == system_freezable_power_efficient_wq;
}

/* The first two arguments of queue_work_on() and its like. */
static bool check_queue(struct fi_call *c)
{
	int cpu = c->arg[0];

	if (cpu != WORK_CPU_UNBOUND && (cpu < 0 || cpu >= nr_cpu_ids || !cpu_possible(cpu))) {
		fi_reject(c, 0, "no such CPU");
		return false;
	}
	if (!is_system_wq((void *)c->arg[1])) {
		fi_reject(c, 1, "not a workqueue that drivers may use");
		return false;
	}
	return true;
}

enum how { QUEUE, QUEUE_DELAYED, MOD_DELAYED };

/* The driver's work of @len bytes becomes pending. */
static unsigned long queue(struct fi_call *c, enum how how, size_t len)
{
	struct fi_work *w = check_queue(c) ? get_twin(c, 2) : NULL;
	struct workqueue_struct *wq = (void *)c->arg[1];
	unsigned long flags;
	int cpu = c->arg[0];
	bool ret;

	if (!w)
		return 0;
	spin_lock_irqsave(&w->lock, flags);
	show_pending(w, true);
	if (!fi_handed(&w->handed))
		w->handed.len = len;
	fi_hand_over(w->dom, &w->handed);
	if (how == QUEUE)
		ret = queue_work_on(cpu, wq, &w->dw.work);
	else if (how == QUEUE_DELAYED)
		ret = queue_delayed_work_on(cpu, wq, &w->dw, c->arg[3]);
	else
		ret = mod_delayed_work_on(cpu, wq, &w->dw, c->arg[3]);
	spin_unlock_irqrestore(&w->lock, flags);
	/* It is being cancelled, and so was not queued. */
	if (!ret)
		end_pending(w);
	return ret;
}

unsigned long fi_wrap_queue_work_on(struct fi_call *c)
{
	return queue(c, QUEUE, sizeof(struct work_struct));
}

unsigned long fi_wrap_queue_delayed_work_on(struct fi_call *c)
{
	return queue(c, QUEUE_DELAYED, sizeof(struct delayed_work));
}

unsigned long fi_wrap_mod_delayed_work_on(struct fi_call *c)
{
	return queue(c, MOD_DELAYED, sizeof(struct delayed_work));
}

/* The twin of a work that is to be waited for; NULL: nothing to wait for. */
static struct fi_work *take_for_wait(struct fi_call *c)
{
	struct fi_work *w;

	if (!fi_may_sleep(c))
		return NULL;
	w = find_twin(c, 0);
	if (w && READ_ONCE(w->runner) == current) {
		fi_reject(c, 0, "a work item waits for itself: deadlock");
		return NULL;
	}
	return w;
}

/* Also cancel_delayed_work_sync(): the twin knows what it is. */
unsigned long fi_wrap_cancel_work_sync(struct fi_call *c)
{
	struct fi_work *w = take_for_wait(c);
	bool ret;

	if (!w)
		return 0;
	ret = cancel_delayed_work_sync(&w->dw);
	end_pending(w);
	return ret;
}

unsigned long fi_wrap_cancel_delayed_work(struct fi_call *c)
{
	struct fi_work *w = find_twin(c, 0);
	bool ret = w && cancel_delayed_work(&w->dw);

	if (ret)
		end_pending(w);
	return ret;
}

unsigned long fi_wrap_flush_work(struct fi_call *c)
{
	struct fi_work *w = take_for_wait(c);

	return w && flush_work(&w->dw.work);
}

unsigned long fi_wrap_flush_delayed_work(struct fi_call *c)
{
	struct fi_work *w = take_for_wait(c);

	return w && flush_delayed_work(&w->dw);
}
