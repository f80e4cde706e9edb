// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's end of the slow paths: who answers them. The engine knows no domain,
 * so who runs it without a domain (KUnit) registers its handlers here.
 */
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/kernel.h>

#include "slow.h"

u64 fi_dbi_map_disp __read_mostly;

static const struct fi_dbi_handlers *handlers __read_mostly;

/**
 * fi_dbi_set_handlers - say who answers the slow paths
 * @h: stays as long as translated code may run
 *
 * Return: who did until now, for KUnit, which gives back what it replaced.
 */
const struct fi_dbi_handlers *fi_dbi_set_handlers(const struct fi_dbi_handlers *h)
{
	return xchg(&handlers, h);
}

/* Translated code runs only once there are handlers. */
void fi_dbi_on_store(struct fi_dbi_slow *s)
{
	READ_ONCE(handlers)->store(s);
}

void fi_dbi_on_range(struct fi_dbi_slow *s)
{
	READ_ONCE(handlers)->range(s);
}

void fi_dbi_on_icall(struct fi_dbi_slow *s)
{
	READ_ONCE(handlers)->icall(s);
}

void fi_dbi_on_ret(struct fi_dbi_slow *s)
{
	READ_ONCE(handlers)->ret(s);
}

void fi_dbi_on_trap(struct fi_dbi_slow *s)
{
	READ_ONCE(handlers)->trap(s);
}

void fi_dbi_on_port(struct fi_dbi_slow *s)
{
	READ_ONCE(handlers)->port(s);
}
