// SPDX-License-Identifier: GPL-2.0-only
/*
 * Object table: what is held, what may be stored to, and in which order it is
 * given back; and all of it from several CPUs.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "../fi.h"

#define OBJ_SIZE	200

/* Bytes 8 to 11; two bits of the word at 16; bytes 32 to 63 whole. */
static const struct fi_field fields[] = {
	{ .off = 8, .len = 4, .mask = ~0ULL },
	{ .off = 16, .len = 8, .mask = 0x0000000300000000 },
	{ .off = 32, .len = 32, .mask = ~0ULL },
};

static const struct fi_type *plain, *other, *with_fields;

static char key[8];
#define P(n)	((void *)&key[n])

static void object_held(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	unsigned long cookie = 0;

	KUNIT_EXPECT_FALSE(test, fi_obj_held(d, P(0), plain));
	KUNIT_EXPECT_FALSE(test, fi_obj_del(d, P(0), plain, &cookie));
	KUNIT_EXPECT_EQ(test, fi_obj_add(d, P(0), plain, NULL, 7), 0);
	KUNIT_EXPECT_EQ(test, fi_obj_add(d, P(0), plain, NULL, 8), -EEXIST);
	KUNIT_EXPECT_TRUE(test, fi_obj_held(d, P(0), plain));
	KUNIT_EXPECT_FALSE(test, fi_obj_held(d, P(0), other));
	KUNIT_EXPECT_FALSE(test, fi_obj_held(d, P(1), plain));
	KUNIT_EXPECT_TRUE(test, fi_obj_cookie(d, P(0), plain, &cookie));
	KUNIT_EXPECT_EQ(test, cookie, 7);
	KUNIT_EXPECT_EQ(test, fi_objtab_count(d), 1);

	/* The same address as something else is another object. */
	KUNIT_EXPECT_EQ(test, fi_obj_add(d, P(0), other, NULL, 9), 0);
	KUNIT_EXPECT_TRUE(test, fi_obj_del(d, P(0), plain, &cookie));
	KUNIT_EXPECT_EQ(test, cookie, 7);
	KUNIT_EXPECT_FALSE(test, fi_obj_held(d, P(0), plain));
	KUNIT_EXPECT_TRUE(test, fi_obj_held(d, P(0), other));
	KUNIT_EXPECT_FALSE(test, fi_obj_del(d, P(0), plain, NULL));
	KUNIT_EXPECT_TRUE(test, fi_obj_del(d, P(0), other, NULL));
	KUNIT_EXPECT_EQ(test, fi_objtab_count(d), 0);
}

/* Release functions in the order they ran. */
static struct {
	unsigned long cookie[8];
	unsigned int nr;
} released;

static void note(struct fi_domain *d, void *p, unsigned long cookie)
{
	released.cookie[released.nr++ & 7] = cookie;
}

/* Gives up another object, which was acquired before. */
static void note_and_drop(struct fi_domain *d, void *p, unsigned long cookie)
{
	note(d, p, cookie);
	fi_obj_del(d, P(1), plain, NULL);
}

static void note_and_add(struct fi_domain *d, void *p, unsigned long cookie)
{
	note(d, p, cookie);
	fi_obj_add(d, P(6), plain, note, 60);
}

static void object_release(struct kunit *test)
{
	struct fi_domain *d = test->priv;

	memset(&released, 0, sizeof(released));
	fi_obj_add(d, P(0), plain, note, 10);
	fi_obj_add(d, P(1), plain, note, 20);
	fi_obj_add(d, P(2), plain, NULL, 30);
	fi_obj_add(d, P(3), other, note_and_drop, 40);
	fi_obj_add(d, P(4), plain, note, 50);
	KUNIT_EXPECT_EQ(test, fi_objtab_release_all(d), 4);
	KUNIT_EXPECT_EQ(test, fi_objtab_count(d), 0);
	KUNIT_EXPECT_EQ(test, released.nr, 3);
	KUNIT_EXPECT_EQ(test, released.cookie[0], 50);
	KUNIT_EXPECT_EQ(test, released.cookie[1], 40);
	KUNIT_EXPECT_EQ(test, released.cookie[2], 10);

	fi_obj_add(d, P(0), plain, note_and_add, 10);
	KUNIT_EXPECT_EQ(test, fi_objtab_release_all(d), 2);
	KUNIT_EXPECT_EQ(test, released.cookie[4], 60);
	KUNIT_EXPECT_EQ(test, fi_objtab_release_all(d), 0);
}

