// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile bytes through decoder, graph, planner and emitter. With libFuzzer if there is
 * one, else with a mutator of its own. Nothing is executed; what was emitted must
 * decode, stay in the arena and map back.
 */

#include "internal.h"
#include "loader.h"

#include <sys/mman.h>

#define ARENA	(1 << 20)

static u8 *low;

static void *f_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return calloc(1, n);
}

static void f_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static void f_resolve(void *ctx, u64 va, struct fi_dbi_target *t)
{
	(void)ctx;
	t->kind = va % 7;
	if (t->kind > FI_DBI_T_THUNK)
		t->kind = FI_DBI_T_UNKNOWN;
	t->reg = va >> 3 & 15;
	t->to = (u64)low + 64;
}

static bool f_slot(void *ctx, u64 va)
{
	(void)ctx;
	return va & 1;
}

static enum fi_dbi_gs f_gs(void *ctx, s64 off, u32 size)
{
	(void)ctx;
	(void)size;
	return off & 1 ? FI_DBI_GS_CHECK : off & 2 ? FI_DBI_GS_TRAP : FI_DBI_GS_ALLOW;
}

#define CHECK(x) do { if (!(x)) { fprintf(stderr, "violated: %s\n", #x); abort(); } } while (0)

static void verify(struct fi_dbi_unit *u, u32 nfuncs, u64 arena)
{
	struct fi_insn in;

	for (u32 i = 0; i < nfuncs; i++) {
		u64 va = 0;
		u32 len = fi_dbi_fragment(u, i, &va);

		if (!len)
			continue;
		CHECK(va >= arena && va + len <= arena + ARENA);
		for (u64 p = va; p < va + len;) {
			u32 n = fi_decode_anew(u, (u8 *)p, va + len - p, p, &in, NULL);

			/* only what was copied can be unknown, and that decoded */
			CHECK(n);
			CHECK(fi_dbi_to_orig(u, p));
			p += n;
		}
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fi_dbi_env env = {
		.alloc = f_alloc, .free = f_free, .resolve = f_resolve,
		.const_slot = f_slot, .gs_store = f_gs,
	};
	struct fi_dbi_func func[8] = { 0 };
	struct fi_dbi_edge edge[4];
	struct fi_dbi_patch patch[32];
	struct fi_dbi_config c;
	struct fi_dbi_unit *u = NULL;
	struct fi_dbi_text text;
	struct fi_dbi_input in = { .env = &env, .cfg = &c };
	u32 nf, ne, at = 0;
	u8 *copy;

	if (size < 16)
		return 0;
	if (!low)
		low = map_low(ARENA + 8192, PROT_READ | PROT_WRITE);
	fi_dbi_config_default(&c);
	c.checks = data[0] & 3;
	c.poison = data[0] >> 2 & 1;
	c.ibt = data[0] >> 3 & 1;
	c.ret_check = data[0] >> 4 & 1;
	c.seg_low = data[0] >> 5 & 1;
	c.shadow = 0x8000;
	c.map_disp = 0x7fff8000;
	c.seg_shift = 32;
	c.this_cpu_off = data[0] >> 6 & 1 ? 0x100 : 0;
	c.ret_thunk = data[0] >> 7 ? (u64)low + 128 : 0;
	c.ind_thunk = data[1] & 1 ? (u64)low + 192 : 0;
	c.slow_store = c.slow_range = c.slow_icall = (u64)low;
	c.slow_ret = c.slow_trap = c.slow_port = (u64)low;
	c.reads = data[2] & 8;
	c.read_bit = data[2] & 16 ? 45 : 0;
	nf = 1 + (data[1] >> 1) % 8;
	ne = (data[1] >> 4) % 5;
	size = size > 4096 ? 4096 : size;
	copy = malloc(size - 8);
	memcpy(copy, data + 8, size - 8);
	text = (struct fi_dbi_text){
		.va = (u64)low + ARENA, .size = size - 8, .bytes = copy,
	};
	for (u32 i = 0; i < nf; i++) {
		u32 len = (size - 8 - at) / (nf - i);

		func[i].va = text.va + at;
		func[i].size = len;
		func[i].name = "f";
		func[i].flags = (data[2 + i % 6] ^ i) & 7;
		at += len;
	}
	for (u32 i = 0; i < ne; i++) {
		edge[i].from = text.va + (data[2 + i] * 3u) % text.size;
		edge[i].to = text.va + (data[3 + i] * 5u) % text.size;
		edge[i].kind = data[4 + i] % 3;
		for (u32 k = i; k && edge[k].from < edge[k - 1].from; k--) {
			struct fi_dbi_edge t = edge[k];

			edge[k] = edge[k - 1];
			edge[k - 1] = t;
		}
	}
	in.texts = &text;
	in.nr_texts = 1;
	in.funcs = func;
	in.nr_funcs = nf;
	in.edges = edge;
	in.nr_edges = ne;
	if (!fi_dbi_create(&u, &in) &&
	    !fi_dbi_translate(u, (u64)low, low, ARENA)) {
		verify(u, nf, (u64)low);
		copy[data[5] % text.size] ^= data[6];
		if (fi_dbi_retranslate(u, func[0].va, patch, 32) >= 0)
			verify(u, nf, (u64)low);
	}
	CHECK(!fi_zydis_unreachable);
	if (u)
		fi_dbi_destroy(u);
	free(copy);
	return 0;
}

#ifdef OWN_MAIN
#include <time.h>

/* fuzz SECONDS SEED FILE...: seeds are modules' text */
int main(int argc, char **argv)
{
	double end = time(NULL) + (argc > 1 ? atof(argv[1]) : 10);
	u64 s = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 0x9e3779b97f4a7c15ULL | 1;
	u64 n = 0;
	u8 buf[1024], *seed = NULL;
	size_t size = 0;

#define RND() (s ^= s << 13, s ^= s >> 7, s ^= s << 17, s)
	while (time(NULL) < end) {
		u32 len = 16 + RND() % 400;

		if (argc > 3 && !(n & 4095)) {
			free(seed);
			seed = read_module(argv[3 + n / 4096 % (argc - 3)], &size);
		}
		for (u32 i = 0; i < len; i++)
			buf[i] = RND();
		if (size > 8192 && RND() % 4)
			memcpy(buf + 8, seed + RND() % (size - 1024), len - 8);
		for (u32 k = RND() % 8; k; k--)
			buf[RND() % len] = RND();
		LLVMFuzzerTestOneInput(buf, len);
		n++;
	}
	free(seed);
	printf("%llu inputs\n", n);
	return 0;
}
#endif
