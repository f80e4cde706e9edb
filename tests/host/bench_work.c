// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver-like loops, compiled three times: as a module for the engine, and as parts of
 * programs with and without the compiler's own write checks.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define NOINLINE __attribute__((noinline))

/* A descriptor ring as of a network card: fill, complete, clean. */
struct desc { u64 addr; u32 len; u16 status; u16 special; };
struct info { void *skb; u64 dma; u32 len; u16 next; u8 mapped; };

struct ring {
	struct desc *desc;
	struct info *info;
	u32 count, use, clean;
	u64 packets, bytes;
};

NOINLINE static void ring_fill(struct ring *r, u32 n)
{
	while (n--) {
		struct desc *d = &r->desc[r->use];
		struct info *i = &r->info[r->use];

		i->skb = (void *)(u64)(r->use * 64 + 1);
		i->dma = 0x1000 + r->use * 2048;
		i->len = 60 + (r->use & 1023);
		i->mapped = 1;
		d->addr = i->dma;
		d->len = i->len;
		d->status = 0;
		r->use = (r->use + 1) & (r->count - 1);
	}
}

NOINLINE static void ring_clean(struct ring *r)
{
	while (r->clean != r->use) {
		struct desc *d = &r->desc[r->clean];
		struct info *i = &r->info[r->clean];

		d->status |= 1;
		r->bytes += i->len;
		r->packets++;
		i->skb = 0;
		i->dma = 0;
		i->mapped = 0;
		r->clean = (r->clean + 1) & (r->count - 1);
	}
}

u64 bench_ring(u8 *mem, u64 rounds)
{
	struct ring *r = (struct ring *)mem;

	r->desc = (struct desc *)(mem + 4096);
	r->info = (struct info *)(mem + 4096 + 512 * sizeof(struct desc));
	r->count = 512;
	r->use = r->clean = 0;
	r->packets = r->bytes = 0;
	while (rounds--) {
		ring_fill(r, 200);
		ring_clean(r);
	}
	return r->bytes;
}

/* Doubly linked lists: move nodes between queues. */
struct node { struct node *next, *prev; u64 key; u32 state, count; };

static void add(struct node *n, struct node *h)
{
	n->next = h->next;
	n->prev = h;
	h->next->prev = n;
	h->next = n;
}

static void del(struct node *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
}

u64 bench_list(u8 *mem, u64 rounds)
{
	struct node *head = (struct node *)mem, *n = head + 2;
	u64 sum = 0;

	for (int i = 0; i < 2; i++)
		head[i].next = head[i].prev = &head[i];
	for (int i = 0; i < 256; i++) {
		n[i].key = i * 7919;
		n[i].state = 0;
		n[i].count = 0;
		add(&n[i], head);
	}
	while (rounds--) {
		struct node *p = head[rounds & 1].prev;

		for (int i = 0; i < 64 && p != &head[rounds & 1]; i++) {
			struct node *q = p->prev;

			del(p);
			p->state ^= 1;
			p->count++;
			add(p, &head[~rounds & 1]);
			sum += p->key;
			p = q;
		}
	}
	return sum;
}

/* A hash table of flows: look up, age, insert. */
struct flow { u32 key, hits; u64 bytes; u32 stamp; u32 used; };

u64 bench_hash(u8 *mem, u64 rounds)
{
	struct flow *t = (struct flow *)mem;
	u32 x = 12345;
	u64 sum = 0;

	for (int i = 0; i < 1024; i++)
		t[i].used = 0;
	while (rounds--) {
		u32 h, k;

		x = x * 1664525 + 1013904223;
		k = (x >> 8) % 700 + 1;
		h = (k * 2654435761u) >> 22;
		while (t[h].used && t[h].key != k)
			h = (h + 1) & 1023;
		if (!t[h].used) {
			t[h].used = 1;
			t[h].key = k;
			t[h].hits = 0;
			t[h].bytes = 0;
		}
		t[h].hits++;
		t[h].bytes += x & 1500;
		t[h].stamp = rounds;
		sum += t[h].hits;
	}
	return sum;
}

/* Copies: bytes, words, and what the compiler makes of structures. */
struct block { u64 w[24]; };

