/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of policy.c, for its KUnit suite.
 */
#ifndef _DRIVER_FI_POLICY_H
#define _DRIVER_FI_POLICY_H

#include "fi.h"

#define FI_POLICY_ERR	96

/**
 * struct fi_policy_table - what is configured, one entry per driver
 * @nr: entries used
 * @entry: no order; a name stands in it once
 */
struct fi_policy_table {
	unsigned int nr;
	struct fi_policy entry[FI_MAX_DOMAINS];
};

int fi_policy_parse_one(const char *s, size_t len, struct fi_policy *p,
			char *err);
int fi_policy_table_parse(struct fi_policy_table *t, const char *arg);
const struct fi_policy *fi_policy_table_find(const struct fi_policy_table *t,
					     const char *name);

#endif
