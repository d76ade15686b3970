#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A man page from its source: what stands in the program's tables as well is taken from there.
#	.\" COMMANDS		the commands, from the program
#	.\" OPTIONS COMMAND	its options, from the program
#	.\" EXIT CODE...	what these exit codes mean, from exit-status beside this script
#	.\" VERSION		the program's
# Usage: make.sh VFIOTRACE SOURCE
set -eu -o pipefail
vt=$1
here=$(dirname "$0")

# Plain text as an mdoc line: no macro at its start, no escapes. A sentence ends its line.
text() {
	sed -e 's/\\/\\e/g' -e 's/^\([.'\'']\)/\\\&\1/' -e 's/-/\\-/g' -e 's/\([a-z)]\.\) \([A-Z]\)/\1\n\2/g'
}

# An argument with characters that mdoc reads as macros or delimiters.
arg() {
	sed -e 's/\([]:.,|()[]\)/\\\&\1/g'
}

commands() {
	echo ".Bl -tag -width Ds"
	"$vt" --options | while IFS=$'\t' read -r name args summary; do
		echo ".It Xr vfiotrace-$name 1"
		echo "$summary." | text
	done
	echo ".El"
}

options() { # COMMAND
	echo ".Bl -tag -width Ds"
	"$vt" --options "$1" | sed 's/^\t/-\t/' | while IFS=$'\t' read -r letter name rest; do
		local arg=${rest%%$'\t'*} help=${rest#*$'\t'} line
		line=".It"
		[ "$letter" = - ] || line+=" Fl $letter ,"
		line+=" Fl \\-$(sed 's/-/\\-/g' <<<"$name")"
		[ -z "$arg" ] || line+=" Ar $(arg <<<"$arg")"
		echo "$line"
		# Its further lines are a list: "  name: what it is".
		sed 's/\\n/\n/g' <<<"$help" | {
			local list=
			while IFS= read -r l; do
				if [[ $l =~ ^\ \ ([a-z]+):\ (.*) ]]; then
					[ -n "$list" ] || printf '.Pp\n.Bl -tag -width perfetto -compact\n'
					list=1
					echo ".It Cm ${BASH_REMATCH[1]}"
					text <<<"${BASH_REMATCH[2]}"
				else
					text <<<"${l#"${l%%[! ]*}"}"
				fi
			done
			[ -z "$list" ] || echo ".El"
		}
	done
	echo ".El"
}

exits() { # CODE...
	local code
	echo ".Bl -tag -width Ds"
	for code; do
		grep -q "^$code	" "$here/exit-status" || { echo "$0: no exit code $code" >&2; return 1; }
		echo ".It $code"
		sed -n "s/^$code	//p" "$here/exit-status" | text
	done
	echo ".El"
}

while IFS= read -r line; do
	case $line in
	'.\" COMMANDS') commands ;;
	'.\" OPTIONS '*) options "${line#*OPTIONS }" ;;
	'.\" EXIT '*) exits ${line#*EXIT } ;;
	'.Os vfiotrace') echo ".Os $("$vt" --version)" ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$2"
