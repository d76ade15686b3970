#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs unit test binaries (cmocka) and prints one line for all of them.
# A binary that crashes, or prints no result, counts as one failure.
set -u
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS="${ASAN_OPTIONS:-}${ASAN_OPTIONS:+:}abort_on_error=0:detect_leaks=1"
passed=0 failed=0 skipped=0
out=$(mktemp) || exit 74
trap 'rm -f "$out"' EXIT

for bin in "$@"; do
	name=${bin##*/}
	"$bin" >"$out" 2>&1
	code=$?
	s=$(grep -Ec '^not ok.*# SKIP' "$out")
	p=$(grep -Ec '^ok ' "$out")
	f=$(($(grep -Ec '^not ok' "$out") - s))
	if [ "$f" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$((p + s))" -eq 0 ]; }; then
		echo "$name: exit code $code without a failed test" >>"$out"
		f=1
	fi
	if [ "$f" -gt 0 ]; then
		echo "--- $name"
		grep -v '^ok ' "$out"
	else
		grep -E '^not ok.*# SKIP' "$out" | sed "s/^/$name: /"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
