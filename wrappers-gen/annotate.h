/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Annotation files: one line a fact that BTF cannot know.
 */
#ifndef WRAPPERS_GEN_ANNOTATE_H
#define WRAPPERS_GEN_ANNOTATE_H

#include "model.h"

/* Reads a file; an unknown name or word ends the run with file:line. */
void notes_read(struct notes *n, const struct kernel *k, const char *path);
/* After all files: sort and merge the in-place fields. */
void notes_finish(struct notes *n);

struct func_note *note_func(struct notes *n, const char *name);
struct type_note *note_type(struct notes *n, const char *name);
struct slot_note *note_slot(struct notes *n, const char *name);
struct obj_note *note_object(struct notes *n, const char *name);

/* The prototype of "struct.member", NULL if that is no function pointer. */
struct mtype *slot_proto(const struct kernel *k, const char *name);

/* spec.c: the right side of param=... */
struct spec spec_parse(const char *param, const char *text, struct where w);

/* fields.c: fields in place, or of a shadow copy, from BTF */
void field_add(struct type_note *t, const char *path, u64 bits, bool shadow, struct where w);
void fields_merge(struct type_note *t);

#endif
