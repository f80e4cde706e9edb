// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: reads annotation files and checks each name against BTF.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "load.h"
#include "util.h"

struct reader {
	struct notes *n;
	const struct kernel *k;
	struct where where;
	char **word;
	u32 nr;
	bool optional;
};

/* --- look-up ------------------------------------------------------------- */

#define NOTE_FIND(what, field, nr)					\
struct what##_note *note_##field(struct notes *n, const char *name)	\
{									\
	u32 i;								\
									\
	for (i = 0; i < n->nr; i++) {					\
		if (!strcmp(n->what[i].name, name))			\
			return &n->what[i];				\
	}								\
	return NULL;							\
}

NOTE_FIND(func, func, nr_func)
NOTE_FIND(type, type, nr_type)
NOTE_FIND(slot, slot, nr_slot)
NOTE_FIND(obj, object, nr_obj)

/* --- words --------------------------------------------------------------- */

/* Splits at spaces outside brackets and quotes. A # outside them ends it. */
static void split(struct reader *r, char *line)
{
	int depth = 0;
	bool quote = false;
	char *c = line, *start = NULL;

	r->nr = 0;
	r->word = NULL;
	for (;; c++) {
		bool end = !*c || (!quote && *c == '#');

		if (end || (isspace((unsigned char)*c) && !depth && !quote)) {
			if (start) {
				r->word = xgrow(r->word, r->nr, sizeof(*r->word));
				r->word[r->nr++] = xfmt("%.*s", (int)(c - start), start);
				start = NULL;
			}
			if (end)
				break;
			continue;
		}
		if (!start)
			start = c;
		if (*c == '"')
			quote = !quote;
		if (!quote && (*c == '(' || *c == '['))
			depth++;
		if (!quote && (*c == ')' || *c == ']'))
			depth--;
	}
	if (depth || quote)
		die_at(r->where, "unbalanced brackets or quotes");
}

/* The inside of "word(inside)", or NULL. */
static const char *inside(const char *w, const char *word)
{
	size_t n = strlen(word), len = strlen(w);

	if (strncmp(w, word, n) || w[n] != '(' || w[len - 1] != ')')
		return NULL;
	return xfmt("%.*s", (int)(len - n - 2), w + n + 1);
}

static const char *after(const char *w, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(w, prefix, n) ? NULL : w + n;
}

static s64 number(struct reader *r, const char *s)
{
	char *end;
	s64 v = strtoll(s, &end, 0);

	if (!*s || *end)
		die_at(r->where, "'%s' is not a number", s);
	return v;
}

static void duplicate(struct reader *r, const char *name, struct where w)
{
	die_at(r->where, "'%s' was annotated before, at %s:%u", name, w.file, w.line);
}

/* True if the line is to be left out: the name is missing and may be. */
static bool missing(struct reader *r, bool found, const char *what, const char *name)
{
	if (found)
		return false;
	if (!r->optional)
		die_at(r->where, "unknown %s '%s'", what, name);
	return true;
}

/* name=spec; the name must be one of the prototype's, or "ret". */
static bool spec_word(struct reader *r, const char *w, struct mtype *proto,
		      struct spec **spec, u32 *nr)
{
	const char *eq = strchr(w, '=');
	const char *param;
	u32 i;

	if (!eq)
		return false;
	param = xfmt("%.*s", (int)(eq - w), w);
	for (i = 0; i < *nr; i++) {
		if (!strcmp((*spec)[i].param, param))
			die_at(r->where, "'%s' stands twice", param);
	}
	for (i = 0; proto && i < proto->nr; i++) {
		if (!strcmp(proto->memb[i].name, param))
			break;
	}
	if (strcmp(param, "ret") && (!proto || i == proto->nr))
		die_at(r->where, "no parameter '%s'", param);
	*spec = xgrow(*spec, *nr, sizeof(**spec));
	(*spec)[(*nr)++] = spec_parse(param, eq + 1, r->where);
	return true;
}

