// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function whose text changes is translated again while another thread runs it.
 */

#include <pthread.h>

#include "test.h"

static volatile bool stop;
static volatile u64 calls, wrong, changes;
static u64 direct, pointer;

static void *run(void *arg)
{
	u64 last = 0;

	(void)arg;
	while (!stop) {
		u64 x = ((u64 (*)(u64))(calls & 1 ? direct : pointer))(0) / 2;

		/* every value that was ever there is a constant of this form */
		if ((x & 0xffff) != 0x3344)
			wrong++;
		if (x != last)
			changes++;
		last = x;
		calls++;
	}
	return NULL;
}

static u32 patch(struct unit *u, const struct fi_dbi_patch *p, int n)
{
	u32 crossing = 0;

	(void)u;
	for (int i = 0; i < n; i++) {
		/* one store each; the kernel pokes text instead */
		crossing += (p[i].va & 63) + p[i].len > 64;
		if (p[i].len == 8)
			__atomic_store_n((u64 *)p[i].va, *(u64 *)p[i].bytes,
					 __ATOMIC_SEQ_CST);
		else
			__atomic_store_n((u32 *)p[i].va, *(u32 *)p[i].bytes,
					 __ATOMIC_SEQ_CST);
	}
	return crossing;
}

void suite_retranslate(void)
{
	struct load_options o = { .finalize = true, .host_symbol = rt_host_symbol };
	struct fi_dbi_config c;
	struct fi_dbi_patch p[64];
	struct unit *u;
	pthread_t t;
	u64 leaf, old, seen = 0;
	u32 at = 0, failed = 0, rounds = 40;
	u8 *text;
	int n = 0;

	rt_config(&c, FI_DBI_BYTE);
	u = rt_translate(mod_load(opt.fixture, &o), &c);
	if (!u) {
		report(false, "retranslate: fixture");
		return;
	}
	leaf = mod_sym(u->m, "leaf");
	text = (u8 *)u->m->text[0].bytes + (leaf - u->m->text[0].va);
	while (at < 60 && memcmp(text + at, "\x44\x33\x22\x11", 4))
		at++;
	direct = rt_entry(u, "call_leaf");
	pointer = rt_entry(u, "call_leaf_pointer");
	old = rt_entry(u, "leaf");
	/* the shadow stack of this thread lies in its own stack */
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 8 * STACK_SIZE);
	pthread_create(&t, &attr, run, NULL);
	while (!calls)
		;
	for (u32 i = 0; i < rounds; i++) {
		u32 v = 0x3344 | (i + 1) << 16;
		u64 until;

		memcpy(text + at, &v, 4);
		n = fi_dbi_retranslate(u->u, leaf, p, ARRAY_SIZE(p));
		if (n < 2) {
			failed++;
			break;
		}
		patch(u, p, n);
		/* from now on nobody enters the old one */
		until = calls + 100;
		while (calls < until)
			;
		seen = ((u64 (*)(u64))old)(0);
	}
	stop = true;
	pthread_join(t, NULL);
	report(!failed && !wrong && changes >= rounds,
	       "retranslate: %u times under %llu calls: the callers see %llu changes, nothing else",
	       rounds, calls, changes);
	report(rt_entry(u, "leaf") != old && seen == 0x11223344,
	       "retranslate: the old fragment stays as it was, for those inside");
	report(fi_dbi_to_orig(u->u, old) == leaf &&
	       fi_dbi_to_orig(u->u, rt_entry(u, "leaf")) == leaf,
	       "retranslate: both map back to the function");
	report(fi_dbi_retranslate(u->u, u->m->data, p, ARRAY_SIZE(p)) < 0 &&
	       fi_dbi_retranslate(u->u, leaf, p, 0) < 0 &&
	       rt_entry(u, "leaf") != old,
	       "retranslate: what cannot be done is refused and changes nothing");
	rt_free(u);
}
