// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O ports that a driver may use: those of the regions that it claimed. Only
 * translated code can be held to it.
 */
#include <linux/driver_fi.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "domain.h"

/**
 * fi_port_grant - a driver claimed I/O ports
 * @d: its domain
 * @first: first port
 * @nr: how many
 *
 * Context: may sleep, callers serialized. Return: 0 or -ENOSPC
 */
int fi_port_grant(struct fi_domain *d, u32 first, u32 nr)
{
	if (d->nr_ports == ARRAY_SIZE(d->ports))
		return -ENOSPC;
	d->ports[d->nr_ports] = (struct fi_port_range){ first, nr };
	/* Pairs with fi_port_allowed(): the range is there. */
	smp_store_release(&d->nr_ports, d->nr_ports + 1);
	return 0;
}
EXPORT_SYMBOL_GPL(fi_port_grant);

/* The opposite, for a range that was granted as a whole. */
void fi_port_revoke(struct fi_domain *d, u32 first, u32 nr)
{
	unsigned int i;

	for (i = 0; i < d->nr_ports; i++) {
		if (d->ports[i].first != first || d->ports[i].nr != nr)
			continue;
		d->ports[i] = d->ports[d->nr_ports - 1];
		WRITE_ONCE(d->nr_ports, d->nr_ports - 1);
		return;
	}
}
EXPORT_SYMBOL_GPL(fi_port_revoke);

/* May @d access @size bytes from @port on? Any context. */
bool fi_port_allowed(struct fi_domain *d, u32 port, u32 size)
{
	/* Pairs with the release in fi_port_grant(). */
	unsigned int i, nr = smp_load_acquire(&d->nr_ports);

	for (i = 0; i < nr; i++) {
		if (port >= d->ports[i].first && port - d->ports[i].first < d->ports[i].nr &&
		    size <= d->ports[i].nr - (port - d->ports[i].first))
			return true;
	}
	return false;
}
