// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of printf-like imports: the format of a driver is walked before
 * the kernel prints it, so that no wild pointer is followed.
 *
 * A variadic call on x86-64 puts its words into what is left of the six
 * argument registers, then on the stack. They are copied, and a va_list is
 * made by hand that points to the copy.
 */
#include <linux/ctype.h>
#include <linux/driver_fi_wrap.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "varargs.h"

#define FI_FMT_MAX	1024	/* longest format, with its NUL */
#define FI_STR_MAX	4096	/* longest string */

/* What the System V ABI calls __va_list_tag. */
struct fi_va_tag {
	u32 gp_offset;		/* of the next word in @regs; 48: none left */
	u32 fp_offset;
	void *stack;		/* the next word after the registers */
	void *regs;
};

#ifndef __CHECKER__	/* whose va_list is a pointer */
static_assert(sizeof(struct fi_va_tag) == sizeof(va_list));
#endif

/* A walk over a format and its words. */
struct fi_walk {
	struct fi_domain *dom;
	const unsigned long *word;
	unsigned int nr, next;
	const char *why;	/* set when the walk failed */
};

static bool fail(struct fi_walk *w, const char *why)
{
	w->why = why;
	return false;
}

static bool next_word(struct fi_walk *w, unsigned long *v)
{
	if (w->next == w->nr)
		return fail(w, "format: more arguments than can be passed");
	*v = w->word[w->next++];
	return true;
}

/* vsprintf() itself says "(null)" or "(efault)" for these. */
static bool harmless(unsigned long p)
{
	return p < PAGE_SIZE || IS_ERR_VALUE(p);
}

static bool readable(struct fi_walk *w, unsigned long p, size_t len)
{
	if (harmless(p) || !len || fi_mem_readable(w->dom, p, len))
		return true;
	return fail(w, "format: argument points to unreadable memory");
}

/* A precision limits a string that need not have an end. */
static bool check_string(struct fi_walk *w, unsigned long p, int prec)
{
	if (harmless(p) || !prec || fi_mem_string(w->dom, p, FI_STR_MAX))
		return true;
	if (prec > 0 && fi_mem_readable(w->dom, p, prec))
		return true;
	return fail(w, "format: %s without a string");
}

/* Pointer formats that read a fixed number of bytes. */
static const struct {
	const char ext[4];
	u8 len;
} fi_fixed[] = {
	{ "M", 6 }, { "m", 6 },			/* hardware address */
	{ "I4", 4 }, { "i4", 4 },		/* Internet addresses */
	{ "I6", 16 }, { "i6", 16 },
	{ "U", 16 },				/* UUID */
	{ "a", 8 },				/* phys_addr_t, dma_addr_t */
	{ "NF", 8 },				/* netdev_features_t */
	{ "4cc", 4 },				/* FourCC */
	{ "G", 8 },				/* flags of pages and memory */
};

/*
 * Formats that only print the pointer, or look an address up. An extension is
 * one or more letters or digits; a letter without meaning is printed as hash.
 */
static bool check_pointer(struct fi_walk *w, const char *ext, unsigned long p, int width)
{
	unsigned int i;

	if (!isalnum(*ext) || strchr("xKSsBe", *ext))
		return true;
	if (*ext == 'h')
		return readable(w, p, width > 0 ? min(width, 64) : 1);
	if (*ext == 'E')
		return readable(w, p, width > 0 ? width : 1);
	if (*ext == 'b')
		return readable(w, p, width > 0 ? BITS_TO_LONGS(width) * sizeof(long) : 0);
	for (i = 0; i < ARRAY_SIZE(fi_fixed); i++) {
		if (!strncmp(ext, fi_fixed[i].ext, strlen(fi_fixed[i].ext)))
			return readable(w, p, fi_fixed[i].len);
	}
	return fail(w, "format: this kind of %p is not supported for isolated drivers");
}

/*
 * A number, or "*" for the next word; -1 if there is none. A negative width
 * aligns left, a negative precision is 0.
 */
