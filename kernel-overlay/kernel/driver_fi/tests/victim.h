/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the victim module and the tests that isolate it.
 */
#ifndef _DRIVER_FI_VICTIM_H
#define _DRIVER_FI_VICTIM_H

#include <linux/jump_label.h>
#include <linux/static_call.h>
#include <linux/types.h>

/**
 * struct fi_victim_obj - a kernel object that the victim may configure
 * @kernel: the kernel's own
 * @a: at most 100
 * @b: anything
 * @count: not configured, but stored to all the time
 * @both: written by the kernel too
 */
struct fi_victim_obj {
	u64 kernel;
	u32 a;
	u32 b;
	u64 count;
	u64 both;
};

/**
 * struct fi_victim_ops - what the victim offers; each runs in its domain
 */
struct fi_victim_ops {
	unsigned long (*null)(void);
	unsigned long (*args)(long a, long b, long c, long d, long e, long f, long g, long h);
	unsigned long (*import)(unsigned long n);	/* calls fi_test_import() n times */
	unsigned long (*callback)(unsigned long depth);	/* fi_test_callback() back to here */
	unsigned long (*store)(unsigned long addr, unsigned long val);
	unsigned long (*load)(unsigned long addr);
	unsigned long (*jump)(unsigned long addr);
	unsigned long (*divide)(unsigned long by);
	unsigned long (*bug)(unsigned long on);
	unsigned long (*warn)(unsigned long on);
	unsigned long (*recurse)(unsigned long depth);
	unsigned long (*spin)(unsigned long turns);
	unsigned long (*irqs_off)(void);
	unsigned long (*bad_stack)(unsigned long rsp);
	unsigned long (*data)(unsigned long val);	/* counts in its own .data */
	unsigned long (*fixup)(unsigned long addr);	/* a load that may fail: -EFAULT */
	unsigned long (*branch)(void);			/* 2 if fi_test_key is on, else 1 */
	unsigned long (*dispatch)(void);		/* 10 and what fi_test_call returns */
	unsigned long (*configure)(struct fi_victim_obj *obj, unsigned long a,
				   unsigned long b, unsigned long die);
	/* The first two are lent, and 8 bytes of the third; the first keeps rules. */
	unsigned long (*fill)(struct fi_victim_obj *obj, struct fi_victim_obj *other, u64 *buf,
			      unsigned long a, unsigned long die);
};

/* Of what is lent to fill(). */
#define FI_VICTIM_LENT	"victim_lent"

/* Imports of the victim, exported by the tests. */
unsigned long fi_test_import(unsigned long n);
unsigned long fi_test_callback(unsigned long depth);
unsigned long fi_test_register(const struct fi_victim_ops *ops);
unsigned long fi_test_call_one(void);
unsigned long fi_test_call_two(void);
DECLARE_STATIC_KEY_FALSE(fi_test_key);
DECLARE_STATIC_CALL(fi_test_call, fi_test_call_one);

struct fi_domain;

/* victim_host.c: what the victim registered, NULL before. */
extern const struct fi_victim_ops *victim;
extern struct fi_domain *victim_domain;
extern unsigned long victim_imports_seen;
/* Runs in fi_test_import(), if set. */
extern void (*victim_in_import)(void);

#endif
