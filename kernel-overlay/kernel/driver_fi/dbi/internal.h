/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stages of the engine share: instructions, blocks, groups, the unit.
 *
 * Stages, each reading only what those before it wrote:
 * decode -> cfg -> liveness, frame -> plan -> lower -> asmbuf -> unit (tables)
 */
#ifndef _FI_DBI_INTERNAL_H
#define _FI_DBI_INTERNAL_H

#include "dbi.h"
#include "emit.h"

#define FI_REG(r)	((u16)(1u << (r)))
#define FI_ALL_REGS	0xffff
#define FI_CALLER_SAVED	(FI_REG(FI_RAX) | FI_REG(FI_RCX) | FI_REG(FI_RDX) | \
			 FI_REG(FI_RSI) | FI_REG(FI_RDI) | FI_REG(FI_R8) | \
			 FI_REG(FI_R9) | FI_REG(FI_R10) | FI_REG(FI_R11))
#define FI_CALLEE_SAVED	((u16)~FI_CALLER_SAVED)
/* rax for the count of vector arguments; r10 for a static chain */
#define FI_ARG_REGS	((u16)(FI_CALLER_SAVED & ~FI_REG(FI_R11)))
#define FI_RET_REGS	(FI_CALLEE_SAVED | FI_REG(FI_RAX) | FI_REG(FI_RDX))

/* The six arithmetic flags, packed. */
#define FI_CF	0x01
#define FI_PF	0x02
#define FI_AF	0x04
#define FI_ZF	0x08
#define FI_SF	0x10
#define FI_OF	0x20
#define FI_ALL_FLAGS	0x3f

enum fi_insn_kind {
	FI_I_PLAIN,
	FI_I_NOP,	/* may be left out */
	FI_I_JCC,	/* conditional, @target */
	FI_I_JCX,	/* jrcxz, loop*: 8-bit displacement only */
	FI_I_JMP,
	FI_I_CALL,
	FI_I_IJMP,	/* through @reg, or the memory operand if FI_NOREG */
	FI_I_ICALL,
	FI_I_RET,
	FI_I_UD,	/* ud0, ud1, ud2 */
	FI_I_TRAP,	/* not to be executed: @sens says why */
};

enum fi_store_kind {
	FI_S_NONE,
	FI_S_PLAIN,	/* @size bytes at the memory operand */
	FI_S_BITREG,	/* bts, btr, btc with the bit offset in @reg */
	FI_S_STRING,	/* @size bytes at rdi */
	FI_S_REP,	/* rcx times @size bytes at rdi */
	FI_S_GS,	/* @size bytes at a gs-relative operand */
	FI_S_AT_REG,	/* @size bytes at the address in @reg; the operand is read */
	FI_S_POP,	/* pop to the memory operand: addressed after rsp moved */
};

enum fi_rep {
	FI_REP_NONE,
	FI_REP_COUNT,	/* rcx times */
	FI_REP_UNTIL,	/* at most: a comparison may end it */
};

struct fi_mem {
	u8 base;	/* FI_NOREG: none */
	u8 index;
	u8 scale;
	bool rip;	/* @abs is the address */
	bool present;
	bool gs;
	s32 disp;
	u64 abs;
};

