// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load: ELF side of vmlinux and modules: exports, symbols, imports, and the
 * relocations of data objects.
 */
#include <string.h>

#include "elf.h"
#include "load.h"
#include "util.h"

static const char *module_name(const char *path)
{
	const char *base = strrchr(path, '/');
	char *name = xfmt("%s", base ? base + 1 : path), *c;

	for (c = name; *c; c++) {
		if (*c == '-')
			*c = '_';
		if (!strcmp(c, ".ko"))
			*c-- = 0;
	}
	return name;
}

/* --- does a module's BTF belong to this vmlinux? --------------------------- */

struct match {
	struct names *symbols;
	u32 known, unknown;
};

static void match_func(void *ctx, const char *name)
{
	struct match *m = ctx;

	if (names_has(m->symbols, name))
		m->known++;
	else
		m->unknown++;
}

/*
 * Split BTF counts on from its base, strings too. Read over another base, its
 * functions have names that the module does not know.
 */
static void check_base(const struct types *t, struct elf *f)
{
	struct match m = { .symbols = names_new() };
	GElf_Sym sym;
	u32 i;

	for (i = 1; i < f->nr_sym; i++)
		names_add(m.symbols, elf_symbol(f, i, &sym), f);
	types_each_func(t, match_func, &m);
	if (m.unknown > m.known)
		die("%s: its BTF is not of this vmlinux: build both together", f->path);
}

/* --- providers ----------------------------------------------------------- */

static void add_symbols(struct kernel *k, struct elf *f)
{
	static const char prefix[] = "__ksymtab_";
	GElf_Sym sym;
	u32 i;

	for (i = 0; i < f->nr_sym; i++) {
		const char *name = elf_symbol(f, i, &sym);

		if (!*name || sym.st_shndx == SHN_UNDEF)
			continue;
		if (!strncmp(name, prefix, sizeof(prefix) - 1))
			names_add(k->exports, name + sizeof(prefix) - 1, f);
		else
			names_add(k->symbols, name,
				  GELF_ST_TYPE(sym.st_info) == STT_OBJECT ? "o" : "f");
	}
}

void kernel_load(struct kernel *k, const char *vmlinux)
{
	struct elf *f = elf_load(vmlinux);

	k->exports = names_new();
	k->symbols = names_new();
	k->vmlinux = types_load(vmlinux, NULL);
	k->vmlinux->origin = "vmlinux";
	add_symbols(k, f);
	kernel_add_builtin(k, f);
}

void kernel_add_module(struct kernel *k, const char *path)
{
	struct elf *f = elf_load(path);

	k->mod = xgrow(k->mod, k->nr_mod, sizeof(*k->mod));
	k->mod[k->nr_mod] = types_load(path, k->vmlinux);
	k->mod[k->nr_mod]->origin = module_name(path);
	check_base(k->mod[k->nr_mod++], f);
	add_symbols(k, f);
}

struct mtype *kernel_find(const struct kernel *k, enum mkind kind, const char *name)
{
	struct mtype *t = types_find(k->vmlinux, kind, name);
	u32 i;

	for (i = 0; !t && i < k->nr_mod; i++)
		t = types_find(k->mod[i], kind, name);
	return t;
}

bool kernel_exports(const struct kernel *k, const char *name)
{
	return names_has(k->exports, name);
}

bool kernel_has_symbol(const struct kernel *k, const char *name)
{
	return names_has(k->symbols, name);
}

bool kernel_wraps(const struct kernel *k, const char *name)
{
	return !k->builtin || names_has(k->builtin, name);
}

bool kernel_has_own(const struct kernel *k, const char *name)
{
	return k->builtin && names_has(k->builtin, name);
}

/* --- a driver ------------------------------------------------------------ */

static struct import *import_of(struct ko *ko, const char *name)
{
	u32 i;

	for (i = 0; i < ko->nr_imp; i++) {
		if (!strcmp(ko->imp[i].name, name))
			return &ko->imp[i];
	}
	return NULL;
}

static void load_imports(struct ko *ko, struct elf *f)
{
	GElf_Sym sym;
	u32 i;

	for (i = 1; i < f->nr_sym; i++) {
		const char *name = elf_symbol(f, i, &sym);

		if (sym.st_shndx != SHN_UNDEF || !*name)
			continue;
		ko->imp = xgrow(ko->imp, ko->nr_imp, sizeof(*ko->imp));
		ko->imp[ko->nr_imp++].name = name;
	}
}

static bool section_skipped(const char *name)
{
	/* Debug information and what the module loader itself reads. */
	static const char *const skip[] = {
		".debug", ".orc", ".return_sites", ".retpoline_sites",
		".call_sites", ".ibt_endbr_seal", ".altinstr", "__bug_table",
		"__patchable", ".static_call_sites", "__jump_table",
		".smp_locks", "__ex_table", ".parainstructions",
	};
	u32 i;

	for (i = 0; i < sizeof(skip) / sizeof(*skip); i++) {
		if (!strncmp(name, skip[i], strlen(skip[i])))
			return true;
	}
	return false;
}

static void mark_uses(struct ko *ko, struct elf *f, Elf_Scn *rela)
{
	Elf_Data *d = elf_getdata(rela, NULL);
	GElf_Shdr h;
	GElf_Rela r;
	GElf_Sym sym;
	u32 i;

	gelf_getshdr(rela, &h);
	for (i = 0; i < h.sh_size / h.sh_entsize; i++) {
		const char *name;
		struct import *imp;

		gelf_getrela(d, i, &r);
		name = elf_symbol(f, GELF_R_SYM(r.r_info), &sym);
		if (sym.st_shndx != SHN_UNDEF || !*name)
			continue;
		imp = import_of(ko, name);
		if (!imp)
			continue;
		if (GELF_R_TYPE(r.r_info) == R_X86_64_PLT32)
			imp->called = true;
		else
			imp->pointer = true;
	}
}

