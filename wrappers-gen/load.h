/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading BTF and modules, and questions about loaded types.
 */
#ifndef WRAPPERS_GEN_LOAD_H
#define WRAPPERS_GEN_LOAD_H

#include "model.h"

/* load_btf.c */
struct types *types_load(const char *path, struct types *base);
/* The named type of that kind; of a module its own part first, then the base. */
struct mtype *types_find(const struct types *t, enum mkind kind, const char *name);
/* Calls @fn with the name of every function of the table (without its base). */
void types_each_func(const struct types *t, void (*fn)(void *ctx, const char *name),
		     void *ctx);
bool types_own(const struct types *t, const struct mtype *mt);

/* load_ko.c */
void kernel_load(struct kernel *k, const char *vmlinux);
void kernel_add_module(struct kernel *k, const char *path);
struct mtype *kernel_find(const struct kernel *k, enum mkind kind, const char *name);
bool kernel_exports(const struct kernel *k, const char *name);
bool kernel_has_symbol(const struct kernel *k, const char *name);
/* Does the kernel wrap @name itself? True also if it has no FI at all. */
bool kernel_wraps(const struct kernel *k, const char *name);
/* The same, but false if it has no FI at all. */
bool kernel_has_own(const struct kernel *k, const char *name);
struct ko *ko_open(const struct kernel *k, const char *path);

/* load_builtin.c */
struct elf;
void kernel_add_builtin(struct kernel *k, struct elf *f);

/* types.c: none of these looks at the encoding */
struct mtype *type_strip(struct mtype *t);	/* typedefs and const, volatile */
bool type_is_ptr(struct mtype *t);
struct mtype *type_target(struct mtype *t);	/* of a pointer, stripped */
u32 type_size(struct mtype *t);
bool type_same(struct mtype *a, struct mtype *b);
/* The member at a path "a.b.c", through anonymous members. */
bool type_member(struct mtype *t, const char *path, struct member *out);
const char *type_str(struct mtype *t);		/* for people */
/* Calls @fn with every member that is no struct, union, array or bitfield. */
void type_leaves(struct mtype *t, u32 off, const char *path,
		 void (*fn)(void *ctx, u32 off, const char *path, struct mtype *leaf),
		 void *ctx);
/* Every struct of the table (without its base), in the order of ids. */
void types_each_struct(const struct types *t,
		       void (*fn)(void *ctx, struct mtype *s), void *ctx);

#endif
