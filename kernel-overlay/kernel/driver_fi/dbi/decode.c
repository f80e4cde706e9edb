// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 1: bytes to the engine's view of an instruction, by Zydis.
 *
 * Nothing after this stage knows Zydis. A decoded instruction with its operands is
 * over 1 kB and stays in scratch memory.
 */

#include <Zydis/Register.h>

#include "decode.h"
#include "internal.h"

/* Set by Zydis' unreachable paths, see lib/zydis/private. Never cleared. */
int fi_zydis_unreachable;

size_t fi_decode_scratch(void)
{
	return sizeof(struct fi_decoder);
}

void fi_decode_init(void *scratch)
{
	struct fi_decoder *s = scratch;

	ZydisDecoderInit(&s->decoder, ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
}

/* Encoding number of a general register of any width, and its width. */
static u8 gpr(ZydisRegister r, u8 *width)
{
	if (r >= ZYDIS_REGISTER_RAX && r <= ZYDIS_REGISTER_R15) {
		*width = 8;
		return r - ZYDIS_REGISTER_RAX;
	}
	if (r >= ZYDIS_REGISTER_EAX && r <= ZYDIS_REGISTER_R15D) {
		*width = 4;
		return r - ZYDIS_REGISTER_EAX;
	}
	if (r >= ZYDIS_REGISTER_AX && r <= ZYDIS_REGISTER_R15W) {
		*width = 2;
		return r - ZYDIS_REGISTER_AX;
	}
	*width = 1;
	if (r >= ZYDIS_REGISTER_AL && r <= ZYDIS_REGISTER_BL)
		return r - ZYDIS_REGISTER_AL;
	if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH)
		return r - ZYDIS_REGISTER_AH;
	if (r >= ZYDIS_REGISTER_SPL && r <= ZYDIS_REGISTER_DIL)
		return FI_RSP + (r - ZYDIS_REGISTER_SPL);
	if (r >= ZYDIS_REGISTER_R8B && r <= ZYDIS_REGISTER_R15B)
		return FI_R8 + (r - ZYDIS_REGISTER_R8B);
	return FI_NOREG;
}

static u8 pack_flags(u32 f)
{
	return (f & 1) | (f >> 1 & FI_PF) | (f >> 2 & FI_AF) |
	       (f >> 3 & (FI_ZF | FI_SF)) | (f >> 6 & FI_OF);
}

bool fi_decode_is_shift(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_SHL:
	case ZYDIS_MNEMONIC_SHR:
	case ZYDIS_MNEMONIC_SAR:
	case ZYDIS_MNEMONIC_ROL:
	case ZYDIS_MNEMONIC_ROR:
	case ZYDIS_MNEMONIC_RCL:
	case ZYDIS_MNEMONIC_RCR:
	case ZYDIS_MNEMONIC_SHLD:
	case ZYDIS_MNEMONIC_SHRD:
		return true;
	default:
		return false;
	}
}

/* A shift by zero leaves the flags alone, so a shift by cl may do so. */
static bool shifts_for_sure(const struct fi_decoder *s)
{
	const ZydisDecodedOperand *last =
		&s->op[s->in.operand_count_visible - 1];
	u8 mask = s->in.operand_width == 64 ? 63 : 31;

	if (s->in.opcode == 0xd0 || s->in.opcode == 0xd1)
		return s->in.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
	return last->type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	       (last->imm.value.u & mask);
}

static void decode_flags(const struct fi_decoder *s, struct fi_insn *in)
{
	const ZydisAccessedFlags *f = s->in.cpu_flags;
	u32 def;

	if (!f)
		return;
	in->fuse = pack_flags(f->tested);
	def = f->modified | f->set_0 | f->set_1 | f->undefined;
	if (fi_decode_is_shift(s->in.mnemonic) && !shifts_for_sure(s))
		return;
	/* A repeated comparison may run zero times. */
	if (s->in.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				ZYDIS_ATTRIB_HAS_REPNE))
		return;
	in->fdef = pack_flags(def);
}

