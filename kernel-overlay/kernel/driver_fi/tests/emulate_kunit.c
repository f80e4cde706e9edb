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

#define ROUNDS		200
#define BUF_SIZE	192
/* Operands are around here, so that both sides stay in the buffer. */
#define BUF_MID		96

#define ARITH_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

static u8 emu_buf[BUF_SIZE] __aligned(64);
static u8 emu_src[BUF_SIZE] __aligned(64);

/* What an instruction works on, apart from memory. */
struct cpu {
	unsigned long ax, bx, cx, dx, si, di, flags;
};

/**
 * struct insn_case - an instruction
 * @name: its text
 * @run: runs it natively and says where it stands
 * @cx_mask: bits of cx that may be set: an index or a count must stay small
 * @ax_mask: likewise of ax, for bit offsets
 * @string: rdi and rsi move
 */
struct insn_case {
	const char *name;
	void (*run)(struct cpu *c, const u8 **start, const u8 **end);
	unsigned long cx_mask;
	unsigned long ax_mask;
	bool string;
};

/* rdi and rbx point into the buffer, rsi into the source. */
#define NATIVE(id, text)						\
static void native_##id(struct cpu *c, const u8 **start, const u8 **end)	\
{									\
	register unsigned long fl asm("r8") = c->flags;			\
	register const u8 *from asm("r9");				\
	register const u8 *to asm("r10");				\
									\
	asm volatile("leaq 771f(%%rip), %[from]\n\t"			\
		     "leaq 772f(%%rip), %[to]\n\t"			\
		     "pushq %[fl]\n\t"					\
		     "popfq\n"						\
		     "771:\t" text "\n"					\
		     "772:\tpushfq\n\t"					\
		     "popq %[fl]"					\
		     : "+a" (c->ax), "+b" (c->bx), "+c" (c->cx),	\
		       "+d" (c->dx), "+S" (c->si), "+D" (c->di),	\
		       [fl] "+r" (fl), [from] "=&r" (from), [to] "=&r" (to) \
		     : [buf] "i" (emu_buf) : "cc", "memory");		\
	c->flags = fl;							\
	*start = from;							\
	*end = to;							\
}

