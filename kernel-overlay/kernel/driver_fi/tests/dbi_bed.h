/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the engine's tests translate small functions and run them: an arena, memory
 * with a permission map of its own, and slow paths that note what they find.
 */
#ifndef _FI_DBI_BED_H
#define _FI_DBI_BED_H

#include <kunit/test.h>

#include "../dbi/dbi.h"

#define FI_BED_FUNCS	24
#define FI_BED_CODE	2048
#define FI_BED_MEM	4096

enum fi_bed_what {
	FI_BED_NOTHING,
	FI_BED_STORE,
	FI_BED_RANGE,
	FI_BED_ICALL,
	FI_BED_RET,
	FI_BED_TRAP,
	FI_BED_PORT,
};

/**
 * struct fi_bed - one unit and what happened while it ran
 * @cfg: for fi_bed_translate(); set up for checks by the map of @mem
 * @text: may point to other text than @code until then
 * @mem: what translated code may store to where fi_bed_grant() said so; stores to
 *	elsewhere are the stack's, and permitted
 * @what: the violation that ended the last run; @va: the instruction; @at: address,
 *	target, or class of a trap
 * @asked: stores that the slow path decided
 */
struct fi_bed {
	struct kunit *test;
	struct fi_dbi_config cfg;
	struct fi_dbi_text text;
	struct fi_dbi_func func[FI_BED_FUNCS];
	struct fi_dbi_edge edge[3];
	u32 nr_funcs, nr_edges;
	u8 *code;
	u8 *mem;
	struct fi_dbi_unit *u;
	enum fi_bed_what what;
	u64 va, at;
	u32 asked;
	/* the bed's own */
	struct fi_dbi_env env;
	const struct fi_dbi_handlers *others;
	void *arena;
	u8 *data, *map;
};

/* A suite's init and exit: a case finds its bed at test->priv. */
int fi_bed_init(struct kunit *test);
void fi_bed_exit(struct kunit *test);

/* A function of @size bytes to be translated; @bytes NULL: of @b->text, at offset 0. */
u32 fi_bed_add(struct fi_bed *b, const u8 *bytes, u32 size, u32 flags);
void fi_bed_translate(struct fi_bed *b);
/* The arena writable (and not executable), or as it runs. */
void fi_bed_open(struct fi_bed *b);
void fi_bed_close(struct fi_bed *b);

/* Who may store to @len bytes at @off of the memory: nobody, or everybody. */
void fi_bed_grant(struct fi_bed *b, u32 off, u32 len, bool may);

/* Calls function @f, with interrupts off: the shadow slot lies below the stack. */
u64 fi_bed_run(struct fi_bed *b, u32 f, u64 x, u64 y, u64 z);

/* dbi_enter.S */
u64 fi_bed_enter(u64 fn, u64 x, u64 y, u64 z);
void fi_bed_escape(void);

#endif
