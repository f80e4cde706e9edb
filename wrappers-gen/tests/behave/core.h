/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core, played for generated wrappers: its functions write down what happens.
 */
#ifndef BEHAVE_CORE_H
#define BEHAVE_CORE_H

bool behave_atomic;

static char happened[4096];

static void note(const char *fmt, ...)
{
	size_t n = strlen(happened);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(happened + n, sizeof(happened) - n, fmt, ap);
	va_end(ap);
}

static struct {
	const void *p;
	const struct fi_type *t;
	fi_release_fn rel;
} held[16];

static struct fi_type types[16];
static bool no_memory, locked, down, took_back;
static void (*driver_does)(void);
static unsigned long driver_returns;
static unsigned long good_lo, good_hi;	/* memory of the driver */

const struct fi_type *fi_type_get(const char *name, u32 size,
				  const struct fi_field *f, u32 nr)
{
	struct fi_type *t;

	for (t = types; t->name && strcmp(t->name, name); t++)
		;
	*t = (struct fi_type){ name, size, f, nr };
	return t;
}

static fi_valid_fn rules[16];

int fi_type_add_rule(const struct fi_type *t, fi_valid_fn fn)
{
	rules[t - types] = fn;
	return 0;
}

void fi_type_del_rule(const struct fi_type *t, fi_valid_fn fn)
{
	rules[t - types] = NULL;
}

/* As wrap/loan.c, but for the rights. */
int fi_loan_begin(struct fi_entry *e, struct fi_loan *l, unsigned int nr)
{
	if (no_memory)
		return -12;
	for (; nr--; l++) {
		note("lend(%s%s%zu) ", l->type ? l->type->name : "", l->type ? ":" : "",
		     l->obj ? l->len : 0);
		if (l->was && l->obj)
			memcpy(l->was, l->obj, l->len);
	}
	return 0;
}

bool fi_loan_end(struct fi_entry *e, struct fi_loan *l, unsigned int nr, bool ok)
{
	const char *why = NULL;
	unsigned int i;

	for (i = 0; i < nr && ok && !why; i++)
		if (l[i].type)
			why = rules[l[i].type - types](NULL, (unsigned long)l[i].obj,
						       (unsigned long)l[i].was);
	ok &= !why;
	note(why ? "broken(%s) " : ok ? "kept " : "undone ", why);
	for (i = 0; i < nr && !ok; i++)
		if (l[i].was)
			memcpy(l[i].obj, l[i].was, l[i].len);
	return ok;
}

bool fi_mem_constant(struct fi_domain *d, unsigned long addr, size_t len)
{
	return !addr || addr < good_lo || addr > good_hi;
}

static int find(const void *p, const struct fi_type *t)
{
	int i;

	for (i = 0; i < 16; i++) {
		if (held[i].t == t && held[i].p == p)
			return i;
	}
	return -1;
}

bool fi_obj_held(struct fi_domain *d, const void *p, const struct fi_type *t)
{
	return t && find(p, t) >= 0;
}

int fi_obj_add(struct fi_domain *d, void *p, const struct fi_type *t,
	       fi_release_fn rel, unsigned long cookie)
{
	int i = find(NULL, NULL);

	if (no_memory)
		return -12;
	held[i].p = p;
	held[i].t = t;
	held[i].rel = rel;
	note("+%s ", t->name);
	return 0;
}

bool fi_obj_del(struct fi_domain *d, const void *p, const struct fi_type *t,
		unsigned long *cookie)
{
	int i = find(p, t);

	if (i < 0)
		return false;
	memset(&held[i], 0, sizeof(held[i]));
	note("-%s ", t->name);
	return true;
}

bool fi_mem_writable(struct fi_domain *d, unsigned long addr, size_t len)
{
	return addr >= good_lo && addr <= good_hi && len <= good_hi - addr;
}

bool fi_mem_readable(struct fi_domain *d, unsigned long addr, size_t len)
{
	return addr && len < 0x10000;
}

size_t fi_mem_string(struct fi_domain *d, unsigned long addr, size_t max)
{
	return addr >= PAGE_SIZE ? strlen((const char *)addr) + 1 : 0;
}

int fi_bytes_grant(struct fi_domain *d, const void *va, size_t len)
{
	if (no_memory)
		return -12;
	note("grant(%zu) ", len);
	return 0;
}

void fi_bytes_revoke(struct fi_domain *d, const void *va, size_t len)
{
	note("revoke(%zu) ", len);
}

unsigned long fi_reject(struct fi_call *c, int arg, const char *why)
{
	note("REJECT(%d, %s) ", arg, why);
	return 0;
}

void fi_slot_reject(struct fi_entry *e, int arg, const char *why)
{
	note("REJECT(%d, %s) ", arg, why);
}

bool fi_bind_fn(struct fi_call *c, int arg, unsigned long fn, const struct fi_slot *slot)
{
	note("bind(%s) ", slot->name);
	return fn != 0xbad;
}

unsigned long fi_stack_arg(struct fi_call *c, unsigned int n)
{
	return ((unsigned long *)c->dsp)[n - 6];
}

bool fi_invoke(struct fi_entry *e, const unsigned long *a, unsigned long *ret)
{
	if (took_back)
		held[find((void *)a[0], fi_type_get("packet", 24, NULL, 0))].t = NULL;
	note("invoke ");
	if (driver_does)
		driver_does();
	*ret = down ? e->slot->errval : driver_returns;
	return !down;
}

bool fi_va_start(struct fi_va *va, struct fi_call *c, unsigned int fmt)
{
	note("format ");
	return c->arg[fmt];
}

void fi_lock_acquired(struct fi_call *c, enum fi_lock_kind kind, void *lock)
{
	locked = true;
}

void fi_lock_released(struct fi_call *c, enum fi_lock_kind kind, void *lock)
{
	locked = false;
}

bool fi_lock_held(struct fi_call *c, const void *lock)
{
	return locked;
}

int fi_wrappers_register(struct fi_wrappers *w)
{
	return 0;
}

void fi_wrappers_unregister(struct fi_wrappers *w)
{
}

const struct fi_slot fi_slot_event = { .name = "event" };

int packet_take(struct fi_domain *d, void *p)
{
	return fi_obj_add(d, p, fi_type_get("packet", 24, NULL, 0), NULL, 0);
}

bool packet_give(struct fi_domain *d, void *p)
{
	return fi_obj_del(d, p, fi_type_get("packet", 24, NULL, 0), NULL);
}

#endif