static void object_print(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	char *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < 3; i++)
		fi_obj_add(d, P(i), plain, NULL, 0);
	fi_obj_add(d, P(3), other, NULL, 0);
	KUNIT_EXPECT_GT(test, fi_objtab_print(d, buf, PAGE_SIZE), 0);
	KUNIT_EXPECT_STREQ(test, buf, "kunit_other 1\nkunit_plain 3\n");
	KUNIT_EXPECT_LT(test, fi_objtab_print(d, buf, 10), 10);
}

static bool is_second(const void *p, void *arg)
{
	return p == P(1) && arg == P(7);
}

static void object_any(struct kunit *test)
{
	struct fi_domain *d = test->priv;

	fi_obj_add(d, P(0), plain, NULL, 0);
	fi_obj_add(d, P(1), other, NULL, 0);
	KUNIT_EXPECT_FALSE(test, fi_obj_any(d, plain, is_second, P(7)));
	KUNIT_EXPECT_TRUE(test, fi_obj_any(d, other, is_second, P(7)));
}

/* Is a store at @off permitted with mask @want, or with 0 refused? */
static void expect_store(struct kunit *test, void *p, int off, int len, u64 want)
{
	u64 mask = 0;
	bool ok = fi_objtab_may_store(test->priv, (unsigned long)p + off, len, &mask);

	KUNIT_EXPECT_EQ_MSG(test, ok ? mask : 0, want, "off %d len %d", off, len);
}

static void expect_fields(struct kunit *test, void *p)
{
	expect_store(test, p, 8, 4, 0xffffffff);
	expect_store(test, p, 9, 1, 0xff);
	expect_store(test, p, 8, 8, 0xffffffff);	/* the rest must not change */
	expect_store(test, p, 4, 8, 0xffffffff00000000);
	expect_store(test, p, 12, 4, 0);
	expect_store(test, p, 16, 8, 0x0000000300000000);
	expect_store(test, p, 20, 4, 3);
	expect_store(test, p, 16, 4, 0);
	expect_store(test, p, 32, 32, ~0ULL);
	expect_store(test, p, 31, 32, 0);
	expect_store(test, p, 32, 33, 0);
	expect_store(test, p, 0, 8, 0);
	expect_store(test, p, -8, 8, 0);
	expect_store(test, p, OBJ_SIZE, 8, 0);
	expect_store(test, p, 2 * OBJ_SIZE + 8, 4, 0);
}

static void check_place(struct kunit *test, void *p)
{
	struct fi_domain *d = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, p);
	expect_store(test, p, 8, 4, 0);
	KUNIT_ASSERT_EQ(test, fi_obj_add(d, p, with_fields, NULL, 0), 0);
	expect_fields(test, p);
	KUNIT_EXPECT_TRUE(test, fi_objtab_may_lock(d, (unsigned long)p + 100));
	KUNIT_EXPECT_FALSE(test, fi_objtab_may_lock(d, (unsigned long)p + 96));
	expect_store(test, p, 100, 4, 0);
	KUNIT_EXPECT_TRUE(test, fi_obj_del(d, p, with_fields, NULL));
	expect_store(test, p, 8, 4, 0);
	KUNIT_EXPECT_FALSE(test, fi_objtab_may_lock(d, (unsigned long)p + 100));
}

