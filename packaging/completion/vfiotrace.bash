# SPDX-License-Identifier: GPL-2.0
# bash completion for vfiotrace. Commands and options are asked of the program
# that is completed, by --options: there is no second list that could age.

# What an option's help says it takes: "one (default), two, or three", or lines "  one: what it is".
_vfiotrace_values() { # PROGRAM COMMAND OPTION
	"$1" --options "$2" 2>/dev/null | awk -F'\t' -v option="$3" '
		option == "--" $2 || ($1 != "" && option == "-" $1) {
			if (index($4, "\\n  ")) {
				n = split($4, line, /\\n  /)
				for (i = 2; i <= n; i++) { sub(/:.*/, "", line[i]); print line[i] }
			} else if ($4 ~ /^[a-z-]+ \(default\), /) {
				gsub(/ \(default\)|,? or /, ",", $4)
				n = split($4, word, /[ ,]+/)
				for (i = 1; i <= n; i++) print word[i]
			} else {
				print "\tfiles"
			}
		}'
}

_vfiotrace_options() { # PROGRAM COMMAND
	"$1" --options "$2" 2>/dev/null | awk -F'\t' '{ print "--" $2; if ($1 != "") print "-" $1 }'
}

# Whether OPTION wants a word after it.
_vfiotrace_wants() { # PROGRAM COMMAND OPTION
	"$1" --options "$2" 2>/dev/null |
		awk -F'\t' -v option="$3" '$3 != "" && (option == "--" $2 || ($1 != "" && option == "-" $1)) { yes = 1 } END { exit !yes }'
}

_vfiotrace() {
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]-} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words i

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words="$("$program" --options 2>/dev/null | cut -f1) help --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	if [ "$command" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" --options 2>/dev/null | cut -f1)" -- "$word")
		return
	fi
	# What follows -- is another program's.
	for ((i = 2; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = -- ] || continue
		mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word")
		return
	done
	# "--format=json" comes as three words.
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if _vfiotrace_wants "$program" "$command" "$before"; then
		words=$(_vfiotrace_values "$program" "$command" "$before")
		if [ "$words" = $'\tfiles' ]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		else
			mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		fi
		return
	fi
	case $word in
	-*) mapfile -t COMPREPLY < <(compgen -W "$(_vfiotrace_options "$program" "$command")" -- "$word") ;;
	*)
		if [ "$command" = explain ]; then
			mapfile -t COMPREPLY < <(compgen -W "$("$program" explain 2>/dev/null | awk '{ print $1 }')" -- "$word")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		fi
		;;
	esac
}

complete -o filenames -o bashdefault -F _vfiotrace vfiotrace
