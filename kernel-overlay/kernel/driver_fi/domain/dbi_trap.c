// SPDX-License-Identifier: GPL-2.0-only
/*
 * What translated code asks when its own checks did not say yes: decide exactly,
 * or condemn the domain.
 *
 * A question comes as an exception (arch/x86/driver_fi/slow.S), so this runs in
 * the kernel's view on the kernel's stack. To return permits, unless the domain
 * was condemned: then the exception's return ends the crossing.
 */
#include <linux/driver_fi.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>

#include <asm/driver_fi.h>
#include <asm/segment.h>
#include <trace/events/driver_fi.h>

#include "../dbi/dbi.h"
#include "../dbi/slow.h"
#include "../rm/shadow.h"
#include "domain.h"
#include "stack.h"
#include "translate.h"

/* One stop in the emitted code: where, of which domain, why it asks. */
struct stop {
	struct fi_dbi_slow *s;
	const struct fi_dbi_site *site;
	struct fi_frame *f;
	const struct fi_dbi_unit *u;
	unsigned long sp;	/* the driver's */
};

static void fi_stop_init(struct stop *st, struct fi_dbi_slow *s, u32 nargs)
{
	st->s = s;
	st->f = current->fi_frame;
	st->u = st->f->dom->dbi;
	st->site = nargs ? (void *)s->arg[0] : NULL;
	st->sp = (unsigned long)&s->arg[nargs + (nargs ? st->site->pushed : 0)];
}

static void fi_stop_regs(const struct stop *st, unsigned long ip, struct pt_regs *r)
{
	const struct fi_dbi_slow *s = st->s;

	*r = (struct pt_regs) {
		.ax = s->ax, .bx = s->bx, .cx = s->cx, .dx = s->dx,
		.si = s->si, .di = s->di, .bp = s->bp,
		.r8 = s->r8, .r9 = s->r9, .r10 = s->r10, .r11 = s->r11,
		.r12 = s->r12, .r13 = s->r13, .r14 = s->r14, .r15 = s->r15,
		.ip = ip, .sp = st->sp, .flags = s->flags,
		.cs = __KERNEL_CS, .ss = __KERNEL_DS, .orig_ax = -1,
	};
}

/* @ip is the driver's original address. */
static void fi_stop_condemn(const struct stop *st, enum fi_fault_kind kind,
			    unsigned long ip, unsigned long addr, const char *why)
{
	struct fi_fault fault = {
		.kind = kind,
		.layer = kind == FI_FAULT_WRITE ? FI_LAYER_BYTES :
			 kind == FI_FAULT_INSN ? FI_LAYER_INSN : FI_LAYER_FLOW,
		.ip = ip,
		.addr = addr,
		.arg = -1,
		.why = why,
		.entry = st->f->entry->slot->name,
		.regs_valid = true,
	};

	fi_stop_regs(st, ip, &fault.regs);
	fi_fault_raise(st->f->dom, &fault);
}

static void fi_stop_store(const struct stop *st, unsigned long ip, u64 addr)
{
	if (fi_stack_guard_hit(st->f->dom, (unsigned long)st->f->stack, addr))
		fi_stop_condemn(st, FI_FAULT_STACK, ip, addr, NULL);
	else
		fi_stop_condemn(st, FI_FAULT_WRITE, ip, addr, "bytes that it may not write");
}

/* The check may have said no by an old entry of this CPU's TLB. */
static bool fi_stop_granted(struct fi_domain *d, u64 addr, u64 len)
{
	if (!fi_permmap_test(d->perm, addr, len))
		return false;
	if (fi_on_kernel_pgt(d))
		arch_fi_kmap_refresh(((s64)addr >> 3) + FI_MAP_DISP);
	return true;
}

/*
 * Granted bytes, or such of an object with a shadow copy. Or bits of a field of a
 * kernel object nearby: on a page that the domain cannot write the store will fault,
 * and is carried out bit by bit if they are all that it changes. Without a page table
 * of its own all bits go.
 */
