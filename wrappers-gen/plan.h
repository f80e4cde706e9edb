/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the plan stage. Functions that return text return NULL
 * or the reason for a refusal.
 */
#ifndef WRAPPERS_GEN_PLAN_H
#define WRAPPERS_GEN_PLAN_H

#include "model.h"

/* Where each parameter travels. */
const char *plan_place(struct mtype *proto, struct param **out, u32 *nr_pos);
const struct spec *plan_spec_of(const struct spec *s, u32 nr, const char *name);
/* False if the parameter's type alone does not tell what it is. */
bool plan_by_type(struct run *r, struct param *p, bool slot);
const char *plan_resolve_type(struct run *r, struct param *p);
const char *plan_params(struct run *r, struct param *p, u32 nr,
			const struct spec *spec, u32 nr_spec, bool slot);
const char *plan_check_lengths(const struct param *p, u32 nr, bool slot);
/* The plan of a slot, made when first asked for. */
struct splan *plan_slot(struct run *r, const char *name, struct mtype *proto);

#endif
