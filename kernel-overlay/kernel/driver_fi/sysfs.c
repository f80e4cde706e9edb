// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/driver_fi/: what is configured, and a directory for each
 * isolated driver. Documentation/ABI/testing/sysfs-kernel-driver_fi describes
 * every file.
 */
#include <linux/driver_fi.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <asm/driver_fi.h>

#include "address.h"
#include "domain/translate.h"
#include "glue.h"

static struct kset *root;

static struct fi_domain *to_domain(struct kobject *kobj)
{
	return container_of(kobj, struct fi_domain, kobj);
}

/* --- of the whole ------------------------------------------------------ */

static ssize_t policy_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return fi_policy_print(buf, PAGE_SIZE);
}

/* One "name:mode,option,..." for each write, with or without newline. */
static ssize_t policy_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	char *one = kstrndup(buf, count, GFP_KERNEL);
	int err;

	if (!one)
		return -ENOMEM;
	err = fi_policy_set(strim(one));
	kfree(one);
	return err ?: count;
}

static struct kobj_attribute root_policy = __ATTR_RW(policy);

static ssize_t status_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%s\n", fi_enabled() ? "ready" : fi_disabled_reason());
}

static struct kobj_attribute root_status = __ATTR_RO(status);

static const struct attribute * const root_attrs[] = {
	&root_policy.attr,
	&root_status.attr,
	NULL
};

/* --- of a domain ------------------------------------------------------- */

static ssize_t domain_policy_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	ssize_t n = fi_policy_print_one(&to_domain(kobj)->policy, buf, PAGE_SIZE);

	return n + sysfs_emit_at(buf, n, "\n");
}

static struct kobj_attribute policy_attr = __ATTR(policy, 0444, domain_policy_show, NULL);

static ssize_t mode_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n", fi_mode_name(to_domain(kobj)->policy.mode));
}

static struct kobj_attribute mode_attr = __ATTR_RO(mode);

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  fi_state_name(READ_ONCE(to_domain(kobj)->state)));
}

static struct kobj_attribute state_attr = __ATTR_RO(state);

static ssize_t restarts_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_domain(kobj)->generation));
}

static struct kobj_attribute restarts_attr = __ATTR_RO(restarts);

static ssize_t last_fault_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	struct fi_domain *d = to_domain(kobj);
	char object[96];
	struct fi_fault f;
	int n;

	if (!fi_fault_last(d, &f))
		return sysfs_emit(buf, "none\n");
	n = sysfs_emit(buf, "kind %s\nlayer %s\ntime_ns %llu\ncpu %d\npid %d\ncomm %.*s\n",
		       fi_fault_name(f.kind), fi_fault_layer(&f), f.time_ns, f.cpu, f.pid,
		       (int)sizeof(f.comm), f.comm);
	if (f.ip)
		n += sysfs_emit_at(buf, n, "ip 0x%lx %pS\n", f.ip, (void *)f.ip);
	if (f.addr)
		n += sysfs_emit_at(buf, n, "addr 0x%lx %s\n", f.addr,
				   fi_address_region(d, &f, f.addr));
	if (fi_report_object(&f, object, sizeof(object)))
		n += sysfs_emit_at(buf, n, "object %s\n", object);
	if (f.hit.alloc_ip)
		n += sysfs_emit_at(buf, n, "alloc %pS\n", (void *)f.hit.alloc_ip);
	if (f.hit.free_ip)
		n += sysfs_emit_at(buf, n, "free %pS\n", (void *)f.hit.free_ip);
	if (f.entry)
		n += sysfs_emit_at(buf, n, "in %s %ps\n", f.entry, (void *)f.entry_fn);
	if (f.what)
		n += sysfs_emit_at(buf, n, "call %s %d\n", f.what, f.arg);
	if (f.why)
		n += sysfs_emit_at(buf, n, "why %s\n", f.why);
	return n;
}

static struct kobj_attribute last_fault_attr = __ATTR_RO(last_fault);

static ssize_t counters_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	struct fi_stats s = fi_stats_sum(to_domain(kobj));

	return sysfs_emit(buf,
			  "crossings %llu\nimports %llu\ncr3_loads %llu\nemulated %llu\nrepaired %llu\nasked %llu\nrejected %llu\ndenied %llu\n",
			  s.crossings, s.imports, s.cr3_loads, s.emulated,
			  s.repaired, s.asked, s.rejected, s.denied);
}

