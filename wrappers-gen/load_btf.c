// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load: BTF of vmlinux and split BTF of modules into struct mtype.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "load.h"
#include "util.h"

static struct mtype *by_id(const struct types *t, u32 id)
{
	while (id < t->start)
		t = t->base;
	return &t->t[id - t->start];
}

static enum mkind kind_of(const struct btf_type *b)
{
	switch (btf_kind(b)) {
	case BTF_KIND_UNKN:		return MK_VOID;
	case BTF_KIND_INT:		return MK_INT;
	case BTF_KIND_PTR:		return MK_PTR;
	case BTF_KIND_ARRAY:		return MK_ARRAY;
	case BTF_KIND_STRUCT:		return MK_STRUCT;
	case BTF_KIND_UNION:		return MK_UNION;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:		return MK_ENUM;
	case BTF_KIND_FWD:		return MK_FWD;
	case BTF_KIND_TYPEDEF:		return MK_TYPEDEF;
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:		return MK_MOD;
	case BTF_KIND_FUNC_PROTO:	return MK_PROTO;
	case BTF_KIND_FUNC:		return MK_FUNC;
	case BTF_KIND_FLOAT:		return MK_FLOAT;
	default:			return MK_OTHER;
	}
}

static void fill_members(const struct types *t, struct mtype *m,
			 const struct btf_type *b)
{
	const struct btf_member *bm = btf_members(b);
	u32 i;

	m->nr = btf_vlen(b);
	m->memb = xcalloc(m->nr, sizeof(*m->memb));
	for (i = 0; i < m->nr; i++) {
		m->memb[i].name = btf__name_by_offset(t->btf, bm[i].name_off);
		m->memb[i].type = by_id(t, bm[i].type);
		m->memb[i].bit_off = btf_member_bit_offset(b, i);
		m->memb[i].bit_size = btf_member_bitfield_size(b, i);
	}
}

static void fill_proto(const struct types *t, struct mtype *m,
		       const struct btf_type *b)
{
	const struct btf_param *bp = btf_params(b);
	u32 i, n = btf_vlen(b);

	if (n && !bp[n - 1].type && !bp[n - 1].name_off) {
		m->variadic = true;
		n--;
	}
	m->nr = n;
	m->memb = xcalloc(n, sizeof(*m->memb));
	for (i = 0; i < n; i++) {
		m->memb[i].name = btf__name_by_offset(t->btf, bp[i].name_off);
		m->memb[i].type = by_id(t, bp[i].type);
	}
}

static void fill(const struct types *t, struct mtype *m, const struct btf_type *b)
{
	m->kind = kind_of(b);
	m->name = btf__name_by_offset(t->btf, b->name_off);
	switch (m->kind) {
	case MK_INT:
		m->size = b->size;
		m->is_signed = btf_int_encoding(b) & BTF_INT_SIGNED;
		m->is_bool = btf_int_encoding(b) & BTF_INT_BOOL;
		break;
	case MK_ENUM:
		m->size = b->size;
		m->is_signed = btf_kflag(b);
		break;
	case MK_FLOAT:
		m->size = b->size;
		break;
	case MK_ARRAY:
		m->ref = by_id(t, btf_array(b)->type);
		m->nr = btf_array(b)->nelems;
		break;
	case MK_STRUCT:
	case MK_UNION:
		m->size = b->size;
		fill_members(t, m, b);
		break;
	case MK_PROTO:
		m->ref = by_id(t, b->type);
		fill_proto(t, m, b);
		break;
	case MK_MOD:
		m->is_const = btf_is_const(b);
		m->ref = by_id(t, b->type);
		break;
	case MK_PTR:
		m->size = 8;
		/* fall through */
	case MK_TYPEDEF:
	case MK_FUNC:
		m->ref = by_id(t, b->type);
		break;
	case MK_VOID:
	case MK_FWD:
	case MK_OTHER:
		break;
	}
}

/* Kinds with a name space of their own share the index by a prefix. */
static char *key(enum mkind kind, const char *name)
{
	return xfmt("%c%s", 'a' + (char)kind, name);
}

struct types *types_load(const char *path, struct types *base)
{
	struct types *t = xcalloc(1, sizeof(*t));
	u32 i;

	t->btf = base ? btf__parse_split(path, base->btf) : btf__parse(path, NULL);
	if (!t->btf)
		die("%s: no BTF: %s", path, strerror(errno));
	t->base = base;
	t->start = base ? base->start + base->nr : 0;
	t->nr = btf__type_cnt(t->btf) - t->start;
	t->t = xcalloc(t->nr, sizeof(*t->t));
	t->index = names_new();
	for (i = 0; i < t->nr; i++) {
		struct mtype *m = &t->t[i];

		fill(t, m, btf__type_by_id(t->btf, t->start + i));
		if (*m->name && m->kind != MK_MOD)
			names_add(t->index, key(m->kind, m->name), m);
	}
	return t;
}

struct mtype *types_find(const struct types *t, enum mkind kind, const char *name)
{
	char *k = key(kind, name);
	struct mtype *m;

	for (; t; t = t->base) {
		m = names_get(t->index, k);
		if (m)
			return m;
	}
	return NULL;
}

bool types_own(const struct types *t, const struct mtype *mt)
{
	return mt >= t->t && mt < t->t + t->nr;
}

void types_each_struct(const struct types *t,
		       void (*fn)(void *ctx, struct mtype *s), void *ctx)
{
	u32 i;

	for (i = 0; i < t->nr; i++) {
		if (t->t[i].kind == MK_STRUCT && *t->t[i].name)
			fn(ctx, &t->t[i]);
	}
}

void types_each_func(const struct types *t, void (*fn)(void *ctx, const char *name),
		     void *ctx)
{
	u32 i;

	for (i = 0; i < t->nr; i++) {
		if (t->t[i].kind == MK_FUNC)
			fn(ctx, t->t[i].name);
	}
}
