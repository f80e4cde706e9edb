# SPDX-License-Identifier: GPL-2.0-only
# What scenarios are made of. Sourced by each of them in the test machine.

A=10.9.0.1		# eth0, the driver under test, in the first namespace
B=10.9.0.2		# eth1, the peer, in a namespace of its own
PORT=5001
FI=/sys/kernel/driver_fi

# cmdline KEY: its value on the kernel command line
cmdline()
{
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -1
}

UNDER_TEST=$(cmdline fi.driver)
UNDER_TEST=${UNDER_TEST:-e1000}

# The host reads lines that start with "fi-test: ".
note()
{
	echo "<13>fi-test: $*" >/dev/kmsg
}

ok()
{
	note "ok $*"
}

fail()
{
	note "FAIL $*"
}

# check WHAT COMMAND...: one test
check()
{
	local what="$1" out

	shift
	if out=$("$@" 2>&1); then
		ok "$what"
	else
		fail "$what: $(echo "$out" | tail -3 | tr '\n' '|')"
		return 1
	fi
}

# same WHAT WANT HAVE
same()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		fail "$1: want '$2', have '$3'"
		return 1
	fi
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for()
{
	local n=$(($1 * 10))

	shift
	while ! "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.1
	done
}

isolated()
{
	[ -e $FI/$UNDER_TEST/state ]
}

load()
{
	modprobe "$1"
}

# The wrapper modules, if this kernel has them.
load_wrappers()
{
	local m

	[ -d $FI ] || return 0
	for m in /lib/modules/*/wrappers/*.ko; do
		[ ! -e "$m" ] || load "$(basename "$m" .ko)" || return 1
	done
}

in_peer()
{
	nsenter -t "$PEER" -n "$@"
}

# The cable has no speed: a window larger than the receive ring (256 packets)
# only overflows it, and what is then measured are retransmit timeouts.
small_windows()
{
	echo 4096 65536 262144 >/proc/sys/net/ipv4/tcp_rmem
}

has_own_net()
{
	[ "$(readlink /proc/$1/ns/net)" != "$(readlink /proc/self/ns/net)" ]
}

peer_up()
{
	unshare -n sleep 1000000 &
	PEER=$!
	wait_for 5 has_own_net $PEER || return 1
	load e1000e || return 1
	wait_for 5 [ -e /sys/class/net/eth1 ] || return 1
	ip link set eth1 netns $PEER || return 1
	small_windows
	in_peer sh -c '. /lib/test.sh; small_windows'
	in_peer ip link set lo up
	in_peer ip addr add $B/24 dev eth1
	in_peer ip link set eth1 up
	in_peer xfer serve $PORT &
}

driver_up()
{
	load $UNDER_TEST || return 1
	wait_for 5 [ -e /sys/class/net/eth0 ] || return 1
	eth0_up
}

eth0_up()
{
	ip link set lo up
	ip addr add $A/24 dev eth0 2>/dev/null
	ip link set eth0 up || return 1
	reach $B 15
}

# The whole topology: driver first, so that it is eth0.
net_up()
{
	load_wrappers || { fail "wrapper modules load"; return 1; }
	load $UNDER_TEST || { fail "$UNDER_TEST loads"; return 1; }
	wait_for 5 [ -e /sys/class/net/eth0 ] || { fail "eth0 appears"; return 1; }
	peer_up || { fail "the peer comes up"; return 1; }
	xfer serve $PORT &
	eth0_up || { fail "the link comes up"; return 1; }
}

# strange MARK [EXTRA]: kernel messages since MARK that nobody expects here.
# FI's own are not listed; "link is up" and the like are the drivers' news.
strange()
{
	kmsg since "$1" | grep -Ev \
		-e '^<[0-7]> driver_fi: ' \
		-e '^<[0-7]> e1000: eth[01] NIC Link is (Up|Down)' \
		-e '^<[0-7]> e1000e .* NIC Link is (Up|Down)' \
		-e '^<[5-7]> (e1000|e1000e)' \
		-e '^<3> eth[01]: mtu greater than device maximum' \
		-e '^<3> e1000 .* eth0: Reset adapter' \
		-e '^<3> e1000 .* eth0: pattern test reg .* failed' \
		-e '^<6> .* drop_caches: 3' \
		-e '^<4> clocksource: Long readout interval' \
		-e '^<6> INFO: NMI handler .* took too long to run' \
		-e '^<4> hrtimer: interrupt took' \
		-e '^<4> TCP: eth[01]: Driver has suspect GRO implementation' \
		-e '^<[5-7]> (sysrq|random|clocksource|perf|input|ACPI|tsc)' \
		${2:+-e "$2"}
}

# no_strange WHAT MARK [EXTRA]: one test, and the messages if it fails
no_strange()
{
	local s

	s=$(strange "$2" "$3")
	if [ -z "$s" ]; then
		ok "$1"
	else
		fail "$1: $(echo "$s" | head -5 | tr '\n' '|')"
	fi
}

# Free memory in kB. The pages that each CPU keeps at hand are free too, and
# MemFree lacks them: the kernel lets that store grow and shrink by MiB.
free_kb()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree/ { kb += $2 } $1 == "count:" { kb += $2 * 4 } END { print kb }' \
		/proc/meminfo /proc/zoneinfo
}

# off, or the mode that the command line asks for
isolated_mode()
{
	local m

	m=$(cmdline driver_fi | tr ';' '\n' | sed -n "s/^$UNDER_TEST:\([a-z]*\).*/\1/p")
	echo "${m:-off}"
}


