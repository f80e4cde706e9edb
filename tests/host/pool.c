// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws instructions from real modules, so that each form is as frequent as there; with
 * what the generator of sequences has to know of each.
 */

#include <Zydis/Decoder.h>

#include "internal.h"
#include "pool.h"
#include "test.h"

struct sample *pool;
u32 nr_pool;
u64 seen_forms;

static const char * const sources[] = {
	"e1000", "8139too", "snd-ens1370", "virtio_net", "ext4", "xfs", "mac80211",
	"lz4_compress", "zstd_compress", "libcurve25519-generic", "twofish_common",
	"poly1305-x86_64", "nls_utf8", "raid6_pq", "usbcore", "nvme-core", "dm-mod",
	"btrfs", "sctp", "libata", "bnxt_en", "chacha-x86_64", "aesni-intel",
};

static u8 pack(u32 f)
{
	return (f & 1) | (f >> 1 & 2) | (f >> 2 & 4) | (f >> 3 & 0x18) | (f >> 6 & 0x20);
}

/* Differs from run to run, needs an operating system, or state that we lack. */
static bool unfit(const ZydisDecodedInstruction *z)
{
	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_RDTSC:
	case ZYDIS_MNEMONIC_RDTSCP:
	case ZYDIS_MNEMONIC_RDRAND:
	case ZYDIS_MNEMONIC_RDSEED:
	case ZYDIS_MNEMONIC_RDPID:
	case ZYDIS_MNEMONIC_CPUID:
	case ZYDIS_MNEMONIC_LSL:
	case ZYDIS_MNEMONIC_XSAVE:
	case ZYDIS_MNEMONIC_XRSTOR:
	case ZYDIS_MNEMONIC_FXRSTOR:
	case ZYDIS_MNEMONIC_LDMXCSR:
	case ZYDIS_MNEMONIC_FLDCW:
	case ZYDIS_MNEMONIC_FXSAVE:
	case ZYDIS_MNEMONIC_FXSAVE64:
	case ZYDIS_MNEMONIC_FNSAVE:
	case ZYDIS_MNEMONIC_FNSTENV:
		return true;
	default:
		return z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
		       z->encoding != ZYDIS_INSTRUCTION_ENCODING_VEX;
	}
}

static bool describe(struct fi_dbi_unit *u, ZydisDecoder *d, const u8 *b, u32 len,
		     struct sample *s)
{
	ZydisDecodedInstruction z;
	struct fi_insn in;

	memset(s, 0, sizeof(*s));
	if (!fi_decode_anew(u, b, len, 0x1000, &in, NULL) || in.kind != FI_I_PLAIN || in.sens ||
	    in.mem.rip || (in.wr & FI_REG(FI_RSP)) || in.store == FI_S_GS ||
	    in.mem.gs || in.store == FI_S_POP || in.enc == 2)
		return false;
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(d, NULL, b, len, &z)) ||
	    unfit(&z) || z.address_width != 64)
		return false;
	/* explicit use of rsp as a value would show the address of the stack */
	if ((in.use & FI_REG(FI_RSP)) &&
	    (in.mem.base != FI_RSP || z.mnemonic == ZYDIS_MNEMONIC_LEA))
		return false;
	memcpy(s->bytes, b, in.len);
	s->len = in.len;
	if (z.cpu_flags) {
		s->tested = pack(z.cpu_flags->tested);
		s->modified = pack(z.cpu_flags->modified | z.cpu_flags->set_0 |
				   z.cpu_flags->set_1);
		s->undefined = pack(z.cpu_flags->undefined);
		/* by a count of zero nothing changes */
		if (in.fdef == 0)
			s->modified = 0;
	}
	s->mem = in.mem.present && z.mnemonic != ZYDIS_MNEMONIC_LEA;
	s->base = in.mem.base;
	s->index = in.mem.index;
	s->rsp = in.mem.base == FI_RSP;
	s->rep = z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				 ZYDIS_ATTRIB_HAS_REPNE);
	s->string = z.meta.category == ZYDIS_CATEGORY_STRINGOP;
	s->bit = z.mnemonic == ZYDIS_MNEMONIC_BT || in.store == FI_S_BITREG ?
		 in.reg : FI_NOREG;
	if (z.mnemonic == ZYDIS_MNEMONIC_BT && s->mem)
		return false;	/* a load at a random distance */
	s->div = z.mnemonic == ZYDIS_MNEMONIC_DIV || z.mnemonic == ZYDIS_MNEMONIC_IDIV;
	s->disp_off = in.disp_off;
	s->disp_len = in.disp_len;
	if (s->mem && s->base == FI_NOREG)
		return false;
	/* a stack operand must have room for a displacement that we choose */
	if (s->rsp && s->disp_len == 0)
		return false;
	return true;
}

void harvest(void)
{
	static struct fi_dbi_config cfg;
	struct fi_dbi_unit fake = { .cfg = &cfg };
	ZydisDecoder d;
	u64 taken = 0;

	fi_dbi_config_default(&cfg);
	memset(cfg.verdict, 0, sizeof(cfg.verdict));
	fake.dec = calloc(1, fi_decode_scratch());
	fi_decode_init(fake.dec);
	ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	pool = calloc(POOL, sizeof(*pool));
	for (u32 i = 0; i < ARRAY_SIZE(sources); i++) {
		struct load_options o = { .finalize = true };
		const char *path = find_module(sources[i]);
		struct mod *m = path ? mod_load(path, &o) : NULL;

		if (!m)
			continue;
		for (u32 off = 0; off < m->text[0].size;) {
			const u8 *b = m->text[0].bytes + off;
			struct sample s;
			struct fi_insn in;
			u32 n = fi_decode_anew(&fake, b, m->text[0].size - off, 0x1000, &in, NULL);
			u32 at;

			off += n ? n : 1;
			if (!n || !describe(&fake, &d, b, n, &s))
				continue;
			/* reservoir: every instruction has the same chance */
			taken++;
			at = nr_pool < POOL ? nr_pool++ : rnd() % taken;
			if (at < POOL)
				pool[at] = s;
		}
		mod_free(m);
	}
	seen_forms = taken;
	free(fake.dec);
}
