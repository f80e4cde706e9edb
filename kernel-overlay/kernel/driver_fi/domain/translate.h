/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Drivers that run translated (modes full and dbi).
 */
#ifndef _DRIVER_FI_TRANSLATE_H
#define _DRIVER_FI_TRANSLATE_H

#include "../fi.h"

/**
 * struct fi_image - a module file in memory while it is being loaded
 * @symindex: of the symbol table's section; its strings are @strtab
 */
struct fi_image {
	const Elf_Ehdr *hdr;
	Elf_Shdr *sechdrs;
	unsigned int symindex;
	const char *strtab;
};

/*
 * L3 domain/translate.c. Without CONFIG_DRIVER_FI_DBI, and in mode pt, driver
 * code runs where it stands.
 */
#ifdef CONFIG_DRIVER_FI_DBI
int fi_translate_module(struct fi_domain *d, const struct fi_image *img);
void fi_translate_free(struct fi_domain *d);
const void *fi_translate_text(struct fi_domain *d, unsigned long addr, size_t *avail);
unsigned long fi_translate_entry(struct fi_domain *d, unsigned long addr);
unsigned long fi_translate_orig(struct fi_domain *d, unsigned long ip);
unsigned long fi_translate_cache(struct fi_domain *d, unsigned long ip);
bool fi_translate_is_check(struct fi_domain *d, unsigned long ip);
size_t fi_translate_bytes(const struct fi_domain *d);
bool fi_translate_ask(struct fi_domain *d, struct pt_regs *regs);
bool fi_translate_poke(struct fi_domain *d, unsigned long addr, const void *opcode, size_t len);
void fi_source_extra(void * const *funcs);
#else
static inline int fi_translate_module(struct fi_domain *d, const struct fi_image *img)
{
	return -EOPNOTSUPP;
}

static inline void fi_translate_free(struct fi_domain *d)
{
}

static inline const void *fi_translate_text(struct fi_domain *d, unsigned long addr,
					    size_t *avail)
{
	return NULL;
}

static inline unsigned long fi_translate_entry(struct fi_domain *d, unsigned long addr)
{
	return addr;
}

static inline unsigned long fi_translate_orig(struct fi_domain *d, unsigned long ip)
{
	return ip;
}

static inline unsigned long fi_translate_cache(struct fi_domain *d, unsigned long ip)
{
	return ip;
}

static inline bool fi_translate_is_check(struct fi_domain *d, unsigned long ip)
{
	return false;
}

static inline size_t fi_translate_bytes(const struct fi_domain *d)
{
	return 0;
}

static inline bool fi_translate_ask(struct fi_domain *d, struct pt_regs *regs)
{
	return false;
}

static inline bool fi_translate_poke(struct fi_domain *d, unsigned long addr,
				     const void *opcode, size_t len)
{
	return false;
}
#endif

#endif
