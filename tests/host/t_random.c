// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random instruction sequences, original against translated, on the real CPU.
 *
 * The instructions are drawn from real modules, so each form appears as often as it
 * does there. Registers, flags, memory and fault addresses are compared; with holes in
 * the permission map also that what must not be written is not.
 */

#define _GNU_SOURCE
#include <sys/mman.h>

#include "internal.h"
#include "pool.h"
#include "test.h"

#define BUF_SIZE	4096
#define FRAME		0x140
#define MAX_INSNS	40
#define MAX_STATES	40

static u8 *buf;		/* what the sequences work on */
static struct stack st;
static struct mod synth;

/* One sequence */

struct seq {
	u8 *p;			/* where the next byte goes */
	u32 n;
	u8 undef;
	bool abi;
	struct { u8 *field; bool wide; u32 to; u8 undef; } br[MAX_INSNS];
	u32 nr_br;
};

static void put(struct seq *q, const void *b, u32 n)
{
	memcpy(q->p, b, n);
	q->p += n;
}

static void mov_imm(struct seq *q, u8 reg, u32 v)
{
	u8 t[6];
	u32 n = 0;

	if (reg >= 8)
		t[n++] = 0x41;
	t[n++] = 0xb8 | (reg & 7);
	memcpy(t + n, &v, 4);
	put(q, t, n + 4);
}

static u32 somewhere(void)
{
	/* mostly inside, sometimes across the edge or nowhere */
	u32 r = rnd() % 64;

	if (r == 0)
		return 0x10;
	if (r == 1)
		return (u32)(u64)buf - 4;
	return (u32)(u64)buf + 1024 + rnd() % (BUF_SIZE - 2048);
}

static void put_sample(struct seq *q, const struct sample *s)
{
	u8 b[15];

	memcpy(b, s->bytes, s->len);
	if (s->string) {
		mov_imm(q, FI_RDI, somewhere());
		mov_imm(q, FI_RSI, somewhere());
		if (s->rep)
			mov_imm(q, FI_RCX, rnd() % 24);
	} else if (s->mem) {
		if (!s->rsp && rnd() % 16)
			mov_imm(q, s->base, somewhere());
		if (s->index != FI_NOREG && s->index != s->base && rnd() % 32)
			mov_imm(q, s->index, rnd() % 16);
		if (s->bit != FI_NOREG && s->bit != s->base && s->bit != s->index)
			mov_imm(q, s->bit, rnd() % (s->rsp ? 512 : 2048));
		/* displacements within what surrounds the buffer, or the frame */
		if (s->disp_len == 4) {
			s32 d = s->rsp ? (s32)(rnd() % 31 * 8) :
				(s32)(rnd() % 512) - 256;

			memcpy(b + s->disp_off, &d, 4);
		} else if (s->disp_len == 1 && s->rsp) {
			b[s->disp_off] = rnd() % 127;
		}
	} else if (s->div && rnd() % 8) {
		mov_imm(q, FI_RDX, 0);
	}
	put(q, b, s->len);
	q->undef = (q->undef & ~s->modified) | s->undefined;
}

/* Short form, patched when its target is known. */
static void put_branch(struct seq *q, u32 i, u32 insns)
{
	static const u8 uses[8] = {
		FI_OF, FI_CF, FI_ZF, FI_CF | FI_ZF, FI_SF, FI_PF, FI_SF | FI_OF,
		FI_ZF | FI_SF | FI_OF,
	};
	u32 cc = rnd() & 15;
	bool jrcxz = rnd() % 16 == 0;
	u8 t[6] = { 0x0f, 0x80 | cc };

	if (i + 1 >= insns || q->nr_br == MAX_INSNS)
		return;
	if (!jrcxz && (uses[cc >> 1] & q->undef))
		return;
	q->br[q->nr_br].wide = !jrcxz;
	if (jrcxz) {
		t[0] = 0xe3;
		t[1] = 0;
		/* a long way is out of its reach */
		q->br[q->nr_br].to = i + 1;
		put(q, t, 2);
		q->br[q->nr_br].field = q->p - 1;
	} else {
		q->br[q->nr_br].to = i + 1 + rnd() % min(insns - i, 10u);
		put(q, t, 6);
		q->br[q->nr_br].field = q->p - 4;
	}
	q->br[q->nr_br++].undef = q->undef;
}

