// SPDX-License-Identifier: GPL-2.0-only
/*
 * The moment a domain fails: seals it, records why, tells recovery.
 */
#include <linux/export.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#define CREATE_TRACE_POINTS
#include <trace/events/driver_fi.h>

#include "fault.h"

#define CODE_BEFORE	12		/* bytes recorded before the instruction */
#define TRACE_WORDS	512		/* of the driver's stack looked at */

/**
 * struct delivery - a fault on its way to recovery
 * @work: takes it out of the context of the fault, which may be an NMI
 * @dom: whose fault; written before @work is queued, which orders it
 * @unloading: the driver is on its way out: there is nothing to recover
 *
 * One for each domain id, because a fault cannot allocate.
 */
struct delivery {
	struct irq_work work;
	struct fi_domain *dom;
	bool unloading;
};

static void deliver(struct irq_work *work);

static struct delivery deliveries[FI_MAX_DOMAINS] = {
	[0 ... FI_MAX_DOMAINS - 1] = { .work = IRQ_WORK_INIT_HARD(deliver) },
};

static const struct fi_fault_ops *fault_ops;
static fi_text_fn text_of;
static fi_orig_fn orig_of;
static fi_object_fn object_at;

static void deliver(struct irq_work *work)
{
	struct delivery *dl = container_of(work, struct delivery, work);
	const struct fi_fault_ops *ops = READ_ONCE(fault_ops);
	struct fi_domain *d = dl->dom;

	trace_driver_fi_fault(d->policy.name, fi_fault_name(d->fault.kind),
			      d->fault.ip, d->fault.addr, d->fault.entry ?: "");
	if (d->fault.what)
		trace_driver_fi_denied(d->policy.name, d->fault.what, d->fault.arg,
				       d->fault.why ?: "");
	if (dl->unloading)
		fi_report_fault(d, &d->fault);
	else if (ops)
		ops->faulted(d);
}

/* LOADING, LIVE and STARTING become FAULTED; @true for the one who did it. */
static bool claim(struct fi_domain *d)
{
	enum fi_state state = READ_ONCE(d->state);

	while (state == FI_LOADING || state == FI_LIVE || state == FI_STARTING)
		if (try_cmpxchg(&d->state, &state, FI_FAULTED))
			return true;
	return false;
}

/* The driver's own address of what runs at @ip. */
static unsigned long original(struct fi_domain *d, unsigned long ip)
{
	fi_orig_fn fn = READ_ONCE(orig_of);

	return fn ? fn(d, ip) : ip;
}

static void record_code(struct fi_domain *d, struct fi_fault *f)
{
	fi_text_fn text_fn = READ_ONCE(text_of);
	const void *text;
	size_t avail;
	int before;

	if (!text_fn || !d->text || !f->ip)
		return;
	for (before = CODE_BEFORE; before >= 0; before--) {
		text = text_fn(d, f->ip - before, &avail);
		if (text)
			break;
	}
	if (!text)
		return;
	avail = min(avail, sizeof(f->code));
	if (copy_from_kernel_nofault(f->code, text, avail))
		return;
	f->code_len = avail;
	f->code_ip = before;
}

/* A return address stands behind the call, whose translation it is. */
static unsigned long original_return(struct fi_domain *d, unsigned long ip)
{
	return ip ? original(d, ip - 1) + 1 : 0;
}

static bool addr_is_pointer(const struct fi_fault *f)
{
	return f->addr && (f->kind == FI_FAULT_WRITE || f->kind == FI_FAULT_READ ||
			   f->kind == FI_FAULT_ARG || f->kind == FI_FAULT_OBJECT ||
			   f->kind == FI_FAULT_FIELD);
}

/* What holds the address; else what held it, or is beside it. */
static void record_object(struct fi_domain *d, struct fi_fault *f)
{
	fi_object_fn object_fn = READ_ONCE(object_at);
	struct fi_hit held;

	/* Who raised it may know: what was lent is in no table. */
	if (!addr_is_pointer(f) || f->hit.type)
		return;
	if (!fi_origin_find(d->origins, f->addr, &f->hit))
		f->hit.type = NULL;
	if ((!f->hit.type || f->hit.freed || !fi_hit_inside(&f->hit, f->addr)) &&
	    object_fn && d->objs && object_fn(d, f->addr, &held))
		f->hit = held;
	f->hit.alloc_ip = original_return(d, f->hit.alloc_ip);
	f->hit.free_ip = original_return(d, f->hit.free_ip);
}

/*
 * Words on the driver's stack that point into its text are taken for return
 * addresses. The stack pointer is the driver's and may be anything: only the
 * stack of the innermost crossing is read.
 */
