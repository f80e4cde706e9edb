// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds in a relocated module what its translation needs: functions, which of
 * them have their address taken, and edges that the code does not show.
 */
#include <linux/bsearch.h>
#include <linux/driver_fi.h>
#include <linux/elf.h>
#include <linux/extable.h>
#include <linux/jump_label.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include <asm/driver_fi.h>

#include "source.h"

static bool fi_ends_cold(const char *name)
{
	const char *dot = strstr(name, ".cold");

	return dot && (!dot[5] || dot[5] == '.');
}

static int fi_text_of(const struct fi_source *s, u64 va)
{
	u32 i;

	for (i = 0; i < s->nr_texts; i++) {
		if (va >= s->texts[i].va && va - s->texts[i].va < s->texts[i].size)
			return i;
	}
	return -1;
}

static int fi_by_va(const void *a, const void *b)
{
	const struct fi_dbi_func *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return x->size > y->size ? -1 : x->size < y->size;
}

static int fi_by_from(const void *a, const void *b)
{
	const struct fi_dbi_edge *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static int fi_cmp_va(const void *key, const void *elt)
{
	const struct fi_dbi_func *f = elt;
	u64 va = *(const u64 *)key;

	return va < f->va ? -1 : va > f->va;
}

/* Names of one address were made one. */
static struct fi_dbi_func *fi_func_at(const struct fi_source *s, u64 va)
{
	return bsearch(&va, s->funcs, s->nr_funcs, sizeof(*s->funcs), fi_cmp_va);
}

static void fi_add_text(struct fi_source *s, struct fi_domain *d,
			const struct module_memory *m)
{
	struct fi_dbi_text *t = &s->texts[s->nr_texts];
	size_t avail;

	if (!m->size)
		return;
	t->va = (u64)m->base;
	t->size = m->size;
	t->bytes = fi_text_pristine(d, t->va, &avail);
	s->bytes += t->size;
	s->nr_texts++;
}

static void * const *fi_extra_funcs;

/**
 * fi_source_extra - functions in the shared text to translate with each driver
 * @funcs: NULL behind the last; stays for ever
 *
 * For provoked faults, which stand in a higher layer. Before any driver loads.
 */
void fi_source_extra(void * const *funcs)
{
	fi_extra_funcs = funcs;
}

static void fi_add_funcs(struct fi_source *s, void * const *fn)
{
	unsigned long size, off;

	for (; fn && *fn; fn++) {
		if (!kallsyms_lookup_size_offset((unsigned long)*fn, &size, &off) || off)
			continue;
		s->funcs[s->nr_funcs++] = (struct fi_dbi_func){
			.va = (u64)*fn, .size = size,
		};
		s->bytes += size;
	}
}

/* Functions of the kernel that only compute on the driver's memory, and faults. */
static void fi_add_shared(struct fi_source *s)
{
	struct fi_dbi_text *t = &s->texts[s->nr_texts++];

	t->va = (u64)__fi_text_start;
	t->size = __fi_text_end - __fi_text_start;
	t->bytes = (const u8 *)__fi_text_start;
	fi_add_funcs(s, fi_shared_funcs);
	fi_add_funcs(s, fi_extra_funcs);
}

static u32 fi_count(void * const *fn)
{
	u32 n = 0;

	while (fn && fn[n])
		n++;
	return n;
}

static bool fi_is_function(const struct fi_source *s, const struct fi_image *img,
			   const Elf_Sym *sym)
{
	unsigned int type = ELF_ST_TYPE(sym->st_info);

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= img->hdr->e_shnum ||
	    !(img->sechdrs[sym->st_shndx].sh_flags & SHF_EXECINSTR))
		return false;
	if (type != STT_FUNC &&
	    !(type == STT_NOTYPE && ELF_ST_BIND(sym->st_info) == STB_GLOBAL))
		return false;
	return fi_text_of(s, sym->st_value) >= 0;
}

