// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of NAPI.
 *
 * A driver's struct napi_struct lies in its own memory, where it could change
 * what the kernel follows. So the kernel gets one of its own for each, and
 * every call is led to that. Until it is deleted the driver has no right to its
 * own but to fields that inline functions change.
 */
#include <linux/export.h>
#include <linux/hashtable.h>
#include <linux/init.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "../domain/handover.h"
#include "manual.h"
#include "net.h"

static const struct fi_type *napi_type, *net_device_type;

static int __init fi_napi_init(void)
{
	napi_type = fi_type_get("napi_struct", sizeof(struct napi_struct), NULL, 0);
	net_device_type = fi_type_get("net_device", sizeof(struct net_device), NULL, 0);
	return 0;
}
core_initcall(fi_napi_init);

/**
 * struct fi_napi - the kernel's side of a driver's napi_struct
 * @napi: what the network stack knows
 * @node: in fi_napis
 * @dom: domain
 * @orig: the driver's, in its memory
 * @handed: the same as what the kernel has of the driver's
 * @poll: the driver's function
 * @enabled: not 0 between napi_enable() and napi_disable()
 * @prepped: napi_schedule_prep() said yes and napi_schedule() is to follow:
 *	the driver owns the instance
 * @poller: CPU + 1 that runs poll and owns the instance by that
 */
struct fi_napi {
	struct napi_struct napi;
	struct hlist_node node;
	struct fi_domain *dom;
	struct napi_struct *orig;
	struct fi_handover handed;
	struct fi_entry *poll;
	int enabled;
	int prepped;
	int poller;
	struct rcu_head rcu;
};

/*
 * By address of the driver's napi_struct. Changed under the lock, read under
 * RCU: an interrupt looks here once for each packet at most.
 */
static DEFINE_HASHTABLE(fi_napis, 6);
static DEFINE_SPINLOCK(fi_napis_lock);

static struct fi_napi *find(struct fi_domain *d, unsigned long orig)
{
	struct fi_napi *p, *found = NULL;

