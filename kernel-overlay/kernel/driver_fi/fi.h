/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types that two or more layers of driver fault isolation share.
 */
#ifndef _DRIVER_FI_FI_H
#define _DRIVER_FI_FI_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/driver_fi.h>
#include <linux/driver_fi_wrap.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "origin.h"
#include "permmap.h"

struct fi_objtab;
struct fi_pgtable;
struct fi_heap;
struct fi_stacks;
struct fi_text;
struct fi_recovery;
struct fi_binds;
struct fi_translation;
struct fi_classes;
struct fi_dbi_unit;

#define FI_NAME_LEN	56	/* MODULE_NAME_LEN */
#define FI_MAX_DOMAINS	64	/* one PCID each */

enum fi_mode { FI_MODE_OFF, FI_MODE_PT, FI_MODE_DBI, FI_MODE_FULL };
enum fi_checks { FI_CHECKS_NONE, FI_CHECKS_BYTE, FI_CHECKS_SEGMENT, FI_CHECKS_SANDBOX };
enum fi_deny { FI_DENY_FAIL, FI_DENY_SKIP };

/**
 * struct fi_policy - what the user asked for, per driver
 * @name: module name, dashes as underscores
 * @restart_always: no limit
 * @restart_max: restarts allowed within @restart_window seconds; 0 with
 *	@restart_always clear: never restart
 * @backoff_ms: wait before the second restart in a row; doubles from there.
 *	The first is at once. 0: never wait
 * @deny: what a privileged instruction or a foreign port does: end the domain, or
 *	nothing
 * @refused: not NULL: the user asked for what cannot be had; the module must
 *	not be loaded. A constant string for people
 */
struct fi_policy {
	char name[FI_NAME_LEN];
	enum fi_mode mode;
	enum fi_checks checks;
	enum fi_deny deny;
	bool restart_always;
	u32 restart_max;
	u32 restart_window;
	u32 backoff_ms;
	const char *refused;
};

/*
 * State of a domain. Written under fi_domain.lock, except that any context
 * may take LOADING, LIVE and STARTING to FAULTED (cmpxchg).
 *
 *   LOADING -> LIVE -> FAULTED -> RECOVERING -> STARTING -> LIVE
 *                                            \-> OFF (limit reached)
 *   LOADING, LIVE, OFF -> UNLOADING
 */
enum fi_state {
	FI_LOADING, FI_LIVE, FI_FAULTED, FI_RECOVERING, FI_STARTING, FI_OFF,
	FI_UNLOADING,
};

enum fi_fault_kind {
	FI_FAULT_NONE,
	FI_FAULT_WRITE,		/* store outside the domain's rights */
	FI_FAULT_READ,		/* load from an unmapped address */
	FI_FAULT_EXEC,		/* jump outside the driver's text and gates */
	FI_FAULT_GP,		/* #GP */
	FI_FAULT_BUG,		/* #UD: BUG() or not an instruction */
	FI_FAULT_DIVIDE,	/* #DE */
	FI_FAULT_TRAP,		/* any other exception */
	FI_FAULT_STACK,		/* overflow of a domain stack */
	FI_FAULT_LOOP,		/* too long inside without coming out */
	FI_FAULT_LEAK,		/* IRQ flag, preempt count, lock not given back */
	FI_FAULT_ARG,		/* a wrapper rejected an argument */
	FI_FAULT_FIELD,		/* an invalid value in a kernel object */
	FI_FAULT_OBJECT,	/* object not held: double free, stale, forged */
	FI_FAULT_RETURN,	/* the engine: a return address was overwritten */
	FI_FAULT_INSN,		/* the engine: an instruction no driver may execute */
	FI_FAULT_UNBOUND,	/* the kernel called a function without a slot */
	FI_FAULT_LIMIT,		/* has reached a limit of its domain */
	FI_FAULT_INIT,		/* init failed on restart */
	FI_FAULT_USER,		/* asked for by the user (fictl restart) */
	FI_NR_FAULTS
};

