// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions raised inside a domain: repair, carry out, or condemn.
 */
#include <linux/bug.h>
#include <linux/driver_fi.h>
#include <linux/extable.h>
#include <linux/kernel.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include <asm/driver_fi.h>
#include <asm/insn.h>
#include <asm/sections.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <trace/events/driver_fi.h>

#include "../rm/shadow.h"
#include "domain.h"
#include "translate.h"

static void fi_condemn(struct fi_frame *f, struct pt_regs *regs, struct fi_fault *fault)
{
	fault->ip = regs->ip;
	fault->arg = -1;
	fault->entry = f->entry->slot->name;
	fault->regs_valid = true;
	fault->regs = *regs;
	fault->regs.csx &= 0xffff;
	fi_fault_raise(f->dom, fault);
}

static enum fi_fault_kind fi_classify_pf(struct fi_frame *f, unsigned long error_code,
					 unsigned long addr)
{
	if (fi_stack_guard_hit(f->dom, (unsigned long)f->stack, addr))
		return FI_FAULT_STACK;
	if (error_code & X86_PF_INSTR)
		return FI_FAULT_EXEC;
	return error_code & X86_PF_WRITE ? FI_FAULT_WRITE : FI_FAULT_READ;
}

/* The driver called a kernel function through a pointer: go by its gate. */
static bool fi_redirect_import(struct fi_domain *d, struct pt_regs *regs)
{
	unsigned int i;

	for (i = 0; i < d->nr_redirects; i++) {
		if (d->redirects[i].target == regs->ip) {
			regs->ip = d->redirects[i].stub;
			return true;
		}
	}
	return false;
}

/* Loads that may fail carry an exception table entry, as in the kernel. */
static bool fi_fixup(struct fi_domain *d, struct pt_regs *regs, int trapnr,
		     unsigned long error_code, unsigned long addr)
{
	unsigned long ip = regs->ip;

	regs->ip = fi_translate_orig(d, ip);
	if (!fixup_exception(regs, trapnr, error_code, addr)) {
		regs->ip = ip;
		return false;
	}
	regs->ip = fi_translate_cache(d, regs->ip);
	return true;
}

/* A fault record is large: apart from the path that every store takes. */
static noinline void fi_condemn_pf(struct fi_frame *f, struct pt_regs *regs,
				   unsigned long error_code, unsigned long addr,
				   enum fi_fault_kind kind, enum fi_layer layer,
				   const char *why)
{
	struct fi_fault fault = {
		.kind = kind,
		.layer = layer,
		.trapnr = X86_TRAP_PF,
		.error_code = error_code,
		.addr = addr,
		.why = why,
	};

	fi_condemn(f, regs, &fault);
}

/*
 * A check that cannot go on: it has no room on the stack, or the map says
 * nothing because what it was asked about is no address of the kernel's. The
 * store itself would have been a fault too.
 */
static void fi_condemn_check(struct fi_frame *f, struct pt_regs *regs,
			     unsigned long error_code, unsigned long addr)
{
	enum fi_fault_kind kind = fi_classify_pf(f, error_code, addr);

	if (kind != FI_FAULT_STACK) {
		kind = FI_FAULT_WRITE;
		addr = (addr - FI_MAP_DISP) << 3;
	}
	fi_condemn_pf(f, regs, error_code, addr, kind,
		      kind == FI_FAULT_WRITE ? FI_LAYER_BYTES : FI_LAYER_PAGES, NULL);
}

