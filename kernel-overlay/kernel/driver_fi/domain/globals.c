// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module's variables, one by one: what the linker left between them belongs to
 * nobody, so what is written behind one is seen before it reaches the next.
 */
#include <linux/driver_fi.h>
#include <linux/elf.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "domain.h"
#include "translate.h"

/* No variable is aligned to more, so no more is left between two. */
#define MAX_PADDING	64

/**
 * struct variable - bytes that have a name
 * @end: behind it; @start if the symbol has no size
 */
struct variable {
	unsigned long start, end;
};

static int by_start(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static bool is_data(const struct fi_image *img, const Elf_Sym *sym)
{
	unsigned int type = ELF_ST_TYPE(sym->st_info);
	const Elf_Shdr *s;

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= img->hdr->e_shnum ||
	    (type != STT_OBJECT && type != STT_NOTYPE))
		return false;
	s = &img->sechdrs[sym->st_shndx];
	return (s->sh_flags & (SHF_ALLOC | SHF_WRITE)) == (SHF_ALLOC | SHF_WRITE) &&
	       sym->st_value >= s->sh_addr && sym->st_value <= s->sh_addr + s->sh_size;
}

/* Variables of the module, sorted; 0: none, or one whose own names were stripped. */
static unsigned int read_variables(const struct fi_image *img, struct variable *v)
{
	const Elf_Shdr *symsec = &img->sechdrs[img->symindex];
	const Elf_Sym *sym = (void *)symsec->sh_addr;
	unsigned int i, n = 0, locals = 0;

	for (i = 1; i < symsec->sh_size / sizeof(*sym); i++) {
		if (!is_data(img, &sym[i]))
			continue;
		v[n++] = (struct variable){ sym[i].st_value, sym[i].st_value + sym[i].st_size };
		locals += ELF_ST_BIND(sym[i].st_info) == STB_LOCAL && sym[i].st_size;
	}
	sort(v, n, sizeof(*v), by_start, NULL);
	return locals ? n : 0;
}

static const Elf_Shdr *section_of(const struct fi_image *img, unsigned long addr)
{
	unsigned int i;

	for (i = 1; i < img->hdr->e_shnum; i++) {
		const Elf_Shdr *s = &img->sechdrs[i];

		if (s->sh_flags & SHF_ALLOC && addr >= s->sh_addr &&
		    addr - s->sh_addr < s->sh_size)
			return s;
	}
	return NULL;
}

/*
 * Is what lies between @end and a variable at @next there for its alignment
 * alone? More, or what a variable of lesser alignment would leave, has an owner
 * without a name.
 */
static bool is_padding(unsigned long end, unsigned long next)
{
	return next > end && next - end < MAX_PADDING && next - end < (next & -next);
}

static unsigned int take_padding(struct fi_domain *d, const struct fi_image *img,
				 const struct variable *v, unsigned int nr)
{
	unsigned int i, taken = 0;
	unsigned long end = 0;
	bool known = false;	/* where the variables so far end */

	for (i = 0; i < nr; i++) {
		if (known && is_padding(end, v[i].start) &&
		    section_of(img, end) == section_of(img, v[i].start)) {
			fi_permmap_clear(d->perm, end, v[i].start - end);
			taken += v[i].start - end;
		}
		if (v[i].end > end)
			known = v[i].end > v[i].start;
		end = max(end, v[i].end);
	}
	return taken;
}

/* The end of the module's memory that @addr lies in. */
static unsigned long memory_end(const struct fi_domain *d, unsigned long addr)
{
	for_each_mod_mem_type(type) {
		const struct module_memory *m = &d->mod->mem[type];
		unsigned long base = (unsigned long)m->base;

		if (addr >= base && addr - base < m->size)
			return base + m->size;
	}
	return addr;
}

/* Where what follows a section begins. */
static unsigned long next_section(const struct fi_domain *d, const struct fi_image *img,
				  const Elf_Shdr *s)
{
	unsigned long end = s->sh_addr + s->sh_size, next = memory_end(d, s->sh_addr);
	unsigned int i;

	for (i = 1; i < img->hdr->e_shnum; i++) {
		const Elf_Shdr *t = &img->sechdrs[i];

		if (t->sh_flags & SHF_ALLOC && t->sh_addr >= end)
			next = min_t(unsigned long, next, t->sh_addr);
	}
	return max(end, next);
}

static void take_section_tails(struct fi_domain *d, const struct fi_image *img)
{
	unsigned int i;

	for (i = 1; i < img->hdr->e_shnum; i++) {
		const Elf_Shdr *s = &img->sechdrs[i];
		unsigned long end = s->sh_addr + s->sh_size;

		if (s->sh_flags & SHF_ALLOC && s->sh_flags & SHF_WRITE && s->sh_size)
			fi_permmap_clear(d->perm, end, next_section(d, img, s) - end);
	}
}

/**
 * fi_globals_trim - no right to what lies between variables
 * @d: a domain whose rights are bytes, with its module's data granted
 * @img: the module file in memory
 *
 * Context: may sleep. Return: 0 or -ENOMEM
 */
int fi_globals_trim(struct fi_domain *d, const struct fi_image *img)
{
	unsigned int nr = img->sechdrs[img->symindex].sh_size / sizeof(Elf_Sym);
	struct variable *v = kvmalloc_array(nr, sizeof(*v), GFP_KERNEL);
	unsigned int taken;

	if (!v)
		return -ENOMEM;
	nr = read_variables(img, v);
	taken = take_padding(d, img, v, nr);
	take_section_tails(d, img);
	kvfree(v);
	fi_report_say(d, "%u bytes between its variables are nobody's", taken);
	return 0;
}