/* The function symbol that starts at @addr of section @shndx. */
static const char *func_at(struct elf *f, u32 shndx, u64 addr)
{
	GElf_Sym sym;
	u32 i;

	for (i = 1; i < f->nr_sym; i++) {
		const char *name = elf_symbol(f, i, &sym);

		if (sym.st_shndx == shndx && sym.st_value == addr &&
		    GELF_ST_TYPE(sym.st_info) == STT_FUNC)
			return name;
	}
	return NULL;
}

static void add_rel(struct ko *ko, struct elf *f, struct object *o, GElf_Rela *r)
{
	struct objrel *rel;
	GElf_Sym sym;
	const char *name = elf_symbol(f, GELF_R_SYM(r->r_info), &sym);

	o->rel = xgrow(o->rel, o->nr_rel, sizeof(*o->rel));
	rel = &o->rel[o->nr_rel++];
	rel->off = r->r_offset;
	if (sym.st_shndx == SHN_UNDEF)
		rel->import = name;
	else
		rel->func = func_at(f, sym.st_shndx, sym.st_value + r->r_addend);
	if (rel->func || rel->import)
		rel->fn = types_find(ko->types, MK_FUNC,
				     rel->func ? rel->func : rel->import);
}

static bool object_wanted(struct elf *f, const char *name, GElf_Sym *sym)
{
	const char *sec;

	if (GELF_ST_TYPE(sym->st_info) != STT_OBJECT || sym->st_size < 8 ||
	    sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE)
		return false;
	if (strstr(name, "__addressable") || !strcmp(name, "__this_module"))
		return false;
	sec = elf_section_name(f, elf_getscn(f->e, sym->st_shndx));
	return !strncmp(sec, ".rodata", 7) || !strncmp(sec, ".data", 5);
}

static void load_objects(struct ko *ko, struct elf *f, Elf_Scn *rela)
{
	Elf_Data *d = elf_getdata(rela, NULL), *bytes;
	GElf_Shdr h;
	GElf_Rela r;
	GElf_Sym sym;
	u32 i, j, nr;

	gelf_getshdr(rela, &h);
	nr = h.sh_size / h.sh_entsize;
	bytes = elf_getdata(elf_getscn(f->e, h.sh_info), NULL);
	for (i = 1; i < f->nr_sym; i++) {
		const char *name = elf_symbol(f, i, &sym);
		struct object o = { .name = name, .size = sym.st_size };
		bool funcs = false;

		if (sym.st_shndx != h.sh_info || !object_wanted(f, name, &sym))
			continue;
		for (j = 0; j < nr; j++) {
			gelf_getrela(d, j, &r);
			if (GELF_R_TYPE(r.r_info) != R_X86_64_64 ||
			    r.r_offset < sym.st_value ||
			    r.r_offset >= sym.st_value + sym.st_size)
				continue;
			r.r_offset -= sym.st_value;
			add_rel(ko, f, &o, &r);
			funcs |= !!o.rel[o.nr_rel - 1].func;
		}
		if (!funcs)
			continue;
		if (bytes && bytes->d_buf)
			o.data = (const unsigned char *)bytes->d_buf + sym.st_value;
		ko->obj = xgrow(ko->obj, ko->nr_obj, sizeof(*ko->obj));
		ko->obj[ko->nr_obj++] = o;
	}
}

/* Bindings go by name: a name that stands for two functions is none. */
static void load_twice(struct ko *ko, struct elf *f)
{
	struct names *once = names_new();
	GElf_Sym sym;
	u32 i;

	ko->twice = names_new();
	for (i = 1; i < f->nr_sym; i++) {
		const char *name = elf_symbol(f, i, &sym);

		if (GELF_ST_TYPE(sym.st_info) == STT_FUNC &&
		    !names_add(once, name, f))
			names_add(ko->twice, name, f);
	}
}

static void load_namespaces(struct ko *ko, struct elf *f)
{
	Elf_Scn *s = elf_section(f, 0, ".modinfo");
	Elf_Data *d = s ? elf_getdata(s, NULL) : NULL;
	const char *c, *end;

	if (!d)
		return;
	end = (const char *)d->d_buf + d->d_size;
	for (c = d->d_buf; c < end; c += strnlen(c, end - c) + 1) {
		if (strncmp(c, "import_ns=", 10))
			continue;
		ko->ns = xgrow(ko->ns, ko->nr_ns, sizeof(*ko->ns));
		ko->ns[ko->nr_ns++] = c + 10;
	}
}

struct ko *ko_open(const struct kernel *k, const char *path)
{
	struct ko *ko = xcalloc(1, sizeof(*ko));
	struct elf *f = elf_load(path);
	Elf_Scn *s = NULL;
	GElf_Shdr h;

	ko->path = path;
	ko->name = module_name(path);
	ko->types = types_load(path, k->vmlinux);
	ko->types->origin = ko->name;
	check_base(ko->types, f);
	ko->elf = f;
	load_imports(ko, f);
	load_twice(ko, f);
	load_namespaces(ko, f);
	while ((s = elf_nextscn(f->e, s))) {
		const char *target;

		gelf_getshdr(s, &h);
		if (h.sh_type != SHT_RELA)
			continue;
		target = elf_section_name(f, elf_getscn(f->e, h.sh_info));
		if (section_skipped(target))
			continue;
		mark_uses(ko, f, s);
		load_objects(ko, f, s);
	}
	return ko;
}
