// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs for the watchdog: to one CPU that another one misses, and to all CPUs
 * when none of them takes timer interrupts any more.
 *
 * For the latter a comparator of the HPET is led to an I/O APIC pin that sends
 * NMIs. While all is well each tick of the watchdog puts it off, so it fires
 * only when nobody ticks: then every CPU looks at what it was doing.
 */
#include <linux/acpi.h>
#include <linux/clockchips.h>
#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/nmi.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/stop_machine.h>

#include <asm/apic.h>
#include <asm/driver_fi.h>
#include <asm/fixmap.h>
#include <asm/hpet.h>
#include <asm/io_apic.h>
#include <asm/nmi.h>
#include <asm/time.h>

#include "../../../drivers/iommu/irq_remapping.h"

static void (*nmi_look)(struct pt_regs *regs);

/* CPUs that are to take an NMI for us. */
static struct cpumask asked;

/**
 * struct deadman - the comparator, while it is used
 * @hpet: registers; NULL: not in use
 * @timer: number of the comparator
 * @khz: ticks of the HPET in a millisecond
 * @ioapic: that receives it
 * @pin: of @ioapic
 * @saved: how @pin was set up before
 * @deadline: last value of the comparator
 * @late: a deadline that was put off only after it had passed, or nearly
 * @late_at: when that was
 */
static struct deadman {
	void __iomem *hpet;
	unsigned int timer;
	u32 khz;
	int ioapic;
	int pin;
	struct IO_APIC_route_entry saved;
	u32 deadline;
	u32 late;
	u32 late_at;
} deadman;

/* The deadline whose NMI a CPU has taken. */
static DEFINE_PER_CPU(u32, deadline_seen);

void arch_fi_nmi_ask(int cpu)
{
	cpumask_set_cpu(cpu, &asked);
	__apic_send_IPI(cpu, NMI_VECTOR);
}

static u32 counter(void)
{
	return readl(deadman.hpet + HPET_COUNTER);
}

/**
 * arch_fi_deadman_defer - all is well for @ms more
 * @ms: milliseconds
 *
 * One store, so CPUs need no lock among them. Context: any.
 */
void arch_fi_deadman_defer(unsigned int ms)
{
	u32 at, now;

	if (!deadman.hpet)
		return;
	now = counter();
	/* Its NMI may be on the way to any CPU. */
	if ((s32)(now - READ_ONCE(deadman.deadline)) > -(s32)(2 * deadman.khz)) {
		WRITE_ONCE(deadman.late, deadman.deadline);
		WRITE_ONCE(deadman.late_at, now);
	}
	at = now + ms * deadman.khz;
	WRITE_ONCE(deadman.deadline, at);
	writel(at, deadman.hpet + HPET_Tn_CMP(deadman.timer));
}

/*
 * An edge has no status bit: go by the time. The HPET also sends one when its
 * lower half wraps (IA-PC HPET specification 1.0a, 2.3.9.2.1).
 */
static bool deadman_fired(void)
{
	u32 at, now;

	if (!deadman.hpet)
		return false;
	at = READ_ONCE(deadman.deadline);
	now = counter();
	if ((s32)(now - at) >= 0 && this_cpu_read(deadline_seen) != at) {
		this_cpu_write(deadline_seen, at);
		return true;
	}
	at = READ_ONCE(deadman.late);
	if (now - READ_ONCE(deadman.late_at) < 1000 * deadman.khz &&
	    this_cpu_read(deadline_seen) != at) {
		this_cpu_write(deadline_seen, at);
		return true;
	}
	return now < 100 * deadman.khz;
}

static int nmi(unsigned int type, struct pt_regs *regs)
{
	bool mine = cpumask_test_and_clear_cpu(raw_smp_processor_id(), &asked);

	if (deadman_fired()) {
		mine = true;
		/* Until this CPU ticks again, or once more if it was in time. */
		arch_fi_deadman_defer(FI_DEADMAN_AGAIN_MS);
	}
	if (!mine)
		return NMI_DONE;
	nmi_look(regs);
	return NMI_HANDLED;
}

/*
 * The comparator may have fired in the moment in which it was put off: then no
 * deadline has passed when the NMI is looked at, and nobody else claims it.
 */
static int nmi_late(unsigned int type, struct pt_regs *regs)
{
	return READ_ONCE(deadman.hpet) ? NMI_HANDLED : NMI_DONE;
}

int arch_fi_nmi_init(void (*look)(struct pt_regs *regs))
{
	int err;

	nmi_look = look;
	err = register_nmi_handler(NMI_LOCAL, nmi, 0, "driver_fi");
	return err ?: register_nmi_handler(NMI_UNKNOWN, nmi_late, 0, "driver_fi_late");
}

static void __iomem *ioapic_regs(void)
{
	return (void __iomem *)__fix_to_virt(FIX_IO_APIC_BASE_0 + deadman.ioapic) +
	       (mpc_ioapic_addr(deadman.ioapic) & ~PAGE_MASK);
}

static void ioapic_write(unsigned int reg, u32 val)
{
	void __iomem *base = ioapic_regs();

	writel(reg, base);
	writel(val, base + 0x10);
}

static u32 ioapic_read(unsigned int reg)
{
	void __iomem *base = ioapic_regs();

	writel(reg, base);
	return readl(base + 0x10);
}

static void write_pin(struct IO_APIC_route_entry e)
{
	ioapic_write(0x11 + 2 * deadman.pin, e.w2);
	ioapic_write(0x10 + 2 * deadman.pin, e.w1);
}

