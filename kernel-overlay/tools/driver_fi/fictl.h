/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the parts of fictl.
 */
#ifndef FICTL_H
#define FICTL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define TEXT_MAX	16384

/* Exit codes. */
enum { EXIT_OK, EXIT_ERROR, EXIT_USAGE };

/* util.c */
__attribute__((format(printf, 1, 2))) int error(const char *fmt, ...);
const char *sysfs_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *debugfs_path(const char *file);
/* Reads a whole file; NUL-terminated, without the last newline. -errno. */
int read_text(const char *path, char *buf, size_t size);
int write_text(const char *path, const char *text);
/* The value of "key value" in @text, or NULL; static storage. */
const char *value_of(const char *text, const char *key);
/* Name of a module as the kernel has it: dashes are underscores. */
const char *module_name(const char *name);
/* Is a module of that name loaded? */
bool is_module(const char *name);
/* Is it loaded and isolated? */
bool is_isolated(const char *name);
/* Is isolation there and armed? Says so if not. */
bool armed(void);

/* log.c */
int kmsg_mark(void);
void kmsg_since(int mark);
int cmd_log(int argc, char **argv);

/* show.c */
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);

/* act.c */
int cmd_isolate(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_inject(int argc, char **argv);

#endif
