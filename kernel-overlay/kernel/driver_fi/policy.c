// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which drivers are to be isolated and how: parses and remembers it.
 *
 *   drivers := driver { ";" driver }
 *   driver  := name [ ":" option { "," option } ]
 *   option  := mode | "restart=" limit | "backoff=" milliseconds | "checks=" checks |
 *	       "deny=" denial
 *   mode    := "off" | "pt" | "dbi" | "full"		first option only; pt
 *   limit   := "always" | "never" | count [ "/" number [ "s" | "m" | "h" ] ]
 *   checks  := "none" | "byte" | "segment" | "sandbox"
 *   denial  := "fail" | "skip"				modes dbi and full; fail
 *
 * A driver whose text is wrong is remembered as refused: it must not be loaded
 * without the protection that was asked for. A leaf; no allocation, since the
 * command line is parsed before there is any.
 */
#define pr_fmt(fmt) "driver_fi: " fmt

#include <linux/ctype.h>
#include <linux/kstrtox.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "policy.h"

#define DEFAULT_RESTARTS	5
#define DEFAULT_WINDOW		60
#define DEFAULT_BACKOFF_MS	100
#define MAX_BACKOFF_MS		10000
#define MAX_RESTARTS		1000000
#define MAX_WINDOW		(365 * 86400)

static const char * const mode_names[] = {
	[FI_MODE_OFF]	= "off",
	[FI_MODE_PT]	= "pt",
	[FI_MODE_DBI]	= "dbi",
	[FI_MODE_FULL]	= "full",
};

static const char * const checks_names[] = {
	[FI_CHECKS_NONE]	= "none",
	[FI_CHECKS_BYTE]	= "byte",
	[FI_CHECKS_SEGMENT]	= "segment",
	[FI_CHECKS_SANDBOX]	= "sandbox",
};

static const char * const deny_names[] = {
	[FI_DENY_FAIL]	= "fail",
	[FI_DENY_SKIP]	= "skip",
};

/* Written by the boot CPU before it starts others, then under the lock. */
static struct fi_policy_table table;
static DEFINE_SPINLOCK(table_lock);
static bool armed __ro_after_init;

const char *fi_mode_name(enum fi_mode mode)
{
	return mode < ARRAY_SIZE(mode_names) ? mode_names[mode] : "?";
}

/* A piece of the text being parsed; not terminated. */
struct piece {
	const char *s;
	int len;
};

static struct piece trim(struct piece p)
{
	while (p.len && isspace(*p.s)) {
		p.s++;
		p.len--;
	}
	while (p.len && isspace(p.s[p.len - 1]))
		p.len--;
	return p;
}

/* Cuts the text before the first @sep off @rest. False if there was no more. */
static bool next_piece(struct piece *rest, char sep, struct piece *out)
{
	const char *end;

	if (!rest->s)
		return false;
	end = memchr(rest->s, sep, rest->len);
	out->s = rest->s;
	out->len = end ? end - rest->s : rest->len;
	*out = trim(*out);
	rest->len -= end ? end + 1 - rest->s : rest->len;
	rest->s = end ? end + 1 : NULL;
	return true;
}

static bool piece_is(struct piece p, const char *s)
{
	return strlen(s) == p.len && !memcmp(p.s, s, p.len);
}

static bool piece_skip(struct piece *p, const char *prefix)
{
	size_t n = strlen(prefix);

	if (p->len < n || memcmp(p->s, prefix, n))
		return false;
	p->s += n;
	p->len -= n;
	return true;
}

static int piece_lookup(struct piece p, const char * const *names, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		if (piece_is(p, names[i]))
			return i;
	return -1;
}

static bool piece_u32(struct piece p, u32 max, u32 *val)
{
	char buf[12];

	if (!p.len || p.len >= sizeof(buf) || !isdigit(*p.s))
		return false;
	memcpy(buf, p.s, p.len);
	buf[p.len] = '\0';
	return !kstrtou32(buf, 10, val) && *val <= max;
}

