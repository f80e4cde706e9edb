// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what a fault report says. The text is an interface.
 */
#include <kunit/test.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/cpu_entry_area.h>
#include <asm/desc_defs.h>

#include "../fi.h"

#define SIZE	4096

static int report_data = 1;
static const int report_rodata = 1;

/* An address in schedule(), unknown to objtool, which looks for entry points. */
static unsigned long schedule_plus(unsigned long off)
{
	OPTIMIZER_HIDE_VAR(off);
	return (unsigned long)schedule + off;
}

struct report {
	struct fi_domain d;
	char text[SIZE];
};

static int report_setup(struct kunit *test)
{
	struct report *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	if (!r)
		return -ENOMEM;
	strscpy(r->d.policy.name, "kunit");
	test->priv = r;
	return 0;
}

static const char *text_of(struct kunit *test, const struct fi_fault *f)
{
	struct report *r = test->priv;
	ssize_t n = fi_report_format(&r->d, f, r->text, SIZE);

	KUNIT_EXPECT_EQ(test, n, strlen(r->text));
	return r->text;
}

static void expect(struct kunit *test, const char *text, const char *part)
{
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, part), "'%s' is not in:\n%s", part, text);
}

/* The headline for a write to @addr, up to the end of its line. */
static void expect_region(struct kunit *test, const void *addr, const char *region)
{
	struct fi_fault f = {
		.kind = FI_FAULT_WRITE,
		.addr = (unsigned long)addr,
		.task = (unsigned long)current,
		.stack = (unsigned long)task_stack_page(current),
	};
	char line[80];

	scnprintf(line, sizeof(line), "fault: write to %s\n", region);
	expect(test, text_of(test, &f), line);
}

static void report_regions(struct kunit *test)
{
	void *heap = kunit_kzalloc(test, 64, GFP_KERNEL);
	void *area = vmalloc(PAGE_SIZE), *page = (void *)__get_free_page(GFP_KERNEL);

	expect_region(test, (void *)0x18, "a NULL pointer");
	expect_region(test, (void *)0x400000, "user memory");
	expect_region(test, (void *)0x6b6b6b6b6b6b6b6bUL, "a wild address");
	expect_region(test, schedule, "kernel text");
	expect_region(test, &report_rodata, "kernel read-only data");
	expect_region(test, &report_data, "kernel data");
	expect_region(test, current->comm, "a task_struct");
	expect_region(test, end_of_stack(current), "a kernel stack");
	expect_region(test, (void *)CPU_ENTRY_AREA_RO_IDT, "the interrupt descriptor table");
	if (heap)
		expect_region(test, heap, "a heap object");
	if (area)
		expect_region(test, area, "vmalloc memory");
	if (page)
		expect_region(test, page, "a page");
	free_page((unsigned long)page);
	vfree(area);
}

static void report_describes(struct kunit *test)
{
	char *heap = kunit_kzalloc(test, 128, GFP_KERNEL);
	struct fi_fault f = { .kind = FI_FAULT_WRITE };

	f.addr = schedule_plus(1);
	expect(test, text_of(test, &f), ", schedule+0x1/");
	f.addr = (unsigned long)&report_data;
	expect(test, text_of(test, &f), ", report_data+0x0/");
	f.addr = CPU_ENTRY_AREA_RO_IDT + 14 * sizeof(gate_desc);
	expect(test, text_of(test, &f), ", vector 14\n");
	if (heap) {
		f.addr = (unsigned long)heap + 5;
		expect(test, text_of(test, &f), ", 5 bytes into a kmalloc-");
	}
}

