// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single step: a signal at every cache instruction. The handler checks the address map,
 * scribbles below the stack pointer and runs translated code on the same stack.
 */

#include "test.h"

bool random_stepped(u32 sequences, u64 *runs);

static u64 steps, orphans, reentries, bad_reentry;
static u64 reenter_fn;
static struct unit *fixture;
static bool busy;

static void at_step(u64 rip, u64 rsp)
{
	struct unit *u = rt_unit_at(rip);
	struct stack below = { .top = ((rsp - 512) & ~15ULL) + 64 };
	u64 arg[6] = { 6 }, ret;
	struct violation v;

	if (busy)
		return;
	busy = true;
	steps++;
	/* fragments only: the stub and the padding belong to nobody */
	if (!fi_dbi_to_orig(u->u, rip) && u == fixture)
		orphans++;
	memset((void *)(rsp - 480), 0xa5, 480);
	if (steps % 7 == 0) {
		reentries++;
		if (!rt_call(&below, reenter_fn, arg, &ret, &v) || ret != 8)
			bad_reentry++;
		memset((void *)(rsp - 480), 0x5a, 480);
	}
	busy = false;
}

void suite_step(void)
{
	struct load_options o = { .finalize = true, .host_symbol = rt_host_symbol };
	struct fi_dbi_config c;
	struct stack st;
	u64 runs = 0, s[17] = { 0 }, arg[6] = { 12 }, want = 0;
	struct violation v;
	bool ok;

	rt_stack(&st);
	for (int checks = 0; checks < 4; checks++) {
		rt_config(&c, checks);
		fixture = rt_translate(mod_load(opt.fixture, &o), &c);
		if (!fixture) {
			report(false, "step: fixture");
			return;
		}
		reenter_fn = rt_entry(fixture, "recurse");
		rt_call(&st, mod_sym(fixture->m, "recurse"), arg, &want, &v);
		steps = orphans = reentries = bad_reentry = 0;
		rt_step = at_step;
		memset(s, 0, sizeof(s));
		s[FI_RDI] = 12;
		s[16] = 0x302;
		ok = rt_run_state_on(&st, reenter_fn, s, &v);
		rt_step = NULL;
		report(ok && s[FI_RAX] == want && steps > 1000 && !orphans &&
		       reentries && !bad_reentry,
		       "step: %llu cache instructions, each interrupted, %llu reentries, result %llu",
		       steps, reentries, s[FI_RAX]);
		if (checks == 3)
			break;
		rt_free(fixture);
	}
	steps = orphans = reentries = bad_reentry = 0;
	rt_step = at_step;
	ok = random_stepped(250, &runs);
	rt_step = NULL;
	report(ok && steps > 10000 && !bad_reentry,
	       "step: %llu random runs as the original with %llu interruptions, %llu reentries",
	       runs, steps, reentries);
	rt_free(fixture);
}