static bool parse_seconds(struct piece p, u32 *seconds)
{
	u32 unit = 1;

	if (!p.len)
		return false;
	switch (p.s[p.len - 1]) {
	case 'h':
		unit = 3600;
		break;
	case 'm':
		unit = 60;
		break;
	case 's':
		break;
	default:
		p.len++;	/* no unit: seconds */
	}
	p.len--;
	if (!piece_u32(p, MAX_WINDOW / unit, seconds) || !*seconds)
		return false;
	*seconds *= unit;
	return true;
}

static bool parse_restart(struct fi_policy *p, struct piece val)
{
	struct piece count, window = val;

	p->restart_always = piece_is(val, "always");
	p->restart_max = 0;
	p->restart_window = DEFAULT_WINDOW;
	if (p->restart_always || piece_is(val, "never"))
		return true;
	next_piece(&window, '/', &count);
	if (!piece_u32(count, MAX_RESTARTS, &p->restart_max))
		return false;
	return !window.s || parse_seconds(trim(window), &p->restart_window);
}

static bool translates(enum fi_mode mode)
{
	return mode == FI_MODE_DBI || mode == FI_MODE_FULL;
}

static bool mode_here(enum fi_mode mode)
{
	return !translates(mode) || IS_ENABLED(CONFIG_DRIVER_FI_DBI);
}

static int parse_mode(struct fi_policy *p, struct piece opt, char *err)
{
	int mode = piece_lookup(opt, mode_names, ARRAY_SIZE(mode_names));

	if (mode < 0) {
		scnprintf(err, FI_POLICY_ERR, "unknown mode '%.*s'",
			  opt.len, opt.s);
		p->refused = "unknown mode";
		return -EINVAL;
	}
	p->mode = mode;
	p->checks = translates(mode) ? FI_CHECKS_BYTE : FI_CHECKS_NONE;
	if (mode_here(mode))
		return 0;
	scnprintf(err, FI_POLICY_ERR, "mode '%s' is not in this kernel, which has: pt, off",
		  mode_names[mode]);
	p->refused = "mode is not in this kernel";
	return -EOPNOTSUPP;
}

static int parse_option(struct fi_policy *p, struct piece opt, char *err)
{
	struct piece val = opt;
	int checks, deny;

	if (piece_skip(&val, "restart=")) {
		if (parse_restart(p, trim(val)))
			return 0;
		scnprintf(err, FI_POLICY_ERR, "bad number in '%.*s'",
			  opt.len, opt.s);
		p->refused = "bad number in restart=";
		return -EINVAL;
	}
	if (piece_skip(&val, "backoff=")) {
		if (piece_u32(trim(val), MAX_BACKOFF_MS, &p->backoff_ms))
			return 0;
		scnprintf(err, FI_POLICY_ERR, "bad number in '%.*s'", opt.len, opt.s);
		p->refused = "bad number in backoff=";
		return -EINVAL;
	}
	if (piece_skip(&val, "checks=")) {
		checks = piece_lookup(trim(val), checks_names,
				      ARRAY_SIZE(checks_names));
		if (checks >= 0) {
			p->checks = checks;
			return 0;
		}
	}
	if (piece_skip(&val, "deny=")) {
		deny = piece_lookup(trim(val), deny_names, ARRAY_SIZE(deny_names));
		if (deny >= 0) {
			p->deny = deny;
			return 0;
		}
	}
	scnprintf(err, FI_POLICY_ERR, "unknown option '%.*s'", opt.len, opt.s);
	p->refused = "unknown option";
	return -EINVAL;
}

static int parse_name(struct fi_policy *p, struct piece name, char *err)
{
	int i;

	if (!name.len || name.len >= sizeof(p->name))
		goto bad;
	for (i = 0; i < name.len; i++) {
		char c = name.s[i];

		if (!isalnum(c) && c != '-' && c != '_')
			goto bad;
		p->name[i] = c == '-' ? '_' : c;
	}
	p->name[name.len] = '\0';
	return 0;
bad:
	p->name[0] = '\0';
	p->refused = "bad driver name";
	scnprintf(err, FI_POLICY_ERR,
		  "bad driver name '%.*s' (drivers are separated by ';')",
		  min(name.len, 32), name.s);
	return -EINVAL;
}

