/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small ET_REL loader: a real .ko in the lower 2 GiB of a user process, laid out
 * and finished as the kernel does before the engine's hook.
 */
#ifndef _HOST_LOADER_H
#define _HOST_LOADER_H

#include <elf.h>

#include "dbi.h"

enum { SYM_IMPORT_MAX = 4096 };

struct import {
	const char *name;
	u64 va;			/* stub */
	struct fi_dbi_target t;
	bool used_as_data;
};

/* Site lists of modules are not aligned. */
typedef s32 s32_u __attribute__((aligned(1)));

struct mod {
	char name[128];
	u8 *file;
	size_t file_size;
	Elf64_Ehdr *eh;
	Elf64_Shdr *sh;
	const char *shstr;
	Elf64_Sym *sym;
	u32 nr_syms;
	const char *str;
	u64 *sec_va;
	u64 bias;		/* linked for addresses so much above those here */

	u8 *map;		/* all of it */
	size_t map_size;
	struct fi_dbi_text text[2];	/* core, init */
	u8 *text_live[2];
	u64 arena;
	u32 arena_size;
	u64 data;
	u64 data_size;

	struct fi_dbi_func *func;
	u32 nr_funcs;
	struct fi_dbi_edge *edge;
	u32 nr_edges;
	struct import *import;
	u32 nr_imports;
	char error[160];
};

struct load_options {
	bool finalize;		/* returns, retpolines, alternatives as on a plain CPU */
	bool all_features;	/* alternatives as on one that has everything */
	u64 run_at;		/* linked for this address; what stands here is to be read */
	u64 (*host_symbol)(const char *name);
};

/* Loads an uncompressed or .xz module; NULL and a message on failure. */
struct mod *mod_load(const char *path, const struct load_options *o);
void mod_free(struct mod *m);
/* Same for an image in memory (taken over). */
struct mod *mod_load_image(const char *name, u8 *file, size_t size,
			   const struct load_options *o);
u64 mod_sym(const struct mod *m, const char *name);
const char *mod_sym_at(const struct mod *m, u64 va, u64 *off);
const struct import *mod_import_at(const struct mod *m, u64 va);
Elf64_Shdr *mod_section(const struct mod *m, const char *name, u32 *index);
/* alternatives.c; false: a replacement that could not be moved */
bool mod_apply_alternatives(struct mod *m, bool all);
void mod_finish_sites(struct mod *m);
u8 *read_module(const char *path, size_t *size);

/* The environment of the engine for a loaded module. */
struct fi_dbi_env mod_env(struct mod *m);
struct fi_dbi_input mod_input(struct mod *m, const struct fi_dbi_env *env,
			      const struct fi_dbi_config *cfg);

/* Maps at a free place below 2 GiB. */
void *map_low(size_t size, int prot);

#endif
