// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters and times of a domain.
 */
#include <linux/timekeeping.h>
#include <trace/events/driver_fi.h>

#include "fi.h"

/**
 * fi_stats_sum - counters of a domain, over all CPUs since it was created
 * @d: the domain
 *
 * Not a snapshot: other CPUs go on counting. Any context.
 */
struct fi_stats fi_stats_sum(struct fi_domain *d)
{
	struct fi_stats sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct fi_stats *s = &per_cpu_ptr(d->cpu, cpu)->stats;

		sum.crossings += READ_ONCE(s->crossings);
		sum.imports += READ_ONCE(s->imports);
		sum.cr3_loads += READ_ONCE(s->cr3_loads);
		sum.emulated += READ_ONCE(s->emulated);
		sum.repaired += READ_ONCE(s->repaired);
		sum.asked += READ_ONCE(s->asked);
		sum.rejected += READ_ONCE(s->rejected);
		sum.denied += READ_ONCE(s->denied);
	}
	if (d->cr3)
		sum.cr3_loads += 2 * (sum.crossings + sum.imports);
	return sum;
}

/**
 * fi_times_begin - recovery of a domain begins
 * @d: the domain; its fault record is valid
 *
 * Time counts from the fault, so the first step includes the way here.
 */
void fi_times_begin(struct fi_domain *d)
{
	struct fi_times *t = &d->times;

	t->nr = 0;
	t->total_ns = 0;
	t->begin_ns = d->fault.time_ns;
	t->last_ns = t->begin_ns;
}

/**
 * fi_times_step - a step of recovery is done
 * @d: the domain
 * @name: of the step, a constant string
 */
void fi_times_step(struct fi_domain *d, const char *name)
{
	struct fi_times *t = &d->times;
	u64 now = ktime_get_mono_fast_ns();

	trace_driver_fi_step(d->policy.name, name, now - t->last_ns);
	if (t->nr < ARRAY_SIZE(t->step)) {
		t->step[t->nr].name = name;
		t->step[t->nr].ns = now - t->last_ns;
		t->nr++;
	}
	t->last_ns = now;
}

/**
 * fi_times_end - recovery of a domain is over
 * @d: the domain
 * @ok: the driver runs again
 */
void fi_times_end(struct fi_domain *d, bool ok)
{
	struct fi_times *t = &d->times;

	t->total_ns = ktime_get_mono_fast_ns() - t->begin_ns;
	trace_driver_fi_restart(d->policy.name, d->generation, ok, t->total_ns);
}
