// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores of a driver that its page table refuses: who permits them, and
 * carrying them out in the kernel's view.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/current.h>
#include "domain.h"
#include "emulate.h"

/* What set_current_state() stores for a driver that waits. */
#define WAIT_STATES	(TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_WAKEKILL)

static bool within(unsigned long addr, u32 len, const void *start, size_t size)
{
	return addr >= (unsigned long)start && len <= size &&
	       addr - (unsigned long)start <= size - len;
}

/*
 * Kernel memory that every driver changes through inline functions, for the
 * thread that it runs on: the preempt count (the crossing compares it) and the
 * task's state, never to what a scheduler would do with a dead task.
 */
static bool may_store_context(unsigned long addr, u32 len, u64 *mask)
{
	if (within(addr, len, raw_cpu_ptr(&pcpu_hot.preempt_count),
		   sizeof(pcpu_hot.preempt_count))) {
		*mask = ~0ULL;
		return true;
	}
	if (within(addr, len, &current->__state, sizeof(current->__state))) {
		*mask = (u64)WAIT_STATES >> 8 * (addr - (unsigned long)&current->__state);
		return true;
	}
	return false;
}

/**
 * fi_may_store - may a driver store to these bytes?
 * @d: its domain
 * @addr: first byte
 * @len: bytes
 * @mask: gets the bits that may change, byte 0 lowest; ~0 for @len > 8
 *
 * Its own memory, granted bytes, fields of objects that it holds, and the
 * context of the thread it runs on.
 *
 * Context: any, not NMI; takes no lock.
 */
bool fi_may_store(struct fi_domain *d, unsigned long addr, u32 len, u64 *mask)
{
	if (fi_mem_writable(d, addr, len)) {
		*mask = ~0ULL;
		return true;
	}
	return may_store_context(addr, len, mask) ||
	       fi_objtab_may_store(d, addr, len, mask);
}

/* A driver changes a packet and a queue by turns. IRQs off. */
#define HITS	2
static DEFINE_PER_CPU(struct fi_obj_hit [HITS], hits);

/*
 * fi_may_store() for what the page table refused, in the order of what that
 * is. An object in the driver's own memory has no say there: such memory is
 * writable, but where a store stands across two pages.
 */
static bool domain_may_store(void *data, unsigned long addr, u32 len, u64 *mask)
{
	struct fi_obj_hit *hit = this_cpu_ptr(hits);
	struct fi_domain *d = data;

	if (unlikely(offset_in_page(addr) + len > PAGE_SIZE))
		return fi_may_store(d, addr, len, mask);
	if (fi_objtab_hit(&hit[0], d, addr, len, mask) ||
	    fi_objtab_hit(&hit[1], d, addr, len, mask))
		return true;
	swap(hit[0], hit[1]);
	return fi_objtab_find_store(d, addr, len, mask, &hit[0]) ||
	       fi_may_store(d, addr, len, mask);
}

/**
 * struct decoded - a store that this CPU has met before
 * @ip: its address, 0: none
 * @gen: of the text when it was decoded
 * @store: what stands there
 */
struct decoded {
	unsigned long ip;
	unsigned int gen;
	struct fi_store store;
};

/* IRQs off. Every driver has few of them, and meets them with each packet. */
#define DECODED_BITS	6
static DEFINE_PER_CPU(struct decoded [1 << DECODED_BITS], decoded);

/* Raised when text changes, while nobody decodes: in stop_machine(). */
static unsigned int text_gen;

/**
 * fi_emulate_forget - text of a driver changed
 *
 * Context: no other CPU is in a fault handler, or it is not one of that text.
 */
void fi_emulate_forget(void)
{
	WRITE_ONCE(text_gen, text_gen + 1);
}

static void forget_hits(void *unused)
{
	memset(this_cpu_ptr(hits), 0, sizeof(hits));
}

/**
 * fi_emulate_domain_gone - a domain is about to be freed
 *
 * The next one may have its address. Context: may sleep; nobody is inside.
 */
void fi_emulate_domain_gone(void)
{
	fi_emulate_forget();
	on_each_cpu(forget_hits, NULL, 1);
}

static const struct fi_store *find_store(struct fi_domain *d, unsigned long ip)
{
	struct decoded *c = this_cpu_ptr(&decoded[hash_64(ip, DECODED_BITS)]);
	const void *text;
	size_t avail;

	if (likely(c->ip == ip && c->gen == READ_ONCE(text_gen)))
		return &c->store;
	c->ip = 0;
	c->gen = READ_ONCE(text_gen);
	text = fi_text_pristine(d, ip, &avail);
	if (!text || fi_store_decode(&c->store, ip, text, avail))
		return NULL;
	c->ip = ip;
	return &c->store;
}

/**
 * fi_emulate_store - carry out the store at regs->ip
 * @d: the domain that the store faulted in
 * @regs: its registers
 *
 * Context: IRQs off, not NMI. Return: as fi_store_run().
 */
int fi_emulate_store(struct fi_domain *d, struct pt_regs *regs)
{
	const struct fi_store *s = find_store(d, regs->ip);
	struct fi_emu e;

	if (!s)
		return -EOPNOTSUPP;
	e.regs = regs;
	/* gs is this CPU's, and stays so: IRQs are off. */
	e.gs_base = __this_cpu_read(this_cpu_off);
	e.may_store = domain_may_store;
	e.data = d;
	return fi_store_run(s, &e);
}
