// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recovery manager: what happens after a driver has failed.
 *
 * A fault queues one pass through the steps below, in a work item of the
 * domain. A pass ends with the driver live again, or with a new fault (the
 * driver's, or FI_FAULT_INIT raised here), which queues the next pass, or with
 * the driver off for good.
 */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "../wrap/class.h"
#include "recovery.h"

#define UNWIND_MS	10000

static struct workqueue_struct *recovery_wq;

static void set_state(struct fi_domain *d, enum fi_state state)
{
	mutex_lock(&d->lock);
	WRITE_ONCE(d->state, state);
	mutex_unlock(&d->lock);
}

/* --- steps: 0 go on; -ESHUTDOWN no restart; else a failure of the restart -- */

static int step_report(struct fi_recovery *r)
{
	fi_report_fault(r->dom, &r->dom->fault);
	fi_uevent(r->dom, "fault");
	return 0;
}

static int step_unwind(struct fi_recovery *r)
{
	int err = fi_unwind(r->dom, UNWIND_MS);

	if (!err)
		return 0;
	r->stuck = true;
	fi_report_say(r->dom, "a thread does not leave the driver; nothing is released");
	return -ESHUTDOWN;
}

static int step_quiesce(struct fi_recovery *r)
{
	fi_classes_quiesce(r->dom);
	return 0;
}

static int step_release(struct fi_recovery *r)
{
	fi_late_begin(r->dom);
	fi_objtab_release_all(r->dom);
	fi_late_end(r->dom);
	return 0;
}

static int step_reset(struct fi_recovery *r)
{
	fi_classes_reset(r->dom);
	return 0;
}

static bool still_loading(struct fi_recovery *r)
{
	return READ_ONCE(r->dom->mod->state) == MODULE_STATE_COMING;
}

/* A driver that fails while it is loaded is not restarted: loading fails. */
static int step_loaded(struct fi_recovery *r)
{
	while (still_loading(r) && !READ_ONCE(r->going))
		wait_event_timeout(r->wait, READ_ONCE(r->going), msecs_to_jiffies(10));
	return READ_ONCE(r->going) ? -ESHUTDOWN : 0;
}

static int step_policy(struct fi_recovery *r)
{
	struct fi_domain *d = r->dom;
	int delay;

	/* What the user asks for is neither delayed nor counted. */
	if (d->fault.kind == FI_FAULT_USER)
		return 0;
	delay = fi_backoff_next(&r->backoff, &d->policy, ktime_get_mono_fast_ns());
	if (delay < 0) {
		if (d->policy.restart_max)
			fi_report_say(d, "restarted %u times within %u s, which is the limit",
				      d->policy.restart_max, d->policy.restart_window);
		return -ESHUTDOWN;
	}
	if (!delay)
		return 0;
	fi_report_say(d, "restart in %d ms", delay);
	wait_event_timeout(r->wait, READ_ONCE(r->going), msecs_to_jiffies(delay));
	return READ_ONCE(r->going) ? -ESHUTDOWN : 0;
}

static int step_restore(struct fi_recovery *r)
{
	fi_entries_unbind_dynamic(r->dom);
	if (!fi_domain_snapshot_restore(r->dom))
		return 0;
	fi_report_say(r->dom, "no copy of its data, which is needed for a restart");
	return -ESHUTDOWN;
}

static int step_init(struct fi_recovery *r)
{
	struct fi_domain *d = r->dom;

	d->generation++;
	set_state(d, FI_STARTING);
	/*
	 * In this order: a fault of the new life finds STARTING. The barrier is
	 * for fi_invoke(), which reads dead only, on other CPUs.
	 */
	smp_wmb();
	WRITE_ONCE(d->dead, 0);
	return fi_domain_run_init(d);
}

static int step_replay(struct fi_recovery *r)
{
	return fi_classes_replay(r->dom);
}

/* The driver has set its devices up anew: they do not use the old memory. */
static int step_memory(struct fi_recovery *r)
{
	fi_late_release(r->dom);
	fi_permmap_trim(r->dom->perm);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct fi_recovery *r);
} steps[] = {
	{ "report",	step_report },
	{ "unwind",	step_unwind },
	{ "quiesce",	step_quiesce },
	{ "release",	step_release },
	{ "reset",	step_reset },
	{ "loaded",	step_loaded },
	{ "policy",	step_policy },
	{ "restore",	step_restore },
	{ "init",	step_init },
	{ "replay",	step_replay },
	{ "memory",	step_memory },
};

