// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver-like code that the violation tests run, compiled as a kernel module would be:
 * tracing hook, retpolines, no red zone, no jump tables.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int v4 __attribute__((vector_size(16)));
typedef int v8 __attribute__((vector_size(32)));

#define NOINLINE __attribute__((noinline, noclone))

extern void host_callback(u64 x);

u64 data[64];
u8 bytes[4096] __attribute__((aligned(64)));
u64 counter;

NOINLINE void store8(u8 *p, u64 v) { *p = v; }
NOINLINE void store16(u16 *p, u64 v) { *p = v; }
NOINLINE void store32(u32 *p, u64 v) { *p = v; }
NOINLINE void store64(u64 *p, u64 v) { *p = v; }
NOINLINE void store128(void *p)
{
	asm volatile("movups %%xmm0,(%0)" :: "r"(p) : "memory");
}

NOINLINE void store256(void *p)
{
	asm volatile("vmovups %%ymm0,(%0)" :: "r"(p) : "memory");
}

NOINLINE void store_nt(u64 *p, u64 v)
{
	asm volatile("movnti %1,(%0)" :: "r"(p), "r"(v) : "memory");
}

NOINLINE void store_fxsave(void *p)
{
	asm volatile("fxsave (%0)" :: "r"(p) : "memory");
}

NOINLINE void store_bts(u64 *p, u64 bit)
{
	asm volatile("lock btsq %1,(%0)" :: "r"(p), "r"(bit) : "memory", "cc");
}

NOINLINE void store_btr32(u32 *p, int bit)
{
	asm volatile("btrl %1,(%0)" :: "r"(p), "r"(bit) : "memory", "cc");
}

NOINLINE void store_btc16(u16 *p, short bit)
{
	asm volatile("btcw %1,(%0)" :: "r"(p), "r"(bit) : "memory", "cc");
}

NOINLINE u64 store_xadd(u64 *p, u64 v)
{
	asm volatile("lock xadd %0,(%1)" : "+r"(v) : "r"(p) : "memory", "cc");
	return v;
}

NOINLINE u64 store_cmpxchg(u64 *p, u64 old, u64 v)
{
	asm volatile("lock cmpxchg %2,(%1)" : "+a"(old) : "r"(p), "r"(v) : "memory", "cc");
	return old;
}

NOINLINE void store_cmpxchg16b(void *p, u64 v)
{
	u64 lo = 0, hi = 0;

	asm volatile("lock cmpxchg16b (%2)" : "+a"(lo), "+d"(hi)
		     : "r"(p), "b"(v), "c"(v) : "memory", "cc");
}

NOINLINE u64 store_xchg(u64 *p, u64 v)
{
	asm volatile("xchg %0,(%1)" : "+r"(v) : "r"(p) : "memory");
	return v;
}

NOINLINE void store_stos(void *p, u64 v, u64 n)
{
	asm volatile("rep stosq" : "+D"(p), "+c"(n) : "a"(v) : "memory");
}

NOINLINE void store_stosb1(void *p, u64 v)
{
	asm volatile("stosb" : "+D"(p) : "a"(v) : "memory");
}

NOINLINE void store_movs(void *p, const void *from, u64 n)
{
	asm volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) :: "memory");
}

NOINLINE void store_pop(u64 *p, u64 v)
{
	asm volatile("push %1; popq (%0)" :: "r"(p), "r"(v) : "memory");
}

NOINLINE void store_set(u8 *p, u64 a, u64 b)
{
	asm volatile("cmp %1,%2; setb (%0)" :: "r"(p), "r"(a), "r"(b) : "memory", "cc");
}

/* the flags live across the store, nowhere to move the check */
NOINLINE u64 store_flags(u64 *p, u64 a, u64 b)
{
	u64 r = 0;

	asm volatile("cmp %2,%3; mov %1,%%rdi; mov %3,(%%rdi); adc $0,%0"
		     : "+r"(r) : "r"(p), "r"(a), "r"(b) : "rdi", "memory", "cc");
	return r;
}

/* Loads, for the option that checks them. */
NOINLINE u64 load8(u8 *p) { return *(volatile u8 *)p; }
NOINLINE u64 load32(u32 *p) { return *(volatile u32 *)p; }
NOINLINE u64 load64(u64 *p) { return *(volatile u64 *)p; }
NOINLINE void load128(void *p)
{
	asm volatile("movups (%0),%%xmm0" :: "r"(p) : "memory");
}

NOINLINE u64 load_cmp(u64 *p, u64 v)
{
	u8 r;

	asm volatile("cmp %2,(%1); sete %0" : "=q"(r) : "r"(p), "r"(v) : "memory", "cc");
	return r;
}

NOINLINE u64 load_bt(u64 *p, u64 bit)
{
	u8 r;

	asm volatile("btq %2,(%1); setc %0" : "=q"(r) : "r"(p), "r"(bit) : "memory", "cc");
	return r;
}

