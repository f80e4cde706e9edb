/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Zycore's Defines.h with an unreachable path that returns instead of hanging.
 *
 * Upstream's ZYAN_UNREACHABLE without a C library is for(;;), which hostile
 * bytes must not be able to reach. Here it leaves a mark and goes on; the
 * engine looks at the mark after each instruction and refuses everything from
 * then on (see fi_dbi_decode()).
 */
#ifndef _FI_ZYCORE_DEFINES_H
#define _FI_ZYCORE_DEFINES_H

#include_next <Zycore/Defines.h>

extern int fi_zydis_unreachable;

#undef ZYAN_UNREACHABLE
#define ZYAN_UNREACHABLE ((void)(fi_zydis_unreachable = 1))

#undef ZYAN_ASSERT
#define ZYAN_ASSERT(condition) \
	((void)((condition) ? 0 : (fi_zydis_unreachable = 1)))

#endif
