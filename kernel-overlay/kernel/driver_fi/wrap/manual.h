/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hand-written wrappers and slots.
 */
#ifndef _DRIVER_FI_MANUAL_H
#define _DRIVER_FI_MANUAL_H

#include "../fi.h"

/* Each ends with an empty entry. */
extern const struct fi_import fi_imports_lib[];
extern const struct fi_import fi_imports_mem[];
extern const struct fi_import fi_imports_sync[];
extern const struct fi_import fi_imports_irq[];
extern const struct fi_import fi_imports_time[];
extern const struct fi_import fi_imports_dma[];
extern const struct fi_import fi_imports_pci[];
extern const struct fi_import fi_imports_net[];

/* May this call sleep? Rejects it if the driver is in atomic context. */
bool fi_may_sleep(struct fi_call *c);
/* May the driver change these bytes, all bits of them? */
bool fi_owns(struct fi_call *c, unsigned long addr, size_t len);
/*
 * The calling driver got or gave back @p: for reports, so never for what comes and
 * goes with packets. Any context.
 */
void fi_note_alloc(struct fi_domain *d, const void *p, size_t size, const struct fi_type *t);
void fi_note_free(struct fi_domain *d, const void *p);
/* Before fi_lock_acquired() and fi_lock_released(); reject the call if not. */
bool fi_may_lock(struct fi_call *c, const void *lock);
bool fi_may_unlock(struct fi_call *c, const void *lock);

/*
 * manual_mem.c: memory that the driver gives back by kfree() and friends.
 * Context of fi_kmalloc_take(): as @gfp says. NULL: no memory.
 */
void *fi_kmalloc_take(struct fi_domain *d, size_t size, gfp_t gfp);
/* The driver has 2^@order pages: writable, until it gives them up. */
int fi_page_take(struct fi_domain *d, struct page *page, unsigned int order);
bool fi_page_held(struct fi_domain *d, const struct page *page);
/* False if it has not. The caller has the driver's reference now. */
bool fi_page_give(struct fi_domain *d, struct page *page);
/*
 * The driver has the MMIO mapping @orig: the address it is to use. NULL on
 * failure, after which @orig is unmapped. Sleeps.
 */
void __iomem *fi_mmio_take(struct fi_domain *d, void __iomem *orig, size_t size);

unsigned long fi_wrap_ioremap(struct fi_call *c);
unsigned long fi_wrap_ioremap_wc(struct fi_call *c);
unsigned long fi_wrap_iounmap(struct fi_call *c);
unsigned long fi_wrap_mutex_init(struct fi_call *c);
unsigned long fi_wrap_mutex_lock(struct fi_call *c);
unsigned long fi_wrap_mutex_trylock(struct fi_call *c);
unsigned long fi_wrap_mutex_unlock(struct fi_call *c);
unsigned long fi_wrap_mutex_is_locked(struct fi_call *c);
unsigned long fi_wrap_queue_work_on(struct fi_call *c);
unsigned long fi_wrap_queue_delayed_work_on(struct fi_call *c);
unsigned long fi_wrap_mod_delayed_work_on(struct fi_call *c);
unsigned long fi_wrap_cancel_work_sync(struct fi_call *c);
unsigned long fi_wrap_cancel_delayed_work(struct fi_call *c);
unsigned long fi_wrap_flush_work(struct fi_call *c);
unsigned long fi_wrap_flush_delayed_work(struct fi_call *c);

unsigned long fi_wrap_register_pci_driver(struct fi_call *c);
unsigned long fi_wrap_unregister_pci_driver(struct fi_call *c);

extern const struct fi_slot fi_slot_irq_handler, fi_slot_irq_thread;
extern const struct fi_slot fi_slot_work_fn, fi_slot_timer_fn;

struct pci_dev;
void fi_pci_ports(struct fi_domain *d, struct pci_dev *pdev, int bars, bool grant);

#endif
