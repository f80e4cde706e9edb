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
