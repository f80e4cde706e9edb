// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated stores against the CPU: every instruction is run natively and
 * emulated from the same state, over random values; registers, flags and
 * memory must come out alike. Then the same with rights taken away.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include "../domain/emulate.h"
#include "emulate_insns.h"

#define ROUNDS		200
#define BUF_SIZE	192
/* Operands are around here, so that both sides stay in the buffer. */
#define BUF_MID		96

#define ARITH_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

u8 fi_emu_buf[BUF_SIZE] __aligned(64);
static u8 emu_src[BUF_SIZE] __aligned(64);

/* Who may store what; @addr and @len are what was asked for last. */
struct rights {
	bool allow;
	u64 mask;
	unsigned long addr;
	u32 len;
};

static bool test_may_store(void *data, unsigned long addr, u32 len, u64 *mask)
{
	struct rights *r = data;

	r->addr = addr;
	r->len = len;
	if (addr < (unsigned long)fi_emu_buf || addr + len > (unsigned long)fi_emu_buf + BUF_SIZE)
		return false;
	*mask = r->mask;
	return r->allow;
}

static struct rnd_state rnd;

static u64 random_value(void)
{
	u64 v = prandom_u32_state(&rnd) | (u64)prandom_u32_state(&rnd) << 32;

	/* Often what lies at an edge. */
	switch (prandom_u32_state(&rnd) & 7) {
	case 0:
		return 0;
	case 1:
		return ~0ULL;
	case 2:
		return 1ULL << (v & 63);
	case 3:
		return (1ULL << (v & 63)) - 1;
	default:
		return v;
	}
}

static void random_buf(u8 *buf)
{
	u64 v;
	int i;

	for (i = 0; i < BUF_SIZE; i += sizeof(v)) {
		v = random_value();
		memcpy(buf + i, &v, sizeof(v));
	}
}

static void random_cpu(struct cpu *c, const struct insn_case *k)
{
	*c = (struct cpu){
		.ax = random_value(),
		.cx = random_value() & k->cx_mask,
		.dx = random_value(),
		.bx = (unsigned long)fi_emu_buf + BUF_MID,
		.di = (unsigned long)fi_emu_buf + BUF_MID,
		.si = (unsigned long)emu_src,
		.flags = (random_value() & ARITH_FLAGS) | X86_EFLAGS_FIXED | X86_EFLAGS_IF,
	};
	if (k->string && random_value() & 1)	/* overlapping */
		c->si = c->di - 3;
	if (random_value() & 1)			/* cmpxchg finds what it wants */
		memcpy(&c->ax, fi_emu_buf + BUF_MID, sizeof(c->ax));
	c->ax &= k->ax_mask;
}

static void to_regs(struct pt_regs *r, const struct cpu *c, const u8 *ip)
{
	memset(r, 0, sizeof(*r));
	r->ax = c->ax;
	r->bx = c->bx;
	r->cx = c->cx;
	r->dx = c->dx;
	r->si = c->si;
	r->di = c->di;
	r->flags = c->flags;
	r->ip = (unsigned long)ip;
}

/* The state before, and after the CPU's way and the emulator's. */
struct run {
	struct cpu before, native;
	struct pt_regs regs;
	u8 mem_before[BUF_SIZE], mem_native[BUF_SIZE];
	const u8 *ip, *end;
	int ret;
};

static void run_both(struct run *r, const struct insn_case *k, struct rights *rights)
{
	struct fi_emu e = { .regs = &r->regs, .may_store = test_may_store, .data = rights };

	random_buf(fi_emu_buf);
	random_buf(emu_src);
	random_cpu(&r->before, k);
	memcpy(r->mem_before, fi_emu_buf, BUF_SIZE);
	r->native = r->before;
	fi_emu_native(&r->native, k->run);
	memcpy(r->mem_native, fi_emu_buf, BUF_SIZE);
	memcpy(fi_emu_buf, r->mem_before, BUF_SIZE);
	r->ip = (const u8 *)k->run + k->begin;
	r->end = (const u8 *)k->run + k->end;
	to_regs(&r->regs, &r->before, r->ip);
	r->ret = fi_emu_run(&e, r->ip, r->end - r->ip);
}

