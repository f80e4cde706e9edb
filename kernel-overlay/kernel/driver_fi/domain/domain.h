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
/* IRQs off. The top of a free stack of @d from the pool, or 0; and back. */
unsigned long __fi_stack_get(struct fi_domain *d);
void __fi_stack_put(struct fi_domain *d, unsigned long top);
bool fi_stack_guard_hit(struct fi_domain *d, unsigned long top, unsigned long addr);

/*
 * Is this a page of the module's data that the domain has read-only because
 * struct module shares it? Stores to its other bytes are emulated.
 */
bool fi_domain_data_page(struct fi_domain *d, unsigned long va);

/* Slow paths in the text that domains share; arch/x86/driver_fi/slow.S. */
void fi_domain_slow_store(void);
void fi_domain_slow_range(void);
void fi_domain_full_store(void);
void fi_domain_full_range(void);
void fi_domain_slow_icall(void);
void fi_domain_slow_ret(void);
void fi_domain_slow_trap(void);
void fi_domain_slow_port(void);
void fi_domain_slow_end(void);

struct fi_image;
/* With CONFIG_DRIVER_FI_DBI. */
int fi_globals_trim(struct fi_domain *d, const struct fi_image *img);

int fi_mem_grant(struct fi_domain *d, const void *p, size_t len);
void fi_mem_revoke(struct fi_domain *d, const void *p, size_t len);
bool fi_page_open(struct fi_domain *d, unsigned long addr);
void fi_page_close(struct fi_domain *d, unsigned long addr);
void *fi_area_alloc(struct fi_domain *d, size_t size, gfp_t gfp);
void fi_area_free(struct fi_domain *d, const void *p);

#endif
