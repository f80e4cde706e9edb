/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lies at an address, in words for fault reports.
 */
#ifndef _DRIVER_FI_ADDRESS_H
#define _DRIVER_FI_ADDRESS_H

struct fi_domain;
struct fi_fault;
struct seq_buf;

const char *fi_address_region(const struct fi_domain *d,
			      const struct fi_fault *f, unsigned long addr);
void fi_address_describe(struct seq_buf *s, const struct fi_domain *d,
			 const struct fi_fault *f, unsigned long addr);

#endif
