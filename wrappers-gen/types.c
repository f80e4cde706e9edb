// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions about types: size, sameness, members by path.
 */
#include <string.h>

#include "load.h"
#include "util.h"

struct mtype *type_strip(struct mtype *t)
{
	while (t->kind == MK_TYPEDEF || t->kind == MK_MOD)
		t = t->ref;
	return t;
}

bool type_is_ptr(struct mtype *t)
{
	return type_strip(t)->kind == MK_PTR;
}

struct mtype *type_target(struct mtype *t)
{
	return type_strip(type_strip(t)->ref);
}

u32 type_size(struct mtype *t)
{
	t = type_strip(t);
	if (t->kind == MK_ARRAY)
		return t->nr * type_size(t->ref);
	return t->size;
}

static bool same_members(struct mtype *a, struct mtype *b)
{
	u32 i;

	if (a->nr != b->nr || a->variadic != b->variadic)
		return false;
	for (i = 0; i < a->nr; i++) {
		if (!type_same(a->memb[i].type, b->memb[i].type))
			return false;
	}
	return true;
}

/* A struct and its forward declaration of the same name are the same. */
static bool same_tag(struct mtype *a, struct mtype *b)
{
	bool fwd = a->kind == MK_FWD || b->kind == MK_FWD;

	if (strcmp(a->name, b->name))
		return false;
	if (fwd)
		return true;
	if (a->kind != b->kind || a->size != b->size)
		return false;
	return *a->name || same_members(a, b);
}

bool type_same(struct mtype *a, struct mtype *b)
{
	a = type_strip(a);
	b = type_strip(b);
	if (a == b)
		return true;
	switch (a->kind) {
	case MK_STRUCT:
	case MK_UNION:
	case MK_FWD:
		if (b->kind != MK_STRUCT && b->kind != MK_UNION && b->kind != MK_FWD)
			return false;
		return same_tag(a, b);
	case MK_PTR:
		return b->kind == MK_PTR && type_same(a->ref, b->ref);
	case MK_ARRAY:
		return b->kind == MK_ARRAY && a->nr == b->nr && type_same(a->ref, b->ref);
	case MK_PROTO:
		return b->kind == MK_PROTO && type_same(a->ref, b->ref) && same_members(a, b);
	default:
		return a->kind == b->kind && a->size == b->size &&
		       a->is_signed == b->is_signed && a->is_bool == b->is_bool &&
		       !strcmp(a->name, b->name);
	}
}

static bool member_step(struct mtype *t, const char *name, size_t len,
			struct member *out)
{
	u32 i;

	for (i = 0; i < t->nr; i++) {
		struct member *m = &t->memb[i];
		struct mtype *mt = type_strip(m->type);

		if (*m->name) {
			if (strlen(m->name) != len || strncmp(m->name, name, len))
				continue;
			*out = *m;
			return true;
		}
		if (mt->kind != MK_STRUCT && mt->kind != MK_UNION)
			continue;
		if (member_step(mt, name, len, out)) {
			out->bit_off += m->bit_off;
			return true;
		}
	}
	return false;
}

bool type_member(struct mtype *t, const char *path, struct member *out)
{
	u32 bits = 0;

	for (;;) {
		size_t len = strcspn(path, ".");

		t = type_strip(t);
		if (t->kind != MK_STRUCT && t->kind != MK_UNION)
			return false;
		if (!member_step(t, path, len, out))
			return false;
		out->bit_off += bits;
		if (!path[len])
			return true;
		bits = out->bit_off;
		t = out->type;
		path += len + 1;
	}
}

const char *type_str(struct mtype *t)
{
	switch (t->kind) {
	case MK_VOID:
		return "void";
	case MK_PTR:
		if (type_strip(t->ref)->kind == MK_PROTO)
			return "function pointer";
		return xfmt("%s *", type_str(t->ref));
	case MK_MOD:
		return type_str(t->ref);
	case MK_STRUCT:
		return xfmt("struct %s", *t->name ? t->name : "(anonymous)");
	case MK_UNION:
		return xfmt("union %s", *t->name ? t->name : "(anonymous)");
	case MK_FWD:
		return xfmt("struct %s", t->name);
	case MK_ENUM:
		return *t->name ? xfmt("enum %s", t->name) : "enum";
	case MK_ARRAY:
		return xfmt("%s[%u]", type_str(t->ref), t->nr);
	default:
		return t->name;
	}
}

void type_leaves(struct mtype *t, u32 off, const char *path,
		 void (*fn)(void *ctx, u32 off, const char *path, struct mtype *leaf),
		 void *ctx)
{
	u32 i, size;

	t = type_strip(t);
	switch (t->kind) {
	case MK_ARRAY:
		size = type_size(t->ref);
		for (i = 0; i < t->nr && size; i++)
			type_leaves(t->ref, off + i * size, path, fn, ctx);
		break;
	case MK_STRUCT:
	case MK_UNION:
		for (i = 0; i < t->nr; i++) {
			struct member *m = &t->memb[i];
			const char *sub = path;

			if (m->bit_size)
				continue;
			if (*m->name)
				sub = *path ? xfmt("%s.%s", path, m->name) : m->name;
			type_leaves(m->type, off + m->bit_off / 8, sub, fn, ctx);
		}
		break;
	default:
		fn(ctx, off, path, t);
	}
}
