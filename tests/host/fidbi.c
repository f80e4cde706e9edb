// SPDX-License-Identifier: GPL-2.0-only
/*
 * fidbi: the instrumentation engine for people.
 *
 *	fidbi stats [--checks=...] FILE.ko...	what the translation does to a module
 *	fidbi dump [--checks=...] FILE.ko FUNC	original and translated, side by side
 *	fidbi times FILE.ko...			how long it takes, and how it grows
 *	fidbi audit [--checks=...] [-j N] DIR	every module below a directory
 *
 * -a: alternatives for a CPU with all features, not none; -r: before all of that
 */

#define _GNU_SOURCE
#include <ftw.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loader.h"

static enum fi_dbi_checks checks = FI_DBI_BYTE;
static bool raw, reads, all_features;
static int verbose;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct fi_dbi_config config(void)
{
	static u8 *helpers;
	struct fi_dbi_config c;

	fi_dbi_config_default(&c);
	if (!helpers)
		helpers = map_low(4096, PROT_READ | PROT_WRITE);
	c.checks = checks;
	c.reads = reads;
	c.shadow = 0x8000;
	c.map_disp = 0x7fff8000;
	c.slow_store = c.slow_range = c.slow_icall = (u64)helpers;
	c.slow_ret = c.slow_trap = c.slow_port = (u64)helpers;
	c.seg_shift = 32;
	c.seg_low = true;
	return c;
}

struct result {
	struct mod *m;
	struct fi_dbi_unit *u;
	struct fi_dbi_config cfg;
	struct fi_dbi_env env;
	double seconds;
	int error;
};

static int translate(const char *path, struct result *r)
{
	struct load_options o = { .finalize = !raw, .all_features = all_features };
	struct fi_dbi_input in;
	double t0;

	memset(r, 0, sizeof(*r));
	r->m = mod_load(path, &o);
	if (!r->m)
		return -EINVAL;
	r->cfg = config();
	r->env = mod_env(r->m);
	in = mod_input(r->m, &r->env, &r->cfg);
	/* as the kernel's memory, it is there before it is used */
	memset((void *)r->m->arena, 0xcc, r->m->arena_size);
	t0 = now();
	r->error = fi_dbi_create(&r->u, &in);
	if (!r->error)
		r->error = fi_dbi_translate(r->u, r->m->arena,
					    (u8 *)r->m->arena, r->m->arena_size);
	r->seconds = now() - t0;
	return r->error;
}

static void done(struct result *r)
{
	if (r->u)
		fi_dbi_destroy(r->u);
	mod_free(r->m);
}

static int cmd_stats(int n, char **path)
{
	for (int i = 0; i < n; i++) {
		const struct fi_dbi_stats *s;
		struct result r;

		if (translate(path[i], &r)) {
			printf("%s: failed (%d)\n", path[i], r.error);
			done(&r);
			return 1;
		}
		s = fi_dbi_stats(r.u);
		printf("%s\n", r.m->name);
		printf("  functions      %8u   refused %u\n", s->funcs, s->refused);
		printf("  instructions   %8u   decode failures %u\n", s->insns,
		       s->decode_failures);
		printf("  text bytes     %8u   cache %u (%.2fx), tables %u\n",
		       s->orig_bytes, s->cache_bytes,
		       s->cache_bytes / (double)(s->orig_bytes ? s->orig_bytes : 1),
		       s->data_bytes);
		printf("  stores         %8u   (%.2f %% of instructions)\n", s->stores,
		       100.0 * s->stores / (s->insns ? s->insns : 1));
		printf("    in the frame %8u\n", s->stack_elided);
		printf("    merged       %8u\n", s->merged);
		printf("    checked      %8u   hoisted %u, spilled %u, flags live %u\n",
		       s->checked, s->hoisted, s->spilled, s->flags_live);
		printf("    in loops     %8u   registers borrowed %u\n", s->loops,
		       s->borrowed);
		printf("    string %u, bit %u, vector %u, gs %u, user %u, rsp not in frame %u\n",
		       s->strings, s->bitreg, s->vector, s->gs_stores,
		       s->user_stores, s->frame_checked);
		if (reads)
			printf("  loads          %8u   checked %u\n", s->loads,
			       s->loads_checked);
		printf("  indirect calls %8u   returns %u\n", s->icalls, s->rets);
		printf("  traps          %8u   tracked %u\n", s->traps, s->tracked);
		for (int k = 1; k < FI_NR_SENS; k++)
			if (s->sens[k])
				printf("    %-32s %u\n", fi_dbi_sens_name(k), s->sens[k]);
		printf("  time           %8.2f ms\n", r.seconds * 1e3);
		for (u32 k = 0; k < r.m->nr_funcs; k++) {
			u64 at;
			const char *why = fi_dbi_refusal(r.u, k, &at);

			if (why)
				printf("  refused %s: %s at +0x%llx\n",
				       r.m->func[k].name, why,
				       at - r.m->func[k].va);
		}
		done(&r);
	}
	return 0;
}

