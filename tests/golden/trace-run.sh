#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Golden tests of `vfiotrace show`: trace-NAME.txt is made into a trace by
# mktrace; what each view prints must be trace-NAME.VIEW.
#
#	trace-run.sh VFIOTRACE MKTRACE		(UPDATE=1 writes the expectations anew)
# shellcheck disable=SC2016  # the inner shells expand their own arguments
set -u
tool=$1 mktrace=$2
dir=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) || exit 74
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

result() { # NAME OK?
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $1"
	fi
}

# NAME WANTED-EXIT GOLDEN COMMAND...: standard output and exit code
golden() {
	name=$1 want=$2 file=$dir/$3
	shift 3
	"$@" >"$tmp/raw" 2>"$tmp/err"
	code=$?
	# Where the damage lies depends on how long the vocabulary is.
	sed -E 's/at byte [0-9]+/at byte N/; s/"offset":[0-9]+/"offset":0/' "$tmp/raw" >"$tmp/out"
	[ "${UPDATE:-0}" = 1 ] && cp "$tmp/out" "$file"
	cmp -s "$tmp/out" "$file" && [ "$code" -eq "$want" ]
	ok=$?
	[ "$ok" -eq 0 ] || { echo "exit $code, expected $want"; cat "$tmp/err"; diff -u "$file" "$tmp/out" | head -40; }
	result "$name" "$ok"
}

check() { # NAME COMMAND...
	name=$1
	shift
	"$@" >"$tmp/log" 2>&1
	ok=$?
	[ "$ok" -eq 0 ] || head -20 "$tmp/log"
	result "$name" "$ok"
}

exits() { # CODE COMMAND...: the exit code, and a complaint
	want=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	code=$?
	[ "$code" -eq "$want" ] && [ -s "$tmp/err" ] && return
	echo "exit $code, expected $want"
	cat "$tmp/err"
	return 1
}

# No control character but the newline in what goes to a terminal.
harmless() {
	for view in text timeline json perfetto; do
		"$tool" show -f "$view" "$1" | LC_ALL=C tr -d '\n\t\040-\176\303\244' | cmp - /dev/null || return 1
	done
	"$tool" show --meta --probes --loss "$1" | LC_ALL=C tr -d '\n\t\040-\176' | cmp - /dev/null
}

json_lines() {
	"$tool" show -f json "$1" >"$tmp/json"
	[ "$(jq -c . "$tmp/json" | wc -l)" -eq "$(wc -l <"$tmp/json")" ] &&
		jq -es 'map(.record) | index("meta") == 0' "$tmp/json"
}

# jq keeps numbers as doubles: every digit must come back.
all_digits() {
	"$mktrace" -o "$tmp/digits.vt" - <<'END' || return 1
ev 9007199254740993 cpu0#18446744073709551615 1/1 agent luo.finish exit ret=-9223372036854775808 count=18446744073709551615 size=9007199254740991
loss luo.finish "ring full" 9007199254740993 9007199254740993 18446744073709551614
end stopped
END
	"$tool" show -f json "$tmp/digits.vt" | jq -c '
		select(.record == "event") | [.ts_ns, .seq, .fields.ret, .fields.count, .fields.size]' >"$tmp/out"
	"$tool" show -f json "$tmp/digits.vt" | jq -c 'select(.record == "loss" and .why == "ring full") | [.count, .from_ns, .to_ns]' >>"$tmp/out"
	diff - "$tmp/out" <<'END'
["9007199254740993","18446744073709551615","-9223372036854775808","18446744073709551615",9007199254740991]
["9007199254740993","9007199254740993","18446744073709551614"]
END
}

# Loads as JSON; per thread, no end without its begin.
perfetto() {
	"$tool" show -f perfetto "$1" >"$tmp/json"
	jq -e '.traceEvents | length > 0 and all(.[]; .ph and .name and (.ts | type == "number") and .pid and .tid)' "$tmp/json" &&
		jq -e '[.traceEvents[] | select(.ph == "B" or .ph == "E")] | group_by(.tid) | all(.[];
			reduce .[] as $e ([]; if . == null then null elif $e.ph == "B" then . + [$e.name]
				elif .[-1] == $e.name then .[:-1] else null end) == [])' "$tmp/json"
}

# A reader that goes away: no complaint, no crash, whether SIGPIPE is ignored or not.
closed_pipe() {
	{ "$tool" show -f json "$tmp/big.vt" 2>"$tmp/err"; } | head -1 >"$tmp/out"
	[ -s "$tmp/out" ] && [ ! -s "$tmp/err" ] || return 1
	(trap '' PIPE; "$tool" show -f text "$tmp/big.vt" 2>"$tmp/err"; echo $? >"$tmp/code") | head -1 >"$tmp/out"
	[ ! -s "$tmp/err" ] && [ "$(cat "$tmp/code")" -eq 74 ]
}

for trace in story killed; do
	"$mktrace" -o "$tmp/$trace.vt" "$dir/trace-$trace.txt" || exit 1
	case $trace in killed) wanted=65 ;; *) wanted=0 ;; esac
	for view in text timeline json perfetto; do
		golden "$trace $view" $wanted "trace-$trace.$view" "$tool" show --format $view "$tmp/$trace.vt"
	done
	golden "$trace parts" $wanted "trace-$trace.parts" "$tool" show --meta --probes --loss "$tmp/$trace.vt"
	check "$trace: nothing dangerous for a terminal" harmless "$tmp/$trace.vt"
	check "$trace: JSON lines parse" json_lines "$tmp/$trace.vt"
	check "$trace: perfetto parses and pairs" perfetto "$tmp/$trace.vt"
done

# A file of format 1 as it was stored once: every later version must read it.
golden "the first format" 0 trace-v1.json "$tool" show -f json "$dir/trace-v1.vt"
golden "the first packed events" 0 trace-packed.json "$tool" show -f json "$dir/trace-packed.vt"

awk 'BEGIN { for (i = 0; i < 20000; i++) print "ev " i " cpu0 1/1 agent luo.finish point count=" i; print "end stopped" }' |
	"$mktrace" -o "$tmp/big.vt" -
check "JSON numbers keep their digits" all_digits
check "a closed pipe" closed_pipe
check "no such file" exits 74 "$tool" show "$tmp/absent"
check "a directory" exits 74 "$tool" show "$tmp"
check "a device" exits 74 "$tool" show /dev/null
check "an empty file" exits 65 sh -c ': >"$2" && exec "$1" show "$2"' sh "$tool" "$tmp/empty"
check "not a trace" exits 65 "$tool" show "$0"
check "JSON parts" sh -c '"$1" show -f json --probes "$2" | jq -es "length == 3 and all(.[]; .record == \"probe\")"' sh "$tool" "$tmp/story.vt"
check "no perfetto parts" exits 64 "$tool" show -f perfetto --probes "$tmp/story.vt"
check "unknown format" exits 64 "$tool" show -f yaml "$tmp/story.vt"
check "a full disk" exits 74 sh -c 'exec "$1" show "$2" >/dev/full' sh "$tool" "$tmp/story.vt"
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 "$tmp/story.vt"
	check "no permission" exits 77 "$tool" show "$tmp/story.vt"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
