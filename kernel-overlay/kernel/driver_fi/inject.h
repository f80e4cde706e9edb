/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Provocation of faults: between inject.c, canary.c and debugfs.c.
 */
#ifndef _DRIVER_FI_INJECT_H
#define _DRIVER_FI_INJECT_H

#include <linux/types.h>

struct seq_file;

/* Kernel memory that provoked faults aim at. */
enum fi_canary {
	FI_CANARY_TEXT,		/* a word of kernel text */
	FI_CANARY_RODATA,
	FI_CANARY_DATA,
	FI_CANARY_HEAP,		/* stands for another module's kmalloc() object */
	FI_CANARY_TASK,		/* of the task that the fault was provoked in */
	FI_CANARY_STACK,	/* its kernel stack */
	FI_CANARY_PGTABLE,	/* a page table entry */
	FI_CANARY_IDT,		/* of an unused vector */
	FI_CANARY_LANDED,	/* changed by running fi_canary_text() */
	FI_NR_CANARIES,
	FI_CANARY_NONE = FI_NR_CANARIES
};

int fi_canary_init(void);
void fi_canary_current(void);
void *fi_canary_addr(enum fi_canary which);
/*
 * The driver is about to store @len bytes of @value at @at; NULL: where the fault
 * record will say. And a domain has failed, by a write to @at.
 */
void fi_canary_expect(const void *at, u64 value, size_t len);
void fi_canary_failed(unsigned long at);
void fi_canary_reset(void);
void fi_canary_show(struct seq_file *m);

struct fi_domain;
/* inject_aim.c: addresses in a driver that faults aim at, or 0. May sleep. */
unsigned long fi_aim_napi(struct fi_domain *d);
unsigned long fi_aim_list(struct fi_domain *d);
unsigned long fi_aim_work(struct fi_domain *d);
unsigned long fi_aim_timer(struct fi_domain *d);
unsigned long fi_aim_global(struct fi_domain *d);
unsigned long fi_aim_mtu(struct fi_domain *d);
unsigned long fi_aim_parent(struct fi_domain *d);
unsigned long fi_aim_protected(struct fi_domain *d);
/* Is the work that was aimed at pending at this moment? */
bool fi_aim_pending(void);

int fi_inject_arm(char *spec);
void fi_inject_show_kinds(struct seq_file *m);
void fi_inject_show_state(struct seq_file *m);

#endif
