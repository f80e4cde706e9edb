// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel functions that only compute on memory of their caller, in a form
 * that runs inside a domain: no crossing, and a store outside the domain's
 * rights faults as the driver's own would.
 */
#include <linux/compiler_types.h>
#include <linux/limits.h>
#include <linux/pgtable.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include <asm/word-at-a-time.h>

#include "lib.h"

/* Text that every domain can execute. */
#define fi_lib_text	__noinstr_section(".entry.text")

fi_lib_text void *fi_lib_memcpy(void *to, const void *from, size_t n)
{
	void *ret = to;

	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (n) : : "memory");
	return ret;
}

fi_lib_text void *fi_lib_memset(void *to, int c, size_t n)
{
	void *ret = to;

	asm volatile("rep stosb" : "+D" (to), "+c" (n) : "a" (c) : "memory");
	return ret;
}

fi_lib_text void *fi_lib_memmove(void *to, const void *from, size_t n)
{
	u8 *d = to;
	const u8 *s = from;

	if (d <= s || d >= s + n) {
		asm volatile("rep movsb" : "+D" (d), "+S" (s), "+c" (n) : : "memory");
		return to;
	}
	while (n--)
		d[n] = s[n];
	return to;
}

fi_lib_text int fi_lib_memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

fi_lib_text size_t fi_lib_strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

fi_lib_text size_t fi_lib_strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

fi_lib_text int fi_lib_strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

fi_lib_text int fi_lib_strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}

fi_lib_text char *fi_lib_strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)s;
}

fi_lib_text ssize_t fi_lib_strscpy(char *to, const char *from, size_t size)
{
	size_t i;

	if (!size || size > INT_MAX)
		return -7;	/* -E2BIG */
	for (i = 0; i < size; i++) {
		to[i] = from[i];
		if (!from[i])
			return i;
	}
	to[size - 1] = 0;
	return -7;
}

static __always_inline unsigned long fi_find(const unsigned long *map, unsigned long size,
					     unsigned long start, unsigned long invert)
{
	for (; start < size; start++) {
		if ((map[start / BITS_PER_LONG] ^ invert) >> (start % BITS_PER_LONG) & 1)
			return start;
	}
	return size;
}

fi_lib_text unsigned long fi_lib_find_next_bit(const unsigned long *map, unsigned long size,
					       unsigned long start)
{
	return fi_find(map, size, start, 0);
}

fi_lib_text unsigned long fi_lib_find_next_zero_bit(const unsigned long *map, unsigned long size,
						    unsigned long start)
{
	return fi_find(map, size, start, ~0UL);
}

fi_lib_text unsigned long fi_lib_find_first_bit(const unsigned long *map, unsigned long size)
{
	return fi_find(map, size, 0, 0);
}

fi_lib_text unsigned long fi_lib_find_first_zero_bit(const unsigned long *map, unsigned long size)
{
	return fi_find(map, size, 0, ~0UL);
}

/* Asked for each DMA mapping, by code inlined into drivers. */
fi_lib_text bool fi_lib_is_vmalloc_addr(const void *x)
{
	unsigned long addr = (unsigned long)x;

	return addr >= VMALLOC_START && addr < VMALLOC_END;
}

/* BUG() in the kernel, too, if it does not fit; a packet that is unsound goes nowhere. */
fi_lib_text void *fi_lib_skb_put(struct sk_buff *skb, unsigned int len)
{
	unsigned int tail = skb->tail;

	if (unlikely(skb->data_len || len > skb->end || tail > skb->end - len))
		__builtin_trap();
	skb->tail = tail + len;
	skb->len += len;
	return skb->head + tail;
}
