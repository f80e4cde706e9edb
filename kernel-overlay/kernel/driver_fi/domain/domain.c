// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: their life, and the snapshot of module data that restarts use.
 */
#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/driver_fi.h>
#include <linux/execmem.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/set_memory.h>
#include <linux/slab.h>

#include <asm/driver_fi.h>

#include "domain.h"
#include "translate.h"

LIST_HEAD(fi_domains);
/* Protects fi_domains and fi_ids; taken before any domain's own lock. */
DEFINE_MUTEX(fi_domains_lock);

/* Protected by fi_domains_lock. */
static DECLARE_BITMAP(fi_ids, FI_MAX_DOMAINS);
/* Whose permission map stands in the kernel's page table: the one of mode dbi. */
static struct fi_domain *fi_kmap_user;

/* Domains by id, for contexts that cannot take the lock; RCU. */
static struct fi_domain __rcu *fi_by_id[FI_MAX_DOMAINS];

/**
 * struct fi_text - the module's memory as the domain sees it
 * @view: core and init text, in this order; NULL if absent
 * @init: init sections kept from the module loader
 * @snap: copies of the data types, from before init
 * @excluded: parts of data that are not restored
 */
struct fi_text {
	struct fi_view *view[2];
	void *init[3];
	void *snap[MOD_MEM_NUM_TYPES];
	struct { void *p; size_t len; } excluded[8];
	unsigned int nr_excluded;
	struct module_memory mem[MOD_MEM_NUM_TYPES];
};

static bool fi_type_writable(enum mod_mem_type type)
{
	return type == MOD_DATA || type == MOD_RO_AFTER_INIT || type == MOD_INIT_DATA;
}

bool fi_domain_data_page(struct fi_domain *d, unsigned long va)
{
	struct fi_text *t = d->text;
	enum mod_mem_type type;

	if (va < MODULES_VADDR || va >= MODULES_END)
		return false;
	for (type = 0; t && type < MOD_MEM_NUM_TYPES; type++) {
		if (fi_type_writable(type) && va >= (unsigned long)t->mem[type].base &&
		    va < (unsigned long)t->mem[type].base + t->mem[type].size)
			return true;
	}
	return false;
}

const void *fi_text_pristine(struct fi_domain *d, unsigned long ip, size_t *avail)
{
	struct fi_text *t = d->text;
	const void *p = NULL;
	int i;

	for (i = 0; t && i < 2 && !p; i++) {
		if (t->view[i])
			p = arch_fi_view_text(t->view[i], ip, avail);
	}
	if (!p)
		p = fi_translate_text(d, ip, avail);
	if (!p && ip >= (unsigned long)__fi_text_start && ip < (unsigned long)__fi_text_end) {
		*avail = (unsigned long)__fi_text_end - ip;
		p = (const void *)ip;
	}
	return p;
}
EXPORT_SYMBOL_IF_KUNIT(fi_text_pristine);

size_t fi_text_read(struct fi_domain *d, unsigned long addr, void *buf, size_t len)
{
	size_t avail;
	const void *p = fi_text_pristine(d, addr, &avail);

	len = min(len, avail);
	if (p)
		memcpy(buf, p, len);
	return len;
}

void *fi_text_gates(struct fi_domain *d, unsigned long addr)
{
	struct fi_text *t = d->text;
	void *p = NULL;
	int i;

	for (i = 0; i < 2 && !p; i++) {
		if (t->view[i])
			p = arch_fi_view_gates(t->view[i], addr);
	}
	return p;
}

/**
 * fi_domain_of_text - whose driver text is this?
 * @addr: any value
 *
 * Context: any, under RCU or while the caller knows the domain stays.
 */
struct fi_domain *fi_domain_of_text(unsigned long addr)
{
	struct fi_domain *d, *found = NULL;
	size_t avail;
	int i;