static void add_reg(struct fi_insn *in, ZydisRegister r, u32 actions)
{
	u8 width;
	u8 n = gpr(r, &width);

	if (n == FI_NOREG) {
		/* rflags as a whole is seen through cpu_flags */
		return;
	}
	if (actions & ZYDIS_OPERAND_ACTION_MASK_READ)
		in->use |= FI_REG(n);
	if (actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		in->wr |= FI_REG(n);
	if ((actions & ZYDIS_OPERAND_ACTION_WRITE) && width >= 4)
		in->def |= FI_REG(n);
}

static void add_addr(struct fi_insn *in, ZydisRegister r)
{
	u8 width;
	u8 n = gpr(r, &width);

	if (n != FI_NOREG)
		in->use |= FI_REG(n);
}

/* Is this hidden operand the stack slot of push, pop, call, ret? */
static bool stack_slot(const ZydisDecodedOperand *op)
{
	return op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	       op->mem.base == ZYDIS_REGISTER_RSP;
}

static void set_mem(struct fi_decoder *s, const ZydisDecodedOperand *op,
		    struct fi_insn *in)
{
	struct fi_mem *m = &in->mem;
	u8 w;

	m->present = true;
	m->base = op->mem.base == ZYDIS_REGISTER_NONE ? FI_NOREG :
		  gpr(op->mem.base, &w);
	m->index = op->mem.index == ZYDIS_REGISTER_NONE ? FI_NOREG :
		   gpr(op->mem.index, &w);
	m->scale = m->index == FI_NOREG ? 0 : op->mem.scale;
	m->disp = op->mem.disp.has_displacement ? op->mem.disp.value : 0;
	m->gs = op->mem.segment == ZYDIS_REGISTER_GS ||
		op->mem.segment == ZYDIS_REGISTER_FS;
	if (op->mem.base == ZYDIS_REGISTER_RIP) {
		m->rip = true;
		m->abs = in->va + in->len + (s64)m->disp;
	}
}

/* An operand that the engine cannot check an access to. */
static bool odd_mem(const struct fi_decoder *s, const ZydisDecodedOperand *op)
{
	u8 w;

	if (op->mem.type != ZYDIS_MEMOP_TYPE_MEM || s->in.address_width != 64)
		return true;
	if (op->mem.base != ZYDIS_REGISTER_NONE &&
	    op->mem.base != ZYDIS_REGISTER_RIP &&
	    gpr(op->mem.base, &w) == FI_NOREG)
		return true;
	if (op->mem.index != ZYDIS_REGISTER_NONE &&
	    gpr(op->mem.index, &w) == FI_NOREG)
		return true;
	/* 64-bit absolute moves (moffs) */
	return s->in.raw.disp.size == 64 ||
	       op->mem.segment == ZYDIS_REGISTER_FS;
}

static bool is_string_store(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_STOSB:
	case ZYDIS_MNEMONIC_STOSW:
	case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ:
	case ZYDIS_MNEMONIC_MOVSB:
	case ZYDIS_MNEMONIC_MOVSW:
	case ZYDIS_MNEMONIC_MOVSQ:
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSW:
	case ZYDIS_MNEMONIC_INSD:
		return true;
	default:
		return false;
	}
}

static void odd_store(struct fi_insn *in, const char *why)
{
	if (!in->sens) {
		in->sens = FI_SENS_STORE;
		in->odd = why;
	}
	in->store = FI_S_NONE;
}

static u8 repetition(const struct fi_decoder *s)
{
	if (!(s->in.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				  ZYDIS_ATTRIB_HAS_REPNE)))
		return FI_REP_NONE;
	return s->in.attributes & ZYDIS_ATTRIB_HAS_REP ? FI_REP_COUNT : FI_REP_UNTIL;
}

static bool is_masked(const struct fi_decoder *s)
{
	return s->in.avx.mask.mode == ZYDIS_MASK_MODE_MERGING ||
	       s->in.avx.mask.mode == ZYDIS_MASK_MODE_ZEROING;
}

static void decode_store(struct fi_decoder *s, const ZydisDecodedOperand *op,
			 struct fi_insn *in)
{
	ZydisMnemonic m = s->in.mnemonic;

