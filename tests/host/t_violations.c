// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each kind of wrong store and wrong transfer: caught by name in the translation, and
 * its twin, the original code, does the damage.
 */

#include <signal.h>
#include <sys/mman.h>

#include "slow.h"
#include "test.h"

static struct stack st;
static u64 called;

static void callback(u64 x)
{
	called = x;
}

static u64 symbols(const char *name)
{
	if (!strcmp(name, "host_callback"))
		return (u64)callback;
	return rt_host_symbol(name);
}

static struct unit *load_reads(enum fi_dbi_checks checks, bool poison, bool reads)
{
	struct load_options o = { .finalize = true, .host_symbol = symbols };
	struct fi_dbi_config c;

	rt_config(&c, checks);
	c.poison = poison;
	c.reads = reads;
	return rt_translate(mod_load(opt.fixture, &o), &c);
}

static struct unit *load(enum fi_dbi_checks checks, bool poison)
{
	return load_reads(checks, poison, false);
}

struct store_case {
	const char *fn;
	u32 size;		/* bytes it stores at arg 0 */
	enum caught what;
	u64 arg1, arg2;
	s32 off;		/* where, from arg 0 */
	bool avx;
	u32 align;
};

static const struct store_case stores[] = {
	{ "store8", 1, C_STORE, 0x55 },
	{ "store16", 2, C_STORE, 0x5555 },
	{ "store32", 4, C_STORE, 0x55555555 },
	{ "store64", 8, C_STORE, ~0ULL },
	{ "store128", 16, C_STORE },
	{ "store256", 32, C_STORE, .avx = true },
	{ "store_nt", 8, C_STORE, 77 },
	{ "store_fxsave", 512, C_STORE, .align = 16 },
	{ "store_bts", 8, C_STORE, 3 },
	{ "store_bts", 8, C_STORE, 64 * 3 + 1, .off = 24 },
	{ "store_bts", 8, C_STORE, -1ULL, .off = -8 },
	{ "store_btr32", 4, C_STORE, 70, .off = 8 },
	{ "store_btr32", 4, C_STORE, (u32)-1, .off = -4 },
	{ "store_btc16", 2, C_STORE, 33, .off = 4 },
	{ "store_xadd", 8, C_STORE, 1 },
	{ "store_cmpxchg", 8, C_STORE, 0, 1 },
	{ "store_cmpxchg16b", 16, C_STORE, 5, .align = 16 },
	{ "store_xchg", 8, C_STORE, 9 },
	{ "store_stos", 40, C_RANGE, 3, 5 },
	{ "store_stosb1", 1, C_STORE, 3 },
	{ "store_movs", 21, C_RANGE, 0, 21 },
	{ "store_pop", 8, C_STORE, 1234 },
	{ "store_set", 1, C_STORE, 2, 1 },
	{ "store_flags", 8, C_STORE, 2, 1 },
};

/*
 * Shifts the grant by every offset around the store: inside passes, one byte out on
 * either side is caught, nothing is written then, and the original writes.
 */
static void one_store(struct unit *u, const struct store_case *c, const char *mode)
{
	static u8 *buf;
	u64 fn = rt_entry(u, c->fn), orig = mod_sym(u->m, c->fn);
	u64 where, arg[6] = { 0 };
	u32 wrong = 0, align = c->align ? c->align : 1;
	struct violation v;
	u64 ret;

	if (!buf)
		buf = map_low(8192, PROT_READ | PROT_WRITE);
	for (s32 shift = -2; shift <= 2; shift++) {
		for (u32 at = 0; at < 16; at += align) {
			bool inside = shift == 0, ok;
			u8 before[1024];

			where = (u64)buf + 1024 + at;
			memset(buf, 0, 4096);
			rt_revoke((u64)buf, 8192);
			rt_grant(where + shift, c->size);
			arg[0] = where - c->off;
			arg[1] = c->arg1;
			arg[2] = c->arg2;
			if (!strcmp(c->fn, "store_movs"))
				arg[1] = (u64)buf + 6000;
			memcpy(before, (void *)where, c->size);
			ok = rt_call(&st, fn, arg, &ret, &v);
			if (ok != inside)
				wrong++;
			if (!ok && (v.what != c->what ||
				    v.addr != (shift > 0 || (s32)c->size < -shift ?
					       where : where + c->size + shift)))
				wrong++;
			if (!ok && memcmp(before, (void *)where, c->size))
				wrong++;
			if (!ok) {
				u64 off;
				const char *n = mod_sym_at(u->m, v.va, &off);

				if (!n || strcmp(n, c->fn))
					wrong++;
			}
		}
	}
	report(!wrong, "%s: %s of %u bytes: inside passes, a byte outside is caught by name",
	       mode, c->fn, c->size);
	/* the twin: nothing stops the original */
	rt_revoke((u64)buf, 8192);
	memset(buf, 0xff, 4096);
	memset(buf + 1024, !strcmp(c->fn, "store_cmpxchg") ||
	       !strcmp(c->fn, "store_cmpxchg16b") || !strcmp(c->fn, "store_bts") ?
	       0 : !strcmp(c->fn, "store_btr32") ? 0xff : 0xa5, 64);
	arg[0] = (u64)buf + 1024 - c->off;
	arg[1] = !strcmp(c->fn, "store_movs") ? (u64)buf + 6000 : c->arg1;
	arg[2] = c->arg2;
	{
		u8 before[512];

		memcpy(before, buf + 1024, c->size);
		rt_call(&st, orig, arg, &ret, &v);
		report(memcmp(before, buf + 1024, c->size),
		       "%s: %s: the original writes there", mode, c->fn);
	}
}

