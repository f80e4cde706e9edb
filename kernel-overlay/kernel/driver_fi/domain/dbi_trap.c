// SPDX-License-Identifier: GPL-2.0-only
/*
 * What translated code asks when its own checks did not say yes: decide exactly, or
 * condemn the domain and leave it.
 *
 * Runs on the driver's stack, called by dbi/slow.S. To return permits.
 */
#include <linux/driver_fi.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/sched.h>

#include <asm/driver_fi.h>
#include <asm/segment.h>

#include "../dbi/dbi.h"
#include "../dbi/slow.h"
#include "domain.h"

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
	/* Nothing would be left to unwind to, and no one to blame. */
	if (!st->f || !st->f->dom->dbi)
		panic("driver_fi: translated code runs outside a crossing");
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

/* Does not return: the crossing ends here. @ip is the driver's original address. */
static void fi_stop_condemn(const struct stop *st, enum fi_fault_kind kind,
			    unsigned long ip, unsigned long addr, const char *why)
{
	struct fi_fault fault = {
		.kind = kind,
		.ip = ip,
		.addr = addr,
		.arg = -1,
		.why = why,
		.entry = st->f->entry->slot->name,
		.regs_valid = true,
	};

	fi_stop_regs(st, ip, &fault.regs);
	fi_fault_raise(st->f->dom, &fault);
	fi_leave_domain();
	panic("driver_fi: a crossing was ended and goes on");
}

static void fi_stop_store(const struct stop *st, unsigned long ip, u64 addr)
{
	fi_stop_condemn(st, FI_FAULT_WRITE, ip, addr, "bytes that it may not write");
}

static void fi_dbi_store(struct fi_dbi_slow *s)
{
	u64 ea = s->arg[1], bad;
	struct stop st;
	u32 i;

	fi_stop_init(&st, s, 2);
	switch (st.site->kind) {
	case FI_SITE_SEGMENT:
		/* The test in the emitted code is exact but for the last byte. */
		if (!fi_dbi_segment_test(st.u, ea, st.site->size))
			fi_stop_store(&st, st.site->va, ea);
		return;
	case FI_SITE_BYTES:
		if (!fi_dbi_map_test_range(fi_dbi_map_disp, ea, st.site->size, &bad))
			fi_stop_store(&st, st.site->va, bad);
		return;
	}
	if (fi_dbi_map_test(fi_dbi_map_disp, ea, st.site->mask)) {
		if (st.site->kind == FI_SITE_LOOP)
			*fi_dbi_slow_reg(s, st.site->limit) =
				fi_dbi_loop_limit(fi_dbi_map_disp, st.site, ea,
						  *fi_dbi_slow_reg(s, st.site->ctl));
		return;
	}
	for (i = 0; i < 64; i++)
		if (st.site->mask >> i & 1 && !fi_dbi_map_test(fi_dbi_map_disp, ea + i, 1))
			fi_stop_store(&st, fi_dbi_site_blame(st.u, st.site, i), ea + i);
}

static void fi_dbi_range(struct fi_dbi_slow *s)
{
	struct stop st;
	u64 len, bad = s->di;
	bool ok;

	if (!s->cx)
		return;
	fi_stop_init(&st, s, 1);
	len = s->cx * st.site->size;
	if (!st.site->mask)
		ok = fi_dbi_segment_test(st.u, s->di, len);
	else if (check_mul_overflow(s->cx, (u64)st.site->size, &len))
		ok = false;
	else
		ok = fi_dbi_map_test_range(fi_dbi_map_disp, s->di, len, &bad);
	if (!ok)
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

static void fi_dbi_trap(struct fi_dbi_slow *s)
{
	struct stop st;

	fi_stop_init(&st, s, 1);
	fi_stop_condemn(&st, FI_FAULT_INSN, st.site->va, 0, st.site->sens ?
			fi_dbi_sens_name(st.site->sens) : "not translated");
}

/* No driver is granted ports yet. */
static void fi_dbi_port(struct fi_dbi_slow *s)
{
	struct stop st;

	fi_stop_init(&st, s, 1);
	fi_stop_condemn(&st, FI_FAULT_INSN, st.site->va, 0, "port access");
}

static const struct fi_dbi_handlers fi_dbi_domain_handlers = {
	.store = fi_dbi_store,
	.range = fi_dbi_range,
	.icall = fi_dbi_call,
	.ret = fi_dbi_return,
	.trap = fi_dbi_trap,
	.port = fi_dbi_port,
};

static int __init fi_dbi_trap_init(void)
{
	fi_dbi_set_handlers(&fi_dbi_domain_handlers);
	return 0;
}
early_initcall(fi_dbi_trap_init);
