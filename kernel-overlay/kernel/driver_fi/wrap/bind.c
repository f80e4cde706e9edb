// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binding: imports of a driver to wrappers, functions of a driver to slots.
 */
#include <linux/driver_fi.h>
#include <linux/execmem.h>
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/kmod.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include <asm/driver_fi.h>

#include "../domain/translate.h"
#include "../fi.h"
#include "bind.h"

static DEFINE_IDA(fi_entry_ids);

/* Protects fi_wrappers, and the indices handed out in fi_import_ptr. */
static DEFINE_MUTEX(fi_wrappers_lock);
static LIST_HEAD(fi_wrappers);
static u32 fi_nr_imports;

/**
 * struct fi_bound - a function start of the driver
 * @e: what the gate uses
 * @name: symbol; several may share an address, the first is kept
 * @dynamic: bound by a registering wrapper, not by a table
 */
struct fi_bound {
	struct fi_entry e;
	char *name;
	bool dynamic;
};

/**
 * struct fi_stub - an import of the driver
 * @imp: its wrapper
 * @stub: what calls in the driver's text lead to, 0: the kernel's symbol
 */
struct fi_stub {
	const struct fi_import *imp;
	unsigned long stub;
	struct module *owner;
};

/**
 * struct fi_binds - all bindings of a domain
 * @entries: fi_bound by address / FI_STUB_SIZE
 * @stubs: by index in the symbol table; entries without import are empty
 * @code: stubs' code, mapped executable in the domain only
 */
struct fi_binds {
	struct xarray entries;
	struct fi_stub *stubs;
	unsigned int nr_syms, nr_code;
	void *code;
};

static const struct fi_import *fi_import_find(const char *name, struct module **owner)
{
	const struct fi_import *i;
	struct fi_wrappers *w;

	list_for_each_entry(w, &fi_wrappers, node) {
		for (i = w->imports; i && i->name; i++) {
			if (!strcmp(i->name, name)) {
				*owner = w->owner;
				return i;
			}
		}
	}
	return NULL;
}

static const struct fi_driver_desc *fi_desc_find(const char *name)
{
	const struct fi_driver_desc *i;
	struct fi_wrappers *w;

	list_for_each_entry(w, &fi_wrappers, node) {
		for (i = w->drivers; i && i->name; i++) {
			if (!strcmp(i->name, name))
				return i;
		}
	}
	return NULL;
}

/**
 * fi_wrappers_register - offer wrappers to drivers that are loaded from now on
 * @w: description; stays in place until fi_wrappers_unregister()
 *
 * Context: may sleep. Return: 0
 */
