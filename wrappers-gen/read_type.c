// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: lines about types: type, token, inplace, shadow, lent.
 */
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "read.h"
#include "util.h"

/* drop=function(obj,2) */
static void word_drop(struct reader *r, void *note, const char *w)
{
	struct type_note *t = note;
	size_t n = strcspn(w, "(");
	const char *in = read_inside(w, xfmt("%.*s", (int)n, w));
	char *arg, *save = NULL;

	t->drop = xfmt("%.*s", (int)n, w);
	if (!kernel_exports(r->k, t->drop))
		die_at(r->where, "drop=%s is not an exported function", t->drop);
	if (!in)
		die_at(r->where, "drop=function(obj,...) expected");
	arg = strtok_r(xfmt("%s", in), ",", &save);
	if (!arg || strcmp(arg, "obj"))
		die_at(r->where, "drop=function(obj,...) expected");
	while ((arg = strtok_r(NULL, ",", &save))) {
		if (t->nr_drop_arg == 2)
			die_at(r->where, "drop= with more than two numbers");
		t->drop_arg[t->nr_drop_arg++] = read_number(r, arg);
	}
}

static void read_member(struct reader *r, struct type_note *t, const char *path,
			bool func, struct callback **v, u32 *nr)
{
	struct member m;

	if (!type_member(t->type, path, &m) || !type_is_ptr(m.type) ||
	    (type_target(m.type)->kind == MK_PROTO) != func)
		die_at(r->where, "struct %s has no %s pointer '%s'", t->name,
		       func ? "function" : "object", path);
	*v = xgrow(*v, *nr, sizeof(**v));
	(*v)[(*nr)++] = (struct callback){
		.path = path, .off = m.bit_off / 8, .target = type_target(m.type),
	};
}

/* sound(obj->a<=obj->b): what the kernel relies on in each such object. */
static void word_sound(struct reader *r, void *note, const char *text)
{
	struct type_note *t = note;
	struct check c = read_check_of(r, text);
	struct param obj = obj_param(t, "obj");
	struct scope s = { .p = &obj, .nr = 1 };
	const char *why = expr_check(c.e, &s);

	if (why)
		die_at(r->where, "sound(%s): %s", text, why);
	t->sound = xgrow(t->sound, t->nr_sound, sizeof(*t->sound));
	t->sound[t->nr_sound++] = c;
}

static void word_object(struct reader *r, void *note, const char *in)
{
	struct type_note *t = note;

	(void)r;
	(void)in;
	t->object = true;
}

static void word_embedded(struct reader *r, void *note, const char *in)
{
	struct type_note *t = note;

	(void)r;
	(void)in;
	t->embedded = true;
}

static void word_header(struct reader *r, void *note, const char *in)
{
	struct type_note *t = note;

	(void)r;
	t->header = in;
}

static void word_take(struct reader *r, void *note, const char *in)
{
	struct type_note *t = note;

	(void)r;
	t->take = in;
}

static void word_give(struct reader *r, void *note, const char *in)
{
	struct type_note *t = note;

	(void)r;
	t->give = in;
}

static void word_cb(struct reader *r, void *note, const char *in)
{
	struct type_note *t = note;

	read_member(r, t, in, true, &t->cb, &t->nr_cb);
}

static void word_held(struct reader *r, void *note, const char *in)
{
	struct type_note *t = note;

	read_member(r, t, in, false, &t->held, &t->nr_held);
}

static const struct word type_words[] = {
	{ "object", word_object }, { "embedded", word_embedded },
	{ "header=", word_header }, { "take=", word_take },
	{ "give=", word_give }, { "drop=", word_drop },
	{ "sound(", word_sound }, { "cb(", word_cb }, { "held(", word_held }, {}
};

void read_type(struct reader *r)
{
	const char *name = r->word[1];
	struct type_note *t = note_type(r->n, name);
	struct mtype *mt = kernel_find(r->k, MK_STRUCT, name);
	u32 i;

	if (read_missing(r, mt, "type: struct", name))
		return;
	if (t)
		read_duplicate(r, name, t->where);
	r->n->type = xgrow(r->n->type, r->n->nr_type, sizeof(*t));
	t = &r->n->type[r->n->nr_type++];
	t->name = name;
	t->where = r->where;
	t->type = mt;
	t->optional = r->optional;
	for (i = 2; i < r->nr; i++) {
		if (!read_word(r, type_words, t, r->word[i]))
			die_at(r->where, "unknown word '%s'", r->word[i]);
	}
	if (!t->take != !t->give)
		die_at(r->where, "take= and give= belong together");
}

