#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# coverage.sh WORKDIR FUZZER...: lines and branches that each fuzzer's corpus reaches, with
# what earlier runs left in WORKDIR/NAME.found. Only the layers that it is there for.
set -eu
work=$1
shift
corpora=$(cd "$(dirname "$0")" && pwd)/corpus
for fuzzer in "$@"; do
	name=${fuzzer##*/}
	corpus=${name#fuzz_}
	corpus=$corpora/${corpus%_nocrc}
	[ ! -d "$work/${name#fuzz_}.seeds" ] || corpus="$corpus $work/${name#fuzz_}.seeds"
	case $name in
	fuzz_reader*) parts="src/trace/reader.c src/trace/frame.c src/trace/tables.c src/trace/event.c src/trace/print.c" ;;
	fuzz_policy) parts=src/gate ;;
	*) parts="src/model $(ls src/rules/*.c | grep -v pages.c) src/report" ;;
	esac
	mkdir -p "$work/$name.found"
	# shellcheck disable=SC2086 # several folders
	LLVM_PROFILE_FILE=$fuzzer.profraw "$fuzzer" -runs=0 -max_len=65536 $corpus "$work/$name.found" >"$fuzzer.log" 2>&1
	llvm-profdata merge -o "$fuzzer.profdata" "$fuzzer.profraw"
	# shellcheck disable=SC2086 # several paths
	llvm-cov report "$fuzzer" -instr-profile="$fuzzer.profdata" $parts >"$fuzzer.txt"
	# Regions and functions are the compiler's words; lines and branches are ours.
	# shellcheck disable=SC2086
	awk -v name="$name" -v inputs="$(find $corpus "$work/$name.found" -type f | wc -l)" '
		/^TOTAL/ { printf "%s: lines %s, branches %s of what it is for (%d inputs)\n", name, $10, $13, inputs; next }
		/^[^ -].*%/ { printf "  %-28s lines %7s  branches %7s\n", $1, $10, $13 }' "$fuzzer.txt"
done