static void land(struct seq *q, u32 i)
{
	for (u32 k = 0; k < q->nr_br; k++) {
		s32 d = q->p - q->br[k].field - (q->br[k].wide ? 4 : 1);

		if (q->br[k].to != i)
			continue;
		q->undef |= q->br[k].undef;
		if (q->br[k].wide)
			memcpy(q->br[k].field, &d, 4);
		else
			*q->br[k].field = d;
	}
}

/* A block that branches to itself and stores upward. */
static void put_loop(struct seq *q)
{
	static const u8 regs[] = { FI_RAX, FI_RDX, FI_RBX, FI_RSI, FI_RDI };
	u8 p = regs[rnd() % 5], c = FI_RCX, t[4], *top;

	mov_imm(q, p, somewhere());
	mov_imm(q, c, 1 + rnd() % 30);
	top = q->p;
	for (u32 k = 1 + rnd() % 3; k; k--) {
		/* movb, movw, movl, movq of some register, disp8 */
		u32 size = rnd() % 4, n = 0;

		if (size == 1)
			t[n++] = 0x66;
		if (size == 3)
			t[n++] = 0x48;
		t[n++] = size ? 0x89 : 0x88;
		t[n++] = 0x40 | (rnd() & 3) << 3 | p;
		put(q, t, n);
		t[0] = rnd() % 48;
		put(q, t, 1);
	}
	put(q, (u8[]){ 0x48, 0x83, 0xc0 | p, 1 + rnd() % 40 }, 4);
	put(q, (u8[]){ 0x48, 0x83, 0xe8 | c, 1 }, 4);
	t[0] = 0x75;
	t[1] = top - (q->p + 2);
	put(q, t, 2);
	q->undef = 0;
}

/* A leaf or the function itself; returns its size. */
static u32 make_function(u8 *at, u32 insns, bool abi, s64 helper, u32 *count)
{
	static const u8 leave[] = { 0x48, 0x8d, 0xa4, 0x24 };	/* lea x(%rsp),%rsp */
	struct seq q = { .p = at, .abi = abi };
	s32 frame = FRAME;

	/* the frame, with known contents */
	for (u32 i = 0; i < FRAME / 8; i++) {
		u8 push[2] = { 0x6a, i };

		put(&q, push, 2);
	}
	if (abi)
		mov_imm(&q, FI_R11, rnd());
	for (u32 i = 0; i < insns; i++) {
		const struct sample *s = &pool[rnd() % nr_pool];

		land(&q, i);
		*count += 1;
		if (rnd() % 6 == 0) {
			put_branch(&q, i, insns);
			continue;
		}
		if (rnd() % 24 == 0) {
			put_loop(&q);
			continue;
		}
		if (helper && rnd() % 12 == 0) {
			u8 call[5] = { 0xe8 };
			s32 d;

			/* the helper may read any flag: cmp %eax,%ecx */
			if (q.undef)
				put(&q, "\x39\xc1", 2);
			d = helper - (s64)(q.p + 5);
			memcpy(call + 1, &d, 4);
			put(&q, call, 5);
			q.undef = FI_ALL_FLAGS;
			continue;
		}
		if (s->tested & q.undef)
			continue;
		put_sample(&q, s);
	}
	for (u32 i = insns; i < insns + 12; i++)
		land(&q, i);
	put(&q, leave, 4);
	put(&q, &frame, 4);
	put(&q, "\xc3", 1);
	return (u32)(q.p - at) | (u32)q.undef << 24;
}

struct tally {
	u64 sequences, runs, faults, early, violations, mismatches;
	u64 coincidences;
	u64 stepped, steps;	/* runs that were counted by single steps */
};

#define STEP_EACH	512	/* runs */

/* Instructions that the originals executed, the pushes of the frame left out. */
static u64 executed(const struct tally *t)
{
	return t->stepped ? (double)t->steps / t->stepped * t->runs : 0;
}

