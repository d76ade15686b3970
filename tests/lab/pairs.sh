#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same updates between kernels of different versions: one hand-over ABI,
# the same expectations. Prints a line per pair and scenario, and the count.
# Usage: pairs.sh [SCENARIO...]
set -u
cd "$(dirname "$0")" || exit 74
[ $# -gt 0 ] || set -- healthy seeded-df-kvfree late-modules
passed=0 failed=0

for pair in 7.2:7.2 7.2:newest newest:7.2; do
	echo "# ${pair%:*} -> ${pair#*:}"
	out=$(LAB_OLD=${pair%:*} LAB_NEW=${pair#*:} ./lab test -j2 "$@")
	grep -v ' passed, ' <<<"$out" | sed "s/^\(ok\|not ok\) /&${pair/:/->} /"
	read -r p _ f _ <<<"$(grep -E '^[0-9]+ passed, [0-9]+ failed' <<<"$out" | tail -n 1 | tr -d ,)"
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-$#}))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
