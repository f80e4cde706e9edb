// SPDX-License-Identifier: GPL-2.0-only
/*
 * Init order of driver fault isolation.
 */
#include <linux/driver_fi.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/printk.h>

#include <asm/driver_fi.h>

#include "domain/translate.h"
#include "glue.h"
#include "wrap/bind.h"

static const char *fi_why_disabled = "boot with driver_fi= to arm isolation";

/* On when all steps below are done; never off again. */
DEFINE_STATIC_KEY_FALSE(fi_enabled_key);
EXPORT_SYMBOL_GPL(fi_enabled_key);

const char *fi_disabled_reason(void)
{
	return fi_why_disabled;
}

/* Lower layers first. What a step set up stays for ever. */
static const struct {
	const char *name;
	int (*init)(void);
} fi_steps[] = {
	{ "page tables and gates",	arch_fi_init },
	{ "object table",		fi_objtab_init },
	{ "wrappers",			fi_builtin_wrappers_init },
	{ "recovery",			fi_recovery_init },
};

static int __init fi_init(void)
{
	int i, err;

	err = fi_sysfs_init();
	if (err || !fi_policy_armed())
		return err;
	fi_why_disabled = arch_fi_unsupported();
	if (fi_why_disabled) {
		pr_err("driver_fi: off, drivers named in driver_fi= are refused: %s\n",
		       fi_why_disabled);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(fi_steps); i++) {
		err = fi_steps[i].init();
		if (err) {
			fi_why_disabled = fi_steps[i].name;
			pr_err("driver_fi: off, drivers named in driver_fi= are refused: cannot set up %s (%d)\n",
			       fi_steps[i].name, err);
			return 0;
		}
	}
	fi_fault_set_text(fi_text_pristine, fi_translate_orig);
	fi_fault_set_object(fi_objtab_object);
	static_branch_enable(&fi_enabled_key);
	pr_info("driver_fi: ready\n");
	return 0;
}
subsys_initcall(fi_init);
