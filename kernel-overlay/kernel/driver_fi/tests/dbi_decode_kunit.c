// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: what the engine makes of instructions: every way of writing memory that
 * Debian's modules use, and the memory of the decoder against the decoder.
 */

#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <asm/sections.h>

#include "../dbi/internal.h"

#define R(r)	FI_REG(FI_##r)

struct form {
	const char *name;
	u8 code[12];
	u8 len, kind, store, sens;
	u16 size;
	u16 use, def;
};

static const struct form forms[] = {
	{ "mov %rsi,8(%rdi)", { 0x48, 0x89, 0x77, 0x08 }, 4, FI_I_PLAIN, FI_S_PLAIN, 0, 8,
	  R(RSI) | R(RDI), 0 },
	{ "movb $1,(%rax,%rcx,4)", { 0xc6, 0x04, 0x88, 0x01 }, 4, FI_I_PLAIN, FI_S_PLAIN, 0, 1,
	  R(RAX) | R(RCX), 0 },
	{ "mov %ax,0x1000(%rip)", { 0x66, 0x89, 0x05, 0x00, 0x10, 0x00, 0x00 }, 7,
	  FI_I_PLAIN, FI_S_PLAIN, 0, 2, R(RAX), 0 },
	{ "push %rbx", { 0x53 }, 1, FI_I_PLAIN, FI_S_NONE, 0, 8, R(RBX) | R(RSP), R(RSP) },
	{ "pop 8(%rax)", { 0x8f, 0x40, 0x08 }, 3, FI_I_PLAIN, FI_S_POP, 0, 8,
	  R(RAX) | R(RSP), R(RSP) },
	{ "rep stosq", { 0xf3, 0x48, 0xab }, 3, FI_I_PLAIN, FI_S_REP, 0, 8,
	  R(RAX) | R(RCX) | R(RDI), 0 },
	{ "stosb", { 0xaa }, 1, FI_I_PLAIN, FI_S_STRING, 0, 1, R(RAX) | R(RDI), R(RDI) },
	{ "rep movsd", { 0xf3, 0xa5 }, 2, FI_I_PLAIN, FI_S_REP, 0, 4,
	  R(RCX) | R(RSI) | R(RDI), 0 },
	{ "rep insw", { 0xf3, 0x66, 0x6d }, 3, FI_I_PLAIN, FI_S_REP, FI_SENS_PORT, 2,
	  R(RCX) | R(RDX) | R(RDI), 0 },
	{ "lock bts %rax,(%rdi)", { 0xf0, 0x48, 0x0f, 0xab, 0x07 }, 5, FI_I_PLAIN, FI_S_BITREG,
	  0, 8, R(RAX) | R(RDI), 0 },
	{ "btrl $3,(%rdi)", { 0x0f, 0xba, 0x37, 0x03 }, 4, FI_I_PLAIN, FI_S_PLAIN, 0, 4,
	  R(RDI), 0 },
	{ "lock xadd %eax,(%rdi)", { 0xf0, 0x0f, 0xc1, 0x07 }, 4, FI_I_PLAIN, FI_S_PLAIN, 0, 4,
	  R(RAX) | R(RDI), R(RAX) },
	{ "lock cmpxchg %rsi,(%rdi)", { 0xf0, 0x48, 0x0f, 0xb1, 0x37 }, 5, FI_I_PLAIN,
	  FI_S_PLAIN, 0, 8, R(RAX) | R(RSI) | R(RDI), 0 },
	{ "cmpxchg16b (%rdi)", { 0x48, 0x0f, 0xc7, 0x0f }, 4, FI_I_PLAIN, FI_S_PLAIN, 0, 16,
	  R(RAX) | R(RBX) | R(RCX) | R(RDX) | R(RDI), 0 },
	{ "movnti %rax,(%rdi)", { 0x48, 0x0f, 0xc3, 0x07 }, 4, FI_I_PLAIN, FI_S_PLAIN, 0, 8,
	  R(RAX) | R(RDI), 0 },
	{ "movups %xmm0,(%rdi)", { 0x0f, 0x11, 0x07 }, 3, FI_I_PLAIN, FI_S_PLAIN, 0, 16,
	  R(RDI), 0 },
	{ "vmovdqu %ymm0,(%rdi)", { 0xc5, 0xfe, 0x7f, 0x07 }, 4, FI_I_PLAIN, FI_S_PLAIN, 0, 32,
	  R(RDI), 0 },
	{ "fxsave (%rdi)", { 0x0f, 0xae, 0x07 }, 3, FI_I_PLAIN, FI_S_PLAIN, 0, 512, R(RDI), 0 },
	{ "movdir64b (%rsi),%rdi", { 0x66, 0x0f, 0x38, 0xf8, 0x3e }, 5, FI_I_PLAIN, FI_S_AT_REG,
	  0, 64, R(RSI) | R(RDI), 0 },
	{ "mov %rax,%gs:0x10", { 0x65, 0x48, 0x89, 0x04, 0x25, 0x10, 0x00, 0x00, 0x00 }, 9,
	  FI_I_PLAIN, FI_S_GS, 0, 8, R(RAX), 0 },
	{ "xsave (%rdi)", { 0x0f, 0xae, 0x27 }, 3, FI_I_PLAIN, FI_S_NONE, FI_SENS_STORE, 0,
	  R(RAX) | R(RDX) | R(RDI), 0 },
	{ "sidt (%rdi)", { 0x0f, 0x01, 0x0f }, 3, FI_I_PLAIN, FI_S_PLAIN, FI_SENS_TABLE, 10,
	  R(RDI), 0 },
	{ "clflush (%rdi)", { 0x0f, 0xae, 0x3f }, 3, FI_I_PLAIN, FI_S_NONE, FI_SENS_CACHE, 0,
	  R(RDI), 0 },
	{ "nopl (%rax)", { 0x0f, 0x1f, 0x00 }, 3, FI_I_NOP, FI_S_NONE, 0, 0, R(RAX), 0 },
	{ "xor %eax,%eax", { 0x31, 0xc0 }, 2, FI_I_PLAIN, FI_S_NONE, 0, 0, 0, R(RAX) },
	{ "call *%rax", { 0xff, 0xd0 }, 2, FI_I_ICALL, FI_S_NONE, 0, 0, R(RAX) | R(RSP), R(RSP) },
	{ "jmp *8(%rbx)", { 0xff, 0x63, 0x08 }, 3, FI_I_IJMP, FI_S_NONE, 0, 0, R(RBX), 0 },
	{ "ret", { 0xc3 }, 1, FI_I_RET, FI_S_NONE, 0, 0, R(RSP), R(RSP) },
	{ "ud2", { 0x0f, 0x0b }, 2, FI_I_UD, FI_S_NONE, 0, 0, 0, 0 },
	{ "cli", { 0xfa }, 1, FI_I_PLAIN, FI_S_NONE, FI_SENS_IRQFLAG, 0, 0, 0 },
	{ "wrmsr", { 0x0f, 0x30 }, 2, FI_I_PLAIN, FI_S_NONE, FI_SENS_MSR, 0,
	  R(RAX) | R(RCX) | R(RDX), 0 },
	{ "mov %rax,%cr4", { 0x0f, 0x22, 0xe0 }, 3, FI_I_PLAIN, FI_S_NONE, FI_SENS_CR, 0,
	  R(RAX), 0 },
};