/* token NAME: something that is held of an object, without memory. */
void read_token(struct reader *r)
{
	const char *name = r->word[1];
	struct type_note *t = note_type(r->n, name);

	if (t)
		read_duplicate(r, name, t->where);
	if (r->nr != 2)
		die_at(r->where, "token NAME expected");
	r->n->type = xgrow(r->n->type, r->n->nr_type, sizeof(*t));
	t = &r->n->type[r->n->nr_type++];
	t->name = name;
	t->where = r->where;
}

/* The type and the member that a line begins with; NULL if the line is left out. */
static struct type_note *read_path(struct reader *r, const char **member)
{
	char *path = strchr(r->word[1], '.');
	struct type_note *t;

	if (!path)
		die_at(r->where, "type.member expected, not '%s'", r->word[1]);
	*path++ = 0;
	*member = path;
	t = note_type(r->n, r->word[1]);
	if (read_missing(r, t && t->type, "type (no type line)", r->word[1]))
		return NULL;
	return t;
}

/* The members that a line names; @nr words of it, the last may be bits=mask. */
static struct type_note *read_fields(struct reader *r, u32 nr, bool shadow, const char **path)
{
	struct type_note *t = read_path(r, path);
	struct member m;
	u64 bits = ~0ULL;
	const char *in;
	u32 i;

	if (!t)
		return NULL;
	in = read_after(r->word[nr - 1], "bits=");
	if (in) {
		bits = (u64)read_number(r, in);
		nr--;
	}
	for (i = 1; i < nr; i++) {
		const char *p = i == 1 ? *path : r->word[i];

		if (read_missing(r, type_member(t->type, p, &m),
				 xfmt("member of struct %s:", t->name), p))
			continue;
		field_add(t, p, bits, shadow, r->where);
	}
	return t;
}

/* inplace type.path [path ...] [bits=mask] */
void read_inplace(struct reader *r)
{
	const char *path;

	read_fields(r, r->nr, false, &path);
}

static bool is_rule(const char *w)
{
	return !strcmp(w, "constant") || !strcmp(w, "held") || !strcmp(w, "string") ||
	       read_inside(w, "valid");
}

static void rule_valid(struct reader *r, struct type_note *t, struct rule *rule, const char *in)
{
	struct param p[] = { obj_param(t, "obj"), obj_param(t, "old") };
	struct scope s = { .p = p, .nr = 2 };
	const char *why;

	rule->valid = read_check_of(r, in);
	why = expr_check(rule->valid.e, &s);
	if (why)
		die_at(r->where, "valid(%s): %s", in, why);
}

static void rule_pointer(struct reader *r, struct rule *rule, struct mtype *type)
{
	const char *word = r->word[2];
	u32 size = type_is_ptr(type) ? type_size(type_target(type)) : 0;

	rule->string = !strcmp(word, "string");
	if (rule->string ? size != 1 : !size)
		die_at(r->where, "%s is no pointer to %s", rule->path,
		       rule->string ? "characters" : *word == 'h' ? "an object" : "a table");
	if (!strcmp(word, "held"))
		rule->target = type_target(type);
	else if (!rule->string)
		rule->table = size;
}

/* The third and last word, as is_rule() knows it. */
static void add_rule(struct reader *r, struct type_note *t, const char *path)
{
	const char *in = read_inside(r->word[2], "valid");
	struct rule rule = { .path = path, .where = r->where };
	struct member m;

	if (!type_member(t->type, path, &m))
		return;
	if (m.bit_size || m.bit_off % 8)
		die_at(r->where, "%s is a bitfield", path);
	rule.off = m.bit_off / 8;
	rule.len = type_size(m.type);
	if (in)
		rule_valid(r, t, &rule, in);
	else
		rule_pointer(r, &rule, m.type);
	t->rule = xgrow(t->rule, t->nr_rule, sizeof(*t->rule));
	t->rule[t->nr_rule++] = rule;
}

/* shadow type.path [path ...] [bits=mask], or type.path and a rule */
void read_shadow(struct reader *r)
{
	bool ruled = is_rule(r->word[r->nr - 1]);
	const char *path;
	struct type_note *t;

	if (ruled && r->nr != 3)
		die_at(r->where, "one type.member and one rule expected");
	t = read_fields(r, ruled ? 2 : r->nr, true, &path);
	if (t && ruled)
		add_rule(r, t, path);
}

/* lent type.path and a rule */
void read_lent(struct reader *r)
{
	const char *path;
	struct type_note *t;
	struct member m;

	if (r->nr != 3 || !is_rule(r->word[2]))
		die_at(r->where, "one type.member and one rule expected");
	t = read_path(r, &path);
	if (t && !read_missing(r, type_member(t->type, path, &m),
			       xfmt("member of struct %s:", t->name), path))
		add_rule(r, t, path);
}
