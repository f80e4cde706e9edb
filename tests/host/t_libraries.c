// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole module libraries of Debian's kernel: the original and its translations get the
 * same inputs; results and memory are compared, and known answers are checked.
 *
 * Only what a call may write is granted, to the byte.
 */

#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/mman.h>

#include "test.h"

#define MEM_SIZE (1 << 20)

static struct stack st;
static u8 *mem;

struct run {
	struct unit *u;
	struct mod *m;
	bool native;
	u64 hash;		/* of all results */
	u64 calls;
	bool failed;
	struct violation v;
	const char *known;	/* first known answer that was wrong */
	u32 round;
};

static void mix(struct run *r, u64 v)
{
	r->hash = (r->hash ^ v) * 0x100000001b3ULL;
	r->hash ^= r->hash >> 29;
}

static void mix_bytes(struct run *r, const void *p, u32 n)
{
	const u8 *b = p;

	while (n--)
		mix(r, *b++);
}

static u64 call_at(struct run *r, u64 va, const u64 *arg)
{
	u64 ret = 0, fn = r->native ? va : fi_dbi_entry(r->u->u, va);

	r->calls++;
	if (!fn || r->failed) {
		r->failed = true;
		return 0;
	}
	if (!rt_call(&st, fn, arg, &ret, &r->v)) {
		r->failed = true;
		fprintf(stderr, "%s: %s: what %d at %llx (%s), address %llx, signal %d\n",
			r->m->name, r->native ? "original" : "translated", r->v.what,
			r->v.va, mod_sym_at(r->m, r->v.va, NULL), r->v.addr, r->v.sig);
	}
	return ret;
}

static u64 call(struct run *r, const char *fn, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	u64 arg[6] = { a, b, c, d, e };
	u64 va = mod_sym(r->m, fn);

	if (!va) {
		r->failed = true;
		return 0;
	}
	return call_at(r, va, arg);
}

static void known(struct run *r, const void *p, const char *hex)
{
	const u8 *b = p;
	char t[3];

	for (; *hex; hex += 2, b++) {
		snprintf(t, sizeof(t), "%02x", *b);
		if (strncmp(t, hex, 2) && !r->known)
			r->known = hex;
	}
}

static u64 grant(u64 off, u64 len)
{
	rt_grant((u64)mem + off, len);
	return (u64)mem + off;
}

static u8 *fill(u64 off, u32 len)
{
	for (u32 i = 0; i < len; i++)
		mem[off + i] = rnd();
	return mem + off;
}

#define M(off)	((u64)mem + (off))
#define DIGITS	"123456789"

static void run_crc(struct run *r)
{
	u32 n = 1 + rnd() % 500;

	memcpy(mem, DIGITS, 9);
	if (!strcmp(r->m->name, "crc-itu-t.ko.xz")) {
		u16 v = call(r, "crc_itu_t", 0xffff, M(0), 9, 0, 0);

		known(r, &v, "b129");
		fill(64, n);
		mix(r, (u16)call(r, "crc_itu_t", rnd() & 0xffff, M(64), n, 0, 0));
	} else if (!strcmp(r->m->name, "crc7.ko.xz")) {
		u8 v = call(r, "crc7_be", 0, M(0), 9, 0, 0);

		known(r, &v, "ea");
		fill(64, n);
		mix(r, (u8)call(r, "crc7_be", rnd() & 0xff, M(64), n, 0, 0));
	} else if (!strcmp(r->m->name, "crc16.ko.xz")) {
		u16 v = call(r, "crc16", 0, M(0), 9, 0, 0);

		known(r, &v, "3dbb");
		fill(64, n);
		mix(r, (u16)call(r, "crc16", rnd() & 0xffff, M(64), n, 0, 0));
	} else {
		u8 v;

		grant(1024, 256);
		call(r, "crc8_populate_msb", M(1024), 7, 0, 0, 0);
		v = call(r, "crc8", M(1024), M(0), 9, 0, 0);
		known(r, &v, "f4");
		call(r, "crc8_populate_lsb", M(1024), rnd() & 0xff, 0, 0, 0);
	}
}

static void run_arc4(struct run *r)
{
	u32 n = 1 + rnd() % 600;

	grant(0, 1032);
	grant(4096, 700);
	memcpy(mem + 2048, "KeyPlaintext", 12);
	call(r, "arc4_setkey", M(0), M(2048), 3, 0, 0);
	call(r, "arc4_crypt", M(0), M(4096), M(2051), 9, 0);
	known(r, mem + 4096, "bbf316e8d940af0ad3");
	fill(2048, n + 16);
	call(r, "arc4_setkey", M(0), M(2048), 1 + rnd() % 16, 0, 0);
	call(r, "arc4_crypt", M(0), M(4096), M(2064), n, 0);
}

