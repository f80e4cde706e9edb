// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog: finds drivers that do not come out of their domain.
 *
 * A timer on each CPU sees what it interrupted; ticks inside without a call of
 * the kernel in between add up to a loop. With interrupts off the timer stands
 * still as well: other CPUs see that and send an NMI, which looks at what it
 * interrupted in the same way. When no CPU's timer runs any more, a device that
 * they all had to put off sends it (deadman.c).
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/nmi.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include <asm/driver_fi.h>
#include <asm/irq_regs.h>

#include "recovery.h"

#define TICK_MS		50

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "driver_fi."

static unsigned int loop_ms = 1000;
module_param(loop_ms, uint, 0644);
MODULE_PARM_DESC(loop_ms, "milliseconds a driver may run without a call of the kernel");

/* A crossing that calls the kernel now and then may take so much longer. */
#define PATIENCE	10

/**
 * struct watch - watchdog of a CPU
 * @timer: ticks in hard interrupts
 * @beat_ns: its last tick; 0 while it is not armed
 * @asked_ns: when an NMI was last sent here, so that few are
 * @suspect_ns: @beat_ns as the last NMI found it, too long ago
 * @frame: crossing that the last tick found, running here
 * @crossings: the domain's counter on this CPU then: frames lie on stacks, and
 *	the next one often at the same address
 * @seen: ticks in a row that found the same
 */
struct watch {
	struct hrtimer timer;
	u64 beat_ns;
	u64 asked_ns;
	u64 suspect_ns;
	struct fi_frame *frame;
	u64 crossings;
	u32 seen;
};

static DEFINE_PER_CPU(struct watch, watches);

/* Domains that want the watchdog, under users_lock. */
static unsigned int users;
static DEFINE_MUTEX(users_lock);

static u64 limit_ns(void)
{
	return max(READ_ONCE(loop_ms), 2U * TICK_MS) * (u64)NSEC_PER_MSEC;
}

static void raise_loop(struct fi_frame *f, struct pt_regs *regs, const char *why)
{
	struct fi_fault fault = {
		.kind = FI_FAULT_LOOP,
		.arg = -1,
		.why = why,
		.entry = f->entry->slot->name,
	};

	/* Registers of the kernel's own code say nothing about the driver. */
	if (regs && fi_regs_in_domain(regs)) {
		fault.regs_valid = true;
		fault.regs = *regs;
		fault.regs.csx &= 0xffff;
		fault.ip = regs->ip;
	}
	fi_fault_raise(f->dom, &fault);
}

/* The crossing that was interrupted, if its driver is alive. */
static struct fi_frame *caught(void)
{
	struct fi_frame *f = READ_ONCE(current->fi_frame);

	return f && !READ_ONCE(f->dom->dead) ? f : NULL;
}

/* In the driver itself; the import gate sets ticks back to 0. */
static bool loops_inside(struct fi_frame *f, struct pt_regs *regs)
{
	return regs && fi_regs_in_domain(regs) &&
	       ++f->ticks * (u64)TICK_MS * NSEC_PER_MSEC >= limit_ns();
}

/* In the driver or in what it calls, without ever sleeping. */
static bool loops_calling(struct fi_frame *f)
{
	struct watch *w = this_cpu_ptr(&watches);
	u64 crossings = f ? this_cpu_read(f->dom->cpu->stats.crossings) : 0;

	if (!f || f != w->frame || crossings != w->crossings)
		w->seen = 0;
	w->frame = f;
	w->crossings = crossings;
	return f && ++w->seen * (u64)TICK_MS * NSEC_PER_MSEC >= PATIENCE * limit_ns();
}

static void look_at(struct pt_regs *regs)
{
	struct fi_frame *f = caught();

	if (loops_calling(f))
		raise_loop(f, regs, "runs for too long without a break");
	else if (f && loops_inside(f, regs))
		raise_loop(f, regs, "runs for too long without a call of the kernel");
}

static void ask_silent_cpus(u64 now)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct watch *w = per_cpu_ptr(&watches, cpu);
		u64 beat = READ_ONCE(w->beat_ns);

		if (!beat || now < beat + limit_ns() || now < w->asked_ns + limit_ns() / 4)
			continue;
		/* Two CPUs may do this at once: one NMI too many does no harm. */
		w->asked_ns = now;
		arch_fi_nmi_ask(cpu);
	}
}

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	u64 now = ktime_get_mono_fast_ns();

	this_cpu_write(watches.beat_ns, now);
	look_at(get_irq_regs());
	ask_silent_cpus(now);
	arch_fi_deadman_defer(max(READ_ONCE(loop_ms), 2U * TICK_MS) + 4 * TICK_MS);
	hrtimer_forward_now(timer, ms_to_ktime(TICK_MS));
	return HRTIMER_RESTART;
}

/*
 * NMI: this CPU may be silent. Only the second NMI without a tick in between
 * condemns: a virtual CPU that did not run for a while gets the first together
 * with its timer interrupt. What it was found in could be an interrupt on top
 * of the driver; that is charged to the driver only if it goes on.
 */
static void nmi_look(struct pt_regs *regs)
{
	struct watch *w = this_cpu_ptr(&watches);
	u64 silent = ktime_get_mono_fast_ns() - w->beat_ns;
	struct fi_frame *f = caught();

	if (!f || !w->beat_ns || (s64)silent < 0 || silent < limit_ns())
		return;
	if (w->suspect_ns != w->beat_ns)
		w->suspect_ns = w->beat_ns;
	else if (fi_regs_in_domain(regs) || silent >= 2 * limit_ns())
		raise_loop(f, regs, "runs for too long with interrupts off");
}

static int cpu_starts(unsigned int cpu)
{
	struct watch *w = this_cpu_ptr(&watches);

	hrtimer_init(&w->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	w->timer.function = tick;
	WRITE_ONCE(w->beat_ns, ktime_get_mono_fast_ns());
	hrtimer_start(&w->timer, ms_to_ktime(TICK_MS), HRTIMER_MODE_REL_PINNED_HARD);
	return 0;
}

static int cpu_stops(unsigned int cpu)
{
	struct watch *w = per_cpu_ptr(&watches, cpu);

	WRITE_ONCE(w->beat_ns, 0);
	hrtimer_cancel(&w->timer);
	return 0;
}

static enum cpuhp_state hp_state;

static void start_deadman(void)
{
	int err = arch_fi_deadman_start();

	if (err)
		pr_notice_once("driver_fi: no HPET comparator to spare (%d): a loop with interrupts off is not found if no other CPU is alive\n",
			       err);
}

/**
 * fi_detect_get - the watchdog is wanted
 *
 * Without it, because of a lack of memory, loops are not found; all else is.
 * Context: may sleep
 */
void fi_detect_get(void)
{
	int ret;

	mutex_lock(&users_lock);
	if (!users++) {
		ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "driver_fi:watchdog",
					cpu_starts, cpu_stops);
		hp_state = ret > 0 ? ret : 0;
		if (ret < 0)
			pr_err("driver_fi: no watchdog (%d): loops will not be found\n", ret);
		else
			start_deadman();
	}
	mutex_unlock(&users_lock);
}

/* The opposite of fi_detect_get(). */
void fi_detect_put(void)
{
	mutex_lock(&users_lock);
	if (!--users && hp_state) {
		cpuhp_remove_state(hp_state);
		arch_fi_deadman_stop();
		hp_state = 0;
	}
	mutex_unlock(&users_lock);
}

int fi_detect_init(void)
{
	return arch_fi_nmi_init(nmi_look);
}