/* The driver has no next life: gives everything back for good. */
static void abandon(struct fi_recovery *r)
{
	struct fi_domain *d = r->dom;

	if (r->ended)
		return;
	fi_park_close(d);
	fi_classes_abandon(d);
	fi_objtab_release_all(d);
	/* Its devices are disabled, or somebody else's. */
	fi_late_release(d);
	r->ended = true;
}

static void switch_off(struct fi_recovery *r)
{
	struct fi_domain *d = r->dom;

	if (!r->stuck)
		abandon(r);
	set_state(d, FI_OFF);
	fi_times_end(d, false);
	fi_report_say(d, "off");
	fi_uevent(d, "off");
}

static void restart_failed(struct fi_recovery *r, int err)
{
	struct fi_fault fault = {
		.kind = FI_FAULT_INIT,
		.arg = -1,
		.error_code = -err,
		.why = "init or probe returned an error on restart",
	};

	/* Does nothing if it failed by a fault: then the next pass is queued. */
	fi_fault_raise(r->dom, &fault);
}

static void go_live(struct fi_recovery *r)
{
	struct fi_domain *d = r->dom;
	u64 us;

	fi_backoff_live(&r->backoff, ktime_get_mono_fast_ns());
	fi_times_end(d, true);
	us = div_u64(d->times.total_ns, NSEC_PER_USEC);
	fi_report_say(d, "restarted in %llu.%03llu ms, restart %u", us / 1000, us % 1000,
		      d->generation);
	fi_uevent(d, "restart");
}

static void recover(struct work_struct *work)
{
	struct fi_recovery *r = container_of(work, struct fi_recovery, work);
	struct fi_domain *d = r->dom;
	int i, err = 0;

	if (cmpxchg(&d->state, FI_FAULTED, FI_RECOVERING) != FI_FAULTED)
		return;
	fi_times_begin(d);
	for (i = 0; i < ARRAY_SIZE(steps) && !err; i++) {
		err = steps[i].run(r);
		fi_times_step(d, steps[i].name);
	}
	if (err == -ESHUTDOWN && READ_ONCE(d->state) == FI_RECOVERING)
		switch_off(r);
	else if (err)
		restart_failed(r, err);
	else if (cmpxchg(&d->state, FI_STARTING, FI_LIVE) == FI_STARTING)
		go_live(r);
}

/* Hard interrupt, IRQs off, soon after the fault. */
static void faulted(struct fi_domain *d)
{
	fi_classes_mask(d);
	queue_work(recovery_wq, &d->rec->work);
}

static const struct fi_fault_ops fault_ops = { .faulted = faulted };

/**
 * fi_recovery_create - prepare for a domain's faults
 * @d: domain
 *
 * Context: may sleep. Return: 0 or -ENOMEM
 */
int fi_recovery_create(struct fi_domain *d)
{
	struct fi_recovery *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int err;

	if (!r)
		return -ENOMEM;
	r->dom = d;
	INIT_WORK(&r->work, recover);
	init_waitqueue_head(&r->wait);
	err = fi_backoff_init(&r->backoff, &d->policy);
	if (err)
		goto free;
	err = fi_classes_create(d);
	if (err)
		goto exit;
	d->rec = r;
	fi_detect_get();
	return 0;
exit:
	fi_backoff_exit(&r->backoff);
free:
	kfree(r);
	return err;
}

