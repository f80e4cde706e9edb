/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of domain/.
 */
#ifndef _DRIVER_FI_DOMAIN_H
#define _DRIVER_FI_DOMAIN_H

#include "../fi.h"

struct kmem_cache;
struct fi_domain *fi_heap_cache_owner(struct kmem_cache *s);
int fi_heap_create(struct fi_domain *d);
void fi_heap_destroy(struct fi_domain *d);

int fi_stacks_create(struct fi_domain *d);
void fi_stacks_destroy(struct fi_domain *d);
/* IRQs off. The top of a free stack of @d, or 0. */
unsigned long fi_stack_get(struct fi_domain *d);
void fi_stack_put(struct fi_domain *d, unsigned long top);
bool fi_stack_guard_hit(struct fi_domain *d, unsigned long top, unsigned long addr);

/*
 * Is this a page of the module's data that the domain has read-only because
 * struct module shares it? Stores to its other bytes are emulated.
 */
bool fi_domain_data_page(struct fi_domain *d, unsigned long va);

void *fi_area_alloc(struct fi_domain *d, size_t size, gfp_t gfp);
void fi_area_free(struct fi_domain *d, const void *p);

#endif
