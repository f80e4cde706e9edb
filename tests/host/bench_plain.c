// SPDX-License-Identifier: GPL-2.0-only
/* The loops as an ordinary program: for the compiler's checks, and for Valgrind. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_list.h"

int main(int argc, char **argv)
{
	unsigned char *mem = aligned_alloc(4096, 1 << 20);
	unsigned long div = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	int reps = argc > 2 ? atoi(argv[2]) : 5;

	for (unsigned int i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		double best = 1e9;

		for (int k = 0; k < reps; k++) {
			struct timespec a, b;
			double t;

			memset(mem, 0, 1 << 20);
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
			loops[i].fn(mem, loops[i].rounds / div);
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
			t = b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9;
			if (t < best)
				best = t;
		}
		printf("%s %.9f\n", loops[i].name, best / (loops[i].rounds / div) * 1e9);
		fflush(stdout);
	}
	free(mem);
	return 0;
}