static void merged(struct unit *u, const char *mode)
{
	static const u8 offs[3] = { 0, 16, 22 }, lens[3] = { 8, 4, 1 };
	u64 fn = rt_entry(u, "store_struct"), arg[6] = { 0 };
	u8 *buf = map_low(4096, PROT_READ | PROT_WRITE);
	struct violation v;
	u32 wrong = 0;

	/* holes of the structure stay forbidden and do not matter */
	rt_revoke((u64)buf, 4096);
	for (u32 at = 64; at < 80; at++) {
		for (int i = 0; i < 3; i++)
			rt_grant((u64)buf + at + offs[i], lens[i]);
		arg[0] = (u64)buf + at;
		if (!rt_call(&st, fn, arg, NULL, &v))
			wrong++;
		/* each of the three withheld: caught at its own instruction */
		for (int i = 0; i < 3; i++) {
			u64 va = 0;

			rt_revoke((u64)buf + at + offs[i] + lens[i] - 1, 1);
			if (rt_call(&st, fn, arg, NULL, &v) || v.what != C_STORE ||
			    v.addr != (u64)buf + at + offs[i] + lens[i] - 1)
				wrong++;
			if (v.va == va)
				wrong++;
			rt_grant((u64)buf + at + offs[i], lens[i]);
		}
		rt_revoke((u64)buf, 4096);
	}
	report(!wrong, "%s: stores that share a check are judged byte by byte", mode);

	/* 40(%rsp) below a push: 32 bytes above the return address, not the own frame */
	arg[0] = 0x1111111111111111ULL;
	report(rt_call(&st, rt_entry(u, "store_above"), arg, NULL, &v),
	       "%s: a store above the frame, permitted", mode);
	rt_revoke(st.top - 64, 64);
	report(!rt_call(&st, rt_entry(u, "store_above"), arg, NULL, &v) &&
	       v.what == C_STORE && v.addr == st.top - 56,
	       "%s: a store above the frame is caught", mode);
	rt_grant(st.top - 64, 64);
}

/* With reads: neither map permits, one of them does; a byte outside is caught. */
static void one_load(struct unit *u, const char *name, u32 size, u64 arg1, s32 off,
		     const char *mode)
{
	u8 *buf = map_low(4096, PROT_READ | PROT_WRITE);
	u64 fn = rt_entry(u, name), where, arg[6] = { 0 };
	struct violation v;
	u32 wrong = 0;

	for (s32 shift = -1; shift <= 1; shift++) {
		for (u32 at = 0; at < 16; at++) {
			for (u32 k = 0; k < 2; k++) {
				bool ok, inside = !shift;

				where = (u64)buf + 1024 + at;
				rt_revoke((u64)buf, 4096);
				rt_revoke_read((u64)buf, 4096);
				if (k)
					rt_grant(where + shift, size);
				else
					rt_grant_read(where + shift, size);
				arg[0] = where - off;
				arg[1] = arg1;
				ok = rt_call(&st, fn, arg, NULL, &v);
				wrong += ok != inside;
				wrong += !ok && (v.what != C_LOAD ||
					strcmp(mod_sym_at(u->m, v.va, NULL) ?: "", name) ||
					v.addr != (shift > 0 ? where :
						   where + size - 1));
			}
		}
	}
	report(!wrong, "%s: %s of %u bytes: inside passes, a byte outside is caught by name",
	       mode, name, size);
	munmap(buf, 4096);
}

