// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of the life of network devices.
 *
 * The struct net_device is the kernel's; what follows it (netdev_priv()) is the
 * driver's, on pages of its own. A registered device stays registered while
 * its driver is restarted: alloc_etherdev() then returns it again.
 */
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/overflow.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../domain/handover.h"
#include "../rm/shadow.h"
#include "manual.h"
#include "net.h"
#include "pci.h"

static const struct fi_type *net_device_type, *netdev_queue_type, *device_type;

static int __init fi_net_init(void)
{
	net_device_type = fi_type_get("net_device", sizeof(struct net_device), NULL, 0);
	netdev_queue_type = fi_type_get("netdev_queue", sizeof(struct netdev_queue), NULL, 0);
	device_type = fi_type_get("device", sizeof(struct device), NULL, 0);
	return 0;
}
core_initcall(fi_net_init);

#define MAX_PRIV	SZ_1M
#define MAX_QUEUES	256

/* Protects fi_netdevs; taken last, also under RTNL. */
static DEFINE_MUTEX(fi_netdevs_lock);
static LIST_HEAD(fi_netdevs);

struct fi_netdev *fi_net_nth(struct fi_domain *d, unsigned int n)
{
	struct fi_netdev *nd, *found = NULL;

	mutex_lock(&fi_netdevs_lock);
	list_for_each_entry(nd, &fi_netdevs, node) {
		if (nd->dom == d && !n--) {
			found = nd;
			break;
		}
	}
	mutex_unlock(&fi_netdevs_lock);
	return found;
}

static void free_dev(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;

	fi_napi_drop_all(nd->dom, dev);
	mutex_lock(&fi_netdevs_lock);
	list_del(&nd->node);
	mutex_unlock(&fi_netdevs_lock);
	/* Users may hold the device for a while; its driver is gone. */
	fi_handed_forget(nd->dom, netdev_priv(dev), dev->priv_len);
	fi_pages_revoke(nd->dom, netdev_priv(dev), dev->priv_len);
	free_netdev(dev);
	kfree(nd);
}

void fi_net_end(struct fi_netdev *nd)
{
	if (nd->dev->reg_state == NETREG_REGISTERED)
		unregister_netdev(nd->dev);
	free_dev(nd);
}

static void release_dev(struct fi_domain *d, void *ptr, unsigned long cookie)
{
	struct fi_netdev *nd = (struct fi_netdev *)cookie;

	fi_shadow_del(d, nd->dev);
	if (nd->dev->reg_state != NETREG_REGISTERED ||
	    fi_park(d, FI_PARK_NETDEV, nd->id, nd))
		fi_net_end(nd);
}

static void unhold(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;
	unsigned int i;

	for (i = 0; i < dev->num_tx_queues; i++)
		fi_obj_del(nd->dom, netdev_get_tx_queue(dev, i), netdev_queue_type, NULL);
	fi_obj_del(nd->dom, &dev->dev, device_type, NULL);
	fi_obj_del(nd->dom, dev, net_device_type, NULL);
}

static int hold(struct fi_netdev *nd)
{
	struct net_device *dev = nd->dev;
	unsigned int i;
	int err;

	err = fi_obj_add(nd->dom, dev, net_device_type, release_dev, (unsigned long)nd) ?:
	      fi_obj_add(nd->dom, &dev->dev, device_type, NULL, 0);
	for (i = 0; i < dev->num_tx_queues && !err; i++)
		err = fi_obj_add(nd->dom, netdev_get_tx_queue(dev, i), netdev_queue_type,
				 NULL, 0);
	if (!err)
		err = fi_shadow_add(nd->dom, dev, net_device_type);
	if (err)
		unhold(nd);
	return err;
}

/* The parent is not known yet, but a driver allocates while it probes. */
static unsigned long dev_id(struct fi_domain *d)
{
	struct fi_pci_dev *p = fi_pci_probing(d);

	return p ? (unsigned long)p->pdev + p->nr_netdevs++ : 0;
}