/* X(id, text, cx_mask, ax_mask, string) */
#define BINARY(X, op)							\
	X(op##_b, #op " %%dl, (%%rdi)", ~0, ~0, 0)			\
	X(op##_ah, #op " %%ah, 3(%%rdi)", ~0, ~0, 0)			\
	X(op##_w, #op " %%dx, -6(%%rbx)", ~0, ~0, 0)			\
	X(op##_l, #op " %%eax, 4(%%rdi,%%rcx,4)", 7, ~0, 0)		\
	X(op##_q, #op " %%rax, (%%rbx,%%rcx,8)", 3, ~0, 0)		\
	X(op##_lock, "lock " #op "l %%edx, 8(%%rdi)", ~0, ~0, 0)	\
	X(op##_unal, #op " %%rdx, 29(%%rdi)", ~0, ~0, 0)		\
	X(op##_bi, #op "b $0x85, (%%rdi)", ~0, ~0, 0)			\
	X(op##_wi, #op "w $0x1234, (%%rdi)", ~0, ~0, 0)			\
	X(op##_li, #op "l $0x12345678, (%%rdi)", ~0, ~0, 0)		\
	X(op##_qi8, #op "q $-3, (%%rdi)", ~0, ~0, 0)			\
	X(op##_qi, #op "q $-0x12345678, (%%rdi)", ~0, ~0, 0)

#define UNARY(X, op)							\
	X(op##_b, #op "b (%%rdi)", ~0, ~0, 0)				\
	X(op##_w, #op "w (%%rdi)", ~0, ~0, 0)				\
	X(op##_l, #op "l 12(%%rbx)", ~0, ~0, 0)				\
	X(op##_q, #op "q (%%rdi,%%rcx)", 15, ~0, 0)			\
	X(op##_lock, "lock " #op "l (%%rdi)", ~0, ~0, 0)

#define SHIFT(X, op)							\
	X(op##_b1, #op "b (%%rdi)", ~0, ~0, 0)				\
	X(op##_w5, #op "w $5, (%%rdi)", ~0, ~0, 0)			\
	X(op##_bc, #op "b %%cl, (%%rdi)", ~0, ~0, 0)			\
	X(op##_lc, #op "l %%cl, (%%rdi)", ~0, ~0, 0)			\
	X(op##_qc, #op "q %%cl, (%%rdi)", ~0, ~0, 0)

#define BIT(X, op)							\
	X(op##_w, #op " %%ax, (%%rdi)", ~0, 0xffffffffffff00ff, 0)	\
	X(op##_l, #op " %%eax, (%%rdi)", ~0, 0xff, 0)			\
	X(op##_lock, "lock " #op " %%rax, (%%rdi)", ~0, 0xff, 0)	\
	X(op##_li, #op "l $37, (%%rdi)", ~0, ~0, 0)			\
	X(op##_qi, "lock " #op "q $63, (%%rdi)", ~0, ~0, 0)

#define SETCC(X, cc)							\
	X(set##cc, "set" #cc " (%%rdi)", ~0, ~0, 0)

#define ALL(X)								\
	BINARY(X, add) BINARY(X, or) BINARY(X, adc) BINARY(X, sbb)	\
	BINARY(X, and) BINARY(X, sub) BINARY(X, xor)			\
	UNARY(X, inc) UNARY(X, dec) UNARY(X, not) UNARY(X, neg)		\
	SHIFT(X, rol) SHIFT(X, ror) SHIFT(X, rcl) SHIFT(X, rcr)		\
	SHIFT(X, shl) SHIFT(X, shr) SHIFT(X, sar)			\
	BIT(X, bts) BIT(X, btr) BIT(X, btc)				\
	SETCC(X, o) SETCC(X, no) SETCC(X, b) SETCC(X, nb)		\
	SETCC(X, z) SETCC(X, nz) SETCC(X, be) SETCC(X, nbe)		\
	SETCC(X, s) SETCC(X, ns) SETCC(X, p) SETCC(X, np)		\
	SETCC(X, l) SETCC(X, nl) SETCC(X, le) SETCC(X, nle)		\
	X(mov_b, "mov %%dl, (%%rdi)", ~0, ~0, 0)			\
	X(mov_ch, "mov %%ch, (%%rdi)", ~0, ~0, 0)			\
	X(mov_sil, "mov %%sil, (%%rdi)", ~0, ~0, 0)			\
	X(mov_w, "mov %%dx, (%%rdi)", ~0, ~0, 0)			\
	X(mov_l, "mov %%eax, 4(%%rdi,%%rcx,2)", 15, ~0, 0)		\
	X(mov_q, "mov %%rsi, 11(%%rdi)", ~0, ~0, 0)			\
	X(mov_bi, "movb $0x7f, (%%rdi)", ~0, ~0, 0)			\
	X(mov_wi, "movw $0x8765, (%%rdi)", ~0, ~0, 0)			\
	X(mov_qi, "movq $-2, (%%rdi)", ~0, ~0, 0)			\
	X(mov_rip, "mov %%rax, %c[buf]+88(%%rip)", ~0, ~0, 0)		\
	X(add_rip, "addl $77, %c[buf]+88(%%rip)", ~0, ~0, 0)		\
	X(movnti, "movnti %%rax, (%%rdi)", ~0, ~0, 0)			\
	X(xchg_b, "xchg %%dl, (%%rdi)", ~0, ~0, 0)			\
	X(xchg_h, "xchg %%dh, (%%rdi)", ~0, ~0, 0)			\
	X(xchg_l, "xchg %%edx, (%%rdi)", ~0, ~0, 0)			\
	X(xchg_q, "xchg %%rax, (%%rbx)", ~0, ~0, 0)			\
	X(xadd_b, "lock xadd %%al, (%%rdi)", ~0, ~0, 0)			\
	X(xadd_w, "xadd %%dx, (%%rdi)", ~0, ~0, 0)			\
	X(xadd_l, "lock xadd %%eax, (%%rdi)", ~0, ~0, 0)		\
	X(xadd_q, "xadd %%rdx, (%%rdi)", ~0, ~0, 0)			\
	X(cmpxchg_b, "lock cmpxchg %%dl, (%%rdi)", ~0, ~0, 0)		\
	X(cmpxchg_w, "cmpxchg %%dx, (%%rdi)", ~0, ~0, 0)		\
	X(cmpxchg_l, "lock cmpxchg %%edx, (%%rdi)", ~0, ~0, 0)		\
	X(cmpxchg_q, "lock cmpxchg %%rdx, (%%rdi)", ~0, ~0, 0)		\
	X(cmpxchg_eq, "movq (%%rdi), %%rax\n\tlock cmpxchg %%rdx, (%%rdi)", ~0, ~0, 0) \
	X(stosb, "stosb", ~0, ~0, 1)					\
	X(stosq, "stosq", ~0, ~0, 1)					\
	X(movsl, "movsl", ~0, ~0, 1)					\
	X(rep_stosb, "rep stosb", 31, ~0, 1)				\
	X(rep_stosw, "rep stosw", 15, ~0, 1)				\
	X(rep_movsb, "rep movsb", 31, ~0, 1)				\
	X(rep_movsq, "rep movsq", 7, ~0, 1)

#define DEFINE(id, text, cx, ax, str)	NATIVE(id, text)
#define ENTRY(id, text, cx, ax, str)	{ text, native_##id, cx, ax, str },

ALL(DEFINE)

static const struct insn_case cases[] = { ALL(ENTRY) };

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
	if (addr < (unsigned long)emu_buf || addr + len > (unsigned long)emu_buf + BUF_SIZE)
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
		.ax = random_value() & k->ax_mask,
		.cx = random_value() & k->cx_mask,
		.dx = random_value(),
		.bx = (unsigned long)emu_buf + BUF_MID,
		.di = (unsigned long)emu_buf + BUF_MID,
		.si = (unsigned long)emu_src,
		.flags = (random_value() & ARITH_FLAGS) | X86_EFLAGS_FIXED | X86_EFLAGS_IF,
	};
	if (k->string && random_value() & 1)	/* overlapping */
		c->si = c->di - 3;
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

/* An instruction may stand behind one that prepares it: the last counts. */
static const u8 *last_insn(const u8 *start, const u8 *end)
{
	struct insn insn;

	while (!insn_decode(&insn, start, end - start, INSN_MODE_64) &&
	       start + insn.length < end)
		start += insn.length;
	return start;
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

	random_buf(emu_buf);
	random_buf(emu_src);
	random_cpu(&r->before, k);
	memcpy(r->mem_before, emu_buf, BUF_SIZE);
	r->native = r->before;
	k->run(&r->native, &r->ip, &r->end);
	memcpy(r->mem_native, emu_buf, BUF_SIZE);
	memcpy(emu_buf, r->mem_before, BUF_SIZE);
	to_regs(&r->regs, &r->before, r->ip);
	if (last_insn(r->ip, r->end) != r->ip) {	/* cmpxchg_eq */
		r->ip = last_insn(r->ip, r->end);
		r->regs.ip = (unsigned long)r->ip;
		memcpy(&r->regs.ax, emu_buf + BUF_MID, 8);
		r->before.ax = r->regs.ax;
	}
	r->ret = fi_emu_run(&e, r->ip, r->end - r->ip);
}

static bool is_native(const struct run *r)
{
	return r->regs.ax == r->native.ax && r->regs.bx == r->native.bx &&
	       r->regs.cx == r->native.cx && r->regs.dx == r->native.dx &&
	       r->regs.si == r->native.si && r->regs.di == r->native.di &&
	       !((r->regs.flags ^ r->native.flags) & ARITH_FLAGS) &&
	       r->regs.ip == (unsigned long)r->end &&
	       !memcmp(emu_buf, r->mem_native, BUF_SIZE);
}

static bool is_unchanged(const struct run *r)
{
	struct pt_regs before;

	to_regs(&before, &r->before, r->ip);
	return !memcmp(&before, &r->regs, sizeof(before)) &&
	       !memcmp(emu_buf, r->mem_before, BUF_SIZE);
}

static void emulate_as_cpu(struct kunit *test)
{
	struct rights all = { .allow = true, .mask = ~0ULL };
	struct run *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int i, n;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (n = 0; n < ROUNDS; n++) {
			run_both(r, &cases[i], &all);
			KUNIT_ASSERT_EQ_MSG(test, r->ret, 1, "%s", cases[i].name);
			KUNIT_ASSERT_TRUE_MSG(test, is_native(r),
					      "%s: ax %lx/%lx flags %lx: %lx/%lx",
					      cases[i].name, r->native.ax, r->regs.ax,
					      r->before.flags, r->native.flags,
					      r->regs.flags);
		}
	}
}

static void emulate_denied(struct kunit *test)
{
	struct rights none = { .allow = false, .mask = ~0ULL };
	struct run *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		run_both(r, &cases[i], &none);
		if (cases[i].cx_mask != ~0 && cases[i].string && !r->before.cx)
			continue;	/* stores nothing */
		KUNIT_EXPECT_EQ_MSG(test, r->ret, 0, "%s", cases[i].name);
		KUNIT_EXPECT_TRUE_MSG(test, is_unchanged(r), "%s", cases[i].name);
	}
}

/* Do the bits that the CPU changes lie within what is permitted? */
static bool may_change(const struct run *r, const struct rights *rights)
{
	unsigned long off = rights->addr - (unsigned long)emu_buf;
	u64 before = 0, after = 0;

	memcpy(&before, r->mem_before + off, rights->len);
	memcpy(&after, r->mem_native + off, rights->len);
	return !((before ^ after) & ~rights->mask);
}

/* Done if and only if no bit outside the mask changes. */
static void emulate_masked(struct kunit *test)
{
	struct run *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int i, n;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (n = 0; n < ROUNDS && !cases[i].string; n++) {
			struct rights some = { .allow = true, .mask = random_value() };
			bool ok;

			run_both(r, &cases[i], &some);
			ok = r->ret == 1 ? is_native(r) : is_unchanged(r);
			KUNIT_ASSERT_TRUE_MSG(test, ok, "%s", cases[i].name);
			if (r->ret == -EOPNOTSUPP)	/* a split lock */
				continue;
			KUNIT_ASSERT_EQ_MSG(test, r->ret, may_change(r, &some), "%s",
					    cases[i].name);
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
	struct cpu c = { .di = (unsigned long)emu_buf };
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
	struct cpu c = { .di = (unsigned long)emu_buf };
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
	unsigned long *buf = (unsigned long *)emu_buf;
	struct pt_regs regs;
	struct fi_emu e = { .regs = &regs, .may_store = test_may_store, .data = &all };
	struct cpu c = { .di = (unsigned long)&buf[5] };

	memset(emu_buf, 0, BUF_SIZE);
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
	c.di = (unsigned long)emu_buf;
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
		.gs_base = (unsigned long)emu_buf - 64,
		.may_store = test_may_store,
		.data = &all,
	};
	struct cpu c = { .di = 72 };

	memset(emu_buf, 0, BUF_SIZE);
	to_regs(&regs, &c, incl_gs);
	KUNIT_EXPECT_EQ(test, fi_emu_run(&e, incl_gs, sizeof(incl_gs)), 1);
	KUNIT_EXPECT_EQ(test, emu_buf[16], 1);
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