static void fi_page_fault(struct fi_frame *f, struct pt_regs *regs,
			  unsigned long error_code, unsigned long addr)
{
	struct fi_domain *d = f->dom;
	unsigned long ip = regs->ip;
	const char *why = NULL;

	if (fi_translate_is_check(d, regs->ip)) {
		if (!fi_permmap_fault(d->perm, addr))
			fi_condemn_check(f, regs, error_code, addr);
		return;
	}
	/* A right was added since this CPU cached the entry: just retry. */
	if (error_code & X86_PF_WRITE && arch_fi_owned(d->pgt, addr, true))
		return;
	if (!(error_code & X86_PF_PROT) && arch_fi_repair(d->pgt, addr)) {
		fi_stat_inc(d, repaired);
		return;
	}
	if (error_code & X86_PF_WRITE && !(error_code & X86_PF_INSTR) && d->pgt) {
		int err;

		if (fi_shadow_fault(d, addr) || fi_page_open(d, addr))
			return;
		err = fi_emulate_store(d, regs);
		if (likely(err > 0)) {
			fi_stat_inc(d, emulated);
			trace_driver_fi_emulated(d->policy.name, ip, addr);
			return;
		}
		if (err == -EOPNOTSUPP)
			why = "store by an instruction that is not emulated";
	}
	if (error_code & X86_PF_INSTR && fi_redirect_import(d, regs))
		return;
	if (fi_fixup(d, regs, X86_TRAP_PF, error_code, addr))
		return;
	fi_condemn_pf(f, regs, error_code, addr, fi_classify_pf(f, error_code, addr),
		      FI_LAYER_PAGES, why);
}

/* __report_bug(): are these @regs, if any, such that fi_warn() has looked at the text? */
bool fi_bug_in_domain(const struct pt_regs *regs)
{
	return regs && fi_regs_in_domain(regs);
}

/* ud2 of a WARN(): the kernel's bug table has the driver's addresses. */
static bool fi_warn(struct fi_domain *d, struct pt_regs *regs)
{
	size_t avail;
	const u8 *text = fi_text_pristine(d, regs->ip, &avail);

	if (!text || avail < 2 || text[0] != 0x0f || text[1] != 0x0b)
		return false;
	if (report_bug(fi_translate_orig(d, regs->ip), regs) != BUG_TRAP_TYPE_WARN)
		return false;
	regs->ip += 2;
	return true;
}

/* Everything but page faults. */
static noinline void fi_trap(struct fi_frame *f, struct pt_regs *regs, int trapnr,
			     unsigned long error_code)
{
	struct fi_fault fault = { .trapnr = trapnr, .error_code = error_code };

	switch (trapnr) {
	case X86_TRAP_UD:
		if (fi_translate_ask(f->dom, regs) || fi_warn(f->dom, regs))
			return;
		fault.kind = FI_FAULT_BUG;
		break;
	case X86_TRAP_GP:
		if (fi_fixup(f->dom, regs, trapnr, error_code, 0))
			return;
		fault.kind = FI_FAULT_GP;
		break;
	case X86_TRAP_DE:
		fault.kind = FI_FAULT_DIVIDE;
		break;
	case X86_TRAP_DF:
		/* In mode dbi the CPU has no other stack to push a page fault on. */
		fault.kind = fi_stack_guard_hit(f->dom, (unsigned long)f->stack, regs->sp - 1) ?
			     FI_FAULT_STACK : FI_FAULT_TRAP;
		break;
	default:
		fault.kind = FI_FAULT_TRAP;
	}
	fi_condemn(f, regs, &fault);
}

/**
 * __fi_handle_trap - an exception handler's first question
 * @regs: where it happened
 * @trapnr: vector
 * @error_code: what the CPU pushed, or 0
 * @addr: CR2 of a page fault
 *
 * Context: exception, IRQs off, also NMI-like for #DF.
 * Return: true if the exception came from a domain and is dealt with: return
 * from it. False: the kernel's own, as if FI did not exist
 */
bool __fi_handle_trap(struct pt_regs *regs, int trapnr, unsigned long error_code,
		      unsigned long addr)
{
	struct fi_frame *f = current->fi_frame;

	if (!fi_regs_in_domain(regs) || WARN_ON_ONCE(!f))
		return false;
	if (READ_ONCE(f->dom->dead))
		return true;
	if (trapnr == X86_TRAP_PF)
		fi_page_fault(f, regs, error_code, addr);
	else
		fi_trap(f, regs, trapnr, error_code);
	return true;
}
