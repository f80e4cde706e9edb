/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The small programs of the test machine: one static binary, called by the
 * names of its links.
 */
#ifndef FI_HELPERS_H
#define FI_HELPERS_H

#include <stdint.h>

int xfer_main(int argc, char **argv);
int flood_main(int argc, char **argv);
int reach_main(int argc, char **argv);
int gap_main(int argc, char **argv);
int ethctl_main(int argc, char **argv);
int kmsg_main(int argc, char **argv);
int count_main(int argc, char **argv);

/* CLOCK_MONOTONIC in nanoseconds, the clock of the fault records. */
uint64_t now_ns(void);

#endif