static bool find_pin(u32 gsi)
{
	deadman.ioapic = mp_find_ioapic(gsi);
	if (deadman.ioapic < 0)
		return false;
	deadman.pin = mp_find_ioapic_pin(deadman.ioapic, gsi);
	if (deadman.pin < 0)
		return false;
	deadman.saved.w1 = ioapic_read(0x10 + 2 * deadman.pin);
	deadman.saved.w2 = ioapic_read(0x11 + 2 * deadman.pin);
	return true;
}

/*
 * The line of the legacy timer, where comparators of some machines can only
 * go. Nobody waits for that timer if local APIC timers never stop.
 */
static bool legacy_timer_is_idle(void)
{
	return boot_cpu_has(X86_FEATURE_ARAT) &&
	       (!global_clock_event || clockevent_state_shutdown(global_clock_event) ||
		clockevent_state_detached(global_clock_event));
}

/* Where the legacy timer's interrupt arrives. */
static bool legacy_timer_gsi(u32 *gsi)
{
#ifdef CONFIG_ACPI
	return !acpi_isa_irq_to_gsi(0, gsi);
#else
	return false;	/* nobody tells, nor of an HPET */
#endif
}

/* An interrupt line to use, or -ENOSPC. Lines up to 15 are ISA's. */
static int choose_pin(u32 routes)
{
	u32 timer_gsi;
	int gsi;

	for (gsi = 31; gsi >= 16; gsi--) {
		if ((routes & BIT(gsi)) && find_pin(gsi) && deadman.saved.masked &&
		    !deadman.saved.vector)
			return gsi;
	}
	if (legacy_timer_gsi(&timer_gsi) && timer_gsi < 32 &&
	    (routes & BIT(timer_gsi)) && legacy_timer_is_idle() && find_pin(timer_gsi))
		return timer_gsi;
	return -ENOSPC;
}

/*
 * The registers of an I/O APIC are reached through an index, under a lock that
 * is private to its driver. While all CPUs stand in the stopper nobody has it.
 */
static int start_stopped(void *arg)
{
	u32 routes = readl(deadman.hpet + HPET_Tn_CFG(deadman.timer) + 4);
	u32 cfg = readl(deadman.hpet + HPET_Tn_CFG(deadman.timer));
	struct IO_APIC_route_entry e = {
		.delivery_mode = APIC_DELIVERY_MODE_NMI,
		.destid_0_7 = 0xff,
	};
	int gsi = choose_pin(routes);

	if (gsi < 0)
		return gsi;
	write_pin(e);
	cfg &= ~(HPET_TN_LEVEL | HPET_TN_PERIODIC | HPET_TN_FSB | HPET_TN_ROUTE);
	cfg |= HPET_TN_ENABLE | HPET_TN_32BIT | gsi << HPET_TN_ROUTE_SHIFT;
	arch_fi_deadman_defer(10 * FI_DEADMAN_AGAIN_MS);
	writel(cfg, deadman.hpet + HPET_Tn_CFG(deadman.timer));
	return 0;
}

static int stop_stopped(void *arg)
{
	u32 cfg = readl(deadman.hpet + HPET_Tn_CFG(deadman.timer));

	writel(cfg & ~HPET_TN_ENABLE, deadman.hpet + HPET_Tn_CFG(deadman.timer));
	write_pin(deadman.saved);
	return 0;
}

/* A comparator that neither legacy interrupts nor anybody else uses. */
static int find_timer(void)
{
	u32 id = readl(deadman.hpet + HPET_ID);
	unsigned int last = (id & HPET_ID_NUMBER) >> HPET_ID_NUMBER_SHIFT;
	u32 period = readl(deadman.hpet + HPET_PERIOD);

	if (period < HPET_MIN_PERIOD || period > HPET_MAX_PERIOD ||
	    !(readl(deadman.hpet + HPET_CFG) & HPET_CFG_ENABLE))
		return -ENODEV;
	deadman.khz = div_u64(1000000000000ULL, period);
	for (deadman.timer = 2; deadman.timer <= last; deadman.timer++) {
		if (!(readl(deadman.hpet + HPET_Tn_CFG(deadman.timer)) & HPET_TN_ENABLE))
			return 0;
	}
	return -EBUSY;
}

/**
 * arch_fi_deadman_start - NMIs to all CPUs unless put off
 *
 * Context: may sleep. Return: 0; -ENODEV, -EBUSY or -ENOSPC if this machine
 * has no comparator or no interrupt line to spare
 */
int arch_fi_deadman_start(void)
{
	void __iomem *hpet;
	int err = -ENODEV;

	if (!hpet_address || boot_hpet_disable || irq_remapping_enabled || !nr_ioapics)
		return -ENODEV;
	hpet = ioremap(hpet_address, HPET_MMAP_SIZE);
	if (!hpet)
		return -ENOMEM;
	WRITE_ONCE(deadman.hpet, hpet);
	err = find_timer() ?: stop_machine(start_stopped, NULL, NULL);
	if (err) {
		WRITE_ONCE(deadman.hpet, NULL);
		iounmap(hpet);
	}
	return err;
}

/* The opposite of arch_fi_deadman_start(); nobody defers any more. */
void arch_fi_deadman_stop(void)
{
	void __iomem *hpet = deadman.hpet;

	if (!hpet)
		return;
	stop_machine(stop_stopped, NULL, NULL);
	WRITE_ONCE(deadman.hpet, NULL);
	/* NMI handlers that use it are over when all CPUs have scheduled. */
	synchronize_rcu();
	iounmap(hpet);
}
