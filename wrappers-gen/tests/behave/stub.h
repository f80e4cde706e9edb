/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel's headers as generated code needs to run in user space.
 */
#ifndef BEHAVE_STUB_H
#define BEHAVE_STUB_H

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned int gfp_t;

struct list_head {
	struct list_head *next, *prev;
};

struct va_format {
	const char *fmt;
	va_list *va;
};

struct folio;

#define __iomem
#define __user
#define __init		__attribute__((__unused__))
#define __exit		__attribute__((__unused__))
#define __ro_after_init
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))
#define READ_ONCE(x)	(x)
#define IS_ENABLED(x)	1
#define THIS_MODULE	NULL
#define PAGE_SIZE	4096UL
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define MAX_ERRNO	4095
#define IS_ERR_OR_NULL(p) (!(p) || (unsigned long)(p) >= (unsigned long)-MAX_ERRNO)
#define MODULE_DESCRIPTION(x)
#define MODULE_LICENSE(x)
#define MODULE_INFO(a, b)
#define module_init(f)	int (*behave_init)(void) = f
#define module_exit(f)	void (*behave_exit)(void) = f
#define access_ok(p, n)	((unsigned long)(p) < 0x800000000000UL)

static inline size_t size_mul(size_t a, size_t b)
{
	size_t c;

	return __builtin_mul_overflow(a, b, &c) ? SIZE_MAX : c;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t c;

	return __builtin_add_overflow(a, b, &c) ? SIZE_MAX : c;
}

extern bool behave_atomic;
static inline bool preemptible(void)
{
	return !behave_atomic;
}

static inline bool irqs_disabled(void)
{
	return behave_atomic;
}

static inline bool is_vmalloc_addr(const void *p)
{
	return false;
}

static inline void *vmalloc_to_page(const void *p)
{
	return NULL;
}

static inline bool virt_addr_valid(const void *p)
{
	return p;
}

static inline struct folio *virt_to_folio(const void *p)
{
	return NULL;
}

static inline bool folio_test_slab(struct folio *f)
{
	return true;
}

static inline size_t ksize(const void *p)
{
	return 64;
}

static inline size_t folio_size(struct folio *f)
{
	return 0;
}

static inline size_t offset_in_folio(struct folio *f, unsigned long p)
{
	return 0;
}

#endif
