/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The helpers of emitted code where a question is a call; see there.
 */
#include "../../../arch/x86/driver_fi/slow.S"
