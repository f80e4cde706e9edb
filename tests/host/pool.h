/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions of real modules, for random sequences. */
#ifndef _HOST_POOL_H
#define _HOST_POOL_H

#include "dbi.h"

#define POOL		60000

struct sample {
	u8 bytes[15];
	u8 len;
	u8 tested, modified, undefined;	/* packed flags */
	bool mem, rep, string, bit_reg, div;
	u8 base, index, bit;
	u8 disp_off, disp_len;
	bool rsp;
};

extern struct sample *pool;
extern u32 nr_pool;
extern u64 seen_forms;

void harvest(void);

#endif