static struct kobj_attribute counters_attr = __ATTR_RO(counters);

static ssize_t objects_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return fi_objtab_print(to_domain(kobj), buf, PAGE_SIZE);
}

static struct kobj_attribute objects_attr = __ATTR_RO(objects);

static ssize_t memory_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	struct fi_domain *d = to_domain(kobj);
	unsigned long image = 0;

	for_each_mod_mem_type(type)
		image += d->mod->mem[type].size;
	return sysfs_emit(buf, "image %lu\npage_tables %lu\nmap %lu\ncode %zu\nstacks %zu\n",
			  image, arch_fi_pgtable_pages(d->pgt) * PAGE_SIZE,
			  fi_permmap_pages(d->perm) * PAGE_SIZE, fi_translate_bytes(d),
			  fi_stacks_bytes(d));
}

static struct kobj_attribute memory_attr = __ATTR_RO(memory);

static ssize_t last_restart_ms_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	u64 us = READ_ONCE(to_domain(kobj)->times.total_ns) / NSEC_PER_USEC;

	return sysfs_emit(buf, "%llu.%03llu\n", us / 1000, us % 1000);
}

static struct kobj_attribute last_restart_ms_attr = __ATTR_RO(last_restart_ms);

/* Microseconds of each step of the last restart, in their order. */
static ssize_t times_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	const struct fi_times *t = &to_domain(kobj)->times;
	u32 i, nr = min_t(u32, READ_ONCE(t->nr), FI_NR_STEPS);
	int n = 0;

	for (i = 0; i < nr; i++)
		n += sysfs_emit_at(buf, n, "%s %llu\n", t->step[i].name,
				   t->step[i].ns / NSEC_PER_USEC);
	return n;
}

static struct kobj_attribute times_attr = __ATTR_RO(times);

static ssize_t restart_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	bool yes;
	int err = kstrtobool(buf, &yes);

	if (!err && yes)
		err = fi_recovery_request(to_domain(kobj));
	return err ?: count;
}

static struct kobj_attribute restart_attr = __ATTR_WO(restart);

static struct attribute *domain_attrs[] = {
	&policy_attr.attr,
	&mode_attr.attr,
	&state_attr.attr,
	&restarts_attr.attr,
	&last_fault_attr.attr,
	&counters_attr.attr,
	&objects_attr.attr,
	&memory_attr.attr,
	&last_restart_ms_attr.attr,
	&times_attr.attr,
	&restart_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(domain);

/* The domain is freed by its owner, who waits for this. */
static void domain_release(struct kobject *kobj)
{
	complete(&to_domain(kobj)->kobj_gone);
}

static const struct kobj_type domain_type = {
	.release	= domain_release,
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= domain_groups,
};

/**
 * fi_sysfs_add - make the directory of a domain
 * @d: the domain
 *
 * Context: may sleep. Return: 0 or -errno; after success fi_sysfs_del() must
 * be called before @d is freed.
 */
int fi_sysfs_add(struct fi_domain *d)
{
	int err;

	init_completion(&d->kobj_gone);
	d->kobj.kset = root;
	err = kobject_init_and_add(&d->kobj, &domain_type, NULL, "%s", d->policy.name);
	if (err)
		kobject_put(&d->kobj);
	return err;
}

/**
 * fi_sysfs_del - the opposite of fi_sysfs_add()
 * @d: the domain
 *
 * Context: may sleep; waits until nobody reads or writes its files. Not from
 * one of them.
 */
void fi_sysfs_del(struct fi_domain *d)
{
	kobject_del(&d->kobj);
	kobject_put(&d->kobj);
	wait_for_completion(&d->kobj_gone);
}

/* Also in a kernel that is not armed: tells so. Return: 0 or -errno. */
int fi_sysfs_init(void)
{
	int err;

	root = kset_create_and_add("driver_fi", NULL, kernel_kobj);
	if (!root)
		return -ENOMEM;
	err = sysfs_create_files(&root->kobj, root_attrs);
	if (err) {
		kset_unregister(root);
		root = NULL;
	}
	return err;
}
