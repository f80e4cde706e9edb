// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test bed: see dbi_bed.h. One at a time, as KUnit runs its cases.
 */

#include <linux/execmem.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <asm/nospec-branch.h>

#include "../dbi/slow.h"
#include "dbi_bed.h"

#define ARENA		(16 * PAGE_SIZE)
#define SLACK		64	/* what a check may look at beyond */
#define MAP_SIZE	(FI_BED_MEM / 8 + 2 * SLACK)

static struct fi_bed *bed;

static void *bed_alloc(void *ctx, size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

static void bed_free(void *ctx, void *p)
{
	kvfree(p);
}

static void bed_resolve(void *ctx, u64 va, struct fi_dbi_target *t)
{
	t->kind = FI_DBI_T_UNKNOWN;
#ifdef CONFIG_MITIGATION_RETHUNK
	if (va == (u64)x86_return_thunk || va == (u64)__x86_return_thunk)
		t->kind = FI_DBI_T_RETURN;
#endif
}

static bool bed_slot(void *ctx, u64 va)
{
	return false;
}

static enum fi_dbi_gs bed_gs(void *ctx, s64 off, u32 size)
{
	return FI_DBI_GS_TRAP;
}

/* Back to the caller of fi_bed_run(). */
static void stop(struct fi_dbi_slow *s, enum fi_bed_what what, u64 va, u64 at)
{
	bed->what = what;
	bed->va = va;
	bed->at = at;
	s->ret = (u64)fi_bed_escape;
}

static bool in_memory(u64 addr)
{
	return addr - (u64)bed->data < FI_BED_MEM;
}

static void judge_bytes(struct fi_dbi_slow *s, const struct fi_dbi_site *site, u64 at)
{
	u32 i;

	for (i = 0; i < 64; i++)
		if ((site->mask >> i & 1) && !fi_dbi_map_test(fi_dbi_map_disp, at + i, 1))
			break;
	stop(s, FI_BED_STORE, fi_dbi_site_blame(bed->u, site, i), at + i);
}

static void on_store(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];
	u64 at = s->arg[1], bad;
	u64 *limit;

	bed->asked++;
	if (site->kind == FI_SITE_SEGMENT || !in_memory(at))
		return;
	if (site->kind == FI_SITE_BYTES) {
		if (!fi_dbi_map_test_range(fi_dbi_map_disp, at, site->size, &bad))
			stop(s, FI_BED_STORE, site->va, bad);
		return;
	}
	if (!fi_dbi_map_test(fi_dbi_map_disp, at, site->mask)) {
		judge_bytes(s, site, at);
		return;
	}
	if (site->kind == FI_SITE_LOOP) {
		limit = fi_dbi_slow_reg(s, site->limit);
		*limit = fi_dbi_loop_limit(fi_dbi_map_disp, site, at,
					   *fi_dbi_slow_reg(s, site->ctl));
	}
}

static void on_range(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];
	u64 bad;

	if (site->mask && s->cx &&
	    !fi_dbi_map_test_range(fi_dbi_map_disp, s->di, s->cx * site->size, &bad))
		stop(s, FI_BED_RANGE, site->va, bad);
}

static void on_icall(struct fi_dbi_slow *s)
{
	u64 to = fi_dbi_icall(bed->u, s->r11);

	if (to)
		s->r11 = to;
	else	/* the stub's own return address lies above */
		stop(s, FI_BED_ICALL, fi_dbi_to_orig(bed->u, s->arg[0] - 1), s->r11);
}

static void on_ret(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];

	stop(s, FI_BED_RET, site->va, s->arg[1 + site->pushed]);
}

static void on_trap(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];

	stop(s, FI_BED_TRAP, site->va, site->sens);
}

static void on_port(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];

	stop(s, FI_BED_PORT, site->va, site->mask ? site->mask & 0xffff : s->dx & 0xffff);
}

static const struct fi_dbi_handlers handlers = {
	.store = on_store,
	.range = on_range,
	.icall = on_icall,
	.ret = on_ret,
	.trap = on_trap,
	.port = on_port,
};

static void set_config(struct fi_bed *b)
{
	struct fi_dbi_config *c = &b->cfg;

	fi_dbi_config_default(c);
	c->ibt = IS_ENABLED(CONFIG_X86_KERNEL_IBT);
	/* no multiple of a page, and within the thread's stack */
	c->shadow = 4096 - 64;
	c->slow_store = (u64)fi_dbi_slow_store;
	c->slow_range = (u64)fi_dbi_slow_range;
	c->slow_icall = (u64)fi_dbi_slow_icall;
	c->slow_ret = (u64)fi_dbi_slow_ret;
	c->slow_trap = (u64)fi_dbi_slow_trap;
	c->slow_port = (u64)fi_dbi_slow_port;
	/* both stand in the upper 2 GiB, so that the distance fits */
	c->map_disp = (u64)(b->map + SLACK) - (u64)((s64)b->data >> 3);
}

