// SPDX-License-Identifier: GPL-2.0-only
/*
 * The environment of translated code in a user process: permission map, stacks with
 * their shadow, slow paths, signals.
 */

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime.h"
#include "slow.h"

u64 rt_enter(u64 fn, const u64 *arg, u64 top, u64 *save);
void rt_leave(u64 *save);
u64 rt_run(u64 fn, u64 *state, u64 top, u64 *save);
void rt_run_back(void);
void rt_run_end(void);
extern u8 rt_run_vectors[512], rt_run_avx;

u64 rt_slow_calls, rt_range_calls;
u64 fi_dbi_map_disp = MAP_DISP;
u64 rt_fixup_from, rt_fixup_to;
void (*rt_step)(u64 rip, u64 rsp);
bool rt_count;
u64 rt_counted;

static struct unit *units;
static struct violation *volatile caught;	/* where to report; NULL: outside */
static u64 *volatile save_area;
static u64 allowed[256];
static u32 nr_allowed;

struct unit *rt_unit_at(u64 cache)
{
	struct unit *u;

	for (u = units; u; u = u->next)
		if (cache >= u->m->arena && cache - u->m->arena < u->m->arena_size)
			return u;
	return NULL;
}

static struct unit *unit_of_text(u64 va)
{
	struct unit *u;

	for (u = units; u; u = u->next)
		if (va >= (u64)u->m->map && va - (u64)u->m->map < u->m->map_size)
			return u;
	return NULL;
}

void rt_allow_target(u64 va)
{
	if (nr_allowed < ARRAY_SIZE(allowed))
		allowed[nr_allowed++] = va;
}

static void violate(enum caught what, u64 va, u64 addr)
{
	if (!caught) {
		fprintf(stderr, "violation outside of a call: %d at %llx, %llx\n",
			what, va, addr);
		abort();
	}
	caught->what = what;
	caught->va = va;
	caught->addr = addr;
	rt_leave((u64 *)save_area);
}

static bool seg_ok(const struct fi_dbi_config *c, u64 addr, u64 len)
{
	return (s64)addr >> c->seg_shift == c->seg_id &&
	       (s64)(addr + len - 1) >> c->seg_shift == c->seg_id;
}

/* The first byte that is in neither map is a violation. */
static void judge_load(const struct fi_dbi_site *site, u64 ea, u64 len, u64 mask)
{
	for (u64 i = 0; i < len; i++)
		if ((len > 64 || (mask >> i & 1)) &&
		    !fi_dbi_map_test(READ_DISP, ea + i, 1) &&
		    !fi_dbi_map_test(MAP_DISP, ea + i, 1))
			violate(C_LOAD, site->va, ea + i);
}

void fi_dbi_on_store(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];
	struct unit *u = rt_unit_at(s->ret);
	u64 ea = s->arg[1], bad = 0;

	rt_slow_calls++;
	if (site->kind == FI_SITE_LOAD && u->cfg.checks == FI_DBI_BYTE) {
		judge_load(site, ea, site->size, site->mask);
		return;
	}
	if (site->kind == FI_SITE_LOAD) {
		if (!seg_ok(&u->cfg, ea, site->size))
			violate(C_LOAD, site->va, ea);
		return;
	}
	if (site->kind == FI_SITE_SEGMENT) {
		if (!seg_ok(&u->cfg, ea, site->size))
			violate(C_STORE, site->va, ea);
		return;
	}
	if (site->kind == FI_SITE_BYTES) {
		if (!fi_dbi_map_test_range(MAP_DISP, ea, site->size, &bad))
			violate(C_STORE, site->va, bad);
		return;
	}
	if (fi_dbi_map_test(MAP_DISP, ea, site->mask)) {
		if (site->kind == FI_SITE_LOOP)
			*fi_dbi_slow_reg(s, site->limit) =
				fi_dbi_loop_limit(MAP_DISP, site, ea,
						  *fi_dbi_slow_reg(s, site->ctl));
		return;
	}
	for (u32 i = 0; i < 64; i++)
		if ((site->mask >> i & 1) && !fi_dbi_map_test(MAP_DISP, ea + i, 1))
			violate(C_STORE, fi_dbi_site_blame(u->u, site, i), ea + i);
}