static bool fi_stop_may_store(const struct stop *st, u64 addr)
{
	struct fi_domain *d = st->f->dom;
	u64 mask;

	if (fi_stop_granted(d, addr, 1) || fi_shadow_ask(d, addr))
		return true;
	if (!fi_may_store(d, addr, 1, &mask) &&
	    !fi_may_store(d, ALIGN_DOWN(addr, 8), 8, &mask))
		return false;
	fi_page_close(d, addr);
	return true;
}

/* The first byte of [@addr, @addr + @len) that may not be written, or the end. */
static u64 fi_stop_first_bad(const struct stop *st, u64 addr, u64 len)
{
	u64 end = addr + len;

	if (end < addr)
		return addr;
	if (fi_stop_granted(st->f->dom, addr, len))
		return end;
	while (addr < end && fi_stop_may_store(st, addr))
		addr++;
	return addr;
}

/* How far a loop may go on before it asks again. */
static void fi_stop_limit(const struct stop *st, u64 ea)
{
	u64 from = (ea + st->site->size) & ~7ULL, good = 0;
	u64 *limit = fi_dbi_slow_reg(st->s, st->site->limit);

	while (good < FI_DBI_LOOP_AHEAD && fi_permmap_test(st->f->dom->perm, from + good, 1))
		good++;
	*limit = fi_dbi_loop_steps(st->site, ea, *fi_dbi_slow_reg(st->s, st->site->ctl), good);
}

static void fi_dbi_store(struct fi_dbi_slow *s)
{
	u64 ea = s->arg[1], bad;
	struct stop st;
	u32 i;

	fi_stop_init(&st, s, 2);
	if (st.site->kind == FI_SITE_BYTES) {
		bad = fi_stop_first_bad(&st, ea, st.site->size);
		if (bad != ea + st.site->size)
			fi_stop_store(&st, st.site->va, bad);
		return;
	}
	for (i = 0; i < 64; i++) {
		if (st.site->mask >> i & 1 && !fi_stop_may_store(&st, ea + i)) {
			fi_stop_store(&st, fi_dbi_site_blame(st.u, st.site, i), ea + i);
			return;
		}
	}
	if (st.site->kind == FI_SITE_LOOP)
		fi_stop_limit(&st, ea);
}

static void fi_dbi_range(struct fi_dbi_slow *s)
{
	u64 len, bad = s->di;
	struct stop st;

	if (!s->cx)
		return;
	fi_stop_init(&st, s, 1);
	if (!check_mul_overflow(s->cx, (u64)st.site->size, &len))
		bad = fi_stop_first_bad(&st, s->di, len);
	else
		len = 1;
	if (bad != s->di + len)
		fi_stop_store(&st, st.site->va, bad);
}

/* r11: an original address or one of the kernel; becomes where to go. */
static void fi_dbi_call(struct fi_dbi_slow *s)
{
	struct fi_domain *d;
	unsigned int i;
	struct stop st;
	u64 to;

	fi_stop_init(&st, s, 0);
	to = fi_dbi_icall(st.u, s->r11);
	if (to) {
		s->r11 = to;
		return;
	}
	d = st.f->dom;
	for (i = 0; i < d->nr_redirects; i++) {
		if (d->redirects[i].stub == s->r11)
			return;
		if (d->redirects[i].target == s->r11) {
			s->r11 = d->redirects[i].stub;
			return;
		}
	}
	/* The return address of the call, or of the function that jumped. */
	fi_stop_condemn(&st, FI_FAULT_EXEC, fi_dbi_to_orig(st.u, s->arg[0] - 1),
			s->r11, "not a function that may be called by address");
}

static void fi_dbi_return(struct fi_dbi_slow *s)
{
	struct stop st;

	fi_stop_init(&st, s, 1);
	fi_stop_condemn(&st, FI_FAULT_RETURN, st.site->va, *(u64 *)st.sp,
			"changed since the function was entered");
}

/*
 * A privileged instruction, or one on a foreign port: counted, and it ends the domain
 * unless the policy says that the driver goes on without it. Then this is true.
 */