static int parse_options(struct fi_policy *p, struct piece rest, char *err)
{
	bool first = true;
	struct piece opt;
	int ret = 0, one;

	for (; next_piece(&rest, ',', &opt); first = false) {
		if (first && !memchr(opt.s, '=', opt.len))
			one = parse_mode(p, opt, err);
		else
			one = parse_option(p, opt, err);
		if (one == -EINVAL)
			return one;
		if (one)
			ret = one;
	}
	if (p->checks && (p->mode == FI_MODE_PT || p->mode == FI_MODE_OFF)) {
		scnprintf(err, FI_POLICY_ERR,
			  "checks=%s needs mode dbi or full",
			  checks_names[p->checks]);
		p->refused = "checks= needs mode dbi or full";
		ret = -EINVAL;
	}
	if (p->deny && !translates(p->mode)) {
		scnprintf(err, FI_POLICY_ERR, "deny=%s needs mode dbi or full",
			  deny_names[p->deny]);
		p->refused = "deny= needs mode dbi or full";
		ret = -EINVAL;
	}
	if (p->mode == FI_MODE_DBI && p->checks == FI_CHECKS_NONE) {
		scnprintf(err, FI_POLICY_ERR,
			  "mode dbi has nothing but checks; not with checks=none");
		p->refused = "mode dbi with checks=none";
		ret = -EINVAL;
	}
	if (!ret && p->checks > FI_CHECKS_BYTE) {
		scnprintf(err, FI_POLICY_ERR,
			  "checks=%s is not in this kernel, which has: none, byte",
			  checks_names[p->checks]);
		p->refused = "checks= names what is not in this kernel";
		ret = -EOPNOTSUPP;
	}
	return ret;
}

/**
 * fi_policy_parse_one - parse what is asked for one driver
 * @s: text, "name:mode,option,..."
 * @len: its length in bytes
 * @p: filled; on error as far as understood, with @p->refused set
 * @err: FI_POLICY_ERR bytes that get the message for people on error
 *
 * Return: 0, -EINVAL, or -EOPNOTSUPP for a mode that this kernel lacks. When
 * not even the name could be read, @p->name is empty.
 */
int fi_policy_parse_one(const char *s, size_t len, struct fi_policy *p,
			char *err)
{
	struct piece rest = { s, len }, name;
	int ret;

	*p = (struct fi_policy) {
		.mode = FI_MODE_PT,
		.restart_max = DEFAULT_RESTARTS,
		.restart_window = DEFAULT_WINDOW,
		.backoff_ms = DEFAULT_BACKOFF_MS,
	};
	next_piece(&rest, ':', &name);
	ret = parse_name(p, name, err);
	if (ret)
		return ret;
	return parse_options(p, rest, err);
}

const struct fi_policy *fi_policy_table_find(const struct fi_policy_table *t,
					     const char *name)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (!strcmp(t->entry[i].name, name))
			return &t->entry[i];
	return NULL;
}

/* Enters @p, in place of an entry of that name if there is one. */
static int table_enter(struct fi_policy_table *t, const struct fi_policy *p)
{
	struct fi_policy *old = (void *)fi_policy_table_find(t, p->name);

	if (!old) {
		if (t->nr == ARRAY_SIZE(t->entry))
			return -ENOSPC;
		old = &t->entry[t->nr++];
	}
	*old = *p;
	return 0;
}

/**
 * fi_policy_table_parse - parse a whole driver_fi= string
 * @t: entries are added, or replace those of the same name
 * @arg: the string
 *
 * Each mistake is one message, and that driver is refused; the others stand.
 * Return: number of mistakes.
 */
int fi_policy_table_parse(struct fi_policy_table *t, const char *arg)
{
	struct piece rest = { arg, strlen(arg) }, one;
	char err[FI_POLICY_ERR];
	struct fi_policy p;
	int bad = 0;

	while (next_piece(&rest, ';', &one)) {
		if (!one.len)
			continue;
		if (fi_policy_parse_one(one.s, one.len, &p, err)) {
			bad++;
			pr_err("%s%s%s%s\n", p.name, *p.name ? ": " : "", err,
			       *p.name ? "; the driver is refused" : "; ignored");
		}
		if (*p.name && table_enter(t, &p)) {
			bad++;
			pr_err("%s: more than %d drivers; not isolated\n",
			       p.name, FI_MAX_DOMAINS);
		}
	}
	return bad;
}

