// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boot parameter driver_fi=.
 */
#include <linux/init.h>

#include "fi.h"

static int __init driver_fi_param(char *arg)
{
	fi_policy_parse(arg ?: "");
	return 0;
}
early_param("driver_fi", driver_fi_param);
