// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules linked where the kernel has them, in the top 2 GiB, and translated for there:
 * nothing is run, but every instruction of the cache is decoded again and must name what
 * its original does. Thunks, IBT and alternatives are on as the kernel may have them.
 */

#include "internal.h"
#include "test.h"

#define RUN_AT	0xffffffffc0300000ULL
#define HELPERS	0xffffffff81234000ULL

struct census {
	u32 insns, rip, gs, calls, own_calls, thunks, rets, sites, endbrs;
	u32 wrong;
};

struct place {
	struct mod *m;
	struct fi_dbi_unit *u;
	struct fi_dbi_config cfg;
	struct fi_dbi_env env;
	struct fi_dbi_unit fake;	/* for its decoder */
	u64 va;
};

/* The bytes that stand at cache address @at. */
static const u8 *cached(const struct place *p, u64 at)
{
	return (const u8 *)(p->m->arena + (at - p->va));
}

static void kernel_config(struct fi_dbi_config *c, bool mitigations)
{
	fi_dbi_config_default(c);
	c->shadow = 0x8040;
	c->ibt = true;
	c->slow_store = HELPERS;
	c->slow_range = HELPERS + 0x100;
	c->slow_icall = HELPERS + 0x200;
	c->slow_ret = HELPERS + 0x300;
	c->slow_trap = HELPERS + 0x400;
	c->slow_port = HELPERS + 0x500;
	if (mitigations) {
		c->ret_thunk = HELPERS + 0x600;
		c->ind_thunk = HELPERS + 0x700;
	}
}

static bool complain(const struct place *p, u64 va, const char *what)
{
	if (getenv("FIDBI_VERBOSE"))
		fprintf(stderr, "%s+%llx: %s\n", p->m->name, va - p->m->text[0].va, what);
	return false;
}

/* Where a direct call of the original has to go in the cache. */
static u64 call_target(const struct place *p, const struct fi_insn *in)
{
	u64 own = fi_dbi_entry(p->u, in->target);
	const struct import *im = mod_import_at(p->m, in->target - p->m->bias);

	return own ? own : im ? im->t.to + p->m->bias : 0;
}

static bool call_right(struct place *p, const struct fi_insn *in, u64 at,
		       struct census *n)
{
	const struct import *im = mod_import_at(p->m, in->target - p->m->bias);
	struct fi_insn c;

	if (im && im->t.kind == FI_DBI_T_FENTRY)
		return true;	/* left out */
	if (im && im->t.kind == FI_DBI_T_THUNK) {
		n->thunks++;
		return true;	/* an indirect call through the table */
	}
	n->calls++;
	n->own_calls += !im;
	return fi_decode_anew(&p->fake, cached(p, at), 15, at, &c, NULL) == 5 &&
	       c.kind == FI_I_CALL && c.target == call_target(p, in);
}

/* What is copied is the same instruction, and names the same places. */
static bool copy_right(struct place *p, const struct fi_insn *in, const u8 *bytes,
		       u64 at, struct census *n)
{
	const u8 *b = cached(p, at);
	struct fi_insn c;

	if (fi_decode_anew(&p->fake, b, 15, at, &c, NULL) != in->len)
		return false;
	n->rip += in->mem.rip;
	n->gs += in->mem.gs;
	if (in->mem.rip)
		return c.mem.rip && c.mem.abs == in->mem.abs &&
		       !memcmp(b, bytes, in->disp_off);
	return !memcmp(b, bytes, in->len);
}

static void one_insn(struct place *p, const struct fi_insn *in, const u8 *bytes,
		     struct census *n)
{
	u64 at = fi_dbi_to_cache(p->u, in->va);
	bool ok = true;

	if (!at)
		return;		/* not reached */
	n->insns++;
	/* rsp from an unknown place becomes a trap */
	if (in->kind == FI_I_PLAIN && !in->sens && in->spop != FI_SP_OTHER &&
	    !fi_unit_edge(p->u, in->va))
		ok = copy_right(p, in, bytes, at, n);
	else if (in->kind == FI_I_CALL)
		ok = call_right(p, in, at, n);
	if (fi_dbi_to_orig(p->u, at) == 0)
		ok = complain(p, in->va, "not mapped back");
	if (!ok) {
		n->wrong++;
		if (getenv("FIDBI_VERBOSE"))
			fprintf(stderr, "%s+%llx differs, kind %u, at %llx, bytes %02x %02x %02x %02x %02x, %02x %02x %02x %02x %02x\n",
				p->m->name, in->va - p->m->text[0].va, in->kind, at,
				bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
				cached(p, at)[0], cached(p, at)[1], cached(p, at)[2],
				cached(p, at)[3], cached(p, at)[4]);
	}
}

