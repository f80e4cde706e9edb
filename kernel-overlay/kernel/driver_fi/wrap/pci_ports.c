// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O ports of the PCI regions that a driver claims.
 */
#include <linux/pci.h>

#include "../fi.h"
#include "manual.h"

/**
 * fi_pci_ports - ports come and go with the regions that they are in
 * @d: the driver's domain
 * @pdev: its device
 * @bars: regions that it claimed or gave back
 * @grant: which of the two
 *
 * Context: may sleep, callers serialized.
 */
void fi_pci_ports(struct fi_domain *d, struct pci_dev *pdev, int bars, bool grant)
{
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		resource_size_t first = pci_resource_start(pdev, i), nr = pci_resource_len(pdev, i);

		if (!(bars & BIT(i)) || !(pci_resource_flags(pdev, i) & IORESOURCE_IO))
			continue;
		if (!grant)
			fi_port_revoke(d, first, nr);
		else if (fi_port_grant(d, first, nr))
			pci_warn(pdev, "driver_fi: too many port regions, BAR %d is left out\n", i);
	}
}
