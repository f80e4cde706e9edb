/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of fault.c, for its KUnit suite.
 */
#ifndef _DRIVER_FI_FAULT_H
#define _DRIVER_FI_FAULT_H

#include "fi.h"

const struct fi_fault_ops *fi_fault_swap_ops(const struct fi_fault_ops *ops);

#endif
