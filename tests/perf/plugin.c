// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU that counts how often each instruction of the kernel was
 * executed, for tests/perf/profile. At the end "address count" a line, in hex and
 * decimal; all of user space is address 1.
 *
 * Debian packages no qemu-plugin.h; what is declared here is version 1 of that
 * interface (QEMU documentation, "QEMU TCG Plugins").
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

EXPORT int qemu_plugin_version = 1;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*fn)(qemu_plugin_id_t id,
						      struct qemu_plugin_tb *tb));
/* @op 0: add @imm to *@ptr */
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *ptr, uint64_t imm);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    void (*fn)(qemu_plugin_id_t id, void *data), void *data);

/* Open addressing; a boot executes some 300,000 different instructions. */
#define SLOT_BITS	22
#define SLOTS		(1U << SLOT_BITS)

struct slot {
	uint64_t va;
	uint64_t count;
};

static struct slot *table;
static const char *out;

static struct slot *slot_of(uint64_t va)
{
	uint32_t h = (va * 0x9e3779b97f4a7c15ULL) >> (64 - SLOT_BITS), tries;

	for (tries = 0; table[h].va && table[h].va != va; tries++) {
		if (tries == SLOTS) {
			fputs("plugin: too many instructions\n", stderr);
			exit(1);
		}
		h = (h + 1) % SLOTS;
	}
	table[h].va = va;
	return &table[h];
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t va = qemu_plugin_insn_vaddr(insn);

		if (!(va >> 63))
			va = 1;
		qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &slot_of(va)->count, 1);
	}
}

static void finished(qemu_plugin_id_t id, void *data)
{
	FILE *f = fopen(out, "w");
	uint32_t i;

	if (!f) {
		perror(out);
		return;
	}
	for (i = 0; i < SLOTS; i++) {
		if (table[i].count)
			fprintf(f, "%016lx %lu\n", table[i].va, table[i].count);
	}
	fclose(f);
}

/* Argument: out=FILE */
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	}
	table = calloc(SLOTS, sizeof(*table));
	if (!out || !table)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
