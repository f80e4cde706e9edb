/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stages after load and annotate, in the order in which main.c runs them.
 */
#ifndef WRAPPERS_GEN_STAGES_H
#define WRAPPERS_GEN_STAGES_H

#include <stdio.h>

#include "model.h"

void classify(struct run *r);		/* what each import is */
void match(struct run *r);		/* which struct each ops object is */
void plan(struct run *r);		/* a wrapper, or a reason, per name */
void order(struct run *r);		/* sorted, each name once */

void emit_module(struct run *r, FILE *out);	/* the whole C file */
void emit_wrappers(struct run *r, FILE *out);
void emit_slots(struct run *r, FILE *out);
void emit_tables(struct run *r, FILE *out);
void emit_asserts(struct run *r, FILE *out);
void emit_report(struct run *r, FILE *out);

/* plan.c: the C name of a slot's symbol, dots as underscores */
const char *slot_symbol(const struct slot_note *n);
/* plan.c: is this import in the module's table, and how */
bool plan_emitted(const struct plan *p);

#endif