# both_ways MIB: two transfers at the same time
both_ways()
{
	local p

	xfer get $B $PORT "$1" &
	p=$!
	xfer put $B $PORT "$1" && wait $p
}

# After rmmod the domain and all its objects are gone.
nothing_left()
{
	[ ! -e $FI/$UNDER_TEST ] && ! grep -q . /sys/kernel/debug/driver_fi/objects 2>/dev/null
}

# --- faults ---------------------------------------------------------------

INJECT=/sys/kernel/debug/driver_fi
KINDS="wild-text wild-rodata wild-data wild-heap wild-task wild-stack
	wild-pgtable wild-idt null wild-pointer jump-text jump-data
	stack-overflow bug divide loop loop-irqoff double-free leak-lock
	leak-irqoff"
# What only checks in the driver's code can stop: it stays within the pages that
# the driver may write, or changes none at all.
FINE_KINDS="overrun use-after-free global-overflow work-write timer-write napi-write
	list-write smash function-pointer jump-middle wrmsr cr3 port"
# Stores into a kernel object that the driver configures.
FIELD_KINDS="bad-field bad-pointer torn-fields protected-field"

# What a provoked fault must be reported as.
expected()
{
	case $1 in
	wild-pointer) echo gp ;;
	wild-*|null) echo write ;;
	jump-*|function-pointer) echo exec ;;
	stack-overflow) echo stack ;;
	bug|torn-fields) echo bug ;;
	bad-field|bad-pointer) echo field ;;
	protected-field) [ "$(isolated_mode)" = pt ] && echo field || echo write ;;
	divide) echo divide ;;
	loop*) echo loop ;;
	overrun|use-after-free|global-overflow|*-write) echo write ;;
	smash) echo return ;;
	wrmsr|cr3|port) echo insn ;;
	double-free) echo object ;;
	leak-*) echo leak ;;
	esac
}