static void report_lines(struct kunit *test)
{
	struct fi_fault f = {
		.kind = FI_FAULT_ARG, .ip = schedule_plus(4), .arg = 0, .addr = 0x10,
		.what = "kfree", .why = "not an object of this driver",
		.entry = "net_device_ops.ndo_start_xmit", .entry_fn = (unsigned long)schedule,
		.cpu = 1, .pid = 42, .comm = "ping",
	};
	const char *text = text_of(test, &f);

	KUNIT_EXPECT_EQ(test, 0, strncmp(text, "fault: call of the kernel rejected\n",
					 strlen("fault: call of the kernel rejected\n")));
	expect(test, text, "\n  at       schedule+0x4/");
	expect(test, text, "\n  in       net_device_ops.ndo_start_xmit, schedule\n");
	expect(test, text, "\n  on       CPU 1, task 42 (ping)\n");
	expect(test, text, "\n  call     kfree, argument 1 = 0x10\n");
	expect(test, text, "\n  why      not an object of this driver\n");
	KUNIT_EXPECT_NULL(test, strstr(text, "address"));
	KUNIT_EXPECT_NULL(test, strstr(text, "rax"));
}

static void report_registers(struct kunit *test)
{
	struct fi_fault f = {
		.kind = FI_FAULT_WRITE, .addr = 0x18, .ip = 0x1000, .trapnr = 14, .error_code = 2,
		.regs_valid = true, .regs = { .ax = 0xa, .r15 = 0xf, .ip = 0x1000 },
		.code = { 0x90, 0xcc, 0x0f }, .code_len = 3, .code_ip = 1,
		.trace = { (unsigned long)schedule },
	};
	const char *text = text_of(test, &f);

	expect(test, text, "\n  address  0x0000000000000018\n");
	expect(test, text, "\n  code     90 <cc> 0f\n");
	expect(test, text, "\n  trap     14, error code 0x2\n");
	expect(test, text, "\n  rax 000000000000000a  rbx ");
	expect(test, text, "r15 000000000000000f");
	expect(test, text, "\n  stack    schedule+0x0/");
}

/* The object that was hit, and who had it. */
static void report_object(struct kunit *test)
{
	struct fi_fault f = {
		.kind = FI_FAULT_WRITE, .layer = FI_LAYER_BYTES, .addr = 0x1040,
		.hit = {
			.type = "kmalloc", .start = 0x1000, .size = 64,
			.alloc_ip = schedule_plus(4),
		},
	};
	const char *text = text_of(test, &f);

	expect(test, text, "\n  object   1 byte to the right of the 64-byte kmalloc object\n");
	expect(test, text, "\n  alloc    schedule+0x4/");
	expect(test, text, "\n  by       byte check\n");
	KUNIT_EXPECT_NULL(test, strstr(text, "\n  free "));

	f.addr = 0x1020;
	f.hit.freed = true;
	f.hit.free_ip = schedule_plus(8);
	text = text_of(test, &f);
	expect(test, text,
	       "\n  object   32 bytes inside of the freed 64-byte kmalloc object\n");
	expect(test, text, "\n  free     schedule+0x8/");

	f.addr = 0xffe;
	expect(test, text_of(test, &f), "\n  object   2 bytes to the left of the freed ");
	f.hit = (struct fi_hit){ .type = "irq", .start = 0xffe };
	expect(test, text_of(test, &f), "\n  object   the start of the irq object\n");
	f.hit.type = NULL;
	KUNIT_EXPECT_NULL(test, strstr(text_of(test, &f), "object"));
}

/* Who noticed: what the record says, else what its kind says. */
static void report_layers(struct kunit *test)
{
	static const struct {
		enum fi_fault_kind kind;
		enum fi_layer layer;
		const char *text;
	} of[] = {
		{ FI_FAULT_WRITE, FI_LAYER_DEFAULT, "page table" },
		{ FI_FAULT_WRITE, FI_LAYER_BYTES, "byte check" },
		{ FI_FAULT_EXEC, FI_LAYER_PAGES, "page table" },
		{ FI_FAULT_EXEC, FI_LAYER_FLOW, "control flow" },
		{ FI_FAULT_RETURN, FI_LAYER_DEFAULT, "control flow" },
		{ FI_FAULT_INSN, FI_LAYER_DEFAULT, "privileged instruction" },
		{ FI_FAULT_GP, FI_LAYER_DEFAULT, "exception" },
		{ FI_FAULT_ARG, FI_LAYER_DEFAULT, "wrapper" },
		{ FI_FAULT_LEAK, FI_LAYER_DEFAULT, "crossing" },
		{ FI_FAULT_LOOP, FI_LAYER_DEFAULT, "watchdog" },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		struct fi_fault f = { .kind = of[i].kind, .layer = of[i].layer };

		KUNIT_EXPECT_STREQ(test, of[i].text, fi_fault_layer(&f));
	}
}

