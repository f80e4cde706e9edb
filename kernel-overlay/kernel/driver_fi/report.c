// SPDX-License-Identifier: GPL-2.0-only
/*
 * What people are told: the one report format of a fault, and uevents.
 *
 * A leaf. Its text is the tested interface: it changes together with
 * Documentation/reports.rst and the tests that expect it.
 */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "address.h"
#include "fi.h"

#define REPORT_SIZE	4096

static const struct {
	const char *name;	/* one word, for sysfs and uevents */
	const char *headline;	/* for people; what is at the address follows */
	enum fi_layer layer;	/* that notices it, if the record does not say */
	bool has_addr;
} kinds[FI_NR_FAULTS] = {
	[FI_FAULT_NONE]		= { "none", "none" },
	[FI_FAULT_WRITE]	= { "write", "write to", FI_LAYER_PAGES, true },
	[FI_FAULT_READ]		= { "read", "read of", FI_LAYER_PAGES, true },
	[FI_FAULT_EXEC]		= { "exec", "jump to", FI_LAYER_PAGES, true },
	[FI_FAULT_GP]		= { "gp", "general protection fault", FI_LAYER_CPU },
	[FI_FAULT_BUG]		= { "bug", "BUG() or invalid instruction", FI_LAYER_CPU },
	[FI_FAULT_DIVIDE]	= { "divide", "divide error", FI_LAYER_CPU },
	[FI_FAULT_TRAP]		= { "trap", "unexpected exception", FI_LAYER_CPU },
	[FI_FAULT_STACK]	= { "stack", "stack overflow", FI_LAYER_PAGES },
	[FI_FAULT_LOOP]		= { "loop", "does not come back", FI_LAYER_WATCHDOG },
	[FI_FAULT_LEAK]		= { "leak", "left its context changed", FI_LAYER_CROSSING },
	[FI_FAULT_ARG]		= { "arg", "call of the kernel rejected", FI_LAYER_WRAPPER },
	[FI_FAULT_FIELD]	= { "field", "invalid value for a kernel object", FI_LAYER_SHADOW },
	[FI_FAULT_OBJECT]	= { "object", "misuse of a kernel object", FI_LAYER_WRAPPER },
	[FI_FAULT_RETURN]	= { "return", "return to", FI_LAYER_FLOW, true },
	[FI_FAULT_INSN]		= { "insn", "forbidden instruction", FI_LAYER_INSN },
	[FI_FAULT_UNBOUND]	= { "unbound", "called where it must not be", FI_LAYER_WRAPPER },
	[FI_FAULT_LIMIT]	= { "limit", "a limit of its domain is reached", FI_LAYER_BYTES },
	[FI_FAULT_INIT]		= { "init", "init failed", FI_LAYER_RECOVERY },
	[FI_FAULT_USER]		= { "user", "restart asked for by the user", FI_LAYER_USER },
};

static const char * const states[] = {
	[FI_LOADING]	= "loading",
	[FI_LIVE]	= "live",
	[FI_FAULTED]	= "faulted",
	[FI_RECOVERING]	= "recovering",
	[FI_STARTING]	= "starting",
	[FI_OFF]	= "off",
	[FI_UNLOADING]	= "unloading",
};

static const char * const layers[FI_NR_LAYERS] = {
	[FI_LAYER_DEFAULT]	= "?",
	[FI_LAYER_PAGES]	= "page table",
	[FI_LAYER_BYTES]	= "byte check",
	[FI_LAYER_FLOW]		= "control flow",
	[FI_LAYER_INSN]		= "privileged instruction",
	[FI_LAYER_CPU]		= "exception",
	[FI_LAYER_WRAPPER]	= "wrapper",
	[FI_LAYER_SHADOW]	= "shadow copy",
	[FI_LAYER_CROSSING]	= "crossing",
	[FI_LAYER_WATCHDOG]	= "watchdog",
	[FI_LAYER_RECOVERY]	= "recovery",
	[FI_LAYER_USER]		= "user",
};

const char *fi_fault_name(enum fi_fault_kind kind)
{
	return kind < FI_NR_FAULTS ? kinds[kind].name : "?";
}

/* The layer that noticed, in words. */
const char *fi_fault_layer(const struct fi_fault *f)
{
	enum fi_layer layer = f->layer;

	if (layer == FI_LAYER_DEFAULT && f->kind < FI_NR_FAULTS)
		layer = kinds[f->kind].layer;
	return layer < FI_NR_LAYERS ? layers[layer] : "?";
}

