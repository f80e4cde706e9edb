// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the engine remembers of instructions, against the decoder asked anew: whole
 * modules, the same with bytes changed, and cut off at every length.
 */

#include "internal.h"
#include "test.h"

struct seen {
	u64 insns, recalled, wrong;
};

static bool one(struct fi_dbi_unit *u, const u8 *b, u32 avail, u64 va, struct seen *n)
{
	struct fi_insn a, r;
	u32 la, lr;

	memset(&r, 0, sizeof(r));
	n->recalled += fi_memo_recall(&u->memo, b, avail, va, &r) != 0;
	lr = fi_decode(u, b, avail, va, &r);
	la = fi_decode_anew(u, b, avail, va, &a, NULL);
	n->insns++;
	return la == lr && (!la || !memcmp(&a, &r, sizeof(a)));
}

static void whole_text(struct fi_dbi_unit *u, const struct fi_dbi_text *t, struct seen *n)
{
	struct fi_insn in;
	u8 bad[16];

	for (u32 off = 0; off < t->size;) {
		u32 avail = t->size - off < 15 ? t->size - off : 15;
		u32 len = fi_decode_anew(u, t->bytes + off, avail, t->va + off, &in, NULL);

		n->wrong += !one(u, t->bytes + off, avail, t->va + off, n);
		memcpy(bad, t->bytes + off, avail);
		bad[rnd() % avail] = rnd();
		n->wrong += !one(u, bad, avail, rnd(), n);
		n->wrong += !one(u, bad, 1 + rnd() % avail, rnd(), n);
		off += len ? len : 1;
	}
}

static void *mem(void *ctx, size_t n)
{
	(void)ctx;
	return calloc(1, n);
}

static void give(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

/* What stores in ways that no check covers has a name, whatever its operands say. */
static void odd_stores(struct fi_dbi_unit *u)
{
	static const struct {
		const char *name;
		u8 code[8];
		u8 len;
	} odd[] = {
		{ "CLZERO", { 0x0f, 0x01, 0xfc }, 3 },
		{ "MASKMOVQ", { 0x0f, 0xf7, 0xc1 }, 3 },
		{ "MASKMOVDQU", { 0x66, 0x0f, 0xf7, 0xc1 }, 4 },
		{ "VMASKMOVDQU", { 0xc5, 0xf9, 0xf7, 0xc1 }, 4 },
		{ "VMASKMOVPS", { 0xc4, 0xe2, 0x79, 0x2e, 0x07 }, 5 },
		{ "VMASKMOVPD", { 0xc4, 0xe2, 0x79, 0x2f, 0x07 }, 5 },
		{ "VPMASKMOVD", { 0xc4, 0xe2, 0x79, 0x8e, 0x07 }, 5 },
		{ "VPMASKMOVQ", { 0xc4, 0xe2, 0xf9, 0x8e, 0x07 }, 5 },
		{ "XSAVE", { 0x0f, 0xae, 0x27 }, 3 },
		{ "XSAVE64", { 0x48, 0x0f, 0xae, 0x27 }, 4 },
		{ "XSAVEC", { 0x0f, 0xc7, 0x27 }, 3 },
		{ "XSAVEC64", { 0x48, 0x0f, 0xc7, 0x27 }, 4 },
		{ "XSAVEOPT", { 0x0f, 0xae, 0x37 }, 3 },
		{ "XSAVEOPT64", { 0x48, 0x0f, 0xae, 0x37 }, 4 },
		{ "XSAVES", { 0x0f, 0xc7, 0x2f }, 3 },
		{ "XSAVES64", { 0x48, 0x0f, 0xc7, 0x2f }, 4 },
		{ "WRSSD", { 0x0f, 0x38, 0xf6, 0x37 }, 4 },
		{ "WRSSQ", { 0x48, 0x0f, 0x38, 0xf6, 0x37 }, 5 },
		{ "WRUSSD", { 0x66, 0x0f, 0x38, 0xf5, 0x37 }, 5 },
		{ "WRUSSQ", { 0x66, 0x48, 0x0f, 0x38, 0xf5, 0x37 }, 6 },
		{ "TILESTORED", { 0xc4, 0xe2, 0x7a, 0x4b, 0x04, 0x07 }, 6 },
		{ "masked vector", { 0x62, 0xf1, 0x7c, 0x49, 0x11, 0x07 }, 6 },
	};
	u32 named = 0;

	for (u32 i = 0; i < ARRAY_SIZE(odd); i++) {
		struct fi_insn in = { 0 };
		bool ok = fi_decode(u, odd[i].code, odd[i].len, 0, &in) == odd[i].len &&
			  in.sens == FI_SENS_STORE && in.odd && !in.store &&
			  !strcmp(strrchr(in.odd, ':') + 2, odd[i].name);

		named += ok;
		if (!ok)
			report(false, "decode: %s is not refused by name", odd[i].name);
	}
	report(named == ARRAY_SIZE(odd), "decode: %u odd stores refused by name", named);
}

void suite_decode(void)
{
	static const char * const names[] = { "e1000", "xfs", "kvm", "aesni-intel", "raid6_pq" };
	const struct fi_dbi_env env = { .alloc = mem, .free = give };
	struct load_options o = { .finalize = true };
	struct fi_dbi_config cfg;
	struct fi_dbi_unit u = { .env = &env, .cfg = &cfg };
	struct seen n = { 0 };

	fi_dbi_config_default(&cfg);
	u.dec = calloc(1, fi_decode_scratch());
	fi_decode_init(u.dec);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		const char *path = find_module(names[i]);
		struct mod *module = path ? mod_load(path, &o) : NULL;

		if (!module)
			continue;
		for (u32 k = 0; k < 2; k++)
			whole_text(&u, &module->text[k], &n);
		mod_free(module);
	}
	report(n.insns > 500000 && !n.wrong, "decode: %llu remembered or not, %llu differ",
	       n.insns, n.wrong);
	report(n.recalled * 10 > n.insns * 4, "decode: %llu of them known, from %u beginnings",
	       n.recalled, u.memo.nr_insns);
	odd_stores(&u);
	fi_memo_drop(&u);
	free(u.dec);
}