static void loads(void)
{
	static const struct {
		const char *fn;
		u32 size;
		u64 arg1;
		s32 off;
	} list[] = {
		{ "load8", 1 }, { "load32", 4 }, { "load64", 8 }, { "load128", 16 },
		{ "load_cmp", 8, 3 }, { "load_push", 8 }, { "load_lods", 8 },
		{ "load_bt", 8, 3 }, { "load_bt", 8, 200, .off = 24 },
		{ "load_bt", 8, -1ULL, .off = -8 }, { "load_flags", 8, 1 },
		{ "load_movs", 37, 37 },
	};

	for (int p = 0; p < 2; p++) {
		struct unit *u = load_reads(FI_DBI_BYTE, p, true);
		const char *mode = p ? "byte,reads+poison" : "byte,reads";
		u64 ret = 0, arg[6] = { 15 };
		struct violation v;

		report(u && fi_dbi_stats(u->u)->loads_checked > 10 &&
		       !fi_dbi_stats(u->u)->refused, "%s: fixture translated", mode);
		if (!u)
			continue;
		for (u32 i = 0; i < u->m->eh->e_shnum; i++)
			if ((u->m->sh[i].sh_flags & SHF_ALLOC) && u->m->sec_va[i])
				rt_grant_read(u->m->sec_va[i], u->m->sh[i].sh_size);
		report(rt_call(&st, rt_entry(u, "recurse"), arg, &ret, &v) && ret == 610,
		       "%s: recursion", mode);
		for (u32 i = 0; i < ARRAY_SIZE(list); i++)
			one_load(u, list[i].fn, list[i].size, list[i].arg1, list[i].off,
				 mode);
		for (u32 i = 0; i < ARRAY_SIZE(stores); i++)
			if (strcmp(stores[i].fn, "store_movs"))
				one_store(u, &stores[i], mode);
		rt_free(u);
	}
}

static bool call1(struct unit *u, const char *fn, u64 a, u64 b, u64 *ret,
		  struct violation *v)
{
	u64 arg[6] = { a, b };

	return rt_call(&st, rt_entry(u, fn), arg, ret, v);
}

static bool names(struct unit *u, const struct violation *v, const char *fn)
{
	const char *n = mod_sym_at(u->m, v->va, NULL);

	return n && !strcmp(n, fn);
}

static u64 hijacked;

static void hijack(void)
{
	hijacked++;
	/* the stack is no longer what anyone thinks: end here */
	raise(SIGILL);
}

static void transfers(struct unit *u, const char *mode)
{
	u64 dbl = mod_sym(u->m, "double_it"), ret, arg[6] = { 0 };
	u64 *pointer = (u64 *)mod_sym(u->m, "pointer");
	struct violation v;
	bool ok;

	ok = call1(u, "call_pointer", 21, 0, &ret, &v) && ret == 43;
	report(ok, "%s: call through a pointer to a function of the module", mode);
	report(call1(u, "address_of_double", 0, 0, &ret, &v) && ret == dbl,
	       "%s: function addresses keep their values", mode);
	report(call1(u, "call_ops", 1, 5, &ret, &v) && ret == 16,
	       "%s: call through a table of functions", mode);
	report(call1(u, "tail_pointer", 4, 0, &ret, &v) && ret == 10,
	       "%s: tail jump through a pointer", mode);
	report(call1(u, "recurse", 15, 0, &ret, &v) && ret == 610,
	       "%s: recursion", mode);
	report(call1(u, "frame", 7, 0, &ret, &v) && ret == 7 + 3 + 7 + 15,
	       "%s: arrays in the frame", mode);
	called = 0;
	report(call1(u, "call_host", 99, 0, &ret, &v) && called == 99,
	       "%s: call of an import", mode);
	report(call1(u, "tail_host", 98, 0, &ret, &v) && called == 98,
	       "%s: tail call of an import", mode);

	/* corrupted pointers */
	*pointer = dbl + 3;
	ok = call1(u, "call_pointer", 21, 0, &ret, &v);
	report(!ok && v.what == C_ICALL && v.addr == dbl + 3 &&
	       names(u, &v, "call_pointer"),
	       "%s: call into the middle of a function is caught by name", mode);
	*pointer = dbl + 16 * 1000;
	ok = call1(u, "tail_pointer", 21, 0, &ret, &v);
	report(!ok && v.what == C_ICALL && v.addr == dbl + 16000,
	       "%s: jump to what is no function is caught", mode);
	*pointer = mod_sym(u->m, "store8");
	ok = call1(u, "call_pointer", 21, 0, &ret, &v);
	report(!ok && v.what == C_ICALL,
	       "%s: call of a function whose address nobody took is caught", mode);
	*pointer = (u64)hijack;
	ok = call1(u, "call_pointer", 21, 0, &ret, &v);
	report(!ok && v.what == C_ICALL && v.addr == (u64)hijack && !hijacked,
	       "%s: call of a foreign function is caught", mode);
	rt_call(&st, mod_sym(u->m, "call_pointer"), arg, &ret, &v);
	report(hijacked == 1, "%s: the original calls it", mode);
	hijacked = 0;
	*pointer = dbl;

	/* return addresses */
	arg[0] = (u64)hijack;
	ok = call1(u, "smash", (u64)hijack, 0, &ret, &v);
	report(!ok && v.what == C_RET && v.addr == (u64)hijack && !hijacked &&
	       names(u, &v, "smash"),
	       "%s: an overwritten return address is caught by name", mode);
	ok = call1(u, "tail_smash", (u64)hijack, 0, &ret, &v);
	report(!ok && v.what == C_RET && !hijacked,
	       "%s: also before a tail call or a return after one", mode);
	rt_call(&st, mod_sym(u->m, "smash"), arg, &ret, &v);
	report(hijacked == 1, "%s: the original returns there", mode);
	hijacked = 0;
}