/* raw: offsets in the bytes of the instruction; 0: not there */
struct fi_insn {
	/* what the decoder says of it */
	u64 va;
	u64 target;
	const char *odd;	/* FI_SENS_STORE: which */
	struct fi_mem mem;
	u16 use, def;		/* general registers; def: wholly overwritten */
	u16 wr;			/* written, even in part */
	u16 load;		/* bytes read at the memory operand */
	u16 size;
	u8 fuse, fdef;		/* flags */
	u8 len;
	u8 kind;
	u8 store;
	bool load_odd;		/* ... but which, the operand does not tell */
	bool load_bit;		/* ... at the bit offset in @reg */
	u8 load_si, load_di;	/* bytes read there by a string instruction */
	u8 rep;			/* enum fi_rep */
	u8 sens;
	u8 verdict;
	u8 reg;			/* indirect target, or bit offset */
	u8 cc;
	u8 opsize;		/* operand width in bytes */
	u8 enc;			/* 0 legacy, 1 VEX, 2 other */
	u8 rex_off, opc_off, modrm_off, disp_off, disp_len, imm_len;
	u8 grows;		/* adds this to a register, all 64 bits of it */
	u8 spop;		/* enum fi_sp_op */
	s32 spill_imm;		/* constant added to rsp, if RSP_ADD */
	/* what the stages after it find out; zero until then */
	u16 live;		/* registers live before it */
	u8 flive;		/* flags live before it */
	u8 tkind;		/* enum fi_dbi_target_kind of @target */
	bool extable;
	bool label;		/* a jump-label site: keep, 5 bytes */
	bool scall;		/* a static-call site: keep plain */
	bool tail;		/* FI_I_JMP that leaves the group */
	bool leader;
	bool rsp_check;		/* loads rsp from a register: by little, and upward */
	u64 tto;		/* where a call of a target outside goes */
	u64 xva;		/* the extra edge's target, or 0 */
	u32 tfunc;		/* index + 1 of the module function that @target is */
	s32 depth;		/* bytes of own frame above rsp, at least */
	u32 xtarget;		/* index + 1 of it */
	u32 jtarget;		/* index + 1 of @target, if in this group */
	u32 next;		/* index + 1 of the successor in line */
	u32 block;
	u32 check;		/* first check before it, index + 1 */
	u32 redirect;		/* check that rewrites it, index + 1 */
	u32 covered;		/* check that covers its store, index + 1 */
	const u8 *bytes;
};

/* From here to there it is the same wherever it stands, but for two values in @mem. */
#define FI_INSN_FACTS	offsetof(struct fi_insn, mem)
#define FI_INSN_STAGES	offsetof(struct fi_insn, live)

/* How an instruction changes rsp (and rbp, as far as frames need it). */
enum fi_sp_op {
	FI_SP_KEEP,
	FI_SP_ADD,		/* by @spill_imm */
	FI_SP_ALIGN,		/* and $-n,%rsp */
	FI_SP_FROM_RBP,		/* mov %rbp,%rsp; lea imm(%rbp),%rsp; leave */
	FI_SP_TO_RBP,		/* mov %rsp,%rbp; lea imm(%rsp),%rbp */
	FI_SP_OTHER,
};

struct fi_block {
	u32 first, last;	/* instruction indices, inclusive */
	u32 succ[3];		/* block index + 1; 0: none */
	u16 live_in, wants, keeps;	/* live before it: wants, and after & keeps */
	u8 flive_in, fwants, fkeeps;
	bool exits;		/* leaves the group at its end */
	bool head;		/* a branch goes back to it */
	bool in_loop;		/* roughly: a branch back spans it */
	bool moves;		/* rsp or rbp: the frame has to be followed */
	bool stale;		/* depth_in or rbp_in fell since it was looked at */
	u32 label, loop;	/* while lowering; @loop: for the branch to itself */
	u16 limits;		/* registers that bound checks of a loop */
	s32 depth_in;		/* FI_DEPTH_TOP: not reached yet */
	s32 rbp_in;
};

#define FI_DEPTH_TOP	0x7fffffff
#define FI_DEPTH_NONE	(-1)	/* nothing known: no elision */

enum fi_check_kind {
	FI_C_NONE,
	FI_C_STORE,
	FI_C_BITREG,
	FI_C_STRING,
	FI_C_REP,
	FI_C_USER,
	FI_C_GS,
	FI_C_LOOP,		/* as STORE, but bounded once for many rounds */
	FI_C_REDIRECT,		/* sandbox: the store itself is rewritten */
};

/* memo.c: a tree by the bytes that decide; its edges stand in a hash table */
struct fi_memo_edge {
	u32 key;		/* node and byte, plus 1; 0: none */
	u32 next;		/* a node, or FI_MEMO_LEAF and an instruction */
};

#define FI_MEMO_LEAF	0x80000000u

struct fi_memo_insn {
	u8 facts[FI_INSN_STAGES - FI_INSN_FACTS];
};

/* @bits: log2 of the room for edges, of which half is used; 0: nothing yet */
struct fi_memo {
	struct fi_memo_edge *edge;
	struct fi_memo_insn *insn;
	u32 bits, nr_edges, nr_nodes, nr_insns;
};

