/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel functions that run inside a domain; see lib.c. Same meaning as the
 * kernel's function of that name, without its use in the kernel.
 */
#ifndef _X86_DRIVER_FI_LIB_H
#define _X86_DRIVER_FI_LIB_H

#include <linux/types.h>

struct sk_buff;

void *fi_lib_memcpy(void *to, const void *from, size_t n);
void *fi_lib_memset(void *to, int c, size_t n);
void *fi_lib_memmove(void *to, const void *from, size_t n);
int fi_lib_memcmp(const void *a, const void *b, size_t n);
size_t fi_lib_strlen(const char *s);
size_t fi_lib_strnlen(const char *s, size_t max);
int fi_lib_strcmp(const char *a, const char *b);
int fi_lib_strncmp(const char *a, const char *b, size_t n);
char *fi_lib_strchr(const char *s, int c);
ssize_t fi_lib_strscpy(char *to, const char *from, size_t size);
unsigned long fi_lib_find_next_bit(const unsigned long *map, unsigned long size,
				   unsigned long start);
unsigned long fi_lib_find_next_zero_bit(const unsigned long *map, unsigned long size,
					unsigned long start);
unsigned long fi_lib_find_first_bit(const unsigned long *map, unsigned long size);
unsigned long fi_lib_find_first_zero_bit(const unsigned long *map, unsigned long size);
bool fi_lib_is_vmalloc_addr(const void *x);
void *fi_lib_skb_put(struct sk_buff *skb, unsigned int len);

#endif
