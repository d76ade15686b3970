#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs every part of the test suite and adds the counts up. A part that ends
# badly without counting, or counts nothing at all, is one failure of its own.
# Usage: run.sh PART... where PART is a make target that prints "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 74
logs=${TEST_LOGS:-build/test-logs}
mkdir -p "$logs"
passed=0 failed=0 skipped=0
bad=()

for part in "$@"; do
	log=$logs/$part.log
	echo "== $part"
	make --no-print-directory "$part" 2>&1 | tee "$log"
	code=${PIPESTATUS[0]}
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
	read -r p _ f _ s _ <<<"$(tr -d , <<<"$line")"
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
	if [ $((${p:-0} + ${s:-0})) -eq 0 ] || { [ "$code" -ne 0 ] && [ "${f:-0}" -eq 0 ]; }; then
		echo "$part: ended with $code and counted '${line:-nothing}'" | tee -a "$log"
		failed=$((failed + 1)) f=1
	fi
	[ "${f:-0}" -eq 0 ] || bad+=("$part")
done

# Once more at the end, where whoever looks begins: what failed, in which part.
for part in ${bad[@]+"${bad[@]}"}; do
	echo "== failed in $part"
	grep -E -A 12 '^not ok|^\[  FAILED  \]|FAIL|: ended with ' "$logs/$part.log" | head -n 60
done

summary="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
echo "== all"
echo "$summary"
[ "$failed" -eq 0 ]