void fi_dbi_on_range(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];
	struct unit *u = rt_unit_at(s->ret);
	u64 len = s->cx * site->size, bad;

	rt_range_calls++;
	if (!s->cx)
		return;
	if (site->kind == FI_SITE_LOAD_STRING && u->cfg.checks == FI_DBI_BYTE) {
		judge_load(site, s->di, len, ~0ULL);
		return;
	}
	if (u->cfg.checks != FI_DBI_BYTE) {
		if (!seg_ok(&u->cfg, s->di, len))
			violate(site->kind == FI_SITE_LOAD_STRING ? C_LOAD : C_RANGE,
				site->va, s->di);
		return;
	}
	/* a length that wraps cannot be permitted: the map ends before */
	if (!fi_dbi_map_test_range(MAP_DISP, s->di, len, &bad))
		violate(C_RANGE, site->va, bad);
}

void fi_dbi_on_icall(struct fi_dbi_slow *s)
{
	struct unit *u = unit_of_text(s->r11), *from = rt_unit_at(s->ret);
	u64 to;

	if (u) {
		to = fi_dbi_icall(u->u, s->r11);
		if (to) {
			s->r11 = to;
			return;
		}
		if (mod_import_at(u->m, s->r11))
			return;
	}
	for (u32 i = 0; i < nr_allowed; i++)
		if (allowed[i] == s->r11)
			return;
	/* who called: the stub's return address lies above its argument */
	to = from ? fi_dbi_to_orig(from->u, s->arg[0] - 1) : 0;
	violate(C_ICALL, to, s->r11);
}

void fi_dbi_on_ret(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];

	violate(C_RET, site->va, *(&s->arg[1] + site->pushed));
}

void fi_dbi_on_trap(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];

	if (site->kind != FI_SITE_SKIP)
		violate(C_TRAP, site->va, site->sens);
}

bool rt_skip_ports;

void fi_dbi_on_port(struct fi_dbi_slow *s)
{
	const struct fi_dbi_site *site = (void *)s->arg[0];

	if (!rt_skip_ports || !site->nstores)
		violate(C_PORT, site->va, site->mask ? site->mask & 0xff : s->dx & 0xffff);
	s->ret += site->nstores;
	if (site->user)
		s->ax |= (1ULL << 8 * site->size) - 1;
}

/*
 * The one before @rip is done. A repeated string instruction traps each round, but is
 * one; the pushes that make the frame are not counted.
 */
static void count_step(ucontext_t *uc, u64 rip)
{
	static u64 last;

	if (rip >= (u64)rt_run_back && rip < (u64)rt_run_end)
		uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
	else if (rip != last && last && *(const u8 *)last != 0x6a)
		rt_counted++;
	last = rip;
}

static void on_signal(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	u64 rip = uc->uc_mcontext.gregs[REG_RIP];
	struct unit *u = rt_unit_at(rip);
	sigset_t set;

	if (sig == SIGTRAP && rt_count) {
		count_step(uc, rip);
		return;
	}
	if (sig == SIGTRAP && rt_step) {
		if (rip >= (u64)rt_run_back && rip < (u64)rt_run_end)
			uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
		else if (u)
			rt_step(rip, uc->uc_mcontext.gregs[REG_RSP]);
		return;
	}
	if (rt_fixup_from && rip == rt_fixup_from) {
		uc->uc_mcontext.gregs[REG_RIP] = rt_fixup_to;
		return;
	}
	if (!caught) {
		fprintf(stderr, "signal %d at %llx, address %p, outside of a call\n",
			sig, rip, si->si_addr);
		_exit(99);
	}
	caught->what = C_SIGNAL;
	caught->sig = sig;
	caught->cache = rip;
	caught->va = u ? fi_dbi_to_orig(u->u, rip) : rip;
	caught->addr = (u64)si->si_addr;
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	rt_leave((u64 *)save_area);
}

bool rt_call(struct stack *s, u64 fn, const u64 *arg, u64 *ret, struct violation *v)
{
	struct violation *old = caught;
	u64 *old_save = save_area, save[2] = { 0 }, r;

	memset(v, 0, sizeof(*v));
	caught = v;
	save_area = save;
	r = rt_enter(fn, arg, s->top - 64, save);
	caught = old;
	save_area = old_save;
	if (ret)
		*ret = r;
	if (v->what == C_NOTHING && save[1]) {
		fprintf(stderr, "callee-saved registers changed: %llx\n", save[1]);
		v->what = C_SIGNAL;
		v->sig = 1000;
	}
	return v->what == C_NOTHING;
}

bool rt_run_state_on(struct stack *s, u64 fn, u64 state[17], struct violation *v)
{
	u64 save[2] = { 0 };

	memset(v, 0, sizeof(*v));
	caught = v;
	save_area = save;
	rt_run(fn, state, s->top - 64, save);
	caught = NULL;
	save_area = NULL;
	return v->what == C_NOTHING;
}

