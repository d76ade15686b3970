#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The same verdict on any machine: two builds of the program say the same of each recorded pair, byte for byte.
# Usage: same.sh VFIOTRACE VFIOTRACE-OF-ANOTHER-ARCHITECTURE
set -u
here=$(cd "$(dirname "$0")/judge/lab" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

for pre in "$here"/*.pre.vft.xz; do
	name=$(basename "$pre" .pre.vft.xz)
	files=("$tmp/pre.vft")
	xz -dc "$pre" >"$tmp/pre.vft"
	if [ -e "$here/$name.post.vft.xz" ]; then
		xz -dc "$here/$name.post.vft.xz" >"$tmp/post.vft"
		files+=("$tmp/post.vft")
	fi
	command=diff
	[ ${#files[@]} -eq 2 ] || command=check
	for format in text json ktap junit sarif; do
		for i in 1 2; do
			tool=${!i}
			"$tool" "$command" -f "$format" "${files[@]}" >"$tmp/$i" 2>&1
			echo "exit $?" >>"$tmp/$i"
		done
		if grep -q '^exit [0-9]' "$tmp/1" && cmp -s "$tmp/1" "$tmp/2"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "not ok $name $format: the reports differ"
			diff "$tmp/1" "$tmp/2" | head -n 5
		fi
	done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
