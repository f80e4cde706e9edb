/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shape of the stacks of a domain.
 *
 *   low                                                     high
 *   | shadow (full only) | guard pages | stack            top|
 *
 * Translated code keeps a second copy of each return address at rsp -
 * FI_STACK_SHADOW. That is no multiple of a page: a load of one would alias
 * the store of the other (measured, dbi.rst).
 */
#ifndef _DRIVER_FI_STACK_H
#define _DRIVER_FI_STACK_H

#include <asm/page.h>

#define FI_STACK_SIZE		(4 * PAGE_SIZE)
/* Wider than any frame: a store within the frame cannot jump over it. */
#define FI_STACK_GUARD		(2 * PAGE_SIZE)
#define FI_STACK_MAX_FRAME	4096
#define FI_STACK_TWIN		(5 * PAGE_SIZE)
#define FI_STACK_SHADOW		(FI_STACK_TWIN + FI_STACK_GUARD - 0x440)

#endif
