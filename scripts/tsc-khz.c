// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints how many thousand ticks a second the time stamp counter of this CPU
 * makes, which is what an emulated machine's counter shows too. What
 * /proc/cpuinfo says is the core's frequency of the moment.
 */
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>

#define TRIES	9

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Clock and counter together: the try that took the least time counts. */
static double both(unsigned long long *ticks)
{
	double best = 1, at = 0;
	int i;

	for (i = 0; i < TRIES; i++) {
		double a = now();
		unsigned long long t = __rdtsc();
		double b = now();

		if (b - a < best) {
			best = b - a;
			at = (a + b) / 2;
			*ticks = t;
		}
	}
	return at;
}

int main(void)
{
	struct timespec wait = { .tv_nsec = 100 * 1000 * 1000 };
	unsigned long long t0 = 0, t1 = 0;
	double a = both(&t0), b;

	nanosleep(&wait, NULL);
	b = both(&t1);
	if (b > a)
		printf("%.0f\n", (t1 - t0) / (b - a) / 1e3);
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
