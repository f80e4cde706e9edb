// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load: which imports the kernel wraps itself. Its tables fi_imports_* are
 * arrays of struct fi_import; each name is read from the linked file.
 */
#include <string.h>

#include "elf.h"
#include "load.h"
#include "util.h"

static const char *string_at(struct elf *f, u64 addr)
{
	u64 left;
	const char *s = elf_bytes(f, addr, &left);

	return s && memchr(s, 0, left) ? s : NULL;
}

static void add_table(struct kernel *k, struct elf *f, const GElf_Sym *sym,
		      u32 size, u32 name_off)
{
	u64 at, left;

	for (at = 0; at + size <= sym->st_size; at += size) {
		const u64 *name = elf_bytes(f, sym->st_value + at + name_off, &left);
		const char *s = name && left >= 8 ? string_at(f, *name) : NULL;

		if (s && *s)
			names_add(k->builtin, s, k);
	}
}

void kernel_add_builtin(struct kernel *k, struct elf *f)
{
	static const char prefix[] = "fi_imports_";
	struct mtype *t = types_find(k->vmlinux, MK_STRUCT, "fi_import");
	struct member m;
	GElf_Sym sym;
	u32 i;

	if (!t || !type_member(t, "name", &m))
		return;
	k->builtin = names_new();
	for (i = 1; i < f->nr_sym; i++) {
		const char *name = elf_symbol(f, i, &sym);

		if (GELF_ST_TYPE(sym.st_info) == STT_OBJECT &&
		    !strncmp(name, prefix, sizeof(prefix) - 1))
			add_table(k, f, &sym, t->size, m.bit_off / 8);
	}
}