/* Best of several: the first one pays for the pages. */
static int cmd_times(int n, char **path)
{
	printf("%-16s %9s %9s %9s %9s %9s\n", "translation", "insns", "text", "growth",
	       "tables", "ms");
	for (int i = 0; i < n; i++) {
		double best = 1e9;

		for (int k = 0; k < 5; k++) {
			const struct fi_dbi_stats *s;
			struct result r;

			if (translate(path[i], &r)) {
				done(&r);
				return 1;
			}
			if (r.seconds < best)
				best = r.seconds;
			s = fi_dbi_stats(r.u);
			if (k == 4)
				printf("%-16.*s %9u %9u %8.2fx %8.2fx %9.2f\n",
				       (int)strcspn(r.m->name, "."), r.m->name,
				       s->insns, s->orig_bytes,
				       (double)s->cache_bytes / s->orig_bytes,
				       (double)s->data_bytes / s->orig_bytes,
				       best * 1e3);
			done(&r);
		}
	}
	return 0;
}

/* Disassembles with objdump; lines "address: text". */
static void disassemble(const u8 *b, u32 len, u64 va, FILE *out)
{
	char tmp[] = "/tmp/fidbi.XXXXXX", cmd[256], line[512];
	int fd = mkstemp(tmp);
	FILE *p;

	if (fd < 0 || write(fd, b, len) != (ssize_t)len)
		return;
	close(fd);
	snprintf(cmd, sizeof(cmd),
		 "objdump -D -b binary -m i386:x86-64 --no-show-raw-insn --adjust-vma=0x%llx %s",
		 va, tmp);
	p = popen(cmd, "r");
	while (p && fgets(line, sizeof(line), p)) {
		if (strstr(line, ":\t"))
			fputs(line, out);
	}
	if (p)
		pclose(p);
	unlink(tmp);
}

static int cmd_dump(const char *path, const char *func)
{
	struct result r;
	u64 va, frag = 0;
	u32 len;

	if (translate(path, &r)) {
		printf("%s: failed\n", path);
		return 1;
	}
	va = mod_sym(r.m, func);
	for (u32 k = 0; k < r.m->nr_funcs; k++) {
		const struct fi_dbi_func *f = &r.m->func[k];
		char *text = NULL, *line, *save = NULL;
		size_t size;
		FILE *mem;
		u64 last = 0;

		if (f->va != va)
			continue;
		len = fi_dbi_fragment(r.u, k, &frag);
		printf("%s: %u bytes -> %u bytes\n", func, f->size, len);
		mem = open_memstream(&text, &size);
		disassemble((u8 *)frag, len, frag, mem);
		fclose(mem);
		/* each original instruction before its translation */
		for (line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			u64 at = strtoull(line, NULL, 16);
			u64 orig = fi_dbi_to_orig(r.u, at);

			if (orig != last && orig) {
				char one[512] = "";
				FILE *o = fmemopen(one, sizeof(one), "w");
				int t = orig >= r.m->text[1].va &&
					orig < r.m->text[1].va + r.m->text[1].size;

				disassemble(r.m->text[t].bytes +
					    (orig - r.m->text[t].va), 15, orig, o);
				fclose(o);
				if (strchr(one, '\n'))
					*strchr(one, '\n') = 0;
				printf("%s\n", one);
				last = orig;
			}
			printf("                                        | %s\n", line);
		}
		free(text);
	}
	done(&r);
	return !frag;
}

