/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of the kernel text that domains can execute: page-aligned, so that
 * nothing else shares its pages. First and last in link order; see Makefile.
 */
#include <linux/linkage.h>
#include <asm/page_types.h>

	.pushsection .entry.text, "ax"
	.balign	PAGE_SIZE, 0xcc
SYM_DATA_START(__fi_text_end)
SYM_DATA_END(__fi_text_end)
	.popsection
