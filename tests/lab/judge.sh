#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compares what vfiotrace says about a run with the [expect] section of its scenario:
#
#	exit N			of `vfiotrace diff PRE POST`, or of `check PRE` without [new]
#	expect-check exit N	of `vfiotrace check PRE`
#	finding RULE [TEXT]	the rule fired, and TEXT is in the report
#	no-other-findings	no rule fired that no "finding" line names
#	text TEXT		TEXT is in the report
#
# Reports are left in the output directory: report.txt, report.json, check.txt. The
# reason of a failure is the last line of "verdict", which else says "ok".
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

# The traces that the scenario's run must have left, judged together.
judge_run() {
	local -a how=(check "$out/pre.vft")

	[ -s "$out/pre.vft" ] || wrong "the old kernel left no trace"
	if scenario_has "$scenario" new; then
		[ -s "$out/post.vft" ] || wrong "the new kernel left no trace"
		how=(diff "$out/pre.vft" "$out/post.vft")
	fi
	judge report.json "${how[0]}" --format json "${how[@]:1}"
	judge report.txt "${how[@]}"
}

# The rules that fired, one a line.
rules_found() {
	grep -o '"rule" *: *"[^"]*"' "$out/report.json" | cut -d'"' -f4 | sort -u
}

expect_exit() { # WHAT WANTED
	[ "$code" = "$2" ] || wrong "$1 exited with $code, expected $2"
}

expect_finding() { # RULE TEXT
	wanted+=" $1 "
	rules_found | grep -qxF -- "$1" || wrong "no finding of $1"
	[ -z "$2" ] || grep -qF -- "$2" "$out/report.txt" ||
		wrong "the finding of $1 does not say: $2"
}

expect_no_other() {
	local rule
	for rule in $(rules_found); do
		case $wanted in
		*" $rule "*) ;;
		*) wrong "a finding nobody expects: $rule" ;;
		esac
	done
}

expect() { # WORDS...
	local what=$1 rest
	shift
	rest=$*
	case $what in
	exit) expect_exit vfiotrace "$1" ;;
	expect-check)
		judge check.txt check "$out/pre.vft"
		expect_exit check "$2"
		;;
	finding)
		rest=${rest#"$1"}
		expect_finding "$1" "${rest# }"
		;;
	no-other-findings) others=no ;;
	text) grep -qF -- "$rest" "$out/report.txt" || wrong "the report does not say: $rest" ;;
	*) wrong "[expect] has no '$what'" ;;
	esac
}

code=0 wanted='' others=any
judge_run
while read -r -a words; do
	expect "${words[@]}"
done < <(scenario_section "$scenario" expect)
[ "$others" = any ] || expect_no_other
echo ok >"$out/verdict"
