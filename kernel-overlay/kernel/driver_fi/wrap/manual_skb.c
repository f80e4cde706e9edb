// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets: whose they are, and what the driver may write of them.
 *
 * A packet that the kernel hands over for sending is not the driver's to
 * change, but for the headers of one that the driver is to cut into segments.
 * One that the driver gets to fill is, up to its end; the kernel's data behind
 * that (struct skb_shared_info) is not.
 */
#include <linux/export.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "manual.h"
#include "net.h"

static const struct fi_type *sk_buff_type, *frag_type, *net_device_type;

static int __init fi_skb_init(void)
{
	sk_buff_type = fi_type_get("sk_buff", sizeof(struct sk_buff), NULL, 0);
	frag_type = fi_type_get("page_frag", 0, NULL, 0);
	net_device_type = fi_type_get("net_device", sizeof(struct net_device), NULL, 0);
	return 0;
}
core_initcall(fi_skb_init);

#define MAX_DATA	SZ_1M
#define MAX_TRUESIZE	SZ_16M

/*
 * Cookie of a packet: bytes of its linear data that were granted, as offset
 * and length from head, and whether the list of pages was.
 */
#define COOKIE_FRAGS		BIT_ULL(63)
#define COOKIE_SHIFT		24
#define COOKIE_MASK		GENMASK_ULL(23, 0)
#define COOKIE(off, len)	((u64)(off) << COOKIE_SHIFT | (len))

static unsigned long frags_start(const struct sk_buff *skb)
{
	return (unsigned long)skb_shinfo(skb)->frags;
}

static void revoke(struct fi_domain *d, const struct sk_buff *skb, u64 cookie)
{
	u32 len = cookie & COOKIE_MASK;

	if (len)
		fi_bytes_revoke(d, skb->head + (cookie >> COOKIE_SHIFT & COOKIE_MASK), len);
	if (cookie & COOKIE_FRAGS) {
		fi_bytes_revoke(d, &skb_shinfo(skb)->nr_frags, 1);
		fi_bytes_revoke(d, (void *)frags_start(skb),
				sizeof(skb_shinfo(skb)->frags));
	}
}

static void release_skb(struct fi_domain *d, void *ptr, unsigned long cookie)
{
	struct sk_buff *skb = ptr;

	/* One of napi_get_frags() is no target of DMA, and dies with its napi. */
	if (!(cookie & COOKIE_FRAGS) && fi_release_later(d, release_skb, ptr, cookie))
		return;
	revoke(d, skb, cookie);
	if (cookie & COOKIE_FRAGS) {
		/* Its pages are the driver's still, and released as such. */
		skb_shinfo(skb)->nr_frags = 0;
		skb->data_len = 0;
		fi_napi_forget_frags(d, skb);
	}
	dev_kfree_skb_any(skb);
}

static int take(struct fi_domain *d, struct sk_buff *skb, u64 cookie)
{
	u32 len = cookie & COOKIE_MASK;
	int err = 0;

	if (len)
		err = fi_bytes_grant(d, skb->head + (cookie >> COOKIE_SHIFT & COOKIE_MASK), len);
	if (!err && cookie & COOKIE_FRAGS)
		err = fi_bytes_grant(d, &skb_shinfo(skb)->nr_frags, 1) ?:
		      fi_bytes_grant(d, (void *)frags_start(skb),
				     sizeof(skb_shinfo(skb)->frags));
	if (!err)
		err = fi_obj_add(d, skb, sk_buff_type, release_skb, cookie);
	if (unlikely(err))
		revoke(d, skb, cookie);
	return err;
}

/**
 * fi_skb_take - a packet is the driver's from now on
 * @d: domain
 * @skb: the packet
 *
 * For packets that the kernel made. Context: any. Return: 0, -EEXIST, -ENOMEM
 */
int fi_skb_take(struct fi_domain *d, struct sk_buff *skb)
{
	u64 cookie = 0;

	if (skb_is_gso(skb))
		cookie = COOKIE(skb_headroom(skb), skb_headlen(skb));
	return take(d, skb, cookie);
}
EXPORT_SYMBOL_GPL(fi_skb_take);

