#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same updates between other kernels: one hand-over ABI, the same expectations.
# Prints a line per pair and scenario, and the count. A series that no archive has
# any more is skipped, and said to be.
# Usage: pairs.sh [OLD:NEW...] [SCENARIO...]
#        pairs.sh --flavours	many scenarios, on each kernel like a distribution's and one made by clang with LTO
set -u
cd "$(dirname "$0")" || exit 74
# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh

pairs=() names=()
for word in "$@"; do
	case $word in
	--flavours)
		# One bug for each rule, and all in which nothing is wrong.
		mapfile -t names < <(./matrix.py cover)
		for config in kernel-distro*.config kernel-lto.config; do
			kernel=${config#kernel-}
			kernel=${kernel%.config}-newest
			pairs+=("$kernel:$kernel")
		done
		;;
	*:*) pairs+=("$word") ;;
	*) names+=("$word") ;;
	esac
done
[ ${#pairs[@]} -gt 0 ] || pairs=(7.2:7.2 7.2:newest newest:7.2)
[ ${#names[@]} -gt 0 ] || names=(healthy seeded-df-kvfree late-modules)

# Beside the runs that the matrix is made of: it has no columns for flavours.
out_of() { # PAIR
	case $1 in
	*distro* | *lto-*) echo "$LAB_OUT/flavours/${1/:/-}" ;;
	*) echo "$LAB_OUT/pairs/${1/:/-}" ;;
	esac
}

passed=0 failed=0 skipped=0
for pair in "${pairs[@]}"; do
	echo "# ${pair%:*} -> ${pair#*:}"
	out=$(LAB_OLD=${pair%:*} LAB_NEW=${pair#*:} LAB_OUT=$(out_of "$pair") ./lab test -j2 "${names[@]}")
	grep -v ' passed, ' <<<"$out" | sed -E "s/^(ok|not ok|skip) /&${pair/:/->} /"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' <<<"$out" | tail -n 1 | tr -d ,)
	read -r p _ f _ s _ <<<"$line"
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-${#names[@]}}))
	skipped=$((skipped + ${s:-0}))
done
[ "$skipped" -eq 0 ] || summary=", $skipped skipped"
echo "$passed passed, $failed failed${summary:-}"
[ "$failed" -eq 0 ]
