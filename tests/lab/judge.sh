#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compares what vfiotrace says about a run with the [expect] section of its scenario:
#
#	exit N			of `vfiotrace diff PRE POST`, or of `vfiotrace check PRE`
#				if the scenario ends in the old kernel, or says "traces: pre"; of
#				`vfiotrace check POST` for "traces: post"
#	exit 0 or 5 TEXT	... if what is told as unknown says TEXT
#	expect-check exit N	of `vfiotrace check PRE`
#	finding RULE [TEXT]	the rule fired, and one of its findings says TEXT: part of a
#				title or a meaning, "session NAME token TOKEN", "bdf ADDRESS"
#	no-other-findings	every finding is one that a "finding" line names
#	text TEXT		TEXT is in the report
#	probe pre|post PATTERN	a row of that trace's probe table matches
#	event pre|post PATTERN	a line that `show` has for an event of that trace does
#
# [expect-third] says the same of the second of two updates in a row, [expect-4] of the
# third, and so on.
#
# Reports are left in the output directory: report.txt, report.json, check.txt, those of
# the second update in report-third.*, of the third in report-4.*. The reason of a failure is the last line of
# "verdict", which else says "ok".
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scenario=$1 out=$2
tool=${VFIOTRACE_HOST:-${VFIOTRACE:-$REPO_DIR/build/vfiotrace}}

wrong() {
	echo "$*" >"$out/verdict"
	exit 1
}

# Runs the tool, and leaves its exit code in $code.
judge() { # FILE ARGUMENTS...
	local file=$1
	shift
	code=0
	"$tool" "$@" >"$out/$file" 2>"$out/judge.err" || code=$?
}

judge_diff() { # REPORT PRE POST
	[ -s "$out/$2" ] || wrong "the kernel before the jump left no trace"
	[ -s "$out/$3" ] || wrong "the kernel after the jump left no trace"
	judge "$1.json" diff --format json "$out/$2" "$out/$3"
	judge "$1.txt" diff -v "$out/$2" "$out/$3"
}

judge_check() { # REPORT PRE
	[ -s "$out/$2" ] || wrong "the kernel left no trace"
	judge "$1.json" check --format json "$out/$2"
	judge "$1.txt" check -v "$out/$2"
}

# A line per finding: the rule, a tab, and all that is said but for the evidence.
findings() {
	awk '
		/^ *\{ "rule": "/ {
			if (line != "")
				print line
			split($0, word, "\"")
			line = word[4] "\t"
			skip = 0
		}
		/^ *"evidence": \[/ { skip = 1 }
		line != "" && !skip {
			text = $0
			if (text ~ /^ *"object": /) {
				gsub(/"|,|: null/, "", text)
				gsub(/: /, " ", text)
			}
			line = line " " text
		}
		END {
			if (line != "")
				print line
		}' "$out/$report.json"
}

# The first doubt or finding of a report: a log of CI is all that is left of a run.
first_words() { # REPORT
	awk '
		said != "" && /^ / { said = said $0; exit }
		said != "" { exit }
		/^  - / || /^1\. / { said = $0 }
		END {
			gsub(/^[ 1.-]+/, ": ", said)
			gsub(/ +/, " ", said)
			print said
		}' "$out/$1"
}

expect_exit() { # WHAT CODE WANTED REPORT
	[ "$2" = "$3" ] || wrong "$1 exited with $2, expected $3$(first_words "$4")"
}

expect_finding() { # RULE TEXT
	wanted+=("$1")
	saying+=("$2")
	grep -q "^$1$tab" <<<"$found" || wrong "no finding of $1"
	[ -z "$2" ] || grep "^$1$tab" <<<"$found" | grep -qF -- "$2" ||
		wrong "no finding of $1 says: $2"
}

is_wanted() { # FINDING
	local i
	for i in "${!wanted[@]}"; do
		[ "${1%%"$tab"*}" = "${wanted[i]}" ] || continue
		[ -n "${saying[i]}" ] || return 0
		! grep -qF -- "${saying[i]}" <<<"$1" || return 0
	done
	return 1
}

expect_no_other() {
	local finding
	while read -r finding; do
		[ -z "$finding" ] || is_wanted "$finding" ||
			wrong "a finding nobody expects: $(cut -c1-300 <<<"$finding")"
	done <<<"$found"
}

says() { # TEXT
	tr -s ' \n' ' ' <"$out/$report.txt" | grep -qF -- "$1"
}

expect() { # WORDS...
	local what=$1 rest
	shift
	rest=$*
	case $what in
	exit)
		[ "${2-} $verdict" != "or ${3-}" ] || says "${rest#"$1 or ${3-} "}" || wrong "vfiotrace exited with $verdict, and does not say: ${rest#"$1 or ${3-} "}"
		[ "${2-} $verdict" = "or ${3-}" ] || expect_exit vfiotrace "$verdict" "$1" "$report.txt"
		;;
	expect-check)
		judge check.txt check "$out/pre.vft"
		expect_exit check "$code" "$2" check.txt
		;;
	finding)
		rest=${rest#"$1"}
		expect_finding "$1" "${rest# }"
		;;
	no-other-findings) others=no ;;
	text) says "$rest" || wrong "the report does not say: $rest" ;;
	probe)
		"$tool" show --probes "$out/$1.vft" | grep -E -- "${rest#"$1" }" >/dev/null || wrong "no probe in $1.vft matches: ${rest#"$1" }"
		;;
	event)
		"$tool" show "$out/$1.vft" | grep -E -- "${rest#"$1" }" >/dev/null || wrong "no event in $1.vft matches: ${rest#"$1" }"
		;;
	*) wrong "[expect] has no '$what'" ;;
	esac
}

# What knows where the kernel lies stays in the kernel.
no_addresses() {
	local side
	for side in pre post $(later_sides "$scenario"); do
		[ -s "$out/$side.vft" ] || continue
		"$tool" show -f json "$out/$side.vft" 2>/dev/null | "$LAB_DIR/../tools/addresses.py" - >"$out/addresses" ||
			wrong "$side.vft has an address of the kernel: $(head -n 1 "$out/addresses")"
	done
}

# What the tool said last, against a section of the scenario.
compare() { # SECTION REPORT
	local others=any verdict=$code found tab=$'\t'
	local -a words wanted=() saying=()
	report=$2
	found=$(findings)
	while read -r -a words; do
		expect "${words[@]}"
	done < <(scenario_section "$scenario" "$1")
	[ "$others" = any ] || expect_no_other
}

# "traces: pre", "traces: post" are for an update with one kernel that is not recorded.
traces=$(scenario_get "$scenario" traces both)
scenario_has "$scenario" new || traces=pre
case $traces in
both) judge_diff report pre.vft post.vft ;;
*) judge_check report "$traces.vft" ;;
esac
compare expect report
before=post.vft
for side in $(later_sides "$scenario"); do
	# Where systemd drives, each side of each update is a trace of its own.
	[ ! -s "$out/pre-$side.vft" ] || before=pre-$side.vft
	judge_diff "report-$side" "$before" "$side.vft"
	compare "expect-$side" "report-$side"
	before=$side.vft
done
no_addresses
echo ok >"$out/verdict"