/* A check, placed before instruction @at. */
struct fi_check {
	u8 kind;
	u8 nscratch;
	u8 scratch[2];
	u8 limit, ctl, step;	/* FI_C_LOOP, see struct fi_dbi_site */
	bool load;		/* of what is read, not of what is written */
	bool at_si;		/* FI_C_REP: from rsi, not at rdi */
	bool push[2];		/* the scratch register is live: save it */
	bool flags;		/* flags are live: out of line */
	struct fi_mem mem;	/* with disp at the lowest byte stored */
	u64 mask;
	u32 size;
	u32 at;
	u32 insn;		/* first store that it covers */
	u32 last;		/* last one */
	u32 store0;		/* index into the unit's store list */
	u16 nstores;
	u32 next;		/* next check at the same @at, index + 1 */
	u32 cold, back;		/* labels, while lowering */
};

struct fi_part {
	u32 func;		/* index of the function symbol */
	u64 va;			/* where it starts */
	const u8 *bytes;
	u32 text;		/* index of the text run */
	u32 off, size;		/* in the text run */
	u32 at0;		/* of its first byte in fi_group.at */
	u32 entry, body;	/* labels, while lowering */
	bool cold;
};

/* bytes at any alignment that one or two quadwords of shadow cover */
#define MAX_ONE_COMPARE		57
#define MAX_TWO_COMPARES	121

#define FI_MAX_PARTS	16

enum fi_cold_kind { FI_COLD_RET, FI_COLD_CALL, FI_COLD_JMP, FI_COLD_RSP };

struct fi_cold {
	u8 kind;
	u32 insn;
	u32 label, back;
};

/* One unit of translation: parts, their instructions, what is planned. */
struct fi_group {
	struct fi_dbi_unit *u;
	struct fi_part part[FI_MAX_PARTS];
	u32 nr_parts;
	bool abi;
	u8 borrowed;		/* register that entries save and exits restore */
	u32 at_size;

	struct fi_insn *insn;
	u32 nr_insns, cap_insns;
	struct fi_block *block;
	u32 nr_blocks, cap_blocks;
	struct fi_check *check;
	u32 nr_checks, cap_checks;
	u32 *at;		/* by byte over all parts: insn index + 1 */
	u32 cap_at;
	u32 *work;
	u32 cap_work;
	struct fi_cold *cold;	/* out-of-line halves of control transfers */
	u32 nr_colds, cap_colds;

	const char *refusal;
	u64 refusal_va;
};

struct fi_label {
	u32 pos, br;
};

struct fi_branch {
	u32 pos;		/* in the byte stream, where it stands */
	u32 label;
	u8 cc;			/* 0..15, FI_CC_JMP, FI_CC_ALIGN */
	bool wide;		/* rel32 */
	u8 size;		/* bytes */
	u32 cum;		/* bytes of the branches before it */
};

#define FI_CC_JMP	16
#define FI_CC_ALIGN	17	/* no branch: nops up to a multiple of FI_LOOP_ALIGN */

#define FI_LOOP_ALIGN	32

/* A 4-byte pc-relative field in the stream. */
struct fi_fix {
	u32 pos, br;
	u8 tail;		/* bytes of the instruction after the field */
	u8 kind;		/* enum fi_fix_kind */
	u64 target;
};

enum fi_fix_kind {
	FI_FIX_ABS,		/* target is an address */
	FI_FIX_ENTRY,		/* target is a function index: its entry */
	FI_FIX_BODY,		/* ... after the shadow-stack store */
	FI_FIX_LABEL,
};

struct fi_pcmap {
	u64 va;
	u32 pos, br;
	bool main;		/* the instruction itself, not its cold part */
};

/* The byte stream of a group: bytes, branches between them, labels, fixes. */
struct fi_asmbuf {
	u8 *buf;
	u32 len, cap;
	struct fi_branch *br;
	u32 nr_br, cap_br;
	u32 align;		/* where the fragment has to start */
	struct fi_label *label;
	u32 nr_labels, cap_labels;
	struct fi_fix *fix;
	u32 nr_fixes, cap_fixes;
	struct fi_pcmap *pc;
	u32 nr_pcs, cap_pcs;
};

