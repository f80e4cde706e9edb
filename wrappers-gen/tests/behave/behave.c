// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs generated wrappers in user space: the kernel and the core are played
 * by functions that write down what happens, in order.
 */
#include "../golden/expected.c"

#include "core.h"

static int fails, tests;

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
	driver_does = NULL;
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
	fi_valid_fn rule = rules[fi_type_get("packet", 24, NULL, 0) - types];

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

static struct {
	const char *text;
	u32 code;
} remark;

static void drv_fills(void)
{
	regs.version = 5;
	regs.len = 50;
	remark.text = "told";
	remark.code = 7;
}

static void drv_lengthens(void)
{
	drv_fills();
	regs.len = 101;
}

static void drv_remarks_nowhere(void)
{
	drv_fills();
	remark.text = (const char *)0x18;
}

static void drv_remarks_13(void)
{
	drv_fills();
	remark.code = 13;
}

static void drv_remarks_nothing(void)
{
	drv_fills();
	remark.code = 0;
}

static void drv_remarks_much(void)
{
	drv_fills();
	remark.code = 100;
}

static unsigned long tell(void (*does)(void), unsigned long returns)
{
	driver_does = does;
	driver_returns = returns;
	regs.version = 1;
	regs.len = 100;
	remark.text = NULL;
	remark.code = 0;
	return ENTER("drv_tell", 0x10, L(&remark), L(&regs));
}

static bool as_they_were(void)
{
	return regs.version == 1 && regs.len == 100 && !remark.text && !remark.code;
}

#define TELLS	"lend(remark:16) lend(regs:8) invoke "

static void loans(void)
{
	reset();
	regs.len = 100;
	ENTER("drv_regs", 0x10, L(&regs), L(memory));
	expect("lent", "lend(regs:8) lend(100) invoke kept");
	ENTER("drv_regs", 0x10, L(&regs), 0);
	expect("no buffer", "lend(regs:8) lend(0) invoke kept");
	no_memory = true;
	ENTER("drv_regs", 0x10, L(&regs), L(memory));
	expect("cannot lend", "");

	reset();
	assert(tell(drv_fills, 0) == 0 && regs.len == 50 && remark.code == 7);
	expect("changed", TELLS "kept");
	assert((int)tell(drv_fills, L(-5)) == -5 && regs.len == 50);
	expect("changed, and an error", TELLS "kept");
	assert((int)tell(drv_remarks_nothing, L(-5)) == -5 && regs.len == 50);
	expect("what an error permits", TELLS "kept");
	assert((int)tell(drv_lengthens, 0) == -19 && as_they_were());
	expect("more than it was", TELLS "broken(regs.len)");
	assert((int)tell(drv_remarks_nowhere, L(-5)) == -19 && as_they_were());
	expect("no string", TELLS "broken(remark.text)");
	assert((int)tell(drv_remarks_13, 0) == -19 && as_they_were());
	expect("a rule", TELLS "broken(remark.code)");
	assert((int)tell(drv_remarks_nothing, 0) == -19 && as_they_were());
	expect("not after success", TELLS "REJECT(-1, not (ret!=0)||m->code) undone");
	assert((int)tell(drv_remarks_much, L(-5)) == -19 && as_they_were());
	expect("never", TELLS "REJECT(-1, not m->code<=99) undone");
	assert((int)tell(drv_fills, 5) == -19 && as_they_were());
	expect("no error", TELLS "REJECT(-1, impossible return value) undone");
	down = true;
	assert((int)tell(drv_fills, 0) == -19 && as_they_were());
	expect("driver has failed", TELLS "undone");
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
	loans();
	behave_exit();
	printf("%s: %d calls of generated wrappers, %d failed\n", fails ? "FAIL" : "ok",
	       tests, fails);
	return fails != 0;
}
