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
	fi_memo_drop(&u);
	free(u.dec);
}
