// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a driver may be restarted: at once, later, or not any more.
 */
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include "recovery.h"

/* More restarts in a window than this are not told apart. */
#define MAX_RING	4096

/**
 * fi_backoff_init - a driver that was never restarted
 * @b: state
 * @p: what the user allows
 *
 * Context: may sleep. Return: 0 or -ENOMEM
 */
int fi_backoff_init(struct fi_backoff *b, const struct fi_policy *p)
{
	*b = (struct fi_backoff){ };
	if (p->restart_always || !p->restart_max)
		return 0;
	b->size = min(p->restart_max, MAX_RING);
	b->ring = kvcalloc(b->size, sizeof(*b->ring), GFP_KERNEL);
	return b->ring ? 0 : -ENOMEM;
}

void fi_backoff_exit(struct fi_backoff *b)
{
	kvfree(b->ring);
	b->ring = NULL;
}

/* The oldest of the last restarts is replaced; false if it is too recent. */
static bool within_limit(struct fi_backoff *b, const struct fi_policy *p, u64 now_ns)
{
	u64 oldest;

	if (p->restart_always)
		return true;
	if (!b->ring)
		return false;
	oldest = b->ring[b->next];
	if (oldest && now_ns - oldest < p->restart_window * NSEC_PER_SEC)
		return false;
	b->ring[b->next] = now_ns;
	b->next = (b->next + 1) % b->size;
	return true;
}

static void decay(struct fi_backoff *b, u64 now_ns)
{
	u64 lived = b->live_ns && now_ns > b->live_ns ? now_ns - b->live_ns : 0;

	lived = div_u64(lived, NSEC_PER_SEC);
	b->streak = lived < 32 ? b->streak >> lived : 0;
	b->live_ns = 0;
}

/**
 * fi_backoff_next - the driver has failed: when may it be restarted?
 * @b: state
 * @p: what the user allows
 * @now_ns: monotonic time
 *
 * Return: milliseconds to wait, or -EPERM: the limit is reached
 */
int fi_backoff_next(struct fi_backoff *b, const struct fi_policy *p, u64 now_ns)
{
	u32 shift;

	if (!within_limit(b, p, now_ns))
		return -EPERM;
	decay(b, now_ns);
	if (!b->streak++)
		return 0;
	shift = min(b->streak - 2, 16U);
	return min_t(u64, (u64)p->backoff_ms << shift, FI_BACKOFF_MAX_MS);
}

/* The driver is live again. */
void fi_backoff_live(struct fi_backoff *b, u64 now_ns)
{
	b->live_ns = now_ns;
}
