// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module loader's hooks: a module that the policy names becomes a domain.
 */
#include <kunit/visibility.h>
#include <linux/cpu.h>
#include <linux/driver_fi.h>
#include <linux/err.h>
#include <linux/memory.h>
#include <linux/module.h>
#include <linux/stop_machine.h>
#include <linux/string.h>

#include <asm/driver_fi.h>

#include "domain/translate.h"
#include "fi.h"
#include "glue.h"
#include "wrap/bind.h"

/*
 * Before symbols are resolved. Runs with FI disabled too: a driver that the
 * user wanted isolated is never loaded unprotected without a word.
 */
int __fi_module_prepare(struct module *mod, Elf_Shdr *sechdrs, unsigned int symindex,
			const char *strtab)
{
	const Elf_Shdr *s = &sechdrs[symindex];
	struct fi_policy policy;
	struct fi_domain *d;
	int err;

	if (!fi_policy_find(mod->name, &policy) ||
	    (policy.mode == FI_MODE_OFF && !policy.refused))
		return 0;
	if (policy.refused || !fi_enabled()) {
		pr_err("driver_fi: %s: refused: %s\n", mod->name,
		       policy.refused ?: fi_disabled_reason());
		return -EOPNOTSUPP;
	}
	d = fi_domain_create(mod, &policy);
	if (IS_ERR(d))
		return PTR_ERR(d);
	mod->fi_domain = d;
	err = fi_bind_imports(d, (void *)s->sh_addr, s->sh_size / sizeof(Elf_Sym), strtab);
	if (err)
		goto fail;
	err = fi_recovery_create(d);
	if (err)
		goto fail;
	err = fi_sysfs_add(d);
	if (!err)
		return 0;
	fi_recovery_destroy(d);
fail:
	mod->fi_domain = NULL;
	fi_bind_destroy(d);
	fi_domain_destroy(d);
	return err;
}

u64 __fi_module_reloc(struct module *mod, unsigned int sym, u64 val)
{
	return mod->fi_domain ? fi_bind_reloc(mod->fi_domain, sym, val) : val;
}

/* The function tracer is outside, where the driver cannot jump. */
static int hide_from_tracer(struct module *mod)
{
	int err = 0;

#ifdef CONFIG_DYNAMIC_FTRACE
	err = arch_fi_nop_calls(mod->ftrace_callsites, mod->num_ftrace_callsites);
	if (err)
		pr_err("driver_fi: %s: its list of calls for the function tracer is wrong\n",
		       mod->name);
	mod->num_ftrace_callsites = 0;
#endif
	return err;
}

int __fi_module_ready(struct module *mod, const Elf_Ehdr *hdr, Elf_Shdr *sechdrs,
		      unsigned int symindex, const char *strtab)
{
	const struct fi_image img = { hdr, sechdrs, symindex, strtab };
	const Elf_Shdr *s = &sechdrs[symindex];
	struct fi_domain *d = mod->fi_domain;
	int err;

	if (!d)
		return 0;
	/* Sites that the kernel would patch where only gates are to be seen. */
#ifdef CONFIG_HAVE_STATIC_CALL_INLINE
	mod->num_static_call_sites = 0;
#endif
	err = hide_from_tracer(mod);
	if (err)
		return err;
	d->init_addr = (unsigned long)mod->init;
	err = fi_domain_map_module(d);
	if (err)
		return err;
	err = fi_bind_redirects(d, (void *)s->sh_addr);
	if (!err && fi_translated(d))
		err = fi_translate_module(d, &img);
	if (!err)
		err = fi_bind_entries(d, (void *)s->sh_addr, s->sh_size / sizeof(Elf_Sym),
				      strtab);
	if (err)
		return err;
	fi_domain_switch_text(d);
	pr_info("driver_fi: %s: isolated, mode %s, domain %u\n", mod->name,
		fi_mode_name(d->policy.mode), d->id);
	return 0;
}

bool __fi_module_keep_init(struct module *mod, void *text, void *data, void *rodata)
{
	if (!mod->fi_domain)
		return false;
	fi_domain_keep_init(mod->fi_domain, text, data, rodata);
	return true;
}

void __fi_module_going(struct module *mod)
{
	if (mod->fi_domain)
		fi_recovery_going(mod->fi_domain);
}

void __fi_module_free(struct module *mod)
{
	struct fi_domain *d = mod->fi_domain;

	if (!d)
		return;
	fi_recovery_destroy(d);
	fi_sysfs_del(d);
	fi_bind_destroy(d);
	mod->fi_domain = NULL;
	fi_domain_destroy(d);
}

struct fi_poke {
	void *to;
	const void *opcode;
	size_t len;
};

static int fi_poke_stopped(void *arg)
{
	struct fi_poke *p = arg;

	memcpy(p->to, p->opcode, p->len);
	fi_emulate_forget();
	return 0;
}

/*
 * Changes text where the domain sees it. Each CPU is in the stopper's kernel
 * thread meanwhile, so none is inside the changed instruction; the IRET back
 * into the domain serializes. Caller holds cpus_read_lock and text_mutex.
 */
bool __fi_text_poke(void *addr, const void *opcode, size_t len)
{
	struct fi_domain *d = fi_domain_of_text((unsigned long)addr);
	struct fi_poke p = { .opcode = opcode, .len = len };
	size_t avail;

	if (!d)
		return false;
	p.to = (void *)fi_text_pristine(d, (unsigned long)addr, &avail);
	if (!p.to || avail < len)
		return false;
	if (fi_translated(d)) {
		/* Never executed: the translator reads it. */
		memcpy(p.to, opcode, len);
		if (!fi_translate_poke(d, (unsigned long)addr, opcode, len))
			return false;
		fi_entries_retarget(d);
		return true;
	}
	stop_machine_cpuslocked(fi_poke_stopped, &p, NULL);
	return true;
}

/**
 * fi_text_change - change the text of an isolated driver
 * @addr: of one instruction
 * @opcode: what it becomes
 * @len: bytes, as long as it was
 *
 * The way that static keys take, for tests. Context: may sleep. Return: false if no
 * driver has text there
 */
bool fi_text_change(void *addr, const void *opcode, size_t len)
{
	guard(cpus_read_lock)();
	guard(mutex)(&text_mutex);
	return __fi_text_poke(addr, opcode, len);
}
EXPORT_SYMBOL_IF_KUNIT(fi_text_change);

const void *__fi_text_peek(const void *addr)
{
	struct fi_domain *d = fi_domain_of_text((unsigned long)addr);
	size_t avail;

	return d ? fi_text_pristine(d, (unsigned long)addr, &avail) : addr;
}
