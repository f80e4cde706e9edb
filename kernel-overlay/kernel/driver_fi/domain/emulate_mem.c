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
