/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What provoked faults do: code that runs in place of a driver function, with
 * the driver's rights. In inject_evil.S.
 */
#ifndef _ASM_X86_DRIVER_FI_INJECT_H
#define _ASM_X86_DRIVER_FI_INJECT_H

/* Offsets in struct fi_evil that inject_evil.S uses; inject.c asserts them. */
#define FI_EVIL_target		0
#define FI_EVIL_value		8
#define FI_EVIL_alloc		16
#define FI_EVIL_alloc_arg	24
#define FI_EVIL_second		48

/* What fi_evil_torn() and fi_evil_protected() store. */
#define FI_EVIL_MTU		1492
/* And where fi_evil_lent() does: the length in struct ethtool_eeprom. */
#define FI_EVIL_LENT		12

#ifndef __ASSEMBLY__

#include <linux/types.h>

/**
 * struct fi_evil - parameters of the evil functions
 * @target: address to write or jump to
 * @value: what to write
 * @alloc: an allocating function, called with @alloc_arg
 * @second: function to be called with what @alloc returned
 *
 * In kernel data, which domains can read. Written before a provocation is
 * armed, so there is one at a time.
 */
struct fi_evil {
	unsigned long target;
	unsigned long value;
	unsigned long alloc;
	unsigned long alloc_arg[3];
	unsigned long second;
};

extern struct fi_evil fi_evil;

void fi_evil_write(void);
void fi_evil_write_byte(void);
void fi_evil_write_int(void);
void fi_evil_torn(void);
void fi_evil_protected(void);
void fi_evil_lent(void);
void fi_evil_nothing(void);
void fi_evil_middle(void);
void fi_evil_function_pointer(void);
void fi_evil_jump(void);
void fi_evil_overflow(void);
void fi_evil_bug(void);
void fi_evil_divide(void);
void fi_evil_loop(void);
void fi_evil_loop_irqoff(void);
void fi_evil_leak_irqoff(void);
void fi_evil_second_once(void);
void fi_evil_second_twice(void);
void fi_evil_overrun(void);
void fi_evil_use_after_free(void);
void fi_evil_smash(void);
void fi_evil_wrmsr(void);
void fi_evil_cr3(void);
void fi_evil_port(void);

/* Kernel text that a domain must neither run nor change: counts its calls. */
void fi_canary_text(void);
extern u64 fi_canary_text_word;
extern u64 fi_canary_landed;

#endif /* !__ASSEMBLY__ */
#endif
