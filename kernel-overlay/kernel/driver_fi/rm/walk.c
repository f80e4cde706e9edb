// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes through a whole object table: search, release, and the counts that
 * people see. Cold paths, in process context.
 */
#include <linux/export.h>
#include <linux/list_sort.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "shadow.h"
#include "table.h"

typedef void (*obj_fn)(struct fi_obj *o, void *arg);

static void visit_bucket(struct fi_bucket *b, obj_fn fn, void *arg)
{
	struct hlist_nulls_node *n;
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	for (n = b->head.first; !is_a_nulls(n); n = n->next)
		fn(hlist_nulls_entry(n, struct fi_obj, node), arg);
	spin_unlock_irqrestore(&b->lock, flags);
}

/* Calls @fn for every object, under the lock of its bucket. */
static void visit_all(struct fi_objtab *tab, obj_fn fn, void *arg)
{
	u32 b;

	for (b = 0; b < 1U << FI_BUCKET_BITS; b++)
		visit_bucket(&tab->bucket[b], fn, arg);
}

/**
 * struct search - of fi_obj_any()
 * @type: of the objects to look at
 * @match: its question
 * @arg: for @match
 * @found: it said yes
 */
struct search {
	const struct fi_type *type;
	bool (*match)(const void *p, void *arg);
	void *arg;
	bool found;
};

static void search_obj(struct fi_obj *o, void *arg)
{
	struct search *s = arg;
	unsigned long addr = READ_ONCE(o->addr);
	const struct fi_type *t;
	u64 seq;

	if (!s->found && fi_obj_read(o, addr, &t, &seq) && t == s->type)
		s->found = s->match((void *)addr, s->arg);
}

/**
 * fi_obj_any - does the driver hold an object that fits?
 * @d: the domain
 * @t: its type
 * @match: must not sleep; the object may be given up while it runs
 * @arg: for @match
 *
 * Context: may sleep. Walks the whole table.
 */
bool fi_obj_any(struct fi_domain *d, const struct fi_type *t,
		bool (*match)(const void *p, void *arg), void *arg)
{
	struct search s = { .type = t, .match = match, .arg = arg };

	visit_all(d->objs, search_obj, &s);
	return s.found;
}
EXPORT_SYMBOL_GPL(fi_obj_any);

static void list_obj(struct fi_obj *o, void *arg)
{
	if (o->listed || !o->seq)
		return;
	o->listed = true;
	list_add(&o->release, arg);
}

static int newest_first(void *priv, const struct list_head *a, const struct list_head *b)
{
	const struct fi_obj *x = list_entry(a, struct fi_obj, release);
	const struct fi_obj *y = list_entry(b, struct fi_obj, release);

	return x->seq < y->seq ? 1 : -1;
}

/* False if the release function of a newer object gave it up already. */
static bool release_obj(struct fi_domain *d, struct fi_obj *o)
{
	if (!fi_obj_claim(o, o->seq))
		return false;
	fi_obj_unlink(d->objs, o);
	if (o->rel)
		o->rel(d, (void *)o->addr, o->cookie);
	return true;
}

/**
 * fi_objtab_release_all - gives back everything that the driver holds
 * @d: a domain with nobody inside
 *
 * Newest first, so that what an object was made from outlives it. An object is
 * out of the table when its release function runs; that function may give up
 * others with fi_obj_del(), which are then not released again.
 *
 * Context: sleeps. Return: how many were released.
 */
unsigned int fi_objtab_release_all(struct fi_domain *d)
{
	struct fi_obj *o, *tmp;
	unsigned int nr = 0;
	LIST_HEAD(list);

	fi_shadow_discard_all(d);
	do {
		INIT_LIST_HEAD(&list);
		visit_all(d->objs, list_obj, &list);
		list_sort(NULL, &list, newest_first);
		list_for_each_entry_safe(o, tmp, &list, release) {
			nr += release_obj(d, o);
			fi_obj_free(o);
			cond_resched();
		}
	} while (fi_objtab_count(d));	/* a release function added some */
	return nr;
}

/**
 * fi_objtab_count - how many objects the driver holds
 * @d: the domain
 *
 * Context: any.
 */
unsigned int fi_objtab_count(struct fi_domain *d)
{
	return atomic_read(&d->objs->nr);
}
EXPORT_SYMBOL_GPL(fi_objtab_count);

/* More types than this in one table are printed as "other". */
#define PRINT_TYPES	48

struct type_counts {
	unsigned int nr;
	unsigned int other;
	struct type_count {
		const struct fi_type *type;
		unsigned int count;
	} of[PRINT_TYPES];
};

static void count_obj(struct fi_obj *o, void *arg)
{
	struct type_counts *c = arg;
	const struct fi_type *t = READ_ONCE(o->type);
	unsigned int i;

	for (i = 0; i < c->nr && c->of[i].type != t; i++)
		;
	if (i == PRINT_TYPES) {
		c->other++;
		return;
	}
	if (i == c->nr)
		c->of[c->nr++] = (struct type_count){ .type = t };
	c->of[i].count++;
}

static int by_name(const void *a, const void *b)
{
	const struct type_count *x = a, *y = b;

	return strcmp(x->type->name, y->type->name);
}

/**
 * fi_objtab_print - how many objects of which type
 * @d: the domain
 * @buf: where to
 * @size: of @buf
 *
 * One line a type, "net_device 1", sorted by name. Counts are those of a
 * moment if the driver runs.
 *
 * Context: sleeps. Return: length.
 */
ssize_t fi_objtab_print(struct fi_domain *d, char *buf, size_t size)
{
	struct type_counts *c = kzalloc(sizeof(*c), GFP_KERNEL);
	ssize_t len = 0;
	unsigned int i;

	if (!c)
		return -ENOMEM;
	visit_all(d->objs, count_obj, c);
	sort(c->of, c->nr, sizeof(c->of[0]), by_name, NULL);
	for (i = 0; i < c->nr; i++)
		len += scnprintf(buf + len, size - len, "%s %u\n",
				 c->of[i].type->name, c->of[i].count);
	if (c->other)
		len += scnprintf(buf + len, size - len, "other %u\n", c->other);
	kfree(c);
	return len;
}