static bool is_native(const struct run *r)
{
	return r->regs.ax == r->native.ax && r->regs.bx == r->native.bx &&
	       r->regs.cx == r->native.cx && r->regs.dx == r->native.dx &&
	       r->regs.si == r->native.si && r->regs.di == r->native.di &&
	       !((r->regs.flags ^ r->native.flags) & ARITH_FLAGS) &&
	       r->regs.ip == (unsigned long)r->end &&
	       !memcmp(fi_emu_buf, r->mem_native, BUF_SIZE);
}

static bool is_unchanged(const struct run *r)
{
	struct pt_regs before;

	to_regs(&before, &r->before, r->ip);
	return !memcmp(&before, &r->regs, sizeof(before)) &&
	       !memcmp(fi_emu_buf, r->mem_before, BUF_SIZE);
}

static void emulate_as_cpu(struct kunit *test)
{
	struct rights all = { .allow = true, .mask = ~0ULL };
	struct run *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	const struct insn_case *k;
	unsigned int n;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (k = fi_emu_cases; k < fi_emu_cases_end; k++) {
		for (n = 0; n < ROUNDS; n++) {
			run_both(r, k, &all);
			KUNIT_ASSERT_EQ_MSG(test, r->ret, 1, "%s", k->name);
			KUNIT_ASSERT_TRUE_MSG(test, is_native(r),
					      "%s: ax %lx/%lx flags %lx: %lx/%lx",
					      k->name, r->native.ax, r->regs.ax,
					      r->before.flags, r->native.flags,
					      r->regs.flags);
		}
	}
}

static void emulate_denied(struct kunit *test)
{
	struct rights none = { .allow = false, .mask = ~0ULL };
	struct run *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	const struct insn_case *k;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (k = fi_emu_cases; k < fi_emu_cases_end; k++) {
		run_both(r, k, &none);
		if (k->cx_mask != ~0UL && k->string && !r->before.cx)
			continue;	/* stores nothing */
		KUNIT_EXPECT_EQ_MSG(test, r->ret, 0, "%s", k->name);
		KUNIT_EXPECT_TRUE_MSG(test, is_unchanged(r), "%s", k->name);
	}
}

/* Do the bits that the CPU changes lie within what is permitted? */
static bool may_change(const struct run *r, const struct rights *rights)
{
	unsigned long off = rights->addr - (unsigned long)fi_emu_buf;
	u64 before = 0, after = 0;

	memcpy(&before, r->mem_before + off, rights->len);
	memcpy(&after, r->mem_native + off, rights->len);
	return !((before ^ after) & ~rights->mask);
}

/* Done if and only if no bit outside the mask changes. */
static void emulate_masked(struct kunit *test)
{
	struct run *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	const struct insn_case *k;
	unsigned int n;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (k = fi_emu_cases; k < fi_emu_cases_end; k++) {
		for (n = 0; n < ROUNDS && !k->string; n++) {
			struct rights some = { .allow = true, .mask = random_value() };
			bool ok;

			run_both(r, k, &some);
			ok = r->ret == 1 ? is_native(r) : is_unchanged(r);
			KUNIT_ASSERT_TRUE_MSG(test, ok, "%s", k->name);
			if (r->ret == -EOPNOTSUPP)	/* a split lock */
				continue;
			KUNIT_ASSERT_EQ_MSG(test, r->ret, may_change(r, &some), "%s",
					    k->name);
		}
	}
}

