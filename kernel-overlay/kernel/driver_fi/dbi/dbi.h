/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instrumentation engine: translates a module's functions into a code cache
 * with checks on stores and control flow. Knows no domain: it gets the module's
 * text and tables, an environment and a configuration. The contract of the
 * emitted code is Documentation/dbi.rst.
 */
#ifndef _FI_DBI_H
#define _FI_DBI_H

#include "os.h"

struct fi_dbi_unit;

/* General registers by encoding number, as bits of a mask. */
enum {
	FI_RAX, FI_RCX, FI_RDX, FI_RBX, FI_RSP, FI_RBP, FI_RSI, FI_RDI,
	FI_R8, FI_R9, FI_R10, FI_R11, FI_R12, FI_R13, FI_R14, FI_R15,
	FI_NR_REGS,
	FI_NOREG = 0xff,
};

enum fi_dbi_checks {
	FI_DBI_NONE,		/* translation only */
	FI_DBI_BYTE,		/* one permission bit per byte */
	FI_DBI_SEGMENT,		/* trap outside one aligned segment */
	FI_DBI_SANDBOX,		/* force the address into the segment */
};

/**
 * struct fi_dbi_text - a run of original text
 * @va: its address in the running module
 * @bytes: a pristine copy of what stands there after relocation, alternatives,
 *	retpolines and returns
 */
struct fi_dbi_text {
	u64 va;
	u32 size;
	const u8 *bytes;
};

#define FI_DBI_FN_COLD	BIT(0)	/* a part of another function (".cold") */
#define FI_DBI_FN_TAKEN	BIT(1)	/* legal target of indirect calls */
#define FI_DBI_FN_ABI	BIT(2)	/* compiled C: caller-saved dead at return */

/**
 * struct fi_dbi_func - one function symbol; the array is sorted by @va
 */
struct fi_dbi_func {
	u64 va;
	u32 size;
	u32 flags;
	const char *name;
};

enum fi_dbi_edge_kind {
	FI_DBI_EDGE_JUMP_LABEL,	/* @from may jump to @to, or not */
	FI_DBI_EDGE_EXTABLE,	/* @from may fault and go on at @to */
	FI_DBI_EDGE_STATIC_CALL,/* call or jmp at @from is patched at run time */
};

/* A control-flow edge that the bytes do not show; sorted by @from. */
struct fi_dbi_edge {
	u64 from;
	u64 to;
	enum fi_dbi_edge_kind kind;
};

enum fi_dbi_target_kind {
	FI_DBI_T_UNKNOWN,	/* refuse the caller */
	FI_DBI_T_CALL,		/* a C function; go there by address @to */
	FI_DBI_T_TRANSPARENT,	/* same, but keeps every register */
	FI_DBI_T_FENTRY,	/* tracing hook: leave the call out */
	FI_DBI_T_RETURN,	/* return thunk: jmp there is a ret */
	FI_DBI_T_THUNK,		/* indirect thunk of register @reg */
};

struct fi_dbi_target {
	enum fi_dbi_target_kind kind;
	u8 reg;
	u64 to;
};

/* Classes of sensitive instructions, each decided by the policy table. */
enum fi_dbi_sens {
	FI_SENS_NONE,
	FI_SENS_IRQFLAG,	/* cli, sti, popf */
	FI_SENS_PORT,		/* in, out, ins, outs */
	FI_SENS_SMAP,		/* stac, clac */
	FI_SENS_CACHE,		/* clflush, wbinvd, invlpg, ... */
	FI_SENS_MSR_READ,	/* rdmsr, rdpmc, xgetbv */
	FI_SENS_CR_READ,
	FI_SENS_HALT,		/* hlt, mwait, monitor */
	FI_SENS_CR,		/* writes to control and debug registers */
	FI_SENS_MSR,		/* wrmsr, xsetbv */
	FI_SENS_TABLE,		/* descriptor tables, selectors, swapgs */
	FI_SENS_VM,		/* virtualisation, enclaves, smx */
	FI_SENS_RETURN,		/* iret, sysret, far control transfer */
	FI_SENS_SYSTEM,		/* int n, int3, syscall */
	FI_SENS_DIRECTION,	/* std: the string checks rely on DF clear */
	FI_SENS_RSP,		/* stack pointer loaded from who knows where */
	FI_SENS_STORE,		/* a store that no check covers */
	FI_NR_SENS
};

