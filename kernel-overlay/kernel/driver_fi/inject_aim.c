// SPDX-License-Identifier: GPL-2.0-only
/*
 * What provoked faults aim at in a driver's own memory.
 */
#include <linux/driver_fi.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>

#include <asm/driver_fi_inject.h>

#include "fi.h"
#include "inject.h"

/* What fi_aim_work() or fi_aim_timer() has found. */
static const struct work_struct *aimed;

static bool take_any(const void *p, void *arg)
{
	*(const void **)arg = p;
	return true;
}

static bool take_delayed(const void *p, void *arg)
{
	const struct delayed_work *dw = p;

	return READ_ONCE(dw->timer.function) == delayed_work_timer_fn &&
	       delayed_work_pending(dw) && take_any(p, arg);
}

static const struct delayed_work *find_delayed(struct fi_domain *d)
{
	const void *p = NULL;

	fi_obj_any(d, fi_type_get("work", 0, NULL, 0), take_delayed, &p);
	aimed = p;
	return p;
}

/* Its own state says so, which it sees inline. */
bool fi_aim_pending(void)
{
	return work_pending(aimed);
}

/* The function of a work item that is pending. */
unsigned long fi_aim_work(struct fi_domain *d)
{
	const struct delayed_work *dw = find_delayed(d);

	return dw ? (unsigned long)&dw->work.func : 0;
}

/* And of its timer. */
unsigned long fi_aim_timer(struct fi_domain *d)
{
	const struct delayed_work *dw = find_delayed(d);

	return dw ? (unsigned long)&dw->timer.function : 0;
}

static const struct napi_struct *find_napi(struct fi_domain *d)
{
	const struct napi_struct *napi = NULL;

	fi_obj_any(d, fi_type_get("napi_struct", sizeof(*napi), NULL, 0), take_any, &napi);
	return napi;
}

/* The poll function of a NAPI instance that was added. */
unsigned long fi_aim_napi(struct fi_domain *d)
{
	const struct napi_struct *napi = find_napi(d);

	return napi ? (unsigned long)&napi->poll : 0;
}

/* And its list head, by which the kernel knows the instances of a device. */
unsigned long fi_aim_list(struct fi_domain *d)
{
	const struct napi_struct *napi = find_napi(d);

	return napi ? (unsigned long)&napi->dev_list : 0;
}

/* Of which type it is while it is being changed, see rm/shadow.c. */
static const struct net_device *find_netdev(struct fi_domain *d)
{
	const struct net_device *dev = NULL;

	if (!fi_obj_any(d, fi_type_get("net_device", sizeof(*dev), NULL, 0), take_any, &dev))
		fi_obj_any(d, fi_type_get("net_device being changed", 0, NULL, 0), take_any,
			   &dev);
	return dev;
}

/* A field of a kernel object that drivers configure. */
unsigned long fi_aim_mtu(struct fi_domain *d)
{
	const struct net_device *dev = find_netdev(d);

	return dev ? (unsigned long)&dev->mtu : 0;
}

/* Another, by which the kernel goes to an object. */
unsigned long fi_aim_parent(struct fi_domain *d)
{
	const struct net_device *dev = find_netdev(d);

	return dev ? (unsigned long)&dev->dev.parent : 0;
}

/* A field of the same object that is not theirs, far from those that are. */
unsigned long fi_aim_protected(struct fi_domain *d)
{
	const struct net_device *dev = find_netdev(d);

	fi_evil.second = dev ? (unsigned long)&dev->mtu : 0;
	return dev ? (unsigned long)&dev->gso_max_size : 0;
}

#ifdef CONFIG_KALLSYMS
/* Does a symbol of the module cover @addr, or begin there? */
static bool has_name(const struct mod_kallsyms *k, unsigned long addr)
{
	unsigned int i;

	for (i = 1; i < k->num_symtab; i++) {
		const Elf_Sym *sym = &k->symtab[i];

		if (addr == sym->st_value || addr - sym->st_value < sym->st_size)
			return true;
	}
	return false;
}

/* The byte behind a variable that has a neighbour, but not right behind it. */
unsigned long fi_aim_global(struct fi_domain *d)
{
	const struct module_memory *m = &d->mod->mem[MOD_DATA];
	const struct mod_kallsyms *k;
	unsigned int i;

	guard(rcu)();
	k = rcu_dereference(d->mod->kallsyms);
	for (i = 1; i < k->num_symtab; i++) {
		const Elf_Sym *sym = &k->symtab[i];
		unsigned long end = sym->st_value + sym->st_size;

		if (ELF_ST_TYPE(sym->st_info) == STT_OBJECT && sym->st_size &&
		    sym->st_value >= (unsigned long)m->base &&
		    end + 4 < (unsigned long)m->base + m->size &&
		    !has_name(k, end) && has_name(k, ALIGN(end + 1, 32)))
			return end;
	}
	return 0;
}
#else
unsigned long fi_aim_global(struct fi_domain *d)
{
	return 0;
}
#endif
