// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the instrumentation engine: the sources that the host suites prove,
 * inside the kernel. Small functions are translated and run there.
 */

#include <kunit/test.h>
#include <linux/execmem.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../dbi/dbi.h"
#include "../dbi/slow.h"

#define ARENA	(4 * PAGE_SIZE)

/*
 * 0x00 inc:    endbr64; lea 1(%rdi),%rax; ret
 * 0x10 twice:  call inc; mov %rax,%rdi; call inc; ret
 * 0x30 store:  mov %rsi,(%rdi); mov $1,%eax; ret
 * 0x40 halt:   hlt; ret
 * 0x50 lost:   call 0x5000 further on; ret
 * 0x60 icall:  sub $8,%rsp; call *%rsi; add $8,%rsp; ret
 * 0x70 nop5:   a static key's site, ret; jump target mov $2,%eax; ret
 */
static const u8 text[0x90] = {
	[0x00] = 0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8d, 0x47, 0x01, 0xc3,
	[0x10] = 0xe8, 0xeb, 0xff, 0xff, 0xff, 0x48, 0x89, 0xc7,
		 0xe8, 0xe3, 0xff, 0xff, 0xff, 0xc3,
	[0x30] = 0x48, 0x89, 0x37, 0xb8, 0x01, 0x00, 0x00, 0x00, 0xc3,
	[0x40] = 0xf4, 0xc3,
	[0x50] = 0xe8, 0x00, 0x50, 0x00, 0x00, 0xc3,
	[0x60] = 0x48, 0x83, 0xec, 0x08, 0xff, 0xd6, 0x48, 0x83, 0xc4, 0x08, 0xc3,
	[0x70] = 0x0f, 0x1f, 0x44, 0x00, 0x00, 0x31, 0xc0, 0xc3,
		 0xb8, 0x02, 0x00, 0x00, 0x00, 0xc3,
};

static const struct { u32 off, size; } shape[] = {
	{ 0x00, 0x09 }, { 0x10, 0x17 }, { 0x30, 0x09 }, { 0x40, 0x02 },
	{ 0x50, 0x06 }, { 0x60, 0x0b }, { 0x70, 0x0e },
};

enum { INC, TWICE, STORE, HALT, LOST, ICALL, KEYED, NR_FUNCS };

struct ctx {
	struct kunit *test;
	const struct fi_dbi_handlers *others;
	struct fi_dbi_env env;
	struct fi_dbi_config cfg;
	struct fi_dbi_text text;
	struct fi_dbi_func func[NR_FUNCS];
	struct fi_dbi_edge edge[1];
	struct fi_dbi_unit *u;
	u8 *w;			/* where the arena is written */
	void *exec;		/* where it runs, or NULL: never run */
};

static struct ctx *current_ctx;
static unsigned int asked_stores;

/* The slow paths, for what these tests run. */
static void t_store(struct fi_dbi_slow *s)
{
	asked_stores++;
}

static void t_icall(struct fi_dbi_slow *s)
{
	u64 to = fi_dbi_icall(current_ctx->u, s->r11);

	if (to)
		s->r11 = to;
}

/* Nothing that these tests run gets there. */
static void t_unexpected(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];

	KUNIT_FAIL(current_ctx->test, "slow path of kind %u reached", site->kind);
}

static const struct fi_dbi_handlers t_handlers = {
	.store = t_store,
	.range = t_unexpected,
	.icall = t_icall,
	.ret = t_unexpected,
	.trap = t_unexpected,
	.port = t_unexpected,
};

