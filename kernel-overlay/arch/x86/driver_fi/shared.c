// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions among the text that domains share which a translated driver gets
 * translated, like its own: what it calls instead of the kernel's memcpy() and
 * so on, so that each store is checked.
 */
#include <linux/stddef.h>

#include <asm/driver_fi.h>

#include "lib.h"

void * const fi_shared_funcs[] = {
	fi_lib_memcpy, fi_lib_memset, fi_lib_memmove, fi_lib_memcmp,
	fi_lib_strlen, fi_lib_strnlen, fi_lib_strcmp, fi_lib_strncmp, fi_lib_strchr,
	fi_lib_strscpy,
	fi_lib_find_next_bit, fi_lib_find_next_zero_bit,
	fi_lib_find_first_bit, fi_lib_find_first_zero_bit,
	fi_lib_is_vmalloc_addr, fi_lib_skb_put,
	NULL
};