static void object_store_slab(struct kunit *test)
{
	void *p = kmalloc(OBJ_SIZE, GFP_KERNEL);

	check_place(test, p);
	kfree(p);
}

/* Within another object, on a page boundary, and in pages of its own. */
static void object_store_elsewhere(struct kunit *test)
{
	void *p = kmalloc(4 * OBJ_SIZE, GFP_KERNEL);
	void *v = vmalloc(2 * PAGE_SIZE);
	void *big = kmalloc(SZ_64K, GFP_KERNEL);

	check_place(test, p + 40);
	check_place(test, v + PAGE_SIZE - 10);
	check_place(test, v + PAGE_SIZE - OBJ_SIZE);
	check_place(test, big);
	check_place(test, big + PAGE_SIZE + 8);
	kfree(big);
	vfree(v);
	kfree(p);
}

/* Several objects share an address or a page. */
static void object_store_neighbours(struct kunit *test)
{
	struct fi_domain *d = test->priv;
	void *v = vmalloc(PAGE_SIZE), *p = kmalloc(OBJ_SIZE, GFP_KERNEL);
	int i;

	for (i = 0; i < 4; i++)
		fi_obj_add(d, v + i * OBJ_SIZE, with_fields, NULL, 0);
	for (i = 0; i < 4; i++)
		expect_store(test, v, i * OBJ_SIZE + 8, 4, 0xffffffff);
	fi_obj_del(d, v + 2 * OBJ_SIZE, with_fields, NULL);
	fi_obj_del(d, v + 3 * OBJ_SIZE, with_fields, NULL);
	for (i = 0; i < 4; i++)
		expect_store(test, v, i * OBJ_SIZE + 8, 4, i < 2 ? 0xffffffff : 0);

	fi_obj_add(d, p, plain, NULL, 0);
	expect_store(test, p, 8, 4, 0);
	fi_obj_add(d, p, with_fields, NULL, 0);
	fi_obj_add(d, p, other, NULL, 0);
	expect_store(test, p, 8, 4, 0xffffffff);
	fi_objtab_release_all(d);
	expect_store(test, p, 8, 4, 0);
	expect_store(test, v, 8, 4, 0);
	kfree(p);
	vfree(v);
}

static void object_store_page(struct kunit *test)
{
	static const struct fi_field count = {
		.off = offsetof(struct page, _refcount), .len = 4, .mask = ~0ULL,
	};
	const struct fi_type *t = fi_type_get("page", sizeof(struct page), &count, 1);
	struct fi_domain *d = test->priv;
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	expect_store(test, page, offsetof(struct page, _refcount), 4, 0);
	fi_obj_add(d, page, t, NULL, 0);
	expect_store(test, page, offsetof(struct page, _refcount), 4, 0xffffffff);
	expect_store(test, page, 0, 8, 0);
	expect_store(test, page + 1, offsetof(struct page, _refcount), 4, 0);
	fi_obj_del(d, page, t, NULL);
	__free_page(page);
}

static void object_types(struct kunit *test)
{
	static const struct fi_field a = { .off = 0, .len = 4, .mask = 0xf };
	static const struct fi_field b = { .off = 2, .len = 2, .mask = 0xf0 };
	static const struct fi_field wide = { .off = 14, .len = 4, .mask = ~0ULL };
	const struct fi_type *t = fi_type_get("kunit_late", 0, NULL, 0);
	struct fi_domain *d = test->priv;
	void *p = kmalloc(16, GFP_KERNEL);

	KUNIT_EXPECT_PTR_EQ(test, fi_type_get("kunit_late", 16, &a, 1), t);
	KUNIT_EXPECT_EQ(test, t->size, 16);
	fi_obj_add(d, p, t, NULL, 0);
	expect_store(test, p, 0, 4, 0xf);
	/* Fields of all who name the type together. */
	KUNIT_EXPECT_PTR_EQ(test, fi_type_get("kunit_late", 16, &b, 1), t);
	expect_store(test, p, 0, 4, 0xf0000f);
	/* Not of one who sees another type. */
	KUNIT_EXPECT_PTR_EQ(test, fi_type_get("kunit_late", 24, &wide, 1), t);
	expect_store(test, p, 12, 4, 0);
	KUNIT_EXPECT_EQ(test, t->size, 16);
	fi_obj_del(d, p, t, NULL);
	kfree(p);
}