static void run_md4(struct run *r)
{
	u32 n = rnd() % 900;

	grant(0, 88);
	grant(4096, 16);
	memcpy(mem + 2048, "abc", 3);
	call(r, "cifs_md4_init", M(0), 0, 0, 0, 0);
	call(r, "cifs_md4_update", M(0), M(2048), 3, 0, 0);
	call(r, "cifs_md4_final", M(0), M(4096), 0, 0, 0);
	known(r, mem + 4096, "a448017aaf21d8525fc10ae87aa6729d");
	fill(2048, n);
	call(r, "cifs_md4_init", M(0), 0, 0, 0, 0);
	call(r, "cifs_md4_update", M(0), M(2048), n / 3, 0, 0);
	call(r, "cifs_md4_update", M(0), M(2048 + n / 3), n - n / 3, 0, 0);
	call(r, "cifs_md4_final", M(0), M(4096), 0, 0, 0);
}

static void run_des(struct run *r)
{
	static const u8 key[] = { 0x13, 0x34, 0x57, 0x79, 0x9b, 0xbc, 0xdf, 0xf1 };
	static const u8 text[] = { 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

	grant(0, 128);
	grant(4096, 8);
	memcpy(mem + 1024, key, 8);
	memcpy(mem + 1032, text, 8);
	call(r, "des_expand_key", M(0), M(1024), 8, 0, 0);
	call(r, "des_encrypt", M(0), M(4096), M(1032), 0, 0);
	known(r, mem + 4096, "85e813540f0ab405");
	fill(1024, 64);
	grant(8192, 384);
	mix(r, (u32)call(r, "des3_ede_expand_key", M(8192), M(1024), 24, 0, 0));
	for (int i = 0; i < 4; i++) {
		call(r, "des3_ede_encrypt", M(8192), M(4096), M(1048 + i * 8), 0, 0);
		mix_bytes(r, mem + 4096, 8);
		call(r, "des3_ede_decrypt", M(8192), M(4096), M(1048 + i * 8), 0, 0);
		mix_bytes(r, mem + 4096, 8);
	}
}

static void run_poly1305(struct run *r)
{
	static const u8 key[] = {
		0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d, 0x33, 0x7f, 0x44, 0x52,
		0xfe, 0x42, 0xd5, 0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb, 0x0d,
		0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf, 0x41, 0x49, 0xf5, 0x1b,
	};
	static const char text[] = "Cryptographic Forum Research Group";
	u32 n = rnd() % 1500;

	grant(0, 512);
	grant(4096, 16);
	memcpy(mem + 1024, key, 32);
	memcpy(mem + 2048, text, 34);
	call(r, "poly1305_init_generic", M(0), M(1024), 0, 0, 0);
	call(r, "poly1305_update_generic", M(0), M(2048), 34, 0, 0);
	call(r, "poly1305_final_generic", M(0), M(4096), 0, 0, 0);
	known(r, mem + 4096, "a8061dc1305136c6c22b8baf0c0127a9");
	fill(1024, 32);
	fill(2048, n);
	call(r, "poly1305_init_generic", M(0), M(1024), 0, 0, 0);
	call(r, "poly1305_update_generic", M(0), M(2048), n / 2, 0, 0);
	call(r, "poly1305_update_generic", M(0), M(2048 + n / 2), n - n / 2, 0, 0);
	call(r, "poly1305_final_generic", M(0), M(4096), 0, 0, 0);
}

static void run_curve25519(struct run *r)
{
	static const char *const k =
		"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4";
	static const char *const p =
		"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c";

	for (int i = 0; i < 32; i++) {
		sscanf(k + 2 * i, "%2hhx", mem + 1024 + i);
		sscanf(p + 2 * i, "%2hhx", mem + 1056 + i);
	}
	grant(0, 32);
	call(r, "curve25519_generic", M(0), M(1024), M(1056), 0, 0);
	known(r, mem, "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
	fill(1024, 64);
	call(r, "curve25519_generic", M(0), M(1024), M(1056), 0, 0);
}

static void run_twofish(struct run *r)
{
	fill(8192, 32);
	grant(0, 4256);
	mix(r, (u32)call(r, "__twofish_setkey", M(0), M(8192), 16 + 8 * (rnd() % 3), 0, 0));
}

static void run_blowfish(struct run *r)
{
	fill(16384, 56);
	/* the context follows the transform */
	grant(0, 8192);
	mix(r, (u32)call(r, "blowfish_setkey", M(0), M(16384), 8 + rnd() % 48, 0, 0));
}

/* A decompressor, to know that what was compressed is right. */
static int unlz4(const u8 *s, u32 n, u8 *d, u32 cap)
{
	const u8 *end = s + n;
	u32 o = 0;

	while (s < end) {
		u32 tok = *s++, lit = tok >> 4, len = tok & 15, off, b;

		if (lit == 15)
			do {
				b = *s++;
				lit += b;
			} while (b == 255);
		if (o + lit > cap || s + lit > end)
			return -1;
		memcpy(d + o, s, lit);
		o += lit;
		s += lit;
		if (s == end)
			return o;
		off = s[0] | s[1] << 8;
		s += 2;
		if (len == 15)
			do {
				b = *s++;
				len += b;
			} while (b == 255);
		len += 4;
		if (!off || off > o || o + len > cap)
			return -1;
		while (len--) {
			d[o] = d[o - off];
			o++;
		}
	}
	return o;
}

/* Something that compresses: words from a small set, with noise. */
static void text(u64 off, u32 n)
{
	for (u32 i = 0; i < n;) {
		u32 w = rnd() % 50, len = 2 + w % 7;

		while (len-- && i < n)
			mem[off + i++] = 'a' + (w * 7 + len * 3) % 26;
		if (rnd() % 9 == 0 && i < n)
			mem[off + i++] = rnd();
	}
}

static void run_lz4(struct run *r)
{
	static u8 plain[65536];
	u32 n = 100 + rnd() % 20000, cap = n + n / 255 + 16, got;
	bool hc = strstr(r->m->name, "hc");

	text(0, n);
	grant(0x20000, cap);
	grant(0x40000, hc ? 262192 : 16416);
	if (hc)
		got = call(r, "LZ4_compress_HC", M(0), M(0x20000), n, cap, 0);
	else
		got = call(r, "LZ4_compress_default", M(0), M(0x20000), n, cap,
			   M(0x40000));
	mix(r, got);
	if (!r->failed && ((s32)got <= 0 || unlz4(mem + 0x20000, got, plain, 65536) != (int)n ||
			   memcmp(plain, mem, n)))
		r->known = "what was compressed does not come back";
}

static void run_lz4hc(struct run *r)
{
	static u8 plain[65536];
	u32 n = 100 + rnd() % 8000, cap = n + n / 255 + 16, got;
	u64 arg[6] = { M(0), M(0x20000), n, cap, 3 + rnd() % 7, M(0x40000) };

	text(0, n);
	grant(0x20000, cap);
	grant(0x40000, 262200);
	got = call_at(r, mod_sym(r->m, "LZ4_compress_HC"), arg);
	mix(r, got);
	if (!r->failed && ((s32)got <= 0 || unlz4(mem + 0x20000, got, plain, 65536) != (int)n ||
			   memcmp(plain, mem, n)))
		r->known = "what was compressed does not come back";
}

static void run_cordic(struct run *r)
{
	u64 v = call(r, "cordic_calc_iq", (u32)(s32)(rnd() % 600 - 300) << 16, 0, 0, 0, 0);

	mix(r, v);
	v = call(r, "cordic_calc_iq", 90 << 16, 0, 0, 0, 0);
	mix(r, v);
}

struct nls_table {
	u64 charset, alias, uni2char, char2uni, lower, upper, owner, next;
};

static void run_nls(struct run *r)
{
	struct nls_table *t = (void *)mod_sym(r->m, "table");
	u32 from = (r->round * 4096) & 0xffff;

	if (!t) {
		r->failed = true;
		return;
	}
	grant(0, 6);
	grant(64, 2);
	for (u32 c = from; c < from + 512 && !r->failed; c++) {
		u64 a[6] = { c, M(0), 1 + rnd() % 6 };

		mix(r, (u32)call_at(r, t->uni2char, a));
		mix_bytes(r, mem, 6);
	}
	for (u32 c = 0; c < 256 && !r->failed; c++) {
		u64 a[6] = { M(128), 2, M(64) };

		mem[128] = c;
		mem[129] = rnd();
		mix(r, (u32)call_at(r, t->char2uni, a));
		mix_bytes(r, mem + 64, 2);
	}
}

static void run_raid6(struct run *r)
{
	static const char * const ways[] = {
		"raid6_intx1", "raid6_intx2", "raid6_intx4", "raid6_intx8",
		"raid6_sse2x1", "raid6_sse2x2", "raid6_sse2x4",
		"raid6_avx2x1", "raid6_avx2x2", "raid6_avx2x4",
	};
	const char *name = ways[r->round % ARRAY_SIZE(ways)];
	u64 *ops = (void *)mod_sym(r->m, name);
	u64 *ptr = (u64 *)(mem + 0x80000);
	u8 p = 0;
	u64 arg[6] = { 8, 4096, (u64)ptr };

	if (!ops || (strstr(name, "avx2") && !__builtin_cpu_supports("avx2")))
		return;
	for (int i = 0; i < 8; i++)
		ptr[i] = M(i * 4096);
	fill(0, 6 * 4096);
	grant(6 * 4096, 8192);
	call_at(r, ops[0], arg);
	for (int i = 0; i < 6; i++)
		p ^= mem[i * 4096 + 77];
	if (p != mem[6 * 4096 + 77] && !r->failed)
		r->known = "parity";
	if (ops[1]) {
		u64 x[6] = { 8, 1, 4, 4096, (u64)ptr };

		call_at(r, ops[1], x);
	}
}

static void run_serpent(struct run *r)
{
	fill(1024, 64);
	grant(0, 132 * 4);
	grant(2048, 16);
	mix(r, (u32)call(r, "__serpent_setkey", M(0), M(1024), 16 + rnd() % 17, 0, 0));
	call(r, "__serpent_encrypt", M(0), M(2048), M(1056), 0, 0);
	mix_bytes(r, mem + 2048, 16);
	memcpy(mem + 3072, mem + 2048, 16);
	call(r, "__serpent_decrypt", M(0), M(2048), M(3072), 0, 0);
	if (memcmp(mem + 2048, mem + 1056, 16) && !r->failed)
		r->known = "decrypts to something else";
}

static void run_gf128(struct run *r)
{
	fill(0, 16);
	fill(64, 16);
	grant(0, 16);
	call(r, "gf128mul_lle", M(0), M(64), 0, 0, 0);
	mix_bytes(r, mem, 16);
}

static const struct {
	const char *module;
	void (*run)(struct run *r);
	u32 rounds;
} libs[] = {
	{ "crc-itu-t", run_crc, 50 },
	{ "crc7", run_crc, 50 },
	{ "crc8", run_crc, 50 },
	{ "crc16", run_crc, 50 },
	{ "libarc4", run_arc4, 50 },
	{ "cifs_md4", run_md4, 50 },
	{ "libdes", run_des, 50 },
	{ "libpoly1305", run_poly1305, 50 },
	{ "libcurve25519-generic", run_curve25519, 4 },
	{ "twofish_common", run_twofish, 20 },
	{ "blowfish_common", run_blowfish, 4 },
	{ "lz4_compress", run_lz4, 20 },
	{ "lz4hc_compress", run_lz4hc, 8 },
	{ "cordic", run_cordic, 50 },
	{ "nls_koi8-r", run_nls, 16 },
	{ "nls_cp850", run_nls, 16 },
	{ "nls_iso8859-15", run_nls, 16 },
	{ "nls_euc-jp", run_nls, 16 },
	{ "nls_cp932", run_nls, 16 },
	{ "raid6_pq", run_raid6, 20 },
	{ "serpent_generic", run_serpent, 30 },
	{ "gf128mul", run_gf128, 30 },
};

static void one_run(u32 lib, u32 round, struct run *r)
{
	rnd_seed(opt.seed * 1000 + lib * 100 + round);
	memset(mem, 0, MEM_SIZE);
	rt_revoke((u64)mem, MEM_SIZE);
	r->round = round;
	libs[lib].run(r);
	mix_bytes(r, mem, 0x40000);
}

static void one_library(u32 lib)
{
	static const char * const mode[] = { "none", "byte", "segment", "sandbox" };
	struct load_options o = { .finalize = true, .host_symbol = rt_host_symbol };
	struct run native = { .native = true };
	const char *path = find_module(libs[lib].module);
	u32 i;

	if (!path) {
		report(false, "library %s: module not found", libs[lib].module);
		return;
	}
	for (int k = 0; k < 8; k++) {
		struct fi_dbi_config c;
		struct run t = { 0 };
		char words[48];

		rt_config(&c, k & 3);
		c.poison = k >> 2;
		t.u = rt_translate(mod_load(path, &o), &c);
		if (!t.u) {
			report(false, "library %s: not translated", libs[lib].module);
			return;
		}
		t.m = t.u->m;
		/* the original in the same place, so that addresses agree */
		native = (struct run){ .native = true, .m = t.m, .u = t.u };
		for (i = 0; i < libs[lib].rounds; i++)
			one_run(lib, i, &native);
		for (i = 0; i < libs[lib].rounds; i++)
			one_run(lib, i, &t);
		snprintf(words, sizeof(words), "%s%s", mode[k & 3], k >> 2 ? "+poison" : "");
		report(!t.failed && !native.failed && !t.known && !native.known &&
		       t.hash == native.hash && t.calls == native.calls && t.calls,
		       "library %s, %s: %llu calls as the original%s%s",
		       libs[lib].module, words, t.calls, t.known ? ", known answer wrong: " : "",
		       t.known ? t.known : "");
		rt_free(t.u);
	}
}

void suite_libraries(void)
{
	rt_stack(&st);
	mem = map_low(MEM_SIZE, PROT_READ | PROT_WRITE);
	for (u32 i = 0; i < ARRAY_SIZE(libs); i++)
		one_library(i);
}
