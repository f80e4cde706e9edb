/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A module as the engine reads it.
 */
#ifndef _DRIVER_FI_SOURCE_H
#define _DRIVER_FI_SOURCE_H

#include "../dbi/dbi.h"
#include "../fi.h"
#include "translate.h"

/* Core text, init text, and the functions of the kernel that domains share. */
#define FI_SOURCE_TEXTS	3

/**
 * struct fi_source - texts, functions and edges of a module
 * @bytes: length of all that is to be translated
 */
struct fi_source {
	struct fi_dbi_text texts[FI_SOURCE_TEXTS];
	u32 nr_texts;
	struct fi_dbi_func *funcs;
	u32 nr_funcs;
	struct fi_dbi_edge *edges;
	u32 nr_edges;
	u64 bytes;
};

int fi_source_read(struct fi_source *s, struct fi_domain *d, const struct fi_image *img);
/* Names lie in the module file, which the loader frees. */
void fi_source_forget_names(struct fi_source *s);
void fi_source_free(struct fi_source *s);

#endif