u64 bench_copy(u8 *mem, u64 rounds)
{
	u8 *a = mem, *b = mem + 8192;
	struct block *s = (struct block *)(mem + 16384), *d = s + 16;
	u64 sum = 0;

	while (rounds--) {
		u32 n = 64 + (rounds & 63);

		for (u32 i = 0; i < n; i++) {
			b[i] = a[i];
			asm volatile("" ::: "memory");
		}
		for (u32 i = 0; i < 64; i++)
			((volatile u64 *)b)[i] = ((u64 *)a)[i] + rounds;
		d[rounds & 15] = s[rounds & 7];
		sum += b[rounds & 63];
	}
	return sum;
}

u64 bench_fill(u8 *mem, u64 rounds)
{
	while (rounds--) {
		volatile u32 *p = (volatile u32 *)mem;

		for (u32 i = 0; i < 256; i++)
			p[i] = rounds;
		__builtin_memset(mem + 4096, rounds, 512);
		asm volatile("" ::: "memory");
	}
	return mem[7];
}

/* Formatting: numbers into a log buffer. */
NOINLINE static u8 *number(u8 *p, u64 v, u32 base)
{
	u8 t[24];
	u32 n = 0;

	do {
		t[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		*p++ = t[--n];
	return p;
}

u64 bench_format(u8 *mem, u64 rounds)
{
	u8 *p = mem;
	u64 sum = 0;

	while (rounds--) {
		p = mem;
		p = number(p, rounds * 977, 10);
		*p++ = ':';
		*p++ = '0';
		*p++ = 'x';
		p = number(p, rounds * 0x9e3779b9, 16);
		*p++ = '\n';
		*p = 0;
		sum += p - mem;
	}
	return sum;
}

/* A state machine whose handlers are called through a table. */
struct machine { u32 state, count[8]; u64 acc; u8 log[64]; };

NOINLINE static u32 st_idle(struct machine *m, u32 e) { m->count[0]++; return e & 3; }
NOINLINE static u32 st_head(struct machine *m, u32 e) { m->acc += e; return 2; }
NOINLINE static u32 st_data(struct machine *m, u32 e)
{
	m->log[e & 63] = e;
	m->count[2]++;
	return e & 1 ? 3 : 2;
}
NOINLINE static u32 st_done(struct machine *m, u32 e) { m->count[3] += e & 7; return 0; }

u32 (*const handlers[4])(struct machine *, u32) = { st_idle, st_head, st_data, st_done };

u64 bench_state(u8 *mem, u64 rounds)
{
	struct machine *m = (struct machine *)mem;
	u32 x = 99;

	m->state = 0;
	m->acc = 0;
	for (int i = 0; i < 8; i++)
		m->count[i] = 0;
	while (rounds--) {
		x = x * 1103515245 + 12345;
		m->state = handlers[m->state](m, x >> 16);
	}
	return m->acc + m->count[2];
}

/*
 * The compiler does not see stores of inline assembly. As in the kernel, where the
 * instrumented bit operations call the sanitizer for the word, before it is changed.
 */
#ifdef __SANITIZE_ADDRESS__
void __asan_store8(void *p);
#define INSTRUMENT_WORD(p)	__asan_store8(p)
#else
#define INSTRUMENT_WORD(p)	do { } while (0)
#endif

/* Bit maps: allocate and free. */
u64 bench_bitmap(u8 *mem, u64 rounds)
{
	u64 *map = (u64 *)mem, sum = 0;

	for (int i = 0; i < 64; i++)
		map[i] = 0;
	while (rounds--) {
		u64 bit = (rounds * 2654435761u) >> 7 & 4095;
		u8 old;

		INSTRUMENT_WORD(map + (bit >> 6));
		if (rounds & 1)
			asm volatile("btsq %2,%1; setc %0" : "=q"(old), "+m"(*map)
				     : "r"(bit) : "memory", "cc");
		else
			asm volatile("btrq %2,%1; setc %0" : "=q"(old), "+m"(*map)
				     : "r"(bit) : "memory", "cc");
		sum += old;
	}
	return sum;
}