const char *fi_state_name(enum fi_state state)
{
	return state < ARRAY_SIZE(states) ? states[state] : "?";
}

/* Where control was lost is not where the driver stood: its caller is known. */
static unsigned long blamed_ip(const struct fi_fault *f)
{
	return f->kind == FI_FAULT_EXEC && f->ip == f->addr && f->trace[0] ?
	       f->trace[0] : f->ip;
}

static void say_headline(struct seq_buf *s, const struct fi_domain *d,
			 const struct fi_fault *f)
{
	seq_buf_printf(s, "fault: %s", kinds[f->kind].headline);
	if (kinds[f->kind].has_addr)
		seq_buf_printf(s, " %s", fi_address_region(d, f, f->addr));
	seq_buf_puts(s, "\n");
}

static void describe_object(struct seq_buf *s, const struct fi_fault *f)
{
	const struct fi_hit *h = &f->hit;
	unsigned long off = f->addr - h->start;

	if (!fi_hit_inside(h, f->addr)) {
		bool left = f->addr < h->start;

		off = left ? h->start - f->addr : off - h->size + 1;
		seq_buf_printf(s, "%lu byte%s to the %s of", off, off == 1 ? "" : "s",
			       left ? "left" : "right");
	} else if (off) {
		seq_buf_printf(s, "%lu byte%s inside of", off, off == 1 ? "" : "s");
	} else {
		seq_buf_puts(s, "the start of");
	}
	seq_buf_printf(s, " the %s", h->freed ? "freed " : "");
	if (h->size)
		seq_buf_printf(s, "%zu-byte ", h->size);
	seq_buf_printf(s, "%s object", h->type);
}

/**
 * fi_report_object - the object that a fault hit, in words
 * @f: fault record
 * @buf: where to
 * @size: of @buf; 96 hold every phrase
 *
 * Context: any. Return: length, 0 if no object is known.
 */
ssize_t fi_report_object(const struct fi_fault *f, char *buf, size_t size)
{
	struct seq_buf s;

	seq_buf_init(&s, buf, size);
	if (f->hit.type)
		describe_object(&s, f);
	seq_buf_str(&s);
	return seq_buf_used(&s);
}

static void say_object(struct seq_buf *s, const struct fi_fault *f)
{
	if (!f->hit.type)
		return;
	seq_buf_puts(s, "  object   ");
	describe_object(s, f);
	seq_buf_puts(s, "\n");
	if (f->hit.alloc_ip)
		seq_buf_printf(s, "  alloc    %pS\n", (void *)f->hit.alloc_ip);
	if (f->hit.free_ip)
		seq_buf_printf(s, "  free     %pS\n", (void *)f->hit.free_ip);
}

static void say_where(struct seq_buf *s, const struct fi_domain *d,
		      const struct fi_fault *f)
{
	unsigned long ip = blamed_ip(f);

	if (ip)
		seq_buf_printf(s, "  %s %pS\n",
			       ip == f->ip ? "at      " : "from    ", (void *)ip);
	if (kinds[f->kind].has_addr) {
		seq_buf_printf(s, "  address  0x%016lx", f->addr);
		fi_address_describe(s, d, f, f->addr);
		seq_buf_puts(s, "\n");
	}
	say_object(s, f);
	seq_buf_printf(s, "  by       %s\n", fi_fault_layer(f));
	if (f->entry)
		seq_buf_printf(s, "  in       %s", f->entry);
	if (f->entry && f->entry_fn)
		seq_buf_printf(s, ", %ps", (void *)f->entry_fn);
	if (f->entry)
		seq_buf_puts(s, "\n");
	seq_buf_printf(s, "  on       CPU %d, task %d (%.*s)\n", f->cpu, f->pid,
		       (int)sizeof(f->comm), f->comm);
}

static void say_why(struct seq_buf *s, const struct fi_fault *f)
{
	if (f->what)
		seq_buf_printf(s, "  call     %s", f->what);
	if (f->what && f->arg >= 0)
		seq_buf_printf(s, ", argument %d = 0x%lx", f->arg + 1, f->addr);
	if (f->what)
		seq_buf_puts(s, "\n");
	if (f->why)
		seq_buf_printf(s, "  why      %s\n", f->why);
}

static void say_code(struct seq_buf *s, const struct fi_fault *f)
{
	int i;

	if (!f->code_len)
		return;
	seq_buf_puts(s, "  code    ");
	for (i = 0; i < f->code_len; i++)
		seq_buf_printf(s, i == f->code_ip ? " <%02x>" : " %02x",
			       f->code[i]);
	seq_buf_puts(s, "\n");
}