/* What is no store, or none that is known, is refused before anything else. */
static void emulate_unknown(struct kunit *test)
{
	static const struct {
		const char *name;
		u8 text[12];
	} no[] = {
		{ "mov (%rdi), %eax",		{ 0x8b, 0x07 } },
		{ "mov %eax, %ecx",		{ 0x89, 0xc1 } },
		{ "cmp %eax, (%rdi)",		{ 0x39, 0x07 } },
		{ "cmpl $1, (%rdi)",		{ 0x83, 0x3f, 0x01 } },
		{ "test %eax, (%rdi)",		{ 0x85, 0x07 } },
		{ "testl $1, (%rdi)",		{ 0xf7, 0x07, 1, 0, 0, 0 } },
		{ "mull (%rdi)",		{ 0xf7, 0x27 } },
		{ "call *(%rdi)",		{ 0xff, 0x17 } },
		{ "push (%rdi)",		{ 0xff, 0x37 } },
		{ "push %rax",			{ 0x50 } },
		{ "bt %eax, (%rdi)",		{ 0x0f, 0xa3, 0x07 } },
		{ "btl $1, (%rdi)",		{ 0x0f, 0xba, 0x27, 0x01 } },
		{ "mov %eax, %fs:(%rdi)",	{ 0x64, 0x89, 0x07 } },
		{ "mov %eax, (%edi)",		{ 0x67, 0x89, 0x07 } },
		{ "cmpxchg8b (%rdi)",		{ 0x0f, 0xc7, 0x0f } },
		{ "movups %xmm0, (%rdi)",	{ 0x0f, 0x11, 0x07 } },
		{ "vmovups %xmm0, (%rdi)",	{ 0xc5, 0xf8, 0x11, 0x07 } },
		{ "sgdt (%rdi)",		{ 0x0f, 0x01, 0x07 } },
		{ "fxsave (%rdi)",		{ 0x0f, 0xae, 0x07 } },
		{ "stmxcsr (%rdi)",		{ 0x0f, 0xae, 0x1f } },
		{ "mov %ds, (%rdi)",		{ 0x8c, 0x1f } },
		{ "xchg %eax, %ecx",		{ 0x87, 0xc1 } },
		{ "not an instruction",		{ 0x06 } },
	};
	struct rights all = { .allow = true, .mask = ~0ULL };
	struct pt_regs regs, before;
	struct fi_emu e = { .regs = &regs, .may_store = test_may_store, .data = &all };
	struct cpu c = { .di = (unsigned long)fi_emu_buf };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no); i++) {
		to_regs(&regs, &c, no[i].text);
		before = regs;
		all.len = 0;
		KUNIT_EXPECT_EQ_MSG(test, fi_emu_run(&e, no[i].text, sizeof(no[i].text)),
				    -EOPNOTSUPP, "%s", no[i].name);
		KUNIT_EXPECT_TRUE_MSG(test, !memcmp(&regs, &before, sizeof(regs)),
				      "%s", no[i].name);
		KUNIT_EXPECT_EQ_MSG(test, all.len, 0, "%s: asked", no[i].name);
	}
}

static const u8 mov_eax_rdi[] = { 0x89, 0x87, 0x10, 0x00, 0x00, 0x00 };

/* Bytes behind the end of the text are not looked at. */
static void emulate_truncated(struct kunit *test)
{
	struct rights all = { .allow = true, .mask = ~0ULL };
	struct pt_regs regs;
	struct fi_emu e = { .regs = &regs, .may_store = test_may_store, .data = &all };
	struct cpu c = { .di = (unsigned long)fi_emu_buf };
	size_t n;

	for (n = 0; n <= sizeof(mov_eax_rdi); n++) {
		to_regs(&regs, &c, mov_eax_rdi);
		KUNIT_EXPECT_EQ(test, fi_emu_run(&e, mov_eax_rdi, n),
				n < sizeof(mov_eax_rdi) ? -EOPNOTSUPP : 1);
	}
}

/* pop (%rdi), and with rsp as base: the address counts after the pop. */
static void emulate_pop(struct kunit *test)
{
	static const u8 pop_rdi[] = { 0x8f, 0x07 };
	static const u8 pop_rsp[] = { 0x8f, 0x44, 0x24, 0x10 };
	struct rights all = { .allow = true, .mask = ~0ULL };
	unsigned long *buf = (unsigned long *)fi_emu_buf;
	struct pt_regs regs;
	struct fi_emu e = { .regs = &regs, .may_store = test_may_store, .data = &all };
	struct cpu c = { .di = (unsigned long)&buf[5] };

	memset(fi_emu_buf, 0, BUF_SIZE);
	buf[0] = 0x1122334455667788;
	to_regs(&regs, &c, pop_rdi);
	regs.sp = (unsigned long)buf;
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, pop_rdi, sizeof(pop_rdi)), 1);
	KUNIT_EXPECT_EQ(test, buf[5], buf[0]);
	KUNIT_EXPECT_EQ(test, regs.sp, (unsigned long)&buf[1]);

	to_regs(&regs, &c, pop_rsp);
	regs.sp = (unsigned long)buf;
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, pop_rsp, sizeof(pop_rsp)), 1);
	KUNIT_EXPECT_EQ(test, buf[3], buf[0]);
	all.allow = false;
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, pop_rsp, sizeof(pop_rsp)), 0);
	KUNIT_EXPECT_EQ(test, regs.sp, (unsigned long)&buf[1]);
}

static bool big_may_store(void *data, unsigned long addr, u32 len, u64 *mask)
{
	*mask = ~0ULL;
	return addr + len <= (unsigned long)data;
}

