// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed on the real CPU, everything in one run: originals, translations by scheme, and
 * beside them the compiler's write checks and Valgrind on the same loops.
 *
 *	bench -m MODULES -o OUT.txt -p OUT.svg LOOPS.o PLAIN ASAN
 */

#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "runtime.h"
#define NO_FUNCTIONS
#include "bench_list.h"

enum { NATIVE, NONE, CFLOW, BYTE, SEGMENT, SANDBOX, PLAIN, ASAN, VALGRIND, NR_VARIANTS };

static const char * const variant[] = {
	"native", "none", "flow", "byte", "segment", "sandbox", "gcc", "asan-w", "valgrind",
};

#define MAX_ROWS 32

struct row {
	char name[32];
	double ns[NR_VARIANTS];	/* 0: not measured */
};

static struct row rows[MAX_ROWS];
static u32 nr_rows;
static struct stack st;
static u8 *mem;
static const char *modules;
static int reps = 25;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct unit *load(const char *path, int v)
{
	struct load_options o = { .finalize = true, .host_symbol = rt_host_symbol };
	struct fi_dbi_config c;

	rt_config(&c, v == SEGMENT ? FI_DBI_SEGMENT : v == SANDBOX ? FI_DBI_SANDBOX :
		  v == BYTE ? FI_DBI_BYTE : FI_DBI_NONE);
	c.ret_check = v != NONE;
	return rt_translate(mod_load(path, &o), &c);
}

/* ns for each call of @fn with @arg; @calls times. */
static double measure(u64 fn, const u64 *arg, u32 calls, double best)
{
	struct violation v;
	double t = now();
	u64 ret;

	for (u32 i = 0; i < calls; i++) {
		if (!rt_call(&st, fn, arg, &ret, &v)) {
			fprintf(stderr, "bench: %s: what %d signal %d at %llx address %llx\n",
				rows[nr_rows - 1].name, v.what, v.sig, v.va, v.addr);
			exit(1);
		}
	}
	t = (now() - t) / calls * 1e9;
	return !best || t < best ? t : best;
}

/* All variants of one function, taking turns. */
static void row(struct unit **u, const char *name, const char *fn,
		void (*prepare)(struct unit *u, u64 *arg), u32 calls, double div)
{
	struct row *r = &rows[nr_rows++];

	snprintf(r->name, sizeof(r->name), "%s", name);
	for (int k = 0; k < reps; k++) {
		for (int v = NATIVE; v <= SANDBOX; v++) {
			struct unit *m = u[v == NATIVE ? BYTE : v];
			u64 arg[6] = { 0 }, va = mod_sym(m->m, fn);

			prepare(m, arg);
			r->ns[v] = measure(v == NATIVE ? va : fi_dbi_entry(m->u, va),
					   arg, calls, r->ns[v]);
		}
	}
	for (int v = NATIVE; v <= SANDBOX; v++)
		r->ns[v] /= div;
}

static void load_all(const char *path, struct unit **u)
{
	for (int v = NONE; v <= SANDBOX; v++) {
		u[v] = load(path, v);
		if (!u[v]) {
			fprintf(stderr, "bench: %s\n", path);
			exit(1);
		}
	}
}

static void free_all(struct unit **u)
{
	for (int v = NONE; v <= SANDBOX; v++)
		rt_free(u[v]);
}

static unsigned long cur_rounds;

static void prep_loop(struct unit *u, u64 *arg)
{
	(void)u;
	memset(mem, 0, 1 << 17);
	arg[0] = (u64)mem;
	arg[1] = cur_rounds;
}

static void bench_loops(const char *obj)
{
	struct unit *u[NR_VARIANTS] = { 0 };
	char fn[64];

	load_all(obj, u);
	for (u32 i = 0; i < ARRAY_SIZE(loops); i++) {
		snprintf(fn, sizeof(fn), "bench_%s", loops[i].name);
		cur_rounds = loops[i].rounds;
		row(u, loops[i].name, fn, prep_loop, 1, loops[i].rounds);
	}
	free_all(u);
}

static void text(u32 n)
{
	u32 x = 7;

	for (u32 i = 0; i < n;) {
		u32 w, len;

		x = x * 1664525 + 1013904223;
		w = (x >> 16) % 60;
		len = 2 + w % 7;
		while (len-- && i < n)
			mem[i++] = 'a' + (w * 7 + len * 3) % 26;
		if ((x >> 24) % 9 == 0 && i < n)
			mem[i++] = x >> 8;
	}
}

#define M(x) ((u64)mem + (x))

static void prep_lz4(struct unit *u, u64 *a)
{
	(void)u;
	text(60000);
	a[0] = M(0), a[1] = M(0x20000), a[2] = 60000, a[3] = 70000, a[4] = M(0x40000);
}

static void prep_lz4hc(struct unit *u, u64 *a)
{
	prep_lz4(u, a);
	a[4] = 6, a[5] = M(0x40000);
}