	rcu_read_lock();
	for (i = 0; i < FI_MAX_DOMAINS && !found; i++) {
		d = rcu_dereference(fi_by_id[i]);
		if (d && d->text && (addr < (unsigned long)__fi_text_start ||
				     addr >= (unsigned long)__fi_text_end) &&
		    fi_text_pristine(d, addr, &avail))
			found = d;
	}
	rcu_read_unlock();
	return found;
}

struct fi_domain *fi_domain_find(const char *name)
{
	struct fi_domain *d;

	lockdep_assert_held(&fi_domains_lock);
	list_for_each_entry(d, &fi_domains, node) {
		if (!strcmp(d->policy.name, name))
			return d;
	}
	return NULL;
}

/* The kernel unmapped this range; called from its TLB flush. Any context. */
void __fi_flush_kernel_range(unsigned long start, unsigned long end)
{
	struct fi_domain *d;
	int i;

	if (end <= MODULES_VADDR || start >= MODULES_END)
		return;
	rcu_read_lock();
	for (i = 0; i < FI_MAX_DOMAINS; i++) {
		d = rcu_dereference(fi_by_id[i]);
		if (d)
			arch_fi_zap_modules(d->pgt, start, end);
	}
	rcu_read_unlock();
}

/* Said if not. */
static bool fi_mode_possible(const struct fi_policy *p)
{
	const char *why = NULL;

	if (p->mode == FI_MODE_FULL && !arch_fi_layout_default())
		why = FI_LAYOUT_MOVED;
	else if (p->mode == FI_MODE_DBI)
		why = arch_fi_dbi_unsupported();
	if (why)
		pr_err("driver_fi: %s: refused: no mode %s: %s\n", p->name,
		       fi_mode_name(p->mode), why);
	return !why;
}

/* Gives it a number, and the kernel's map if it needs that. Return: 0 or -errno, said */
static int fi_domain_number(struct fi_domain *d)
{
	guard(mutex)(&fi_domains_lock);
	if (fi_on_kernel_pgt(d) && fi_kmap_user) {
		pr_err("driver_fi: %s: refused: %s is isolated in mode dbi, which one driver at a time can be; use mode full\n",
		       d->policy.name, fi_kmap_user->policy.name);
		return -EBUSY;
	}
	d->id = find_first_zero_bit(fi_ids, FI_MAX_DOMAINS);
	if (d->id == FI_MAX_DOMAINS) {
		pr_err("driver_fi: %s: all %d domains are in use\n", d->policy.name,
		       FI_MAX_DOMAINS);
		return -ENOSPC;
	}
	__set_bit(d->id, fi_ids);
	if (fi_on_kernel_pgt(d))
		fi_kmap_user = d;
	return 0;
}

/**
 * fi_domain_create - a domain for a module that is being loaded
 * @mod: the module, laid out but not relocated
 * @p: what the user asked for
 *
 * Context: may sleep. Return: domain in state LOADING, or ERR_PTR
 */
struct fi_domain *fi_domain_create(struct module *mod, const struct fi_policy *p)
{
	struct fi_domain *d;
	int err = -ENOMEM;

	if (!fi_mode_possible(p))
		return ERR_PTR(-EOPNOTSUPP);
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return ERR_PTR(-ENOMEM);
	d->policy = *p;
	d->mod = mod;
	d->state = FI_LOADING;
	mutex_init(&d->lock);
	seqcount_init(&d->fault_seq);
	spin_lock_init(&d->handed_lock);
	INIT_LIST_HEAD(&d->handed);
	INIT_LIST_HEAD(&d->node);

	err = fi_domain_number(d);
	if (err) {
		kfree(d);
		return ERR_PTR(err);
	}
	err = -ENOMEM;