NOINLINE u64 load_push(u64 *p)
{
	u64 r;

	asm volatile("pushq (%1); pop %0" : "=r"(r) : "r"(p) : "memory");
	return r;
}

NOINLINE u64 load_lods(const void *p)
{
	u64 r;

	asm volatile("lodsq" : "=a"(r), "+S"(p) :: "memory");
	return r;
}

/* the flags live across the load, nowhere to move the check */
NOINLINE u64 load_flags(u64 *p, u64 a, u64 b)
{
	u64 r = 0;

	asm volatile("cmp %2,%3; mov %1,%%rdi; mov (%%rdi),%%rdi; adc $0,%0"
		     : "+r"(r) : "r"(p), "r"(a), "r"(b) : "rdi", "memory", "cc");
	return r;
}

NOINLINE void load_movs(const void *from, u64 n)
{
	void *p = bytes;

	asm volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) :: "memory");
}

struct pair { u64 a, b; u32 c; u16 d; u8 e; };

/* several stores of one base: one check */
NOINLINE void store_struct(struct pair *p, u64 v)
{
	p->a = v;
	p->c = v;
	p->e = v;
}

/* overwrites its own return address */
NOINLINE u64 smash(u64 to)
{
	u64 *ret = __builtin_frame_address(0);
	u64 *p = (u64 *)(((u64)&ret) & ~7ul);

	asm volatile("" : "+r"(p));
	/* the return address lies where the frame ends */
	ret = (u64 *)__builtin_frame_address(0) + 1;
	asm volatile("mov %1,(%0)" :: "r"(ret), "r"(to) : "memory");
	return 1;
}

static NOINLINE u64 double_it(u64 x) { return 2 * x; }
static NOINLINE u64 triple_it(u64 x) { return 3 * x; }

u64 (*const ops[2])(u64) = { double_it, triple_it };
u64 (*pointer)(u64) = double_it;

NOINLINE u64 call_pointer(u64 x) { return pointer(x) + 1; }
NOINLINE u64 tail_pointer(u64 x) { return pointer(x + 1); }
NOINLINE u64 call_ops(u64 i, u64 x) { return ops[i & 1](x) + 1; }
NOINLINE u64 address_of_double(void) { return (u64)double_it; }
NOINLINE void call_host(u64 x) { host_callback(x); counter++; }
NOINLINE void tail_host(u64 x) { host_callback(x); }
NOINLINE u64 tail_smash(u64 to)
{
	u64 *ret = (u64 *)__builtin_frame_address(0) + 1;

	asm volatile("mov %1,(%0)" :: "r"(ret), "r"(to) : "memory");
	host_callback(to);
	return 1;
}

NOINLINE u64 recurse(u64 n) { return n < 2 ? n : recurse(n - 1) + recurse(n - 2); }

NOINLINE u64 divide(u64 a, u64 b) { return a / b; }
NOINLINE void bug(void) { asm volatile("ud2"); }
NOINLINE u64 load(u64 *p) { return *p; }
NOINLINE void halt(void) { asm volatile("hlt"); }
NOINLINE void port(u16 p, u8 v) { asm volatile("outb %1,%0" :: "Nd"(p), "a"(v)); }
NOINLINE void port_imm(u8 v) { asm volatile("outb %0,$0x80" :: "a"(v)); }
NOINLINE u64 read_port(u64 was, u16 p)
{
	asm volatile("inb %w1,%b0" : "+a"(was) : "Nd"(p));
	return was;
}

NOINLINE void set_df(void) { asm volatile("std"); }
NOINLINE void write_cr(u64 v) { asm volatile("mov %0,%%cr0" :: "r"(v)); }

/* an array of a block's own: rsp is saved, lowered and loaded again, @x too high */
asm(".globl block_array\n"
    ".balign 16\n"
    ".type block_array, @function\n"
    "block_array: endbr64; call __fentry__; push %r14; push %rbx\n"
    "mov %rsp, %r14; sub $64, %rsp; mov %rdi, 8(%rsp); mov 8(%rsp), %rbx\n"
    "add %rdi, %r14; mov %r14, %rsp\n"
    "push %rbx; pop %rax; pop %rbx; pop %r14; ret\n"
    ".size block_array, . - block_array\n"
    /* a store above the frame: the caller's */
    ".globl store_above\n"
    ".balign 16\n"
    ".type store_above, @function\n"
    "store_above: endbr64; call __fentry__; push %rbx\n"
    "mov %rdi, (%rsp); mov %rdi, 40(%rsp); pop %rbx; ret\n"
    ".size store_above, . - store_above\n");

NOINLINE u64 frame(u64 x)
{
	volatile u64 a[16];

	for (int i = 0; i < 16; i++)
		a[i] = x + i;
	return a[3] + a[15];
}