static void random_state(u64 s[17])
{
	for (int i = 0; i < 16; i++) {
		switch (rnd() % 4) {
		case 0:
			s[i] = rnd();
			break;
		case 1:
			s[i] = rnd() % 256;
			break;
		case 2:
			s[i] = (u64)buf + 1024 + rnd() % (BUF_SIZE - 2048);
			break;
		default:
			s[i] = (s64)(s32)rnd();
			break;
		}
	}
	s[16] = 0x202 | (rnd() & 0x8d5);
}

static u64 flag_bits(u8 f)
{
	return (f & 1) | (u64)(f & 2) << 1 | (u64)(f & 4) << 2 |
	       (u64)(f & 0x18) << 3 | (u64)(f & 0x20) << 6;
}

static const u16 abi_regs = 1u << FI_RAX | 1u << FI_RDX | 1u << FI_RBX |
	1u << FI_RBP | 0xf000;

static bool regs_differ(const u64 *a, const u64 *b, bool abi, u8 undef)
{
	for (int i = 0; i < 16; i++)
		if (i != FI_RSP && a[i] != b[i] && (!abi || (abi_regs >> i & 1)))
			return true;
	return !abi && ((a[16] ^ b[16]) & (0x8d5 & ~flag_bits(undef)));
}

static u8 hole_mask[BUF_SIZE];

static bool differ_mem(const u8 *native)
{
	for (u32 i = 0; getenv("FIDBI_VERBOSE") && i < BUF_SIZE; i++)
		if (native[i] != buf[i])
			fprintf(stderr, "  %llx: %02x, %02x\n", (u64)buf + i,
				native[i], buf[i]);
	return false;
}

/* Says what differed, for people. */
static bool differ(const char *why, const u64 *s, const u64 *a, const u64 *b,
		   const struct violation *va, const struct violation *vb)
{
	if (!getenv("FIDBI_VERBOSE"))
		return false;
	fprintf(stderr, "%s: original: what %d va %llx addr %llx sig %d; translated: what %d va %llx addr %llx sig %d\n",
		why, va->what, va->va, va->addr, va->sig, vb->what, vb->va,
		vb->addr, vb->sig);
	for (int i = 0; i < 17; i++)
		if (a[i] != b[i])
			fprintf(stderr, "  reg %d: %llx -> %llx, %llx\n", i, s[i], a[i], b[i]);
	return false;
}

static void make_holes(bool holes)
{
	memset(hole_mask, 0, sizeof(hole_mask));
	rt_grant((u64)buf, BUF_SIZE);
	for (u32 i = 0; holes && i < 4; i++) {
		u32 at = rnd() % (BUF_SIZE - 64), n = 1 + rnd() % 63;

		memset(hole_mask + at, 1, n);
		rt_revoke((u64)buf + at, n);
	}
}

static bool hole_changed(const u8 *before, const u8 *after)
{
	for (u32 i = 0; i < BUF_SIZE; i++)
		if (hole_mask[i] && before[i] != after[i])
			return true;
	return false;
}

static bool hits_other_memory(u64 addr)
{
	unsigned char vec;

	if (addr >= (u64)buf && addr < (u64)buf + BUF_SIZE)
		return false;
	if (addr >= st.top - STACK_SIZE && addr < st.top)
		return false;
	return !mincore((void *)(addr & ~4095ULL), 4096, &vec);
}

static u64 last_state[17];
static u8 last_init[BUF_SIZE];

/* The original once more, with a trap after each instruction. */
static void count_steps(u64 orig, struct tally *t)
{
	struct violation v;
	u64 s[17];

	memcpy(s, last_state, sizeof(s));
	memcpy(buf, last_init, BUF_SIZE);
	memset((void *)(st.top - 2048), 0x77, 1900);
	s[16] |= 0x100;
	rt_counted = 0;
	rt_count = true;
	rt_run_state_on(&st, orig, s, &v);
	rt_count = false;
	t->steps += rt_counted;
	t->stepped++;
}

