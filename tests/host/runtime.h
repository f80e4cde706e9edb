/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs translated and original code on a stack of its own, with a permission map, and
 * catches violations and signals.
 */
#ifndef _HOST_RUNTIME_H
#define _HOST_RUNTIME_H

#include "loader.h"

#define MAP_DISP	0x7fff8000
/* the map for loads: that bit of the shifted address toggled */
#define READ_BIT	45
#define READ_DISP	(MAP_DISP + (1LL << READ_BIT))
#define STACK_SIZE	0x40000
/* not the same offset in a page, or loads of one alias stores of the other */
#define SHADOW		(STACK_SIZE + 0x840)

enum caught {
	C_NOTHING,
	C_STORE,
	C_RANGE,
	C_LOAD,
	C_ICALL,
	C_RET,
	C_TRAP,
	C_PORT,
	C_SIGNAL,
};

struct violation {
	enum caught what;
	u64 va;			/* original address of the instruction */
	u64 addr;		/* store: first forbidden byte; icall: target */
	int sig;
	u64 cache;		/* signal: rip */
};

/* One module, translated. */
struct unit {
	struct mod *m;
	struct fi_dbi_env env;
	struct fi_dbi_config cfg;
	struct fi_dbi_unit *u;
	struct unit *next;	/* all live units, for the slow paths */
};

struct stack {
	u8 *base;		/* shadow half, then the stack itself */
	u64 top;
};

void rt_init(void);
void rt_config(struct fi_dbi_config *c, enum fi_dbi_checks checks);
/* A unit without a module: for code made on the fly. NULL on failure. */
struct unit *rt_translate_raw(struct mod *m, const struct fi_dbi_config *c);
/* Takes over @m; NULL on failure. Grants its writable data. */
struct unit *rt_translate(struct mod *m, const struct fi_dbi_config *c);
void rt_free(struct unit *u);
void rt_free_raw(struct unit *u);	/* keeps the module */
u64 rt_entry(struct unit *u, const char *name);
struct unit *rt_unit_at(u64 cache);

void rt_grant(u64 addr, u64 len);
void rt_revoke(u64 addr, u64 len);
/* The same for loads; what may be written may also be read. */
void rt_grant_read(u64 addr, u64 len);
void rt_revoke_read(u64 addr, u64 len);
void rt_stack(struct stack *s);

/*
 * Calls @fn on @s with six arguments. False: a violation or signal, in *v. The slow
 * paths' permission to call host functions is per address.
 */
bool rt_call(struct stack *s, u64 fn, const u64 *arg, u64 *ret, struct violation *v);
/* Same with all registers and flags (state[16]) given and returned. */
bool rt_run_state_on(struct stack *s, u64 fn, u64 state[17], struct violation *v);
void rt_allow_target(u64 va);
/* Ports that are refused are skipped, and read as ones. */
extern bool rt_skip_ports;
extern u64 rt_slow_calls;	/* how often a slow path was asked */
extern u64 rt_range_calls;

u64 rt_host_symbol(const char *name);

/* While set, called at every cache instruction (single step). */
extern void (*rt_step)(u64 rip, u64 rsp);
/* While set, instructions are counted that a state with TF set steps through. */
extern bool rt_count;
extern u64 rt_counted;

/* One exception-table entry that the signal handler honours. */
extern u64 rt_fixup_from, rt_fixup_to;

#endif