#define STRESS_ROUNDS	20000
#define STRESS_KEYS	64
#define STRESS_THREADS	4

static char stress_key[STRESS_KEYS];

/* Every thread adds and deletes the same few objects. */
struct stress {
	struct fi_domain *d;
	atomic_t added, deleted, lost;
	atomic_t running;
	struct completion done;
};

static int stress_thread(void *arg)
{
	struct stress *s = arg;
	unsigned int i;

	for (i = 0; i < STRESS_ROUNDS; i++) {
		unsigned int n = get_random_u32_below(STRESS_KEYS);
		void *p = &stress_key[n];

		if (!fi_obj_add(s->d, p, plain, NULL, n))
			atomic_inc(&s->added);
		if (!fi_obj_held(s->d, P(0), other))
			atomic_inc(&s->lost);
		if (fi_obj_del(s->d, &stress_key[get_random_u32_below(STRESS_KEYS)],
			       plain, NULL))
			atomic_inc(&s->deleted);
		if (!(i & 63))
			cond_resched();
	}
	if (atomic_dec_and_test(&s->running))
		complete(&s->done);
	return 0;
}

/*
 * What was added is deleted once, and an object that stays is always found
 * while the table grows, shrinks and reuses memory.
 */
static void object_stress(struct kunit *test)
{
	struct stress *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct fi_domain *d = test->priv;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->d = d;
	init_completion(&s->done);
	fi_obj_add(d, P(0), other, NULL, 0);
	atomic_set(&s->running, STRESS_THREADS);
	for (i = 0; i < STRESS_THREADS; i++) {
		struct task_struct *t = kthread_run(stress_thread, s, "fi-stress/%d", i);

		if (IS_ERR(t) && atomic_dec_and_test(&s->running))
			complete(&s->done);
	}
	wait_for_completion(&s->done);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->lost), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->added) - atomic_read(&s->deleted),
			fi_objtab_count(d) - 1);
	KUNIT_EXPECT_EQ(test, fi_objtab_release_all(d),
			atomic_read(&s->added) - atomic_read(&s->deleted) + 1);
}

static int object_suite_init(struct kunit_suite *suite)
{
	plain = fi_type_get("kunit_plain", 0, NULL, 0);
	other = fi_type_get("kunit_other", 64, NULL, 0);
	with_fields = fi_type_get("kunit_fields", OBJ_SIZE, fields, ARRAY_SIZE(fields));
	return fi_type_add_lock(with_fields, 100) ?: fi_objtab_init();
}

static int object_init(struct kunit *test)
{
	struct fi_domain *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	if (d)
		d->objs = fi_objtab_create(d);
	test->priv = d;
	return d && d->objs ? 0 : -ENOMEM;
}

static void object_exit(struct kunit *test)
{
	struct fi_domain *d = test->priv;

	fi_objtab_destroy(d->objs);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(object_held),
	KUNIT_CASE(object_release),
	KUNIT_CASE(object_print),
	KUNIT_CASE(object_any),
	KUNIT_CASE(object_store_slab),
	KUNIT_CASE(object_store_elsewhere),
	KUNIT_CASE(object_store_neighbours),
	KUNIT_CASE(object_store_page),
	KUNIT_CASE(object_types),
	KUNIT_CASE(object_stress),
	{ }
};

static struct kunit_suite object_suite = {
	.name = "fi_object",
	.suite_init = object_suite_init,
	.init = object_init,
	.exit = object_exit,
	.test_cases = object_cases,
};

kunit_test_suite(object_suite);
