/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model: what every stage after load reads, and what it adds.
 *
 *   load     vmlinux and modules      -> struct mtype, struct ko
 *   select   imports and ops objects  -> ko->imp, ko->obj
 *   classify what an import is        -> imp->fn, imp->exported, imp->called
 *   annotate .fi files                -> struct notes, checked against BTF
 *   plan     one decision per name    -> struct plan (generated or refused)
 *   order    sorted, without repeats
 *   emit     C text, report
 */
#ifndef WRAPPERS_GEN_MODEL_H
#define WRAPPERS_GEN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* --- types: BTF without its encoding ------------------------------------ */

enum mkind {
	MK_VOID, MK_INT, MK_PTR, MK_ARRAY, MK_STRUCT, MK_UNION, MK_ENUM, MK_FWD,
	MK_TYPEDEF, MK_MOD, MK_PROTO, MK_FUNC, MK_FLOAT, MK_OTHER,
};

struct mtype;

/* A member of a struct, or a parameter of a prototype (offsets 0). */
struct member {
	const char *name;
	struct mtype *type;
	u32 bit_off;
	u32 bit_size;		/* 0: not a bitfield */
};

struct mtype {
	enum mkind kind;
	const char *name;	/* "" if anonymous */
	u32 size;
	bool is_signed;
	bool is_bool;
	bool is_const;		/* MK_MOD: const, and not only volatile */
	bool variadic;		/* of a prototype */
	struct mtype *ref;	/* target, element or return type, prototype */
	u32 nr;			/* members, parameters or elements */
	struct member *memb;
};

/* Types of vmlinux, or of one module on top of them. */
struct types {
	struct types *base;
	const char *origin;	/* "vmlinux" or the module's name */
	struct mtype *t;
	u32 start;		/* id of t[0] */
	u32 nr;
	void *btf;		/* owned by load */
	void *index;		/* by name; owned by load */
};

/* --- a driver ------------------------------------------------------------ */

struct import {
	const char *name;
	bool called;		/* a call relocation (PLT32) refers to it */
	bool pointer;		/* any other relocation does */
	bool exported;		/* by vmlinux or a provider module */
	bool data;		/* an object, not a function */
	struct mtype *fn;	/* MK_FUNC from BTF, or NULL */
	struct plan *plan;
};

/* A relocation inside an ops object. */
struct objrel {
	u32 off;
	const char *func;	/* function of the driver, or NULL */
	const char *import;	/* imported symbol, or NULL */
	struct mtype *fn;	/* its MK_FUNC, or NULL if BTF has none */
};

struct object {
	const char *name;
	u32 size;
	const unsigned char *data;
	struct objrel *rel;
	u32 nr_rel;
	struct mtype *type;	/* found by match */
	u32 nr_elem;		/* > 1: an array of @type */
	const char *why;	/* no type: the reason */
};

struct ko {
	const char *path;
	const char *name;
	struct types *types;
	struct import *imp;
	u32 nr_imp;
	struct object *obj;
	u32 nr_obj;
	const char **ns;	/* import_ns= of .modinfo */
	u32 nr_ns;
	struct bind *bind;
	u32 nr_bind;
	void *twice;		/* names that two functions have */
	void *elf;		/* owned by load */
};

/* A function of the driver that stands in a slot of an ops object. */
struct bind {
	const char *func;
	const char *object;
	const char *slot;	/* "net_device_ops.ndo_open" */
	struct mtype *proto;
	struct splan *plan;
	const char *why;	/* not bound: the reason */
};

/* Everything that can provide names: vmlinux and provider modules. */
struct kernel {
	struct types *vmlinux;
	struct types **mod;
	u32 nr_mod;
	void *exports;		/* set of exported names; owned by load */
	void *symbols;		/* all symbols of the providers */
	void *builtin;		/* imports it wraps itself; NULL: unknown */
};

/* --- annotations --------------------------------------------------------- */

struct where {
	const char *file;
	u32 line;
};

enum spec_kind {
	SP_NONE,
	SP_VALUE,	/* number, or a pointer the kernel does not follow */
	SP_HELD,	/* object of the driver */
	SP_WITHIN,	/* member of an object of the driver */
	SP_RELEASE,	/* object, gone after the call */
	SP_RETAKE,	/* object, given up during the call */
	SP_ACQUIRE,	/* object, held after a call that succeeded */
	SP_IN, SP_OUT, SP_INOUT,	/* buffer */
	SP_STRING,
	SP_IOMEM,
	SP_EMBEDDED,	/* struct in memory of the driver */
	SP_USER,	/* address of user memory */
	SP_CB,		/* function of the driver for a slot */
	/* slots only */
	SP_TRANSFER_IN,	/* object, the driver's from now on */
	SP_BORROW,	/* object, for the call */
	SP_LEND,	/* buffer, writable for the call */
	/* return values only */
	SP_ERRNO,	/* 0 or a negative errno */
	SP_RANGE,
	SP_CONSUMED,	/* 0:consumed,16:returned */
};

struct expr;

struct spec {
	enum spec_kind kind;
	bool nullable;
	const char *param;	/* "ret" for the return value */
	const char *arg;	/* type, member path or slot name */
	struct expr *len;	/* of buffers; NULL: sizeof the target */
	bool alloc;		/* length is that of the kernel's allocation */
	s64 lo, hi;		/* SP_RANGE; SP_CONSUMED: consumed, returned */
};

