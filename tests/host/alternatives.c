// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites as the kernel leaves them. Alternatives as its apply_alternatives() leaves them (arch/x86/kernel/
 * alternative.c), for a CPU with no feature but "always", or with all of them.
 */

#include <string.h>

#include "internal.h"
#include "loader.h"

struct alt_instr {
	s32 instr_offset, repl_offset;
	u16 cpuid, flags;
	u8 instrlen, replacementlen;
} __attribute__((packed));

#define FEATURE_ALWAYS		(3 * 32 + 21)
#define ALT_FLAG_NOT		1
#define ALT_FLAG_DIRECT_CALL	2

static void add32(u8 *p, s64 by)
{
	s32 v;

	memcpy(&v, p, 4);
	v += by;
	memcpy(p, &v, 4);
}

/* What a replacement names relative to itself, unless it is part of it, stays put. */
static bool relocate_copy(struct fi_dbi_unit *fake, const u8 *repl, u32 len, u8 *copy,
			  s64 moved)
{
	for (u32 off = 0; off < len;) {
		struct fi_insn in;
		u32 n = fi_decode_anew(fake, repl + off, len - off, (u64)repl + off, &in, NULL);

		if (!n)
			return false;
		if (in.target && in.target - (u64)repl >= len) {
			if (in.imm_len != 4)
				return false;
			add32(copy + off + n - 4, -moved);
		}
		if (in.mem.rip)
			add32(copy + off + in.disp_off, -moved);
		off += n;
	}
	return true;
}

bool mod_apply_alternatives(struct mod *m, bool all)
{
	static struct fi_dbi_config cfg;
	struct fi_dbi_unit fake = { .cfg = &cfg };
	bool ok = true;
	u32 idx;
	Elf64_Shdr *s = mod_section(m, ".altinstructions", &idx);

	fake.dec = calloc(1, fi_decode_scratch());
	fi_decode_init(fake.dec);
	for (u64 i = 0; s && i < s->sh_size / sizeof(struct alt_instr); i++) {
		u64 at = m->sec_va[idx] + i * sizeof(struct alt_instr);
		struct alt_instr a;
		u8 *instr, *repl, copy[256];
		bool has;

		memcpy(&a, (void *)at, sizeof(a));
		has = all || a.cpuid == FEATURE_ALWAYS;
		/* a direct call reads its target from pv_ops, which is not there */
		if (has == !!(a.flags & ALT_FLAG_NOT) || (a.flags & ALT_FLAG_DIRECT_CALL))
			continue;
		instr = (u8 *)(at + (s64)a.instr_offset);
		repl = (u8 *)(at + 4 + (s64)a.repl_offset);
		memcpy(copy, repl, a.replacementlen);
		ok &= relocate_copy(&fake, repl, a.replacementlen, copy, instr - repl);
		fi_emit_nops(copy + a.replacementlen, a.instrlen - a.replacementlen);
		memcpy(instr, copy, a.instrlen);
	}
	free(fake.dec);
	return ok;
}

/* Returns and retpolines as the kernel leaves them on a CPU without the bugs. */
void mod_finish_sites(struct mod *m)
{
	Elf64_Shdr *s;
	u32 idx;

	s = mod_section(m, ".return_sites", &idx);
	for (u32 i = 0; s && i < s->sh_size / 4; i++) {
		s32_u *e = (s32_u *)(m->sec_va[idx] + 4 * i);
		u8 *p = (u8 *)((u64)e + *e);

		if (p[0] == 0xe9)
			memcpy(p, "\xc3\xcc\xcc\xcc\xcc", 5);
	}
	s = mod_section(m, ".retpoline_sites", &idx);
	for (u32 i = 0; s && i < s->sh_size / 4; i++) {
		s32_u *e = (s32_u *)(m->sec_va[idx] + 4 * i);
		u8 *p = (u8 *)((u64)e + *e), *q = p;
		const struct import *im;
		u8 op = 0xd0;
		u32 n = 5;
		s32 d;

		if (*p == 0x2e)
			q++, n++;
		if (*q != 0xe8 && *q != 0xe9)
			continue;
		memcpy(&d, q + 1, 4);
		im = mod_import_at(m, (u64)q + 5 + (s64)d);
		if (!im || im->t.kind != FI_DBI_T_THUNK)
			continue;
		if (*q == 0xe9)
			op = 0xe0;
		memset(p, op == 0xd0 ? 0x90 : 0xcc, n);
		if (im->t.reg >= 8)
			*p++ = 0x41;
		*p++ = 0xff;
		*p++ = op | (im->t.reg & 7);
	}
}
