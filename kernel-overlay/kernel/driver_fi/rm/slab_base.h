/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The start of a kernel object from an address within.
 */
#ifndef _DRIVER_FI_SLAB_BASE_H
#define _DRIVER_FI_SLAB_BASE_H

#include <linux/types.h>

bool fi_is_slab_start(const void *p);
unsigned long fi_slab_base(unsigned long addr);
unsigned long fi_page_base(unsigned long addr);

#endif
