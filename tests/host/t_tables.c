// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address maps at every instruction, and the module's address-keyed tables rewritten.
 */

#include <sys/mman.h>

#include "internal.h"
#include "test.h"

static struct stack st;

static struct unit *load(const char *path, bool finalize)
{
	struct load_options o = { .finalize = finalize, .host_symbol = rt_host_symbol };
	struct fi_dbi_config c;

	rt_config(&c, FI_DBI_BYTE);
	return path ? rt_translate(mod_load(path, &o), &c) : NULL;
}

struct count {
	u32 insns, untranslated, wrong_back, wrong_bytes, orphans;
};

/* Left out of the translation, so that the next one stands in its place. */
static bool emits_nothing(struct unit *u, const struct fi_insn *in)
{
	const struct import *im = mod_import_at(u->m, in->target);

	return in->kind == FI_I_NOP || in->kind == FI_I_JMP ||
	       (in->kind == FI_I_CALL && im && im->t.kind == FI_DBI_T_FENTRY);
}

/* Every reachable instruction of @f, by what the engine itself decoded. */
static void one_function(struct unit *u, struct fi_dbi_unit *fake,
			 const struct fi_dbi_func *f, struct count *n)
{
	const struct fi_dbi_text *t = &u->m->text[f->va >= u->m->text[1].va &&
		f->va < u->m->text[1].va + u->m->text[1].size];
	const u8 *b = t->bytes + (f->va - t->va);

	for (u32 off = 0; off < f->size;) {
		u64 at = fi_dbi_to_cache(u->u, f->va + off);
		struct fi_insn in;
		u32 len = fi_decode_anew(fake, b + off, f->size - off, f->va + off, &in, NULL);

		if (!len)
			return;
		n->insns++;
		if (!at) {
			n->untranslated++;	/* padding, or code nothing reaches */
		} else {
			if (fi_dbi_to_orig(u->u, at) != f->va + off &&
			    !emits_nothing(u, &in)) {
				n->wrong_back++;
				if (getenv("FIDBI_VERBOSE"))
					fprintf(stderr, "%s+%x kind %d\n", f->name, off, in.kind);
			}
			if (in.kind == FI_I_PLAIN && !in.mem.rip && !in.sens &&
			    memcmp((void *)at, b + off, len))
				n->wrong_bytes++;
		}
		off += len;
	}
}

static void maps(const char *name)
{
	struct unit *u = load(find_module(name), true);
	struct fi_dbi_unit fake = { 0 };
	struct count n = { 0 };

	if (!u) {
		report(false, "tables %s: not loaded", name);
		return;
	}
	fake.cfg = &u->cfg;
	fake.dec = calloc(1, fi_decode_scratch());
	fi_decode_init(fake.dec);
	for (u32 i = 0; i < u->m->nr_funcs; i++) {
		u64 va = 0;
		u32 len = fi_dbi_fragment(u->u, i, &va);

		if (len)
			one_function(u, &fake, &u->m->func[i], &n);
		for (u64 a = va; a < va + len; a++)
			n.orphans += !fi_dbi_to_orig(u->u, a);
	}
	report(n.insns > 1000 && !n.wrong_back && !n.wrong_bytes && !n.orphans &&
	       n.untranslated < n.insns / 5,
	       "tables %s: %u instructions map both ways, %u not reached (%u, %u, %u wrong)",
	       name, n.insns, n.untranslated, n.wrong_back, n.wrong_bytes, n.orphans);
	report(!fi_dbi_to_orig(u->u, u->m->arena + 8) &&
	       !fi_dbi_to_orig(u->u, u->m->text[0].va) &&
	       !fi_dbi_to_cache(u->u, u->m->data) &&
	       !fi_dbi_to_cache(u->u, u->m->text[0].va + 1 + (rnd() & 0)),
	       "tables %s: addresses of neither kind map to nothing", name);
	free(fake.dec);
	rt_free(u);
}

struct table {
	const char *section;
	u32 size;
	bool (*rewrite)(struct unit *u, u64 va, s32 *e);
	bool (*right)(const u8 *site);
};

static bool rw_ex(struct unit *u, u64 va, s32 *e)
{
	return fi_dbi_rewrite_extable(u->u, va, &e[0], &e[1]);
}

static bool rw_bug(struct unit *u, u64 va, s32 *e)
{
	return fi_dbi_rewrite_bug(u->u, va, &e[0]);
}

static bool rw_jump(struct unit *u, u64 va, s32 *e)
{
	return fi_dbi_rewrite_jump(u->u, va, &e[0], &e[1]);
}

static bool rw_scall(struct unit *u, u64 va, s32 *e)
{
	return fi_dbi_rewrite_static_call(u->u, va, &e[0]);
}

static bool any(const u8 *b)
{
	return b;
}