/* a static key's site, a load with a fixup, a direct call */
u64 key;

NOINLINE u64 keyed(u64 x)
{
	asm goto("1: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
		 ".pushsection __jump_table, \"aw\"\n\t"
		 ".balign 8\n\t"
		 ".long 1b - ., %l[yes] - .\n\t"
		 ".quad key - .\n\t"
		 ".popsection" :::: yes);
	return x + 1;
yes:
	return x + 100;
}

/* tail calls whose sites the kernel patches: jmp, and a conditional one */
u64 demo_key;
asm(".macro SITE label\n"
    ".pushsection .static_call_sites, \"aw\"\n"
    ".balign 8\n"
    ".long \\label - ., demo_key - . + 1\n"
    ".popsection\n"
    ".endm\n"
    ".globl tail_site, cond_site, smash_site, smash_cond\n"
    ".balign 16\n"
    ".type tail_site, @function\n"
    "tail_site: endbr64; call __fentry__; add $1, %rdi\n"
    "1: jmp __SCT__demo\n"
    "SITE 1b\n"
    ".size tail_site, . - tail_site\n"
    ".balign 16\n"
    ".type cond_site, @function\n"
    "cond_site: endbr64; call __fentry__; test %rdi, %rdi\n"
    "1: je __SCT__demo\n"
    "SITE 1b\n"
    "mov $7, %eax; ret\n"
    ".size cond_site, . - cond_site\n"
    ".balign 16\n"
    ".type smash_site, @function\n"
    "smash_site: endbr64; call __fentry__; mov %rdi, (%rsp)\n"
    "1: jmp __SCT__demo\n"
    "SITE 1b\n"
    ".size smash_site, . - smash_site\n"
    ".balign 16\n"
    ".type smash_cond, @function\n"
    "smash_cond: endbr64; call __fentry__; mov %rdi, (%rsp); test %rsi, %rsi\n"
    "1: je __SCT__demo\n"
    "SITE 1b\n"
    "ud2\n"
    ".size smash_cond, . - smash_cond\n"
    /* assembly that goes on in the next symbol, as a second entry */
    ".globl two_entries, second_entry\n"
    ".balign 16\n"
    ".type two_entries, @function\n"
    "two_entries: add $100, %rdi\n"
    ".size two_entries, . - two_entries\n"
    ".type second_entry, @function\n"
    "second_entry: lea 5(%rdi), %rax; ret\n"
    ".size second_entry, . - second_entry\n");

NOINLINE u64 load_safe(u64 *p)
{
	u64 v, bad = 0;

	asm volatile("1: mov (%2), %0\n"
		     "2:\n"
		     ".pushsection .text.fixup, \"ax\"\n"
		     ".popsection\n"
		     "jmp 4f\n"
		     "3: mov $-1, %0\n"
		     "mov $1, %1\n"
		     "4:\n"
		     ".pushsection __ex_table, \"a\"\n"
		     ".balign 4\n"
		     ".long 1b - ., 3b - ., 0\n"
		     ".popsection\n"
		     : "=&r"(v), "+r"(bad) : "r"(p));
	return bad ? 0xbad : v;
}

NOINLINE u64 leaf(u64 x) { return x + 0x11223344; }
NOINLINE u64 call_leaf(u64 x) { return leaf(x) * 2; }
u64 (*const leaf_pointer)(u64) = leaf;
NOINLINE u64 call_leaf_pointer(u64 x) { return leaf_pointer(x) * 2; }

/* loops over memory, one store a round */
#define LOOP_OF(name, type, stride)					\
NOINLINE void name(type *p, u64 v, u64 n)				\
{									\
	type *end = (type *)((u8 *)p + n * (stride));			\
									\
	while (p != end) {						\
		*(volatile type *)p = v;				\
		p = (type *)((u8 *)p + (stride));			\
	}								\
}

LOOP_OF(loop8, u8, 1)
LOOP_OF(loop32, u32, 4)
LOOP_OF(loop64, u64, 8)
LOOP_OF(loop_gap, u32, 24)

NOINLINE void loop_index(u16 *p, u64 v, u64 n)
{
	for (u64 i = 0; i < n; i++)
		((volatile u16 *)p)[i] = v + i;
}

/* the counter is a scaled index, not the pointer */
NOINLINE void loop_scaled(u64 *p, u64 v, u64 n)
{
	u64 i = 0;

	asm volatile("1: mov %2, (%1,%0,8); add $1, %0; cmp %3, %0; jne 1b"
		     : "+r"(i) : "r"(p), "r"(v), "r"(n) : "memory", "cc");
}

NOINLINE void loop_two(struct pair *p, u64 v, u64 n)
{
	for (struct pair *e = p + n; p != e; p++) {
		*(volatile u64 *)&p->b = v;
		*(volatile u32 *)&p->c = v;
	}
}