/**
 * struct fi_fault - the fault record, filled where the fault is seen
 * @ip: driver instruction, 0 if unknown
 * @addr: address of the access, if the kind has one
 * @arg: index of a rejected argument or -1
 * @what: symbol of the import or slot involved, or NULL
 * @why: for people, constant string, or NULL
 * @cpu, @pid, @comm, @task, @stack, @time_ns, @trace, @entry_fn: filled by
 *	fi_fault_raise(), which runs on the thread that failed (or, for
 *	FI_FAULT_LOOP, in an interrupt of it)
 * @trace: return addresses in driver text found on the driver's stack,
 *	innermost first, 0 behind the last; only with @regs_valid
 * @code: original bytes around @ip; @code_ip is the index of @ip in it
 * @hit: the object that @addr lies in, or just beside; filled likewise, unless @hit.type is
 *	known to who raises it
 * @regs_valid: @regs is a copy of the driver's registers
 */
#define FI_FAULT_TRACE	8
#define FI_FAULT_CODE	32

struct fi_fault {
	enum fi_fault_kind kind;
	enum fi_layer layer;
	unsigned long ip;
	unsigned long addr;
	struct fi_hit hit;
	unsigned long error_code;
	int trapnr;
	int arg;
	const char *what;
	const char *why;
	const char *entry;	/* slot of the crossing it happened in */
	unsigned long entry_fn;	/* and the driver function it called, or 0 */
	int cpu;
	pid_t pid;
	char comm[16];
	unsigned long task;
	unsigned long stack;
	u64 time_ns;		/* ktime_get_mono_fast_ns() */
	unsigned long trace[FI_FAULT_TRACE];
	u8 code[FI_FAULT_CODE];
	u8 code_len;
	u8 code_ip;
	bool regs_valid;
	struct pt_regs regs;
};

/*
 * Counters, per CPU, summed for sysfs. Per CPU @cr3_loads has only those of
 * exceptions: a crossing and an import are two each.
 */
struct fi_stats {
	u64 crossings;		/* kernel -> driver */
	u64 imports;		/* driver -> kernel */
	u64 cr3_loads;
	u64 emulated;		/* stores carried out by the fault handler */
	u64 repaired;		/* stale page-table copies mended */
	u64 asked;		/* checks that did not say yes by themselves */
	u64 rejected;
	u64 denied;		/* privileged instructions, ports of others */
};

/**
 * struct fi_cpu - what a domain has for each CPU
 * @stats: first member: counted in gate.S too
 * @active: frames that were entered here minus those left here: the sum over
 *	all CPUs is 0 when nobody is inside
 * @nr_stacks: free stacks in @stack; with IRQs off
 * @stack: their tops
 */
#define FI_STACK_CACHE	4
struct fi_cpu {
	struct fi_stats stats;
	int active;
	u32 nr_stacks;
	unsigned long stack[FI_STACK_CACHE];
};

/*
 * Where the time of the last restart went, for sysfs. Written by the recovery
 * work item alone through fi_times_*(), read without a lock: a reader may see
 * the steps of two restarts mixed.
 */
#define FI_NR_STEPS	16
struct fi_times {
	u64 begin_ns;		/* the fault */
	u64 last_ns;		/* end of the step before */
	u64 total_ns;		/* fault to driver live again; 0 until then */
	u32 nr;
	struct {
		const char *name;
		u64 ns;
	} step[FI_NR_STEPS];
};

struct fi_port_range {
	u32 first, nr;
};

/* A kernel function that the driver imports, and the stub that leads to it. */
struct fi_redirect {
	unsigned long target;
	unsigned long stub;
	const char *name;
};

/**
 * struct fi_domain - one isolated driver
 * @dead: not 0: nothing may run inside. These four are read by gate.S.
 */
struct fi_domain {
	int dead;
	u32 id;				/* PCID = FI_PCID_BASE | id */
	unsigned long cr3;
	struct fi_cpu __percpu *cpu;
	enum fi_state state;
	struct fi_policy policy;
	struct module *mod;
	struct mutex lock;		/* changes of state but to FAULTED */
	struct list_head node;		/* fi_domains, under fi_domains_lock */
	u32 generation;			/* restarts so far */

