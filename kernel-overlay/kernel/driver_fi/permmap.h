/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Permission map of a domain: which bytes it may write.
 */
#ifndef _DRIVER_FI_PERMMAP_H
#define _DRIVER_FI_PERMMAP_H

#include <linux/types.h>

#include <asm/page.h>

struct fi_permmap;
struct fi_pgtable;

#define FI_PERM_SPAN	(8 * PAGE_SIZE)	/* bytes that a page of the map tells about */
struct fi_permmap *fi_permmap_create(struct fi_pgtable *pgt, bool mapped);
void fi_permmap_destroy(struct fi_permmap *m);
int fi_permmap_set(struct fi_permmap *m, unsigned long addr, size_t len);
void fi_permmap_clear(struct fi_permmap *m, unsigned long addr, size_t len);
int fi_permmap_apply(struct fi_permmap *m, unsigned long addr, const unsigned long *bits,
		     unsigned int nr, bool grant);
bool fi_permmap_test(struct fi_permmap *m, unsigned long addr, size_t len);
bool fi_permmap_fault(struct fi_permmap *m, unsigned long at);
void fi_permmap_trim(struct fi_permmap *m);
unsigned int fi_permmap_pages(const struct fi_permmap *m);

#endif
