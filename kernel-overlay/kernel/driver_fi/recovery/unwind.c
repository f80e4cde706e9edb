// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting every thread out of a domain that has died.
 *
 * Nobody enters any more. Who runs in the domain leaves at its next return to
 * it: from an import, or from an interrupt, which is what kicking is for. Who
 * sleeps in an import leaves when that is over.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "../rm/shadow.h"
#include "recovery.h"

#define POLL_US		100
#define KICK_EVERY	10	/* polls */

/**
 * fi_unwind - wait until nobody is inside
 * @d: domain, dead
 * @timeout_ms: how long to try
 *
 * Context: may sleep, no lock that a driver could wait for is held.
 * Return: 0, or -EBUSY if somebody is still inside
 */
int fi_unwind(struct fi_domain *d, unsigned int timeout_ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);
	unsigned int n;

	for (n = 0; ; n++) {
		/* At least once: who missed the death counts by then. */
		if (!(n % KICK_EVERY))
			fi_domain_kick(d);
		if (!fi_domain_active(d)) {
			/* Before anybody looks at what it left half configured. */
			fi_shadow_discard_all(d);
			return 0;
		}
		if (time_after(jiffies, end))
			return -EBUSY;
		usleep_range(POLL_US, 2 * POLL_US);
	}
}
