// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrappers of mutexes: a driver's mutex has a twin in kernel memory.
 *
 * The driver's own struct mutex is a name, which nothing is written to: a list
 * of waiters that the driver could overwrite would be the kernel's problem.
 */
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include "manual.h"

static const struct fi_type *mutex_type __ro_after_init;

/* How often a waiter looks whether its domain has failed. */
#define POLL	(HZ / 10)

/**
 * struct fi_mutex - twin of a driver's mutex
 * @mutex: the lock; only ever tried, so that waiters can give up
 * @wait: those who wait; woken by unlock
 */
struct fi_mutex {
	struct mutex mutex;	/* see above */
	wait_queue_head_t wait;
};

static int __init fi_mutex_init(void)
{
	mutex_type = fi_type_get("mutex", 0, NULL, 0);
	return 0;
}
core_initcall(fi_mutex_init);

static void free_twin(struct fi_domain *d, void *p, unsigned long cookie)
{
	kfree((void *)cookie);
}

static struct fi_mutex *find_twin(struct fi_call *c)
{
	unsigned long cookie;

	if (!fi_obj_cookie(c->dom, (void *)c->arg[0], mutex_type, &cookie))
		return NULL;
	return (struct fi_mutex *)cookie;
}

/* The twin, made at the first use. NULL: rejected, or no memory. */
static struct fi_mutex *get_twin(struct fi_call *c)
{
	struct fi_mutex *m = find_twin(c);
	int err;

	if (m)
		return m;
	if (!fi_mem_writable(c->dom, c->arg[0], sizeof(struct mutex))) {
		fi_reject(c, 0, "not a mutex of this driver");
		return NULL;
	}
	m = kzalloc(sizeof(*m), GFP_ATOMIC);
	if (!m)
		goto no_memory;
	mutex_init(&m->mutex);
	init_waitqueue_head(&m->wait);
	err = fi_obj_add(c->dom, (void *)c->arg[0], mutex_type, free_twin, (unsigned long)m);
	if (!err)
		return m;
	kfree(m);
	if (err == -EEXIST)	/* another CPU was first */
		return find_twin(c);
no_memory:
	fi_reject(c, 0, "no memory for a mutex");
	return NULL;
}

unsigned long fi_wrap_mutex_lock(struct fi_call *c)
{
	struct fi_mutex *m;

	if (!fi_may_sleep(c))
		return 0;
	m = get_twin(c);
	if (!m || !fi_may_lock(c, &m->mutex))
		return 0;
	while (!mutex_trylock(&m->mutex)) {
		wait_event_timeout(m->wait, !mutex_is_locked(&m->mutex), POLL);
		if (READ_ONCE(c->dom->dead))
			return 0;
	}
	fi_lock_acquired(c, FI_LOCK_MUTEX, &m->mutex);
	return 0;
}

unsigned long fi_wrap_mutex_trylock(struct fi_call *c)
{
	struct fi_mutex *m = get_twin(c);

	if (!m || fi_lock_held(c, &m->mutex) || !fi_may_lock(c, &m->mutex) ||
	    !mutex_trylock(&m->mutex))
		return 0;
	fi_lock_acquired(c, FI_LOCK_MUTEX, &m->mutex);
	return 1;
}

unsigned long fi_wrap_mutex_unlock(struct fi_call *c)
{
	struct fi_mutex *m = find_twin(c);

	if (!m)
		return fi_reject(c, 0, "gives back a mutex that was never taken");
	if (!fi_may_unlock(c, &m->mutex))
		return 0;
	fi_lock_released(c, FI_LOCK_MUTEX, &m->mutex);
	mutex_unlock(&m->mutex);
	wake_up(&m->wait);
	return 0;
}

unsigned long fi_wrap_mutex_is_locked(struct fi_call *c)
{
	struct fi_mutex *m = find_twin(c);

	return m && mutex_is_locked(&m->mutex);
}

/*
 * Initialises the driver's memory for the sake of those who look at it, and
 * nothing else: a twin that is there is unlocked, or a bug.
 */
unsigned long fi_wrap_mutex_init(struct fi_call *c)
{
	if (!fi_mem_writable(c->dom, c->arg[0], sizeof(struct mutex)))
		return fi_reject(c, 0, "not memory of this driver");
	memset((void *)c->arg[0], 0, sizeof(struct mutex));
	return 0;
}