static void prep_curve(struct unit *u, u64 *a)
{
	(void)u;
	text(256);
	a[0] = M(4096), a[1] = M(0), a[2] = M(64);
}

static void prep_poly(struct unit *u, u64 *a)
{
	struct violation v;
	u64 init[6] = { M(0x10000), M(0) };

	text(8192);
	rt_call(&st, rt_entry(u, "poly1305_init_generic"), init, NULL, &v);
	a[0] = M(0x10000), a[1] = M(0), a[2] = 8192;
}

static void prep_twofish(struct unit *u, u64 *a)
{
	(void)u;
	text(64);
	a[0] = M(8192), a[1] = M(0), a[2] = 32;
}

static void prep_blowfish(struct unit *u, u64 *a)
{
	(void)u;
	text(64);
	a[0] = M(8192), a[1] = M(0), a[2] = 32;
}

static void prep_md4(struct unit *u, u64 *a)
{
	struct violation v;
	u64 init[6] = { M(0x10000) };

	text(16384);
	rt_call(&st, rt_entry(u, "cifs_md4_init"), init, NULL, &v);
	a[0] = M(0x10000), a[1] = M(0), a[2] = 16384;
}

static void prep_arc4(struct unit *u, u64 *a)
{
	struct violation v;
	u64 key[6] = { M(0x20000), M(0), 16 };

	text(16384);
	rt_call(&st, rt_entry(u, "arc4_setkey"), key, NULL, &v);
	a[0] = M(0x20000), a[1] = M(0x10000), a[2] = M(0), a[3] = 16384;
}

static void prep_des(struct unit *u, u64 *a)
{
	(void)u;
	text(64);
	a[0] = M(8192), a[1] = M(0), a[2] = 24;
}

static void prep_crc(struct unit *u, u64 *a)
{
	(void)u;
	text(16384);
	a[0] = 0, a[1] = M(0), a[2] = 16384;
}

static void prep_serpent(struct unit *u, u64 *a)
{
	(void)u;
	text(64);
	a[0] = M(8192), a[1] = M(0), a[2] = 32;
}

static void prep_raid6(struct unit *u, u64 *a)
{
	u64 *ptr = (u64 *)(mem + 0x80000);

	(void)u;
	text(6 * 4096);
	for (int i = 0; i < 8; i++)
		ptr[i] = M(i * 4096);
	a[0] = 8, a[1] = 4096, a[2] = (u64)ptr;
}

static const struct {
	const char *module, *fn;
	void (*prep)(struct unit *u, u64 *a);
	u32 calls;
} libs[] = {
	{ "lz4_compress", "LZ4_compress_default", prep_lz4, 20 },
	{ "lz4hc_compress", "LZ4_compress_HC", prep_lz4hc, 1 },
	{ "libcurve25519-generic", "curve25519_generic", prep_curve, 40 },
	{ "libpoly1305", "poly1305_update_generic", prep_poly, 400 },
	{ "twofish_common", "__twofish_setkey", prep_twofish, 300 },
	{ "blowfish_common", "blowfish_setkey", prep_blowfish, 20 },
	{ "serpent_generic", "__serpent_setkey", prep_serpent, 3000 },
	{ "cifs_md4", "cifs_md4_update", prep_md4, 200 },
	{ "libarc4", "arc4_crypt", prep_arc4, 100 },
	{ "libdes", "des3_ede_expand_key", prep_des, 3000 },
	{ "crc16", "crc16", prep_crc, 200 },
	{ "raid6_pq", "raid6_int8_gen_syndrome", prep_raid6, 500 },
};

static char found[4096];

static const char *find(const char *name)
{
	char cmd[4400];
	FILE *p;

	snprintf(cmd, sizeof(cmd), "find '%s' -name '%s.ko*' | head -1", modules, name);
	p = popen(cmd, "r");
	found[0] = 0;
	if (p && fgets(found, sizeof(found), p))
		found[strcspn(found, "\n")] = 0;
	if (p)
		pclose(p);
	return found[0] ? found : NULL;
}

static void bench_libs(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(libs); i++) {
		struct unit *u[NR_VARIANTS] = { 0 };
		const char *path = find(libs[i].module);

		if (!path)
			continue;
		load_all(path, u);
		if (mod_sym(u[NONE]->m, libs[i].fn))
			row(u, libs[i].module, libs[i].fn, libs[i].prep,
			    libs[i].calls, 1);
		free_all(u);
	}
}

/* name ns pairs of another program */
static void foreign(const char *cmd, int v)
{
	char line[256], name[64];
	FILE *p = popen(cmd, "r");
	double ns;

	while (p && fgets(line, sizeof(line), p)) {
		if (sscanf(line, "%63s %lf", name, &ns) != 2)
			continue;
		for (u32 i = 0; i < nr_rows; i++)
			if (!strcmp(rows[i].name, name))
				rows[i].ns[v] = ns;
	}
	if (p)
		pclose(p);
}

/* How many times slower than what it is compared with; 0: unknown. */
static double ratio(const struct row *r, int v)
{
	int base = v >= PLAIN ? PLAIN : NATIVE;

	return r->ns[v] && r->ns[base] ? r->ns[v] / r->ns[base] : 0;
}