/* A wild jump is charged to where it came from. */
static void report_jump(struct kunit *test)
{
	struct fi_fault f = {
		.kind = FI_FAULT_EXEC, .addr = (unsigned long)&report_data,
		.ip = (unsigned long)&report_data, .regs_valid = true,
		.trace = { schedule_plus(8) },
	};
	const char *text = text_of(test, &f);

	expect(test, text, "fault: jump to kernel data\n");
	expect(test, text, "\n  from     schedule+0x8/");
}

/* Every kind has both its names, and the longest report fits. */
static void report_all_kinds(struct kunit *test)
{
	struct fi_fault f = {
		.ip = (unsigned long)schedule, .regs_valid = true, .what = "kfree",
		.why = "because", .entry = "net_device_ops.ndo_start_xmit", .arg = 5,
		.code_len = FI_FAULT_CODE,
		.hit = {
			.type = "kmalloc", .size = 1, .alloc_ip = (unsigned long)schedule,
			.free_ip = (unsigned long)schedule, .freed = true,
		},
	};
	int i;

	for (i = 0; i < FI_FAULT_TRACE; i++)
		f.trace[i] = (unsigned long)schedule;
	for (f.kind = FI_FAULT_WRITE; f.kind < FI_NR_FAULTS; f.kind++) {
		const char *text = text_of(test, &f);

		KUNIT_EXPECT_NULL(test, strstr(text, "(null)"));
		KUNIT_EXPECT_LT(test, strlen(text), SIZE - 512);
		KUNIT_EXPECT_EQ(test, '\n', text[strlen(text) - 1]);
		KUNIT_EXPECT_STRNEQ(test, "?", fi_fault_name(f.kind));
		KUNIT_EXPECT_STRNEQ(test, "?", fi_fault_layer(&f));
	}
	KUNIT_EXPECT_STREQ(test, "?", fi_fault_name(FI_NR_FAULTS));
	KUNIT_EXPECT_STREQ(test, "unloading", fi_state_name(FI_UNLOADING));
}

/* A buffer that is too small is cut, not overrun. */
static void report_short_buffer(struct kunit *test)
{
	struct fi_fault f = { .kind = FI_FAULT_LOOP };
	struct report *r = test->priv;
	int size;

	for (size = 1; size < 64; size++) {
		memset(r->text, 0x55, SIZE);
		fi_report_format(&r->d, &f, r->text, size);
		KUNIT_EXPECT_LT(test, strnlen(r->text, SIZE), size);
		KUNIT_EXPECT_EQ(test, 0x55, r->text[size]);
	}
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(report_regions),
	KUNIT_CASE(report_describes),
	KUNIT_CASE(report_lines),
	KUNIT_CASE(report_registers),
	KUNIT_CASE(report_object),
	KUNIT_CASE(report_layers),
	KUNIT_CASE(report_jump),
	KUNIT_CASE(report_all_kinds),
	KUNIT_CASE(report_short_buffer),
	{}
};

static struct kunit_suite report_suite = {
	.name = "fi_report",
	.init = report_setup,
	.test_cases = report_cases,
};

kunit_test_suite(report_suite);

MODULE_DESCRIPTION("Tests of fault reports");
MODULE_LICENSE("GPL");
