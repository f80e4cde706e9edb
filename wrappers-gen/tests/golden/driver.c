// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for the tests: imports of every kind, ops objects to be matched.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long size_t;
typedef _Bool bool;

struct regs {
	u32 version, len;
};

struct device {
	void *driver_data;
	u32 flags:3, ready:1;
	struct regs regs;
};

struct packet {
	struct device *dev;
	u8 *data;
	u32 len;
	u8 kind:2, level:2;
	u8 zero:1;
};

struct remark {
	const char *text;
	u32 code;
};

struct ops {
	const char *name;
	int (*open)(struct device *dev);
	int (*send)(struct packet *p, struct device *dev);
	void (*regs)(struct device *dev, struct regs *r, void *data);
	u32 (*level)(struct device *dev);
	int (*later)(struct device *dev, struct packet *p);
	bool (*probe)(struct device *dev);
	struct regs *(*stats)(struct device *dev);
	int (*tell)(struct device *dev, struct remark *m, struct regs *r);
};

/* The kernel does not know this one: its functions stay in the domain. */
struct own_ops {
	int (*reset)(struct own_ops *o);
	u32 version;
};

struct lock {
	int word;
};

struct hook {
	struct device *dev;
	int (*fn)(struct device *dev, int event);
};

struct big {
	unsigned long w[3];
};

struct device *device_get(const char *name);
void device_put(struct device *dev);
int device_start(struct device *dev, bool now);
int queue_done(u32 *limit, u32 count);
void packet_free(struct packet *p, int why);
int packet_grow(struct packet *p, bool free_on_error);
int packet_put(struct packet *p, u32 len);
int read_regs(struct device *dev, u32 nr, u16 *to);
int write_name(struct device *dev, const char *name, const void *buf, size_t len);
int many(int a, int b, int c, int d, int e, int f, long g, void *out);
int take_lock(struct lock *l);
void say(const struct device *dev, const char *fmt, ...);
void say_unknown(const char *fmt, ...);
int on_event(struct device *dev, int (*fn)(int event));
void by_value(struct big b);
void *who_knows(struct device *dev);
void never_annotated(struct device *dev);
int call_me(int x);
int point_at_me(struct device *dev);
void guard_failed(void);
void nap(u32 ms);
void raw_copy(void *to, const void *from, size_t n);
int run_hook(struct hook *h);
int add_lock(struct lock *l);
void del_lock(struct lock *l);
int device_claim(struct device *dev);
void device_unclaim(struct device *dev);
void big_lock(void);
void big_unlock(void);
void by_hand(struct device *dev);
void not_exported(void);

extern int counter;

static struct lock lock;

static int hooked(struct device *dev, int event)
{
	return event;
}

static struct hook hook = {
	.fn = hooked,
};

static int event(int x)
{
	return x + counter;
}

static int drv_open(struct device *dev)
{
	u16 word[4];
	struct big b = {};

	device_start(dev, 1);
	read_regs(dev, 4, word);
	write_name(dev, "x", word, 8);
	big_lock();
	device_claim(dev);
	device_unclaim(dev);
	big_unlock();
	take_lock(&lock);
	run_hook(&hook);
	add_lock(&lock);
	del_lock(&lock);
	say(dev, "%d", counter);
	say_unknown("x");
	on_event(dev, event);
	by_value(b);
	who_knows(dev);
	never_annotated(dev);
	not_exported();
	call_me(1);
	guard_failed();
	nap(3);
	raw_copy(word, word, 1);
	by_hand(dev);
	return many(1, 2, 3, 4, 5, 6, 7, word);
}

static int drv_send(struct packet *p, struct device *dev)
{
	u32 limit = 0;

	packet_put(p, 3);
	packet_grow(p, 1);
	queue_done(&limit, 1);
	packet_free(p, 1);
	return 0;
}

static void drv_regs(struct device *dev, struct regs *r, void *data)
{
	device_put(device_get("y"));
}

static u32 drv_level(struct device *dev)
{
	return 1;
}

static struct regs *drv_stats(struct device *dev)
{
	return &dev->regs;
}

static int drv_tell(struct device *dev, struct remark *m, struct regs *r)
{
	m->text = "told";
	return 0;
}

static bool drv_probe(struct device *dev)
{
	return 1;
}

static int drv_reset(struct own_ops *o)
{
	return o->version;
}

const struct ops drv_ops = {
	.name = "drv",
	.open = drv_open,
	.send = drv_send,
	.regs = drv_regs,
	.level = drv_level,
	.probe = drv_probe,
	.stats = drv_stats,
	.tell = drv_tell,
};

const struct ops drv_ops_short = {
	.open = point_at_me,
	.level = drv_level,
};

const struct own_ops drv_own = {
	.reset = drv_reset,
	.version = 2,
};