/* Other contents for each state: the same noise, shifted by a random number. */
static void new_contents(u8 *init)
{
	static u64 noise[BUF_SIZE / 8];
	u64 *w = (u64 *)init, x = rnd();

	for (u32 i = 0; i < BUF_SIZE / 8; i++) {
		if (!noise[BUF_SIZE / 8 - 1])
			for (u32 k = 0; k < BUF_SIZE / 8; k++)
				noise[k] = rnd() | 1;
		w[i] = noise[i] + x * (2 * i + 1);
	}
}

/* One state through both; false: they differ. @again: the last state once more */
static bool compare_run(u64 orig, u64 trans, bool abi, u8 undef, bool holes,
			bool checked, bool redirects, bool again, struct tally *t)
{
	static u8 native[BUF_SIZE];
	u8 *init = last_init;
	u64 a[17], b[17], *s = last_state;
	struct violation va, vb;
	bool ok_a, ok_b, forbidden;

	if (!again) {
		random_state(s);
		new_contents(init);
	}
	memcpy(a, s, sizeof(a));
	memcpy(b, s, sizeof(b));
	memcpy(buf, init, BUF_SIZE);
	memset((void *)(st.top - 2048), 0x77, 1900);
	ok_a = rt_run_state_on(&st, orig, a, &va);
	memcpy(native, buf, BUF_SIZE);
	memcpy(buf, init, BUF_SIZE);
	memset((void *)(st.top - 2048), 0x77, 1900);
	if (rt_step)
		b[16] |= 0x100;		/* trap at each instruction */
	ok_b = rt_run_state_on(&st, trans, b, &vb);
	t->runs++;
	forbidden = holes && hole_changed(init, native);
	if (holes && checked && hole_changed(init, buf))
		return differ("forbidden bytes written", s, a, b, &va, &vb);
	if (ok_a && ok_b) {
		if (checked && forbidden)
			return differ("not caught", s, a, b, &va, &vb);
		if (regs_differ(a, b, abi, undef))
			return differ("registers", s, a, b, &va, &vb);
		if (memcmp(native, buf, BUF_SIZE))
			return differ_mem(native) || differ("memory", s, a, b, &va, &vb);
		return true;
	}
	/* forcing addresses into the segment changes what wild ones do */
	if (!ok_a && redirects)
		return true;
	if (!ok_b && vb.what != C_SIGNAL) {
		t->violations++;
		/*
		 * A hole explains a check that the original survives, or a wild
		 * store that happened to hit other memory of this process.
		 */
		if (ok_a && !(holes && vb.addr >= (u64)buf &&
			      vb.addr < (u64)buf + BUF_SIZE &&
			      hole_mask[vb.addr - (u64)buf]) &&
		    !hits_other_memory(vb.addr))
			return differ("caught for nothing", s, a, b, &va, &vb);
		t->early += vb.va != va.va;
		/* the original went to where its return address was changed to */
		if (!ok_a && vb.what == C_RET && va.va == vb.addr)
			return true;
		if (!ok_a && vb.va < va.va && !forbidden && !holes &&
		    !hits_other_memory(vb.addr))
			return differ("caught too early", s, a, b, &va, &vb);
		return true;
	}
	t->faults++;
	if (ok_a || ok_b)
		return differ("only one faults", s, a, b, &va, &vb);
	/* a non-canonical address by way of rbp is a stack fault, by others not */
	if (va.va == vb.va)
		return true;
	/* the check of a later store met an unmapped shadow first */
	t->early++;
	if (checked && vb.va > va.va)
		return true;
	return differ("fault elsewhere", s, a, b, &va, &vb);
}

static void dump_bad(struct unit *u, u32 size, const struct tally *t)
{
	char path[64];
	FILE *f;
	u64 va = 0;
	u32 len = fi_dbi_fragment(u->u, u->m->nr_funcs - 1, &va);

	snprintf(path, sizeof(path), "/tmp/fidbi-bad-%llu", t->sequences);
	f = fopen(path, "w");
	if (!f)
		return;
	fwrite(u->m->text[0].bytes, 1, size, f);
	fclose(f);
	fprintf(stderr, "sequence %llu differs: original at %llx in %s, translated %llx+%x\n",
		t->sequences, u->m->text[0].va, path, va, len);
}