int fi_skb_take_new(struct fi_domain *d, struct sk_buff *skb)
{
	return take(d, skb, COOKIE(0, skb_end_offset(skb)));
}

int fi_skb_take_frags(struct fi_domain *d, struct sk_buff *skb)
{
	return take(d, skb, COOKIE(0, skb_end_offset(skb)) | COOKIE_FRAGS);
}

bool fi_skb_held(struct fi_domain *d, const struct sk_buff *skb)
{
	return fi_obj_held(d, skb, sk_buff_type);
}

void fi_skb_drop(struct fi_domain *d, struct sk_buff *skb)
{
	unsigned long cookie;

	if (fi_obj_del(d, skb, sk_buff_type, &cookie))
		release_skb(d, skb, cookie);
}

/* The fields that a driver may write, for what the kernel relies on. */
static bool is_sound(const struct sk_buff *skb)
{
	unsigned int end = skb_end_offset(skb);
	unsigned long off = skb->data - skb->head;

	return off <= end && skb->tail <= end && skb->tail >= off &&
	       skb->data_len <= skb->len && skb->len <= MAX_TRUESIZE &&
	       skb->len - skb->data_len == skb->tail - off &&
	       skb->truesize <= MAX_TRUESIZE;
}

static bool is_in_page(const skb_frag_t *frag)
{
	unsigned int len = skb_frag_size(frag);

	return len <= PAGE_SIZE && skb_frag_off(frag) <= PAGE_SIZE - len;
}

/* Pages that the driver put into the packet: they must have been its own. */
static bool give_frags(struct fi_domain *d, struct sk_buff *skb)
{
	struct skb_shared_info *si = skb_shinfo(skb);
	unsigned int i, sum = 0, nr = si->nr_frags;

	if (nr > MAX_SKB_FRAGS)
		return false;
	for (i = 0; i < nr; i++) {
		if (!is_in_page(&si->frags[i]) ||
		    !fi_page_give(d, skb_frag_page(&si->frags[i]))) {
			/* Those before are the packet's now. */
			si->nr_frags = i;
			return false;
		}
		sum += skb_frag_size(&si->frags[i]);
	}
	return sum == skb->data_len;
}

static bool has_page(struct page *const *pages, unsigned int nr, const struct page *page)
{
	while (nr)
		if (pages[--nr] == page)
			return true;
	return false;
}

static bool is_frag(const struct sk_buff *skb, const struct page *page)
{
	const struct skb_shared_info *si = skb_shinfo(skb);
	unsigned int i;

	for (i = 0; i < si->nr_frags; i++)
		if (skb_frag_page(&si->frags[i]) == page)
			return true;
	return false;
}

/*
 * References to the pages that the driver put into the packet, which must be its
 * own: none is freed while the driver can write it. Return: how many, or -EINVAL
 */
static int hold_frags(struct fi_domain *d, const struct sk_buff *skb, struct page **pages)
{
	const struct skb_shared_info *si = skb_shinfo(skb);
	int i, nr = si->nr_frags;

	if (nr > MAX_SKB_FRAGS)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		pages[i] = skb_frag_page(&si->frags[i]);
		if (!is_in_page(&si->frags[i]) || has_page(pages, i, pages[i]) ||
		    !fi_page_held(d, pages[i]))
			goto put;
		get_page(pages[i]);
	}
	return nr;
put:
	while (i--)
		put_page(pages[i]);
	return -EINVAL;
}

/* What the packet has no more, the kernel has put: it is not the driver's. */
static void unhold_frags(struct fi_domain *d, const struct sk_buff *skb, struct page **pages,
			 int nr)
{
	while (nr--) {
		if (!is_frag(skb, pages[nr]))
			fi_page_give(d, pages[nr]);
		put_page(pages[nr]);
	}
}

/**
 * fi_skb_give - the driver gives a packet up
 * @d: domain
 * @skb: any value
 *
 * Context: any. Return: false if it is none of its packets or not sound;
 * reject the call then
 */