/* audit */

static char **paths;
static u32 nr_paths;

static int add_path(const char *p, const struct stat *st, int type, struct FTW *f)
{
	size_t n = strlen(p);

	(void)st;
	(void)f;
	if (type != FTW_F || !((n > 3 && !strcmp(p + n - 3, ".ko")) ||
			       (n > 6 && !strcmp(p + n - 6, ".ko.xz"))))
		return 0;
	paths = realloc(paths, (nr_paths + 1) * sizeof(*paths));
	paths[nr_paths++] = strdup(p);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One line a module to @out, one a refusal. */
static void audit_one(const char *path, FILE *out)
{
	const struct fi_dbi_stats *s;
	struct result r;

	if (translate(path, &r)) {
		fprintf(out, "E %s %d\n", path, r.error);
		done(&r);
		return;
	}
	s = fi_dbi_stats(r.u);
	fprintf(out, "M %s %u %u %u %u %u %u %u %u %u %u %u %u %u %.0f\n",
		r.m->name, s->funcs, s->refused, s->insns, s->decode_failures,
		s->orig_bytes, s->cache_bytes, s->data_bytes, s->stores,
		s->stack_elided, s->merged, s->checked, s->traps, s->flags_live,
		r.seconds * 1e6);
	for (int k = 1; k < FI_NR_SENS; k++)
		if (s->sens[k] && r.cfg.verdict[k] == FI_DBI_TRAP)
			fprintf(out, "S %d %u\n", k, s->sens[k]);
	for (u32 k = 0; k < r.m->nr_funcs; k++) {
		u64 at;
		const char *why = fi_dbi_refusal(r.u, k, &at);

		if (why)
			fprintf(out, "R %s %s+0x%llx %s\n", r.m->name,
				r.m->func[k].name, at - r.m->func[k].va, why);
	}
	done(&r);
}

struct reason {
	char text[96];
	u32 n;
};

static int by_count(const void *a, const void *b)
{
	return (int)((const struct reason *)b)->n - (int)((const struct reason *)a)->n;
}

static int audit_summary(FILE *in)
{
	u64 tot[16] = { 0 }, sens[FI_NR_SENS] = { 0 };
	struct reason reason[64] = { 0 };
	u32 mods = 0, errors = 0, reasons = 0;
	char line[1024], slow[128] = "";
	double worst = 0;

	while (fgets(line, sizeof(line), in)) {
		u64 v[14];
		char name[128];

		if (line[0] == 'E') {
			errors++;
			fputs(line, stdout);
		} else if (line[0] == 'S') {
			u32 k, n;

			if (sscanf(line, "S %u %u", &k, &n) == 2 && k < FI_NR_SENS)
				sens[k] += n;
		} else if (line[0] == 'M' &&
			   sscanf(line, "M %127s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu",
				  name, v, v + 1, v + 2, v + 3, v + 4, v + 5,
				  v + 6, v + 7, v + 8, v + 9, v + 10, v + 11,
				  v + 12, v + 13) == 15) {
			mods++;
			for (int i = 0; i < 14; i++)
				tot[i] += v[i];
			if (v[13] > worst) {
				worst = v[13];
				snprintf(slow, sizeof(slow), "%s", name);
			}
		} else if (line[0] == 'R') {
			char *why = line;
			u32 i;

			if (verbose)
				fputs(line, stdout);
			for (i = 0; i < 3; i++)
				why = strchr(why, ' ') + 1;
			why[strcspn(why, "\n")] = 0;
			for (i = 0; i < reasons; i++)
				if (!strcmp(reason[i].text, why))
					break;
			if (i == reasons && reasons < 63)
				snprintf(reason[reasons++].text, 96, "%s", why);
			reason[i].n++;
		}
	}
	qsort(reason, reasons, sizeof(reason[0]), by_count);
	printf("modules            %u   (not loaded: %u)\n", mods, errors);
	printf("functions          %llu\n", tot[0]);
	printf("  refused          %llu   (%.4f %%)\n", tot[1],
	       100.0 * tot[1] / (tot[0] ? tot[0] : 1));
	for (u32 i = 0; i < reasons; i++)
		printf("    %-40s %u\n", reason[i].text, reason[i].n);
	printf("instructions       %llu   decode failures %llu\n", tot[2], tot[3]);
	printf("text bytes         %llu   cache %llu (%.2fx)   tables %llu (%.2fx)\n",
	       tot[4], tot[5], (double)tot[5] / tot[4], tot[6],
	       (double)tot[6] / tot[4]);
	printf("stores             %llu   in frame %llu, merged %llu, checks %llu, flags live %llu\n",
	       tot[7], tot[8], tot[9], tot[10], tot[12]);
	printf("instructions that trap %llu\n", tot[11]);
	for (int k = 1; k < FI_NR_SENS; k++)
		if (sens[k])
			printf("    %-40s %llu\n", fi_dbi_sens_name(k), sens[k]);
	printf("translation time   %.2f s, slowest %s %.1f ms\n", tot[13] / 1e6,
	       slow, worst / 1e3);
	if (!mods || errors || tot[3] || tot[1] * 200 >= tot[0]) {
		printf("audit: FAIL\n");
		return 1;
	}
	printf("audit: ok\n");
	return 0;
}

static int cmd_audit(const char *dir, int jobs)
{
	FILE *out = tmpfile();
	int ret;

	nftw(dir, add_path, 16, FTW_PHYS);
	if (!nr_paths) {
		fprintf(stderr, "no modules in %s\n", dir);
		return 1;
	}
	qsort(paths, nr_paths, sizeof(*paths), by_name);
	for (int j = 0; j < jobs; j++) {
		char buf[64];

		if (fork())
			continue;
		snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fileno(out));
		FILE *mine = fopen(buf, "a");

		for (u32 i = j; i < nr_paths; i += jobs) {
			char *text;
			size_t size;
			FILE *mem = open_memstream(&text, &size);

			audit_one(paths[i], mem);
			fclose(mem);
			/* one write, so that lines of two jobs do not mix */
			if (write(fileno(mine), text, size) != (ssize_t)size)
				_exit(1);
			free(text);
		}
		_exit(0);
	}
	ret = 0;
	for (int j = 0; j < jobs; j++) {
		int st;

		wait(&st);
		if (st)
			ret = 1;
	}
	rewind(out);
	ret |= audit_summary(out);
	if (ret)
		printf("audit: a job failed or a limit was missed\n");
	return ret;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: fidbi [--checks=none|byte|segment|sandbox[,reads]] [-a] [-r] [-v] [-j N] stats|times FILE... | dump FILE FUNC | audit DIR\n");
	return 2;
}