static void traps(struct unit *u, const char *mode)
{
	struct violation v;
	u64 ret;

	report(!call1(u, "divide", 1, 0, &ret, &v) && v.what == C_SIGNAL &&
	       v.sig == SIGFPE && names(u, &v, "divide"),
	       "%s: a fault maps back to its instruction", mode);
	report(!call1(u, "load", 16, 0, &ret, &v) && v.what == C_SIGNAL &&
	       v.addr == 16 && names(u, &v, "load"),
	       "%s: so does a wild load", mode);
	report(!call1(u, "bug", 0, 0, &ret, &v) && v.what == C_SIGNAL &&
	       v.sig == SIGILL && names(u, &v, "bug"), "%s: and ud2", mode);
	report(!call1(u, "halt", 0, 0, &ret, &v) && v.what == C_TRAP &&
	       v.addr == FI_SENS_HALT, "%s: hlt is refused by name", mode);
	report(call1(u, "block_array", 0, 0, &ret, &v) && !ret,
	       "%s: a stack pointer that was saved may be loaded", mode);
	report(!call1(u, "block_array", 1 << 16, 0, &ret, &v) && v.what == C_TRAP &&
	       v.addr == FI_SENS_RSP && names(u, &v, "block_array"),
	       "%s: one that is far away is caught", mode);
	report(!call1(u, "block_array", -128, 0, &ret, &v) && v.what == C_TRAP,
	       "%s: so is one below", mode);
	report(!call1(u, "write_cr", 0, 0, &ret, &v) && v.what == C_TRAP &&
	       v.addr == FI_SENS_CR, "%s: a control register is refused", mode);
	report(!call1(u, "set_df", 0, 0, &ret, &v) && v.what == C_TRAP &&
	       v.addr == FI_SENS_DIRECTION, "%s: std is refused", mode);
	report(!call1(u, "port", 0x1f7, 1, &ret, &v) && v.what == C_PORT &&
	       v.addr == 0x1f7, "%s: a port in dx is asked for", mode);
	report(!call1(u, "port_imm", 1, 0, &ret, &v) && v.what == C_PORT &&
	       v.addr == 0x80, "%s: an immediate port is asked for", mode);
}

/* How often a permitted store of eight bytes asks; -1: it was not permitted. */
static int asks(bool always)
{
	struct load_options o = { .finalize = true, .host_symbol = symbols };
	u8 *buf = map_low(4096, PROT_READ | PROT_WRITE | PROT_EXEC), *to = buf + 1024;
	const void *target = fi_dbi_full_store;
	struct fi_dbi_config c;
	struct violation v;
	struct unit *u;
	u64 ret, before;
	int n = -1;

	rt_config(&c, FI_DBI_BYTE);
	/* every question is to be counted: jmp *0(%rip) */
	memcpy(buf, "\xff\x25\0\0\0\0", 6);
	memcpy(buf + 6, &target, sizeof(target));
	c.slow_store = (u64)buf;
	c.ask_always = always;
	u = rt_translate(mod_load(opt.fixture, &o), &c);
	if (!u)
		return -1;
	rt_grant((u64)to, 64);
	before = rt_slow_calls;
	if (call1(u, "store64", (u64)to, 1, &ret, &v))
		n = rt_slow_calls - before;
	rt_revoke((u64)to, 64);
	rt_free(u);
	munmap(buf, 4096);
	return n;
}

