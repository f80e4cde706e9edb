// SPDX-License-Identifier: GPL-2.0-only
/*
 * Annotate: what a parameter is, "out[count*2]", "held(net_device)?".
 */
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "expr.h"
#include "util.h"

enum tail { T_NONE, T_NAME, T_LEN };

static const struct {
	const char *word;
	enum spec_kind kind;
	enum tail tail;		/* what may follow */
} words[] = {
	{ "value",	SP_VALUE,	T_NONE },
	{ "held",	SP_HELD,	T_NAME },
	{ "within",	SP_WITHIN,	T_NAME },
	{ "release",	SP_RELEASE,	T_NAME },
	{ "transfer",	SP_RELEASE,	T_NAME },
	{ "retake",	SP_RETAKE,	T_NAME },
	{ "acquire",	SP_ACQUIRE,	T_NAME },
	{ "in",		SP_IN,		T_LEN },
	{ "out",	SP_OUT,		T_LEN },
	{ "inout",	SP_INOUT,	T_LEN },
	{ "string",	SP_STRING,	T_NONE },
	{ "iomem",	SP_IOMEM,	T_LEN },
	{ "embedded",	SP_EMBEDDED,	T_NAME },
	{ "user",	SP_USER,	T_LEN },
	{ "cb",		SP_CB,		T_NAME },
	{ "transfer-in", SP_TRANSFER_IN, T_NAME },
	{ "borrow",	SP_BORROW,	T_NAME },
	{ "lend",	SP_LEND,	T_LEN },
	{ "errno",	SP_ERRNO,	T_NONE },
};

/* "0:consumed,16:returned" */
static bool parse_consumed(struct spec *s, const char *text)
{
	char *end;

	s->lo = strtoll(text, &end, 0);
	if (end == text || strncmp(end, ":consumed,", 10))
		return false;
	text = end + 10;
	s->hi = strtoll(text, &end, 0);
	s->kind = SP_CONSUMED;
	return end != text && !strcmp(end, ":returned");
}

static void parse_tail(struct spec *s, enum tail want, char *tail, struct where w)
{
	size_t len = strlen(tail);
	bool name = want == T_NAME && *tail == '(' && tail[len - 1] == ')';
	bool size = want == T_LEN && *tail == '[' && tail[len - 1] == ']';

	if (!name && !size)
		die_at(w, "'%s' may not follow here", tail);
	tail[len - 1] = 0;
	tail++;
	if (name)
		s->arg = tail;
	else if (!strcmp(tail, "alloc"))
		s->alloc = true;
	else if (strcmp(tail, "sizeof"))
		s->len = expr_parse(tail, w);
}

struct spec spec_parse(const char *param, const char *text, struct where w)
{
	struct spec s = { .param = param };
	char *word = xfmt("%s", text), *tail;
	size_t len = strlen(word), n;
	u32 i;

	if (parse_consumed(&s, word))
		return s;
	if (len && word[len - 1] == '?') {
		s.nullable = true;
		word[len - 1] = 0;
	}
	if (!strncmp(word, "range(", 6)) {
		s.kind = SP_RANGE;
		s.lo = strtoll(word + 6, &tail, 0);
		if (*tail == ',')
			s.hi = strtoll(tail + 1, &tail, 0);
		if (strcmp(tail, ")"))
			die_at(w, "range(low,high) expected, not '%s'", text);
		return s;
	}
	n = strcspn(word, "([");
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i].word) != n || strncmp(word, words[i].word, n))
			continue;
		s.kind = words[i].kind;
		if (word[n])
			parse_tail(&s, words[i].tail, word + n, w);
		return s;
	}
	die_at(w, "unknown word '%s' for parameter '%s'", text, param);
}