static bool fi_stop_skip(const struct stop *st, unsigned long addr, bool skippable,
			 const char *why)
{
	static DEFINE_RATELIMIT_STATE(often, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	struct fi_domain *d = st->f->dom;

	fi_stat_inc(d, denied);
	if (!skippable || d->policy.deny != FI_DENY_SKIP) {
		fi_stop_condemn(st, FI_FAULT_INSN, st->site->va, addr, why);
		return false;
	}
	ratelimit_set_flags(&often, RATELIMIT_MSG_ON_RELEASE);
	if (__ratelimit(&often))
		fi_report_say(d, "denied and skipped: %s at %pS", why, (void *)st->site->va);
	return true;
}

static void fi_dbi_trap(struct fi_dbi_slow *s)
{
	struct stop st;

	fi_stop_init(&st, s, 1);
	fi_stop_skip(&st, 0, st.site->kind == FI_SITE_SKIP, st.site->sens ?
		     fi_dbi_sens_name(st.site->sens) : "not translated");
}

/* As of a port where nothing is: reads as all ones. */
static void fi_stop_skip_port(const struct stop *st)
{
	u64 ones = GENMASK_ULL(8 * st->site->size - 1, 0);

	st->s->ret += st->site->nstores;
	if (!st->site->user)
		return;
	/* 32 bits clear the upper half of rax */
	if (st->site->size == 4)
		st->s->ax = 0;
	st->s->ax |= ones;
}

static void fi_dbi_port(struct fi_dbi_slow *s)
{
	struct stop st;
	u16 port;

	fi_stop_init(&st, s, 1);
	port = st.site->mask ? st.site->mask : s->dx;
	if (!fi_port_allowed(st.f->dom, port, st.site->size) &&
	    fi_stop_skip(&st, port, st.site->nstores, "access to a port outside its regions"))
		fi_stop_skip_port(&st);
}

/* In the order of the SLOW lines in dbi/slow.S. */
#define FI_ASK_STORE	0
#define FI_ASK_CALL	2
static void (* const fi_answers[])(struct fi_dbi_slow *s) = {
	fi_dbi_store, fi_dbi_range, fi_dbi_call, fi_dbi_return, fi_dbi_trap, fi_dbi_port,
};

/* Is this a stack that a crossing of the domain runs on, and a site of its cache? */
static bool fi_ask_valid(struct fi_domain *d, const struct pt_regs *regs)
{
	unsigned long top = (unsigned long)current->fi_frame->stack;
	const struct fi_dbi_slow *s = (void *)regs->sp;
	size_t need = offsetof(struct fi_dbi_slow, arg[regs->di == FI_ASK_STORE ? 2 : 1]);
	size_t avail;

	if (regs->di >= ARRAY_SIZE(fi_answers) || top - regs->sp > FI_STACK_SIZE ||
	    top - regs->sp < need)
		return false;
	return regs->di == FI_ASK_CALL || (fi_translate_text(d, s->arg[0], &avail) &&
					   avail >= sizeof(struct fi_dbi_site));
}

static noinline void fi_ask_trace(struct fi_domain *d, const struct pt_regs *regs)
{
	const struct fi_dbi_slow *s = (void *)regs->sp;
	const struct fi_dbi_site *site = (void *)s->arg[0];
	bool call = regs->di == FI_ASK_CALL;

	trace_driver_fi_asked(d->policy.name,
			      call ? fi_dbi_to_orig(d->dbi, s->arg[0] - 1) : site->va,
			      call ? s->r11 : regs->di == FI_ASK_STORE ? s->arg[1] : s->di);
}

/**
 * fi_translate_ask - answers a question of translated code
 * @d: the domain
 * @regs: an invalid opcode in it
 *
 * Context: exception, IRQs off. Return: false if it is no question
 */
bool fi_translate_ask(struct fi_domain *d, struct pt_regs *regs)
{
	if (!d->dbi || regs->ip < (unsigned long)fi_domain_slow_store ||
	    regs->ip >= (unsigned long)fi_domain_slow_end || !fi_ask_valid(d, regs))
		return false;
	fi_stat_inc(d, asked);
	if (trace_driver_fi_asked_enabled())
		fi_ask_trace(d, regs);
	fi_answers[regs->di]((void *)regs->sp);
	regs->ip += 3;	/* the ud0 */
	return true;
}