static void originals(struct place *p, struct census *n)
{
	for (u32 i = 0; i < p->m->nr_funcs; i++) {
		const struct fi_dbi_func *f = &p->m->func[i];
		int t = fi_unit_text(p->u, f->va);
		const u8 *b = p->m->text[t].bytes + (f->va - p->m->text[t].va);

		if (fi_dbi_refusal(p->u, i, NULL))
			continue;
		for (u32 off = 0; off < f->size;) {
			struct fi_insn in;
			u32 len = fi_decode_anew(&p->fake, b + off, f->size - off,
					    f->va + off, &in, NULL);

			if (!len)
				break;
			one_insn(p, &in, b + off, n);
			off += len;
		}
	}
}

static bool known_exit(const struct place *p, u64 to)
{
	u64 off = to - p->m->bias;

	if (to >= p->va && to < p->va + fi_dbi_arena_used(p->u))
		return true;
	if (mod_import_at(p->m, off))
		return true;
	return to >= HELPERS && to <= HELPERS + 0x700 && !(to & 0xff);
}

/* push $site; call helper: the immediate is an address of the arena */
static void site_right(struct place *p, u64 at, struct census *n)
{
	const u8 *b = cached(p, at);
	struct fi_insn in;
	u64 site;
	s32 imm;

	memcpy(&imm, b + 1, 4);
	site = (s64)imm;
	if (fi_decode_anew(&p->fake, b + 5, 15, at + 5, &in, NULL) != 5 ||
	    in.target - HELPERS > 0x500)
		return;		/* an argument of the driver's own */
	n->sites++;
	if (site - p->va < p->m->arena_size)
		return;
	n->wrong++;
	complain(p, fi_dbi_to_orig(p->u, at), "site out of the arena");
}

/* Every branch of the fragments goes to the cache, an import or a helper. */
static void fragments(struct place *p, struct census *n)
{
	for (u32 i = 0; i < p->m->nr_funcs; i++) {
		u64 va = 0, at;
		u32 len = fi_dbi_fragment(p->u, i, &va), k;
		struct fi_insn in;

		n->endbrs += len && fi_dbi_entry(p->u, p->m->func[i].va) &&
			     !memcmp(cached(p, fi_dbi_entry(p->u, p->m->func[i].va)),
				     "\xf3\x0f\x1e\xfa", 4);
		for (at = va; at < va + len; at += k) {
			const u8 *b = cached(p, at);

			k = fi_decode_anew(&p->fake, b, 15, at, &in, NULL);
			if (!k) {
				n->wrong++;
				complain(p, p->m->func[i].va, "no instruction");
				break;
			}
			if (b[0] == 0x68)
				site_right(p, at, n);
			if (in.kind == FI_I_RET)
				n->rets++;
			if (in.target && !known_exit(p, in.target)) {
				n->wrong++;
				complain(p, fi_dbi_to_orig(p->u, at), "goes elsewhere");
			}
		}
	}
}

static bool open_place(struct place *p, const char *name, bool mitigations)
{
	struct load_options o = {
		.finalize = !mitigations, .run_at = RUN_AT, .all_features = true,
	};
	const char *path = find_module(name);
	struct fi_dbi_input in;

	memset(p, 0, sizeof(*p));
	p->m = path ? mod_load(path, &o) : NULL;
	if (!p->m)
		return false;
	kernel_config(&p->cfg, mitigations);
	p->env = mod_env(p->m);
	p->va = p->m->arena + p->m->bias;
	p->fake.cfg = &p->cfg;
	p->fake.dec = calloc(1, fi_decode_scratch());
	fi_decode_init(p->fake.dec);
	in = mod_input(p->m, &p->env, &p->cfg);
	return !fi_dbi_create(&p->u, &in) &&
	       !fi_dbi_translate(p->u, p->va, (u8 *)p->m->arena, p->m->arena_size);
}

static void close_place(struct place *p)
{
	if (p->u)
		fi_dbi_destroy(p->u);
	free(p->fake.dec);
	mod_free(p->m);
}

static void one(const char *name, bool mitigations)
{
	struct census n = { 0 };
	struct place p;

	if (!open_place(&p, name, mitigations)) {
		report(false, "kernel %s: not translated", name);
		close_place(&p);
		return;
	}
	originals(&p, &n);
	fragments(&p, &n);
	report(!n.wrong && n.insns > 1000 && n.rip > 10 && n.calls > 50 && n.sites > 100 &&
	       n.endbrs > 10 && (mitigations ? !n.rets : n.rets > 10),
	       "kernel %s%s: %u instructions, %u rip, %u gs, %u calls (%u own, %u thunks), %u sites, %u endbr, %u ret: %u wrong",
	       name, mitigations ? ", thunks" : "", n.insns, n.rip, n.gs, n.calls,
	       n.own_calls, n.thunks, n.sites, n.endbrs, n.rets, n.wrong);
	close_place(&p);
}

void suite_kernel(void)
{
	static const char * const list[] = {
		"e1000", "r8169", "virtio_net", "snd-hda-intel", "mac80211", "xfs", "kvm",
		"nvme",
	};

	for (u32 i = 0; i < ARRAY_SIZE(list); i++) {
		one(list[i], false);
		one(list[i], true);
	}
}