/* Where a function's translation stands; arena offsets. */
struct fi_frag {
	u32 entry, body;	/* 0: none */
	u32 start, len;		/* of the whole group's fragment */
	const char *refusal;
	u64 refusal_va;
};

struct fi_xref {
	u32 pos;		/* arena offset of the 4-byte field */
	u32 func;		/* index of the callee */
	bool body;
};

struct fi_map_entry {
	u32 cache;		/* arena offset */
	u32 orig : 31;		/* see fi_unit_off() */
	u32 main : 1;		/* the instruction itself */
};

#define FI_NOBODY	0x7fffffffu	/* orig: nobody's */

struct fi_dbi_unit {
	const struct fi_dbi_env *env;
	const struct fi_dbi_config *cfg;
	const struct fi_dbi_text *texts;
	const struct fi_dbi_func *funcs;
	const struct fi_dbi_edge *edges;
	u32 nr_texts, nr_funcs, nr_edges;
	u32 *leader;		/* by function: which group it is a part of */
	u32 *chain;		/* by function: the next of its group, in a ring */
	u32 edge_hint;		/* where the last search for an edge ended */
	struct fi_frag *frag;	/* by function */

	u64 va;			/* arena */
	u8 *w;
	u32 arena_size, used, data_used;
	u32 table, table_n;	/* legal targets of texts[0], arena offset */
	u32 stub;		/* resolves what the table does not; arena offset */

	struct fi_xref *xref;
	u32 nr_xrefs, cap_xrefs;
	struct fi_map_entry *map;	/* ascending by cache offset */
	u32 nr_map, cap_map;
	u32 *rmap;		/* by offset over all texts: arena offset, or 0 */
	struct fi_dbi_store *store;
	u32 nr_stores, cap_stores;

	struct fi_group g;	/* scratch, reused by each group */
	struct fi_asmbuf a;
	void *dec;		/* the decoder's scratch */
	struct fi_memo memo;
	bool broken;		/* the decoder contradicted itself */
	bool nomem;
	bool nospace;
	struct fi_dbi_stats stats;
};

/* addrmap.c */
u32 fi_unit_off(const struct fi_dbi_unit *u, u64 va);
u64 fi_unit_va(const struct fi_dbi_unit *u, u32 off);
bool fi_map_append(struct fi_dbi_unit *u, u32 start);
bool fi_map_finish(struct fi_dbi_unit *u, u32 first);

/* unit.c */
void *__fi_unit_grow(struct fi_dbi_unit *u, void *p, u32 *cap, u32 need, size_t size);

/* Room for @need elements; on failure u->nomem is set and @p is as before. */
static inline void *fi_unit_grow(struct fi_dbi_unit *u, void *p, u32 *cap, u32 need,
				 size_t size)
{
	return need <= *cap ? p : __fi_unit_grow(u, p, cap, need, size);
}

/* Index of the text run that holds @va, or -1. */
int fi_unit_text(const struct fi_dbi_unit *u, u64 va);
/* Index of the function symbol that holds @va, or -1. */
int fi_unit_func(const struct fi_dbi_unit *u, u64 va);
const struct fi_dbi_edge *fi_unit_edge(struct fi_dbi_unit *u, u64 from);
bool fi_unit_add_parts(struct fi_group *g, u32 f);
bool fi_unit_unite(struct fi_group *g, u32 f);
u64 fi_unit_site(struct fi_dbi_unit *u, const struct fi_dbi_site *s);

/* decode.c */
extern int fi_zydis_unreachable;
size_t fi_decode_scratch(void);
void fi_decode_init(void *scratch);
/* Fills @in from the bytes; returns the length, or 0 if it is no instruction. */
u32 fi_decode(struct fi_dbi_unit *u, const u8 *bytes, u32 avail, u64 va,
	      struct fi_insn *in);
/* The same without memory; *@key, if asked for: how many bytes decide, or 0. */
u32 fi_decode_anew(struct fi_dbi_unit *u, const u8 *bytes, u32 avail, u64 va,
		   struct fi_insn *in, u32 *key);

/* memo.c: what was decoded before */
u32 fi_memo_recall(const struct fi_memo *m, const u8 *bytes, u32 avail, u64 va,
		   struct fi_insn *in);
/* Without room it is forgotten; that costs time only. */
void fi_memo_keep(struct fi_dbi_unit *u, const u8 *bytes, u32 key,
		  const struct fi_insn *in);