static bool number(struct fi_walk *w, const char **f, bool prec, int *out)
{
	unsigned long v;

	*out = -1;
	if (**f == '*') {
		++*f;
		if (!next_word(w, &v))
			return false;
		*out = clamp((int)v, -FI_STR_MAX - 1, FI_STR_MAX + 1);
		*out = *out < 0 ? (prec ? 0 : -*out) : *out;
		if (*out > FI_STR_MAX)
			return fail(w, "format: width or precision too large");
		return true;
	}
	if (!isdigit(**f))
		return true;
	for (*out = 0; isdigit(**f); ++*f) {
		if (*out > FI_STR_MAX)
			return fail(w, "format: width or precision too large");
		*out = 10 * *out + (**f - '0');
	}
	return true;
}

/* One conversion; @f stands behind its "%". */
static bool convert(struct fi_walk *w, const char **f)
{
	int width, prec = -1;
	unsigned long v;

	*f += strspn(*f, "-+ #0");
	if (!number(w, f, false, &width))
		return false;
	if (**f == '.') {
		++*f;
		if (!number(w, f, true, &prec))
			return false;
	}
	if (**f && strchr("hlLzt", **f)) {
		char c = *(*f)++;

		if ((c == 'h' || c == 'l') && **f == c)
			++*f;
	}
	switch (*(*f)++) {
	case '%':
		return true;
	case 'c': case 'd': case 'i': case 'u': case 'x': case 'X': case 'o':
		return next_word(w, &v);
	case 's':
		return next_word(w, &v) && check_string(w, v, prec);
	case 'p':
		return next_word(w, &v) && check_pointer(w, *f, v, width);
	}
	return fail(w, "format: unknown conversion");
}

/**
 * fi_va_check - may the kernel print this?
 * @d: domain whose memory the pointers must be in, or read
 * @fmt: format, a string
 * @word: its arguments
 * @nr: their number
 *
 * Context: any. Return: NULL if so, else what is wrong with it
 */
const char *fi_va_check(struct fi_domain *d, const char *fmt,
			const unsigned long *word, unsigned int nr)
{
	struct fi_walk w = { .dom = d, .word = word, .nr = nr };

	while (*fmt) {
		if (*fmt++ == '%' && !convert(&w, &fmt))
			return w.why;
	}
	return NULL;
}

/*
 * Words behind the format: the rest of the registers, then as much of the
 * driver's stack as is there, eight bytes above the return address.
 */
static unsigned int copy_words(struct fi_call *c, unsigned int fmt, unsigned long *word)
{
	unsigned int n = 0, i;

	for (i = fmt + 1; i < 6; i++)
		word[n++] = c->arg[i];
	for (i = 0; n < FI_VA_MAX; i++) {
		unsigned long at = c->dsp + 8 * (i + 1);

		if (!fi_mem_readable(c->dom, at, 8))
			break;
		word[n++] = *(unsigned long *)at;
	}
	return n;
}

/**
 * fi_va_start - check and take over the arguments of a printf-like import
 * @va: filled in; valid while it is in scope
 * @c: the call
 * @fmt: index of the format among the arguments, at most 5
 *
 * Strings stay where they are: a driver that changes one while it is printed
 * gets a garbled line.
 *
 * Context: any. Return: false after fi_reject()
 */
bool fi_va_start(struct fi_va *va, struct fi_call *c, unsigned int fmt)
{
	struct fi_va_tag tag = { .gp_offset = 48, .fp_offset = 176, .stack = va->word };
	const char *fmt_text = (const char *)c->arg[fmt], *why;
	unsigned int nr;

	if (!fi_mem_string(c->dom, c->arg[fmt], FI_FMT_MAX)) {
		fi_reject(c, fmt, "format: not a string");
		return false;
	}
	nr = copy_words(c, fmt, va->word);
	why = fi_va_check(c->dom, fmt_text, va->word, nr);
	if (why) {
		fi_reject(c, fmt, why);
		return false;
	}
	memcpy(&va->ap, &tag, sizeof(tag));
	va->vaf.fmt = fmt_text;
	va->vaf.va = &va->ap;
	return true;
}
EXPORT_SYMBOL_GPL(fi_va_start);
