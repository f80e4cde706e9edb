// SPDX-License-Identifier: GPL-2.0-only
/*
 * ethctl IFACE [read|all|notso|stats]: the requests of ethtool and mii-tool, one line each
 * with the result, so that two runs can be compared by diff. Values that time
 * or traffic changes are not printed.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/mii.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"

static int fd;
static const char *iface;

static int ethtool(void *data)
{
	struct ifreq ifr = { .ifr_data = data };

	strncpy(ifr.ifr_name, iface, IFNAMSIZ - 1);
	return ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
}

/* Prints a name and "ok" or the error; returns whether it was ok. */
static int said(const char *what, int err)
{
	printf("%s %s", what, err ? strerror(-err) : "ok");
	if (err)
		putchar('\n');
	return !err;
}

static uint32_t hash(const void *p, size_t n)
{
	const unsigned char *c = p;
	uint32_t h = 2166136261u;

	while (n--)
		h = (h ^ *c++) * 16777619u;
	return h;
}

static void drvinfo(void)
{
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };

	if (said("drvinfo", ethtool(&d)))
		printf(" %s bus %s stats %u regs %u eeprom %u\n", d.driver,
		       d.bus_info, d.n_stats, d.regdump_len, d.eedump_len);
}

static void value(const char *what, uint32_t cmd)
{
	struct ethtool_value v = { .cmd = cmd };

	if (said(what, ethtool(&v)))
		printf(" %#x\n", v.data);
}

static void set_value(const char *what, uint32_t cmd, uint32_t val)
{
	struct ethtool_value v = { .cmd = cmd, .data = val };

	if (said(what, ethtool(&v)))
		putchar('\n');
}

static void link_settings(int set)
{
	struct {
		struct ethtool_link_settings s;
		uint32_t masks[3 * 127];
	} k = { .s.cmd = ETHTOOL_GLINKSETTINGS };
	int n;

	ethtool(&k);
	n = -k.s.link_mode_masks_nwords;
	memset(&k, 0, sizeof(k));
	k.s.cmd = ETHTOOL_GLINKSETTINGS;
	k.s.link_mode_masks_nwords = n;
	if (said("linksettings", ethtool(&k)))
		printf(" speed %u duplex %u port %u autoneg %u supported %#x advertised %#x\n",
		       k.s.speed, k.s.duplex, k.s.port, k.s.autoneg, k.masks[0], k.masks[n]);
	if (!set)
		return;
	k.s.cmd = ETHTOOL_SLINKSETTINGS;
	if (said("set-linksettings", ethtool(&k)))
		putchar('\n');
}

static void ring(int set)
{
	struct ethtool_ringparam r = { .cmd = ETHTOOL_GRINGPARAM };

	if (said("ring", ethtool(&r)))
		printf(" rx %u/%u tx %u/%u\n", r.rx_pending, r.rx_max_pending,
		       r.tx_pending, r.tx_max_pending);
	if (!set)
		return;
	r.cmd = ETHTOOL_SRINGPARAM;
	r.rx_pending = r.tx_pending = 128;
	if (said("set-ring", ethtool(&r)))
		putchar('\n');
	r.cmd = ETHTOOL_GRINGPARAM;
	if (said("ring", ethtool(&r)))
		printf(" rx %u tx %u\n", r.rx_pending, r.tx_pending);
	r.cmd = ETHTOOL_SRINGPARAM;
	r.rx_pending = r.tx_pending = 256;
	if (said("set-ring", ethtool(&r)))
		putchar('\n');
}

static void coalesce(int set)
{
	struct ethtool_coalesce c = { .cmd = ETHTOOL_GCOALESCE };
	uint32_t was;

	if (said("coalesce", ethtool(&c)))
		printf(" rx-usecs %u\n", c.rx_coalesce_usecs);
	if (!set)
		return;
	was = c.rx_coalesce_usecs;
	c.cmd = ETHTOOL_SCOALESCE;
	c.rx_coalesce_usecs = 30;
	if (said("set-coalesce", ethtool(&c)))
		putchar('\n');
	c.rx_coalesce_usecs = was;
	if (said("set-coalesce", ethtool(&c)))
		putchar('\n');
}

static void pause_frames(void)
{
	struct ethtool_pauseparam p = { .cmd = ETHTOOL_GPAUSEPARAM };

	if (said("pause", ethtool(&p)))
		printf(" autoneg %u rx %u tx %u\n", p.autoneg, p.rx_pause, p.tx_pause);
}

static void wol(void)
{
	struct ethtool_wolinfo w = { .cmd = ETHTOOL_GWOL };

	if (said("wol", ethtool(&w)))
		printf(" supported %#x on %#x\n", w.supported, w.wolopts);
}

