/* SPDX-License-Identifier: GPL-2.0-only */
/* The loops and how often each runs for some ten milliseconds. */
typedef unsigned long loop_fn(unsigned char *mem, unsigned long rounds);

loop_fn bench_ring, bench_list, bench_hash, bench_copy, bench_fill, bench_format,
	bench_state, bench_bitmap;

static const struct {
	const char *name;
	loop_fn *fn;
	unsigned long rounds;
} loops[] = {
#ifndef NO_FUNCTIONS
#define LOOP(n, r) { #n, bench_##n, r }
#else
#define LOOP(n, r) { #n, 0, r }
#endif
	LOOP(ring, 20000), LOOP(list, 80000), LOOP(hash, 1500000),
	LOOP(copy, 60000), LOOP(fill, 80000), LOOP(format, 150000),
	LOOP(state, 3000000), LOOP(bitmap, 1500000),
};