/**
 * fi_policy_parse - take in a driver_fi= string of the command line
 * @arg: its value, may be empty
 *
 * Arms fault isolation even when @arg names no driver. Context: early boot,
 * no allocation.
 * Return: number of mistakes, which have been reported.
 */
int fi_policy_parse(const char *arg)
{
	armed = true;
	return fi_policy_table_parse(&table, arg);
}

/**
 * fi_policy_set - change the policy for one driver, from its next load on
 * @one: "name:mode,option,..."
 *
 * Return: 0, or -EPERM when fault isolation was not armed at boot, -EINVAL,
 * -EOPNOTSUPP for a mode this kernel lacks, -ENOSPC; nothing has changed then
 * and the reason has been printed.
 */
int fi_policy_set(const char *one)
{
	char err[FI_POLICY_ERR];
	struct fi_policy p;
	int ret;

	if (!armed) {
		pr_err("not armed: boot with driver_fi= on the command line; an empty value is enough\n");
		return -EPERM;
	}
	ret = fi_policy_parse_one(one, strlen(one), &p, err);
	if (ret) {
		pr_err("%s%s%s; policy not changed\n", p.name,
		       *p.name ? ": " : "", err);
		return ret;
	}
	spin_lock(&table_lock);
	ret = table_enter(&table, &p);
	spin_unlock(&table_lock);
	if (ret)
		pr_err("%s: more than %d drivers; policy not changed\n",
		       p.name, FI_MAX_DOMAINS);
	return ret;
}

bool fi_policy_find(const char *name, struct fi_policy *out)
{
	const struct fi_policy *p;

	spin_lock(&table_lock);
	p = fi_policy_table_find(&table, name);
	if (p)
		*out = *p;
	spin_unlock(&table_lock);
	return p;
}

bool fi_policy_armed(void)
{
	return armed;
}

bool fi_policy_fixed_layout(void)
{
	unsigned int i;

	for (i = 0; i < table.nr; i++) {
		if (translates(table.entry[i].mode))
			return true;
	}
	return false;
}

/**
 * fi_policy_print_one - a policy in the words of the command line
 * @p: the policy
 * @buf: where to
 * @size: of @buf in bytes
 *
 * "e1000:pt,restart=5/60s"; a refused one is followed by " refused: <why>".
 * Return: length.
 */
ssize_t fi_policy_print_one(const struct fi_policy *p, char *buf, size_t size)
{
	ssize_t n;

	n = scnprintf(buf, size, "%s:%s", p->name, fi_mode_name(p->mode));
	if (p->restart_always)
		n += scnprintf(buf + n, size - n, ",restart=always");
	else if (!p->restart_max)
		n += scnprintf(buf + n, size - n, ",restart=never");
	else
		n += scnprintf(buf + n, size - n, ",restart=%u/%us",
			       p->restart_max, p->restart_window);
	if (p->backoff_ms != DEFAULT_BACKOFF_MS)
		n += scnprintf(buf + n, size - n, ",backoff=%u", p->backoff_ms);
	if (translates(p->mode))
		n += scnprintf(buf + n, size - n, ",checks=%s",
			       checks_names[p->checks]);
	if (p->deny)
		n += scnprintf(buf + n, size - n, ",deny=%s", deny_names[p->deny]);
	if (p->refused)
		n += scnprintf(buf + n, size - n, " refused: %s", p->refused);
	return n;
}

ssize_t fi_policy_print(char *buf, size_t size)
{
	unsigned int i;
	ssize_t n = 0;

	spin_lock(&table_lock);
	for (i = 0; i < table.nr; i++) {
		n += fi_policy_print_one(&table.entry[i], buf + n, size - n);
		n += scnprintf(buf + n, size - n, "\n");
	}
	spin_unlock(&table_lock);
	return n;
}
