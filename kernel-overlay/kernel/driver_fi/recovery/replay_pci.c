// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restarts of PCI drivers: masking, resetting and probing their devices.
 */
#include <linux/device.h>
#include <linux/init.h>
#include <linux/pci.h>

#include "../wrap/class.h"
#include "../wrap/pci.h"
#include "recovery.h"

/* Neither DMA (nor MSI, which is DMA) nor INTx. */
static void mask_dev(struct fi_pci_dev *p)
{
	u16 cmd;

	if (pci_read_config_word(p->pdev, PCI_COMMAND, &cmd) || PCI_POSSIBLE_ERROR(cmd))
		return;
	cmd &= ~PCI_COMMAND_MASTER;
	cmd |= PCI_COMMAND_INTX_DISABLE;
	pci_write_config_word(p->pdev, PCI_COMMAND, cmd);
	p->pdev->is_busmaster = 0;
}

static void mask(struct fi_domain *d)
{
	fi_pci_for_each(d, mask_dev);
}

/*
 * Devices without a reset of their own keep their state, as 82540EM does:
 * they cannot do DMA, and the driver resets them when it probes.
 */
static void reset_dev(struct pci_dev *pdev)
{
	if (!pci_device_is_present(pdev))
		return;
	device_lock(&pdev->dev);
	pci_reset_function_locked(pdev);
	device_unlock(&pdev->dev);
}

static void reset(struct fi_domain *d)
{
	struct pci_dev *pdev;
	unsigned int n = 0;

	fi_pci_reap(d);
	while ((pdev = fi_pci_get_nth(d, n++))) {
		reset_dev(pdev);
		pci_dev_put(pdev);
	}
}

static int replay(struct fi_domain *d)
{
	struct pci_dev *pdev;
	unsigned int n = 0;
	int err = 0;

	while (!err && (pdev = fi_pci_get_nth(d, n++))) {
		device_lock(&pdev->dev);
		err = fi_pci_reprobe(d, pdev);
		device_unlock(&pdev->dev);
		pci_dev_put(pdev);
	}
	return err;
}

static void abandon(struct fi_domain *d)
{
	struct fi_pci_driver *pd;

	while ((pd = fi_unpark_any(d, FI_PARK_PCI_DRIVER)))
		fi_pci_driver_end(pd);
	fi_pci_reap(d);
}

static const struct fi_class_ops pci_class = {
	.name = "pci",
	.mask = mask,
	.reset = reset,
	.replay = replay,
	.abandon = abandon,
};

int fi_replay_pci_init(void)
{
	return fi_class_register(&pci_class);
}