enum fi_dbi_verdict {
	FI_DBI_ALLOW,
	FI_DBI_TRACK,		/* allow; counted and listed */
	FI_DBI_ASK,		/* ports: call slow_port before it */
	FI_DBI_SKIP,		/* call slow_trap in its place */
	FI_DBI_TRAP,		/* end the domain if it is reached */
};

enum fi_dbi_gs {
	FI_DBI_GS_ALLOW,
	FI_DBI_GS_CHECK,	/* test the permission of the byte it names */
	FI_DBI_GS_TRAP,
};

/**
 * struct fi_dbi_env - where the engine runs
 * @alloc: zeroed memory, may sleep; NULL on failure
 * @resolve: what is at an address outside the unit's text that a direct call
 *	or jump names
 * @const_slot: is this address read-only data of the kernel (pv_ops), so that
 *	an indirect call through it may be copied as it is
 * @gs_store: may the driver store at %gs:@off
 */
struct fi_dbi_env {
	void *ctx;
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *p);
	void (*resolve)(void *ctx, u64 va, struct fi_dbi_target *t);
	bool (*const_slot)(void *ctx, u64 va);
	enum fi_dbi_gs (*gs_store)(void *ctx, s64 off, u32 size);
};

/**
 * struct fi_dbi_config - what to emit
 * @map_disp: shadow byte of address a is at (a >> 3, arithmetic) + @map_disp
 * @ask_always: the fast tests of stores say no, so that somebody can count them
 * @ret_check: parallel shadow stack at rsp - @shadow
 * @icall_check: indirect targets through the table
 * @ibt: entries start with endbr64
 * @poison: overwrite all that liveness calls dead (tests)
 * @seg_shift: segment: addresses whose upper bits equal @seg_id (arithmetic)
 * @seg_low: sandbox: the segment is [0, 4 GiB), else [-2 GiB, 0)
 * @max_frame: the largest stack frame; guard pages must be larger
 * @ret_thunk: emit jmp here instead of ret, or 0
 * @ind_thunk: call/jmp here for a target in r11, or 0
 * @slow_*: helpers, see slow.S; their addresses must be in rel32 reach
 * @this_cpu_off: %gs offset of this_cpu_off, for FI_DBI_GS_CHECK; 0 if none
 * @reads: check loads as well. What may be written may be read.
 * @read_bit: loads have a map of their own: this bit of (a >> 3) is toggled before
 *	@map_disp is added; 0: the same map
 */
struct fi_dbi_config {
	enum fi_dbi_checks checks;
	bool ask_always;
	bool ret_check;
	bool icall_check;
	bool ibt;
	bool poison;
	bool seg_low;
	u8 seg_shift;
	s32 seg_id;
	s32 map_disp;
	s32 shadow;
	u32 max_frame;
	u64 ret_thunk;
	u64 ind_thunk;
	u64 slow_store;
	u64 slow_range;
	u64 slow_icall;
	u64 slow_ret;
	u64 slow_trap;
	u64 slow_port;
	u32 this_cpu_off;
	bool reads;
	u8 read_bit;
	u8 verdict[FI_NR_SENS];	/* enum fi_dbi_verdict */
};

/* Sensible verdicts for drivers. */
void fi_dbi_config_default(struct fi_dbi_config *c);
const char *fi_dbi_sens_name(enum fi_dbi_sens s);