/* A long rep stops in between with registers that say how far it is. */
static void emulate_long_string(struct kunit *test)
{
	static const u8 rep_stosb[] = { 0xf3, 0xaa };
	const unsigned int size = 5000, limit = 4500;
	u8 *buf = kunit_kzalloc(test, size, GFP_KERNEL);
	struct pt_regs regs;
	struct fi_emu e = { .regs = &regs, .may_store = big_may_store };
	struct cpu c = { .ax = 0xa5, .cx = size, .di = (unsigned long)buf };
	int ret, calls = 0;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	e.data = buf + limit;
	to_regs(&regs, &c, rep_stosb);
	do {
		ret = fi_emu_run(&e, rep_stosb, sizeof(rep_stosb));
		KUNIT_EXPECT_EQ(test, regs.di - c.di, size - regs.cx);
		KUNIT_EXPECT_EQ(test, regs.ip, (unsigned long)rep_stosb);
		calls++;
	} while (ret == 1 && calls < 100);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, regs.cx, size - limit);
	KUNIT_EXPECT_TRUE(test, calls > 2);
	KUNIT_EXPECT_EQ(test, buf[limit - 1], 0xa5);
	KUNIT_EXPECT_EQ(test, buf[limit], 0);
	regs.cx = 0;
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, rep_stosb, sizeof(rep_stosb)), 1);
	KUNIT_EXPECT_EQ(test, regs.ip, (unsigned long)rep_stosb + sizeof(rep_stosb));
}

static bool any_may_store(void *data, unsigned long addr, u32 len, u64 *mask)
{
	*mask = ~0ULL;
	return true;
}

/* Memory that is not there is an error, not an oops. */
static void emulate_unmapped(struct kunit *test)
{
	static const u8 incl_rdi[] = { 0xff, 0x07 };
	static const u8 rep_movsb[] = { 0xf3, 0xa4 };
	struct pt_regs regs;
	struct fi_emu e = { .regs = &regs, .may_store = any_may_store };
	struct cpu c = {
		.cx = 1,
		.si = 0xffffc8ffffff0000,	/* a hole between two areas */
		.di = 0xffffc8ffffff0000,
	};

	to_regs(&regs, &c, mov_eax_rdi);
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, mov_eax_rdi, sizeof(mov_eax_rdi)), -EFAULT);
	to_regs(&regs, &c, incl_rdi);
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, incl_rdi, sizeof(incl_rdi)), -EFAULT);
	c.di = (unsigned long)fi_emu_buf;
	to_regs(&regs, &c, rep_movsb);
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, rep_movsb, sizeof(rep_movsb)), -EFAULT);
	KUNIT_EXPECT_EQ(test, regs.cx, 1);
}

/* incl %gs:8(%rdi) */
static void emulate_gs(struct kunit *test)
{
	static const u8 incl_gs[] = { 0x65, 0xff, 0x47, 0x08 };
	struct rights all = { .allow = true, .mask = ~0ULL };
	struct pt_regs regs;
	struct fi_emu e = {
		.regs = &regs,
		.gs_base = (unsigned long)fi_emu_buf - 64,
		.may_store = test_may_store,
		.data = &all,
	};
	struct cpu c = { .di = 72 };

	memset(fi_emu_buf, 0, BUF_SIZE);
	to_regs(&regs, &c, incl_gs);
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, incl_gs, sizeof(incl_gs)), 1);
	KUNIT_EXPECT_EQ(test, fi_emu_buf[16], 1);
}

static int emulate_init(struct kunit *test)
{
	prandom_seed_state(&rnd, 0x5eed);
	return 0;
}

static struct kunit_case emulate_cases[] = {
	KUNIT_CASE(emulate_as_cpu),
	KUNIT_CASE(emulate_denied),
	KUNIT_CASE(emulate_masked),
	KUNIT_CASE(emulate_unknown),
	KUNIT_CASE(emulate_truncated),
	KUNIT_CASE(emulate_pop),
	KUNIT_CASE(emulate_long_string),
	KUNIT_CASE(emulate_unmapped),
	KUNIT_CASE(emulate_gs),
	{ }
};

static struct kunit_suite emulate_suite = {
	.name = "fi_emulate",
	.init = emulate_init,
	.test_cases = emulate_cases,
};

kunit_test_suite(emulate_suite);
