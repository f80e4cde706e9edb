// SPDX-License-Identifier: GPL-2.0-only
/*
 * wrappers-gen: BTF and annotations in, a wrapper module's C file out.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "load.h"
#include "stages.h"
#include "util.h"

static const char usage[] =
	"usage: wrappers-gen -k VMLINUX -a FILE.fi... [-m MODULE.ko]... [-n NAME]\n"
	"                    [-o OUT.c] [-r REPORT] [-c] DRIVER.ko...\n"
	"  -k  kernel with BTF and symbols\n"
	"  -a  annotation file; may be repeated\n"
	"  -m  module whose exports the drivers use; may be repeated\n"
	"  -n  name of the wrapper module; default: the first driver's\n"
	"  -o  C file to write\n"
	"  -r  coverage report to write, - for standard output\n"
	"  -c  complete: write no C file and fail if anything is refused\n";

struct options {
	const char *vmlinux, *name, *out, *report;
	const char **notes, **mods;
	u32 nr_notes, nr_mods;
	bool complete;
};

static void push(const char ***v, u32 *nr, const char *s)
{
	*v = xgrow(*v, *nr, sizeof(**v));
	(*v)[(*nr)++] = s;
}

static void options(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "k:a:m:n:o:r:ch")) != -1) {
		switch (c) {
		case 'k':
			o->vmlinux = optarg;
			break;
		case 'a':
			push(&o->notes, &o->nr_notes, optarg);
			break;
		case 'm':
			push(&o->mods, &o->nr_mods, optarg);
			break;
		case 'n':
			o->name = optarg;
			break;
		case 'o':
			o->out = optarg;
			break;
		case 'r':
			o->report = optarg;
			break;
		case 'c':
			o->complete = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!o->vmlinux || optind == argc) {
		fputs(usage, stderr);
		exit(2);
	}
}

static bool same_content(const char *a, const char *b)
{
	FILE *x = fopen(a, "r"), *y = fopen(b, "r");
	int c = 0, d = 0;

	while (x && y && c != EOF && c == d) {
		c = getc(x);
		d = getc(y);
	}
	if (x)
		fclose(x);
	if (y)
		fclose(y);
	return x && y && c == d;
}

/* A file that would not change keeps its time: nothing is rebuilt for it. */
static void write_to(const char *path, struct run *r,
		     void (*emit)(struct run *r, FILE *out))
{
	const char *tmp = xfmt("%s.tmp", path);
	FILE *f = fopen(tmp, "w");

	if (!f)
		die("%s: cannot write", tmp);
	emit(r, f);
	if (ferror(f) || fclose(f))
		die("%s: cannot write", tmp);
	if (same_content(tmp, path) ? remove(tmp) : rename(tmp, path))
		die("%s: cannot write", path);
}

/* How many names and slots are refused; each is named on stderr if @say. */
static u32 complain(const struct run *r, bool say)
{
	u32 i, j, n = 0;

	for (i = 0; i < r->nr_plan; i++) {
		if (!r->plan[i]->refused)
			continue;
		n++;
		if (say)
			fprintf(stderr, "wrappers-gen: refused import %s: %s\n",
				r->plan[i]->name, r->plan[i]->refused);
	}
	for (i = 0; i < r->nr_ko; i++) {
		for (j = 0; j < r->ko[i]->nr_bind; j++) {
			const struct bind *b = &r->ko[i]->bind[j];
			const char *why = b->why ? b->why : b->plan->refused;

			if (!why)
				continue;
			n++;
			if (say)
				fprintf(stderr, "wrappers-gen: refused slot %s of %s: %s\n",
					b->slot, b->func, why);
		}
	}
	return n;
}

static void run(struct run *r, const struct options *o, char **drivers, u32 nr)
{
	u32 i;

	kernel_load(&r->k, o->vmlinux);
	for (i = 0; i < o->nr_mods; i++)
		kernel_add_module(&r->k, o->mods[i]);
	for (i = 0; i < nr; i++) {
		r->ko = xgrow(r->ko, r->nr_ko, sizeof(*r->ko));
		r->ko[r->nr_ko++] = ko_open(&r->k, drivers[i]);
	}
	r->name = o->name ? o->name : r->ko[0]->name;
	classify(r);
	for (i = 0; i < o->nr_notes; i++)
		notes_read(&r->notes, &r->k, o->notes[i]);
	notes_finish(&r->notes);
	match(r);
	plan(r);
	order(r);
}

int main(int argc, char **argv)
{
	struct options o = {};
	struct run r = {};
	bool fail;

	options(&o, argc, argv);
	run(&r, &o, argv + optind, (u32)(argc - optind));
	fail = complain(&r, o.out) && o.complete;
	if (o.out && !fail)
		write_to(o.out, &r, emit_module);
	if (o.report && !strcmp(o.report, "-"))
		emit_report(&r, stdout);
	else if (o.report)
		write_to(o.report, &r, emit_report);
	return fail ? 1 : 0;
}
