/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF files: sections, symbols, bytes.
 */
#ifndef WRAPPERS_GEN_ELF_H
#define WRAPPERS_GEN_ELF_H

#include <gelf.h>

#include "model.h"

struct elf {
	Elf *e;
	const char *path;
	Elf_Scn *symscn;
	Elf_Data *syms;
	size_t nr_sym, strndx;
};

struct elf *elf_load(const char *path);
/* The first section of that type (0: any) and name (NULL: any). */
Elf_Scn *elf_section(struct elf *f, u32 type, const char *name);
const char *elf_section_name(struct elf *f, Elf_Scn *s);
const char *elf_symbol(struct elf *f, u32 i, GElf_Sym *sym);
/* Bytes at an address of a linked file; *@left: how many there are. */
const void *elf_bytes(struct elf *f, u64 addr, u64 *left);

#endif
