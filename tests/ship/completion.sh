#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Completion, by the shells themselves: every command, every option that --help prints, the
# values that the help names.
# Usage: completion.sh VFIOTRACE
set -u
here=$(dirname "$0")
. "$here/lib.sh"
vt=$(realpath "$1")
scripts=$(realpath "$here/../../packaging/completion")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin" "$tmp/empty"
ln -s "$vt" "$tmp/bin/vfiotrace"
PATH=$tmp/bin:$PATH

in_bash() { # WORD...: the last one is to be completed
	(cd "$tmp/empty" && bash --norc --noprofile -c '
		. "$0/vfiotrace.bash"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_vfiotrace
		printf "%s\n" "${COMPREPLY[@]}"' "$scripts" "$@")
}

# A shell in a terminal of its own, where TAB is pressed.
cat >"$tmp/zsh" <<'END'
zmodload zsh/zpty
zpty z "cd $1/empty; TERM=dumb zsh -f -i"
zpty -w z "fpath=($2 \$fpath); autoload -Uz compinit; compinit -u -D; setopt nolisttypes nolistambiguous listrowsfirst; unsetopt menucomplete automenu; LISTMAX=0; stty -echo cols 200 rows 400; PS1=; PS2=; print REA''DY"
zpty -r z line '*READY*'
zpty -n -w z "$3"$'\t\t'
typeset all=''
while zpty -r -t z line '*' 2>/dev/null || { (( tries++ < 20 )) && sleep 0.1 }; do all+=$line; line=; done
print -r -- ${all//$'\r'/}
END
in_zsh() { # LINE: what the terminal shows after TAB
	zsh -f "$tmp/zsh" "$tmp" "$scripts" "$1" | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' | tr -s ' \t' '\n'
}
has_all() { # FILE WORD...
	local file=$1 word
	shift
	for word; do
		grep -qxF -- "$word" "$file" || { echo "no $word among:"; cat "$file"; return 1; }
	done
}
options() { # COMMAND: as --help prints them, not as --options lists them
	"$vt" "$1" --help | sed -n '/^Options:/,$s/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}
formats() { # COMMAND
	case $1 in
	show) echo text timeline json perfetto trackevent ;;
	status) echo text json ;;
	*) echo text json ktap junit sarif ;;
	esac
}
by() { # SHELL COMMANDS-OF-IT...: into a file
	"in_$1" "${@:2}" >"$tmp/got" 2>&1
}

commands=$("$vt" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
by bash vfiotrace ""
ok "bash: commands" has_all "$tmp/got" $commands
for c in $commands; do
	by bash vfiotrace "$c" --
	ok "bash: $c has options" test -n "$(options "$c")"
	ok "bash: options of $c" has_all "$tmp/got" $(options "$c")
done
for c in diff check gate show; do
	by bash vfiotrace "$c" -f ""
	ok "bash: formats of $c" has_all "$tmp/got" $(formats "$c")
	by bash vfiotrace "$c" --format = ""
	ok "bash: formats of $c after =" has_all "$tmp/got" $(formats "$c")
done
by bash vfiotrace status --format ""
ok "bash: formats of status" has_all "$tmp/got" $(formats status)
by bash vfiotrace sweep -s ""
ok "bash: sections of sweep" has_all "$tmp/got" open preserve retrieve finish create retrieve-session
by bash vfiotrace explain alloc
ok "bash: rules" has_all "$tmp/got" alloc-mismatch
touch "$tmp/empty/a.vft"
by bash vfiotrace diff a
ok "bash: traces" has_all "$tmp/got" a.vft
by bash vfiotrace record -o x -- tr
ok "bash: a command after --" has_all "$tmp/got" true

if command -v zsh >/dev/null; then
	by zsh "vfiotrace "
	ok "zsh: commands" has_all "$tmp/got" $commands
	for c in $commands; do
		by zsh "vfiotrace $c --"
		# One option alone is put on the line, not into a list.
		[ "$(options "$c" | wc -l)" -gt 1 ] || sed -i 's/.*\(--[a-z-]*\)$/\1/' "$tmp/got"
		ok "zsh: options of $c" has_all "$tmp/got" $(options "$c")
	done
	by zsh "vfiotrace diff -f "
	ok "zsh: formats" has_all "$tmp/got" $(formats diff)
	by zsh "vfiotrace status --format="
	ok "zsh: formats of status" has_all "$tmp/got" $(formats status)
	by zsh "vfiotrace sweep -s "
	ok "zsh: sections of sweep" has_all "$tmp/got" open preserve retrieve finish create
else
	skip "zsh is not installed"
fi
finish
