/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Binding, for the module hooks above it.
 */
#ifndef _DRIVER_FI_BIND_H
#define _DRIVER_FI_BIND_H

#include <linux/elf.h>
#include <linux/types.h>

struct fi_domain;
struct fi_slot;

int fi_bind_imports(struct fi_domain *d, const Elf_Sym *sym, unsigned int nr,
		    const char *strtab);
int fi_bind_redirects(struct fi_domain *d, const Elf_Sym *sym);
int fi_bind_entries(struct fi_domain *d, const Elf_Sym *sym, unsigned int nr,
		    const char *strtab);
void fi_bind_destroy(struct fi_domain *d);
void fi_entries_retarget(struct fi_domain *d);
u64 fi_bind_reloc(struct fi_domain *d, unsigned int sym, u64 val);

extern const struct fi_slot fi_slot_module_init, fi_slot_module_exit;

#endif