static bool is_ud(const u8 *b)
{
	return b[0] == 0x0f && (b[1] == 0x0b || b[1] == 0xb9 || b[1] == 0xff);
}

static bool is_label(const u8 *b)
{
	return b[0] == 0xe9 || !memcmp(b, "\x0f\x1f\x44\x00\x00", 5);
}

static bool is_call(const u8 *b)
{
	return b[0] == 0xe8 || b[0] == 0xe9 || b[0] == 0x0f;
}

static const struct table tables[] = {
	{ "__ex_table", 12, rw_ex, any },
	{ "__bug_table", 12, rw_bug, is_ud },
	{ "__jump_table", 16, rw_jump, is_label },
	{ ".static_call_sites", 8, rw_scall, is_call },
};

static void rewrite(const char *name)
{
	struct unit *u = load(find_module(name), true);

	for (u32 t = 0; u && t < ARRAY_SIZE(tables); t++) {
		u32 idx, done = 0, wrong = 0, refused = 0;
		Elf64_Shdr *s = mod_section(u->m, tables[t].section, &idx);

		for (u64 k = 0; s && k < s->sh_size / tables[t].size; k++) {
			u64 va = u->m->sec_va[idx] + k * tables[t].size;
			s32 *e = (s32 *)va, before[2] = { e[0], e[1] };
			u64 orig = va + (s64)e[0];

			if (!tables[t].rewrite(u, va, e)) {
				/* code that cannot be reached keeps its entry */
				refused++;
				wrong += e[0] != before[0] || e[1] != before[1] ||
					 fi_dbi_to_cache(u->u, orig);
				continue;
			}
			done++;
			wrong += va + (s64)e[0] != fi_dbi_to_cache(u->u, orig) ||
				 !tables[t].right((u8 *)va + e[0]);
		}
		if (s)
			report(done && !wrong && refused <= done / (strcmp(name, "kvm") ? 10 : 2),
			       "tables %s %s: %u entries rewritten, %u unreachable",
			       name, tables[t].section, done, refused);
	}
	if (u) {
		s32 e[2] = { 0x1000, 4 }, save[2] = { 0x1000, 4 };

		report(!fi_dbi_rewrite_extable(u->u, u->m->data, &e[0], &e[1]) &&
		       !memcmp(e, save, sizeof(e)),
		       "tables %s: an entry for no code is refused and kept", name);
	} else {
		report(false, "tables %s: not loaded", name);
	}
	rt_free(u);
}

static void orc(void)
{
	struct unit *u = load(find_module("e1000"), true);
	struct fi_dbi_orc in[64], out[4096];
	u32 n = 0, k, wrong = 0;

	if (!u)
		return;
	for (u32 i = 0; i < u->m->nr_funcs && n < 64; i++) {
		in[n].ip = u->m->func[i].va;
		in[n].entry = 0x100 + n;
		n++;
	}
	k = fi_dbi_rewrite_orc(u->u, in, n, out, 4096);
	for (u32 i = 0; i < k; i++) {
		u64 orig = fi_dbi_to_orig(u->u, out[i].ip);
		u32 want = 0;

		for (u32 j = 0; j < n; j++)
			if (in[j].ip <= orig)
				want = in[j].entry;
		wrong += out[i].entry != want || (i && out[i].ip <= out[i - 1].ip);
	}
	report(k >= n / 2 && !wrong, "tables: %u ORC entries become %u, sorted", n, k);
	rt_free(u);
}

static u64 demo_calls;

static u64 demo(u64 x)
{
	demo_calls++;
	return x * 3;
}

static u64 demo_symbol(const char *name)
{
	return strcmp(name, "__SCT__demo") ? rt_host_symbol(name) : (u64)demo;
}

/* Which static-call site's entry belongs to @fn, rewritten: its cache address, or 0. */
static u8 *site_of(struct unit *u, const char *fn)
{
	u64 va = mod_sym(u->m, fn);
	u32 idx;
	Elf64_Shdr *s = mod_section(u->m, ".static_call_sites", &idx);

	for (u64 k = 0; s && k < s->sh_size / 8; k++) {
		s32 *e = (s32 *)(u->m->sec_va[idx] + 8 * k);
		u64 at = (u64)e + (s64)e[0];

		if (at >= va && at < va + 64 && rw_scall(u, (u64)e, e))
			return (u8 *)e + e[0];
	}
	return NULL;
}

