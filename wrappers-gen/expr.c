// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: expressions, parsed by precedence climbing, emitted as C.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "load.h"
#include "util.h"

enum eop { E_NUM, E_NAME, E_FIELD, E_ADDR, E_UNARY, E_BINARY };

struct expr {
	enum eop op;
	s64 num;
	const char *name;	/* parameter */
	const char *path;	/* member path of E_FIELD */
	const char *sym;	/* operator */
	struct expr *a, *b;
};

struct parser {
	const char *c;
	struct where where;
	const char *text;
};

static const struct { const char *sym; int prec; } binary[] = {
	{ "||", 1 }, { "&&", 2 }, { "==", 6 }, { "!=", 6 }, { "<<", 8 },
	{ ">>", 8 }, { "<=", 7 }, { ">=", 7 }, { "<", 7 }, { ">", 7 },
	{ "|", 3 }, { "^", 4 }, { "&", 5 }, { "+", 9 }, { "-", 9 },
	{ "*", 10 }, { "/", 10 }, { "%", 10 },
};

static void spaces(struct parser *p)
{
	while (isspace((unsigned char)*p->c))
		p->c++;
}

static char *ident(struct parser *p)
{
	const char *start = p->c;

	while (isalnum((unsigned char)*p->c) || *p->c == '_')
		p->c++;
	return xfmt("%.*s", (int)(p->c - start), start);
}

static struct expr *node(enum eop op)
{
	struct expr *e = xcalloc(1, sizeof(*e));

	e->op = op;
	return e;
}

static struct expr *parse(struct parser *p, int prec);

static struct expr *parse_name(struct parser *p)
{
	struct expr *e = node(E_NAME);

	e->name = ident(p);
	if (strncmp(p->c, "->", 2))
		return e;
	p->c += 2;
	e->op = E_FIELD;
	e->path = ident(p);
	while (*p->c == '.') {
		p->c++;
		e->path = xfmt("%s.%s", e->path, ident(p));
	}
	return e;
}

static struct expr *parse_unary(struct parser *p)
{
	struct expr *e;

	spaces(p);
	if (*p->c == '!' || *p->c == '~' || *p->c == '-') {
		e = node(E_UNARY);
		e->sym = xfmt("%c", *p->c++);
		e->a = parse_unary(p);
		return e;
	}
	if (*p->c == '&') {
		p->c++;
		e = parse_name(p);
		if (e->op != E_FIELD)
			die_at(p->where, "& of no member in '%s'", p->text);
		e->op = E_ADDR;
		return e;
	}
	if (*p->c == '(') {
		p->c++;
		e = parse(p, 1);
		spaces(p);
		if (*p->c++ != ')')
			die_at(p->where, "missing ) in '%s'", p->text);
		return e;
	}
	if (isdigit((unsigned char)*p->c)) {
		char *end;

		e = node(E_NUM);
		e->num = strtoll(p->c, &end, 0);
		p->c = end;
		return e;
	}
	if (isalpha((unsigned char)*p->c) || *p->c == '_')
		return parse_name(p);
	die_at(p->where, "bad expression '%s'", p->text);
}

static int binary_at(struct parser *p)
{
	u32 i;

	spaces(p);
	for (i = 0; i < sizeof(binary) / sizeof(*binary); i++) {
		if (!strncmp(p->c, binary[i].sym, strlen(binary[i].sym)))
			return (int)i;
	}
	return -1;
}

static struct expr *parse(struct parser *p, int prec)
{
	struct expr *left = parse_unary(p), *e;
	int op;

	while ((op = binary_at(p)) >= 0 && binary[op].prec >= prec) {
		p->c += strlen(binary[op].sym);
		e = node(E_BINARY);
		e->sym = binary[op].sym;
		e->a = left;
		e->b = parse(p, binary[op].prec + 1);
		left = e;
	}
	return left;
}

struct param obj_param(const struct type_note *t, const char *name)
{
	struct mtype *ptr = xcalloc(1, sizeof(*ptr));

	ptr->kind = MK_PTR;
	ptr->name = "";
	ptr->size = 8;
	ptr->ref = t->type;
	return (struct param){ .name = name, .type = ptr };
}

