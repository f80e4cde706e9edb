// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classes of drivers, and the kernel objects that outlive a restart.
 */
#include <linux/export.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../fi.h"
#include "class.h"

#define FI_MAX_CLASSES	16

/*
 * Slots are filled under fi_class_lock and emptied never while a domain
 * exists that the class has to do with: recovery reads them without.
 */
static const struct fi_class_ops *fi_class[FI_MAX_CLASSES];
static DEFINE_MUTEX(fi_class_lock);

/**
 * struct fi_parked - a kernel object that waits for the driver's next life
 * @key: what it is, a constant string
 * @id: which of its kind
 */
struct fi_parked {
	struct list_head node;
	const char *key;
	unsigned long id;
	void *obj;
};

/**
 * struct fi_late - memory that a device of the dead driver may still write
 *
 * A device without a reset of its own goes on where it was as soon as its bus
 * mastering is enabled, which drivers do before they reset it.
 */
struct fi_late {
	struct list_head node;
	fi_release_fn rel;
	void *ptr;
	unsigned long cookie;
};

/**
 * struct fi_classes - what classes know of a domain
 * @lock: protects @parked and @late
 * @late: in the order in which it is to be released
 * @keep_late: recovery releases what the driver held
 * @closed: nothing is parked any more
 * @data: see fi_class_data()
 */
struct fi_classes {
	struct mutex lock;	/* see above */
	struct list_head parked;
	struct list_head late;
	bool closed;
	bool keep_late;
	void *data[FI_MAX_CLASSES];
};

/**
 * fi_class_register - take part in restarts
 * @ops: the class; stays until fi_class_unregister()
 *
 * Context: may sleep. Return: 0 or -ENOSPC
 */
int fi_class_register(const struct fi_class_ops *ops)
{
	int i, err = -ENOSPC;

	mutex_lock(&fi_class_lock);
	for (i = 0; i < FI_MAX_CLASSES && err; i++) {
		if (!fi_class[i]) {
			WRITE_ONCE(fi_class[i], ops);
			err = 0;
		}
	}
	mutex_unlock(&fi_class_lock);
	return err;
}
EXPORT_SYMBOL_GPL(fi_class_register);

static int fi_class_index(const struct fi_class_ops *ops)
{
	int i;

	for (i = 0; i < FI_MAX_CLASSES; i++) {
		if (READ_ONCE(fi_class[i]) == ops)
			return i;
	}
	return -ENOENT;
}

/**
 * fi_class_unregister - the opposite of fi_class_register()
 * @ops: the class; no driver of it is isolated
 */
void fi_class_unregister(const struct fi_class_ops *ops)
{
	int i;

	mutex_lock(&fi_class_lock);
	i = fi_class_index(ops);
	if (i >= 0)
		WRITE_ONCE(fi_class[i], NULL);
	mutex_unlock(&fi_class_lock);
}
EXPORT_SYMBOL_GPL(fi_class_unregister);

/**
 * fi_class_data - where a class keeps its data of a domain
 * @d: domain
 * @ops: the class, registered
 *
 * Context: any. Return: NULL if the class is not registered
 */
void **fi_class_data(struct fi_domain *d, const struct fi_class_ops *ops)
{
	int i = fi_class_index(ops);

	return i < 0 ? NULL : &d->classes->data[i];
}
EXPORT_SYMBOL_GPL(fi_class_data);

/* Is the domain being started again? Any context. */
bool fi_restarting(struct fi_domain *d)
{
	return READ_ONCE(d->state) == FI_STARTING;
}
EXPORT_SYMBOL_GPL(fi_restarting);

static struct fi_parked *fi_parked_find(struct fi_classes *c, const char *key, unsigned long id)
{
	struct fi_parked *p;

	list_for_each_entry(p, &c->parked, node) {
		if (p->id == id && !strcmp(p->key, key))
			return p;
	}
	return NULL;
}

/**
 * fi_park - keep a kernel object for the driver's next life
 * @d: domain
 * @key: what it is, a constant string
 * @id: which of its kind
 * @obj: the object
 *
 * Called by release functions. Context: may sleep. Return: 0; -ESHUTDOWN if
 * the driver has no next life, -EEXIST, -ENOMEM: release it for good
 */
int fi_park(struct fi_domain *d, const char *key, unsigned long id, void *obj)
{
	struct fi_classes *c = d->classes;
	struct fi_parked *p = kmalloc(sizeof(*p), GFP_KERNEL);
	int err = 0;

	if (!p)
		return -ENOMEM;
	*p = (struct fi_parked){ .key = key, .id = id, .obj = obj };
	mutex_lock(&c->lock);
	if (c->closed)
		err = -ESHUTDOWN;
	else if (fi_parked_find(c, key, id))
		err = -EEXIST;
	else
		list_add_tail(&p->node, &c->parked);
	mutex_unlock(&c->lock);
	if (err)
		kfree(p);
	return err;
}
EXPORT_SYMBOL_GPL(fi_park);

/**
 * fi_unpark - take a parked object back
 * @d: domain
 * @key: as parked
 * @id: as parked
 *
 * Context: may sleep. Return: the object or NULL
 */