static struct check check_of(struct reader *r, const char *text)
{
	return (struct check){ expr_parse(text, r->where), text };
}

/* --- func ---------------------------------------------------------------- */

/* Kinds of lock that the core can give back by themselves. */
static const char *lock_kind(struct reader *r, const char *kind)
{
	if (strcmp(kind, "RTNL"))
		die_at(r->where, "unknown kind of lock '%s'", kind);
	return kind;
}

static void func_word(struct reader *r, struct func_note *f, const char *w,
		      struct mtype *proto)
{
	static const struct { const char *word; enum func_class class; } class[] = {
		{ "manual", FC_MANUAL }, { "lib", FC_LIB },
		{ "plain", FC_PLAIN }, { "pointer", FC_POINTER },
	};
	const char *in;
	u32 i;

	for (i = 0; i < sizeof(class) / sizeof(*class); i++) {
		if (!strcmp(w, class[i].word)) {
			f->class = class[i].class;
			return;
		}
	}
	if (!strcmp(w, "sleep")) {
		f->sleep = true;
	} else if (!strcmp(w, "atomic")) {
		f->sleep = false;
	} else if ((in = after(w, "free="))) {
		if (!kernel_exports(r->k, in))
			die_at(r->where, "free=%s is not an exported function", in);
		f->free = in;
	} else if ((in = inside(w, "printf"))) {
		f->printf_arg = (int)number(r, in);
	} else if ((in = inside(w, "lock"))) {
		f->lock = lock_kind(r, in);
	} else if ((in = inside(w, "unlock"))) {
		f->unlock = lock_kind(r, in);
	} else if ((in = inside(w, "fatal"))) {
		f->fatal = in;
	} else if ((in = inside(w, "check"))) {
		f->check = xgrow(f->check, f->nr_check, sizeof(*f->check));
		f->check[f->nr_check++] = check_of(r, in);
	} else if ((in = inside(w, "keep"))) {
		f->keep = check_of(r, in);
	} else if (!spec_word(r, w, proto, &f->spec, &f->nr_spec)) {
		die_at(r->where, "unknown word '%s'", w);
	}
}

static void read_func(struct reader *r)
{
	const char *name = r->word[1];
	struct mtype *fn = kernel_find(r->k, MK_FUNC, name);
	struct func_note *f, *old = note_func(r->n, name);
	u32 i;

	if (missing(r, fn || kernel_has_symbol(r->k, name), "function", name))
		return;
	if (old)
		duplicate(r, name, old->where);
	r->n->func = xgrow(r->n->func, r->n->nr_func, sizeof(*f));
	f = &r->n->func[r->n->nr_func++];
	f->name = name;
	f->where = r->where;
	f->printf_arg = -1;
	f->optional = r->optional;
	for (i = 2; i < r->nr; i++)
		func_word(r, f, r->word[i], fn ? fn->ref : NULL);
}

/* --- type, inplace ------------------------------------------------------- */