static void fi_add_functions(struct fi_source *s, const struct fi_image *img)
{
	const Elf_Shdr *tab = &img->sechdrs[img->symindex];
	const Elf_Sym *sym = (void *)tab->sh_addr;
	unsigned int i, nr = tab->sh_size / sizeof(*sym);

	for (i = 1; i < nr; i++) {
		const char *name = img->strtab + sym[i].st_name;

		if (!fi_is_function(s, img, &sym[i]) || strstarts(name, "__pfx_") ||
		    strstarts(name, "__cfi_"))
			continue;
		s->funcs[s->nr_funcs++] = (struct fi_dbi_func){
			.va = sym[i].st_value,
			.size = sym[i].st_size,
			.name = name,
			.flags = fi_ends_cold(name) ? FI_DBI_FN_COLD : 0,
		};
	}
}

/* One entry an address; none reaches into the next. */
static void fi_sort_functions(struct fi_source *s)
{
	u32 i, n = 0;

	sort(s->funcs, s->nr_funcs, sizeof(*s->funcs), fi_by_va, NULL);
	for (i = 0; i < s->nr_funcs; i++) {
		if (n && s->funcs[n - 1].va == s->funcs[i].va)
			s->funcs[n - 1].flags |= s->funcs[i].flags;
		else
			s->funcs[n++] = s->funcs[i];
	}
	s->nr_funcs = n;
	for (i = 0; i < n; i++) {
		struct fi_dbi_func *f = &s->funcs[i];
		const struct fi_dbi_text *t = &s->texts[fi_text_of(s, f->va)];
		u64 next = t->va + t->size;

		if (i + 1 < n)
			next = min(next, s->funcs[i + 1].va);
		if (!f->size || f->va + f->size > next)
			f->size = next - f->va;
	}
}

/*
 * A function behind padding was compiled with -fpatchable-function-entry or
 * call padding, which turn -fipa-ra off: caller-saved registers are dead where
 * it returns. A local function of C that objtool gave a prefix is such a one.
 */
static void fi_mark_abi(struct fi_source *s, const struct fi_image *img)
{
	const Elf_Shdr *tab = &img->sechdrs[img->symindex];
	const Elf_Sym *sym = (void *)tab->sh_addr;
	unsigned int i, nr = tab->sh_size / sizeof(*sym);

	for (i = 1; i < nr; i++) {
		struct fi_dbi_func *f;

		if (!strstarts(img->strtab + sym[i].st_name, "__pfx_"))
			continue;
		f = fi_func_at(s, sym[i].st_value + sym[i].st_size);
		if (f)
			f->flags |= FI_DBI_FN_ABI;
	}
}

/* Sections that tell about code; an address there is not a pointer to it. */
static bool fi_tells_of_code(const char *name)
{
	static const char * const meta[] = {
		".orc_unwind", ".return_sites", ".retpoline_sites", ".call_sites",
		"__mcount_loc", "__patchable_function_entries", ".ibt_endbr_seal",
		"__bug_table", "__jump_table", "__ex_table", ".altinstructions",
		".static_call_sites", ".smp_locks", ".parainstructions",
		".altinstr_replacement",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(meta); i++) {
		if (strstarts(name, meta[i]))
			return true;
	}
	return false;
}

static void fi_mark_taken_by(struct fi_source *s, const struct fi_image *img,
			     const Elf_Shdr *rela)
{
	const Elf_Sym *sym = (void *)img->sechdrs[img->symindex].sh_addr;
	bool text = img->sechdrs[rela->sh_info].sh_flags & SHF_EXECINSTR;
	const Elf64_Rela *r = (void *)rela->sh_addr;
	size_t i;

	for (i = 0; i < rela->sh_size / sizeof(*r); i++) {
		u32 type = ELF64_R_TYPE(r[i].r_info);
		u64 to = sym[ELF64_R_SYM(r[i].r_info)].st_value + r[i].r_addend;
		struct fi_dbi_func *f;

		if (type == R_X86_64_PLT32)
			continue;
		if (type == R_X86_64_PC32 && text)
			to += 4;
		f = fi_func_at(s, to);
		if (f)
			f->flags |= FI_DBI_FN_TAKEN;
	}
}

