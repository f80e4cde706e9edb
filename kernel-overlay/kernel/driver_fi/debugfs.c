// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/driver_fi/: provocation of faults.
 *
 *   inject    write "driver kind [function or slot]"; read: the kinds
 *   injected  has it happened?
 *   canaries  has it changed the kernel? Write anything to begin anew
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "inject.h"

#define SPEC_MAX	192

static int inject_show(struct seq_file *m, void *unused)
{
	fi_inject_show_kinds(m);
	return 0;
}

static ssize_t inject_write(struct file *file, const char __user *ubuf,
			    size_t count, loff_t *pos)
{
	char *spec;
	int err;

	if (count > SPEC_MAX)
		return -EINVAL;
	spec = memdup_user_nul(ubuf, count);
	if (IS_ERR(spec))
		return PTR_ERR(spec);
	err = fi_inject_arm(strim(spec));
	kfree(spec);
	return err ?: count;
}

static int inject_open(struct inode *inode, struct file *file)
{
	return single_open(file, inject_show, NULL);
}

static const struct file_operations inject_fops = {
	.owner = THIS_MODULE,
	.open = inject_open,
	.read = seq_read,
	.write = inject_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int injected_show(struct seq_file *m, void *unused)
{
	fi_inject_show_state(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(injected);

static int canaries_show(struct seq_file *m, void *unused)
{
	fi_canary_show(m);
	return 0;
}

static int canaries_open(struct inode *inode, struct file *file)
{
	return single_open(file, canaries_show, NULL);
}

static ssize_t canaries_write(struct file *file, const char __user *ubuf,
			      size_t count, loff_t *pos)
{
	int err = fi_canary_init();

	if (err)
		return err;
	fi_canary_reset();
	return count;
}

static const struct file_operations canaries_fops = {
	.owner = THIS_MODULE,
	.open = canaries_open,
	.read = seq_read,
	.write = canaries_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init fi_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("driver_fi", NULL);

	debugfs_create_file("inject", 0600, dir, NULL, &inject_fops);
	debugfs_create_file("injected", 0400, dir, NULL, &injected_fops);
	debugfs_create_file("canaries", 0600, dir, NULL, &canaries_fops);
	return 0;
}
late_initcall(fi_debugfs_init);