	/* L3 */
	struct fi_pgtable *pgt;
	struct fi_heap *heap;
	struct fi_stacks *stacks;
	struct fi_dbi_unit *dbi;	/* translation of its text, or NULL */
	struct fi_text *text;		/* views, kept init sections, snapshot */
	struct fi_translation *translation;	/* modes full, dbi: what runs, or NULL */
	struct fi_redirect *redirects;	/* kernel addresses the driver may call */
	unsigned int nr_redirects;
	struct fi_port_range ports[8];
	unsigned int nr_ports;
	spinlock_t handed_lock;		/* of: */
	struct list_head handed;	/* struct fi_handover */
	struct hlist_head shadows;	/* struct fi_shadow; see rm/shadow.c */
	atomic_t shadowed;		/* of these, how many are not closed */

	/* L4 */
	struct fi_binds *binds;
	struct fi_classes *classes;	/* parked objects, data of classes */
	unsigned long init_addr;	/* of the module's init function, or 0 */

	/* L2 */
	struct fi_objtab *objs;
	struct fi_permmap *perm;
	struct fi_origins *origins;	/* for reports; may be NULL */

	/* L5 */
	struct fi_fault fault;		/* the first since LIVE; fi_fault_last() */
	seqcount_t fault_seq;
	struct fi_times times;
	struct fi_recovery *rec;
	struct kobject kobj;		/* added and deleted by sysfs.c */
	struct completion kobj_gone;	/* last reference to kobj dropped */
};

/**
 * struct fi_frame - one crossing into a domain, on the kernel stack of the
 * caller of fi_invoke(), linked from current->fi_frame (innermost first)
 * @kernel_sp: where imports and exceptions continue on the kernel stack
 * @domain_sp: the driver's stack pointer while it is out in an import
 * @rcu: current's RCU read nesting at entry
 * @ticks: watchdog: ticks seen inside since the last import
 */
struct fi_frame {
	struct fi_domain *dom;
	unsigned long kernel_sp;
	unsigned long domain_sp;
	unsigned long flags;		/* RFLAGS of the caller */
	unsigned long ret_flags;	/* RFLAGS the driver returned with */
	struct fi_frame *prev;
	struct fi_entry *entry;
	void *stack;
	u32 ticks;
	u32 faulted;
	int preempt;
	int rcu;
	int nr_locks;
	struct { u8 kind; void *lock; } locks[8];
};

/*
 * The L1 verb everybody uses to say "this domain has failed". Any context,
 * also NMI. Copies @f if it is the first since the domain was live.
 */
void fi_fault_raise(struct fi_domain *d, const struct fi_fault *f);

/*
 * Registered by recovery: called once per fault, any context but with IRQs
 * off, never NMI (deferred by irq_work).
 */
struct fi_fault_ops {
	void (*faulted)(struct fi_domain *d);
};

void fi_fault_set_ops(const struct fi_fault_ops *ops);
/* fi_text_pristine(), for the code bytes in fault records. */
typedef const void *(*fi_text_fn)(struct fi_domain *d, unsigned long ip, size_t *avail);
typedef unsigned long (*fi_orig_fn)(struct fi_domain *d, unsigned long ip);
void fi_fault_set_text(fi_text_fn fn, fi_orig_fn orig);
/* fi_objtab_object(): the kernel object that the driver holds at @addr. */
typedef bool (*fi_object_fn)(struct fi_domain *d, unsigned long addr, struct fi_hit *hit);
void fi_fault_set_object(fi_object_fn fn);
/*
 * Waits until no delivery of a fault of @d is pending or running; before the
 * domain is freed. Sleeps.
 */
void fi_fault_sync(struct fi_domain *d);
/* The last fault, also after recovery. False if there was none. */
bool fi_fault_last(struct fi_domain *d, struct fi_fault *out);

#define fi_stat_inc(d, field)	this_cpu_inc((d)->cpu->stats.field)
struct fi_stats fi_stats_sum(struct fi_domain *d);
/*
 * Recovery tells how far it is: begin at the start of recovery (time counts
 * from d->fault.time_ns), step at the end of each step, end when the driver
 * is live again. Also the tracepoints driver_fi:step and driver_fi:restart.
 */
void fi_times_begin(struct fi_domain *d);
void fi_times_step(struct fi_domain *d, const char *name);
void fi_times_end(struct fi_domain *d, bool ok);

/*
 * report.c: the one report format, and what else is told to user space. The
 * report is printed by recovery, followed by what it does about it:
 */
