/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract of L0: page tables, TLB, gates and module text views of driver
 * fault isolation on x86-64.
 */
#ifndef _ASM_X86_DRIVER_FI_H
#define _ASM_X86_DRIVER_FI_H

/*
 * PCID of a domain: bit 10 is the tag. The kernel's address space identifiers
 * are below TLB_NR_DYN_ASIDS, and page-table isolation uses bit 11. Without
 * CR4.PCIDE the CPU ignores these bits of CR3.
 */
#define FI_PCID_BASE		0x400

/*
 * Mark of an entry from a domain: bit 32 of the CS slot of pt_regs. Set by the
 * domain's IDT stubs, cleared before iretq, so the CPU never sees it.
 */
#define FI_CS_MARK_SHIFT	32

/* A PGD slot that mm.rst calls an unused hole whatever KASLR does. */
#define FI_VA_PGD_INDEX		509
#define FI_VA_START		0xfffffe8000000000UL
#define FI_VA_END		0xffffff0000000000UL

/* Spare IST: x86_tss.ist[5]. Its stack is the entry stack, idle in ring 0. */
#define FI_IST			6

/*
 * Displacement of the permission map in a domain whose code is translated:
 * the shadow of each region of the kernel half is in a hole (mm.rst) as long as
 * the regions are where they are by default.
 */
#define FI_MAP_DISP		(-_AC(0x80000000, L))

#define FI_STUB_SIZE		16
#define FI_MAX_ENTRIES		16384
#define FI_MAX_IMPORTS		8192

/* Offsets that gate.S uses; crossing.c asserts them. */
#define FI_FRAME_dom		0
#define FI_FRAME_kernel_sp	8
#define FI_FRAME_domain_sp	16
#define FI_FRAME_flags		24
#define FI_FRAME_ret_flags	32
#define FI_FRAME_ticks		64
#define FI_FRAME_faulted	68
#define FI_DOM_dead		0
#define FI_DOM_id		4
#define FI_DOM_cr3		8
#define FI_DOM_cpu		16
#define FI_CPU_imports		8
#define FI_CPU_cr3_loads	16
#define FI_ENTRY_fn		0
#define FI_IMPORT_fn		8

#ifdef __ASSEMBLY__
#include <asm/driver_fi_asm.h>
#else
#include <linux/types.h>
#include <asm/ptrace.h>

struct fi_pgtable;
struct fi_frame;
struct module;

static inline bool fi_regs_in_domain(const struct pt_regs *regs)
{
	return regs->csx >> FI_CS_MARK_SHIFT & 1;
}

/* Rights of a domain's own mapping. All are readable. */
#define FI_PROT_W	1
#define FI_PROT_X	2

struct fi_pgtable *arch_fi_pgtable_create(u32 id);
void arch_fi_pgtable_destroy(struct fi_pgtable *pgt);
unsigned long arch_fi_pgtable_cr3(struct fi_pgtable *pgt);
unsigned int arch_fi_pgtable_pages(struct fi_pgtable *pgt);
int arch_fi_map(struct fi_pgtable *pgt, unsigned long va, unsigned int nr_pages,
		unsigned int prot);
int arch_fi_map_pfn(struct fi_pgtable *pgt, unsigned long va, unsigned long pfn,
		    unsigned int prot);
void arch_fi_unmap(struct fi_pgtable *pgt, unsigned long va, unsigned int nr_pages);
bool arch_fi_owned(struct fi_pgtable *pgt, unsigned long va, bool writable);
bool arch_fi_repair(struct fi_pgtable *pgt, unsigned long va);
/* For people: then there is no room for permission maps. */
#define FI_LAYOUT_MOVED	"memory regions are randomized; name the mode at boot, or boot with nokaslr"
bool arch_fi_layout_default(void);
bool arch_fi_is_hole(unsigned long va);
void arch_fi_zap_modules(struct fi_pgtable *pgt, unsigned long start, unsigned long end);
void arch_fi_flush(void);

/* kmap.c: the permission map of mode dbi, in the kernel's page table. */
#ifdef CONFIG_DRIVER_FI_DBI
void arch_fi_kmap_reserve(void);
int arch_fi_kmap(unsigned long va, unsigned long pfn);
void arch_fi_kunmap(unsigned long va);
void arch_fi_kmap_refresh(unsigned long va);
const char *arch_fi_dbi_unsupported(void);
#else
static inline void arch_fi_kmap_reserve(void) { }
static inline int arch_fi_kmap(unsigned long va, unsigned long pfn) { return -1; }
static inline void arch_fi_kunmap(unsigned long va) { }
static inline void arch_fi_kmap_refresh(unsigned long va) { }
static inline const char *arch_fi_dbi_unsupported(void) { return "not in this kernel"; }
#endif

const char *arch_fi_unsupported(void);
int arch_fi_init(void);

unsigned long fi_cross(struct fi_frame *f, unsigned long fn,
		       const unsigned long *args, unsigned long sp);
unsigned long fi_cross_stack(struct fi_frame *f, unsigned long fn,
			     const unsigned long *args, unsigned long sp);
void fi_gate_common(void);
void fi_stack_import_gate(void);
void fi_import_gate(void);
void fi_return_gate(void);
void fi_landing(void);

void *arch_fi_emit_gate(void *to, unsigned long at, u32 index);
void *arch_fi_emit_import(void *to, unsigned long at, u32 index, bool dbi);

struct fi_entry;
struct fi_import;
extern struct fi_entry *fi_entry_ptr[FI_MAX_ENTRIES];
extern const struct fi_import *fi_import_ptr[FI_MAX_IMPORTS];

struct fi_view;
struct fi_view *arch_fi_view_create(void *base, size_t size);
void arch_fi_view_switch(struct fi_view *v);
void arch_fi_view_destroy(struct fi_view *v);
void *arch_fi_view_gates(struct fi_view *v, unsigned long addr);
void *arch_fi_view_text(struct fi_view *v, unsigned long addr, size_t *avail);
int arch_fi_view_map(struct fi_view *v, struct fi_pgtable *pgt);
int arch_fi_nop_calls(const unsigned long *site, unsigned int nr);

/* deadman.c: NMIs for the watchdog. */
#define FI_DEADMAN_AGAIN_MS	200
int arch_fi_nmi_init(void (*look)(struct pt_regs *regs));
void arch_fi_nmi_ask(int cpu);
int arch_fi_deadman_start(void);
void arch_fi_deadman_stop(void);
void arch_fi_deadman_defer(unsigned int ms);

extern char __fi_text_start[], __fi_text_end[];

/* Functions there that are translated with a driver's own; NULL behind the last. */
extern void * const fi_shared_funcs[];

#endif /* !__ASSEMBLY__ */
#endif
