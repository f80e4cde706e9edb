/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slow paths of translated code in a domain: what dbi/slow.S decides by
 * itself is decided here, the rest is asked by an exception, whose handler
 * finds a struct fi_dbi_slow at rsp and the number of the question in edi.
 */
#define FI_DBI_DOMAIN
#include "../../../kernel/driver_fi/dbi/slow.S"
