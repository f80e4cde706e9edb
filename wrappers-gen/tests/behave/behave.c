// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs generated wrappers in user space: the kernel and the core are played
 * by functions that write down what happens, in order.
 */
#include "../golden/expected.c"

bool behave_atomic;

static char happened[4096];
static int fails, tests;

static void note(const char *fmt, ...)
{
	size_t n = strlen(happened);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(happened + n, sizeof(happened) - n, fmt, ap);
	va_end(ap);
}

/* --- the core --------------------------------------------------------------- */

static struct {
	const void *p;
	const struct fi_type *t;
	fi_release_fn rel;
} held[16];

static struct fi_type types[16];
static bool no_memory, locked, down, took_back;
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

static fi_valid_fn rule;

int fi_type_add_rule(const struct fi_type *t, fi_valid_fn fn)
{
	rule = fn;
	return 0;
}

void fi_type_del_rule(const struct fi_type *t, fi_valid_fn fn)
{
	rule = NULL;
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
	return addr ? strlen((const char *)addr) + 1 : 0;
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

/* --- the kernel -------------------------------------------------------------- */

static unsigned long kernel_returns;

#define KERNEL(f)							\
unsigned long f(unsigned long a)					\
{									\
	note(#f " ");							\
	return kernel_returns;						\
}

KERNEL(add_lock)
KERNEL(big_lock)
KERNEL(big_unlock)
KERNEL(del_lock)
KERNEL(device_claim)
KERNEL(device_get)
KERNEL(device_put)
KERNEL(device_start)
KERNEL(device_unclaim)
KERNEL(many)
KERNEL(nap)
KERNEL(on_event)
KERNEL(packet_free)
KERNEL(packet_grow)
KERNEL(packet_put)
KERNEL(queue_done)
KERNEL(read_regs)
KERNEL(run_hook)
KERNEL(say)
KERNEL(take_lock)
KERNEL(write_name)

/* --- tests -------------------------------------------------------------------- */

static void expect(const char *what, const char *want)
{
	size_t n = strlen(happened);

	tests++;
	if (n && happened[n - 1] == ' ')
		happened[n - 1] = 0;
	if (strcmp(happened, want)) {
		printf("FAIL %s: \"%s\", not \"%s\"\n", what, happened, want);
		fails++;
	}
	happened[0] = 0;
}

static void reset(void)
{
	memset(held, 0, sizeof(held));
	no_memory = false;
	locked = false;
	down = false;
	took_back = false;
	behave_atomic = false;
	kernel_returns = 0;
	driver_returns = 0;
	happened[0] = 0;
}

static void hold(const char *type, const void *p)
{
	fi_obj_add(NULL, (void *)p, fi_type_get(type, 0, NULL, 0), NULL, 0);
	happened[0] = 0;
}

static unsigned long call(const char *name, const unsigned long *arg)
{
	unsigned long stack[4] = { arg[6], arg[7] };
	struct fi_call c = { .dsp = (unsigned long)stack };
	const struct fi_import *i;

	memcpy(c.arg, arg, sizeof(c.arg));
	for (i = imports; strcmp(i->name, name); i++)
		;
	return i->fn(&c);
}

#define CALL(name, ...)	call(name, (unsigned long[8]){ __VA_ARGS__ })
#define L(p)		((unsigned long)(p))

static unsigned long enter(const char *func, unsigned long *a)
{
	const struct fi_binding *b;
	struct fi_entry e = {};

	for (b = bind_drv; strcmp(b->func, func); b++)
		;
	e.slot = b->slot;
	return b->slot->fn(&e, a);
}

#define ENTER(func, ...) enter(func, (unsigned long[9]){ __VA_ARGS__ })

/* Laid out as struct packet of the test kernel. */
static struct {
	void *dev;
	u8 *data;
	u32 len;
	u32 bits;
} packet;

static struct {
	void *dev;
	unsigned long fn;
} hook;

static struct {
	u32 version, len;
} regs;

static u8 memory[64];

static void objects(void)
{
	reset();
	CALL("device_start", 0x10);
	expect("not held", "REJECT(0, dev: not a device of this driver)");
	hold("device", (void *)0x10);
	CALL("device_start", 0x10);
	expect("held", "device_start");
	CALL("device_start", 0);
	expect("NULL", "REJECT(0, dev: not a device of this driver)");
	CALL("device_put", 0x10);
	expect("released before the call", "-device device_put");
	CALL("device_put", 0x10);
	expect("released twice", "REJECT(0, dev: not a device of this driver)");
	CALL("device_put", 0);
	expect("NULL is allowed", "device_put");

	kernel_returns = 0x20;
	CALL("device_get", L("name"));
	expect("acquired", "device_get +device");
	assert(held[0].rel);
	held[0].rel(NULL, (void *)0x20, 0);
	expect("given back in recovery", "device_put");
	kernel_returns = L(-12);
	CALL("device_get", L("name"));
	expect("an error is no object", "device_get");
	kernel_returns = 0x30;
	no_memory = true;
	CALL("device_get", L("name"));
	expect("not tracked", "device_get device_put REJECT(-1, no memory to track the object)");
	CALL("device_get", 0);
	expect("no string", "REJECT(0, name: not a string)");
}

static void tokens(void)
{
	reset();
	CALL("device_claim", 0x10);
	expect("token of nothing", "REJECT(0, dev: not a device of this driver)");
	hold("device", (void *)0x10);
	CALL("device_claim", 0x10);
	expect("token", "device_claim +claim");
	CALL("device_claim", 0x10);
	expect("token twice", "REJECT(0, dev: handed over twice)");
	CALL("device_unclaim", 0x10);
	expect("token back", "-claim device_unclaim");
	kernel_returns = L(-16);
	CALL("device_claim", 0x10);
	expect("token refused", "device_claim");
}

static void buffers(void)
{
	reset();
	hold("device", (void *)0x10);
	good_lo = L(memory);
	good_hi = L(memory + sizeof(memory));
	CALL("read_regs", 0x10, 32, L(memory));
	expect("fits", "read_regs");
	CALL("read_regs", 0x10, 33, L(memory));
	expect("one too long", "REJECT(2, to: not writable by this driver)");
	CALL("read_regs", 0x10, 0xdead00000001, L(memory));
	expect("only the low half counts", "read_regs");
	CALL("read_regs", 0x10, 0, 0);
	expect("nothing goes anywhere", "read_regs");
	CALL("many", 1, 2, 3, 4, 5, 6, 64, L(memory));
	expect("length on the stack", "many");
	CALL("many", 1, 2, 3, 4, 5, 6, L(-1), L(memory));
	expect("negative length", "REJECT(7, out: not writable by this driver)");
	CALL("write_name", 0x10, L("x"), 0, 1);
	expect("not readable", "REJECT(2, buf: not readable)");
	CALL("take_lock", L(memory + sizeof(memory)) - 3);
	expect("half outside", "REJECT(0, l: not in memory of this driver)");
	CALL("say", 0x10, 0);
	expect("bad format", "format");
	CALL("say", 0x10, L("x"));
	expect("format", "format say");
}

static void packets(void)
{
	reset();
	packet.data = memory;
	packet.len = 2000;
	hold("packet", &packet);
	CALL("packet_put", L(&packet), 48);
	expect("condition", "packet_put");
	CALL("packet_put", L(&packet), 49);
	expect("condition fails", "REJECT(-1, not p->len+len<=2048)");
	packet.data = NULL;
	CALL("packet_put", L(&packet), 1);
	expect("not sound", "REJECT(0, p: the packet is not sound)");
	CALL("packet_grow", L(&packet), 1);
	expect("retaken", "-packet packet_grow +packet");
	kernel_returns = L(-12);
	CALL("packet_grow", L(&packet), 0x100);
	expect("kept on error", "-packet packet_grow +packet");
	CALL("packet_grow", L(&packet), 1);
	expect("freed on error", "-packet packet_grow");
	CALL("packet_free", L(&packet));
	expect("already gone", "REJECT(0, p: not a sane packet of this driver)");
}

static const char *asked(const void *want, const void *was)
{
	return rule(NULL, L(want), L(was)) ?: "valid";
}

/* What a shadow of a packet must be, of what has changed. */
static void shadows(void)
{
	typeof(packet) want = { .len = 4097 }, was = { .len = 4097 };

	reset();
	wrappers_init();
	good_lo = L(memory);
	good_hi = L(memory) + 1;
	note("%s ", asked(&want, &was));
	was.len = 4096;
	note("%s ", asked(&want, &was));
	want.len = 1;
	note("%s ", asked(&want, &was));
	want.data = memory;
	note("%s ", asked(&want, &was));
	want.data = memory + 8;
	note("%s ", asked(&want, &was));
	expect("shadow", "valid packet.len valid packet.data valid");
	hold("packet", (void *)0x10);
	want.dev = (void *)0x10;
	note("%s", asked(&want, &was));
	expect("shadow, not held as what it should be", "packet.dev");
	hold("device", (void *)0x10);
	note("%s ", asked(&want, &was));
	was.dev = want.dev;
	want.dev = NULL;
	note("%s", asked(&want, &was));
	expect("shadow, held", "valid valid");
}

static void contexts(void)
{
	reset();
	CALL("nap", 1);
	expect("may sleep", "nap");
	CALL("big_lock");
	CALL("big_lock");
	expect("lock twice", "big_lock REJECT(-1, takes a lock that it holds: deadlock)");
	CALL("big_unlock");
	CALL("big_unlock");
	expect("unlock twice", "big_unlock REJECT(-1, gives back a lock that it does not hold)");
	behave_atomic = true;
	CALL("nap", 1);
	expect("may not sleep", "REJECT(-1, may sleep, called in atomic context)");
	CALL("guard_failed");
	expect("fatal", "REJECT(-1, the guard failed)");
}

static void callbacks(void)
{
	reset();
	hold("device", (void *)0x10);
	CALL("on_event", 0x10, 0);
	expect("no callback", "on_event");
	CALL("on_event", 0x10, 0x1000);
	expect("callback", "bind(event) on_event");
	CALL("on_event", 0x10, 0xbad);
	expect("bad callback", "bind(event)");
	good_lo = L(&hook);
	good_hi = L(&hook + 1);
	hook.dev = (void *)0x11;
	hook.fn = 0x1000;
	CALL("run_hook", L(&hook));
	expect("stray pointer inside", "REJECT(0, h: dev is not a device of this driver)");
	hook.dev = (void *)0x10;
	CALL("run_hook", L(&hook));
	expect("callback inside", "bind(hook.fn) run_hook");
	CALL("add_lock", L(&hook));
	expect("embedded, acquired", "add_lock +lock");
	CALL("add_lock", L(&hook));
	expect("handed over twice", "REJECT(0, l: handed over twice)");
}

static void slots(void)
{
	reset();
	packet.data = memory;
	assert(ENTER("drv_send", L(&packet), 0x10) == 0);
	expect("sent", "+packet invoke");
	reset();
	driver_returns = 16;
	assert(ENTER("drv_send", L(&packet), 0x10) == 16);
	expect("returned", "+packet invoke -packet");
	took_back = true;
	assert(ENTER("drv_send", L(&packet), 0x10) == 0);
	expect("returned, but gone", "+packet invoke REJECT(0, p: returned, but not held)");
	reset();
	driver_returns = 3;
	assert(ENTER("drv_send", L(&packet), 0x10) == 0);
	expect("impossible", "+packet invoke REJECT(-1, impossible return value)");
	reset();
	down = true;
	assert(ENTER("drv_send", L(&packet), 0x10) == 0);
	expect("driver is down", "+packet invoke -packet packet_free");
	no_memory = true;
	assert(ENTER("drv_send", L(&packet), 0x10) == 0);
	expect("no memory", "packet_free");

	reset();
	regs.len = 100;
	ENTER("drv_regs", 0x10, L(&regs), L(memory));
	expect("lent", "grant(8) grant(100) invoke revoke(100) revoke(8)");
	ENTER("drv_regs", 0x10, L(&regs), 0);
	expect("no buffer", "grant(8) invoke revoke(8)");
	no_memory = true;
	ENTER("drv_regs", 0x10, L(&regs), L(memory));
	expect("cannot lend", "");

	reset();
	driver_returns = 10;
	assert(ENTER("drv_level", 0x10) == 7);
	expect("out of range", "invoke REJECT(-1, impossible return value)");
	driver_returns = L(-5);
	assert((int)ENTER("drv_open", 0x10) == -5);
	expect("an error", "invoke");
	driver_returns = 5;
	assert((int)ENTER("drv_open", 0x10) == -19);
	expect("no error", "invoke REJECT(-1, impossible return value)");
	driver_returns = 0;
	assert(ENTER("drv_stats", 0x1000) == 0x1000 + 12);
	expect("unreadable", "invoke REJECT(-1, impossible return value)");
	down = true;
	assert(ENTER("drv_stats", 0x1000) == 0x1000 + 12);
}

int main(void)
{
	behave_init();
	objects();
	tokens();
	buffers();
	packets();
	shadows();
	contexts();
	callbacks();
	slots();
	behave_exit();
	printf("%s: %d calls of generated wrappers, %d failed\n", fails ? "FAIL" : "ok",
	       tests, fails);
	return fails != 0;
}
