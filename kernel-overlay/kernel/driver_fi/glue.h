/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the top layer.
 */
#ifndef _DRIVER_FI_GLUE_H
#define _DRIVER_FI_GLUE_H

#include "fi.h"

/* module.c: what text_poke() is to the kernel's own text. */
bool fi_text_change(void *addr, const void *opcode, size_t len);

/* main.c: why isolation is off in this boot, for people. */
const char *fi_disabled_reason(void);

/* sysfs.c */
int fi_sysfs_init(void);
int fi_sysfs_add(struct fi_domain *d);
void fi_sysfs_del(struct fi_domain *d);

#endif
