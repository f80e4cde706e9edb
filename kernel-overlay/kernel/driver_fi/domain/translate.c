// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver's text, translated: what runs in a domain of mode full or dbi.
 *
 * The cache stands in module space, read-only and executable where the driver runs:
 * in its domain's page table (full) or in the kernel's (dbi). The kernel writes
 * it where the domain cannot. The original text is executable nowhere.
 */
#include <linux/driver_fi.h>
#include <linux/execmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/vmalloc.h>

#include <asm/driver_fi.h>
#include <asm/nospec-branch.h>

#include "../dbi/dbi.h"
#include "domain.h"
#include "source.h"
#include "stack.h"
#include "translate.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "driver_fi."

/**
 * struct fi_translation - the engine's state for one module
 * @dom: whose
 * @src: the module as the engine reads it
 * @unit: the engine's own
 * @cache: where the translation stands
 * @size: its length, whole pages
 * @writable: the same pages where the kernel can write: @cache in mode full, where
 *	that is not executable in the kernel; an alias in mode dbi
 */
struct fi_translation {
	struct fi_domain *dom;
	struct fi_source src;
	struct fi_dbi_env env;
	struct fi_dbi_config cfg;
	struct fi_dbi_unit *unit;
	void *cache;
	size_t size;
	void *writable;
};

/* Bytes of the translation, for the figures of a domain. */
size_t fi_translate_bytes(const struct fi_domain *d)
{
	return d->translation ? d->translation->size : 0;
}

