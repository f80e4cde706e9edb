/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assembly of slow.S hands to the environment's slow paths.
 */
#ifndef _FI_DBI_SLOW_H
#define _FI_DBI_SLOW_H

#include "dbi.h"

/**
 * struct fi_dbi_slow - the driver's registers at a check that asks
 * @ret: in the code cache, after the check
 * @arg: store: site, address; range, ret, trap, port: site; icall: nothing
 *
 * Lies on the driver's stack; what the handler changes here is restored to the
 * registers. The driver's own rsp is &arg[n + site->pushed].
 */
struct fi_dbi_slow {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 di, si, bp, bx, dx, cx, ax;
	u64 flags;
	u64 ret;
	u64 arg[2];
};

/* Register @n (encoding number, not rsp) in the frame. */
static inline u64 *fi_dbi_slow_reg(struct fi_dbi_slow *s, u8 n)
{
	switch (n) {
	case 0: return &s->ax;
	case 1: return &s->cx;
	case 2: return &s->dx;
	case 3: return &s->bx;
	case 5: return &s->bp;
	case 6: return &s->si;
	case 7: return &s->di;
	default: return &s->r8 - (n - 8);
	}
}

/* What slow.S knows of the site. */
static_assert(offsetof(struct fi_dbi_site, mask) == 8);
static_assert(offsetof(struct fi_dbi_site, size) == 16);
static_assert(offsetof(struct fi_dbi_site, kind) == 20);
static_assert(FI_SITE_STORE == 0);

#ifdef __KERNEL__
/**
 * struct fi_dbi_handlers - who answers; one fi_dbi_on_*() each
 */
struct fi_dbi_handlers {
	void (*store)(struct fi_dbi_slow *s);
	void (*range)(struct fi_dbi_slow *s);
	void (*icall)(struct fi_dbi_slow *s);
	void (*ret)(struct fi_dbi_slow *s);
	void (*trap)(struct fi_dbi_slow *s);
	void (*port)(struct fi_dbi_slow *s);
};

const struct fi_dbi_handlers *fi_dbi_set_handlers(const struct fi_dbi_handlers *h);
#endif

/* Displacement of the permission map, for the helpers' own exact tests. */
extern u64 fi_dbi_map_disp;

/* Emitted code calls these. They return without the words that it pushed for them. */
void fi_dbi_slow_store(void);
void fi_dbi_slow_range(void);
void fi_dbi_slow_icall(void);
void fi_dbi_slow_ret(void);
void fi_dbi_slow_trap(void);
void fi_dbi_slow_port(void);
/* fi_dbi_slow_store() without a test of its own: each question is passed on. */
void fi_dbi_full_store(void);

/*
 * The environment answers here. To return means: permitted. A violation does not
 * return: it unwinds the domain. icall: r11 is the original address, and becomes the
 * address to go to. Must not touch vector registers.
 */
void fi_dbi_on_store(struct fi_dbi_slow *s);
void fi_dbi_on_range(struct fi_dbi_slow *s);
void fi_dbi_on_icall(struct fi_dbi_slow *s);
void fi_dbi_on_ret(struct fi_dbi_slow *s);
void fi_dbi_on_trap(struct fi_dbi_slow *s);
void fi_dbi_on_port(struct fi_dbi_slow *s);

#endif