/* Tail calls through static calls: the branch itself is the site, the check before it. */
static void tail_sites(void)
{
	struct load_options o = { .finalize = true, .host_symbol = demo_symbol };
	struct fi_dbi_config c;
	struct unit *u;
	struct violation v;
	u64 arg[6] = { 6, 0 }, r = 0, to;
	u8 *site, keep[6];
	s32 d;

	rt_config(&c, FI_DBI_BYTE);
	u = rt_translate(mod_load(opt.fixture, &o), &c);
	if (!u) {
		report(false, "tables: fixture");
		return;
	}
	report(rt_call(&st, rt_entry(u, "tail_site"), arg, &r, &v) && r == 21,
	       "tables: a static tail call");
	site = site_of(u, "tail_site");
	report(site && site[0] == 0xe9, "tables: its site is the jump itself");
	/* what the kernel pokes there when the function is NULL */
	memcpy(keep, site, 5);
	memcpy(site, "\xc3\xcc\xcc\xcc\xcc", 5);
	demo_calls = 0;
	report(rt_call(&st, rt_entry(u, "tail_site"), arg, &r, &v) && !demo_calls,
	       "tables: poked to a return, it returns");
	to = fi_dbi_entry(u->u, mod_sym(u->m, "leaf"));
	d = (s32)(to - ((u64)site + 5));
	site[0] = 0xe9;
	memcpy(site + 1, &d, 4);
	report(rt_call(&st, rt_entry(u, "tail_site"), arg, &r, &v) &&
	       r == 7 + 0x11223344, "tables: poked to another function, it goes there");
	memcpy(site, keep, 5);
	arg[0] = 0;
	demo_calls = 0;
	report(rt_call(&st, rt_entry(u, "cond_site"), arg, &r, &v) && demo_calls == 1,
	       "tables: a conditional one, taken");
	arg[0] = 5;
	report(rt_call(&st, rt_entry(u, "cond_site"), arg, &r, &v) && r == 7 &&
	       demo_calls == 1, "tables: and not taken");
	site = site_of(u, "cond_site");
	report(site && site[0] == 0x0f && site[1] == 0x84,
	       "tables: its site is the branch itself");
	arg[0] = (u64)demo;
	report(!rt_call(&st, rt_entry(u, "smash_site"), arg, &r, &v) && v.what == C_RET,
	       "tables: the return address is checked before a static tail call");
	report(!rt_call(&st, rt_entry(u, "smash_cond"), arg, &r, &v) && v.what == C_RET,
	       "tables: and before a conditional one");
	arg[0] = 7;
	report(rt_call(&st, rt_entry(u, "two_entries"), arg, &r, &v) && r == 112 &&
	       rt_call(&st, rt_entry(u, "second_entry"), arg, &r, &v) && r == 12,
	       "tables: assembly with two entries that runs from one into the other");
	rt_free(u);
}

/* A static key flipped by what the kernel would write, and a fixup taken. */
static void live_sites(void)
{
	struct unit *u = load(opt.fixture, true);
	u32 idx = 0;
	struct violation v;
	u64 arg[6] = { 5 }, a = 0, b = 0, c = 0, fn;
	u8 *site;
	s32 *e, d;

	if (!u || !mod_section(u->m, "__jump_table", &idx)) {
		report(false, "tables: fixture");
		return;
	}
	e = (s32 *)u->m->sec_va[idx];
	fn = rt_entry(u, "keyed");
	rt_call(&st, fn, arg, &a, &v);
	report(rw_jump(u, (u64)e, e), "tables: the static key's entry is rewritten");
	site = (u8 *)e + e[0];
	d = (s32)((u64)(e + 1) + (s64)e[1] - ((u64)site + 5));
	site[0] = 0xe9;
	memcpy(site + 1, &d, 4);
	rt_call(&st, fn, arg, &b, &v);
	memcpy(site, "\x0f\x1f\x44\x00\x00", 5);
	rt_call(&st, fn, arg, &c, &v);
	report(a == 6 && b == 105 && c == 6,
	       "tables: a static key is switched on and off in the cache");

	mod_section(u->m, "__ex_table", &idx);
	e = (s32 *)u->m->sec_va[idx];
	arg[0] = 8;
	fn = rt_entry(u, "load_safe");
	report(!rt_call(&st, fn, arg, &a, &v) && v.what == C_SIGNAL,
	       "tables: without the table, the load faults");
	report(rw_ex(u, (u64)e, e), "tables: the fixup's entry is rewritten");
	rt_fixup_from = (u64)e + e[0];
	rt_fixup_to = (u64)(e + 1) + e[1];
	report(rt_call(&st, fn, arg, &a, &v) && a == 0xbad,
	       "tables: with it, the fixup in the cache runs");
	rt_fixup_from = 0;
	arg[0] = (u64)&idx;
	report(rt_call(&st, fn, arg, &a, &v) && (u32)a == idx,
	       "tables: and a good load is as before");
	rt_free(u);
}

void suite_tables(void)
{
	rt_stack(&st);
	maps("e1000");
	maps("8139too");
	maps("snd-ens1370");
	maps("usbcore");
	rewrite("mac80211");
	rewrite("kvm");
	rewrite("virtio_net");
	orc();
	live_sites();
	tail_sites();
}
