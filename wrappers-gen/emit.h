/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the emitters share.
 */
#ifndef WRAPPERS_GEN_EMIT_H
#define WRAPPERS_GEN_EMIT_H

#include "model.h"

/* Does this import get a function of its own? */
bool plan_generated_fn(const struct plan *p);
bool splan_generated_fn(const struct splan *p);
/* C text of a buffer's length. */
const char *len_emit(const struct param *p, const struct param *all, u32 nr, bool slot);
/* The C symbol of a slot: the kernel's if manual, else of this file. */
const char *slot_ref(const struct slot_note *n);
/* "net_device_ops.ndo_open" as an identifier. */
const char *slot_ident(const char *name);

#endif