static u8 saved_text[8192];

static struct unit *make_unit(struct fi_dbi_config *c, bool abi, u32 *insns, u8 *undef,
			      u32 *size)
{
	static struct fi_dbi_func f[2];
	u8 *text = synth.map;
	u32 helper, n;

	memset(text, 0xcc, 8192);
	helper = make_function(text, 3 + rnd() % 6, false, 0, insns) & 0xffffff;
	n = ALIGN(helper, 16);
	*insns = 0;
	helper = make_function(text + n, 4 + rnd() % (MAX_INSNS - 8), abi,
			       abi ? 0 : (s64)text, insns);
	*undef = helper >> 24;
	*size = n + (helper & 0xffffff);
	f[0] = (struct fi_dbi_func){ .va = (u64)text, .size = n, .name = "helper" };
	f[1] = (struct fi_dbi_func){
		.va = (u64)text + n, .size = helper & 0xffffff, .name = "sequence",
		.flags = FI_DBI_FN_TAKEN | (abi ? FI_DBI_FN_ABI : 0),
	};
	synth.func = f;
	synth.nr_funcs = 2;
	synth.text[0].va = (u64)text;
	synth.text[0].bytes = text;
	synth.text[0].size = ALIGN(*size, 16);
	memcpy(saved_text, text, sizeof(saved_text));
	return rt_translate_raw(&synth, c);
}

/* Damages one instruction of the translation: the comparison has to notice. */
static void sabotage(struct unit *u)
{
	struct fi_insn in;
	u64 va = u->m->func[1].va + FRAME / 4;
	u32 skip = 1 + rnd() % 6;
	struct fi_dbi_unit fake = { .cfg = &u->cfg, .dec = NULL };

	fake.dec = calloc(1, fi_decode_scratch());
	fi_decode_init(fake.dec);
	while (va < u->m->func[1].va + u->m->func[1].size) {
		u32 n = fi_decode_anew(&fake, (u8 *)va, 15, va, &in, NULL);
		u64 at = fi_dbi_to_cache(u->u, va);

		if (!n)
			break;
		if (at && in.kind == FI_I_PLAIN && in.len && !skip--) {
			memset((void *)at, 0x90, in.len);
			break;
		}
		va += n;
	}
	free(fake.dec);
}

static void prepare(void)
{
	if (buf)
		return;
	rt_stack(&st);
	buf = map_low(BUF_SIZE, PROT_READ | PROT_WRITE);
	synth.map_size = 1 << 21;
	synth.map = map_low(synth.map_size, PROT_READ | PROT_WRITE | PROT_EXEC);
	synth.arena = (u64)synth.map + 0x10000;
	synth.arena_size = 0x40000;
	harvest();
}

/*
 * A wild address may hit the stack or the code cache by chance; then the two runs
 * differ for that reason. The same state with both elsewhere tells.
 */
static u8 saved_text[8192];

static struct unit *elsewhere(struct fi_dbi_config *c)
{
	memcpy(synth.map, saved_text, sizeof(saved_text));
	synth.arena += 0x100000;
	st.top -= STACK_SIZE / 2;
	return rt_translate_raw(&synth, c);
}

static void back_home(void)
{
	synth.arena -= 0x100000;
	st.top += STACK_SIZE / 2;
}

static bool one_sequence(struct fi_dbi_config *c, u32 states, bool damage,
			 struct tally *t)
{
	bool abi = rnd() & 1, holes = c->checks == FI_DBI_BYTE && rnd() % 4 == 0;
	u32 insns = 0, size;
	struct unit *u;
	bool ok = true;
	u64 trans;
	u8 undef;

