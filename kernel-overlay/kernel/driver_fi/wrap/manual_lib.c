// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imports that run inside the domain.
 */
#include "../../../arch/x86/driver_fi/lib.h"
#include "manual.h"
#include "net.h"

const struct fi_import fi_imports_lib[] = {
	{ .name = "memcpy", .lib = fi_lib_memcpy },
	{ .name = "memset", .lib = fi_lib_memset },
	{ .name = "memmove", .lib = fi_lib_memmove },
	{ .name = "memcmp", .lib = fi_lib_memcmp },
	{ .name = "strlen", .lib = fi_lib_strlen },
	{ .name = "strnlen", .lib = fi_lib_strnlen },
	{ .name = "strcmp", .lib = fi_lib_strcmp },
	{ .name = "strncmp", .lib = fi_lib_strncmp },
	{ .name = "strchr", .lib = fi_lib_strchr },
	{ .name = "sized_strscpy", .lib = fi_lib_strscpy },
	{ .name = "_find_next_bit", .lib = fi_lib_find_next_bit },
	{ .name = "_find_next_zero_bit", .lib = fi_lib_find_next_zero_bit },
	{ .name = "_find_first_bit", .lib = fi_lib_find_first_bit },
	{ .name = "skb_put", .fn = fi_wrap_skb_put, .lib = fi_lib_skb_put },
	{ .name = "is_vmalloc_addr", .lib = fi_lib_is_vmalloc_addr },
	{ .name = "_find_first_zero_bit", .lib = fi_lib_find_first_zero_bit },
	{ }
};