void fi_memo_drop(struct fi_dbi_unit *u);

/* insns.c: facts about mnemonics that operands do not tell */
u8 fi_insn_sens(u32 mnemonic);
bool fi_insn_no_store(u32 mnemonic);
bool fi_insn_no_load(u32 mnemonic);
bool fi_insn_stores_at_register(u32 mnemonic);
/* Why its store cannot be checked, with its name; NULL if it can. */
const char *fi_insn_odd_store(u32 mnemonic);
bool fi_insn_changes_bit(u32 mnemonic);
struct ZydisDecodedInstruction_;
struct ZydisDecodedOperand_;
bool fi_insn_is_locked_bit(const struct ZydisDecodedInstruction_ *in,
			   const struct ZydisDecodedOperand_ *op);

/* cfg.c */
bool fi_cfg_build(struct fi_group *g);
bool fi_refuse(struct fi_group *g, u64 va, const char *why);
struct fi_insn *fi_cfg_at(struct fi_group *g, u64 va);

/* liveness.c, frame.c */
void fi_liveness(struct fi_group *g);
void fi_frame(struct fi_group *g);

/* borrow.c: after frame.c, which knows where calls are made */
void fi_borrow(struct fi_group *g);

/* loop.c: checks of a block that branches to itself */
void fi_loop_plan(struct fi_group *g, u32 block, u32 first_check);

/* plan.c */
bool fi_plan(struct fi_group *g);

/* check.c: the code of one check, and its out-of-line half */
void fi_check_emit(struct fi_group *g, struct fi_check *c);
void fi_check_emit_cold(struct fi_group *g, struct fi_check *c);
void fi_check_loop_entry(struct fi_group *g, const struct fi_block *b);
void fi_check_redirect(struct fi_group *g, const struct fi_insn *in,
		       struct fi_check *c);
/* push $site; call @helper */
void fi_emit_site_call(struct fi_group *g, const struct fi_dbi_site *s, u64 helper);
void fi_emit_call(struct fi_group *g, u64 target);
void fi_put(struct fi_group *g, const void *p, u32 n);

/* control.c: entries, returns, indirect transfers */
void fi_control_entry(struct fi_group *g);
void fi_control_borrow(struct fi_group *g);
void fi_control_give_back(struct fi_group *g);
void fi_control_ret_check(struct fi_group *g, const struct fi_insn *in, u8 busy);
void fi_control_ret_check_live(struct fi_group *g, const struct fi_insn *in);
void fi_control_rsp(struct fi_group *g, const struct fi_insn *in);
void fi_control_ret(struct fi_group *g, const struct fi_insn *in);
void fi_control_indirect(struct fi_group *g, const struct fi_insn *in);
void fi_control_stub(struct fi_group *g);
void fi_control_cold(struct fi_group *g);

/* lower.c: the whole group into the stream */
bool fi_lower(struct fi_group *g);

/* asmbuf.c */
void fi_asm_reset(struct fi_asmbuf *a);
void fi_asm_bytes(struct fi_dbi_unit *u, struct fi_asmbuf *a, const void *p, u32 n);
u32 fi_asm_label(struct fi_dbi_unit *u, struct fi_asmbuf *a);
void fi_asm_bind(struct fi_asmbuf *a, u32 label);
void fi_asm_branch(struct fi_dbi_unit *u, struct fi_asmbuf *a, u8 cc, u32 label,
		   bool wide);
void fi_asm_align(struct fi_dbi_unit *u, struct fi_asmbuf *a);
void fi_asm_fix(struct fi_dbi_unit *u, struct fi_asmbuf *a, u8 kind, u64 target,
		u8 tail);
void fi_asm_pc(struct fi_dbi_unit *u, struct fi_asmbuf *a, u64 va, bool main);
void fi_asm_relax(struct fi_asmbuf *a);
u32 fi_asm_size(const struct fi_asmbuf *a);

/* Where the position is in the fragment, once fi_asm_relax() is through. */
static inline u32 fi_asm_pos(const struct fi_asmbuf *a, u32 pos, u32 br)
{
	return br ? pos + a->br[br - 1].cum + a->br[br - 1].size : pos;
}

#endif