/* Permission map */

static u8 *shadow(u64 a, s64 disp)
{
	return (u8 *)((a >> 3) + disp);
}

/* The map is read-only for everyone: wild stores of originals must not reach it. */
static void poke(u64 addr, s64 disp, const void *bytes, u64 len)
{
	static int mem = -1;

	if (mem < 0)
		mem = open("/proc/self/mem", O_RDWR);
	if (pwrite(mem, bytes, len, (off_t)(u64)shadow(addr, disp)) != (ssize_t)len) {
		perror("permission map");
		exit(2);
	}
}

static void set_bits(u64 addr, u64 len, bool on, s64 disp)
{
	static u8 chunk[65536];
	u64 end = addr + len;

	while (addr < end) {
		u32 bit = addr & 7, n = min(end - addr, 8ULL - bit);
		u8 m = ((1u << n) - 1) << bit, b = *shadow(addr, disp);

		if (n == 8) {
			u64 bytes = min((end - addr) / 8, (u64)sizeof(chunk));

			memset(chunk, on ? 0xff : 0, bytes);
			poke(addr, disp, chunk, bytes);
			addr += bytes * 8;
			continue;
		}
		b = on ? b | m : b & ~m;
		poke(addr, disp, &b, 1);
		addr += n;
	}
}

void rt_grant(u64 addr, u64 len)
{
	set_bits(addr, len, true, MAP_DISP);
}

void rt_revoke(u64 addr, u64 len)
{
	set_bits(addr, len, false, MAP_DISP);
}

void rt_grant_read(u64 addr, u64 len)
{
	set_bits(addr, len, true, READ_DISP);
}

void rt_revoke_read(u64 addr, u64 len)
{
	set_bits(addr, len, false, READ_DISP);
}

void rt_stack(struct stack *s)
{
	s->base = map_low(2 * STACK_SIZE + 8192, PROT_READ | PROT_WRITE);
	s->top = (u64)s->base + 2 * STACK_SIZE + 8192;
	rt_grant(s->top - STACK_SIZE, STACK_SIZE);
}

void rt_init(void)
{
	static u8 alt[1 << 16];
	struct sigaction sa = { .sa_sigaction = on_signal };
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	void *gs = mmap(NULL, 0x200000, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	static const s64 at[] = { MAP_DISP, READ_DISP };
	void *p = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(at) && p != MAP_FAILED; i++)
		p = mmap((void *)at[i], 0x100000000000ULL, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			 MAP_FIXED_NOREPLACE, -1, 0);
	if (p == MAP_FAILED || gs == MAP_FAILED) {
		perror("permission map");
		exit(2);
	}
	memset(gs, 0x5a, 4096);
	syscall(SYS_arch_prctl, ARCH_SET_GS, gs);
	rt_run_avx = !!__builtin_cpu_supports("avx");
	for (u32 i = 0; i < sizeof(rt_run_vectors); i++)
		rt_run_vectors[i] = i * 37 + 11;
	sigaltstack(&ss, NULL);
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGFPE, &sa, NULL);
	sigaction(SIGTRAP, &sa, NULL);
}

void rt_config(struct fi_dbi_config *c, enum fi_dbi_checks checks)
{
	/* the helpers must be within reach of the arena: jump pads below 2 GiB */
	static u8 *pads;
	static const void *target[6] = {
		fi_dbi_slow_store, fi_dbi_slow_range, fi_dbi_slow_icall,
		fi_dbi_slow_ret, fi_dbi_slow_trap, fi_dbi_slow_port,
	};

	if (!pads) {
		pads = map_low(4096, PROT_READ | PROT_WRITE | PROT_EXEC);
		for (int i = 0; i < 6; i++) {
			/* no register may be touched: jmp *0(%rip) */
			memcpy(pads + 32 * i, "\xff\x25\0\0\0\0", 6);
			memcpy(pads + 32 * i + 6, &target[i], 8);
		}
	}
	fi_dbi_config_default(c);
	c->checks = checks;
	c->map_disp = MAP_DISP;
	c->read_bit = READ_BIT;
	c->shadow = SHADOW;
	c->seg_shift = 32;
	c->seg_id = 0;
	c->seg_low = true;
	c->slow_store = (u64)pads;
	c->slow_range = (u64)pads + 32;
	c->slow_icall = (u64)pads + 64;
	c->slow_ret = (u64)pads + 96;
	c->slow_trap = (u64)pads + 128;
	c->slow_port = (u64)pads + 160;
}