bool fi_skb_give(struct fi_domain *d, struct sk_buff *skb)
{
	unsigned long cookie;

	if (!fi_obj_del(d, skb, sk_buff_type, &cookie))
		return false;
	if (unlikely(!is_sound(skb))) {
		/* For recovery. Without memory it is lost. */
		if (fi_obj_add(d, skb, sk_buff_type, release_skb, cookie))
			revoke(d, skb, cookie);
		return false;
	}
	revoke(d, skb, cookie);
	if (unlikely(cookie & COOKIE_FRAGS)) {
		/* Whoever gets it now, napi_get_frags() may not return it again. */
		fi_napi_forget_frags(d, skb);
		if (!give_frags(d, skb)) {
			skb->data_len = 0;
			dev_kfree_skb_any(skb);
			return false;
		}
	}
	return true;
}
EXPORT_SYMBOL_GPL(fi_skb_give);

/* A clone gets data of its own, so what was granted is not what will be. */
static unsigned long trim_clone(struct fi_call *c, struct sk_buff *skb, unsigned int len)
{
	int ret;

	if (!fi_skb_give(c->dom, skb))
		return fi_reject(c, 0, "not a sound sk_buff of this driver");
	ret = ___pskb_trim(skb, len);
	if (fi_skb_take(c->dom, skb)) {
		kfree_skb(skb);
		return fi_reject(c, 0, "no memory");
	}
	return (unsigned long)(long)ret;
}

/*
 * Drivers cut off the checksum that their device leaves at the end. The kernel
 * frees pages on the way: the last, if nothing else is in it, and all of them
 * if the packet fits its head.
 */
unsigned long fi_wrap_pskb_trim(struct fi_call *c)
{
	struct sk_buff *skb = (struct sk_buff *)c->arg[0];
	struct page *pages[MAX_SKB_FRAGS];
	unsigned int len = c->arg[1];
	unsigned long cookie;
	int nr = 0, ret;

	if (!fi_obj_cookie(c->dom, skb, sk_buff_type, &cookie) || !is_sound(skb))
		return fi_reject(c, 0, "not a sound sk_buff of this driver");
	if (len > skb->len)
		return fi_reject(c, 1, "longer than the packet");
	if (skb_cloned(skb))
		return trim_clone(c, skb, len);
	if (cookie & COOKIE_FRAGS)
		nr = hold_frags(c->dom, skb, pages);
	if (nr < 0)
		return fi_reject(c, 0, "its pages are not this driver's");
	ret = ___pskb_trim(skb, len);
	unhold_frags(c->dom, skb, pages, nr);
	return (unsigned long)(long)ret;
}

static unsigned long taken(struct fi_call *c, struct sk_buff *skb)
{
	if (likely(skb) && unlikely(fi_skb_take_new(c->dom, skb))) {
		kfree_skb(skb);
		skb = NULL;
	}
	return (unsigned long)skb;
}

/* Argument @n without the flags that choose a zone or a node. */
static gfp_t arg_gfp(struct fi_call *c, int n)
{
	return (__force gfp_t)c->arg[n] & (GFP_KERNEL | GFP_ATOMIC | __GFP_NOWARN);
}

static bool check_gfp(struct fi_call *c, gfp_t gfp)
{
	return !gfpflags_allow_blocking(gfp) || fi_may_sleep(c);
}

unsigned long fi_wrap_alloc_skb(struct fi_call *c)
{
	unsigned int size = c->arg[0];
	gfp_t gfp = arg_gfp(c, 1);

	if (!check_gfp(c, gfp))
		return 0;
	if (size > MAX_DATA)
		return fi_reject(c, 0, "too long");
	return taken(c, alloc_skb(size, gfp));
}

unsigned long fi_wrap_netdev_alloc_skb(struct fi_call *c)
{
	struct net_device *dev = (struct net_device *)c->arg[0];
	unsigned int size = c->arg[1];
	gfp_t gfp = arg_gfp(c, 2);

	if (!check_gfp(c, gfp))
		return 0;
	if (dev && !fi_obj_held(c->dom, dev, net_device_type))
		return fi_reject(c, 0, "not a net_device of this driver");
	if (size > MAX_DATA)
		return fi_reject(c, 1, "too long");
	return taken(c, __netdev_alloc_skb(dev, size, gfp));
}