static struct fi_netdev *new_dev(struct fi_domain *d, int priv, unsigned int txqs,
				 unsigned int rxqs)
{
	struct fi_netdev *nd = kzalloc(sizeof(*nd), GFP_KERNEL);
	size_t split = offsetof(struct net_device, priv);

	if (!nd)
		return NULL;
	fi_place_begin(d, struct_size(nd->dev, priv, priv), split);
	nd->dev = alloc_etherdev_mqs(priv, txqs, rxqs);
	fi_place_end();
	if (!nd->dev)
		goto fail;
	/* Not placed? Then the private data would be read-only. */
	if (priv && !fi_mem_writable(d, (unsigned long)netdev_priv(nd->dev), priv)) {
		free_netdev(nd->dev);
		goto fail;
	}
	nd->dom = d;
	mutex_lock(&fi_netdevs_lock);
	list_add_tail(&nd->node, &fi_netdevs);
	mutex_unlock(&fi_netdevs_lock);
	return nd;
fail:
	kfree(nd);
	return NULL;
}

/* The device of the driver's life before, if it has the same shape. */
static struct fi_netdev *old_dev(struct fi_domain *d, unsigned long id, int priv,
				 unsigned int txqs, unsigned int rxqs)
{
	struct fi_netdev *nd = id ? fi_unpark(d, FI_PARK_NETDEV, id) : NULL;
	struct net_device *dev;

	if (!nd)
		return NULL;
	dev = nd->dev;
	if (dev->priv_len != priv || dev->num_tx_queues != txqs ||
	    dev->num_rx_queues != rxqs) {
		fi_net_end(nd);
		return NULL;
	}
	memset(netdev_priv(dev), 0, priv);
	/* As alloc_etherdev() leaves it; users' values are replayed later. */
	dev->mtu = ETH_DATA_LEN;
	dev->features = 0;
	dev->hw_features = 0;
	dev->vlan_features = 0;
	dev->hw_enc_features = 0;
	dev->mpls_features = 0;
	dev->gso_partial_features = 0;
	return nd;
}

static unsigned long wrap_alloc_etherdev(struct fi_call *c)
{
	int priv = c->arg[0];
	unsigned int txqs = c->arg[1], rxqs = c->arg[2];
	struct fi_domain *d = c->dom;
	struct fi_netdev *nd;
	unsigned long id;

	if (!fi_may_sleep(c))
		return 0;
	if (priv < 0 || priv > MAX_PRIV || !txqs || txqs > MAX_QUEUES ||
	    !rxqs || rxqs > MAX_QUEUES)
		return fi_reject(c, 0, "size or number of queues out of range");
	id = dev_id(d);
	nd = old_dev(d, id, priv, txqs, rxqs) ?: new_dev(d, priv, txqs, rxqs);
	if (!nd)
		return 0;
	nd->id = id;
	if (!hold(nd)) {
		fi_note_alloc(d, nd->dev, struct_size(nd->dev, priv, priv), net_device_type);
		return (unsigned long)nd->dev;
	}
	fi_net_end(nd);
	return 0;
}

/*
 * The device that argument 0 names; rejects the call if it is not held, or
 * where it must not sleep.
 */
static struct fi_netdev *arg_dev(struct fi_call *c)
{
	struct net_device *dev = (struct net_device *)c->arg[0];
	struct fi_netdev *nd, *found = NULL;

	if (!fi_may_sleep(c))
		return NULL;
	if (fi_obj_held(c->dom, dev, net_device_type)) {
		mutex_lock(&fi_netdevs_lock);
		list_for_each_entry(nd, &fi_netdevs, node) {
			if (nd->dev == dev)
				found = nd;
		}
		mutex_unlock(&fi_netdevs_lock);
	}
	if (!found)
		fi_reject(c, 0, "not a net_device of this driver");
	return found;
}

