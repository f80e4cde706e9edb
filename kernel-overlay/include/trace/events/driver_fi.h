/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of driver fault isolation. Calls between driver and kernel are
 * not traced, they are too many: see the counters in sysfs.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM driver_fi

#if !defined(_TRACE_DRIVER_FI_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_DRIVER_FI_H

#include <linux/tracepoint.h>

/* A driver has failed. From an interrupt soon after the fault itself. */
TRACE_EVENT(driver_fi_fault,

	TP_PROTO(const char *driver, const char *kind, unsigned long ip,
		 unsigned long addr, const char *slot),

	TP_ARGS(driver, kind, ip, addr, slot),

	TP_STRUCT__entry(__string(driver, driver)
			 __string(kind, kind)
			 __string(slot, slot)
			 __field(unsigned long, ip)
			 __field(unsigned long, addr)
	),

	TP_fast_assign(__assign_str(driver);
		       __assign_str(kind);
		       __assign_str(slot);
		       __entry->ip = ip;
		       __entry->addr = addr;
	),

	TP_printk("driver=%s kind=%s ip=%pS addr=0x%lx slot=%s",
		  __get_str(driver), __get_str(kind), (void *)__entry->ip,
		  __entry->addr, __get_str(slot))
);

DECLARE_EVENT_CLASS(driver_fi_access,

	TP_PROTO(const char *driver, unsigned long ip, unsigned long addr),

	TP_ARGS(driver, ip, addr),

	TP_STRUCT__entry(__string(driver, driver)
			 __field(unsigned long, ip)
			 __field(unsigned long, addr)
	),

	TP_fast_assign(__assign_str(driver);
		       __entry->ip = ip;
		       __entry->addr = addr;
	),

	TP_printk("driver=%s ip=%pS addr=0x%lx",
		  __get_str(driver), (void *)__entry->ip, __entry->addr)
);

/* A store that the page table refused was permitted and is carried out. */
DEFINE_EVENT(driver_fi_access, driver_fi_emulated,
	     TP_PROTO(const char *driver, unsigned long ip, unsigned long addr),
	     TP_ARGS(driver, ip, addr)
);

/* A check in translated code did not say yes by itself. */
DEFINE_EVENT(driver_fi_access, driver_fi_asked,
	     TP_PROTO(const char *driver, unsigned long ip, unsigned long addr),
	     TP_ARGS(driver, ip, addr)
);

/* A step of recovery is done. */
TRACE_EVENT(driver_fi_step,

	TP_PROTO(const char *driver, const char *step, u64 ns),

	TP_ARGS(driver, step, ns),

	TP_STRUCT__entry(__string(driver, driver)
			 __string(step, step)
			 __field(u64, ns)
	),

	TP_fast_assign(__assign_str(driver);
		       __assign_str(step);
		       __entry->ns = ns;
	),

	TP_printk("driver=%s step=%s ns=%llu",
		  __get_str(driver), __get_str(step), __entry->ns)
);

/* Recovery is over; ns counts from the fault. */
TRACE_EVENT(driver_fi_restart,

	TP_PROTO(const char *driver, u32 generation, bool ok, u64 ns),

	TP_ARGS(driver, generation, ok, ns),

	TP_STRUCT__entry(__string(driver, driver)
			 __field(u32, generation)
			 __field(bool, ok)
			 __field(u64, ns)
	),

	TP_fast_assign(__assign_str(driver);
		       __entry->generation = generation;
		       __entry->ok = ok;
		       __entry->ns = ns;
	),

	TP_printk("driver=%s restarts=%u ok=%d ns=%llu",
		  __get_str(driver), __entry->generation, __entry->ok,
		  __entry->ns)
);

/* The kernel rejected a call of a driver; the driver has failed. */
TRACE_EVENT(driver_fi_denied,

	TP_PROTO(const char *driver, const char *import, int arg,
		 const char *why),

	TP_ARGS(driver, import, arg, why),

	TP_STRUCT__entry(__string(driver, driver)
			 __string(import, import)
			 __string(why, why)
			 __field(int, arg)
	),

	TP_fast_assign(__assign_str(driver);
		       __assign_str(import);
		       __assign_str(why);
		       __entry->arg = arg;
	),

	TP_printk("driver=%s import=%s arg=%d why=\"%s\"",
		  __get_str(driver), __get_str(import), __entry->arg,
		  __get_str(why))
);

#endif

#include <trace/define_trace.h>