void fi_report_fault(const struct fi_domain *d, const struct fi_fault *f);
/* "driver_fi: e1000: <fmt>": the one way to print anything about a domain. */
__printf(2, 3) void fi_report_say(const struct fi_domain *d, const char *fmt, ...);
/*
 * uevent on the domain's kobject with FI_ACTION=@action ("fault", "restart",
 * "off"), DRIVER, STATE, FAULT, RESTARTS; wakes poll() on its state. Sleeps.
 */
void fi_uevent(struct fi_domain *d, const char *action);
ssize_t fi_report_format(const struct fi_domain *d, const struct fi_fault *f,
			 char *buf, size_t size);
const char *fi_fault_name(enum fi_fault_kind kind);
const char *fi_fault_layer(const struct fi_fault *f);
const char *fi_state_name(enum fi_state state);
const char *fi_mode_name(enum fi_mode mode);

/* policy.c */
int fi_policy_parse(const char *arg);		/* the whole driver_fi= string */
int fi_policy_set(const char *one);		/* one "name:mode,opt,opt" */
/* Is @name configured (also as off or refused: look at out->mode, ->refused)? */
bool fi_policy_find(const char *name, struct fi_policy *out);
ssize_t fi_policy_print(char *buf, size_t size);
ssize_t fi_policy_print_one(const struct fi_policy *p, char *buf, size_t size);
/* Was driver_fi= on the command line? From parse_early_param() on. */
bool fi_policy_armed(void);

/* L2 rm/object.c */
int fi_objtab_init(void);
struct fi_objtab *fi_objtab_create(struct fi_domain *d);
void fi_objtab_destroy(struct fi_objtab *t);
/* Runs the release functions, newest first. Returns how many objects. */
unsigned int fi_objtab_release_all(struct fi_domain *d);
unsigned int fi_objtab_count(struct fi_domain *d);
/* One line per kind: "net_device 1\n". */
ssize_t fi_objtab_print(struct fi_domain *d, char *buf, size_t size);
/*
 * The object that [addr, addr+len) is a permitted in-place part of; *mask gets
 * the bits that may change (little endian, ~0ULL for len > 8). Any context.
 */
bool fi_objtab_may_store(struct fi_domain *d, unsigned long addr, u32 len, u64 *mask);
/* An object that a store was permitted into, to be asked first the next time. */
struct fi_obj_hit {
	struct fi_domain *dom;
	unsigned long base;
	const struct fi_type *type;
	int gone;
};

bool fi_objtab_hit(const struct fi_obj_hit *hit, struct fi_domain *d,
		   unsigned long addr, u32 len, u64 *mask);
bool fi_objtab_find_store(struct fi_domain *d, unsigned long addr, u32 len, u64 *mask,
			  struct fi_obj_hit *hit);
bool fi_objtab_object(struct fi_domain *d, unsigned long addr, struct fi_hit *hit);
/* Is @addr a spinlock of a held object that the driver may take? Any context. */
bool fi_objtab_may_lock(struct fi_domain *d, unsigned long addr);
/* Objects of @t have a spinlock at @off that holders may take. Sleeps. */
int fi_type_add_lock(const struct fi_type *t, u32 off);

/* L3 domain/emulate.c */
/*
 * Carries out the store instruction at regs->ip in the kernel's view, if
 * @allowed says yes to each piece, and advances regs->ip. Any context.
 * Return: 1 done, 0 not permitted, -EOPNOTSUPP not a known store.
 */
int fi_emulate_store(struct fi_domain *d, struct pt_regs *regs);
/* Text of a driver changed: nothing decoded before counts. See emulate.c. */
void fi_emulate_forget(void);
void fi_emulate_domain_gone(void);
/* May @d store here (all sources of rights)? *mask as above. */
bool fi_may_store(struct fi_domain *d, unsigned long addr, u32 len, u64 *mask);

/* L3 domain/domain.c */
struct fi_domain *fi_domain_create(struct module *mod, const struct fi_policy *p);
void fi_domain_destroy(struct fi_domain *d);
struct fi_domain *fi_domain_find(const char *name);	/* under fi_domains_lock */
extern struct list_head fi_domains;
extern struct mutex fi_domains_lock;
/* Which domain does this address of driver text belong to? Any context. */
struct fi_domain *fi_domain_of_text(unsigned long addr);

