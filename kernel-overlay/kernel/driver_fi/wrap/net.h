/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network devices of a domain: between the wrappers, and for recovery above.
 */
#ifndef _DRIVER_FI_NET_H
#define _DRIVER_FI_NET_H

#include <linux/list.h>
#include <linux/netdevice.h>

#include "../fi.h"

/**
 * struct fi_netdev - what the kernel keeps of a driver's network device
 * @node: in the list of all, under a mutex
 * @dom: domain
 * @dev: the device
 * @id: the same in each life of the driver: its parent and number
 * @saved: the fields below are what users have set; the driver's probe
 *	changes the device
 * @link_fails: the driver failed when it was asked for link before it was open
 * @name: as users know it
 */
struct fi_netdev {
	struct list_head node;
	struct fi_domain *dom;
	struct net_device *dev;
	unsigned long id;
	bool saved;
	bool link_fails;
	char name[IFNAMSIZ];
	u8 addr[MAX_ADDR_LEN];
	u8 addr_assign_type;
	unsigned int mtu;
	netdev_features_t hw_features, wanted_features, vlan_features;
	netdev_features_t hw_enc_features, mpls_features, gso_partial_features;
};

#define FI_PARK_NETDEV	"net_device"

/* The @n-th device of @d, or NULL. Only while none comes or goes. */
struct fi_netdev *fi_net_nth(struct fi_domain *d, unsigned int n);
/* Unregisters, if registered, and frees. Not under RTNL. */
void fi_net_end(struct fi_netdev *nd);

/* manual_napi.c */
unsigned long fi_wrap_napi_add(struct fi_call *c);
unsigned long fi_wrap_napi_del(struct fi_call *c);
unsigned long fi_wrap_napi_enable(struct fi_call *c);
unsigned long fi_wrap_napi_disable(struct fi_call *c);
unsigned long fi_wrap_napi_schedule_prep(struct fi_call *c);
unsigned long fi_wrap_napi_schedule(struct fi_call *c);
unsigned long fi_wrap_napi_complete_done(struct fi_call *c);
unsigned long fi_wrap_skb_put(struct fi_call *c);
unsigned long fi_wrap_napi_gro_receive(struct fi_call *c);
unsigned long fi_wrap_napi_alloc_skb(struct fi_call *c);
unsigned long fi_wrap_napi_get_frags(struct fi_call *c);
unsigned long fi_wrap_napi_gro_frags(struct fi_call *c);
/* Ends what the driver left of @dev; before free_netdev(). */
void fi_napi_drop_all(struct fi_domain *d, struct net_device *dev);
/* The driver freed the packet that its napi_get_frags() returned. */
void fi_napi_forget_frags(struct fi_domain *d, const struct sk_buff *skb);

/* manual_skb.c */
unsigned long fi_wrap_alloc_skb(struct fi_call *c);
unsigned long fi_wrap_netdev_alloc_skb(struct fi_call *c);
unsigned long fi_wrap_build_skb(struct fi_call *c);
unsigned long fi_wrap_alloc_frag(struct fi_call *c);
unsigned long fi_wrap_free_frag(struct fi_call *c);
unsigned long fi_wrap_pskb_trim(struct fi_call *c);
int fi_skb_take(struct fi_domain *d, struct sk_buff *skb);
bool fi_skb_give(struct fi_domain *d, struct sk_buff *skb);
/* A packet made for the driver to fill: all of its data may be written. */
int fi_skb_take_new(struct fi_domain *d, struct sk_buff *skb);
/* One for napi_get_frags(): also its list of pages. */
int fi_skb_take_frags(struct fi_domain *d, struct sk_buff *skb);
bool fi_skb_held(struct fi_domain *d, const struct sk_buff *skb);
/* Frees a packet that the driver has, if it has it; its pages stay the driver's. */
void fi_skb_drop(struct fi_domain *d, struct sk_buff *skb);

extern const struct fi_slot fi_slot_napi_poll;

#endif
