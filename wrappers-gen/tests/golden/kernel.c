// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel for the tests: every kind of type and import that annotations can
 * speak about, with sizes that are easy to follow in the expected output.
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

struct queue {
	unsigned long state;
	struct {
		u32 queued, done;
	} limit;
	union {
		u16 tag;
		u8 bytes[2];
	};
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

/* Same size as struct ops, but its members are none of a driver's. */
struct other_ops {
	int (*a)(int x);
	void *rest[8];
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

#define EXPORT(f)	void *__ksymtab_##f = (void *)f
#define DEFINE(f, ...)	f(__VA_ARGS__) { __builtin_trap(); } EXPORT(f)

struct device *DEFINE(device_get, const char *name);
void DEFINE(device_put, struct device *dev);
int DEFINE(device_start, struct device *dev, bool now);
int DEFINE(queue_done, u32 *limit, u32 count);
void DEFINE(packet_free, struct packet *p, int why);
int DEFINE(packet_grow, struct packet *p, bool free_on_error);
int DEFINE(packet_put, struct packet *p, u32 len);
int DEFINE(read_regs, struct device *dev, u32 nr, u16 *to);
int DEFINE(write_name, struct device *dev, const char *name, const void *buf, size_t len);
int DEFINE(many, int a, int b, int c, int d, int e, int f, long g, void *out);
int DEFINE(take_lock, struct lock *l);
void DEFINE(say, const struct device *dev, const char *fmt, ...);
void DEFINE(say_unknown, const char *fmt, ...);
int DEFINE(on_event, struct device *dev, int (*fn)(int event));
void DEFINE(by_value, struct big b);
void *DEFINE(who_knows, struct device *dev);
void DEFINE(never_annotated, struct device *dev);
int DEFINE(call_me, int x);
int DEFINE(point_at_me, struct device *dev);
void DEFINE(guard_failed, void);
void DEFINE(nap, u32 ms);
void DEFINE(raw_copy, void *to, const void *from, size_t n);
int DEFINE(run_hook, struct hook *h);
int DEFINE(add_lock, struct lock *l);
void DEFINE(del_lock, struct lock *l);
int DEFINE(device_claim, struct device *dev);
void DEFINE(device_unclaim, struct device *dev);
void DEFINE(big_lock, void);
void DEFINE(big_unlock, void);
void DEFINE(by_hand, struct device *dev);

int counter;
void *__ksymtab_counter = &counter;

struct ops *keep_ops;
struct other_ops *keep_other;
struct queue *keep_queue;