	u = make_unit(c, abi, &insns, &undef, &size);
	if (!u || fi_dbi_refusal(u->u, 1, NULL) || fi_dbi_refusal(u->u, 0, NULL)) {
		if (u)
			rt_free_raw(u);
		return true;
	}
	if (damage)
		sabotage(u);
	trans = fi_dbi_entry(u->u, synth.func[1].va);
	make_holes(holes);
	for (u32 i = 0; i < states && ok; i++) {
		ok = compare_run(synth.func[1].va, trans, abi, undef, holes,
				 c->checks == FI_DBI_BYTE,
				 c->checks == FI_DBI_SANDBOX, false, t);
		if (t->runs % STEP_EACH == 0 && ok && !rt_step)
			count_steps(synth.func[1].va, t);
	}
	if (!ok && !damage) {
		rt_free_raw(u);
		u = elsewhere(c);
		trans = u ? fi_dbi_entry(u->u, synth.func[1].va) : 0;
		ok = trans && compare_run(synth.func[1].va, trans, abi, undef, holes,
					  c->checks == FI_DBI_BYTE,
					  c->checks == FI_DBI_SANDBOX, true, t);
		/* or the original differs from itself: memory that nobody resets */
		if (!ok && !compare_run(synth.func[1].va, synth.func[1].va, abi, undef,
					false, false, false, true, t))
			ok = true;
		t->coincidences += ok;
		back_home();
		if (!u)
			return false;
	}
	t->sequences++;
	if (!ok && !damage) {
		t->mismatches++;
		if (t->mismatches < 4)
			dump_bad(u, size, t);
	}
	rt_free_raw(u);
	return ok;
}

/* Until both the time is over and @want instructions were executed. */
static u64 run_mode(enum fi_dbi_checks checks, bool reads, bool poison, double budget,
		    u64 want)
{
	static const char * const names[] = { "none", "byte", "segment", "sandbox" };
	struct fi_dbi_config c;
	struct tally t = { 0 };
	double end = seconds() + budget;

	rt_config(&c, checks);
	c.poison = poison;
	rnd_seed(opt.seed + checks * 2 + poison);
	c.reads = reads;
	rt_grant_read((u64)buf, BUF_SIZE);
	while ((t.sequences & 63) || seconds() < end || executed(&t) < want)
		one_sequence(&c, MAX_STATES, false, &t);
	report(!t.mismatches && t.runs,
	       "random %s%s%s: seed %llu, %llu sequences, %llu runs, %llu instructions executed, %llu faults, %llu violations, %llu chance hits, %llu mismatches",
	       names[checks], reads ? ",reads" : "", poison ? "+poison" : "", opt.seed, t.sequences, t.runs,
	       executed(&t), t.faults, t.violations, t.coincidences, t.mismatches);
	return executed(&t);
}

static void run_sabotage(void)
{
	struct fi_dbi_config c;
	struct tally t = { 0 };
	u32 noticed = 0, tries = 300;

	rt_config(&c, FI_DBI_BYTE);
	rnd_seed(opt.seed + 99);
	for (u32 i = 0; i < tries; i++)
		noticed += !one_sequence(&c, 20, true, &t);
	report(noticed > tries / 4,
	       "random: of %u translations with one instruction removed, %u are noticed",
	       tries, noticed);
}

void suite_random(void)
{
	u64 total = 0;

	prepare();
	report(nr_pool == POOL, "random: %u instructions drawn from %llu of real modules",
	       nr_pool, seen_forms);
	if (!nr_pool)
		return;
	for (int poison = 0; poison < 2; poison++)
		for (int k = 0; k < 5; k++)
			total += run_mode(k < 4 ? k : FI_DBI_BYTE, k == 4, poison,
					  opt.budget / 10, opt.insns / 10 + 1);
	report(total >= opt.insns,
	       "random: %llu instructions executed by each side, %llu wanted",
	       total, opt.insns);
	run_sabotage();
}

bool random_stepped(u32 sequences, u64 *runs)
{
	struct fi_dbi_config c;
	struct tally t = { 0 };

	prepare();
	rnd_seed(opt.seed + 7);
	for (u32 i = 0; i < sequences; i++) {
		rt_config(&c, i & 3);
		c.poison = i >> 2 & 1;
		one_sequence(&c, 2, false, &t);
	}
	*runs = t.runs;
	return !t.mismatches && nr_pool;
}
