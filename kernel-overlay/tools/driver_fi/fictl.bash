# SPDX-License-Identifier: GPL-2.0-only
# bash completion for fictl

_fictl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]}
	local fi=$FICTL_ROOT/sys/kernel/driver_fi
	local inject=$FICTL_ROOT/sys/kernel/debug/driver_fi/inject
	local words= at=$COMP_CWORD

	if ((COMP_CWORD == 1)); then
		words="list show isolate restart inject log --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	[[ ${COMP_WORDS[2]} == -[wf] || ${COMP_WORDS[2]} == --* ]] && ((at--))
	case $cmd:$at in
	show:2 | restart:2 | log:2 | log:1)
		words=$(cd "$fi" 2>/dev/null && compgen -d)
		[[ $cmd == log ]] && words+=" -f"
		;;
	isolate:2)
		words=$(lsmod 2>/dev/null | tail -n +2 | cut -d' ' -f1)
		;;
	inject:2 | inject:1)
		words="$(lsmod 2>/dev/null | tail -n +2 | cut -d' ' -f1) -w -l -c none"
		;;
	inject:3)
		words=$(cut -d' ' -f1 "$inject" 2>/dev/null)
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _fictl fictl