	if (!fi_on_kernel_pgt(d))
		d->pgt = arch_fi_pgtable_create(d->id);
	d->cpu = alloc_percpu(struct fi_cpu);
	d->perm = fi_permmap_create(d->pgt, fi_translated(d));
	d->origins = fi_origins_create();
	d->text = kzalloc(sizeof(*d->text), GFP_KERNEL);
	if ((!d->pgt && !fi_on_kernel_pgt(d)) || !d->cpu || !d->perm || !d->text)
		goto fail;
	d->cr3 = arch_fi_pgtable_cr3(d->pgt);
	d->objs = fi_objtab_create(d);
	if (!d->objs)
		goto fail;
	err = fi_heap_create(d) ?: fi_stacks_create(d);
	if (err)
		goto fail;
	mutex_lock(&fi_domains_lock);
	list_add_tail(&d->node, &fi_domains);
	rcu_assign_pointer(fi_by_id[d->id], d);
	mutex_unlock(&fi_domains_lock);
	return d;
fail:
	fi_domain_destroy(d);
	return ERR_PTR(err);
}

static void fi_text_free(struct fi_text *t)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (t->view[i])
			arch_fi_view_destroy(t->view[i]);
	}
	for (i = 0; i < MOD_MEM_NUM_TYPES; i++)
		kvfree(t->snap[i]);
	for (i = 0; i < 3; i++) {
		if (t->init[i])
			execmem_free(t->init[i]);
	}
	kfree(t);
}

/**
 * fi_domain_destroy - the opposite of fi_domain_create(); may be half made
 * @d: domain; nobody is inside and nobody can enter
 *
 * Context: may sleep
 */
void fi_domain_destroy(struct fi_domain *d)
{
	mutex_lock(&fi_domains_lock);
	list_del(&d->node);
	rcu_assign_pointer(fi_by_id[d->id], NULL);
	mutex_unlock(&fi_domains_lock);
	/* Trap handlers, TLB flushes and watchdogs look domains up under RCU. */
	synchronize_rcu();
	fi_fault_sync(d);
	fi_emulate_domain_gone();

	if (d->objs)
		fi_objtab_destroy(d->objs);
	fi_stacks_destroy(d);
	fi_heap_destroy(d);
	if (d->text)
		fi_text_free(d->text);
	fi_translate_free(d);
	if (d->perm)
		fi_permmap_destroy(d->perm);
	fi_origins_destroy(d->origins);
	if (d->pgt)
		arch_fi_pgtable_destroy(d->pgt);
	free_percpu(d->cpu);
	mutex_lock(&fi_domains_lock);
	__clear_bit(d->id, fi_ids);
	if (fi_kmap_user == d)
		fi_kmap_user = NULL;
	mutex_unlock(&fi_domains_lock);
	kfree(d);
}

/* All bytes of a section but those of struct module. */
static int fi_grant_data(struct fi_domain *d, const struct module_memory *m)
{
	void *mod = d->mod;
	int err = fi_mem_grant(d, m->base, m->size);

	if (!err && mod >= m->base && mod < m->base + m->size)
		fi_permmap_clear(d->perm, (unsigned long)mod, sizeof(struct module));
	return err;
}

static int fi_map_data(struct fi_domain *d, const struct module_memory *m)
{
	unsigned long va = (unsigned long)m->base;
	unsigned long mod = (unsigned long)d->mod;
	unsigned int i;
	int err;

	for (i = 0; i < m->size >> PAGE_SHIFT; i++, va += PAGE_SIZE) {
		bool shared = va < mod + sizeof(struct module) && va + PAGE_SIZE > mod;

		err = arch_fi_map(d->pgt, va, 1, shared ? 0 : FI_PROT_W);
		if (err)
			return err;
	}
	return fi_translated(d) ? fi_grant_data(d, m) : 0;
}