enum fi_dbi_site_kind {
	FI_SITE_STORE,		/* @mask: bytes stored, from the given address */
	FI_SITE_BYTES,		/* @size bytes, more than 64 */
	FI_SITE_LOOP,		/* as STORE; then how far the loop may go on */
	FI_SITE_STRING,		/* rcx elements of @size at rdi */
	FI_SITE_SEGMENT,
	FI_SITE_RET,
	FI_SITE_ICALL,
	FI_SITE_TRAP,
	FI_SITE_SKIP,		/* as TRAP, but what follows may go on */
	FI_SITE_PORT,
	/* only with reads; both ask as their stores do (slow_store, slow_range) */
	FI_SITE_LOAD,		/* as STORE, of the map for loads; @mask 0: @size bytes */
	FI_SITE_LOAD_STRING,	/* rcx elements of @size at rdi, which holds rsi now */
};

/**
 * struct fi_dbi_site - where emitted code may leave for the slow path
 *
 * Stands in the arena, so that its address is an immediate of the push before
 * the call of the helper.
 *
 * @va: the driver instruction (the first, if several share the check)
 * @mask: also the port number plus 0x10000, if it is an immediate
 * @sens: FI_SITE_TRAP, FI_SITE_SKIP: why
 * @pushed: words between the driver's rsp and the helper's arguments
 * @limit, @ctl: FI_SITE_LOOP: registers: the bound that the slow path sets, and
 *	what is compared with it; bytes per step of @ctl in @sens
 * @user: a store to user memory with a fixup: addresses of users are fine;
 *	FI_SITE_PORT: the instruction reads the port
 * @nstores, @store: FI_SITE_STORE: the instructions that share the check;
 *	FI_SITE_PORT: length of the instruction, which comes next, or 0: of a string
 */
struct fi_dbi_site {
	u64 va;
	u64 mask;
	u32 size;
	u8 kind;
	u8 sens;
	u16 nstores;
	u32 store;
	u8 pushed;
	u8 user;
	u8 limit;
	u8 ctl;
};

struct fi_dbi_store {
	u64 va;
	u8 off;
	u8 size;
	u16 pad;
	u32 pad2;
};

struct fi_dbi_stats {
	u32 funcs, refused;
	u32 insns, orig_bytes, cache_bytes, data_bytes;
	u32 stores;		/* all that write memory, but push and call */
	u32 stack_elided, merged, checked, gs_stores, user_stores;
	u32 loads, loads_checked;
	u32 strings, bitreg, vector;
	u32 flags_live;		/* checks that had to go out of line */
	u32 spilled;		/* checks without a dead register */
	u32 borrowed;		/* functions that save one on entry for that */
	u32 hoisted;
	u32 loops;		/* checks bounded once for many rounds */
	u32 icalls, rets, traps, tracked;
	u32 decode_failures;
	u32 frame_checked;	/* rsp stores not provably in the frame */
	u32 sens[FI_NR_SENS];
};

struct fi_dbi_input {
	const struct fi_dbi_env *env;
	const struct fi_dbi_config *cfg;
	const struct fi_dbi_text *texts;
	u32 nr_texts;
	const struct fi_dbi_func *funcs;
	u32 nr_funcs;
	const struct fi_dbi_edge *edges;
	u32 nr_edges;
};

/*
 * Prepares @in for translation; the arrays must stay. Finds which parts belong
 * together. May sleep. Return: 0 or -errno.
 */
int fi_dbi_create(struct fi_dbi_unit **unit, const struct fi_dbi_input *in);
void fi_dbi_destroy(struct fi_dbi_unit *u);

/* An upper bound for the arena of a text of this size, before anything else is known. */
u64 fi_dbi_arena_size(u64 text_bytes, u32 nr_funcs);

/**
 * fi_dbi_translate() - translate all functions
 * @va: where the arena will be mapped
 * @w: where it can be written now
 *
 * A refused function's entry is a trap and the unit goes on.
 * Return: 0, -ENOSPC, -ENOMEM, or -EIO if the decoder is broken.
 */
int fi_dbi_translate(struct fi_dbi_unit *u, u64 va, u8 *w, u32 size);
u32 fi_dbi_arena_used(const struct fi_dbi_unit *u);

