/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shadow copies of kernel objects that a driver configures by plain stores.
 */
#ifndef _DRIVER_FI_SHADOW_H
#define _DRIVER_FI_SHADOW_H

#include "../fi.h"

int fi_shadow_add(struct fi_domain *d, void *obj, const struct fi_type *t);
void fi_shadow_del(struct fi_domain *d, const void *obj);
bool fi_shadow_fault(struct fi_domain *d, unsigned long addr);
bool fi_shadow_ask(struct fi_domain *d, unsigned long addr);
bool fi_shadow_held(struct fi_domain *d, const void *p, const struct fi_type *t);
bool fi_shadow_leave(const struct fi_frame *f);
void fi_shadow_discard_all(struct fi_domain *d);

#endif