# The layer that must have caught it.
expected_layer()
{
	case $(expected $1)/$(isolated_mode) in
	write/full|write/dbi) echo "byte check" ;;
	exec/full|exec/dbi|return/*) echo "control flow" ;;
	write/*|exec/*|stack/*) echo "page table" ;;
	insn/*) echo "privileged instruction" ;;
	gp/*|bug/*|divide/*) echo exception ;;
	loop/*) echo watchdog ;;
	object/*|arg/*) echo wrapper ;;
	leak/*) echo crossing ;;
	field/*) echo "shadow copy" ;;
	esac
}

# What the report must say of the object, if it is one of the driver's.
expected_object()
{
	local size=56

	[ "$(isolated_mode)" = pt ] || size=64
	case $1 in
	overrun) echo "1 byte to the right of the $size-byte kmalloc object" ;;
	use-after-free) echo "32 bytes inside of the freed $size-byte kmalloc object" ;;
	double-free) echo "the start of the freed $size-byte kmalloc object" ;;
	esac
}

# The object of the last fault, if KIND has one, is described with who had it.
object_described()
{
	local want

	want=$(expected_object $1)
	[ -n "$want" ] || return 0
	[ "$(last_fault object)" = "$want" ] || return 1
	last_fault alloc | grep -q '^fi_evil_' || return 1
	[ $1 = overrun ] || last_fault free | grep -q '^fi_evil_'
}

fi_file()
{
	cat $FI/$UNDER_TEST/"$1" 2>/dev/null
}

last_fault()
{
	fi_file last_fault | sed -n "s/^$1 //p"
}

inject()
{
	if command -v fictl >/dev/null; then
		fictl inject "$@"
	else
		echo "$*" >$INJECT/inject
	fi
}

fired()
{
	grep -q '^fired' $INJECT/injected
}

# restarted N: restarted more than N times, and alive
restarted()
{
	[ "$(fi_file restarts)" -gt "$1" ] && [ "$(fi_file state)" = live ]
}

# first_packet NS: milliseconds from then to the first answered request after
# the outage, from what gap wrote to /tmp/gap. An answer that was under way when
# the fault was detected may end an earlier silence: the last end counts.
first_packet()
{
	awk -v t="$1" '$1 == "gap" && $3 > t && $2 < t + 2e8 { end = $3 }
		END { if (!end) exit 1; printf "%.1f\n", (end - t) / 1e6 }' /tmp/gap
}

changed_canaries()
{
	sed -n 's/ CHANGED$//p' $INJECT/canaries | tr '\n' ' '
}

# provoke KIND [FUNCTION]: one fault, all that must be true afterwards. Says
# what is wrong, or how long the network was away.
provoke()
{
	local before t ms

	before=$(fi_file restarts)
	inject $UNDER_TEST "$@" || { echo "cannot inject"; return 1; }
	wait_for 20 fired || { echo "the fault did not happen"; return 1; }
	wait_for 40 restarted "$before" ||
		{ echo "not restarted: state $(fi_file state)"; return 1; }
	[ "$(last_fault kind)" = "$(expected "$1")" ] ||
		{ echo "reported as $(last_fault kind)"; return 1; }
	[ "$(last_fault layer)" = "$(expected_layer "$1")" ] ||
		{ echo "caught by $(last_fault layer)"; return 1; }
	object_described "$1" ||
		{ echo "object: $(fi_file last_fault | tr '\n' '|')"; return 1; }
	# Without a page table of its own it stores to the object, until that is put back.
	[ "$1/$(isolated_mode)" != torn-fields/dbi ] || echo reset >$INJECT/canaries
	[ -z "$(changed_canaries)" ] ||
		{ echo "kernel memory changed: $(changed_canaries)"; return 1; }
	reach $B 20 || { echo "no traffic afterwards"; return 1; }
	[ "$(fi_file restarts)" = $((before + 1)) ] ||
		{ echo "$(last_fault kind) fault after the restart"; return 1; }
	t=$(last_fault time_ns)
	sleep 0.2
	ms=$(first_packet "$t") || ms=5
	echo "$ms"
}

# median_max FILE
median_max()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { if (NR) printf "median %.1f ms, max %.1f ms of %d",
		NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[NR], NR }'
}
