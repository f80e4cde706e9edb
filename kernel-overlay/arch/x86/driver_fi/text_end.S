/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of the kernel text that domains can execute: page-aligned, so that
 * nothing else shares its pages. First and last in link order; see Makefile.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/page_types.h>
#include <asm/unwind_hints.h>

	.pushsection .entry.text, "ax"
	.balign	PAGE_SIZE, 0xcc
SYM_CODE_START_NOALIGN(__fi_text_end)
	UNWIND_HINT_UNDEFINED
	ANNOTATE_NOENDBR
	int3
SYM_CODE_END(__fi_text_end)
	.popsection
