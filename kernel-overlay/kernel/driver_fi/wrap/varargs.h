/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk over a format, apart from the call, for its tests.
 */
#ifndef _DRIVER_FI_VARARGS_H
#define _DRIVER_FI_VARARGS_H

struct fi_domain;

const char *fi_va_check(struct fi_domain *d, const char *fmt,
			const unsigned long *word, unsigned int nr);

#endif