struct unit *rt_translate_raw(struct mod *m, const struct fi_dbi_config *c)
{
	struct unit *u = calloc(1, sizeof(*u));
	struct fi_dbi_input in;

	u->m = m;
	u->cfg = *c;
	u->env = mod_env(m);
	in = mod_input(m, &u->env, &u->cfg);
	if (fi_dbi_create(&u->u, &in) ||
	    fi_dbi_translate(u->u, m->arena, (u8 *)m->arena, m->arena_size)) {
		if (u->u)
			fi_dbi_destroy(u->u);
		free(u);
		return NULL;
	}
	u->next = units;
	units = u;
	return u;
}

struct unit *rt_translate(struct mod *m, const struct fi_dbi_config *c)
{
	struct unit *u;

	if (!m)
		return NULL;
	u = rt_translate_raw(m, c);
	if (!u) {
		fprintf(stderr, "%s: translation failed\n", m->name);
		mod_free(m);
		return NULL;
	}
	for (u32 i = 1; i < m->eh->e_shnum; i++)
		if ((m->sh[i].sh_flags & SHF_WRITE) && m->sec_va[i])
			rt_grant(m->sec_va[i], m->sh[i].sh_size);
	return u;
}

static void forget(struct unit *u)
{
	struct unit **p;

	for (p = &units; *p; p = &(*p)->next) {
		if (*p == u) {
			*p = u->next;
			break;
		}
	}
}

void rt_free_raw(struct unit *u)
{
	forget(u);
	fi_dbi_destroy(u->u);
	free(u);
}

void rt_free(struct unit *u)
{
	if (!u)
		return;
	forget(u);
	rt_revoke((u64)u->m->map, u->m->map_size);
	fi_dbi_destroy(u->u);
	mod_free(u->m);
	free(u);
}

u64 rt_entry(struct unit *u, const char *name)
{
	return fi_dbi_entry(u->u, mod_sym(u->m, name));
}

/* What modules import, as far as the tests run it */

static void stack_chk_fail(void)
{
	fprintf(stderr, "stack protector\n");
	raise(SIGILL);
}

static int no_printk(const char *f, ...)
{
	(void)f;
	return 0;
}

static unsigned int hweight32(unsigned int x)
{
	return __builtin_popcount(x);
}

static unsigned long hweight64(unsigned long x)
{
	return __builtin_popcountl(x);
}

static int register_nothing(void *p)
{
	(void)p;
	return 0;
}

static unsigned int full_name_hash(const void *s, const char *name, unsigned int len)
{
	unsigned int h = (unsigned long)s;

	while (len--)
		h = h * 31 + *name++;
	return h;
}

static void fi_crypto_xor(u8 *d, const u8 *a, const u8 *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		d[i] = a[i] ^ b[i];
}

static bool simd_usable(void)
{
	return true;
}

u64 rt_host_symbol(const char *name)
{
	static const struct {
		const char *name;
		const void *p;
	} tab[] = {
		{ "memcpy", memcpy }, { "memset", memset },
		{ "memmove", memmove }, { "memcmp", memcmp },
		{ "memchr", memchr }, { "strlen", strlen },
		{ "strcmp", strcmp }, { "strncmp", strncmp },
		{ "strnlen", strnlen }, { "strcpy", strcpy },
		{ "strchr", strchr }, { "strncpy", strncpy },
		{ "__memcpy", memcpy }, { "__memset", memset },
		{ "__memmove", memmove },
		{ "snprintf", snprintf }, { "sprintf", sprintf },
		{ "strcasecmp", strcasecmp },
		{ "__crypto_xor", fi_crypto_xor },
		{ "__stack_chk_fail", stack_chk_fail },
		{ "_printk", no_printk }, { "__sw_hweight32", hweight32 },
		{ "__sw_hweight64", hweight64 },
		{ "__register_nls", register_nothing },
		{ "unregister_nls", register_nothing },
		{ "crypto_register_alg", register_nothing },
		{ "crypto_register_shash", register_nothing },
		{ "crypto_register_shashes", register_nothing },
		{ "full_name_hash", full_name_hash },
		{ "kernel_fpu_begin_mask", register_nothing },
		{ "kernel_fpu_end", register_nothing },
		{ "irq_fpu_usable", simd_usable },
		{ "may_use_simd", simd_usable },
	};

	for (u32 i = 0; i < ARRAY_SIZE(tab); i++)
		if (!strcmp(tab[i].name, name))
			return (u64)tab[i].p;
	return 0;
}
