#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same updates between kernels of different versions: one hand-over ABI,
# the same expectations. Prints a line per pair and scenario, and the count. A
# series that no archive has any more is skipped, and said to be.
# Usage: pairs.sh [SCENARIO...]
set -u
cd "$(dirname "$0")" || exit 74
[ $# -gt 0 ] || set -- healthy seeded-df-kvfree late-modules
passed=0 failed=0 skipped=0

for pair in 7.2:7.2 7.2:newest newest:7.2; do
	echo "# ${pair%:*} -> ${pair#*:}"
	out=$(LAB_OLD=${pair%:*} LAB_NEW=${pair#*:} LAB_OUT=$PWD/../../build/lab/pairs/${pair/:/-} ./lab test -j2 "$@")
	grep -v ' passed, ' <<<"$out" | sed -E "s/^(ok|not ok|skip) /&${pair/:/->} /"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' <<<"$out" | tail -n 1 | tr -d ,)
	read -r p _ f _ s _ <<<"$line"
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-$#}))
	skipped=$((skipped + ${s:-0}))
done
[ "$skipped" -eq 0 ] || summary=", $skipped skipped"
echo "$passed passed, $failed failed${summary:-}"
[ "$failed" -eq 0 ]
