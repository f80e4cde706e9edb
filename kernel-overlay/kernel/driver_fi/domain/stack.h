/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shape of the stacks of a domain.
 *
 *   low                                                     high
 *   | shadow (full, dbi) | guard pages | stack            top|
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
/*
 * Not mapped in mode dbi, where the CPU pushes its frames on the stack: a function
 * that is entered with less stack than FI_STACK_ROOM faults when it stores its
 * copy, while there is still room for its frame, a check and that fault.
 */
#define FI_STACK_DENY		(2 * PAGE_SIZE)
#define FI_STACK_ROOM		(FI_STACK_DENY + FI_STACK_SHADOW - FI_STACK_TWIN - FI_STACK_GUARD)

#endif