static void strings_and_stats(void)
{
	static char mem[65536];
	struct ethtool_gstrings *g = (void *)mem;
	struct ethtool_stats *s = (void *)mem;
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };

	ethtool(&d);
	if (d.n_stats > 256)
		return;
	g->cmd = ETHTOOL_GSTRINGS;
	g->string_set = ETH_SS_STATS;
	g->len = d.n_stats;
	if (said("stat-names", ethtool(g)))
		printf(" %u hash %#x first %.32s\n", g->len,
		       hash(g->data, g->len * 32), (char *)g->data);
	memset(mem, 0, sizeof(mem));
	s->cmd = ETHTOOL_GSTATS;
	s->n_stats = d.n_stats;
	if (said("stats", ethtool(s)))
		printf(" %u packets %s\n", s->n_stats,
		       s->data[0] && s->data[1] ? "counted" : "none");
}

/* Every counter that is not 0. */
static void all_stats(void)
{
	static char names[65536], values[65536];
	struct ethtool_gstrings *g = (void *)names;
	struct ethtool_stats *s = (void *)values;
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };
	unsigned int i;

	ethtool(&d);
	if (d.n_stats > 256)
		return;
	g->cmd = ETHTOOL_GSTRINGS;
	g->string_set = ETH_SS_STATS;
	s->cmd = ETHTOOL_GSTATS;
	g->len = s->n_stats = d.n_stats;
	if (ethtool(g) || ethtool(s))
		return;
	for (i = 0; i < d.n_stats; i++)
		if (s->data[i])
			printf("%.32s %llu\n", (char *)g->data + i * 32, s->data[i]);
}

static void regs(void)
{
	static char mem[65536];
	struct ethtool_regs *r = (void *)mem;

	r->cmd = ETHTOOL_GREGS;
	r->len = 4096;
	if (said("regs", ethtool(r)))
		printf(" version %#x len %u\n", r->version, r->len);
}

static void eeprom(void)
{
	static char mem[4096];
	struct ethtool_eeprom *e = (void *)mem;

	e->cmd = ETHTOOL_GEEPROM;
	e->len = 64;
	if (said("eeprom", ethtool(e)))
		printf(" magic %#x hash %#x\n", e->magic, hash(e->data, 64));
}

static void self_test(void)
{
	static char mem[4096];
	struct ethtool_test *t = (void *)mem;

	t->cmd = ETHTOOL_TEST;
	t->flags = ETH_TEST_FL_OFFLINE;
	t->len = 5;
	if (said("test", ethtool(t)))
		printf(" %s %llu %llu %llu %llu %llu\n",
		       t->flags & ETH_TEST_FL_FAILED ? "failed" : "passed",
		       t->data[0], t->data[1], t->data[2], t->data[3], t->data[4]);
}

static void mii(void)
{
	struct ifreq ifr = { 0 };
	struct mii_ioctl_data *m = (void *)&ifr.ifr_data;
	int r;

	strncpy(ifr.ifr_name, iface, IFNAMSIZ - 1);
	if (said("mii-phy", ioctl(fd, SIOCGMIIPHY, &ifr) ? -errno : 0))
		printf(" %u\n", m->phy_id);
	for (r = MII_BMCR; r <= MII_PHYSID2; r++) {
		m->reg_num = r;
		if (said("mii-reg", ioctl(fd, SIOCGMIIREG, &ifr) ? -errno : 0))
			printf(" %d %#x\n", r, m->val_out);
	}
}

int ethctl_main(int argc, char **argv)
{
	int set = argc > 2 && !strcmp(argv[2], "all");

	if (argc < 2)
		return 2;
	iface = argv[1];
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (argc > 2 && !strcmp(argv[2], "stats")) {
		all_stats();
		return 0;
	}
	if (argc > 2 && !strcmp(argv[2], "notso")) {
		set_value("set-tso", ETHTOOL_STSO, 0);
		return 0;
	}
	drvinfo();
	value("link", ETHTOOL_GLINK);
	value("msglvl", ETHTOOL_GMSGLVL);
	value("rx-csum", ETHTOOL_GRXCSUM);
	value("tx-csum", ETHTOOL_GTXCSUM);
	value("sg", ETHTOOL_GSG);
	value("tso", ETHTOOL_GTSO);
	link_settings(set);
	ring(set);
	coalesce(set);
	pause_frames();
	wol();
	strings_and_stats();
	regs();
	eeprom();
	mii();
	if (!set)
		return 0;
	set_value("set-msglvl", ETHTOOL_SMSGLVL, 7);
	set_value("set-tso", ETHTOOL_STSO, 0);
	set_value("set-tso", ETHTOOL_STSO, 1);
	set_value("set-rx-csum", ETHTOOL_SRXCSUM, 0);
	set_value("set-rx-csum", ETHTOOL_SRXCSUM, 1);
	set_value("nway-reset", ETHTOOL_NWAY_RST, 0);
	set_value("blink", ETHTOOL_PHYS_ID, 1);
	self_test();
	return 0;
}