/* Translated drivers have fi_lib_skb_put() instead. */
unsigned long fi_wrap_skb_put(struct fi_call *c)
{
	struct sk_buff *skb = (struct sk_buff *)c->arg[0];
	unsigned int len = c->arg[1];

	if (!fi_skb_held(c->dom, skb))
		return fi_reject(c, 0, "not a sk_buff of this driver");
	if (!is_sound(skb) || skb_is_nonlinear(skb))
		return fi_reject(c, 0, "the sk_buff is not sound");
	if (len > skb_tailroom(skb))
		return fi_reject(c, 1, "longer than the room behind the data");
	return (unsigned long)skb_put(skb, len);
}

/* --- fragments ----------------------------------------------------------- */

static void release_frag(struct fi_domain *d, void *ptr, unsigned long cookie)
{
	if (fi_release_later(d, release_frag, ptr, cookie))
		return;
	fi_bytes_revoke(d, ptr, cookie);
	skb_free_frag(ptr);
}

unsigned long fi_wrap_alloc_frag(struct fi_call *c)
{
	unsigned int size = c->arg[0];
	void *data;

	if (unlikely(!size || size > PAGE_SIZE))
		return fi_reject(c, 0, "size out of range");
	data = __netdev_alloc_frag_align(size, c->arg[1]);
	if (unlikely(!data))
		return 0;
	if (unlikely(fi_bytes_grant(c->dom, data, size)))
		goto free;
	if (likely(!fi_obj_add(c->dom, data, frag_type, release_frag, size)))
		return (unsigned long)data;
	fi_bytes_revoke(c->dom, data, size);
free:
	skb_free_frag(data);
	return 0;
}

/*
 * Where the fragment starts that @addr is in: the network stack frees by any
 * address within. Fragments are cut from pages in steps of a cache line.
 */
static void *frag_start(struct fi_domain *d, unsigned long addr)
{
	unsigned long at = ALIGN_DOWN(addr, SMP_CACHE_BYTES), cookie;

	for (; addr - at < PAGE_SIZE; at -= SMP_CACHE_BYTES) {
		if (fi_obj_cookie(d, (void *)at, frag_type, &cookie))
			return addr - at < cookie ? (void *)at : NULL;
	}
	return NULL;
}

unsigned long fi_wrap_free_frag(struct fi_call *c)
{
	void *data = frag_start(c->dom, c->arg[0]);
	unsigned long size;

	if (!data || !fi_obj_del(c->dom, data, frag_type, &size))
		return fi_reject(c, 0, "not a fragment of this driver");
	release_frag(c->dom, data, size);
	return 0;
}

/* A fragment becomes a packet. */
unsigned long fi_wrap_build_skb(struct fi_call *c)
{
	void *data = (void *)c->arg[0];
	unsigned int size = c->arg[1], room;
	unsigned long have;
	struct sk_buff *skb;

	if (unlikely(!fi_obj_del(c->dom, data, frag_type, &have)))
		return fi_reject(c, 0, "not a fragment of this driver");
	skb = size >= SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) && size <= have ?
	      napi_build_skb(data, size) : NULL;
	if (unlikely(!skb)) {
		/* Still the driver's. */
		if (fi_obj_add(c->dom, data, frag_type, release_frag, have))
			release_frag(c->dom, data, have);
		return size > have ? fi_reject(c, 1, "longer than the fragment") : 0;
	}
	room = skb_end_offset(skb);
	fi_bytes_revoke(c->dom, data + room, have - room);
	if (unlikely(fi_obj_add(c->dom, skb, sk_buff_type, release_skb, COOKIE(0, room)))) {
		fi_bytes_revoke(c->dom, data, room);
		kfree_skb(skb);
		return fi_reject(c, 0, "no memory");
	}
	return (unsigned long)skb;
}