	if (fi_insn_stores_at_register(m))
		return;		/* the operand that names it is hidden */
	in->size = op->size / 8;
	/* movsd is also a vector instruction; only the string one has rdi hidden */
	if (is_string_store(m) ||
	    (m == ZYDIS_MNEMONIC_MOVSD && s->in.opcode == 0xa5 &&
	     s->in.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)) {
		in->store = in->rep ? FI_S_REP : FI_S_STRING;
		if (s->in.address_width != 64)
			odd_store(in, "store without a check: 32-bit address");
		return;
	}
	if (stack_slot(op))
		return;		/* push, call: inside the stack by rsp's own checks */
	if (fi_insn_odd_store(m))
		return;		/* named below */
	if (is_masked(s)) {
		odd_store(in, "store without a check: masked vector");
		return;
	}
	if (!in->size || in->size > 512 || odd_mem(s, op)) {
		odd_store(in, "store without a check: odd address or size");
		return;
	}
	in->store = FI_S_PLAIN;
	if (op->mem.segment == ZYDIS_REGISTER_GS)
		in->store = FI_S_GS;
	else if (m == ZYDIS_MNEMONIC_POP)
		in->store = FI_S_POP;
	else if (fi_insn_changes_bit(m) && s->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
		in->store = FI_S_BITREG;
	else if (fi_insn_is_locked_bit(&s->in, s->op))
		in->size = 1;
}

static void decode_load(const struct fi_decoder *s, const ZydisDecodedOperand *op,
			struct fi_insn *in)
{
	if (op->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT) {
		if (op->mem.base == ZYDIS_REGISTER_RSI)
			in->load_si = op->size / 8;
		else if (op->mem.base == ZYDIS_REGISTER_RDI)
			in->load_di = op->size / 8;
		return;
	}
	if (fi_insn_no_load(s->in.mnemonic))
		return;
	in->load = op->size / 8;
	in->load_bit = s->in.mnemonic == ZYDIS_MNEMONIC_BT &&
		       s->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
	in->load_odd = !in->load || in->load > 512 || odd_mem(s, op) || is_masked(s);
}

static void decode_operands(struct fi_decoder *s, struct fi_insn *in)
{
	u8 w;
	u32 i;

	in->rep = repetition(s);
	for (i = 0; i < s->in.operand_count; i++) {
		const ZydisDecodedOperand *op = &s->op[i];

		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			add_reg(in, op->reg.value, op->actions);
			continue;
		}
		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		add_addr(in, op->mem.base);
		add_addr(in, op->mem.index);
		if (op->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			set_mem(s, op, in);
		if (op->mem.type != ZYDIS_MEMOP_TYPE_MEM &&
		    op->mem.type != ZYDIS_MEMOP_TYPE_VSIB)
			continue;
		if ((op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    !fi_insn_no_store(s->in.mnemonic))
			decode_store(s, op, in);
		else
			decode_load(s, op, in);
	}
	if (fi_insn_stores_at_register(s->in.mnemonic)) {
		in->store = FI_S_AT_REG;
		in->size = 64;
		in->reg = gpr(s->op[0].reg.value, &w);
		if (s->in.address_width != 64)
			odd_store(in, "store without a check: 32-bit address");
	}
	/* not for all of them an operand names memory */
	if (fi_insn_odd_store(s->in.mnemonic))
		odd_store(in, fi_insn_odd_store(s->in.mnemonic));
	if (in->load_bit)
		in->reg = gpr(s->op[1].reg.value, &w);
	if (in->store == FI_S_BITREG)
		in->reg = gpr(s->op[1].reg.value, &w);
	/* xor %r,%r reads nothing that matters */
	if ((s->in.mnemonic == ZYDIS_MNEMONIC_XOR ||
	     s->in.mnemonic == ZYDIS_MNEMONIC_SUB) &&
	    s->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    s->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    s->op[0].reg.value == s->op[1].reg.value &&
	    gpr(s->op[0].reg.value, &w) != FI_NOREG && w >= 4)
		in->use = 0;
	/* The result is kept when the source is zero. */
	if (s->in.mnemonic == ZYDIS_MNEMONIC_BSF ||
	    s->in.mnemonic == ZYDIS_MNEMONIC_BSR) {
		in->use |= in->def;
		in->def = 0;
	}
}

static void decode_raw(const struct fi_decoder *s, struct fi_insn *in)
{
	const ZydisDecodedInstructionRaw *r = &s->in.raw;

	in->enc = s->in.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ? 0 :
		  s->in.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ? 1 : 2;
	in->opsize = s->in.operand_width / 8;
	if (s->in.attributes & ZYDIS_ATTRIB_HAS_MODRM)
		in->modrm_off = r->modrm.offset;
	if (s->in.attributes & ZYDIS_ATTRIB_HAS_REX)
		in->rex_off = r->rex.offset + 1;
	if (s->in.attributes & ZYDIS_ATTRIB_HAS_VEX)
		in->rex_off = r->vex.offset + 1;
	in->opc_off = r->prefix_count;
	in->disp_off = r->disp.offset;
	in->disp_len = r->disp.size / 8;
	in->imm_len = (r->imm[0].size + r->imm[1].size) / 8;
}

static void decode_branch(struct fi_decoder *s, struct fi_insn *in)
{
	const ZydisDecodedOperand *op = &s->op[0];
	bool call = s->in.mnemonic == ZYDIS_MNEMONIC_CALL;
	u8 w;

	if (s->in.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
		in->sens = FI_SENS_RETURN;
		return;
	}
	if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		in->target = in->va + in->len + op->imm.value.s;
		in->kind = call ? FI_I_CALL :
			   s->in.mnemonic == ZYDIS_MNEMONIC_JMP ? FI_I_JMP :
			   FI_I_JCC;
		return;
	}
	in->kind = call ? FI_I_ICALL : FI_I_IJMP;
	in->reg = FI_NOREG;
	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
		in->reg = gpr(op->reg.value, &w);
	else if (odd_mem(s, op) && op->mem.segment != ZYDIS_REGISTER_GS)
		in->sens = FI_SENS_RETURN;
}

static void decode_kind(struct fi_decoder *s, const u8 *b, struct fi_insn *in)
{
	switch (s->in.mnemonic) {
	case ZYDIS_MNEMONIC_JCXZ:
	case ZYDIS_MNEMONIC_JECXZ:
	case ZYDIS_MNEMONIC_JRCXZ:
	case ZYDIS_MNEMONIC_LOOP:
	case ZYDIS_MNEMONIC_LOOPE:
	case ZYDIS_MNEMONIC_LOOPNE:
		decode_branch(s, in);
		in->kind = FI_I_JCX;
		return;
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_ENDBR64:
		in->kind = FI_I_NOP;
		in->store = FI_S_NONE;
		in->load = 0;
		in->load_odd = false;
		return;
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		in->kind = FI_I_UD;
		return;
	case ZYDIS_MNEMONIC_RET:
		in->kind = FI_I_RET;
		if (s->in.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
		    in->imm_len)
			in->sens = FI_SENS_RETURN;
		return;
	case ZYDIS_MNEMONIC_CALL:
	case ZYDIS_MNEMONIC_JMP:
		decode_branch(s, in);
		return;
	default:
		break;
	}
	if (s->in.meta.category == ZYDIS_CATEGORY_COND_BR) {
		decode_branch(s, in);
		in->cc = b[in->len - in->imm_len - 1] & 15;
	}
}

static void decode_sens(struct fi_decoder *s, struct fi_insn *in)
{
	u8 sens = fi_insn_sens(s->in.mnemonic);
	u32 i;

	/* mov to and from control and debug registers share a name */
	if (s->in.mnemonic == ZYDIS_MNEMONIC_MOV) {
		for (i = 0; i < 2; i++) {
			ZydisRegister r = s->op[i].reg.value;

			if (s->op[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
				continue;
			if (r >= ZYDIS_REGISTER_CR0 && r <= ZYDIS_REGISTER_DR15)
				sens = i ? FI_SENS_CR_READ : FI_SENS_CR;
			if (!i && r >= ZYDIS_REGISTER_ES &&
			    r <= ZYDIS_REGISTER_GS)
				sens = FI_SENS_TABLE;
		}
	}
	if (sens)
		in->sens = sens;
}

/* The length of its beginning that no other instruction has, or 0. */
static u32 key_length(const struct fi_decoder *s, const struct fi_insn *in)
{
	/* elsewhere displacements are scaled, or an opcode stands at the end */
	if (in->enc == 2 || in->disp_len > 4)
		return 0;
	if (fi_decode_by_value(s))
		return in->len;
	return in->disp_off ? in->disp_off : in->len - in->imm_len;
}

u32 fi_decode_anew(struct fi_dbi_unit *u, const u8 *bytes, u32 avail, u64 va,
		   struct fi_insn *in, u32 *key)
{
	struct fi_decoder *s = u->dec;

	memset(in, 0, sizeof(*in));
	in->va = va;
	in->reg = FI_NOREG;
	in->mem.base = FI_NOREG;
	in->mem.index = FI_NOREG;
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&s->decoder, &s->ctx,
							bytes, min(avail, 15),
							&s->in)) ||
	    !ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&s->decoder, &s->ctx,
						     &s->in, s->op,
						     s->in.operand_count)))
		return 0;
	in->len = s->in.length;
	decode_raw(s, in);
	decode_flags(s, in);
	decode_operands(s, in);
	decode_sens(s, in);
	decode_kind(s, bytes, in);
	fi_decode_sp(s, in);
	fi_decode_growth(s, in);
	if (in->sens)
		in->verdict = u->cfg->verdict[in->sens];
	if (key)
		*key = key_length(s, in);
	return in->len;
}

u32 fi_decode(struct fi_dbi_unit *u, const u8 *bytes, u32 avail, u64 va,
	      struct fi_insn *in)
{
	u32 len, key = 0;

	len = fi_memo_recall(&u->memo, bytes, avail, va, in);
	if (len)
		return len;
	if (fi_zydis_unreachable)
		u->broken = true;
	len = u->broken ? 0 : fi_decode_anew(u, bytes, avail, va, in, &key);
	if (!len)
		memset(in, 0, sizeof(*in));
	else if (key)
		fi_memo_keep(u, bytes, key, in);
	return len;
}