	rcu_read_lock();
	hash_for_each_possible_rcu(fi_napis, p, node, orig) {
		if (p->dom == d && (unsigned long)p->orig == orig) {
			found = p;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/* The instance that argument 0 names; rejects the call if there is none. */
static struct fi_napi *arg_napi(struct fi_call *c)
{
	struct fi_napi *p = find(c->dom, c->arg[0]);

	if (unlikely(!p))
		fi_reject(c, 0, "not a napi_struct that this driver has added");
	return p;
}

static bool polling_here(struct fi_napi *p)
{
	return READ_ONCE(p->poller) == raw_smp_processor_id() + 1;
}

/* True if this CPU's poll still owned the instance. */
static bool end_poll(struct fi_napi *p)
{
	if (!polling_here(p))
		return false;
	WRITE_ONCE(p->poller, 0);
	return true;
}

/* What the network stack calls; softirq, or a NAPI thread with BH off. */
static int call_poll(struct napi_struct *napi, int budget)
{
	struct fi_napi *p = container_of(napi, struct fi_napi, napi);
	unsigned long a[8] = { (unsigned long)p->orig, budget }, ret;
	int work = 0;

	WRITE_ONCE(p->poller, raw_smp_processor_id() + 1);
	if (fi_invoke(p->poll, a, &ret))
		work = (int)ret;
	else
		budget = max(budget, 1);
	if (unlikely(work < 0 || work > budget)) {
		fi_slot_reject(p->poll, -1, "poll claims more than its budget");
		work = 0;
	}
	if (end_poll(p)) {
		/* A driver that died or forgot: nobody else would do it. */
		if (work < budget)
			napi_complete_done(napi, work);
	} else if (unlikely(work && work == budget)) {
		fi_slot_reject(p->poll, -1, "poll used its budget and says it is done");
		work = 0;
	}
	return work;
}

/* The kernel calls call_poll(): a call of the gate is not the stack's. */
static unsigned long slot_poll(struct fi_entry *e, unsigned long *a)
{
	fi_slot_reject(e, -1, "called past the network stack");
	return 0;
}

const struct fi_slot fi_slot_napi_poll = {
	.name = "napi_poll", .fn = slot_poll, .nargs = 2,
};
EXPORT_SYMBOL_GPL(fi_slot_napi_poll);

/* Ends an instance whose owner, if it has one, is the dead driver. */
static void end_napi(struct fi_napi *p)
{
	unsigned long flags;

	/* The driver won the right to schedule it and did not. */
	if (xchg(&p->prepped, 0))
		napi_complete(&p->napi);
	if (xchg(&p->enabled, 0))
		napi_disable(&p->napi);
	/* Else its pages were freed with it, and are the driver's. */
	if (p->napi.skb)
		fi_skb_drop(p->dom, p->napi.skb);
	__netif_napi_del(&p->napi);
	spin_lock_irqsave(&fi_napis_lock, flags);
	hash_del_rcu(&p->node);
	spin_unlock_irqrestore(&fi_napis_lock, flags);
	fi_hand_back(p->dom, &p->handed);
	/* The stack walks dev->napi_list under RCU. */
	kfree_rcu(p, rcu);
}

static void release(struct fi_domain *d, void *ptr, unsigned long cookie)
{
	end_napi((struct fi_napi *)cookie);
}

static struct fi_napi *first_of(struct fi_domain *d, const struct net_device *dev)
{
	struct fi_napi *p, *found = NULL;
	int i;

	rcu_read_lock();
	hash_for_each_rcu(fi_napis, i, p, node) {
		if (p->dom == d && p->napi.dev == dev)
			found = p;
	}
	rcu_read_unlock();
	return found;
}

void fi_napi_drop_all(struct fi_domain *d, struct net_device *dev)
{
	struct fi_napi *p;

	while ((p = first_of(d, dev))) {
		fi_obj_del(d, p->orig, napi_type, NULL);
		end_napi(p);
	}
}

/* napi_free_frags(), which is inline, frees this. */
static void show_frags(struct fi_napi *p, struct sk_buff *skb)
{
	if (fi_mem_writable(p->dom, (unsigned long)&p->orig->skb, sizeof(skb)))
		WRITE_ONCE(p->orig->skb, skb);
}

void fi_napi_forget_frags(struct fi_domain *d, const struct sk_buff *skb)
{
	struct fi_napi *p;
	int i;

	rcu_read_lock();
	hash_for_each_rcu(fi_napis, i, p, node) {
		if (p->dom == d && p->napi.skb == skb) {
			p->napi.skb = NULL;
			show_frags(p, NULL);
		}
	}
	rcu_read_unlock();
}

/* What drivers read of their own copy. */
static void show_driver(struct fi_napi *p)
{
	p->orig->dev = p->napi.dev;
	p->orig->weight = p->napi.weight;
	p->orig->napi_id = p->napi.napi_id;
}

unsigned long fi_wrap_napi_add(struct fi_call *c)
{
	struct net_device *dev = (struct net_device *)c->arg[0];
	struct napi_struct *orig = (struct napi_struct *)c->arg[1];
	int weight = c->arg[3];
	struct fi_napi *p;
	unsigned long flags;

	if (!fi_obj_held(c->dom, dev, net_device_type))
		return fi_reject(c, 0, "not a net_device of this driver");
	if (!fi_mem_writable(c->dom, (unsigned long)orig, sizeof(*orig)))
		return fi_reject(c, 1, "not in the driver's memory");
	if (find(c->dom, c->arg[1]))
		return fi_reject(c, 1, "added already");
	if (weight < 1 || weight > NAPI_POLL_WEIGHT)
		return fi_reject(c, 3, "weight out of range");
	if (!fi_may_sleep(c) || !fi_bind_fn(c, 2, c->arg[2], &fi_slot_napi_poll))
		return 0;
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return fi_reject(c, 1, "no memory");
	p->dom = c->dom;
	p->orig = orig;
	p->poll = fi_entry_by_addr(c->dom, c->arg[2]);
	p->handed.addr = (unsigned long)orig;
	p->handed.len = sizeof(*orig);
	/* Then its fields in place are granted again. */
	fi_hand_over(c->dom, &p->handed);
	if (fi_obj_add(c->dom, orig, napi_type, release, (unsigned long)p)) {
		fi_hand_back(c->dom, &p->handed);
		kfree(p);
		return fi_reject(c, 1, "no memory");
	}
	netif_napi_add_weight(dev, &p->napi, call_poll, weight);
	show_driver(p);
	spin_lock_irqsave(&fi_napis_lock, flags);
	hash_add_rcu(fi_napis, &p->node, (unsigned long)orig);
	spin_unlock_irqrestore(&fi_napis_lock, flags);
	return 0;
}

unsigned long fi_wrap_napi_del(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);

	if (!p || !fi_may_sleep(c))
		return 0;
	if (READ_ONCE(p->enabled) || READ_ONCE(p->prepped))
		return fi_reject(c, 0, "not disabled");
	if (!fi_obj_del(c->dom, p->orig, napi_type, NULL))
		return fi_reject(c, 0, "deleted at the same time");
	end_napi(p);
	return 0;
}

unsigned long fi_wrap_napi_enable(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);

	if (!p)
		return 0;
	if (cmpxchg(&p->enabled, 0, 1))
		return fi_reject(c, 0, "enabled already");
	napi_enable(&p->napi);
	return 0;
}

unsigned long fi_wrap_napi_disable(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);

