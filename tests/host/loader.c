// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small ET_REL loader for kernel modules in a user process.
 */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader.h"

#define STUB_SIZE 64

void *map_low(size_t size, int prot)
{
	static u64 next = 0x31230000;
	u64 try;

	size = ALIGN(size, 4096UL);
	for (try = 0; try < 4000; try++) {
		void *p;

		if (next + size > 0x70000000)
			next = 0x31230000;
		p = mmap((void *)next, size, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		next += size + 0x10000;
		next &= ~0xfffULL;
		if (p != MAP_FAILED)
			return p;
	}
	return NULL;
}

u8 *read_module(const char *path, size_t *size)
{
	size_t n = strlen(path), cap = 1 << 20, len = 0, got;
	char cmd[4096];
	FILE *f;
	u8 *buf;

	if (n > 3 && !strcmp(path + n - 3, ".xz")) {
		if (strchr(path, '\''))
			return NULL;
		snprintf(cmd, sizeof(cmd), "xz -dc '%s'", path);
		f = popen(cmd, "r");
	} else {
		cmd[0] = 0;
		f = fopen(path, "r");
	}
	if (!f)
		return NULL;
	buf = malloc(cap);
	while ((got = fread(buf + len, 1, cap - len, f)) > 0) {
		len += got;
		if (len == cap)
			buf = realloc(buf, cap *= 2);
	}
	if (cmd[0])
		pclose(f);
	else
		fclose(f);
	*size = len;
	return buf;
}

static const char *sec_name(const struct mod *m, u32 i)
{
	return m->shstr + m->sh[i].sh_name;
}

Elf64_Shdr *mod_section(const struct mod *m, const char *name, u32 *index)
{
	for (u32 i = 1; i < m->eh->e_shnum; i++) {
		if (strcmp(sec_name(m, i), name))
			continue;
		if (index)
			*index = i;
		return &m->sh[i];
	}
	return NULL;
}

static bool parse(struct mod *m)
{
	m->eh = (Elf64_Ehdr *)m->file;
	if (m->file_size < sizeof(*m->eh) || memcmp(m->file, ELFMAG, 4) ||
	    m->eh->e_type != ET_REL || m->eh->e_machine != EM_X86_64)
		return false;
	if (m->eh->e_shoff + (u64)m->eh->e_shnum * sizeof(Elf64_Shdr) > m->file_size)
		return false;
	m->sh = (Elf64_Shdr *)(m->file + m->eh->e_shoff);
	m->shstr = (char *)m->file + m->sh[m->eh->e_shstrndx].sh_offset;
	for (u32 i = 1; i < m->eh->e_shnum; i++) {
		if (m->sh[i].sh_type != SHT_NOBITS &&
		    m->sh[i].sh_offset + m->sh[i].sh_size > m->file_size)
			return false;
		if (m->sh[i].sh_type != SHT_SYMTAB)
			continue;
		m->sym = (Elf64_Sym *)(m->file + m->sh[i].sh_offset);
		m->nr_syms = m->sh[i].sh_size / sizeof(Elf64_Sym);
		m->str = (char *)m->file + m->sh[m->sh[i].sh_link].sh_offset;
	}
	return m->sym;
}

enum { R_TEXT, R_INIT, R_DATA, R_NONE };

static int region_of(const struct mod *m, u32 i)
{
	const Elf64_Shdr *s = &m->sh[i];
	const char *n = sec_name(m, i);

	if (!(s->sh_flags & SHF_ALLOC) || !strcmp(n, ".modinfo") ||
	    !strcmp(n, "__versions"))
		return R_NONE;
	if (!(s->sh_flags & SHF_EXECINSTR))
		return R_DATA;
	if (!strcmp(n, ".altinstr_replacement"))
		return R_DATA;
	return !strncmp(n, ".init", 5) ? R_INIT : R_TEXT;
}

static const char * const gs_names[] = {
	"fixed_percpu_data", "pcpu_hot", "this_cpu_off", "cpu_number",
	"__preempt_count", "__stack_chk_guard", "cpu_info", "irq_stat",
	"kstack_offset", "hardirq_stack_inuse", "this_cpu_id",
};

static bool layout(struct mod *m)
{
	u64 size[4] = { 0 }, off[4], total, text;

	m->sec_va = calloc(m->eh->e_shnum, sizeof(u64));
	for (u32 i = 1; i < m->eh->e_shnum; i++) {
		int r = region_of(m, i);
		u64 al = m->sh[i].sh_addralign ? m->sh[i].sh_addralign : 1;

		if (r == R_NONE)
			continue;
		if (r != R_DATA && al < 16)
			al = 16;
		size[r] = ALIGN(size[r], al);
		m->sec_va[i] = size[r];
		size[r] += m->sh[i].sh_size;
	}
	for (u32 i = 1; i < m->nr_syms; i++)
		m->nr_imports += m->sym[i].st_shndx == SHN_UNDEF;
	text = size[R_TEXT] + size[R_INIT];
	m->arena_size = fi_dbi_arena_size(text, m->nr_syms) * 6 + 65536;
	off[R_TEXT] = 0;
	off[R_INIT] = ALIGN(size[R_TEXT], 4096ULL);
	m->arena = ALIGN(off[R_INIT] + size[R_INIT], 4096ULL);
	off[R_DATA] = m->arena + ALIGN((u64)m->arena_size, 4096ULL);
	total = off[R_DATA] + ALIGN(size[R_DATA] + 64, 4096ULL) +
		(m->nr_imports + 1) * STUB_SIZE;
	m->map_size = ALIGN(total, 4096ULL);
	m->map = map_low(m->map_size, PROT_READ | PROT_WRITE | PROT_EXEC);
	if (!m->map)
		return false;
	m->arena += (u64)m->map;
	m->data = (u64)m->map + off[R_DATA];
	m->data_size = size[R_DATA];
	for (u32 i = 1; i < m->eh->e_shnum; i++) {
		int r = region_of(m, i);

		if (r == R_NONE)
			continue;
		m->sec_va[i] += (u64)m->map + off[r];
		if (m->sh[i].sh_type != SHT_NOBITS)
			memcpy((void *)m->sec_va[i], m->file + m->sh[i].sh_offset,
			       m->sh[i].sh_size);
	}
	for (int r = 0; r < 2; r++) {
		m->text_live[r] = m->map + off[r];
		m->text[r].va = (u64)m->text_live[r];
		m->text[r].size = size[r];
	}
	return true;
}

static const char * const reg_names[16] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

/* Called by inline assembly that relies on registers being kept. */
static const char * const transparent[] = {
	"__SCT__", "__get_user_", "__put_user_", "__sw_hweight",
	"preempt_schedule_thunk", "preempt_schedule_notrace_thunk",
	"clear_page_", "rep_movs_alternative", "rep_stos_alternative",
	"copy_user_generic", "__raw_callee_save_", "__rdgsbase_inactive",
	"copy_mc_fragile", "memcpy_orig", "__x86_call_depth",
	"this_cpu_cmpxchg16b_emu", "native_save_fl", "entry_",
};

static void classify(struct import *im)
{
	const char *n = im->name;

	im->t.kind = FI_DBI_T_CALL;
	im->t.to = im->va;
	if (!strcmp(n, "__fentry__"))
		im->t.kind = FI_DBI_T_FENTRY;
	if (!strcmp(n, "__x86_return_thunk"))
		im->t.kind = FI_DBI_T_RETURN;
	if (!strncmp(n, "__x86_indirect_", 15)) {
		const char *r = strrchr(n, '_') + 1;

		for (int i = 0; i < 16; i++) {
			if (strcmp(r, reg_names[i]))
				continue;
			im->t.kind = FI_DBI_T_THUNK;
			im->t.reg = i;
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(transparent); i++)
		if (!strncmp(n, transparent[i], strlen(transparent[i])))
			im->t.kind = FI_DBI_T_TRANSPARENT;
}

static void write_stub(u8 *p, const struct import *im, u64 host)
{
	static const u8 ret[] = { 0xc3 };

	memset(p, 0xcc, STUB_SIZE);
	if (im->t.kind == FI_DBI_T_THUNK) {
		u32 n = 0;

		if (im->t.reg >= 8)
			p[n++] = 0x41;
		p[n++] = 0xff;
		p[n++] = 0xe0 | (im->t.reg & 7);
	} else if (im->t.kind == FI_DBI_T_FENTRY ||
		   im->t.kind == FI_DBI_T_RETURN) {
		memcpy(p, ret, 1);
		/* "jmp __x86_return_thunk" returns for its caller: same bytes */
	} else if (host) {
		p[0] = 0x49;
		p[1] = 0xbb;
		memcpy(p + 2, &host, 8);
		memcpy(p + 10, "\x41\xff\xe3", 3);
	} else {
		memcpy(p, "\x0f\x0b", 2);
	}
}

static void make_imports(struct mod *m, const struct load_options *o)
{
	u8 *stub = m->map + m->map_size - (m->nr_imports + 1) * STUB_SIZE;
	u32 n = 0;

	stub = (u8 *)((u64)stub & ~63ULL);
	m->import = calloc(m->nr_imports + 1, sizeof(*m->import));
	for (u32 i = 1; i < m->nr_syms; i++) {
		struct import *im = &m->import[n];
		u64 host;

		if (m->sym[i].st_shndx != SHN_UNDEF)
			continue;
		im->name = m->str + m->sym[i].st_name;
		im->va = (u64)stub + n * STUB_SIZE;
		for (u32 k = 0; k < ARRAY_SIZE(gs_names); k++)
			if (!strcmp(im->name, gs_names[k]))
				im->va = 0x80 * k;
		classify(im);
		host = o->host_symbol ? o->host_symbol(im->name) : 0;
		if (im->va >= 0x1000)
			write_stub((u8 *)im->va, im, host);
		m->sym[i].st_value = im->va;
		n++;
	}
	m->nr_imports = n;
}

const struct import *mod_import_at(const struct mod *m, u64 va)
{
	u64 base = m->nr_imports ? (u64)m->map + m->map_size : 0;

	if (va < (u64)m->map || va >= base)
		return NULL;
	for (u32 i = 0; i < m->nr_imports; i++)
		if (m->import[i].va == va)
			return &m->import[i];
	return NULL;
}

static u64 sym_value(const struct mod *m, u32 i)
{
	const Elf64_Sym *s = &m->sym[i];

	if (s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_ABS)
		return s->st_value;
	if (s->st_shndx >= m->eh->e_shnum)
		return 0;
	return m->sec_va[s->st_shndx] + s->st_value;
}

u64 mod_sym(const struct mod *m, const char *name)
{
	for (u32 i = 1; i < m->nr_syms; i++)
		if (m->sym[i].st_shndx != SHN_UNDEF &&
		    !strcmp(m->str + m->sym[i].st_name, name))
			return sym_value(m, i);
	return 0;
}

/* What moves with the module: all but per-CPU offsets and absolute symbols. */
static u64 moved(const struct mod *m, const Elf64_Sym *s)
{
	if (s->st_shndx == SHN_ABS ||
	    (s->st_shndx == SHN_UNDEF && s->st_value < 0x1000))
		return 0;
	return m->bias;
}

static bool relocate(struct mod *m)
{
	for (u32 i = 1; i < m->eh->e_shnum; i++) {
		Elf64_Rela *r;
		u64 base, n;

		if (m->sh[i].sh_type != SHT_RELA)
			continue;
		base = m->sec_va[m->sh[i].sh_info];
		if (!base)
			continue;
		r = (Elf64_Rela *)(m->file + m->sh[i].sh_offset);
		n = m->sh[i].sh_size / sizeof(*r);
		for (u64 k = 0; k < n; k++) {
			u8 *p = (u8 *)(base + r[k].r_offset);
			u32 sym = ELF64_R_SYM(r[k].r_info);
			u64 v = sym_value(m, sym) + moved(m, &m->sym[sym]) + r[k].r_addend;
			u64 place = (u64)p + m->bias;
			u32 v32;

			switch (ELF64_R_TYPE(r[k].r_info)) {
			case R_X86_64_64:
				memcpy(p, &v, 8);
				break;
			case R_X86_64_32:
			case R_X86_64_32S:
				v32 = v;
				memcpy(p, &v32, 4);
				break;
			case R_X86_64_PC32:
			case R_X86_64_PLT32:
				v32 = v - place;
				memcpy(p, &v32, 4);
				break;
			case R_X86_64_PC64:
				v -= place;
				memcpy(p, &v, 8);
				break;
			case R_X86_64_NONE:
				break;
			default:
				snprintf(m->error, sizeof(m->error),
					 "relocation type %u",
					 (u32)ELF64_R_TYPE(r[k].r_info));
				return false;
			}
		}
	}
	return true;
}

static int by_va(const void *a, const void *b)
{
	const struct fi_dbi_func *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return x->size > y->size ? -1 : x->size < y->size;
}

static int func_index(const struct mod *m, u64 va)
{
	u32 lo = 0, hi = m->nr_funcs;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (m->func[mid].va < va)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->nr_funcs && m->func[lo].va == va ? (int)lo : -1;
}

static bool has_fentry(const struct mod *m, u64 va, u32 size)
{
	const u8 *p = (const u8 *)va;
	const struct import *im;
	u32 off = 0;
	s32 d;

	if (size >= 9 && !memcmp(p, "\xf3\x0f\x1e\xfa", 4))
		off = 4;
	if (size < off + 5 || p[off] != 0xe8)
		return false;
	memcpy(&d, p + off + 1, 4);
	im = mod_import_at(m, va + off + 5 + (s64)d);
	return im && im->t.kind == FI_DBI_T_FENTRY;
}

static bool is_cold_name(const char *n)
{
	size_t len = strlen(n);

	return len > 5 && strstr(n, ".cold") && (!strcmp(n + len - 5, ".cold") ||
						 strstr(n, ".cold."));
}

static void collect_functions(struct mod *m)
{
	u32 n = 0;

	m->func = calloc(m->nr_syms + 1, sizeof(*m->func));
	for (u32 i = 1; i < m->nr_syms; i++) {
		const Elf64_Sym *s = &m->sym[i];
		struct fi_dbi_func *f = &m->func[m->nr_funcs];
		const char *name = m->str + s->st_name;
		int type = ELF64_ST_TYPE(s->st_info), r;

		if (s->st_shndx == SHN_UNDEF || s->st_shndx >= m->eh->e_shnum)
			continue;
		r = region_of(m, s->st_shndx);
		if (r != R_TEXT && r != R_INIT)
			continue;
		if (type != STT_FUNC &&
		    !(type == STT_NOTYPE && ELF64_ST_BIND(s->st_info) == STB_GLOBAL))
			continue;
		if (!strncmp(name, "__pfx_", 6) || !strncmp(name, "__cfi_", 6))
			continue;
		f->va = sym_value(m, i);
		f->size = s->st_size;
		f->name = name;
		if (is_cold_name(name))
			f->flags |= FI_DBI_FN_COLD;
		m->nr_funcs++;
	}
	qsort(m->func, m->nr_funcs, sizeof(*m->func), by_va);
	for (u32 i = 0; i < m->nr_funcs; i++) {
		if (n && m->func[n - 1].va == m->func[i].va) {
			m->func[n - 1].flags |= m->func[i].flags;
			continue;
		}
		m->func[n++] = m->func[i];
	}
	m->nr_funcs = n;
	for (u32 i = 0; i < n; i++) {
		struct fi_dbi_func *f = &m->func[i];
		int t = f->va >= m->text[1].va &&
			f->va < m->text[1].va + m->text[1].size;
		u64 end = m->text[t].va + m->text[t].size;
		u64 next = i + 1 < n && m->func[i + 1].va < end ?
			   m->func[i + 1].va : end;

		if (!f->size || f->va + f->size > next)
			f->size = next - f->va;
		if (has_fentry(m, f->va, f->size))
			f->flags |= FI_DBI_FN_ABI;
	}
}

/* C functions without the tracing hook: local symbols of a .c file. */
static void mark_c_files(struct mod *m)
{
	bool c_file = false;

	for (u32 i = 1; i < m->nr_syms; i++) {
		const Elf64_Sym *s = &m->sym[i];
		const char *name = m->str + s->st_name;
		int f;

		if (ELF64_ST_TYPE(s->st_info) == STT_FILE) {
			size_t len = strlen(name);

			c_file = len > 2 && !strcmp(name + len - 2, ".c");
			continue;
		}
		if (!c_file || ELF64_ST_TYPE(s->st_info) != STT_FUNC ||
		    ELF64_ST_BIND(s->st_info) != STB_LOCAL)
			continue;
		f = func_index(m, sym_value(m, i));
		if (f >= 0)
			m->func[f].flags |= FI_DBI_FN_ABI;
	}
}

static bool takes_addresses(const char *n)
{
	static const char * const meta[] = {
		".orc_unwind", ".return_sites", ".retpoline_sites", ".call_sites",
		"__mcount_loc", "__patchable_function_entries", ".ibt_endbr_seal",
		"__bug_table", "__jump_table", "__ex_table", ".altinstructions",
		".static_call_sites", ".smp_locks", ".parainstructions",
		".altinstr_replacement",
	};

	for (u32 i = 0; i < ARRAY_SIZE(meta); i++)
		if (!strncmp(n, meta[i], strlen(meta[i])))
			return false;
	return true;
}

static void mark_taken(struct mod *m)
{
	for (u32 i = 1; i < m->eh->e_shnum; i++) {
		u32 to = m->sh[i].sh_info;
		Elf64_Rela *r = (Elf64_Rela *)(m->file + m->sh[i].sh_offset);

		if (m->sh[i].sh_type != SHT_RELA || !m->sec_va[to] ||
		    !takes_addresses(sec_name(m, to)))
			continue;
		for (u64 k = 0; k < m->sh[i].sh_size / sizeof(*r); k++) {
			u32 type = ELF64_R_TYPE(r[k].r_info);
			bool text = m->sh[to].sh_flags & SHF_EXECINSTR;
			u64 v = sym_value(m, ELF64_R_SYM(r[k].r_info)) +
				r[k].r_addend;
			int f;

			if (type == R_X86_64_PLT32)
				continue;
			if (type == R_X86_64_PC32 && text)
				v += 4;
			f = func_index(m, v);
			if (f >= 0)
				m->func[f].flags |= FI_DBI_FN_TAKEN;
		}
	}
}

static bool in_text(const struct mod *m, u64 va)
{
	for (int i = 0; i < 2; i++)
		if (va >= m->text[i].va && va - m->text[i].va < m->text[i].size)
			return true;
	return false;
}

static void add_edge(struct mod *m, u64 from, u64 to, int kind)
{
	if (!in_text(m, from))
		return;
	m->edge = realloc(m->edge, (m->nr_edges + 1) * sizeof(*m->edge));
	m->edge[m->nr_edges].from = from;
	m->edge[m->nr_edges].to = to;
	m->edge[m->nr_edges].kind = kind;
	m->nr_edges++;
}

static int by_from(const void *a, const void *b)
{
	const struct fi_dbi_edge *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static void collect_edges(struct mod *m)
{
	static const struct {
		const char *name;
		u32 size;
		int kind;
	} tab[] = {
		{ "__jump_table", 16, FI_DBI_EDGE_JUMP_LABEL },
		{ "__ex_table", 12, FI_DBI_EDGE_EXTABLE },
		{ ".static_call_sites", 8, FI_DBI_EDGE_STATIC_CALL },
	};

	for (u32 t = 0; t < ARRAY_SIZE(tab); t++) {
		u32 idx;
		Elf64_Shdr *s = mod_section(m, tab[t].name, &idx);

		for (u64 k = 0; s && k < s->sh_size / tab[t].size; k++) {
			u64 at = m->sec_va[idx] + k * tab[t].size;
			s32 a = *(s32_u *)at, b = *(s32_u *)(at + 4);
			u64 to = t == 2 ? 0 : at + 4 + (s64)b;

			add_edge(m, at + (s64)a, to, tab[t].kind);
		}
	}
	if (m->nr_edges)
		qsort(m->edge, m->nr_edges, sizeof(*m->edge), by_from);
}

const char *mod_sym_at(const struct mod *m, u64 va, u64 *off)
{
	u32 lo = 0, hi = m->nr_funcs;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (m->func[mid].va <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || va - m->func[lo - 1].va >= m->func[lo - 1].size)
		return NULL;
	if (off)
		*off = va - m->func[lo - 1].va;
	return m->func[lo - 1].name;
}

/* What the engine is told: addresses of the place that the module was linked for. */
static void add_bias(struct mod *m)
{
	for (int i = 0; i < 2; i++)
		m->text[i].va += m->bias;
	for (u32 i = 0; i < m->nr_funcs; i++)
		m->func[i].va += m->bias;
	for (u32 i = 0; i < m->nr_edges; i++) {
		m->edge[i].from += m->bias;
		m->edge[i].to += m->edge[i].to ? m->bias : 0;
	}
}

struct mod *mod_load_image(const char *name, u8 *file, size_t size,
			   const struct load_options *o)
{
	struct mod *m = calloc(1, sizeof(*m));

	snprintf(m->name, sizeof(m->name), "%s", name);
	m->file = file;
	m->file_size = size;
	if (!parse(m) || !layout(m)) {
		mod_free(m);
		return NULL;
	}
	m->bias = o->run_at ? o->run_at - (u64)m->map : 0;
	make_imports(m, o);
	if (!relocate(m)) {
		fprintf(stderr, "%s: %s\n", name, m->error);
		mod_free(m);
		return NULL;
	}
	collect_functions(m);
	mark_c_files(m);
	mark_taken(m);
	if (o->finalize) {
		if (!mod_apply_alternatives(m, o->all_features))
			fprintf(stderr, "%s: alternatives\n", name);
		mod_finish_sites(m);
	}
	collect_edges(m);
	for (int i = 0; i < 2; i++) {
		u8 *copy = malloc(m->text[i].size + 16);

		memcpy(copy, m->text_live[i], m->text[i].size);
		m->text[i].bytes = copy;
	}
	add_bias(m);
	return m;
}

struct mod *mod_load(const char *path, const struct load_options *o)
{
	const char *base = strrchr(path, '/');
	size_t size = 0;
	u8 *file = read_module(path, &size);

	if (!file)
		return NULL;
	return mod_load_image(base ? base + 1 : path, file, size, o);
}

void mod_free(struct mod *m)
{
	if (!m)
		return;
	if (m->map)
		munmap(m->map, m->map_size);
	for (int i = 0; i < 2; i++)
		free((void *)m->text[i].bytes);
	free(m->sec_va);
	free(m->func);
	free(m->edge);
	free(m->import);
	free(m->file);
	free(m);
}

/* The engine's environment */

static void *env_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return calloc(1, size);
}

static void env_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static void env_resolve(void *ctx, u64 va, struct fi_dbi_target *t)
{
	const struct mod *m = ctx;
	const struct import *im = mod_import_at(m, va - m->bias);

	if (!im)
		return;
	*t = im->t;
	t->to += m->bias;
}

static bool env_const_slot(void *ctx, u64 va)
{
	struct mod *m = ctx;

	va -= m->bias;
	/* inside an imported object, such as pv_ops */
	for (u32 i = 0; i < m->nr_imports; i++)
		if (!strcmp(m->import[i].name, "pv_ops") && va >= m->import[i].va &&
		    va < m->import[i].va + 0x400)
			return true;
	return false;
}

static enum fi_dbi_gs env_gs(void *ctx, s64 off, u32 size)
{
	(void)ctx;
	(void)off;
	(void)size;
	return FI_DBI_GS_ALLOW;
}

struct fi_dbi_env mod_env(struct mod *m)
{
	return (struct fi_dbi_env){
		.ctx = m,
		.alloc = env_alloc,
		.free = env_free,
		.resolve = env_resolve,
		.const_slot = env_const_slot,
		.gs_store = env_gs,
	};
}

struct fi_dbi_input mod_input(struct mod *m, const struct fi_dbi_env *env,
			      const struct fi_dbi_config *cfg)
{
	return (struct fi_dbi_input){
		.env = env,
		.cfg = cfg,
		.texts = m->text,
		.nr_texts = m->text[1].size ? 2 : 1,
		.funcs = m->func,
		.nr_funcs = m->nr_funcs,
		.edges = m->edge,
		.nr_edges = m->nr_edges,
	};
}
