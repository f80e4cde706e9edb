/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two files of stage 1 share. Nobody else knows Zydis.
 */
#ifndef _FI_DBI_DECODE_H
#define _FI_DBI_DECODE_H

#include <Zydis/Decoder.h>

#include "os.h"

struct fi_insn;

/* A decoded instruction with its operands is over 1 kB: not for the stack. */
struct fi_decoder {
	ZydisDecoder decoder;
	ZydisDecoderContext ctx;
	ZydisDecodedInstruction in;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

bool fi_decode_is_shift(ZydisMnemonic m);

/* values.c */
void fi_decode_sp(const struct fi_decoder *s, struct fi_insn *in);
void fi_decode_growth(const struct fi_decoder *s, struct fi_insn *in);
/* Does anything but an operand's value hang on an immediate or a displacement? */
bool fi_decode_by_value(const struct fi_decoder *s);

#endif
