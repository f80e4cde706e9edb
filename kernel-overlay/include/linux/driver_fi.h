/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Driver fault isolation: what the patched kernel files call. The only header
 * of the project that they include. Every hook is a no-op with
 * CONFIG_DRIVER_FI=n, and a static branch away from one otherwise.
 */
#ifndef _LINUX_DRIVER_FI_H
#define _LINUX_DRIVER_FI_H

#include <linux/types.h>

struct kmem_cache;
struct module;
struct pt_regs;

#ifdef CONFIG_DRIVER_FI
#include <asm/module.h>
#include <linux/elf.h>
#include <linux/jump_label.h>
#include <linux/sched.h>

/* Set once at boot when driver_fi= is given and the machine can do it. */
DECLARE_STATIC_KEY_FALSE(fi_enabled_key);

static __always_inline bool fi_enabled(void)
{
	return static_branch_unlikely(&fi_enabled_key);
}

/* Was driver_fi= on the command line? For boot code before fi_enabled(). */
bool fi_policy_armed(void);
void arch_fi_pgd_reserve(void);
/* Does the command line ask for a mode that needs regions at their default places? */
bool fi_policy_fixed_layout(void);
/* Is this a warning of a driver, whose text the kernel does not see? */
bool fi_bug_in_domain(const struct pt_regs *regs);

bool __fi_handle_trap(struct pt_regs *regs, int trapnr, unsigned long error_code,
		      unsigned long addr);
void __fi_flush_local(void);
void __fi_flush_kernel_range(unsigned long start, unsigned long end);
void __fi_slab_come(struct kmem_cache *s, void *start, unsigned int order);
void __fi_slab_go(struct kmem_cache *s, void *start, unsigned int order);
void *__fi_place_alloc(size_t size, gfp_t gfp);
int __fi_module_prepare(struct module *mod, Elf_Shdr *sechdrs, unsigned int symindex,
			const char *strtab);
int __fi_module_ready(struct module *mod, const Elf_Ehdr *hdr, Elf_Shdr *sechdrs,
		      unsigned int symindex, const char *strtab);
u64 __fi_module_reloc(struct module *mod, unsigned int sym, u64 val);
bool __fi_module_keep_init(struct module *mod, void *text, void *data, void *rodata);
void __fi_module_going(struct module *mod);
void __fi_module_free(struct module *mod);
bool __fi_text_poke(void *addr, const void *opcode, size_t len);
const void *__fi_text_peek(const void *addr);

/* Page table setup is done: the last moment before other mms copy the PGD. */
static inline void fi_pgd_reserve(void)
{
	if (fi_policy_armed())
		arch_fi_pgd_reserve();
}

/* Did a domain raise this exception, and is it dealt with? */
static __always_inline bool fi_handle_trap(struct pt_regs *regs, int trapnr,
					   unsigned long error_code, unsigned long addr)
{
	return fi_enabled() && __fi_handle_trap(regs, trapnr, error_code, addr);
}

/* This CPU flushed a kernel address in the current PCID only. */
static inline void fi_flush_local(void)
{
	if (fi_enabled())
		__fi_flush_local();
}

/* The kernel's mapping of [start, end) changed. */
static inline void fi_flush_kernel_range(unsigned long start, unsigned long end)
{
	if (fi_enabled())
		__fi_flush_kernel_range(start, end);
}

/* SLUB got, or is about to free, a slab of a cache with SLAB_DRIVER_FI. */
static inline void fi_slab_come(struct kmem_cache *s, void *start, unsigned int order)
{
	if (fi_enabled())
		__fi_slab_come(s, start, order);
}

static inline void fi_slab_go(struct kmem_cache *s, void *start, unsigned int order)
{
	if (fi_enabled())
		__fi_slab_go(s, start, order);
}

/* Memory for a kvmalloc() that a wrapper placed, or NULL: not placed. */
static inline void *fi_place_alloc(size_t size, gfp_t gfp)
{
	return fi_enabled() && current->fi_place ? __fi_place_alloc(size, gfp) : NULL;
}

/* Before symbols are resolved: is this module to be isolated? -errno: refuse. */
static inline int fi_module_prepare(struct module *mod, Elf_Shdr *sechdrs,
				    unsigned int symindex, const char *strtab)
{
	return __fi_module_prepare(mod, sechdrs, symindex, strtab);
}

/* Text and data are final; nothing has called into the module yet. */
static inline int fi_module_ready(struct module *mod, const Elf_Ehdr *hdr,
				  Elf_Shdr *sechdrs, unsigned int symindex,
				  const char *strtab)
{
	return fi_enabled() ? __fi_module_ready(mod, hdr, sechdrs, symindex, strtab) : 0;
}

/* Value of a call to an undefined symbol: the import's stub in the domain. */
static inline u64 fi_module_reloc(struct module *mod, unsigned int sym, u64 val)
{
	return fi_enabled() ? __fi_module_reloc(mod, sym, val) : val;
}

/* Init sections of an isolated module are kept: true, do not free them. */
static inline bool fi_module_keep_init(struct module *mod, void *text, void *data,
				       void *rodata)
{
	return fi_enabled() && __fi_module_keep_init(mod, text, data, rodata);
}

/* The module is about to exit: no restart from here on. */
static inline void fi_module_going(struct module *mod)
{
	if (fi_enabled())
		__fi_module_going(mod);
}

/* The module's memory is about to be freed. */
static inline void fi_module_free(struct module *mod)
{
	if (fi_enabled())
		__fi_module_free(mod);
}

/* Text of an isolated module is changed where the domain sees it. */
static inline bool fi_text_poke(void *addr, const void *opcode, size_t len)
{
	return fi_enabled() && __fi_text_poke(addr, opcode, len);
}

/* Where the text that runs at @addr can be read. */
static inline const void *fi_text_peek(const void *addr)
{
	return fi_enabled() ? __fi_text_peek(addr) : addr;
}

#else

static inline bool fi_enabled(void) { return false; }
static inline bool fi_policy_armed(void) { return false; }
static inline bool fi_policy_fixed_layout(void) { return false; }
static inline bool fi_bug_in_domain(const struct pt_regs *regs) { return false; }
static inline void fi_pgd_reserve(void) { }
#define fi_handle_trap(regs, trapnr, error_code, addr)		false
static inline void fi_flush_local(void) { }
static inline void fi_flush_kernel_range(unsigned long start, unsigned long end) { }
static inline void fi_slab_come(struct kmem_cache *s, void *start, unsigned int order) { }
static inline void fi_slab_go(struct kmem_cache *s, void *start, unsigned int order) { }
#define fi_place_alloc(size, gfp)				NULL
#define fi_module_prepare(mod, sechdrs, symindex, strtab)	0
#define fi_module_ready(mod, hdr, sechdrs, symindex, strtab)		0
#define fi_module_reloc(mod, sym, val)				(val)
#define fi_module_keep_init(mod, text, data, rodata)		false
static inline void fi_module_going(struct module *mod) { }
static inline void fi_module_free(struct module *mod) { }
#define fi_text_poke(addr, opcode, len)				false
#define fi_text_peek(addr)					(addr)

#endif
#endif