struct expr *expr_parse(const char *text, struct where w)
{
	struct parser p = { .c = text, .where = w, .text = text };
	struct expr *e = parse(&p, 1);

	spaces(&p);
	if (*p.c)
		die_at(w, "bad expression '%s' at '%s'", text, p.c);
	return e;
}

static const struct param *param_find(const struct scope *s, const char *name)
{
	u32 i;

	for (i = 0; i < s->nr; i++) {
		if (!strcmp(s->p[i].name, name))
			return &s->p[i];
	}
	return NULL;
}

static const char *check_field(const struct expr *e, const struct scope *s,
			       struct member *m)
{
	const struct param *p = param_find(s, e->name);

	if (!p)
		return xfmt("no parameter '%s'", e->name);
	if (!type_is_ptr(p->type) || !type_member(type_target(p->type), e->path, m))
		return xfmt("no member '%s->%s'", e->name, e->path);
	if (m->bit_size || (e->op == E_FIELD && type_size(m->type) > 8))
		return xfmt("'%s->%s' is not a plain number", e->name, e->path);
	return NULL;
}

const char *expr_check(const struct expr *e, const struct scope *s)
{
	struct member m;
	const char *why;

	switch (e->op) {
	case E_NUM:
		return NULL;
	case E_NAME:
		if (param_find(s, e->name) || (s->ret && !strcmp(e->name, "ret")))
			return NULL;
		return xfmt("no parameter '%s'", e->name);
	case E_FIELD:
	case E_ADDR:
		return check_field(e, s, &m);
	case E_UNARY:
		return expr_check(e->a, s);
	case E_BINARY:
		why = expr_check(e->a, s);
		return why ? why : expr_check(e->b, s);
	}
	return "impossible expression";
}

static const char *word(const struct scope *s, const struct param *p)
{
	return s->obj ? p->name : arg_emit(p->pos, s->slot);
}

const char *arg_emit(u32 pos, bool slot)
{
	if (slot)
		return xfmt("a[%u]", pos < 6 ? pos : pos + 2);
	if (pos < 6)
		return xfmt("c->arg[%u]", pos);
	return xfmt("fi_stack_arg(c, %u)", pos);
}

/* A register holds rubbish above the bits of a narrow type. */
static const char *narrow(struct mtype *t, const char *word)
{
	t = type_strip(t);
	if (t->kind == MK_PTR || t->size >= 8 || !t->size)
		return t->is_signed ? xfmt("(s64)%s", word) : word;
	if (t->is_signed)
		return xfmt("(s64)(s%u)%s", 8 * t->size, word);
	return xfmt("(u64)(u%u)%s", 8 * t->size, word);
}

static const char *emit_field(const struct expr *e, const struct scope *s)
{
	const struct param *p = param_find(s, e->name);
	struct mtype *t;
	struct member m;

	check_field(e, s, &m);
	if (e->op == E_ADDR)
		return xfmt("(%s + %u)", word(s, p), m.bit_off / 8);
	t = type_strip(m.type);
	return xfmt("FI_LD(%c%u, %s, %u)", t->is_signed ? 's' : 'u',
		    8 * type_size(t), word(s, p), m.bit_off / 8);
}

static const char *emit(const struct expr *e, const struct scope *s, bool top)
{
	const struct param *p;
	const char *a, *b;

	switch (e->op) {
	case E_NUM:
		return xfmt("%lld", (long long)e->num);
	case E_NAME:
		p = param_find(s, e->name);
		if (!p)
			return narrow(s->ret, "ret");
		return narrow(p->type, word(s, p));
	case E_FIELD:
	case E_ADDR:
		return emit_field(e, s);
	case E_UNARY:
		return xfmt("%s%s", e->sym, emit(e->a, s, false));
	case E_BINARY:
		a = emit(e->a, s, false);
		b = emit(e->b, s, false);
		if (s->size && *e->sym == '*')
			return xfmt("size_mul(%s, %s)", a, b);
		if (s->size && *e->sym == '+')
			return xfmt("size_add(%s, %s)", a, b);
		return xfmt(top ? "%s %s %s" : "(%s %s %s)", a, e->sym, b);
	}
	return "0";
}

const char *expr_emit(const struct expr *e, const struct scope *s)
{
	return emit(e, s, true);
}