static void record_trace(struct fi_domain *d, struct fi_fault *f)
{
	struct fi_frame *frame = READ_ONCE(current->fi_frame);
	unsigned long word, sp = ALIGN(f->regs.sp, sizeof(word));
	unsigned long top;
	int i, n = 0;

	if (!frame || frame->dom != d || !d->mod)
		return;
	top = (unsigned long)frame->stack;
	if (sp >= top || top - sp > TRACE_WORDS * sizeof(word))
		return;
	for (i = 0; sp < top && n < FI_FAULT_TRACE; i++, sp += sizeof(word)) {
		if (copy_from_kernel_nofault(&word, (void *)sp, sizeof(word)))
			return;
		word = original_return(d, word);
		if (within_module_mem_type(word, d->mod, MOD_TEXT) ||
		    within_module_mem_type(word, d->mod, MOD_INIT_TEXT))
			f->trace[n++] = word;
	}
}

static void record(struct fi_domain *d, const struct fi_fault *from)
{
	struct fi_frame *frame = READ_ONCE(current->fi_frame);
	struct fi_fault *f = &d->fault;

	/* One at a time: who has claimed the state. fi_fault_last() may read. */
	raw_write_seqcount_begin(&d->fault_seq);
	*f = (struct fi_fault) {
		.kind = from->kind,
		.layer = from->layer,
		.ip = original(d, from->ip),
		.addr = from->addr,
		.hit = from->hit,
		.error_code = from->error_code,
		.trapnr = from->trapnr,
		.arg = from->arg,
		.what = from->what,
		.why = from->why,
		.entry = from->entry,
		.cpu = raw_smp_processor_id(),
		.pid = current->pid,
		.task = (unsigned long)current,
		.stack = (unsigned long)task_stack_page(current),
		.time_ns = from->time_ns ?: ktime_get_mono_fast_ns(),
		.regs_valid = from->regs_valid,
	};
	memcpy(f->comm, current->comm, sizeof(f->comm));
	if (frame && frame->dom == d)
		f->entry_fn = frame->entry->addr;
	if (f->regs_valid) {
		f->regs = from->regs;
		f->regs.ip = original(d, f->regs.ip);
	}
	record_object(d, f);
	record_code(d, f);
	if (f->regs_valid)
		record_trace(d, f);
	raw_write_seqcount_end(&d->fault_seq);
}

/**
 * fi_fault_raise - a domain has failed
 * @d: the domain
 * @f: what is known about it; see struct fi_fault for what is added here
 *
 * Nothing runs inside from here on: whoever is inside leaves at its next
 * return to the domain, nobody enters. The first fault since the domain was
 * live is recorded and recovery is told, later ones only keep it sealed.
 * Context: any, also NMI and with any lock held.
 */
void fi_fault_raise(struct fi_domain *d, const struct fi_fault *f)
{
	struct delivery *dl = &deliveries[d->id];
	bool first = claim(d);
	bool unloading = !first && READ_ONCE(d->state) == FI_UNLOADING;

	/*
	 * Sealed before the record is written: that takes a while, and others
	 * are inside. Recovery clears dead when nobody is inside any more, so
	 * a late fault of the old life cannot seal the new one.
	 */
	if (xchg(&d->dead, 1) && unloading)
		return;
	if (!first && !unloading)
		return;
	record(d, f);
	dl->dom = d;
	dl->unloading = unloading;
	/* Queueing is a full barrier: deliver() sees the record. */
	irq_work_queue(&dl->work);
}

/**
 * fi_fault_last - the latest fault of a domain
 * @d: the domain
 * @out: receives a copy
 *
 * Context: any. Return: false if there was none, or one is being recorded.
 */
bool fi_fault_last(struct fi_domain *d, struct fi_fault *out)
{
	/* Does not wait: the writer may be what this interrupted. */
	unsigned int seq = raw_seqcount_begin(&d->fault_seq);

	*out = d->fault;
	return !read_seqcount_retry(&d->fault_seq, seq) && out->kind != FI_FAULT_NONE;
}

/**
 * fi_fault_sync - wait for the delivery of a domain's fault
 * @d: the domain; nothing can raise a fault of it any more
 *
 * Context: may sleep.
 */
void fi_fault_sync(struct fi_domain *d)
{
	irq_work_sync(&deliveries[d->id].work);
}

/**
 * fi_fault_set_ops - say who deals with faults
 * @ops: recovery; stays for ever
 */
void fi_fault_set_ops(const struct fi_fault_ops *ops)
{
	WRITE_ONCE(fault_ops, ops);
}

/**
 * fi_fault_set_text - say how to get at driver text as it runs
 * @fn: fi_text_pristine(), which stands in a higher layer
 * @orig: fi_translate_orig(), likewise
 */
void fi_fault_set_text(fi_text_fn fn, fi_orig_fn orig)
{
	WRITE_ONCE(text_of, fn);
	WRITE_ONCE(orig_of, orig);
}

/**
 * fi_fault_set_object - say how to find a kernel object that a driver holds
 * @fn: fi_objtab_object(), which stands in a higher layer
 */
void fi_fault_set_object(fi_object_fn fn)
{
	WRITE_ONCE(object_at, fn);
}

/* For KUnit, which gives back what it replaced. */
const struct fi_fault_ops *fi_fault_swap_ops(const struct fi_fault_ops *ops)
{
	return xchg(&fault_ops, ops);
}