/*
 * The driver's text as it runs, for an address in it: *@avail gets the bytes
 * up to its end. NULL if @ip is no text of @d. Any context.
 */
const void *fi_text_pristine(struct fi_domain *d, unsigned long ip, size_t *avail);
/* Copies up to @len bytes of text as the driver runs it; how many. Any context. */
size_t fi_text_read(struct fi_domain *d, unsigned long addr, void *buf, size_t len);
/* Does the driver's code run translated, with rights byte by byte? */
static inline bool fi_translated(const struct fi_domain *d)
{
	return d->policy.mode == FI_MODE_FULL || d->policy.mode == FI_MODE_DBI;
}

/* Has it no page table of its own? Then d->pgt is NULL and d->cr3 is 0. */
static inline bool fi_on_kernel_pgt(const struct fi_domain *d)
{
	return IS_ENABLED(CONFIG_DRIVER_FI_DBI) && d->policy.mode == FI_MODE_DBI;
}

/* Adds module data (writable) and text (executable) to the page table. */
int fi_domain_map_module(struct fi_domain *d);
/* Keeps init sections that the module loader would free, for restarts. */
void fi_domain_keep_init(struct fi_domain *d, void *text, void *data, void *rodata);

/* L3 domain/crossing.c */
int fi_domain_active(struct fi_domain *d);	/* frames inside now */
/* Forces every thread inside out at its next return; IPIs the CPUs. */
void fi_domain_kick(struct fi_domain *d);
void fi_domain_snapshot_take(struct fi_domain *d);	/* before init */
int fi_domain_snapshot_restore(struct fi_domain *d);
/* L4: gates of a text address, writable; and the moment they take over. */
void *fi_text_gates(struct fi_domain *d, unsigned long addr);
void fi_domain_switch_text(struct fi_domain *d);

/*
 * Restart: this part of the module's data holds a kernel object that stays
 * registered; fi_domain_snapshot_restore() leaves it alone.
 */
int fi_snapshot_exclude(struct fi_domain *d, void *p, size_t len);

/* L3 domain/stack.c */
size_t fi_stacks_bytes(const struct fi_domain *d);

/* L3 domain/ports.c */
int fi_port_grant(struct fi_domain *d, u32 first, u32 nr);
void fi_port_revoke(struct fi_domain *d, u32 first, u32 nr);
bool fi_port_allowed(struct fi_domain *d, u32 port, u32 size);

/* L4 wrap/bind.c */
/* Address of the domain's stub for an import, 0 if the driver has none. */
unsigned long fi_import_stub(struct fi_domain *d, const char *name);
/*
 * Calls the module's init function again; its return value, or -EIO if it
 * did not come back.
 */
int fi_domain_run_init(struct fi_domain *d);
int fi_builtin_wrappers_init(void);
struct fi_entry *fi_entry_by_name(struct fi_domain *d, const char *func);
struct fi_entry *fi_entry_by_addr(struct fi_domain *d, unsigned long addr);
void fi_entries_unbind_dynamic(struct fi_domain *d);	/* bindings made at run time */

/* L5 recovery; called by L6 and by wrap's module hooks through return values */
int fi_recovery_init(void);
int fi_recovery_create(struct fi_domain *d);
void fi_recovery_going(struct fi_domain *d);	/* rmmod begins: no restart from here on */
void fi_recovery_destroy(struct fi_domain *d);	/* on rmmod: waits, releases */
int fi_recovery_request(struct fi_domain *d);	/* user asks for a restart */

/* sysfs.c: /sys/kernel/driver_fi/<driver>/. Sleep. del waits for readers. */
int fi_sysfs_add(struct fi_domain *d);
void fi_sysfs_del(struct fi_domain *d);

/* inject.c */
#ifdef CONFIG_DRIVER_FI_INJECT
/*
 * Called by a crossing with the key on: what to run inside the domain in place
 * of @e's function, or 0. Any context. Set before the key is ever enabled.
 */
typedef unsigned long (*fi_inject_fn)(struct fi_domain *d, struct fi_entry *e);
extern fi_inject_fn fi_inject_hook;
extern struct static_key_false fi_inject_key;
#endif

#endif
