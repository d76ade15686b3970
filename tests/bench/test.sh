#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tables of `make bench-record`, made from canned results.
set -u
cd "$(dirname "$0")" || exit 74
passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

check() { # NAME WANTED GOT
	if diff -u "$2" "$3" >"$tmp/diff"; then
		echo "ok $1"
		passed=$((passed + 1))
	else
		echo "not ok $1"
		sed 's/^/    /' "$tmp/diff" | head -n 20
		failed=$((failed + 1))
	fi
}

cp canned/*.txt "$tmp"
python3 table.py "$tmp" >"$tmp/table.md"
check "tables" canned/table.md "$tmp/table.md"

jq -r '.loads.cdev | .untraced_ns, .vfiotrace.caller[0]' "$tmp/record.json" >"$tmp/got"
printf '3927\n8.385790679908327\n' >"$tmp/wanted"
check "the same for machines" "$tmp/wanted" "$tmp/got"

printf 'before\n<!-- x -->\nold\n<!-- end of x -->\nafter\n' >"$tmp/doc.md"
echo new | python3 table.py --into "$tmp/doc.md" x
printf 'before\n<!-- x -->\nnew\n<!-- end of x -->\nafter\n' >"$tmp/wanted"
check "into a page" "$tmp/wanted" "$tmp/doc.md"

# A tool that could not be measured is said to be so.
grep -v '^round trace-cmd' canned/rounds.txt | sed '/^round bpftrace/,$d' >"$tmp/rounds.txt"
: >"$tmp/jumps.txt"
python3 table.py "$tmp" | grep -c 'not measured' >"$tmp/got"
echo 15 >"$tmp/wanted"
check "what was not measured" "$tmp/wanted" "$tmp/got"

# Alone on another architecture: no columns of peers, and no word of them.
cp canned/*.txt "$tmp"
sed -i '/^bpftrace\|^trace-cmd/d; $a alone arm64' "$tmp/machine.txt"
sed -i '/^round \(floor\|bpftrace\|trace-cmd\)/d' "$tmp/rounds.txt"
python3 table.py "$tmp" | grep -cE 'bpftrace|trace-cmd|not measured' >"$tmp/got"
echo 0 >"$tmp/wanted"
check "us alone" "$tmp/wanted" "$tmp/got"
python3 table.py "$tmp" | grep -c '2 CPUs of arm64; vfiotrace 0.1.0 (abcdef0); 40 operations' >"$tmp/got"
echo 1 >"$tmp/wanted"
check "what was measured alone" "$tmp/wanted" "$tmp/got"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