static void *fi_env_alloc(void *ctx, size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

static void fi_env_free(void *ctx, void *p)
{
	kvfree(p);
}

/* Wrapped, but called by inline assembly that relies on registers being kept. */
static bool fi_keeps_registers(const char *name)
{
	static const char * const prefix[] = {
		"__SCT__", "__get_user_", "__put_user_", "__sw_hweight",
		"preempt_schedule_thunk", "preempt_schedule_notrace_thunk",
		"clear_page_", "rep_movs_alternative", "rep_stos_alternative",
		"copy_user_generic", "__raw_callee_save_",
		"this_cpu_cmpxchg16b_emu",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(prefix); i++) {
		if (strstarts(name, prefix[i]))
			return true;
	}
	return false;
}

static bool fi_is_return_thunk(u64 va)
{
#ifdef CONFIG_MITIGATION_RETHUNK
	return va == (u64)x86_return_thunk || va == (u64)__x86_return_thunk;
#else
	return false;
#endif
}

/* The register of the indirect thunk at @va, or FI_NOREG. */
static u8 fi_thunk_reg(u64 va)
{
#ifdef CONFIG_MITIGATION_RETPOLINE
	u64 off = va - (u64)__x86_indirect_thunk_array;

	if (off < sizeof(retpoline_thunk_t) * FI_NR_REGS && !(off % sizeof(retpoline_thunk_t)))
		return off / sizeof(retpoline_thunk_t);
#endif
	return FI_NOREG;
}

static void fi_env_resolve(void *ctx, u64 va, struct fi_dbi_target *t)
{
	struct fi_domain *d = ((struct fi_translation *)ctx)->dom;
	unsigned int i;

	t->to = va;
	if (fi_is_return_thunk(va)) {
		t->kind = FI_DBI_T_RETURN;
		return;
	}
	t->reg = fi_thunk_reg(va);
	if (t->reg != FI_NOREG) {
		t->kind = FI_DBI_T_THUNK;
		return;
	}
	for (i = 0; i < d->nr_redirects; i++) {
		if (d->redirects[i].stub == va) {
			t->kind = fi_keeps_registers(d->redirects[i].name) ?
				  FI_DBI_T_TRANSPARENT : FI_DBI_T_CALL;
			return;
		}
	}
	t->kind = FI_DBI_T_UNKNOWN;
}

static bool fi_env_const_slot(void *ctx, u64 va)
{
	return false;
}

/*
 * Per-CPU data is not the driver's: the page table stops it or it is emulated.
 * Without one, inlined code may count preemption, and the rest is checked.
 */
static enum fi_dbi_gs fi_env_gs_store(void *ctx, s64 off, u32 size)
{
	struct fi_domain *d = ((struct fi_translation *)ctx)->dom;
	s64 count = (__force s64)&pcpu_hot.preempt_count;

	if (d->pgt || (off == count && size == sizeof(pcpu_hot.preempt_count)))
		return FI_DBI_GS_ALLOW;
	return FI_DBI_GS_CHECK;
}

static const struct fi_dbi_env fi_env = {
	.alloc = fi_env_alloc,
	.free = fi_env_free,
	.resolve = fi_env_resolve,
	.const_slot = fi_env_const_slot,
	.gs_store = fi_env_gs_store,
};

/* Checks of stores all ask, which is slow: the counter "asked" then counts them. */
static bool count_checks;
module_param(count_checks, bool, 0444);
MODULE_PARM_DESC(count_checks, "let each check of a store ask, to count them");

static void fi_configure(const struct fi_domain *d, struct fi_dbi_config *c)
{
	fi_dbi_config_default(c);
	if (d->policy.checks == FI_CHECKS_NONE)
		c->checks = FI_DBI_NONE;
	if (d->policy.deny == FI_DENY_SKIP) {
		c->verdict[FI_SENS_HALT] = FI_DBI_SKIP;
		c->verdict[FI_SENS_CR] = FI_DBI_SKIP;
		c->verdict[FI_SENS_MSR] = FI_DBI_SKIP;
	}
	c->ibt = IS_ENABLED(CONFIG_X86_KERNEL_IBT);
	c->map_disp = FI_MAP_DISP;
	c->shadow = FI_STACK_SHADOW;
	c->max_frame = FI_STACK_MAX_FRAME;
	c->this_cpu_off = (u32)(__force unsigned long)&this_cpu_off;
	c->ask_always = count_checks;
	c->slow_store = (u64)(count_checks ? fi_domain_full_store : fi_domain_slow_store);
	c->slow_range = (u64)(count_checks ? fi_domain_full_range : fi_domain_slow_range);
	c->slow_icall = (u64)fi_domain_slow_icall;
	c->slow_ret = (u64)fi_domain_slow_ret;
	c->slow_trap = (u64)fi_domain_slow_trap;
	c->slow_port = (u64)fi_domain_slow_port;
#ifdef CONFIG_MITIGATION_RETHUNK
	if (cpu_feature_enabled(X86_FEATURE_RETHUNK))
		c->ret_thunk = (u64)x86_return_thunk;
#endif
#ifdef CONFIG_MITIGATION_RETPOLINE
	if (cpu_feature_enabled(X86_FEATURE_RETPOLINE))
		c->ind_thunk = (u64)(__x86_indirect_thunk_array + FI_R11);
#endif
}

/* @size bytes of vmalloc memory a second time, readable and writable. */
static void *fi_alias(void *p, size_t size)
{
	unsigned int i, nr = size >> PAGE_SHIFT;
	struct page **pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	void *alias;

	if (!pages)
		return NULL;
	for (i = 0; i < nr; i++)
		pages[i] = vmalloc_to_page(p + i * PAGE_SIZE);
	alias = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return alias;
}

static int fi_translate(struct fi_translation *t)
{
	struct fi_dbi_input in = {
		.env = &t->env, .cfg = &t->cfg,
		.texts = t->src.texts, .nr_texts = t->src.nr_texts,
		.funcs = t->src.funcs, .nr_funcs = t->src.nr_funcs,
		.edges = t->src.edges, .nr_edges = t->src.nr_edges,
	};
	int err = fi_dbi_create(&t->unit, &in);

	if (err)
		return err;
	t->size = PAGE_ALIGN(fi_dbi_arena_size(t->src.bytes, t->src.nr_funcs));
	t->cache = execmem_alloc(EXECMEM_MODULE_TEXT, t->size);
	if (!t->cache)
		return -ENOMEM;
	t->writable = fi_on_kernel_pgt(t->dom) ? fi_alias(t->cache, t->size) : t->cache;
	if (!t->writable)
		return -ENOMEM;
	return fi_dbi_translate(t->unit, (u64)t->cache, t->writable, t->size);
}

/* The driver can run it from here on. */
static int fi_publish(struct fi_translation *t)
{
	unsigned long va = (unsigned long)t->cache;

	if (fi_on_kernel_pgt(t->dom))
		return set_memory_rox(va, t->size >> PAGE_SHIFT);
	return arch_fi_map(t->dom->pgt, va, t->size >> PAGE_SHIFT, FI_PROT_X);
}

static void fi_withdraw(struct fi_translation *t)
{
	unsigned long va = (unsigned long)t->cache;

	if (!fi_on_kernel_pgt(t->dom)) {
		arch_fi_unmap(t->dom->pgt, va, t->size >> PAGE_SHIFT);
		arch_fi_flush();
		return;
	}
	set_memory_nx(va, t->size >> PAGE_SHIFT);
	set_memory_rw(va, t->size >> PAGE_SHIFT);
	vunmap(t->writable);
}

static void fi_name_refused(const struct fi_translation *t)
{
	const char *why;
	u64 at;
	u32 i;

	for (i = 0; i < t->src.nr_funcs; i++) {
		why = fi_dbi_refusal(t->unit, i, &at);
		if (why)
			fi_report_say(t->dom, "%pS is not translated: %s at %pS",
				      (void *)t->src.funcs[i].va, why, (void *)at);
	}
}

/**
 * fi_translate_module - translate the text of a module that is being loaded
 * @d: its domain, mapped, imports bound
 * @img: the module file in memory, relocated
 *
 * Context: may sleep. Return: 0 or -errno, said
 */
int fi_translate_module(struct fi_domain *d, const struct fi_image *img)
{
	struct fi_translation *t = kzalloc(sizeof(*t), GFP_KERNEL);
	u64 begin = ktime_get_ns();
	const struct fi_dbi_stats *s;
	int err;

	if (!t)
		return -ENOMEM;
	t->dom = d;
	d->translation = t;
	t->env = fi_env;
	t->env.ctx = t;
	fi_configure(d, &t->cfg);
	err = fi_globals_trim(d, img) ?: fi_source_read(&t->src, d, img);
	if (!err)
		err = fi_translate(t);
	if (err) {
		fi_report_say(d, "its text cannot be translated: error %d", err);
		return err;
	}
	err = fi_publish(t);
	if (err)
		return err;
	d->dbi = t->unit;
	s = fi_dbi_stats(t->unit);
	fi_name_refused(t);
	fi_report_say(d, "%u functions, %u instructions translated in %llu us, %u to %u bytes",
		      s->funcs - s->refused, s->insns, (ktime_get_ns() - begin) / NSEC_PER_USEC,
		      s->orig_bytes, s->cache_bytes);
	fi_report_say(d, "%u of %u stores checked", s->checked, s->stores);
	fi_source_forget_names(&t->src);
	return 0;
}

/* The opposite; nobody is inside. Context: may sleep. */
void fi_translate_free(struct fi_domain *d)
{
	struct fi_translation *t = d->translation;

	if (!t)
		return;
	d->dbi = NULL;
	d->translation = NULL;
	if (t->unit)
		fi_dbi_destroy(t->unit);
	if (t->writable)
		fi_withdraw(t);
	if (t->cache)
		execmem_free(t->cache);
	fi_source_free(&t->src);
	kfree(t);
}

/* The part of the cache from @addr on, or NULL: not in it. Any context. */
const void *fi_translate_text(struct fi_domain *d, unsigned long addr, size_t *avail)
{
	struct fi_translation *t = d->translation;
	unsigned long off = t ? addr - (unsigned long)t->cache : 0;

	if (!t || !t->cache || off >= t->size)
		return NULL;
	*avail = t->size - off;
	return (const void *)addr;
}

/* Where a call of the driver function at @addr goes. Any context. */
unsigned long fi_translate_entry(struct fi_domain *d, unsigned long addr)
{
	return d->dbi ? fi_dbi_entry(d->dbi, addr) : addr;
}

/* The driver's instruction behind @ip; @ip itself if it is no cache address. */
unsigned long fi_translate_orig(struct fi_domain *d, unsigned long ip)
{
	unsigned long orig = d->dbi ? fi_dbi_to_orig(d->dbi, ip) : 0;

	return orig ?: ip;
}

/* And the other way. */
unsigned long fi_translate_cache(struct fi_domain *d, unsigned long ip)
{
	unsigned long cache = d->dbi ? fi_dbi_to_cache(d->dbi, ip) : 0;

	return cache ?: ip;
}

/* Does @ip stand in a check, not in an instruction of the driver's? */
bool fi_translate_is_check(struct fi_domain *d, unsigned long ip)
{
	unsigned long orig;

	if (!d->dbi)
		return false;
	if (ip >= (unsigned long)fi_domain_slow_store && ip < (unsigned long)fi_domain_slow_end)
		return true;
	orig = fi_dbi_to_orig(d->dbi, ip);
	return orig && fi_dbi_to_cache(d->dbi, orig) != ip;
}

static const u8 fi_nop5[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

struct fi_repatch {
	struct fi_translation *t;
	struct fi_dbi_patch patch[64];
	int nr;
};

static int fi_repatch_stopped(void *arg)
{
	struct fi_repatch *r = arg;
	int i;

	for (i = 0; i < r->nr; i++)
		memcpy(r->t->writable + (r->patch[i].va - (u64)r->t->cache),
		       r->patch[i].bytes, r->patch[i].len);
	fi_emulate_forget();
	return 0;
}

/* A static key's site is patched in place, as often as it is toggled. */
static bool fi_poke_jump(struct fi_translation *t, unsigned long addr, const u8 *opcode,
			 struct fi_dbi_patch *p)
{
	unsigned long at = fi_dbi_to_cache(t->unit, addr);
	u32 i;

	for (i = 0; i < t->src.nr_edges; i++) {
		const struct fi_dbi_edge *e = &t->src.edges[i];
		s32 rel;

		if (e->from != addr || e->kind != FI_DBI_EDGE_JUMP_LABEL || !at)
			continue;
		p->va = at;
		p->len = sizeof(fi_nop5);
		memcpy(p->bytes, fi_nop5, sizeof(fi_nop5));
		if (*opcode == 0xe9 || *opcode == 0xeb) {
			rel = fi_dbi_to_cache(t->unit, e->to) - (at + sizeof(fi_nop5));
			p->bytes[0] = 0xe9;
			memcpy(p->bytes + 1, &rel, sizeof(rel));
		}
		return true;
	}
	return false;
}

/**
 * fi_translate_poke - the driver's text at @addr has changed
 * @d: domain; its original text holds the change
 * @addr: address of the instruction
 * @opcode: the new bytes
 * @len: how many
 *
 * Caller holds cpus_read_lock and text_mutex. Return: true if what runs follows
 */
bool fi_translate_poke(struct fi_domain *d, unsigned long addr, const void *opcode, size_t len)
{
	struct fi_translation *t = d->translation;
	struct fi_repatch *r;

	if (!d->dbi)
		return false;
	r = kmalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return false;
	r->t = t;
	r->nr = 1;
	if (!fi_poke_jump(t, addr, opcode, &r->patch[0]))
		r->nr = fi_dbi_retranslate(t->unit, addr, r->patch, ARRAY_SIZE(r->patch));
	if (r->nr < 0)
		fi_report_say(d, "changed text at %pS is not translated: error %d",
			      (void *)addr, r->nr);
	else
		stop_machine_cpuslocked(fi_repatch_stopped, r, NULL);
	kfree(r);
	return true;
}
