/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fault reports tell beside the fault: who noticed it, and where the object
 * that was hit came from.
 */
#ifndef _DRIVER_FI_ORIGIN_H
#define _DRIVER_FI_ORIGIN_H

#include <linux/types.h>

struct fi_fault;
struct fi_origins;

/* Who noticed. Where a record says DEFAULT, its kind tells: report.c. */
enum fi_layer {
	FI_LAYER_DEFAULT,
	FI_LAYER_PAGES,		/* the domain's page table */
	FI_LAYER_BYTES,		/* a check before a store in translated code */
	FI_LAYER_FLOW,		/* a check of where translated code goes */
	FI_LAYER_INSN,		/* what stands in place of a privileged instruction */
	FI_LAYER_CPU,		/* an exception that the instruction itself raised */
	FI_LAYER_WRAPPER,	/* a wrapper of an import or slot */
	FI_LAYER_SHADOW,	/* the merging of a shadow copy, the end of a loan */
	FI_LAYER_CROSSING,	/* the way back from the driver */
	FI_LAYER_WATCHDOG,
	FI_LAYER_RECOVERY,
	FI_LAYER_USER,
	FI_NR_LAYERS
};

/**
 * struct fi_hit - the object that an address lies in, or just beside
 * @type: its kind, a string that stays; NULL: none is known
 * @start: its first byte
 * @size: its length in bytes, 0 for what has no memory
 * @alloc_ip: where the driver got it, a return address, or 0
 * @free_ip: where the driver gave it back, likewise
 * @freed: it was given back
 */
struct fi_hit {
	const char *type;
	unsigned long start;
	size_t size;
	unsigned long alloc_ip;
	unsigned long free_ip;
	bool freed;
};

struct fi_origins *fi_origins_create(void);
void fi_origins_destroy(struct fi_origins *o);
void fi_origin_note(struct fi_origins *o, const void *p, size_t size, const char *type,
		    unsigned long ip);
void fi_origin_freed(struct fi_origins *o, const void *p, unsigned long ip);
bool fi_origin_find(struct fi_origins *o, unsigned long addr, struct fi_hit *hit);

/* Does @addr lie in the object, not beside it? */
static inline bool fi_hit_inside(const struct fi_hit *hit, unsigned long addr)
{
	return addr - hit->start < hit->size || (!hit->size && addr == hit->start);
}

/* report.c: "1 byte to the right of the 64-byte kmalloc object", or "". Length. */
ssize_t fi_report_object(const struct fi_fault *f, char *buf, size_t size);

#endif