static unsigned long wrap_free_netdev(struct fi_call *c)
{
	struct fi_netdev *nd = arg_dev(c);

	if (!nd)
		return 0;
	if (nd->dev->reg_state == NETREG_REGISTERED) {
		/* A restarted driver gives up: the device is not its new one. */
		if (!nd->saved)
			return fi_reject(c, 0, "still registered");
		fi_shadow_del(c->dom, nd->dev);
		unhold(nd);
		fi_net_end(nd);
		return 0;
	}
	fi_note_free(c->dom, nd->dev);
	fi_shadow_del(c->dom, nd->dev);
	unhold(nd);
	free_dev(nd);
	return 0;
}

static bool check_ops(struct fi_call *c, const struct net_device *dev)
{
	const struct net_device_ops *ops = dev->netdev_ops;

	return ops && fi_mem_readable(c->dom, (unsigned long)ops, sizeof(*ops)) &&
	       !fi_mem_writable(c->dom, (unsigned long)ops, 1);
}

static unsigned long wrap_register_netdev(struct fi_call *c)
{
	struct fi_netdev *nd = arg_dev(c);
	struct net_device *dev;

	if (!nd)
		return 0;
	dev = nd->dev;
	if (!check_ops(c, dev))
		return fi_reject(c, 0, "its operations are in writable memory");
	if (strnlen(dev->name, IFNAMSIZ) == IFNAMSIZ)
		return fi_reject(c, 0, "its name has no end");
	if (dev->reg_state == NETREG_UNINITIALIZED)
		return (unsigned long)(long)register_netdev(dev);
	if (dev->reg_state != NETREG_REGISTERED || !nd->saved)
		return fi_reject(c, 0, "registered already");
	memcpy(dev->name, nd->name, IFNAMSIZ);
	return 0;
}

static unsigned long wrap_unregister_netdev(struct fi_call *c)
{
	struct fi_netdev *nd = arg_dev(c);

	if (!nd)
		return 0;
	if (nd->dev->reg_state != NETREG_REGISTERED)
		return fi_reject(c, 0, "not registered");
	unregister_netdev(nd->dev);
	return 0;
}

const struct fi_import fi_imports_net[] = {
	{ .name = "alloc_etherdev_mqs", .fn = wrap_alloc_etherdev },
	{ .name = "free_netdev", .fn = wrap_free_netdev },
	{ .name = "register_netdev", .fn = wrap_register_netdev },
	{ .name = "unregister_netdev", .fn = wrap_unregister_netdev },
	{ .name = "netif_napi_add_weight", .fn = fi_wrap_napi_add },
	{ .name = "__netif_napi_del", .fn = fi_wrap_napi_del },
	{ .name = "napi_enable", .fn = fi_wrap_napi_enable },
	{ .name = "napi_disable", .fn = fi_wrap_napi_disable },
	{ .name = "napi_schedule_prep", .fn = fi_wrap_napi_schedule_prep },
	{ .name = "__napi_schedule", .fn = fi_wrap_napi_schedule },
	{ .name = "__napi_schedule_irqoff", .fn = fi_wrap_napi_schedule },
	{ .name = "napi_complete_done", .fn = fi_wrap_napi_complete_done },
	{ .name = "napi_gro_receive", .fn = fi_wrap_napi_gro_receive },
	{ .name = "napi_alloc_skb", .fn = fi_wrap_napi_alloc_skb },
	{ .name = "napi_get_frags", .fn = fi_wrap_napi_get_frags },
	{ .name = "napi_gro_frags", .fn = fi_wrap_napi_gro_frags },
	{ .name = "___pskb_trim", .fn = fi_wrap_pskb_trim },
	{ .name = "__alloc_skb", .fn = fi_wrap_alloc_skb },
	{ .name = "__netdev_alloc_skb", .fn = fi_wrap_netdev_alloc_skb },
	{ .name = "napi_build_skb", .fn = fi_wrap_build_skb },
	{ .name = "__netdev_alloc_frag_align", .fn = fi_wrap_alloc_frag },
	{ .name = "page_frag_free", .fn = fi_wrap_free_frag },
	{ }
};
