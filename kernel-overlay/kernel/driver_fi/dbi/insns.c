// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts about instructions that decoded operands do not tell: which are sensitive,
 * which write memory in ways that no check covers, and which only look like it.
 */

#include <Zydis/DecoderTypes.h>

#include "internal.h"

static const u8 sens_table[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define S(m, s) \
	[ZYDIS_MNEMONIC_##m] = FI_SENS_##s
	S(CLI, IRQFLAG), S(STI, IRQFLAG), S(POPF, IRQFLAG),
	S(POPFD, IRQFLAG), S(POPFQ, IRQFLAG),
	S(IN, PORT), S(OUT, PORT), S(INSB, PORT), S(INSW, PORT),
	S(INSD, PORT), S(OUTSB, PORT), S(OUTSW, PORT), S(OUTSD, PORT),
	S(STAC, SMAP), S(CLAC, SMAP),
	S(CLFLUSH, CACHE), S(CLFLUSHOPT, CACHE), S(CLWB, CACHE),
	S(CLDEMOTE, CACHE), S(WBINVD, CACHE),
	S(INVLPG, TABLE), S(INVD, TABLE), S(INVPCID, TABLE),
	S(RDMSR, MSR_READ), S(RDPMC, MSR_READ), S(XGETBV, MSR_READ),
	S(SMSW, CR_READ), S(RDFSBASE, CR_READ), S(RDGSBASE, CR_READ),
	S(HLT, HALT), S(MWAIT, HALT), S(MONITOR, HALT), S(MWAITX, HALT),
	S(MONITORX, HALT), S(UMONITOR, HALT), S(UMWAIT, HALT),
	S(TPAUSE, HALT),
	S(LMSW, CR), S(CLTS, CR),
	S(WRMSR, MSR), S(XSETBV, MSR),
	S(LGDT, TABLE), S(LIDT, TABLE), S(LLDT, TABLE), S(LTR, TABLE),
	S(SGDT, TABLE), S(SIDT, TABLE), S(SLDT, TABLE), S(STR, TABLE),
	S(LSS, TABLE), S(LFS, TABLE), S(LGS, TABLE), S(SWAPGS, TABLE),
	S(WRFSBASE, TABLE), S(WRGSBASE, TABLE), S(WRPKRU, TABLE),
	S(XRSTORS, TABLE), S(XRSTORS64, TABLE),
	S(VMCALL, VM), S(VMMCALL, VM), S(VMLAUNCH, VM), S(VMRESUME, VM),
	S(VMXOFF, VM), S(VMXON, VM), S(VMREAD, VM), S(VMWRITE, VM),
	S(VMPTRLD, VM), S(VMPTRST, VM), S(VMCLEAR, VM), S(VMFUNC, VM),
	S(INVEPT, VM), S(INVVPID, VM), S(VMRUN, VM), S(VMLOAD, VM),
	S(VMSAVE, VM), S(STGI, VM), S(CLGI, VM), S(SKINIT, VM),
	S(INVLPGA, VM), S(ENCLS, VM), S(ENCLU, VM), S(ENCLV, VM),
	S(GETSEC, VM), S(RSM, VM), S(PVALIDATE, VM), S(RMPADJUST, VM),
	S(RMPUPDATE, VM), S(PSMASH, VM), S(TDCALL, VM), S(SEAMCALL, VM),
	S(SEAMRET, VM), S(SEAMOPS, VM), S(PCONFIG, VM),
	S(IRET, RETURN), S(IRETD, RETURN), S(IRETQ, RETURN),
	S(SYSRET, RETURN), S(SYSEXIT, RETURN), S(UIRET, RETURN),
	S(INT, SYSTEM), S(INT1, SYSTEM), S(INT3, SYSTEM),
	S(SYSCALL, SYSTEM), S(SYSENTER, SYSTEM), S(SENDUIPI, SYSTEM),
	S(CLUI, SYSTEM), S(STUI, SYSTEM), S(XBEGIN, SYSTEM),
	S(XEND, SYSTEM), S(XABORT, SYSTEM),
	S(STD, DIRECTION), S(ENTER, RSP),
#undef S
};

u8 fi_insn_sens(u32 mnemonic)
{
	return mnemonic < ARRAY_SIZE(sens_table) ? sens_table[mnemonic] :
	       FI_SENS_NONE;
}

/* Their memory operand is named as written, but nothing is stored. */
bool fi_insn_no_store(u32 mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_PREFETCHW:
	case ZYDIS_MNEMONIC_PREFETCHWT1:
	case ZYDIS_MNEMONIC_CLFLUSH:
	case ZYDIS_MNEMONIC_CLFLUSHOPT:
	case ZYDIS_MNEMONIC_CLWB:
	case ZYDIS_MNEMONIC_CLDEMOTE:
	case ZYDIS_MNEMONIC_INVLPG:
		return true;
	default:
		return false;
	}
}

/* 64 bytes to the address that a register holds. */
bool fi_insn_stores_at_register(u32 mnemonic)
{
	return mnemonic == ZYDIS_MNEMONIC_MOVDIR64B ||
	       mnemonic == ZYDIS_MNEMONIC_ENQCMD || mnemonic == ZYDIS_MNEMONIC_ENQCMDS;
}

