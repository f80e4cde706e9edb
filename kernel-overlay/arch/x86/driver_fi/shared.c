// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions among the text that domains share which a translated driver gets
 * translated, like its own: what it calls instead of the kernel's memcpy() and
 * so on, so that each store is checked, and provoked faults.
 */
#include <linux/stddef.h>

#include <asm/driver_fi.h>
#include <asm/driver_fi_inject.h>

#include "lib.h"

void * const fi_shared_funcs[] = {
	fi_lib_memcpy, fi_lib_memset, fi_lib_memmove, fi_lib_memcmp,
	fi_lib_strlen, fi_lib_strnlen, fi_lib_strcmp, fi_lib_strncmp, fi_lib_strchr,
	fi_lib_strscpy,
	fi_lib_find_next_bit, fi_lib_find_next_zero_bit,
	fi_lib_find_first_bit, fi_lib_find_first_zero_bit,
	fi_lib_is_vmalloc_addr,
#ifdef CONFIG_DRIVER_FI_INJECT
	fi_evil_write, fi_evil_jump, fi_evil_overflow, fi_evil_bug, fi_evil_divide,
	fi_evil_loop, fi_evil_loop_irqoff, fi_evil_leak_irqoff,
	fi_evil_second_twice, fi_evil_second_once,
	fi_evil_overrun, fi_evil_use_after_free, fi_evil_smash,
	fi_evil_wrmsr, fi_evil_cr3, fi_evil_port,
#endif
	NULL
};