/* drop=function(obj,2) */
static void read_drop(struct reader *r, struct type_note *t, const char *w)
{
	size_t n = strcspn(w, "(");
	const char *in = inside(w, xfmt("%.*s", (int)n, w));
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
		t->drop_arg[t->nr_drop_arg++] = number(r, arg);
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
static void read_sound(struct reader *r, struct type_note *t, const char *text)
{
	struct check c = check_of(r, text);
	struct param obj = obj_param(t);
	struct scope s = { .p = &obj, .nr = 1 };
	const char *why = expr_check(c.e, &s);

	if (why)
		die_at(r->where, "sound(%s): %s", text, why);
	t->sound = xgrow(t->sound, t->nr_sound, sizeof(*t->sound));
	t->sound[t->nr_sound++] = c;
}

static void type_word(struct reader *r, struct type_note *t, const char *w)
{
	const char *in;

	if (!strcmp(w, "object"))
		t->object = true;
	else if (!strcmp(w, "embedded"))
		t->embedded = true;
	else if ((in = after(w, "header=")))
		t->header = in;
	else if ((in = after(w, "take=")))
		t->take = in;
	else if ((in = after(w, "give=")))
		t->give = in;
	else if ((in = after(w, "drop=")))
		read_drop(r, t, in);
	else if ((in = inside(w, "sound")))
		read_sound(r, t, in);
	else if ((in = inside(w, "cb")))
		read_member(r, t, in, true, &t->cb, &t->nr_cb);
	else if ((in = inside(w, "held")))
		read_member(r, t, in, false, &t->held, &t->nr_held);
	else
		die_at(r->where, "unknown word '%s'", w);
}

static void read_type(struct reader *r)
{
	const char *name = r->word[1];
	struct type_note *t = note_type(r->n, name);
	struct mtype *mt = kernel_find(r->k, MK_STRUCT, name);
	u32 i;

	if (missing(r, mt, "type: struct", name))
		return;
	if (t)
		duplicate(r, name, t->where);
	r->n->type = xgrow(r->n->type, r->n->nr_type, sizeof(*t));
	t = &r->n->type[r->n->nr_type++];
	t->name = name;
	t->where = r->where;
	t->type = mt;
	t->optional = r->optional;
	for (i = 2; i < r->nr; i++)
		type_word(r, t, r->word[i]);
	if (!t->take != !t->give)
		die_at(r->where, "take= and give= belong together");
}

/* token NAME: something that is held of an object, without memory. */
static void read_token(struct reader *r)
{
	const char *name = r->word[1];
	struct type_note *t = note_type(r->n, name);

	if (t)
		duplicate(r, name, t->where);
	if (r->nr != 2)
		die_at(r->where, "token NAME expected");
	r->n->type = xgrow(r->n->type, r->n->nr_type, sizeof(*t));
	t = &r->n->type[r->n->nr_type++];
	t->name = name;
	t->where = r->where;
}

/* inplace type.path [path ...] [bits=mask] */
static void read_inplace(struct reader *r)
{
	char *path = strchr(r->word[1], '.');
	struct type_note *t;
	struct member m;
	u64 bits = ~0ULL;
	u32 i, nr = r->nr;
	const char *in;

	if (!path)
		die_at(r->where, "type.member expected, not '%s'", r->word[1]);
	*path++ = 0;
	t = note_type(r->n, r->word[1]);
	if (missing(r, t && t->type, "type (no type line)", r->word[1]))
		return;
	in = after(r->word[nr - 1], "bits=");
	if (in) {
		bits = (u64)number(r, in);
		nr--;
	}
	for (i = 1; i < nr; i++) {
		const char *p = i == 1 ? path : r->word[i];

		if (missing(r, type_member(t->type, p, &m),
			    xfmt("member of struct %s:", t->name), p))
			continue;
		field_add(t, p, bits, r->where);
	}
}

/* --- slot, object -------------------------------------------------------- */

struct mtype *slot_proto(const struct kernel *k, const char *name)
{
	const char *dot = strchr(name, '.');
	struct member m;
	struct mtype *t;

	if (!dot)
		return NULL;
	t = kernel_find(k, MK_STRUCT, xfmt("%.*s", (int)(dot - name), name));
	if (!t || !type_member(t, dot + 1, &m) || !type_is_ptr(m.type))
		return NULL;
	t = type_target(m.type);
	return t->kind == MK_PROTO ? t : NULL;
}

/*
 * "struct.member(dev,skb)": pointers to functions have no parameter names in
 * BTF, so the annotation gives them.
 */
static struct mtype *slot_names(struct reader *r, struct mtype *proto, char *names)
{
	struct mtype *t = xcalloc(1, sizeof(*t));
	char *save = NULL, *name = strtok_r(names, ",", &save);
	u32 i = 0;

	*t = *proto;
	t->memb = xcalloc(t->nr, sizeof(*t->memb));
	for (; name; name = strtok_r(NULL, ",", &save), i++) {
		if (i == t->nr)
			die_at(r->where, "the slot has %u parameters only", t->nr);
		t->memb[i] = proto->memb[i];
		t->memb[i].name = name;
	}
	if (i != t->nr)
		die_at(r->where, "the slot has %u parameters, not %u", t->nr, i);
	return t;
}

static void slot_word(struct reader *r, struct slot_note *s, const char *w,
		      struct mtype *proto)
{
	const char *in;

	if (!strcmp(w, "manual")) {
		s->manual = true;
	} else if (!strcmp(w, "atomic") || !strcmp(w, "sleep")) {
		;		/* for readers */
	} else if ((in = after(w, "as="))) {
		s->as = in;
	} else if ((in = after(w, "errval="))) {
		s->has_errval = true;
		s->errval = number(r, in);
	} else if ((in = inside(w, "down"))) {
		s->down = expr_parse(in, r->where);
	} else if (!spec_word(r, w, proto, &s->spec, &s->nr_spec)) {
		die_at(r->where, "unknown word '%s'", w);
	}
}

static void read_slot(struct reader *r)
{
	const char *name = xfmt("%.*s", (int)strcspn(r->word[1], "("), r->word[1]);
	const char *names = inside(r->word[1], name);
	struct slot_note *s = note_slot(r->n, name);
	struct mtype *proto = slot_proto(r->k, name);
	u32 i;

	/* A name without a dot is a manual slot that no struct holds. */
	if (missing(r, proto || !strchr(name, '.'), "slot", name))
		return;
	if (s)
		duplicate(r, name, s->where);
	if (names && proto)
		proto = slot_names(r, proto, xfmt("%s", names));
	r->n->slot = xgrow(r->n->slot, r->n->nr_slot, sizeof(*s));
	s = &r->n->slot[r->n->nr_slot++];
	s->name = name;
	s->where = r->where;
	s->optional = r->optional;
	s->proto = names ? proto : NULL;
	for (i = 2; i < r->nr; i++)
		slot_word(r, s, r->word[i], proto);
	if (!proto && !s->manual)
		die_at(r->where, "slot '%s' stands in no struct: must be manual", name);
}

static void read_object(struct reader *r)
{
	struct obj_note *o;

	if (r->nr != 3)
		die_at(r->where, "object NAME TYPE expected");
	if (missing(r, kernel_find(r->k, MK_STRUCT, r->word[2]), "type: struct",
		    r->word[2]))
		return;
	r->n->obj = xgrow(r->n->obj, r->n->nr_obj, sizeof(*o));
	o = &r->n->obj[r->n->nr_obj++];
	o->name = r->word[1];
	o->type = r->word[2];
	o->where = r->where;
}

/* --- files --------------------------------------------------------------- */

static void read_line(struct reader *r)
{
	static const struct { const char *word; void (*fn)(struct reader *r); } lines[] = {
		{ "func", read_func }, { "type", read_type },
		{ "inplace", read_inplace }, { "slot", read_slot },
		{ "object", read_object }, { "token", read_token },
	};
	char *w = r->word[0];
	size_t len = strlen(w);
	u32 i;

	r->optional = w[len - 1] == '?';
	if (r->optional)
		w[len - 1] = 0;
	if (r->nr < 2)
		die_at(r->where, "a name must follow '%s'", w);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (!strcmp(w, lines[i].word)) {
			lines[i].fn(r);
			return;
		}
	}
	die_at(r->where, "unknown line '%s'", w);
}

void notes_read(struct notes *n, const struct kernel *k, const char *path)
{
	struct reader r = { .n = n, .k = k, .where = { path, 0 } };
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		die("%s: cannot open", path);
	while (getline(&line, &size, f) > 0) {
		r.where.line++;
		split(&r, line);
		if (r.nr)
			read_line(&r);
	}
	free(line);
	fclose(f);
}

void notes_finish(struct notes *n)
{
	u32 i;

	for (i = 0; i < n->nr_type; i++)
		fields_merge(&n->type[i]);
}
