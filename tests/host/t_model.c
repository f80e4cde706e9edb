// SPDX-License-Identifier: GPL-2.0-only
/*
 * The byte check against a plain reference: random permissions, every store size at
 * every alignment; the check says yes exactly if each byte is permitted.
 */

#include <sys/mman.h>

#include "test.h"

#define SPAN	512

static bool model_ok(const bool *perm, u32 at, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!perm[at + i])
			return false;
	return true;
}

static void new_permissions(u8 *buf, bool *perm)
{
	rt_revoke((u64)buf, SPAN);
	memset(perm, 0, SPAN);
	for (u32 i = 0; i < 6; i++) {
		u32 from = rnd() % (SPAN - 80), n = 1 + rnd() % 80;

		rt_grant((u64)buf + from, n);
		memset(perm + from, 1, n);
	}
	for (u32 i = 0; i < 6; i++) {
		u32 at = rnd() % SPAN;

		rt_revoke((u64)buf + at, 1);
		perm[at] = false;
	}
}

struct loop {
	const char *fn;
	u32 size, stride, off;
};

/* The first byte that the loop may not write, or SPAN. */
static u32 first_bad(const bool *perm, const struct loop *l, u32 at, u32 n)
{
	for (u32 i = 0; i < n; i++)
		for (u32 k = 0; k < l->size; k++)
			if (!perm[at + i * l->stride + l->off + k])
				return at + i * l->stride + l->off + k;
	return SPAN;
}

/*
 * A loop's check looks ahead: it must stop at exactly the byte where a check of every
 * store would, and everything before must be written.
 */
static void loops(struct unit *u, u8 *buf, struct stack *st)
{
	static const struct loop list[] = {
		{ "loop8", 1, 1, 0 }, { "loop32", 4, 4, 0 }, { "loop64", 8, 8, 0 },
		{ "loop_gap", 4, 24, 0 }, { "loop_index", 2, 2, 0 },
		{ "loop_two", 12, 24, 8 }, { "loop_scaled", 8, 8, 0 },
	};
	bool perm[SPAN];

	for (u32 f = 0; f < ARRAY_SIZE(list); f++) {
		const struct loop *l = &list[f];
		u64 fn = rt_entry(u, l->fn), n = 0, wrong = 0, yes = 0, slow;

		slow = rt_slow_calls;
		for (u32 round = 0; round < 4000; round++) {
			u32 count = 1 + rnd() % 16, at, bad;
			u64 arg[6];
			struct violation v;
			bool got;

			if (round % 8 == 0)
				new_permissions(buf, perm);
			at = rnd() % (SPAN - 17 * l->stride - 16);
			arg[0] = (u64)buf + at;
			arg[1] = 0x5a5a5a5a5a5a5a5aULL;
			arg[2] = count;
			memset(buf, 0, SPAN);
			bad = first_bad(perm, l, at, count);
			got = rt_call(st, fn, arg, NULL, &v);
			wrong += got != (bad == SPAN);
			wrong += !got && v.addr != (u64)buf + bad;
			for (u32 i = 0; i < SPAN; i++)
				wrong += buf[i] && !perm[i];
			/* what comes before the bad one is written */
			for (u32 i = 0; i < count && strcmp(l->fn, "loop_index"); i++) {
				u32 o = at + i * l->stride + l->off;

				if (o + l->size <= bad && l->size < 12)
					wrong += buf[o] != 0x5a;
			}
			yes += got;
			n++;
		}
		report(!wrong && yes && yes < n,
		       "model: %s: %llu loops, %llu permitted, %llu slow paths, %llu wrong",
		       l->fn, n, yes, rt_slow_calls - slow, wrong);
	}
	report(fi_dbi_stats(u->u)->loops >= 6, "model: %u checks bounded once a loop",
	       fi_dbi_stats(u->u)->loops);
}

void suite_model(void)
{
	static const struct {
		const char *fn;
		u32 size;
	} fns[] = {
		{ "store8", 1 }, { "store16", 2 }, { "store32", 4 },
		{ "store64", 8 }, { "store128", 16 }, { "store256", 32 },
	};
	struct load_options o = { .finalize = true, .host_symbol = rt_host_symbol };
	u8 *buf = map_low(4096, PROT_READ | PROT_WRITE);
	bool perm[SPAN];
	struct fi_dbi_config c;
	struct stack st;
	struct unit *u;
	u64 slow;

	rt_stack(&st);
	rt_config(&c, FI_DBI_BYTE);
	u = rt_translate(mod_load(opt.fixture, &o), &c);
	if (!u) {
		report(false, "model: fixture");
		return;
	}
	rnd_seed(opt.seed);
	for (u32 f = 0; f < ARRAY_SIZE(fns); f++) {
		u64 fn = rt_entry(u, fns[f].fn), n = 0, wrong = 0, yes = 0;

		if (fns[f].size == 32 && !__builtin_cpu_supports("avx"))
			continue;
		slow = rt_slow_calls;
		for (u32 round = 0; round < 60; round++) {
			new_permissions(buf, perm);
			for (u32 at = 0; at + fns[f].size <= SPAN; at++) {
				u64 arg[6] = { (u64)buf + at, rnd() };
				struct violation v;
				bool want = model_ok(perm, at, fns[f].size);
				bool got = rt_call(&st, fn, arg, NULL, &v);

				wrong += want != got;
				/* and it names the first byte */
				if (!got && !want) {
					u32 k = at;

					while (perm[k])
						k++;
					wrong += v.addr != (u64)buf + k;
				}
				yes += got;
				n++;
			}
		}
		report(!wrong && yes && yes < n,
		       "model: %s: %llu stores, %llu permitted, %llu by the slow path, %llu wrong",
		       fns[f].fn, n, yes, rt_slow_calls - slow, wrong);
	}
	loops(u, buf, &st);
	rt_free(u);
}
