/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classes and parked objects, for recovery above.
 */
#ifndef _DRIVER_FI_CLASS_H
#define _DRIVER_FI_CLASS_H

#include <linux/types.h>

struct fi_domain;

int fi_classes_create(struct fi_domain *d);
void fi_classes_destroy(struct fi_domain *d);

void fi_classes_mask(struct fi_domain *d);
void fi_classes_quiesce(struct fi_domain *d);
void fi_classes_reset(struct fi_domain *d);
int fi_classes_replay(struct fi_domain *d);
void fi_classes_abandon(struct fi_domain *d);

void *fi_unpark_any(struct fi_domain *d, const char *key);
/* Between these two fi_release_later() keeps things, until fi_late_release(). */
void fi_late_begin(struct fi_domain *d);
void fi_late_end(struct fi_domain *d);
void fi_late_release(struct fi_domain *d);

/* From here on nothing is parked: releases are for good. */
void fi_park_close(struct fi_domain *d);
unsigned int fi_parked(struct fi_domain *d);

#endif