struct decoder {
	struct fi_dbi_unit u;
	struct fi_dbi_config cfg;
	struct fi_dbi_env env;
	struct fi_insn a, b;
};

static void *t_alloc(void *ctx, size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

static void t_free(void *ctx, void *p)
{
	kvfree(p);
}

static int decode_init(struct kunit *test)
{
	struct decoder *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	fi_dbi_config_default(&d->cfg);
	d->env = (struct fi_dbi_env){ .alloc = t_alloc, .free = t_free };
	d->u.cfg = &d->cfg;
	d->u.env = &d->env;
	d->u.dec = kunit_kzalloc(test, fi_decode_scratch(), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d->u.dec);
	fi_decode_init(d->u.dec);
	test->priv = d;
	return 0;
}

static void decode_exit(struct kunit *test)
{
	struct decoder *d = test->priv;

	if (d)
		fi_memo_drop(&d->u);
}

static void dbi_decode_forms(struct kunit *test)
{
	struct decoder *d = test->priv;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];
		const struct fi_insn *in = &d->a;

		KUNIT_EXPECT_EQ_MSG(test, fi_decode(&d->u, f->code, f->len, 0x1000, &d->a),
				    f->len, "%s", f->name);
		KUNIT_EXPECT_EQ_MSG(test, in->kind, f->kind, "%s", f->name);
		KUNIT_EXPECT_EQ_MSG(test, in->store, f->store, "%s", f->name);
		KUNIT_EXPECT_EQ_MSG(test, in->sens, f->sens, "%s", f->name);
		KUNIT_EXPECT_EQ_MSG(test, in->use, f->use, "%s", f->name);
		KUNIT_EXPECT_EQ_MSG(test, in->def & ~in->use, f->def & ~f->use, "%s", f->name);
		if (f->store)
			KUNIT_EXPECT_EQ_MSG(test, in->size, f->size, "%s", f->name);
		/* cut off, it is none */
		KUNIT_EXPECT_EQ_MSG(test, fi_decode(&d->u, f->code, f->len - 1, 0, &d->a), 0,
				    "%s", f->name);
	}
}

/* The kernel's own text: as good a sample of its language as any. */
static void dbi_decode_memory(struct kunit *test)
{
	struct decoder *d = test->priv;
	const u8 *text = (const u8 *)_stext;
	u32 off = 0, size = min_t(size_t, _etext - _stext, SZ_512K), differ = 0, known = 0, n = 0;

	while (off < size) {
		u32 avail = min(size - off, 15u), la, lb;
		u64 va = (u64)text + off;

		known += fi_memo_recall(&d->u.memo, text + off, avail, va, &d->b) != 0;
		lb = fi_decode(&d->u, text + off, avail, va, &d->b);
		la = fi_decode_anew(&d->u, text + off, avail, va, &d->a, NULL);
		differ += la != lb || (la && memcmp(&d->a, &d->b, sizeof(d->a)));
		off += la ? la : 1;
		n++;
	}
	kunit_info(test, "%u instructions, %u known from %u beginnings", n, known,
		   d->u.memo.nr_insns);
	KUNIT_EXPECT_EQ(test, differ, 0);
	KUNIT_EXPECT_GT(test, n, 50000);
	KUNIT_EXPECT_GT(test, known, n / 2);
	KUNIT_EXPECT_EQ(test, fi_zydis_unreachable, 0);
}

static struct kunit_case decode_cases[] = {
	KUNIT_CASE(dbi_decode_forms),
	KUNIT_CASE(dbi_decode_memory),
	{}
};

static struct kunit_suite decode_suite = {
	.name = "driver_fi_dbi_decode",
	.init = decode_init,
	.exit = decode_exit,
	.test_cases = decode_cases,
};

kunit_test_suite(decode_suite);

MODULE_DESCRIPTION("KUnit tests of the driver fault isolation engine's decoding");
MODULE_LICENSE("GPL");
