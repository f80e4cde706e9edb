/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites expect of a fault of the victim.
 */
#ifndef _DRIVER_FI_EXPECT_H
#define _DRIVER_FI_EXPECT_H

#include <kunit/test.h>

#include "../fi.h"
#include "victim.h"
#include "wait.h"

/* Forgets the last fault, so that the next is seen. */
static inline void arm(void)
{
	victim_domain->fault.kind = FI_FAULT_NONE;
}

/* A call that returned @ret died of @kind; all is as before, and the victim lives. */
static inline void expect_fault(struct kunit *test, unsigned long ret,
				enum fi_fault_kind kind, const char *what)
{
	KUNIT_EXPECT_EQ_MSG(test, ret, (unsigned long)-EIO, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, fi_wait_live(victim_domain), kind, "%s", what);
	KUNIT_EXPECT_FALSE_MSG(test, irqs_disabled(), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, preempt_count(), 0, "%s", what);
	KUNIT_EXPECT_PTR_EQ_MSG(test, current->fi_frame, NULL, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, fi_domain_active(victim_domain), 0, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, victim->null(), 42, "after %s", what);
}

#endif