static void say_regs(struct seq_buf *s, const struct fi_fault *f)
{
	const struct pt_regs *r = &f->regs;
	int i;

	if (!f->regs_valid)
		return;
	seq_buf_printf(s, "  trap     %d, error code 0x%lx\n", f->trapnr,
		       f->error_code);
	seq_buf_printf(s, "  rax %016lx  rbx %016lx  rcx %016lx\n",
		       r->ax, r->bx, r->cx);
	seq_buf_printf(s, "  rdx %016lx  rsi %016lx  rdi %016lx\n",
		       r->dx, r->si, r->di);
	seq_buf_printf(s, "  rbp %016lx  rsp %016lx  rip %016lx\n",
		       r->bp, r->sp, r->ip);
	seq_buf_printf(s, "  r8  %016lx  r9  %016lx  r10 %016lx\n",
		       r->r8, r->r9, r->r10);
	seq_buf_printf(s, "  r11 %016lx  r12 %016lx  r13 %016lx\n",
		       r->r11, r->r12, r->r13);
	seq_buf_printf(s, "  r14 %016lx  r15 %016lx  flg %016lx\n",
		       r->r14, r->r15, r->flags);
	for (i = 0; i < FI_FAULT_TRACE && f->trace[i]; i++)
		seq_buf_printf(s, "  stack    %pS\n", (void *)f->trace[i]);
}

/**
 * fi_report_format - the text of a fault report, without prefix
 * @d: the domain
 * @f: its fault record
 * @buf: where to
 * @size: of @buf in bytes; 4096 hold every report
 *
 * Context: any but NMI. Return: length.
 */
ssize_t fi_report_format(const struct fi_domain *d, const struct fi_fault *f,
			 char *buf, size_t size)
{
	struct seq_buf s;

	if (f->kind >= FI_NR_FAULTS)
		return 0;
	seq_buf_init(&s, buf, size);
	say_headline(&s, d, f);
	say_where(&s, d, f);
	say_why(&s, f);
	say_code(&s, f);
	say_regs(&s, f);
	seq_buf_str(&s);
	return seq_buf_used(&s);
}

/**
 * fi_report_fault - print a fault report
 * @d: the domain
 * @f: its fault record
 *
 * Context: any but NMI; in process context it can tell more of an address.
 */
void fi_report_fault(const struct fi_domain *d, const struct fi_fault *f)
{
	char *buf = kmalloc(REPORT_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	char *rest = buf, *line;

	if (!buf) {
		pr_err("driver_fi: %s: fault: %s (no memory to report it)\n",
		       d->policy.name, fi_fault_name(f->kind));
		return;
	}
	fi_report_format(d, f, buf, REPORT_SIZE);
	while ((line = strsep(&rest, "\n")) && *line)
		pr_err("driver_fi: %s: %s\n", d->policy.name, line);
	kfree(buf);
}

/**
 * fi_report_say - print one line about a domain
 * @d: the domain
 * @fmt: without prefix and newline
 *
 * Context: as printk().
 */
void fi_report_say(const struct fi_domain *d, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	pr_warn("driver_fi: %s: %pV\n", d->policy.name, &vaf);
	va_end(args);
}

/**
 * fi_uevent - tell user space that something happened to a domain
 * @d: the domain
 * @action: "fault", "restart" or "off"
 *
 * A change event on /sys/kernel/driver_fi/<driver>, and a wake-up for whoever
 * polls its state. Context: may sleep.
 */
void fi_uevent(struct fi_domain *d, const char *action)
{
	char driver[FI_NAME_LEN + 8], what[24], state[24], fault[24], restarts[24];
	char *env[6] = { what, driver, state, fault, restarts };

	if (!d->kobj.state_in_sysfs)
		return;
	scnprintf(what, sizeof(what), "FI_ACTION=%s", action);
	scnprintf(driver, sizeof(driver), "DRIVER=%s", d->policy.name);
	scnprintf(state, sizeof(state), "STATE=%s", fi_state_name(d->state));
	scnprintf(fault, sizeof(fault), "FAULT=%s", fi_fault_name(d->fault.kind));
	scnprintf(restarts, sizeof(restarts), "RESTARTS=%u", d->generation);
	kobject_uevent_env(&d->kobj, KOBJ_CHANGE, env);
	sysfs_notify(&d->kobj, NULL, "state");
}
