// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restarts of network drivers: their devices stay registered, and get back
 * what users had set.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/init.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>
#include <net/sch_generic.h>

#include "../wrap/class.h"
#include "../wrap/net.h"
#include "recovery.h"

static void save(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;

	memcpy(nd->name, dev->name, IFNAMSIZ);
	memcpy(nd->addr, dev->dev_addr, dev->addr_len);
	nd->addr_assign_type = dev->addr_assign_type;
	nd->mtu = dev->mtu;
	nd->hw_features = dev->hw_features;
	nd->wanted_features = dev->wanted_features;
	nd->vlan_features = dev->vlan_features;
	nd->hw_enc_features = dev->hw_enc_features;
	nd->mpls_features = dev->mpls_features;
	nd->gso_partial_features = dev->gso_partial_features;
	nd->saved = true;
}

/* The driver has forgotten what it had queued. */
static void reset_queues(struct net_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->num_tx_queues; i++)
		netdev_tx_reset_queue(netdev_get_tx_queue(dev, i));
}

static void quiesce_dev(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;

	if (dev->reg_state != NETREG_REGISTERED)
		return;
	/* A restart that failed has left the driver's values: keep the users'. */
	if (!nd->saved)
		save(nd);
	netif_device_detach(dev);
	netif_carrier_off(dev);
	/*
	 * As in dev_close(): drivers rely on no packet coming before link, and
	 * look at netif_running() when they are told an MTU or an address.
	 */
	if (dev->flags & IFF_UP) {
		dev_deactivate(dev);
		clear_bit(__LINK_STATE_START, &dev->state);
	}
	reset_queues(dev);
	/* A probe that failed may have changed it; users go by the name. */
	memcpy(dev->name, nd->name, IFNAMSIZ);
}

static void quiesce(struct fi_domain *d)
{
	struct fi_netdev *nd;
	unsigned int n = 0;

	if (!fi_net_nth(d, 0))
		return;
	rtnl_lock();
	while ((nd = fi_net_nth(d, n++)))
		quiesce_dev(nd);
	rtnl_unlock();
}

static int replay_addr(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;
	struct sockaddr_storage sa = { .ss_family = dev->type };
	int err = 0;

	if (memcmp(dev->dev_addr, nd->addr, dev->addr_len)) {
		memcpy(((struct sockaddr *)&sa)->sa_data, nd->addr, dev->addr_len);
		err = dev->netdev_ops->ndo_set_mac_address ?
		      dev->netdev_ops->ndo_set_mac_address(dev, &sa) : -EOPNOTSUPP;
	}
	dev->addr_assign_type = nd->addr_assign_type;
	return err;
}

static int replay_mtu(struct fi_netdev *nd)
{
	return nd->mtu == nd->dev->mtu ? 0 : __dev_set_mtu(nd->dev, nd->mtu);
}

/* register_netdevice() had added to what the driver offers. */
static void replay_features(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;

	dev->hw_features = nd->hw_features;
	dev->vlan_features = nd->vlan_features;
	dev->hw_enc_features = nd->hw_enc_features;
	dev->mpls_features = nd->mpls_features;
	dev->gso_partial_features = nd->gso_partial_features;
	dev->wanted_features = nd->wanted_features;
	netdev_update_features(dev);
}

static int replay_up(struct net_device *dev)
{
	const struct net_device_ops *ops = dev->netdev_ops;
	int err = 0;

	if (dev->flags & IFF_UP) {
		set_bit(__LINK_STATE_START, &dev->state);
		if (ops->ndo_open)
			err = ops->ndo_open(dev);
	}
	if (err)
		return err;
	netif_device_attach(dev);
	/* Does nothing until there is link, see netif_carrier_on(). */
	if (dev->flags & IFF_UP)
		dev_activate(dev);
	dev_set_rx_mode(dev);
	if (dev->features & NETIF_F_HW_VLAN_CTAG_FILTER)
		vlan_get_rx_ctag_filter_info(dev);
	if (dev->features & NETIF_F_HW_VLAN_STAG_FILTER)
		vlan_get_rx_stag_filter_info(dev);
	return 0;
}

/* Under RTNL. */
static int replay_dev(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;
	int err;

	if (!nd->saved || dev->reg_state != NETREG_REGISTERED)
		return 0;
	err = replay_addr(nd) ?: replay_mtu(nd);
	if (err)
		return err;
	replay_features(nd);
	err = replay_up(dev);
	if (!err)
		nd->saved = false;
	return err;
}

/* Devices that the driver's new life has not asked for. */
static void drop_parked(struct fi_domain *d)
{
	struct fi_netdev *nd;

	while ((nd = fi_unpark_any(d, FI_PARK_NETDEV)))
		fi_net_end(nd);
}

static int replay(struct fi_domain *d)
{
	struct fi_netdev *nd;
	unsigned int n = 0;
	int err = 0;

	drop_parked(d);
	if (!fi_net_nth(d, 0))
		return 0;
	rtnl_lock();
	while (!err && (nd = fi_net_nth(d, n++)))
		err = replay_dev(nd);
	rtnl_unlock();
	return err;
}

static const struct fi_class_ops net_class = {
	.name = "net",
	.quiesce = quiesce,
	.replay = replay,
	.abandon = drop_parked,
};

int fi_replay_net_init(void)
{
	return fi_class_register(&net_class);
}