static void *t_alloc(void *ctx, size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

static void t_free(void *ctx, void *p)
{
	kvfree(p);
}

static void t_resolve(void *ctx, u64 va, struct fi_dbi_target *t)
{
	t->kind = FI_DBI_T_UNKNOWN;
}

static bool t_slot(void *ctx, u64 va)
{
	return false;
}

static enum fi_dbi_gs t_gs(void *ctx, s64 off, u32 size)
{
	return FI_DBI_GS_TRAP;
}

static void t_input(struct ctx *c, struct fi_dbi_input *in)
{
	u32 i;

	c->env = (struct fi_dbi_env){
		.alloc = t_alloc, .free = t_free, .resolve = t_resolve,
		.const_slot = t_slot, .gs_store = t_gs,
	};
	fi_dbi_config_default(&c->cfg);
	c->cfg.ibt = IS_ENABLED(CONFIG_X86_KERNEL_IBT);
	c->cfg.shadow = 4096 - 64;
	c->cfg.slow_store = (u64)fi_dbi_slow_store;
	c->cfg.slow_range = (u64)fi_dbi_slow_range;
	c->cfg.slow_icall = (u64)fi_dbi_slow_icall;
	c->cfg.slow_ret = (u64)fi_dbi_slow_ret;
	c->cfg.slow_trap = (u64)fi_dbi_slow_trap;
	c->cfg.slow_port = (u64)fi_dbi_slow_port;
	/* no permission map here: a segment that nothing is in asks for each store */
	c->cfg.checks = FI_DBI_SEGMENT;
	c->cfg.seg_shift = 40;
	c->cfg.seg_id = 0x1234;
	/* any address in reach: nothing executes the original */
	c->text.va = (u64)c->exec + ARENA;
	c->text.size = sizeof(text);
	c->text.bytes = text;
	for (i = 0; i < NR_FUNCS; i++) {
		c->func[i].va = c->text.va + shape[i].off;
		c->func[i].size = shape[i].size;
		c->func[i].name = "test";
		c->func[i].flags = FI_DBI_FN_ABI | (i == INC ? FI_DBI_FN_TAKEN : 0);
	}
	c->edge[0].from = c->text.va + 0x70;
	c->edge[0].to = c->text.va + 0x78;
	c->edge[0].kind = FI_DBI_EDGE_JUMP_LABEL;
	*in = (struct fi_dbi_input){
		.env = &c->env, .cfg = &c->cfg, .texts = &c->text, .nr_texts = 1,
		.funcs = c->func, .nr_funcs = NR_FUNCS,
		.edges = c->edge, .nr_edges = 1,
	};
}

static int dbi_init(struct kunit *test)
{
	struct ctx *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct fi_dbi_input in;

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->exec = execmem_alloc(EXECMEM_MODULE_TEXT, ARENA);
	KUNIT_ASSERT_NOT_NULL(test, c->exec);
	test->priv = c;
	c->test = test;
	t_input(c, &in);
	KUNIT_ASSERT_EQ(test, fi_dbi_create(&c->u, &in), 0);
	KUNIT_ASSERT_EQ(test, fi_dbi_translate(c->u, (u64)c->exec, c->exec, ARENA), 0);
	KUNIT_ASSERT_EQ(test, set_memory_rox((unsigned long)c->exec,
					     ARENA / PAGE_SIZE), 0);
	current_ctx = c;
	c->others = fi_dbi_set_handlers(&t_handlers);
	return 0;
}

static void dbi_exit(struct kunit *test)
{
	struct ctx *c = test->priv;

	if (!c)
		return;
	if (current_ctx)
		fi_dbi_set_handlers(c->others);
	current_ctx = NULL;
	if (c->u)
		fi_dbi_destroy(c->u);
	if (c->exec)
		execmem_free(c->exec);
}

/* The shadow slot lies below the stack pointer: no interrupt may use it meanwhile. */
static u64 run(struct ctx *c, u32 func, u64 a, u64 b)
{
	u64 fn = fi_dbi_entry(c->u, c->func[func].va), ret = 0;
	unsigned long flags;

	if (!fn)
		return ~0ULL;
	local_irq_save(flags);
	ret = ((u64 (*)(u64, u64))fn)(a, b);
	local_irq_restore(flags);
	return ret;
}

static void dbi_translates(struct kunit *test)
{
	struct ctx *c = test->priv;
	const struct fi_dbi_stats *s = fi_dbi_stats(c->u);
	u64 at;

	KUNIT_EXPECT_EQ(test, s->decode_failures, 0);
	KUNIT_EXPECT_EQ(test, s->refused, 1);
	KUNIT_EXPECT_EQ(test, s->checked, 1);
	KUNIT_EXPECT_EQ(test, s->traps, 1);
	KUNIT_EXPECT_STREQ(test, fi_dbi_refusal(c->u, LOST, &at),
			   "branch to an unknown target");
	KUNIT_EXPECT_EQ(test, at, c->func[LOST].va);
	KUNIT_EXPECT_NULL(test, fi_dbi_refusal(c->u, INC, NULL));
}

static void dbi_maps_both_ways(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 va = c->func[TWICE].va + 5;

	KUNIT_EXPECT_EQ(test, fi_dbi_to_orig(c->u, fi_dbi_to_cache(c->u, va)), va);
	KUNIT_EXPECT_EQ(test, fi_dbi_to_cache(c->u, va + 1), 0);
	KUNIT_EXPECT_EQ(test, fi_dbi_to_orig(c->u, va), 0);
}

static void dbi_runs(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 slot = 0;

	KUNIT_EXPECT_EQ(test, run(c, INC, 41, 0), 42);
	KUNIT_EXPECT_EQ(test, run(c, TWICE, 40, 0), 42);
	asked_stores = 0;
	KUNIT_EXPECT_EQ(test, run(c, STORE, (u64)&slot, 77), 1);
	KUNIT_EXPECT_EQ(test, slot, 77);
	KUNIT_EXPECT_EQ(test, asked_stores, 1);
	KUNIT_EXPECT_EQ(test, run(c, ICALL, 6, c->func[INC].va), 7);
	KUNIT_EXPECT_EQ(test, run(c, KEYED, 0, 0), 0);
}

static void dbi_legal_targets(struct kunit *test)
{
	struct ctx *c = test->priv;

	KUNIT_EXPECT_EQ(test, fi_dbi_icall(c->u, c->func[INC].va),
			fi_dbi_entry(c->u, c->func[INC].va));
	/* nobody took its address, and that one is no function */
	KUNIT_EXPECT_EQ(test, fi_dbi_icall(c->u, c->func[TWICE].va), 0);
	KUNIT_EXPECT_EQ(test, fi_dbi_icall(c->u, c->func[INC].va + 4), 0);
}

static void dbi_rewrites_tables(struct kunit *test)
{
	struct ctx *c = test->priv;
	/* stands in for an entry next to the text */
	u64 va = c->text.va + 0x1000;
	s32 code = (s32)(c->text.va + 0x70 - va);
	s32 target = (s32)(c->text.va + 0x78 - (va + 4)), same = 0x100;

	KUNIT_EXPECT_TRUE(test, fi_dbi_rewrite_jump(c->u, va, &code, &target));
	KUNIT_EXPECT_EQ(test, va + code, fi_dbi_to_cache(c->u, c->text.va + 0x70));
	KUNIT_EXPECT_EQ(test, memcmp((void *)(va + code), text + 0x70, 5), 0);
	KUNIT_EXPECT_FALSE(test, fi_dbi_rewrite_bug(c->u, va, &same));
	KUNIT_EXPECT_EQ(test, same, 0x100);
}

static void dbi_translates_again(struct kunit *test)
{
	struct ctx *c = test->priv;
	struct fi_dbi_patch p[8];

	/* needs to write the arena: a function that is not there must fail first */
	KUNIT_EXPECT_EQ(test, fi_dbi_retranslate(c->u, 0x1000, p, 8), -ENOENT);
}

static struct kunit_case dbi_cases[] = {
	KUNIT_CASE(dbi_translates),
	KUNIT_CASE(dbi_maps_both_ways),
	KUNIT_CASE(dbi_runs),
	KUNIT_CASE(dbi_legal_targets),
	KUNIT_CASE(dbi_rewrites_tables),
	KUNIT_CASE(dbi_translates_again),
	{}
};

static struct kunit_suite dbi_suite = {
	.name = "driver_fi_dbi",
	.init = dbi_init,
	.exit = dbi_exit,
	.test_cases = dbi_cases,
};

kunit_test_suite(dbi_suite);

MODULE_DESCRIPTION("KUnit tests of the driver fault isolation engine");
MODULE_LICENSE("GPL");
