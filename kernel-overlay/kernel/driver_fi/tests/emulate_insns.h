/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between emulate_kunit.c and the instructions that it runs.
 */
#ifndef _DRIVER_FI_EMULATE_INSNS_H
#define _DRIVER_FI_EMULATE_INSNS_H

#include <linux/types.h>

/* What an instruction works on, apart from memory. Layout known there. */
struct cpu {
	unsigned long ax, bx, cx, dx, si, di, flags;
};

/**
 * struct insn_case - an instruction
 * @name: its text
 * @run: runs it
 * @begin: where it stands in @run
 * @end: and what comes next
 * @cx_mask: bits of cx that may be set
 * @ax_mask: likewise of ax
 * @string: rdi and rsi move
 */
struct insn_case {
	const char *name;
	void (*run)(void);
	unsigned long begin;
	unsigned long end;
	unsigned long cx_mask;
	unsigned long ax_mask;
	unsigned long string;
};

extern const struct insn_case fi_emu_cases[], fi_emu_cases_end[];
void fi_emu_native(struct cpu *c, void (*run)(void));

/* What instructions with absolute operands change. */
extern u8 fi_emu_buf[];

#endif