	if (!p || !fi_may_sleep(c))
		return 0;
	if (polling_here(p))
		return fi_reject(c, 0, "waits for itself");
	if (!cmpxchg(&p->enabled, 1, 0))
		return fi_reject(c, 0, "not enabled");
	napi_disable(&p->napi);
	return 0;
}

unsigned long fi_wrap_napi_schedule_prep(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);
	bool mine;

	if (unlikely(!p))
		return 0;
	mine = napi_schedule_prep(&p->napi);
	if (mine)
		WRITE_ONCE(p->prepped, 1);
	return mine;
}

unsigned long fi_wrap_napi_schedule(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);

	if (unlikely(!p))
		return 0;
	if (unlikely(!xchg(&p->prepped, 0)))
		return fi_reject(c, 0, "scheduled without napi_schedule_prep()");
	__napi_schedule(&p->napi);
	return 0;
}

unsigned long fi_wrap_napi_complete_done(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);

	if (unlikely(!p))
		return 0;
	/* From here on another CPU may poll. */
	if (unlikely(!end_poll(p)))
		return fi_reject(c, 0, "completed outside its poll function");
	return napi_complete_done(&p->napi, c->arg[1]);
}

unsigned long fi_wrap_napi_gro_receive(struct fi_call *c)
{
	struct sk_buff *skb = (struct sk_buff *)c->arg[1];
	struct fi_napi *p = arg_napi(c);

	if (unlikely(!p))
		return 0;
	if (unlikely(!polling_here(p)))
		return fi_reject(c, 0, "called outside its poll function");
	if (unlikely(!fi_skb_give(c->dom, skb)))
		return fi_reject(c, 1, "not a sound sk_buff of this driver");
	return napi_gro_receive(&p->napi, skb);
}

unsigned long fi_wrap_napi_alloc_skb(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);
	unsigned int len = c->arg[1];
	struct sk_buff *skb;

	if (unlikely(!p))
		return 0;
	if (unlikely(len > SZ_1M || !in_softirq()))
		return fi_reject(c, 1, "too long, or called outside softirqs");
	skb = napi_alloc_skb(&p->napi, len);
	if (likely(skb) && unlikely(fi_skb_take_new(c->dom, skb))) {
		kfree_skb(skb);
		skb = NULL;
	}
	return (unsigned long)skb;
}

/* As arg_napi(), for what only its poll function may call. */
static struct fi_napi *arg_polling(struct fi_call *c)
{
	struct fi_napi *p = arg_napi(c);

	if (!p || polling_here(p))
		return p;
	fi_reject(c, 0, "called outside its poll function");
	return NULL;
}

unsigned long fi_wrap_napi_get_frags(struct fi_call *c)
{
	struct fi_napi *p = arg_polling(c);
	struct sk_buff *skb;

	if (!p)
		return 0;
	skb = napi_get_frags(&p->napi);
	if (!skb || fi_skb_held(c->dom, skb))
		return (unsigned long)skb;
	if (fi_skb_take_frags(c->dom, skb)) {
		napi_free_frags(&p->napi);
		return 0;
	}
	show_frags(p, skb);
	return (unsigned long)skb;
}

unsigned long fi_wrap_napi_gro_frags(struct fi_call *c)
{
	struct fi_napi *p = arg_polling(c);
	struct sk_buff *skb;

	if (!p)
		return 0;
	skb = p->napi.skb;
	if (!skb || !fi_skb_give(c->dom, skb))
		return fi_reject(c, 0, "no sound packet from napi_get_frags()");
	p->napi.skb = skb;
	return napi_gro_frags(&p->napi);
}