/* What a policy lets a driver go on without. */
static void skips(void)
{
	struct load_options o = { .finalize = true, .host_symbol = symbols };
	struct fi_dbi_config c;
	struct violation v;
	struct unit *u;
	u64 ret;

	rt_config(&c, FI_DBI_BYTE);
	c.verdict[FI_SENS_HALT] = FI_DBI_SKIP;
	c.verdict[FI_SENS_CR] = FI_DBI_SKIP;
	u = rt_translate(mod_load(opt.fixture, &o), &c);
	report(u, "skip: fixture translated");
	if (!u)
		return;
	rt_skip_ports = true;
	report(call1(u, "halt", 0, 0, &ret, &v), "skip: hlt");
	report(call1(u, "write_cr", 0, 0, &ret, &v), "skip: a control register");
	report(call1(u, "port", 0x1f7, 1, &ret, &v), "skip: a port in dx");
	report(call1(u, "port_imm", 1, 0, &ret, &v), "skip: an immediate port");
	report(call1(u, "read_port", 0x1234500, 0x1f7, &ret, &v) && ret == 0x12345ff,
	       "skip: a port reads as ones");
	report(!call1(u, "set_df", 0, 0, &ret, &v) && v.what == C_TRAP,
	       "skip: std is refused all the same");
	rt_skip_ports = false;
	rt_free(u);
}

/* Segments: the lower 4 GiB are the domain's, the rest is not. */
static void segments(struct unit *u, const char *mode, bool sandbox)
{
	u8 *out = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *in = map_low(4096, PROT_READ | PROT_WRITE);
	u32 wrong = 0, i;

	for (i = 0; i < ARRAY_SIZE(stores); i++) {
		const struct store_case *c = &stores[i];
		u64 arg[6] = { (u64)in + 1024 - c->off, c->arg1, c->arg2 };
		struct violation v;
		bool ok;
		u64 ret;

		if (!strcmp(c->fn, "store_movs"))
			arg[1] = (u64)in;
		if (!rt_call(&st, rt_entry(u, c->fn), arg, &ret, &v))
			wrong++;
		memset(out, 0, 4096);
		arg[0] = (u64)out + 1024 - c->off;
		ok = rt_call(&st, rt_entry(u, c->fn), arg, &ret, &v);
		if (ok && !sandbox)
			wrong++;
		for (u32 k = 0; k < 4096; k++)
			wrong += out[k] != 0;
		if (wrong)
			fprintf(stderr, "%s %s: %u wrong (%d)\n", mode, c->fn, wrong, v.what);
	}
	report(!wrong, sandbox ?
	       "%s: no store leaves the segment, whatever its address" :
	       "%s: stores inside the segment pass, outside they are caught", mode);
	munmap(out, 4096);
}

void suite_violations(void)
{
	static const char * const names_of[] = { "none", "byte", "segment", "sandbox" };
	u32 i;

	if (!st.top)
		rt_stack(&st);
	for (int p = 0; p < 2; p++) {
		for (int checks = 0; checks < 4; checks++) {
			struct unit *u = load(checks, p);
			char mode[32];

			snprintf(mode, sizeof(mode), "%s%s", names_of[checks],
				 p ? "+poison" : "");
			report(u && !fi_dbi_stats(u->u)->refused,
			       "%s: fixture translated", mode);
			if (!u)
				continue;
			transfers(u, mode);
			traps(u, mode);
			if (checks == FI_DBI_BYTE) {
				for (i = 0; i < ARRAY_SIZE(stores); i++)
					one_store(u, &stores[i], mode);
				merged(u, mode);
			} else if (checks != FI_DBI_NONE) {
				segments(u, mode, checks == FI_DBI_SANDBOX);
			}
			rt_free(u);
		}
	}
	skips();
	report(asks(false) == 0 && asks(true) == 1,
	       "count: a permitted store asks once, if all have to");
	loads();
}