/* "byte", "byte,reads": as the kernel's checks= */
static bool parse_checks(const char *arg)
{
	static const char * const names[] = { "none", "byte", "segment", "sandbox" };
	size_t n = strcspn(arg, ",");

	reads = !strcmp(arg + n, ",reads");
	if (arg[n] && !reads)
		return false;
	for (int i = 0; i < 4; i++) {
		if (strlen(names[i]) == n && !strncmp(arg, names[i], n)) {
			checks = i;
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	static const struct option longer[] = {
		{ "checks", required_argument, NULL, 'c' }, { 0 },
	};
	int jobs = 2, o;

	/* keep what was freed: the first of several translations pays for the pages */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	while ((o = getopt_long(argc, argv, "c:arvj:", longer, NULL)) != -1) {
		switch (o) {
		case 'c':
			if (!parse_checks(optarg))
				return usage();
			break;
		case 'a':
			all_features = true;
			break;
		case 'r':
			raw = true;
			break;
		case 'v':
			verbose = 1;
			break;
		case 'j':
			jobs = atoi(optarg);
			break;
		default:
			return usage();
		}
	}
	argv += optind;
	argc -= optind;
	if (argc >= 2 && !strcmp(argv[0], "stats"))
		return cmd_stats(argc - 1, argv + 1);
	if (argc >= 2 && !strcmp(argv[0], "times"))
		return cmd_times(argc - 1, argv + 1);
	if (argc == 3 && !strcmp(argv[0], "dump"))
		return cmd_dump(argv[1], argv[2]);
	if (argc == 2 && !strcmp(argv[0], "audit"))
		return cmd_audit(argv[1], jobs > 0 ? jobs : 1);
	return usage();
}