static void fi_mark_taken(struct fi_source *s, const struct fi_image *img)
{
	const char *names = (void *)img->hdr + img->sechdrs[img->hdr->e_shstrndx].sh_offset;
	unsigned int i;

	for (i = 1; i < img->hdr->e_shnum; i++) {
		const Elf_Shdr *h = &img->sechdrs[i], *to;

		if (h->sh_type != SHT_RELA || h->sh_info >= img->hdr->e_shnum)
			continue;
		to = &img->sechdrs[h->sh_info];
		if (to->sh_flags & SHF_ALLOC && !fi_tells_of_code(names + to->sh_name))
			fi_mark_taken_by(s, img, h);
	}
}

/* Both fields are relative to themselves; linux/extable.h keeps it private. */
static u64 fi_ex_insn(const struct exception_table_entry *e)
{
	return (u64)&e->insn + e->insn;
}

static u64 fi_ex_fixup(const struct exception_table_entry *e)
{
	return (u64)&e->fixup + e->fixup;
}

static void fi_add_edge(struct fi_source *s, u64 from, u64 to, enum fi_dbi_edge_kind kind)
{
	if (fi_text_of(s, from) >= 0)
		s->edges[s->nr_edges++] = (struct fi_dbi_edge){ from, to, kind };
}

static int fi_add_edges(struct fi_source *s, const struct module *mod)
{
	u32 i, nr = mod->num_exentries;

#ifdef CONFIG_JUMP_LABEL
	nr += mod->num_jump_entries;
#endif
	s->edges = kvcalloc(nr + 1, sizeof(*s->edges), GFP_KERNEL);
	if (!s->edges)
		return -ENOMEM;
	for (i = 0; i < mod->num_exentries; i++)
		fi_add_edge(s, fi_ex_insn(&mod->extable[i]), fi_ex_fixup(&mod->extable[i]),
			    FI_DBI_EDGE_EXTABLE);
#ifdef CONFIG_JUMP_LABEL
	for (i = 0; i < mod->num_jump_entries; i++)
		fi_add_edge(s, jump_entry_code(&mod->jump_entries[i]),
			    jump_entry_target(&mod->jump_entries[i]),
			    FI_DBI_EDGE_JUMP_LABEL);
#endif
	sort(s->edges, s->nr_edges, sizeof(*s->edges), fi_by_from, NULL);
	return 0;
}

/**
 * fi_source_read - collect what the engine has to know about a module
 * @s: empty
 * @d: its domain; the texts are mapped
 * @img: the module file
 *
 * Context: may sleep. Return: 0, -ENOMEM. fi_source_free() in either case
 */
int fi_source_read(struct fi_source *s, struct fi_domain *d, const struct fi_image *img)
{
	u32 max = img->sechdrs[img->symindex].sh_size / sizeof(Elf_Sym) +
		  fi_count(fi_shared_funcs) + fi_count(fi_extra_funcs);

	s->funcs = kvcalloc(max, sizeof(*s->funcs), GFP_KERNEL);
	if (!s->funcs)
		return -ENOMEM;
	fi_add_text(s, d, &d->mod->mem[MOD_TEXT]);
	fi_add_text(s, d, &d->mod->mem[MOD_INIT_TEXT]);
	fi_add_functions(s, img);
	fi_add_shared(s);
	fi_sort_functions(s);
	fi_mark_abi(s, img);
	fi_mark_taken(s, img);
	return fi_add_edges(s, d->mod);
}

void fi_source_forget_names(struct fi_source *s)
{
	u32 i;

	for (i = 0; i < s->nr_funcs; i++)
		s->funcs[i].name = NULL;
}

void fi_source_free(struct fi_source *s)
{
	kvfree(s->funcs);
	kvfree(s->edges);
}