/*
 * One 4- or 5-byte field to change in published code. The caller pokes it.
 */
struct fi_dbi_patch {
	u64 va;			/* of the instruction */
	u8 len;
	u8 bytes[8];
};

/**
 * fi_dbi_retranslate() - translate the group of the function at @va again
 *
 * Reads the (changed) bytes, appends a fragment to the arena and hands out the
 * patches that lead callers to it. Until those are applied the old fragment is
 * what runs. The icall table entries are among them (len 4).
 * Return: number of patches, or -errno and nothing has changed.
 */
int fi_dbi_retranslate(struct fi_dbi_unit *u, u64 va,
		       struct fi_dbi_patch *patches, u32 max);

/* Cache entry for a call from outside; 0 if there is none. */
u64 fi_dbi_entry(const struct fi_dbi_unit *u, u64 va);
/* The legal target's cache address for an indirect call, or 0. Any context. */
u64 fi_dbi_icall(const struct fi_dbi_unit *u, u64 va);
/* Both ways at instruction granularity; 0 if unknown. Any context. */
u64 fi_dbi_to_cache(const struct fi_dbi_unit *u, u64 va);
u64 fi_dbi_to_orig(const struct fi_dbi_unit *u, u64 cache);

const struct fi_dbi_stats *fi_dbi_stats(const struct fi_dbi_unit *u);
/* Why function @i was refused, or NULL; *at is the instruction. */
const char *fi_dbi_refusal(const struct fi_dbi_unit *u, u32 i, u64 *at);
/* Length of fragment of function @i, at *va. 0 if refused. */
u32 fi_dbi_fragment(const struct fi_dbi_unit *u, u32 i, u64 *va);

/* map.c: the exact tests behind the slow paths; @base is the map's displacement. */
bool fi_dbi_map_test(s64 disp, u64 addr, u64 mask);
/*
 * For FI_SITE_LOOP after the store at @ea was permitted: the value that the limit
 * register gets, with @ctl the value of the register that counts.
 */
u64 fi_dbi_loop_limit(s64 disp, const struct fi_dbi_site *s, u64 ea, u64 ctl);
/* The same, told that @len bytes from (@ea + size) & ~7 on may be written. */
#define FI_DBI_LOOP_AHEAD	64
u64 fi_dbi_loop_steps(const struct fi_dbi_site *s, u64 ea, u64 ctl, u64 len);
bool fi_dbi_map_test_range(s64 disp, u64 addr, u64 len, u64 *bad);
/* Does [@addr, @addr + @len) lie in the segment of the unit's configuration? */
bool fi_dbi_segment_test(const struct fi_dbi_unit *u, u64 addr, u64 len);
/* Which store of @site at address @ea touches @bad; returns its instruction. */
u64 fi_dbi_site_blame(const struct fi_dbi_unit *u, const struct fi_dbi_site *s,
		      u32 bad_off);

/*
 * sites.c: the module's address-keyed tables, rewritten to cache addresses. Each
 * works on one entry in place, with @va the entry's own address, since entries
 * are self-relative. They return false if an address has no translation; then
 * nothing was changed.
 */
bool fi_dbi_rewrite_extable(const struct fi_dbi_unit *u, u64 va, s32 *insn,
			    s32 *fixup);
bool fi_dbi_rewrite_bug(const struct fi_dbi_unit *u, u64 va, s32 *bug_addr);
bool fi_dbi_rewrite_jump(const struct fi_dbi_unit *u, u64 va, s32 *code,
			 s32 *target);
bool fi_dbi_rewrite_static_call(const struct fi_dbi_unit *u, u64 va, s32 *addr);
/* Emits ORC entries for the cache; returns how many of @max, sorted by ip. */
struct fi_dbi_orc { u64 ip; u32 entry; };
u32 fi_dbi_rewrite_orc(const struct fi_dbi_unit *u, const struct fi_dbi_orc *in,
		       u32 n, struct fi_dbi_orc *out, u32 max);

#endif
