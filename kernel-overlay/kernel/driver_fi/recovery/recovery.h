/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of recovery/.
 */
#ifndef _DRIVER_FI_RECOVERY_H
#define _DRIVER_FI_RECOVERY_H

#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../fi.h"

/**
 * struct fi_backoff - how often, and how soon, a driver may be restarted
 * @streak: restarts in a row; sets the delay. Halves with each second that the
 *	driver lives.
 * @live_ns: when the driver became live last
 * @ring: times of the last restarts, as many as the policy allows in its
 *	window; NULL: no limit
 * @size: of @ring
 * @next: entry of @ring that is the oldest
 */
struct fi_backoff {
	u32 streak;
	u64 live_ns;
	u64 *ring;
	u32 size;
	u32 next;
};

int fi_backoff_init(struct fi_backoff *b, const struct fi_policy *p);
void fi_backoff_exit(struct fi_backoff *b);
int fi_backoff_next(struct fi_backoff *b, const struct fi_policy *p, u64 now_ns);
void fi_backoff_live(struct fi_backoff *b, u64 now_ns);

#define FI_BACKOFF_MAX_MS	10000

/**
 * struct fi_recovery - what recovery keeps of a domain
 * @work: one pass through the steps; runs once at a time
 * @wait: for @going
 * @going: the module goes away: no restart any more
 * @stuck: somebody could not be got out of the domain; nothing was released
 * @ended: all was released for good
 */
struct fi_recovery {
	struct fi_domain *dom;
	struct work_struct work;
	wait_queue_head_t wait;
	struct fi_backoff backoff;
	bool going;
	bool stuck;
	bool ended;
};

/* unwind.c: gets everybody out. -EBUSY: not within @timeout_ms. */
int fi_unwind(struct fi_domain *d, unsigned int timeout_ms);

/* detect.c: the watchdog runs while somebody wants it. */
int fi_detect_init(void);
void fi_detect_get(void);
void fi_detect_put(void);

int fi_replay_pci_init(void);
int fi_replay_net_init(void);

#endif
