# SPDX-License-Identifier: GPL-2.0-only
# Shell functions that the scripts share; sourced, never run.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
while [ ! -d "$top/kernel-overlay" ] && [ "$top" != / ]; do
	top=$(dirname "$top")
done
build=${FI_BUILD:-$top/build}
jobs=${JOBS:-$(nproc)}

# Everything said to a person starts with two spaces less than a tool's output.
say()
{
	printf '%s\n' "== $*"
}

die()
{
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

need()
{
	command -v "$1" >/dev/null 2>&1 || die "$1 is missing; run: make deps"
}

# progress TOTAL: how far make is, by its output; TOTAL is about how many objects a
# cold build has.
progress()
{
	awk -v total="$1" -v tty="$([ -t 1 ] && echo 1 || echo 0)" '
	/^  (CC|AS|HOSTCC|LD|AR)( \[M\])? / { n++ }
	n > total { total = n }
	n && tty { printf "\r   building the kernel: %d of ~%d objects", n, total; fflush() }
	n && !tty && n % 250 == 0 && n != last {
		printf "   building the kernel: %d of ~%d objects\n", n, total; last = n; fflush() }
	END { if (n) printf "%s   building the kernel: %d objects done\n", tty ? "\r" : "", n }'
}

# tree [VARIANT]: where the sources of that variant lie and are built
tree()
{
	case ${1:-} in
	''|qemu) echo "${FI_TREE:-$build/linux}" ;;
	*) echo "$build/linux-$1" ;;
	esac
}

# One build at a time in a tree that several people share.
with_lock()
{
	mkdir -p "$build"
	if [ -n "${FI_LOCKED:-}" ]; then
		"$@"
	else
		FI_LOCKED=1 flock "${FI_LOCK:-$build/.lock}" "$@"
	fi
}
