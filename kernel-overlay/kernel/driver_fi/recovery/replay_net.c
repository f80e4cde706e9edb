// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restarts of network drivers: their devices stay registered, and get back
 * what users had set.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>
#include <net/sch_generic.h>

#include "../wrap/class.h"
#include "../wrap/net.h"
#include "recovery.h"

#define LINK_MS		1000	/* copper negotiates longer; QEMU's takes 500 */
#define LINK_POLL_MS	20
#define CARRIER_MS	200	/* from open to the driver's word on link */
#define CARRIER_POLL_MS	5

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

/*
 * Drivers look for link once they are opened, and then at leisure: e1000 every
 * two seconds. Their reset has just taken it down, so they are opened when it
 * is back, or will not be soon. Asking a driver that is not open is unusual;
 * one that fails by it is not asked again.
 */
static void await_link(struct fi_netdev *nd)
{
	const struct ethtool_ops *ops = nd->dev->ethtool_ops;
	unsigned long end = jiffies + msecs_to_jiffies(LINK_MS);

	/* The generic function tells what only an open driver finds out. */
	if (nd->link_fails || !ops || !ops->get_link || ops->begin ||
	    ops->get_link == ethtool_op_get_link)
		return;
	nd->link_fails = true;
	while (!ops->get_link(nd->dev) && !READ_ONCE(nd->dom->dead) &&
	       time_before(jiffies, end))
		msleep(LINK_POLL_MS);
	nd->link_fails = READ_ONCE(nd->dom->dead);
}

/*
 * Link events of a device that is not present are put off. So if carrier is
 * back before the device is, nobody hears that it was gone, and nobody drops
 * the neighbours that packets are on their way to.
 */
static void await_carrier(struct net_device *dev)
{
	unsigned long end = jiffies + msecs_to_jiffies(CARRIER_MS);

	while (!netif_carrier_ok(dev) && time_before(jiffies, end))
		msleep(CARRIER_POLL_MS);
}

static int replay_up(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;
	const struct net_device_ops *ops = dev->netdev_ops;
	int err = 0;

	if (dev->flags & IFF_UP) {
		await_link(nd);
		set_bit(__LINK_STATE_START, &dev->state);
		if (ops->ndo_open)
			err = ops->ndo_open(dev);
	}
	if (err)
		return err;
	if (dev->flags & IFF_UP)
		await_carrier(dev);
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
	err = replay_up(nd);
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