int fi_domain_map_module(struct fi_domain *d)
{
	static const enum mod_mem_type text[] = { MOD_TEXT, MOD_INIT_TEXT };
	struct fi_text *t = d->text;
	enum mod_mem_type type;
	int i, err;

	memcpy(t->mem, d->mod->mem, sizeof(t->mem));
	for (type = 0; type < MOD_MEM_NUM_TYPES; type++) {
		if (!fi_type_writable(type) || !t->mem[type].size)
			continue;
		err = fi_map_data(d, &t->mem[type]);
		if (err)
			return err;
	}
	for (i = 0; i < 2; i++) {
		struct module_memory *m = &t->mem[text[i]];

		if (!m->size)
			continue;
		t->view[i] = arch_fi_view_create(m->base, m->size);
		if (!t->view[i])
			return -ENOMEM;
		/* Translated text is executed nowhere. */
		err = fi_translated(d) ? 0 : arch_fi_view_map(t->view[i], d->pgt);
		if (err)
			return err;
	}
	return 0;
}

/* The kernel sees gates from here on. */
void fi_domain_switch_text(struct fi_domain *d)
{
	struct fi_text *t = d->text;
	int i;

	for (i = 0; i < 2; i++) {
		if (t->view[i])
			arch_fi_view_switch(t->view[i]);
	}
}

void fi_domain_keep_init(struct fi_domain *d, void *text, void *data, void *rodata)
{
	struct fi_text *t = d->text;

	t->init[0] = text;
	t->init[1] = data;
	t->init[2] = rodata;
}

int fi_snapshot_exclude(struct fi_domain *d, void *p, size_t len)
{
	struct fi_text *t = d->text;
	unsigned int i;

	for (i = 0; i < t->nr_excluded; i++) {
		if (t->excluded[i].p == p)
			return 0;
	}
	if (t->nr_excluded == ARRAY_SIZE(t->excluded))
		return -ENOSPC;
	t->excluded[t->nr_excluded].p = p;
	t->excluded[t->nr_excluded++].len = len;
	return 0;
}
EXPORT_SYMBOL_GPL(fi_snapshot_exclude);

/**
 * fi_domain_snapshot_take - copy the module's writable data
 * @d: domain, about to run init for the first time
 *
 * Context: may sleep. Without memory a type has no copy and the domain cannot
 * be restarted: fi_domain_snapshot_restore() says so.
 */
void fi_domain_snapshot_take(struct fi_domain *d)
{
	struct fi_text *t = d->text;
	enum mod_mem_type type;

	for (type = 0; type < MOD_MEM_NUM_TYPES; type++) {
		struct module_memory *m = &t->mem[type];

		if (fi_type_writable(type) && m->size && !t->snap[type])
			t->snap[type] = kvmemdup(m->base, m->size, GFP_KERNEL);
	}
}

static bool fi_excluded(struct fi_domain *d, unsigned long va)
{
	struct fi_text *t = d->text;
	unsigned int i;

	if (va - (unsigned long)d->mod < sizeof(struct module))
		return true;
	for (i = 0; i < t->nr_excluded; i++) {
		if (va - (unsigned long)t->excluded[i].p < t->excluded[i].len)
			return true;
	}
	return false;
}

/**
 * fi_domain_snapshot_restore - the data as it was before init
 * @d: domain, nobody inside
 *
 * struct module and excluded objects keep their contents. Return: 0, or
 * -ENODATA if there is no snapshot
 */
int fi_domain_snapshot_restore(struct fi_domain *d)
{
	struct fi_text *t = d->text;
	enum mod_mem_type type;
	size_t i;

	for (type = 0; type < MOD_MEM_NUM_TYPES; type++) {
		struct module_memory *m = &t->mem[type];
		u8 *to = m->base, *from = t->snap[type];

		if (!fi_type_writable(type) || !m->size)
			continue;
		if (!from)
			return -ENODATA;
		/* The module loader made it read-only when init was done. */
		if (type == MOD_RO_AFTER_INIT)
			set_memory_rw((unsigned long)to, m->size >> PAGE_SHIFT);
		for (i = 0; i < m->size; i++) {
			if (to[i] != from[i] && !fi_excluded(d, (unsigned long)to + i))
				to[i] = from[i];
		}
	}
	return 0;
}