static void table(FILE *f)
{
	double sum[NR_VARIANTS] = { 0 }, worst[NR_VARIANTS] = { 0 };
	u32 n[NR_VARIANTS] = { 0 };

	fprintf(f, "%-22s %12s", "", "native ns");
	for (int v = NONE; v < NR_VARIANTS; v++)
		if (v != PLAIN)
			fprintf(f, " %9s", variant[v]);
	fprintf(f, "\n");
	for (u32 i = 0; i < nr_rows; i++) {
		fprintf(f, "%-22s %12.2f", rows[i].name, rows[i].ns[NATIVE]);
		for (int v = NONE; v < NR_VARIANTS; v++) {
			double x = ratio(&rows[i], v);

			if (v == PLAIN)
				continue;
			if (!x) {
				fprintf(f, " %9s", "-");
				continue;
			}
			fprintf(f, " %9.3f", x);
			sum[v] += log(x);
			n[v]++;
			if (x > worst[v])
				worst[v] = x;
		}
		fprintf(f, "\n");
	}
	fprintf(f, "%-22s %12s", "geometric mean", "");
	for (int v = NONE; v < NR_VARIANTS; v++)
		if (v != PLAIN)
			fprintf(f, " %9.3f", n[v] ? exp(sum[v] / n[v]) : 0);
	fprintf(f, "\n%-22s %12s", "worst", "");
	for (int v = NONE; v < NR_VARIANTS; v++)
		if (v != PLAIN)
			fprintf(f, " %9.3f", worst[v]);
	fprintf(f, "\n");
}

static void plot(const char *path)
{
	static const int shown[] = { NONE, BYTE, SEGMENT, SANDBOX, ASAN };
	static const char * const colour[] = {
		"#9aa5b1", "#1f77b4", "#2ca02c", "#9467bd", "#d62728",
	};
	FILE *f = fopen(path, "w");
	int left = 150, wide = 520, bar = 7, step = 5 * 7 + 9, top = 46;

	if (!f)
		return;
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n",
		left + wide + 70, top + (int)nr_rows * step + 30);
	fprintf(f, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
	fprintf(f, "<text x=\"%d\" y=\"16\" font-size=\"13\">time relative to native code (1.0), by scheme; bars end at 3</text>\n",
		left);
	for (u32 k = 0; k < ARRAY_SIZE(shown); k++)
		fprintf(f, "<rect x=\"%d\" y=\"24\" width=\"10\" height=\"10\" fill=\"%s\"/><text x=\"%d\" y=\"33\">%s</text>\n",
			left + (int)k * 90, colour[k], left + (int)k * 90 + 14,
			variant[shown[k]]);
	for (int t = 0; t <= 6; t++) {
		int x = left + t * wide / 6;

		fprintf(f, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\"/><text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.1f</text>\n",
			x, top - 4, x, top + (int)nr_rows * step, t == 2 ? "#333" : "#ddd",
			x, top + (int)nr_rows * step + 14, t * 0.5);
	}
	for (u32 i = 0; i < nr_rows; i++) {
		int y = top + (int)i * step;

		fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
			left - 6, y + 22, rows[i].name);
		for (u32 k = 0; k < ARRAY_SIZE(shown); k++) {
			double x = ratio(&rows[i], shown[k]);

			if (!x)
				continue;
			fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
				left, y + (int)k * bar, (x > 3 ? 3 : x) * wide / 3,
				bar - 1, colour[k]);
		}
	}
	fprintf(f, "</svg>\n");
	fclose(f);
}

int main(int argc, char **argv)
{
	const char *out = NULL, *svg = NULL;
	char cmd[1024];
	FILE *f;
	int o;

	while ((o = getopt(argc, argv, "m:o:p:r:")) != -1) {
		switch (o) {
		case 'm':
			modules = optarg;
			break;
		case 'o':
			out = optarg;
			break;
		case 'p':
			svg = optarg;
			break;
		case 'r':
			reps = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind + 3 != argc || !modules)
		return 2;
	rt_init();
	rt_stack(&st);
	mem = map_low(1 << 20, PROT_READ | PROT_WRITE);
	rt_grant((u64)mem, 1 << 20);
	bench_loops(argv[optind]);
	bench_libs();
	snprintf(cmd, sizeof(cmd), "%s 1 %d", argv[optind + 1], reps);
	foreign(cmd, PLAIN);
	snprintf(cmd, sizeof(cmd), "%s 1 %d", argv[optind + 2], reps);
	foreign(cmd, ASAN);
	snprintf(cmd, sizeof(cmd), "valgrind -q --tool=none %s 4 2 2>/dev/null",
		 argv[optind + 1]);
	foreign(cmd, VALGRIND);
	table(stdout);
	f = out ? fopen(out, "w") : NULL;
	if (f) {
		table(f);
		fclose(f);
	}
	if (svg)
		plot(svg);
	return 0;
}