int fi_wrappers_register(struct fi_wrappers *w)
{
	mutex_lock(&fi_wrappers_lock);
	list_add_tail(&w->node, &fi_wrappers);
	mutex_unlock(&fi_wrappers_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(fi_wrappers_register);

/* Drivers that use @w hold a reference to its module, so none does. */
void fi_wrappers_unregister(struct fi_wrappers *w)
{
	const struct fi_import *i;
	u32 n;

	mutex_lock(&fi_wrappers_lock);
	list_del(&w->node);
	for (i = w->imports; i && i->name; i++) {
		for (n = 0; n < fi_nr_imports; n++) {
			if (fi_import_ptr[n] == i)
				fi_import_ptr[n] = NULL;
		}
	}
	mutex_unlock(&fi_wrappers_lock);
}
EXPORT_SYMBOL_GPL(fi_wrappers_unregister);

/* The index of @imp for its stubs, or -ENOSPC. */
static int fi_import_index(const struct fi_import *imp)
{
	u32 n, free = FI_MAX_IMPORTS;

	for (n = 0; n < fi_nr_imports; n++) {
		if (fi_import_ptr[n] == imp)
			return n;
		if (!fi_import_ptr[n])
			free = n;
	}
	if (free == FI_MAX_IMPORTS)
		free = fi_nr_imports;
	if (free == FI_MAX_IMPORTS)
		return -ENOSPC;
	fi_import_ptr[free] = imp;
	fi_nr_imports = max(fi_nr_imports, free + 1);
	return free;
}

static unsigned long fi_entry_unbound(struct fi_entry *e, unsigned long *a)
{
	struct fi_fault fault = {
		.kind = FI_FAULT_UNBOUND,
		.ip = e->addr,
		.arg = -1,
		.why = "the kernel called a function that is bound to no slot",
	};

	fi_fault_raise(e->dom, &fault);
	return (unsigned long)-EIO;
}

static void fi_entry_set(struct fi_bound *b, const struct fi_slot *slot, bool dynamic)
{
	b->dynamic = dynamic;
	b->e.slot = slot;
	/* The gate reads fn; the wrapper it finds reads slot. */
	smp_store_release(&b->e.fn, slot ? slot->fn : fi_entry_unbound);
}

static struct fi_bound *fi_bound_at(struct fi_domain *d, unsigned long addr)
{
	struct fi_bound *b;

	if (!d->binds)
		return NULL;
	b = xa_load(&d->binds->entries, addr / FI_STUB_SIZE);
	return b && b->e.addr == addr ? b : NULL;
}

struct fi_entry *fi_entry_by_addr(struct fi_domain *d, unsigned long addr)
{
	struct fi_bound *b = fi_bound_at(d, addr);

	return b ? &b->e : NULL;
}
EXPORT_SYMBOL_GPL(fi_entry_by_addr);

struct fi_entry *fi_entry_by_name(struct fi_domain *d, const char *func)
{
	struct fi_bound *b;
	unsigned long i;

	if (!d->binds)
		return NULL;
	xa_for_each(&d->binds->entries, i, b) {
		if (!strcmp(b->name, func))
			return &b->e;
	}
	return NULL;
}

bool fi_bind_fn(struct fi_call *c, int arg, unsigned long fn, const struct fi_slot *slot)
{
	struct fi_bound *b = fi_bound_at(c->dom, fn);

	if (!b) {
		fi_reject(c, arg, "not the start of a function of this driver");
		return false;
	}
	if (b->e.slot && b->e.slot != slot) {
		fi_reject(c, arg, "the function is bound to another slot");
		return false;
	}
	fi_entry_set(b, slot, !b->e.slot || b->dynamic);
	return true;
}
EXPORT_SYMBOL_GPL(fi_bind_fn);

void fi_entries_unbind_dynamic(struct fi_domain *d)
{
	struct fi_bound *b;
	unsigned long i;

	xa_for_each(&d->binds->entries, i, b) {
		if (b->dynamic)
			fi_entry_set(b, NULL, false);
	}
}

static unsigned long fi_reject_as(struct fi_call *c, enum fi_fault_kind kind,
				  int arg, const char *why)
{
	struct fi_frame *f = current->fi_frame;
	struct fi_fault fault = {
		.kind = kind,
		.addr = arg >= 0 && arg < 6 ? c->arg[arg] : 0,
		.arg = arg,
		.what = c->imp->name,
		.why = why,
		.entry = f ? f->entry->slot->name : NULL,
	};

	/* The return address of the driver's call, if its stack is sane. */
	if (fi_mem_writable(c->dom, c->dsp, sizeof(long)))
		fault.ip = *(unsigned long *)c->dsp;
	fi_stat_inc(c->dom, rejected);
	fi_fault_raise(c->dom, &fault);
	return 0;
}

/* What every wrapper says when an argument breaks a rule. */
unsigned long fi_reject(struct fi_call *c, int arg, const char *why)
{
	return fi_reject_as(c, FI_FAULT_ARG, arg, why);
}
EXPORT_SYMBOL_GPL(fi_reject);

/* And when it is an object that the driver does not have, or no longer. */
unsigned long fi_reject_object(struct fi_call *c, int arg, const char *why)
{
	return fi_reject_as(c, FI_FAULT_OBJECT, arg, why);
}
EXPORT_SYMBOL_GPL(fi_reject_object);

unsigned long fi_import_stub(struct fi_domain *d, const char *name)
{
	unsigned int i;

	for (i = 0; d->binds && i < d->binds->nr_syms; i++) {
		const struct fi_import *imp = d->binds->stubs[i].imp;

		if (imp && !strcmp(imp->name, name))
			return d->binds->stubs[i].stub;
	}
	return 0;
}

u64 fi_bind_reloc(struct fi_domain *d, unsigned int sym, u64 val)
{
	struct fi_stub *s;

	if (sym >= d->binds->nr_syms)
		return val;
	s = &d->binds->stubs[sym];
	if (!s->imp)
		return val;
	return s->stub ?: val;
}

static bool fi_sym_undefined(const Elf_Sym *s)
{
	return s->st_shndx == SHN_UNDEF && s->st_name;
}

static bool runs_inside(const struct fi_domain *d, const struct fi_import *i)
{
	return i->lib && (!i->fn || fi_translated(d));
}

/* Finds the wrapper of each import. Names all that have none. */
static int fi_bind_lookup(struct fi_domain *d, const Elf_Sym *sym, unsigned int nr,
			  const char *strtab)
{
	struct fi_binds *b = d->binds;
	unsigned int i, missing = 0;

	for (i = 1; i < nr; i++) {
		const char *name = strtab + sym[i].st_name;

		if (!fi_sym_undefined(&sym[i])) {
			if (strstarts(name, "__SCT__")) {
				pr_err("driver_fi: %s: defines static call %s, which a domain cannot have\n",
				       d->policy.name, name);
				missing++;
			}
			continue;
		}
		b->stubs[i].imp = fi_import_find(name, &b->stubs[i].owner);
		if (!b->stubs[i].imp) {
			pr_err("driver_fi: %s: no wrapper for import %s\n",
			       d->policy.name, name);
			missing++;
			continue;
		}
		if (!try_module_get(b->stubs[i].owner)) {
			b->stubs[i].imp = NULL;
			return -ENODEV;
		}
		if (!b->stubs[i].imp->plain && !runs_inside(d, b->stubs[i].imp))
			b->nr_code++;
	}
	if (!missing)
		return 0;
	pr_err("driver_fi: %s: refused, %u symbols are not wrapped; see Documentation/wrappers.rst\n",
	       d->policy.name, missing);
	return -ENOEXEC;
}

static int fi_bind_emit(struct fi_domain *d)
{
	struct fi_binds *b = d->binds;
	unsigned int i, n = 0;

	if (!b->nr_code)
		return 0;
	b->code = execmem_alloc(EXECMEM_MODULE_TEXT, PAGE_ALIGN(b->nr_code * FI_STUB_SIZE));
	if (!b->code)
		return -ENOMEM;
	for (i = 0; i < b->nr_syms; i++) {
		struct fi_stub *s = &b->stubs[i];
		int index;

		if (!s->imp || s->imp->plain)
			continue;
		if (runs_inside(d, s->imp)) {
			s->stub = (unsigned long)s->imp->lib;
			continue;
		}
		index = fi_import_index(s->imp);
		if (index < 0)
			return index;
		s->stub = (unsigned long)b->code + n++ * FI_STUB_SIZE;
		arch_fi_emit_import((void *)s->stub, s->stub, index, fi_on_kernel_pgt(d));
	}
	return 0;
}

/**
 * fi_bind_imports - wrappers for all imports of a module
 * @d: domain of the module
 * @sym: its symbol table, undefined symbols not yet resolved
 * @nr: number of symbols
 * @strtab: their names
 *
 * Asks user space for the module driver_fi_<name> if that is not there.
 * Context: may sleep. Return: 0; -ENOEXEC with each missing wrapper named
 */
int fi_bind_imports(struct fi_domain *d, const Elf_Sym *sym, unsigned int nr,
		    const char *strtab)
{
	struct fi_binds *b = kzalloc(sizeof(*b), GFP_KERNEL);
	bool known;
	int err;

	if (!b)
		return -ENOMEM;
	xa_init(&b->entries);
	d->binds = b;
	b->stubs = kvcalloc(nr, sizeof(*b->stubs), GFP_KERNEL);
	if (!b->stubs)
		return -ENOMEM;
	b->nr_syms = nr;

	mutex_lock(&fi_wrappers_lock);
	known = fi_desc_find(d->policy.name);
	mutex_unlock(&fi_wrappers_lock);
	if (!known)
		request_module("driver_fi_%s", d->policy.name);

	mutex_lock(&fi_wrappers_lock);
	err = fi_bind_lookup(d, sym, nr, strtab);
	if (!err)
		err = fi_bind_emit(d);
	mutex_unlock(&fi_wrappers_lock);
	return err;
}

static const struct fi_slot *fi_slot_by_table(struct fi_domain *d, const char *func)
{
	const struct fi_driver_desc *desc = fi_desc_find(d->policy.name);
	const struct fi_binding *b;

	if (!strcmp(func, "init_module"))
		return &fi_slot_module_init;
	if (!strcmp(func, "cleanup_module"))
		return &fi_slot_module_exit;
	for (b = desc ? desc->bind : NULL; b && b->func; b++) {
		if (!strcmp(b->func, func))
			return b->slot;
	}
	return NULL;
}

static int fi_entry_add(struct fi_domain *d, unsigned long addr, const char *name,
			const struct fi_slot *slot)
{
	struct fi_bound *b = fi_bound_at(d, addr);
	void *gate = fi_text_gates(d, addr);
	int index, err;

	if (b) {
		if (slot && !b->e.slot)
			fi_entry_set(b, slot, false);
		return 0;
	}
	if (!gate)
		return 0;
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	err = -ENOMEM;
	b->name = kstrdup(name, GFP_KERNEL);
	if (!b->name)
		goto free;
	index = ida_alloc_max(&fi_entry_ids, FI_MAX_ENTRIES - 1, GFP_KERNEL);
	err = index;
	if (index < 0)
		goto free;
	b->e.addr = addr;
	b->e.target = fi_translate_entry(d, addr);
	b->e.dom = d;
	b->e.index = index;
	fi_entry_set(b, slot, false);
	err = xa_err(xa_store(&d->binds->entries, addr / FI_STUB_SIZE, b, GFP_KERNEL));
	if (err)
		goto free_id;
	fi_entry_ptr[index] = &b->e;
	arch_fi_emit_gate(gate, addr, index);
	return 0;

free_id:
	ida_free(&fi_entry_ids, index);
free:
	kfree(b->name);
	kfree(b);
	return err;
}

static bool fi_name_ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && !strcmp(name + n - m, end);
}

static bool fi_sym_is_entry(const Elf_Sym *s, const char *name)
{
	return ELF_ST_TYPE(s->st_info) == STT_FUNC && s->st_shndx != SHN_UNDEF &&
	       !strstarts(name, "__pfx_") && !fi_name_ends(name, ".cold") &&
	       IS_ALIGNED(s->st_value, FI_STUB_SIZE);
}

/**
 * fi_bind_redirects - for pointers to imports that the driver calls
 * @d: domain of the module
 * @sym: symbol table with final addresses
 *
 * Context: may sleep. Return: 0 or -ENOMEM
 */
int fi_bind_redirects(struct fi_domain *d, const Elf_Sym *sym)
{
	struct fi_binds *b = d->binds;
	unsigned int i;

	d->redirects = kcalloc(b->nr_code, sizeof(*d->redirects), GFP_KERNEL);
	if (!d->redirects)
		return -ENOMEM;
	for (i = 0; i < b->nr_syms; i++) {
		const struct fi_stub *s = &b->stubs[i];

		if (s->imp && s->imp->fn)
			d->redirects[d->nr_redirects++] =
				(struct fi_redirect){ sym[i].st_value, s->stub,
						      s->imp->name };
	}
	return 0;
}

/**
 * fi_bind_entries - gates for all functions of a module
 * @d: domain of the module; its text is mapped
 * @sym: symbol table with final addresses
 * @nr: number of symbols
 * @strtab: names
 *
 * A function that is not aligned to FI_STUB_SIZE gets no gate, so a call of it
 * by the kernel ends in int3; such are only parts of other functions (.cold).
 * Context: may sleep. Return: 0 or -errno
 */
int fi_bind_entries(struct fi_domain *d, const Elf_Sym *sym, unsigned int nr,
		    const char *strtab)
{
	unsigned int i, pages = PAGE_ALIGN(d->binds->nr_code * FI_STUB_SIZE) >> PAGE_SHIFT;
	int err = 0;

	if (d->binds->code) {
		set_memory_ro((unsigned long)d->binds->code, pages);
		if (fi_on_kernel_pgt(d))
			set_memory_x((unsigned long)d->binds->code, pages);
		err = arch_fi_map(d->pgt, (unsigned long)d->binds->code, pages, FI_PROT_X);
	}
	mutex_lock(&fi_wrappers_lock);
	for (i = 1; i < nr && !err; i++) {
		const char *name = strtab + sym[i].st_name;

		if (fi_sym_is_entry(&sym[i], name))
			err = fi_entry_add(d, sym[i].st_value, name,
					   fi_slot_by_table(d, name));
	}
	mutex_unlock(&fi_wrappers_lock);
	return err;
}

/**
 * fi_entries_retarget - functions of a domain have been translated again
 * @d: domain
 *
 * Whoever is on the way into the old translation may still enter it: it stays. Caller
 * holds text_mutex.
 */
void fi_entries_retarget(struct fi_domain *d)
{
	struct fi_bound *b;
	unsigned long i;

	xa_for_each(&d->binds->entries, i, b)
		WRITE_ONCE(b->e.target, fi_translate_entry(d, b->e.addr));
}

/* The opposite of fi_bind_imports() and fi_bind_entries(). */
void fi_bind_destroy(struct fi_domain *d)
{
	struct fi_binds *b = d->binds;
	struct fi_bound *e;
	unsigned long i;

	if (!b)
		return;
	xa_for_each(&b->entries, i, e) {
		fi_entry_ptr[e->e.index] = NULL;
		ida_free(&fi_entry_ids, e->e.index);
		kfree(e->name);
		kfree(e);
	}
	xa_destroy(&b->entries);
	for (i = 0; b->stubs && i < b->nr_syms; i++) {
		if (b->stubs[i].imp)
			module_put(b->stubs[i].owner);
	}
	if (b->code) {
		unsigned int pages = PAGE_ALIGN(b->nr_code * FI_STUB_SIZE) >> PAGE_SHIFT;

		if (fi_on_kernel_pgt(d))
			set_memory_nx((unsigned long)b->code, pages);
		set_memory_rw((unsigned long)b->code, pages);
		execmem_free(b->code);
	}
	d->nr_redirects = 0;
	kfree(d->redirects);
	d->redirects = NULL;
	kvfree(b->stubs);
	kfree(b);
	d->binds = NULL;
}
