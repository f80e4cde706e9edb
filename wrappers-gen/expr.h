/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Expressions of annotations: C over parameters, "ret" and param->member.
 */
#ifndef WRAPPERS_GEN_EXPR_H
#define WRAPPERS_GEN_EXPR_H

#include "model.h"

/* What names in an expression mean. */
struct scope {
	const struct param *p;
	u32 nr;
	struct mtype *ret;	/* NULL: "ret" is not allowed */
	bool slot;		/* arguments are a[], not c->arg[] */
	bool size;		/* a length: + and * saturate */
	bool obj;		/* parameters are C variables, see obj_param() */
};

/* A parameter of conditions on a type's objects: "obj", or "old", what it was. */
struct param obj_param(const struct type_note *t, const char *name);

struct expr *expr_parse(const char *text, struct where w);
/* NULL if every name is known, else the complaint. */
const char *expr_check(const struct expr *e, const struct scope *s);
/* C text of a 64-bit value. */
const char *expr_emit(const struct expr *e, const struct scope *s);
/* C text of the raw argument word at @pos. */
const char *arg_emit(u32 pos, bool slot);

#endif
