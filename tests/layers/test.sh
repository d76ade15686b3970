#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The layers of the program, then whether the check of them can fail: seeded objects, each pair with one call that the table
# forbids or allows, beside those of the program.
# Usage: test.sh OBJECT...
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
rooms=$here/rooms
tmp=$(mktemp -d) || exit 74
trap 'rm -rf "$tmp"' EXIT

"$here/layers.py" "$rooms" "$@" | tee "$tmp/program" | sed '$s/^/the program: /'
line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$tmp/program")
read -r passed _ failed _ skipped _ <<<"$(tr -d , <<<"${line:-0 passed, 1 failed}")"
skipped=${skipped:-0}

ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "not ok seeded: $*"; }

# Compiles src/A.c, which calls what src/B.c defines.
n=0
seed() { # A B [SYMBOL-OF-B]
	local s=${3:-seed_$((n += 1))} f
	for f in "$1" "$2"; do mkdir -p "$tmp/src/${f%/*}"; done
	echo "void $s(void); void by_$s(void); void by_$s(void) { $s(); }" | ${CC:-cc} -c -x c -o "$tmp/src/$1.o" - || return 1
	seeds=("$tmp/src/$1.o")
	[ -z "${3:-}" ] || return 0
	echo "void $s(void); void $s(void) {}" | ${CC:-cc} -c -x c -o "$tmp/src/$2.o" - || return 1
	seeds+=("$tmp/src/$2.o")
}

# The edge is printed, and the count of what failed goes up.
forbidden() { # A B OBJECT...
	local a=$1 b=$2 code
	shift 2
	"$here/layers.py" "$rooms" "$@" "${seeds[@]}" >"$tmp/out" 2>&1
	code=$?
	[ $code = 1 ] && grep -qE "^    src/$a.c -> src/$b.c: " "$tmp/out" && ok || not_ok "$a calls $b, exit $code: $(tail -n 1 "$tmp/out")"
}
allowed() { # A B
	seed "$1" "$2"
	"$here/layers.py" "$rooms" "${seeds[@]}" >"$tmp/out" 2>&1 && grep -qE '^[1-9][0-9]* passed, 0 failed' "$tmp/out" && ok ||
		not_ok "$1 may call $2: $(grep -v ^skipped "$tmp/out")"
}

# A call up into the program that was built: its trace calls its judge.
judge=$(printf '%s\n' "$@" | grep '/src/rules/judge.o$')
symbol=$(nm -g -P --defined-only "${judge:-/dev/null}" 2>/dev/null | awk '$2 == "T" { print $1; exit }')
seed trace/seed rules/judge "${symbol:-none}" && forbidden trace/seed rules/judge "$@"

# Each of the walls.
while read -r a b; do
	seed "$a" "$b" && forbidden "$a" "$b"
done <<-'END'
	trace/seed model/seed
	trace/writer trace/reader
	trace/vocab trace/seed
	model/seed rules/seed
	rules/seed report/seed
	rules/seed gate/seed
	gate/seed report/seed
	report/seed gate/seed
	report/pairs cmd/seed
	capture/record/seed cmd/say
	capture/record/seed model/seed
	capture/record/seed rules/finding
	capture/record/seed report/pairs
	capture/record/seed trace/reader
	capture/domain/seed trace/writer
	capture/domain/seed capture/record/seed
	capture/domain/seed capture/domain/other
	capture/domain/seed capture/domain/list
	capture/attach/seed capture/domain/seed
	capture/attach/seed capture/attach/other
	capture/attach/seed capture/attach/attach
	capture/object/seed capture/attach/attach
	capture/plan/seed capture/object/seed
	capture/kernel/seed capture/plan/seed
	capture/arch/seed capture/kernel/seed
	cmd/diff capture/record/seed
	cmd/seed cmd/main
	model/map model/kinds
	model/spans trace/vocab
	model/kinds model/evidence
	model/evidence model/calls
	model/calls model/reg_files
	model/reg_files model/seed
	model/seed model/other
	model/seed model/side
	model/calls model/side
	model/coverage model/calls
	rules/seed rules/other
	rules/seed rules/judge
	rules/seed rules/list
	rules/finding rules/seed
	rules/facts rules/judge
	rules/list rules/judge
	report/seed report/other
	report/seed report/report
	report/pairs report/seed
	model/seed unknown/seed
END
while read -r a b; do
	allowed "$a" "$b"
done <<-'END'
	cmd/main cmd/seed
	cmd/record capture/record/seed
	cmd/gate gate/seed
	cmd/seed trace/reader
	report/report report/seed
	report/seed report/pairs
	rules/judge rules/list
	rules/list rules/seed
	rules/seed rules/facts
	rules/seed model/seed
	model/side model/seed
	model/seed model/reg_files
	model/seed model/map
	model/coverage trace/reader
	capture/record/seed trace/writer
	capture/record/seed capture/domain/list
	capture/domain/list capture/domain/seed
	capture/domain/seed capture/attach/attach
	capture/attach/attach capture/attach/seed
	capture/plan/seed capture/kernel/seed
	capture/kernel/seed capture/arch/seed
END

# A circle within a room where files may call each other, and one over two folders.
circle() { # A B
	local one
	seed "$1" "$2" && one=("${seeds[@]}")
	echo "void seed_$n(void); void by_seed_$n(void); void seed_$n(void) { by_seed_$n(); }" | ${CC:-cc} -c -x c -o "${one[1]}" - || return
	"$here/layers.py" "$rooms" "${one[@]}" >"$tmp/out"
	[ $? = 1 ] && grep -q "^not ok no circle $3.*: 2 files: $1.c $2.c$" "$tmp/out" && grep -q "^    src/$2.c -> src/$1.c: by_seed_$n$" "$tmp/out" && ok ||
		not_ok "a circle of $1 and $2: $(grep -v ^skipped "$tmp/out")"
}
circle capture/record/one capture/record/two 'in src/capture'
circle model/seed trace/seed 'across folders'

# A table that allows a circle, or names a room that is none, is refused.
printf 'a | a/*.c | b | no\nb | b/*.c | a | no\n' >"$tmp/rooms"
seed a/a b/b
"$here/layers.py" "$tmp/rooms" "${seeds[@]}" >"$tmp/out"
grep -q '^not ok the table goes down$' "$tmp/out" && ok || not_ok "a table with a circle"
printf 'a | a/*.c | b | no\n' >"$tmp/rooms"
"$here/layers.py" "$tmp/rooms" "${seeds[@]}" 2>"$tmp/out"
grep -q 'b, which is no room' "$tmp/out" && ok || not_ok "a table with a room that is none"

echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ]
