#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs fuzzers over their committed corpus (corpus/NAME of fuzz_NAME) and then for SECONDS each.
#
#	run.sh SECONDS WORKDIR FUZZER...
#
# SECONDS "test": a fixed seed and number of runs, the same ones each time, so
# that a test run says something about the change and not about its luck.
#
# WORKDIR/NAME.seeds is corpus that is made, not kept. New inputs go to WORKDIR, never into the tree; so do crashes.
set -u
seconds=$1 work=$2
shift 2
corpora=$(cd "$(dirname "$0")" && pwd)/corpus
passed=0 failed=0
if [ "$seconds" = test ]; then
	bound="-seed=1 -runs=20000 -max_total_time=120"
	rm -rf "$work"/*.found
else
	bound="-max_total_time=$seconds"
fi
for fuzzer in "$@"; do
	name=${fuzzer##*/}
	corpus=${name#fuzz_}
	corpus=$corpora/${corpus%_nocrc}
	[ ! -d "$work/${name#fuzz_}.seeds" ] || corpus="$corpus $work/${name#fuzz_}.seeds"
	mkdir -p "$work/$name.found"
	# shellcheck disable=SC2086 # several options on purpose
	if "$fuzzer" $bound -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix="$work/$name-" "$work/$name.found" $corpus >"$work/$name.log" 2>&1; then
		echo "$name: no crash in $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log") runs"
		passed=$((passed + 1))
	else
		tail -40 "$work/$name.log"
		echo "$name: FAILED; the input is $work/$name-*"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