int fi_bed_init(struct kunit *test)
{
	struct fi_bed *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_NULL(test, bed);
	b->test = test;
	test->priv = b;
	b->arena = execmem_alloc(EXECMEM_MODULE_TEXT, ARENA);
	b->data = execmem_alloc(EXECMEM_MODULE_DATA, FI_BED_MEM);
	b->map = execmem_alloc(EXECMEM_MODULE_DATA, MAP_SIZE);
	b->code = kunit_kzalloc(test, FI_BED_CODE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->arena);
	KUNIT_ASSERT_NOT_NULL(test, b->data);
	KUNIT_ASSERT_NOT_NULL(test, b->map);
	KUNIT_ASSERT_NOT_NULL(test, b->code);
	memset(b->data, 0, FI_BED_MEM);
	memset(b->map, 0, MAP_SIZE);
	b->mem = b->data;
	b->env = (struct fi_dbi_env){
		.alloc = bed_alloc, .free = bed_free, .resolve = bed_resolve,
		.const_slot = bed_slot, .gs_store = bed_gs,
	};
	/* any address in reach: nothing executes the original there */
	b->text = (struct fi_dbi_text){
		.va = (u64)b->arena + ARENA, .size = FI_BED_CODE, .bytes = b->code,
	};
	set_config(b);
	bed = b;
	fi_dbi_map_disp = (s64)b->cfg.map_disp;
	b->others = fi_dbi_set_handlers(&handlers);
	return 0;
}

void fi_bed_exit(struct kunit *test)
{
	struct fi_bed *b = test->priv;

	if (!b)
		return;
	if (bed == b) {
		fi_dbi_set_handlers(b->others);
		bed = NULL;
	}
	if (b->u)
		fi_dbi_destroy(b->u);
	if (b->map)
		execmem_free(b->map);
	if (b->data)
		execmem_free(b->data);
	if (b->arena)
		execmem_free(b->arena);
}

u32 fi_bed_add(struct fi_bed *b, const u8 *bytes, u32 size, u32 flags)
{
	struct fi_dbi_func *last = &b->func[b->nr_funcs - 1], *f = &b->func[b->nr_funcs];
	u64 va = b->nr_funcs ? ALIGN(last->va + last->size, 16) : b->text.va;

	KUNIT_ASSERT_LT(b->test, b->nr_funcs, FI_BED_FUNCS);
	KUNIT_ASSERT_LE(b->test, va + size, b->text.va + b->text.size);
	*f = (struct fi_dbi_func){
		.va = va, .size = size, .flags = flags, .name = "test",
	};
	if (bytes)
		memcpy(b->code + (va - b->text.va), bytes, size);
	return b->nr_funcs++;
}

void fi_bed_open(struct fi_bed *b)
{
	KUNIT_ASSERT_EQ(b->test, set_memory_nx((unsigned long)b->arena, ARENA / PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(b->test, set_memory_rw((unsigned long)b->arena, ARENA / PAGE_SIZE), 0);
}

void fi_bed_close(struct fi_bed *b)
{
	KUNIT_ASSERT_EQ(b->test, set_memory_rox((unsigned long)b->arena, ARENA / PAGE_SIZE), 0);
}

void fi_bed_translate(struct fi_bed *b)
{
	struct fi_dbi_input in = {
		.env = &b->env, .cfg = &b->cfg, .texts = &b->text, .nr_texts = 1,
		.funcs = b->func, .nr_funcs = b->nr_funcs,
		.edges = b->edge, .nr_edges = b->nr_edges,
	};

	KUNIT_ASSERT_EQ(b->test, fi_dbi_create(&b->u, &in), 0);
	KUNIT_ASSERT_EQ(b->test, fi_dbi_translate(b->u, (u64)b->arena, b->arena, ARENA), 0);
	fi_bed_close(b);
}

void fi_bed_grant(struct fi_bed *b, u32 off, u32 len, bool may)
{
	for (; len--; off++) {
		u8 *m = b->map + SLACK + off / 8;

		*m = may ? *m | BIT(off % 8) : *m & ~BIT(off % 8);
	}
}

u64 fi_bed_run(struct fi_bed *b, u32 f, u64 x, u64 y, u64 z)
{
	u64 fn = fi_dbi_entry(b->u, b->func[f].va), ret;
	unsigned long flags;

	KUNIT_ASSERT_NE(b->test, fn, 0);
	b->what = FI_BED_NOTHING;
	local_irq_save(flags);
	ret = fi_bed_enter(fn, x, y, z);
	local_irq_restore(flags);
	return ret;
}
