// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classify: function or data, exported or not, with which prototype.
 */
#include <string.h>

#include "load.h"
#include "stages.h"
#include "util.h"

static void classify_one(struct run *r, struct import *imp)
{
	const char *kind = names_get(r->k.symbols, imp->name);

	imp->exported = kernel_exports(&r->k, imp->name);
	imp->fn = kernel_find(&r->k, MK_FUNC, imp->name);
	imp->data = !imp->fn && kind && *kind == 'o';
}

/* Drivers of one module share wrappers: a use of one counts for all. */
static void share_uses(struct run *r, struct import *imp)
{
	u32 i, j;

	for (i = 0; i < r->nr_ko; i++) {
		for (j = 0; j < r->ko[i]->nr_imp; j++) {
			struct import *other = &r->ko[i]->imp[j];

			if (strcmp(other->name, imp->name))
				continue;
			imp->called |= other->called;
			imp->pointer |= other->pointer;
		}
	}
}

void classify(struct run *r)
{
	u32 i, j;

	for (i = 0; i < r->nr_ko; i++) {
		for (j = 0; j < r->ko[i]->nr_imp; j++) {
			classify_one(r, &r->ko[i]->imp[j]);
			share_uses(r, &r->ko[i]->imp[j]);
		}
	}
}
