# SPDX-License-Identifier: GPL-2.0-only
# What the tools of a debug kernel have found. Sourced by scenarios, after test.sh.

KMEMLEAK=/sys/kernel/debug/kmemleak

# How many leaks kmemleak knows of. An object counts as one only from the second
# scan on, if it is five seconds old by then.
leaks()
{
	echo scan >$KMEMLEAK && sleep 6 && echo scan >$KMEMLEAK || return 1
	grep -c '^unreferenced' $KMEMLEAK
	return 0
}

# debug_clean WHAT: what the tools of a debug kernel found, where there are any
debug_clean()
{
	local n

	# TAINT_DIE and TAINT_WARN: whoever said it, and however long ago
	same "$1: no WARN, no BUG since boot" 0 $(($(cat /proc/sys/kernel/tainted) & 0x280))
	if [ -e /proc/lockdep_stats ]; then
		# it stops at the first thing that it finds, or when it is full
		same "$1: lockdep found nothing and still looks" 1 \
			"$(awk '/debug_locks:/ { print $2 }' /proc/lockdep_stats)"
	fi
	[ -e $KMEMLEAK ] || return 0
	if ! n=$(leaks); then
		fail "$1: kmemleak does not scan"
	elif [ "$n" != 0 ]; then
		head -40 $KMEMLEAK
		fail "$1: kmemleak: $n leaks"
	else
		ok "$1: kmemleak clean"
	fi
}

# The kernel's own example of leaks, where there were none: kmemleak finds some.
kmemleak_finds()
{
	local n

	[ -e $KMEMLEAK ] || return 0
	modprobe kmemleak-test && rmmod kmemleak-test
	n=$(leaks)
	[ "${n:-0}" -gt 0 ]
}