/* Their memory operand is named as read, but nothing can come of it. */
bool fi_insn_no_load(u32 mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_PREFETCH:
	case ZYDIS_MNEMONIC_PREFETCHNTA:
	case ZYDIS_MNEMONIC_PREFETCHT0:
	case ZYDIS_MNEMONIC_PREFETCHT1:
	case ZYDIS_MNEMONIC_PREFETCHT2:
	case ZYDIS_MNEMONIC_VERR:
	case ZYDIS_MNEMONIC_VERW:
		return true;
	default:
		return fi_insn_no_store(mnemonic);
	}
}

/*
 * How much they store depends on masks or on state, or the operand does not
 * name where: no check of ours covers them.
 */
const char *fi_insn_odd_store(u32 mnemonic)
{
	switch (mnemonic) {
#define ODD(m) case ZYDIS_MNEMONIC_##m: return "store without a check: " #m
	ODD(CLZERO);
	ODD(MASKMOVQ);
	ODD(MASKMOVDQU);
	ODD(VMASKMOVDQU);
	ODD(VMASKMOVPS);
	ODD(VMASKMOVPD);
	ODD(VPMASKMOVD);
	ODD(VPMASKMOVQ);
	ODD(XSAVE);
	ODD(XSAVE64);
	ODD(XSAVEC);
	ODD(XSAVEC64);
	ODD(XSAVEOPT);
	ODD(XSAVEOPT64);
	ODD(XSAVES);
	ODD(XSAVES64);
	ODD(WRSSD);
	ODD(WRSSQ);
	ODD(WRUSSD);
	ODD(WRUSSQ);
	ODD(TILESTORED);
#undef ODD
	default:
		return NULL;
	}
}

const char *fi_dbi_sens_name(enum fi_dbi_sens s)
{
	static const char * const names[FI_NR_SENS] = {
		[FI_SENS_NONE] = "none",
		[FI_SENS_IRQFLAG] = "interrupt flag",
		[FI_SENS_PORT] = "port",
		[FI_SENS_SMAP] = "stac/clac",
		[FI_SENS_CACHE] = "cache control",
		[FI_SENS_MSR_READ] = "msr read",
		[FI_SENS_CR_READ] = "control register read",
		[FI_SENS_HALT] = "halt",
		[FI_SENS_CR] = "control register write",
		[FI_SENS_MSR] = "msr write",
		[FI_SENS_TABLE] = "descriptor or translation table",
		[FI_SENS_VM] = "virtualisation",
		[FI_SENS_RETURN] = "far transfer",
		[FI_SENS_SYSTEM] = "software interrupt",
		[FI_SENS_DIRECTION] = "direction flag",
		[FI_SENS_RSP] = "stack pointer",
		[FI_SENS_STORE] = "store without a check",
	};

	return s < FI_NR_SENS ? names[s] : "?";
}

bool fi_insn_changes_bit(u32 m)
{
	return m == ZYDIS_MNEMONIC_BTS || m == ZYDIS_MNEMONIC_BTR || m == ZYDIS_MNEMONIC_BTC;
}

/*
 * One of the low eight bits, atomically: the other bytes of the operand stay what
 * they are, whoever changes them at the same time. On a machine with one CPU the
 * kernel has replaced the lock by a ds prefix.
 */
bool fi_insn_is_locked_bit(const struct ZydisDecodedInstruction_ *in,
			   const struct ZydisDecodedOperand_ *op)
{
	bool locked = false;
	u32 i;

	for (i = 0; i < in->raw.prefix_count; i++)
		locked |= in->raw.prefixes[i].value == 0xf0 ||
			  in->raw.prefixes[i].value == 0x3e;
	return locked && fi_insn_changes_bit(in->mnemonic) &&
	       op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	       op[1].imm.value.u % in->operand_width < 8;
}

void fi_dbi_config_default(struct fi_dbi_config *c)
{
	static const u8 verdict[FI_NR_SENS] = {
		[FI_SENS_IRQFLAG] = FI_DBI_TRACK,
		[FI_SENS_PORT] = FI_DBI_ASK,
		[FI_SENS_SMAP] = FI_DBI_ALLOW,
		[FI_SENS_CACHE] = FI_DBI_ALLOW,
		[FI_SENS_MSR_READ] = FI_DBI_TRACK,
		[FI_SENS_CR_READ] = FI_DBI_ALLOW,
		[FI_SENS_HALT] = FI_DBI_TRAP,
		[FI_SENS_CR] = FI_DBI_TRAP,
		[FI_SENS_MSR] = FI_DBI_TRAP,
		[FI_SENS_TABLE] = FI_DBI_TRAP,
		[FI_SENS_VM] = FI_DBI_TRAP,
		[FI_SENS_RETURN] = FI_DBI_TRAP,
		[FI_SENS_SYSTEM] = FI_DBI_TRAP,
		[FI_SENS_DIRECTION] = FI_DBI_TRAP,
		[FI_SENS_RSP] = FI_DBI_TRAP,
		[FI_SENS_STORE] = FI_DBI_TRAP,
	};

	memset(c, 0, sizeof(*c));
	memcpy(c->verdict, verdict, sizeof(verdict));
	c->checks = FI_DBI_BYTE;
	c->ret_check = true;
	c->icall_check = true;
	c->map_disp = -0x7fffffff - 1;
	c->max_frame = 4096;
}
