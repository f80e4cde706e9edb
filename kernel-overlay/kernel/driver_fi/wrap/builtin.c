// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers the wrappers that are part of the kernel. They come first, so a
 * wrapper module cannot replace them.
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "manual.h"

static struct fi_wrappers fi_builtin[] = {
	{ .name = "lib",	.imports = fi_imports_lib },
	{ .name = "mem",	.imports = fi_imports_mem },
	{ .name = "sync",	.imports = fi_imports_sync },
	{ .name = "irq",	.imports = fi_imports_irq },
	{ .name = "time",	.imports = fi_imports_time },
	{ .name = "dma",	.imports = fi_imports_dma },
	{ .name = "pci",	.imports = fi_imports_pci },
	{ .name = "net",	.imports = fi_imports_net },
};

/* Return: 0 */
int fi_builtin_wrappers_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fi_builtin); i++)
		fi_wrappers_register(&fi_builtin[i]);
	return 0;
}