/* No pass is running, queued, or about to be queued by a delivery. */
static void settle(struct fi_recovery *r)
{
	WRITE_ONCE(r->going, true);
	wake_up_all(&r->wait);
	do {
		fi_fault_sync(r->dom);
		flush_work(&r->work);
	} while (READ_ONCE(r->dom->state) == FI_FAULTED);
}

/**
 * fi_recovery_going - rmmod begins
 * @d: domain
 *
 * Waits for a restart that is under way. The driver then exits by itself if it
 * is live; there is no restart from here on.
 * Context: may sleep, no locks
 */
void fi_recovery_going(struct fi_domain *d)
{
	enum fi_state state;

	do {
		settle(d->rec);
		state = READ_ONCE(d->state);
	} while (cmpxchg(&d->state, state, FI_UNLOADING) != state);
}

/* A thread that cannot leave keeps the module's memory: wait for it. */
static void unwind_for_good(struct fi_domain *d)
{
	while (fi_unwind(d, UNWIND_MS))
		fi_report_say(d, "waiting for a thread to leave the driver");
}

/*
 * After the driver's exit, or instead of it: nothing of the driver is left in
 * the kernel when this returns.
 */
static void recovery_end(struct fi_domain *d)
{
	struct fi_recovery *r = d->rec;
	unsigned int left;
	bool failed;

	settle(r);
	if (r->ended)
		return;
	failed = READ_ONCE(d->dead);
	set_state(d, FI_UNLOADING);
	WRITE_ONCE(d->dead, 1);
	unwind_for_good(d);
	left = fi_objtab_count(d);
	if (left || fi_parked(d)) {
		fi_classes_mask(d);
		fi_classes_quiesce(d);
		fi_park_close(d);
		fi_objtab_release_all(d);
	}
	/* A driver that exits need not undo mutex_init() and the like. */
	if (failed && left)
		fi_report_say(d, "left %u objects behind, released", left);
	abandon(r);
}

/*
 * The one moment that a failed init, a finished exit and a failed exit have in
 * common, while the module's files in sysfs still stand.
 */
static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	if (event == MODULE_STATE_GOING && mod->fi_domain && mod->fi_domain->rec)
		recovery_end(mod->fi_domain);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

/**
 * fi_recovery_destroy - the opposite of fi_recovery_create()
 * @d: domain; its module is about to be freed
 *
 * Context: may sleep
 */
void fi_recovery_destroy(struct fi_domain *d)
{
	struct fi_recovery *r = d->rec;

	if (!r)
		return;
	recovery_end(d);
	fi_detect_put();
	fi_classes_destroy(d);
	fi_backoff_exit(&r->backoff);
	d->rec = NULL;
	kfree(r);
}

/**
 * fi_recovery_request - restart a driver because the user says so
 * @d: domain
 *
 * Return: 0; -ENODEV if it is off, -EBUSY in other states but live
 */
int fi_recovery_request(struct fi_domain *d)
{
	struct fi_fault fault = { .kind = FI_FAULT_USER, .arg = -1 };
	enum fi_state state = READ_ONCE(d->state);

	if (state != FI_LIVE)
		return state == FI_OFF ? -ENODEV : -EBUSY;
	fi_fault_raise(d, &fault);
	return 0;
}

/* Return: 0 or -errno */
int fi_recovery_init(void)
{
	int err;

	recovery_wq = alloc_workqueue("driver_fi", WQ_UNBOUND | WQ_HIGHPRI | WQ_MEM_RECLAIM, 0);
	if (!recovery_wq)
		return -ENOMEM;
	err = fi_replay_pci_init() ?: fi_replay_net_init() ?: fi_detect_init() ?:
	      register_module_notifier(&module_nb);
	if (!err)
		fi_fault_set_ops(&fault_ops);
	return err;
}