void *fi_unpark(struct fi_domain *d, const char *key, unsigned long id)
{
	struct fi_classes *c = d->classes;
	struct fi_parked *p;
	void *obj = NULL;

	mutex_lock(&c->lock);
	p = fi_parked_find(c, key, id);
	if (p) {
		list_del(&p->node);
		obj = p->obj;
	}
	mutex_unlock(&c->lock);
	kfree(p);
	return obj;
}
EXPORT_SYMBOL_GPL(fi_unpark);

/* Any object parked under @key, or NULL. */
void *fi_unpark_any(struct fi_domain *d, const char *key)
{
	struct fi_classes *c = d->classes;
	struct fi_parked *p;
	void *obj = NULL;

	mutex_lock(&c->lock);
	list_for_each_entry(p, &c->parked, node) {
		if (!strcmp(p->key, key)) {
			list_del(&p->node);
			obj = p->obj;
			kfree(p);
			break;
		}
	}
	mutex_unlock(&c->lock);
	return obj;
}

void fi_park_close(struct fi_domain *d)
{
	mutex_lock(&d->classes->lock);
	d->classes->closed = true;
	mutex_unlock(&d->classes->lock);
}

/**
 * fi_release_later - is this better released later?
 * @d: domain
 * @rel: the release function that asks
 * @ptr: its argument
 * @cookie: its argument
 *
 * Context: process if recovery is releasing, else any.
 * Return: true: done, @rel will be called again. False: go on
 */
bool fi_release_later(struct fi_domain *d, fi_release_fn rel, void *ptr,
		      unsigned long cookie)
{
	struct fi_classes *c = d->classes;
	struct fi_late *l;

	if (likely(!c || !READ_ONCE(c->keep_late)))
		return false;
	l = kmalloc(sizeof(*l), GFP_KERNEL | __GFP_NOFAIL);
	*l = (struct fi_late){ .rel = rel, .ptr = ptr, .cookie = cookie };
	mutex_lock(&c->lock);
	list_add_tail(&l->node, &c->late);
	mutex_unlock(&c->lock);
	return true;
}
EXPORT_SYMBOL_GPL(fi_release_later);

void fi_late_begin(struct fi_domain *d)
{
	WRITE_ONCE(d->classes->keep_late, true);
}

void fi_late_end(struct fi_domain *d)
{
	WRITE_ONCE(d->classes->keep_late, false);
}

void fi_late_release(struct fi_domain *d)
{
	struct fi_late *l, *tmp;
	LIST_HEAD(late);

	mutex_lock(&d->classes->lock);
	list_splice_init(&d->classes->late, &late);
	mutex_unlock(&d->classes->lock);
	list_for_each_entry_safe(l, tmp, &late, node) {
		l->rel(d, l->ptr, l->cookie);
		kfree(l);
		cond_resched();
	}
}

/* How many objects are parked. */
unsigned int fi_parked(struct fi_domain *d)
{
	unsigned int n;

	mutex_lock(&d->classes->lock);
	n = list_count_nodes(&d->classes->parked);
	mutex_unlock(&d->classes->lock);
	return n;
}

/* Context: may sleep. Return: 0 or -ENOMEM */
int fi_classes_create(struct fi_domain *d)
{
	struct fi_classes *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	mutex_init(&c->lock);
	INIT_LIST_HEAD(&c->parked);
	INIT_LIST_HEAD(&c->late);
	d->classes = c;
	return 0;
}

/* Each class has freed its data in abandon. */
void fi_classes_destroy(struct fi_domain *d)
{
	if (d->classes)
		WARN_ON_ONCE(!list_empty(&d->classes->parked) ||
			     !list_empty(&d->classes->late));
	kfree(d->classes);
	d->classes = NULL;
}

static const struct fi_class_ops *class_at(int i)
{
	return READ_ONCE(fi_class[i]);
}

void fi_classes_mask(struct fi_domain *d)
{
	const struct fi_class_ops *ops;
	int i;

	for (i = 0; i < FI_MAX_CLASSES; i++) {
		ops = class_at(i);
		if (ops && ops->mask)
			ops->mask(d);
	}
}

void fi_classes_quiesce(struct fi_domain *d)
{
	const struct fi_class_ops *ops;
	int i;

	for (i = 0; i < FI_MAX_CLASSES; i++) {
		ops = class_at(i);
		if (ops && ops->quiesce)
			ops->quiesce(d);
	}
}

void fi_classes_reset(struct fi_domain *d)
{
	const struct fi_class_ops *ops;
	int i;

	for (i = 0; i < FI_MAX_CLASSES; i++) {
		ops = class_at(i);
		if (ops && ops->reset)
			ops->reset(d);
	}
}

/* Return: 0, or what the first class that failed says */
int fi_classes_replay(struct fi_domain *d)
{
	const struct fi_class_ops *ops;
	int i, err = 0;

	for (i = 0; i < FI_MAX_CLASSES && !err; i++) {
		ops = class_at(i);
		if (ops && ops->replay)
			err = ops->replay(d);
	}
	return err;
}

void fi_classes_abandon(struct fi_domain *d)
{
	const struct fi_class_ops *ops;
	int i;

	for (i = FI_MAX_CLASSES - 1; i >= 0; i--) {
		ops = class_at(i);
		if (ops && ops->abandon)
			ops->abandon(d);
	}
}