struct check {
	struct expr *e;
	const char *text;
};

enum func_class { FC_GEN, FC_MANUAL, FC_LIB, FC_PLAIN, FC_POINTER };

struct func_note {
	const char *name;
	struct where where;
	enum func_class class;
	const char *free;
	const char *fatal;	/* never returns: the domain has failed */
	int printf_arg;		/* -1: no */
	bool optional;		/* may be missing in this kernel */
	const char *lock;	/* takes that kind of lock, which has no address */
	const char *unlock;	/* gives it back */
	bool sleep;		/* not to be called in atomic context */
	struct spec *spec;
	u32 nr_spec;
	struct check *check;
	u32 nr_check;
	struct check keep;	/* SP_RETAKE: still held afterwards if true */
	bool used;
};

/* What a field of a shadowed or lent object must be when the driver has changed it. */
struct rule {
	const char *path;
	struct where where;
	u32 off, len;
	u32 table;	/* not 0: points to so many bytes that the driver cannot change */
	struct mtype *target;	/* not NULL: points to one that the driver holds */
	struct type_note *held;	/* its type */
	bool string;	/* points to a string */
	struct check valid;	/* otherwise */
};

struct type_note {
	const char *name;
	struct where where;
	struct mtype *type;	/* NULL: a token, held beside the object itself */
	bool object;		/* pointers to it are checked by the table */
	bool embedded;		/* lives in memory of the driver */
	bool optional;
	const char *header;	/* where the real definition is */
	const char *take, *give;	/* hooks in place of the object table */
	const char *drop;	/* frees an object that the driver lost */
	u32 nr_drop_arg;
	s64 drop_arg[2];
	struct check *sound;	/* conditions on "obj" for each use of one */
	u32 nr_sound;
	struct rule *rule;	/* what fields of its shadows, or of lent ones, must be */
	u32 nr_rule;
	struct field *field;
	u32 nr_field;
	struct callback *cb;
	u32 nr_cb;
	struct callback *held;	/* members that point to objects */
	u32 nr_held;
	bool used;
};

/*
 * A member of an embedded struct through which the kernel calls the driver,
 * or which it follows to an object.
 */
struct callback {
	const char *path;
	u32 off;
	struct mtype *target;
	struct splan *slot;	/* of a function */
	struct type_note *tn;	/* of an object */
};

struct field {
	u32 off, len;
	u64 mask;
	bool shadow;		/* not in place: goes to the copy */
	const char *path;	/* of the first member merged into it */
};

struct slot_note {
	const char *name;
	struct where where;
	bool manual;
	bool optional;
	const char *as;		/* manual: another slot's symbol */
	struct mtype *proto;	/* with the names of the annotation, or NULL */
	bool has_errval;
	s64 errval;
	struct expr *down;	/* value while the domain is down */
	struct check *valid;	/* what must be true after the call */
	u32 nr_valid;
	struct spec *spec;
	u32 nr_spec;
	bool used;
};

/* Which struct an ops object is, where matching cannot tell. */
struct obj_note {
	const char *name;
	const char *type;
	struct where where;
};

struct notes {
	struct func_note *func;
	u32 nr_func;
	struct type_note *type;
	u32 nr_type;
	struct slot_note *slot;
	u32 nr_slot;
	struct obj_note *obj;
	u32 nr_obj;
};

/* --- plan ---------------------------------------------------------------- */

/* Where parameter i travels: position in the ABI's argument list. */
struct param {
	const char *name;
	struct mtype *type;
	u32 pos;		/* 0 to 5 registers, 6 and on the stack */
	struct spec spec;
	struct type_note *tn;	/* of SP_HELD and its like */
	struct type_note *also;	/* @tn is a token: of the object that carries it */
	u32 within;		/* SP_WITHIN: offset in the object */
	u32 len;		/* sizeof the target if spec.len is NULL */
	struct splan *cb;	/* SP_CB */
};

struct plan {
	const char *name;
	const char *refused;	/* the reason, NULL if there is a plan */
	const char *draft;	/* an annotation to start from */
	struct func_note *note;
	bool by_type;		/* nothing but types was needed */
	bool by_kernel;		/* the kernel has a wrapper, too */
	bool pointer_only;	/* the driver does not call it */
	struct mtype *proto;
	struct param *p;
	u32 nr;
	u32 nr_pos;		/* words of arguments */
	struct spec ret;
	struct type_note *ret_tn;
};

struct splan {
	const char *name;	/* of the slot */
	const char *refused;
	struct slot_note *note;
	struct mtype *proto;	/* NULL: a manual slot that no struct holds */
	struct param *p;
	u32 nr;
	u32 nr_pos;
	s64 errval;
	struct spec ret;
};

/* The whole run. */
struct run {
	const char *name;	/* of the wrapper module */
	struct kernel k;
	struct ko **ko;
	u32 nr_ko;
	struct notes notes;
	struct plan **plan;	/* one per import name, sorted */
	u32 nr_plan;
	struct splan **splan;	/* one per slot, sorted */
	u32 nr_splan;
	void *slot_index;	/* slot name -> struct splan */
};

#endif
