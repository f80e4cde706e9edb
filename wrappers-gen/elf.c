// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load: ELF files by libelf.
 */
#include <fcntl.h>
#include <string.h>

#include "elf.h"
#include "util.h"

Elf_Scn *elf_section(struct elf *f, u32 type, const char *name)
{
	Elf_Scn *s = NULL;
	size_t shstr;
	GElf_Shdr h;

	elf_getshdrstrndx(f->e, &shstr);
	while ((s = elf_nextscn(f->e, s))) {
		gelf_getshdr(s, &h);
		if (type && h.sh_type != type)
			continue;
		if (!name || !strcmp(elf_strptr(f->e, shstr, h.sh_name), name))
			return s;
	}
	return NULL;
}

const char *elf_section_name(struct elf *f, Elf_Scn *s)
{
	size_t shstr;
	GElf_Shdr h;

	elf_getshdrstrndx(f->e, &shstr);
	gelf_getshdr(s, &h);
	return elf_strptr(f->e, shstr, h.sh_name);
}

struct elf *elf_load(const char *path)
{
	struct elf *f = xcalloc(1, sizeof(*f));
	int fd = open(path, O_RDONLY);
	GElf_Shdr h;
	GElf_Ehdr eh;

	if (fd < 0)
		die("%s: cannot open", path);
	elf_version(EV_CURRENT);
	f->path = path;
	f->e = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!f->e || !gelf_getehdr(f->e, &eh) || eh.e_machine != EM_X86_64)
		die("%s: not an x86-64 ELF file", path);
	f->symscn = elf_section(f, SHT_SYMTAB, NULL);
	if (!f->symscn)
		die("%s: no symbol table", path);
	gelf_getshdr(f->symscn, &h);
	f->syms = elf_getdata(f->symscn, NULL);
	f->nr_sym = h.sh_size / h.sh_entsize;
	f->strndx = h.sh_link;
	return f;
}

const char *elf_symbol(struct elf *f, u32 i, GElf_Sym *sym)
{
	gelf_getsym(f->syms, i, sym);
	return elf_strptr(f->e, f->strndx, sym->st_name);
}

const void *elf_bytes(struct elf *f, u64 addr, u64 *left)
{
	Elf_Scn *s = NULL;
	Elf_Data *d;
	GElf_Shdr h;

	while ((s = elf_nextscn(f->e, s))) {
		gelf_getshdr(s, &h);
		if (!(h.sh_flags & SHF_ALLOC) || h.sh_type == SHT_NOBITS ||
		    addr < h.sh_addr || addr >= h.sh_addr + h.sh_size)
			continue;
		d = elf_getdata(s, NULL);
		if (!d || !d->d_buf)
			return NULL;
		*left = h.sh_size - (addr - h.sh_addr);
		return (const char *)d->d_buf + (addr - h.sh_addr);
	}
	return NULL;
}
