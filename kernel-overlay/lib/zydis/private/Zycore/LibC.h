/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The three memory functions that the decoder uses, as builtins: upstream's
 * replacements are volatile byte loops and cost four times the decoding.
 */
#ifndef _FI_ZYCORE_LIBC_H
#define _FI_ZYCORE_LIBC_H

#define ZYAN_MEMSET	__builtin_memset
#define ZYAN_MEMCPY	__builtin_memcpy
#define ZYAN_MEMCMP	__builtin_memcmp

#endif
