// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses of emulated stores to kernel memory: a single instruction each, and
 * an error instead of an oops if the memory is not there.
 */
#include <linux/errno.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include "emulate.h"

/* Zero-extends. Return: 0 or -EFAULT. */
int fi_emu_load(unsigned long addr, unsigned int size, u64 *val)
{
	*val = 0;
	switch (size) {
	case 1:
		__get_kernel_nofault(val, addr, u8, fault);
		return 0;
	case 2:
		__get_kernel_nofault(val, addr, u16, fault);
		return 0;
	case 4:
		__get_kernel_nofault(val, addr, u32, fault);
		return 0;
	default:
		__get_kernel_nofault(val, addr, u64, fault);
		return 0;
	}
fault:
	return -EFAULT;
}

/* Return: 0 or -EFAULT. */
int fi_emu_store(unsigned long addr, unsigned int size, u64 val)
{
	switch (size) {
	case 1:
		__put_kernel_nofault(addr, &val, u8, fault);
		return 0;
	case 2:
		__put_kernel_nofault(addr, &val, u16, fault);
		return 0;
	case 4:
		__put_kernel_nofault(addr, &val, u32, fault);
		return 0;
	default:
		__put_kernel_nofault(addr, &val, u64, fault);
		return 0;
	}
fault:
	return -EFAULT;
}

/*
 * Stores @new if the memory is @old. Return: 0, -EFAULT, or -EAGAIN if it was
 * not. The caller has told that it is within a cache line.
 */
int fi_emu_cmpxchg(unsigned long addr, unsigned int size, u64 old, u64 new)
{
	bool done;

	switch (size) {
	case 1:
		done = __try_cmpxchg_user_asm("b", "q", (u8 *)addr, &old, new, fault);
		break;
	case 2:
		done = __try_cmpxchg_user_asm("w", "r", (u16 *)addr, &old, new, fault);
		break;
	case 4:
		done = __try_cmpxchg_user_asm("l", "r", (u32 *)addr, &old, new, fault);
		break;
	default:
		done = __try_cmpxchg_user_asm("q", "r", (u64 *)addr, &old, new, fault);
	}
	return done ? 0 : -EAGAIN;
fault:
	return -EFAULT;
}

/* What of @n words was not done because memory was not there. */
static size_t rep_movsq(unsigned long *to, unsigned long *from, size_t n)
{
	asm volatile("1:	rep movsq\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+D" (*to), "+S" (*from), "+c" (n) : : "memory");
	return n;
}

/* Likewise of @n bytes. */
static size_t rep_movsb(unsigned long *to, unsigned long *from, size_t n)
{
	asm volatile("1:	rep movsb\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+D" (*to), "+S" (*from), "+c" (n) : : "memory");
	return n;
}

/* Likewise of @n words. */
static size_t rep_stosq(unsigned long *to, u64 val, size_t n)
{
	asm volatile("1:	rep stosq\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+D" (*to), "+c" (n) : "a" (val) : "memory");
	return n;
}

/**
 * fi_emu_copy - what rep movs does
 * @to: destination
 * @from: source; may overlap if it is behind
 * @len: bytes
 *
 * Context: any. Return: bytes copied; less than @len if memory is not there.
 */
size_t fi_emu_copy(unsigned long to, unsigned long from, size_t len)
{
	unsigned long begin = to;

	/* In user space a missing page is not an error but an oops. */
	if (from < TASK_SIZE_MAX || from + len < from)
		return 0;
	if (!rep_movsq(&to, &from, len / 8))
		rep_movsb(&to, &from, len & 7);
	return to - begin;
}

/**
 * fi_emu_fill - what rep stos does
 * @to: destination
 * @size: of an element
 * @val: the element
 * @len: bytes, a multiple of @size
 *
 * Context: any. Return: bytes stored; less than @len if memory is not there.
 */
size_t fi_emu_fill(unsigned long to, unsigned int size, u64 val, size_t len)
{
	unsigned long begin = to;
	size_t n = len & 7;
	unsigned int bits;

	for (bits = 8 * size; bits < 64; bits *= 2)
		val = (val & ((1ULL << bits) - 1)) | val << bits;
	if (rep_stosq(&to, val, len / 8))
		return to - begin;
	/* Elements of 2 and 4 bytes: the rest are their bytes in order. */
	while (n--) {
		if (fi_emu_store(to, 1, val & 0xff))
			break;
		val = val >> 8 | val << 56;
		to++;
	}
	return to - begin;
}
