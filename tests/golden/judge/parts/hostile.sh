# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Files that are made to cost: in so much memory, and in CPU seconds that only a cost which grows with the
# square of the file would need. KIND N MB of address space; the kinds are tests/tools/hostile.c's.
hostile=$(dirname "$mktrace")/hostile
CPU_SECONDS=10
# An emulator (packaging/cross.mk) takes 200 MB of addresses of its own, and 10 times the time.
own_mb=0
[ "$(head -c 2 "$tool")" != '#!' ] || own_mb=256 CPU_SECONDS=100
hostile_one() { # KIND N MB
	local code
	"$hostile" "$1" "$2" "$tmp/hostile.vft" || { not_ok "hostile: cannot make $1"; return; }
	(
		ulimit -t $CPU_SECONDS -v $((($3 + own_mb) * 1024))
		exec "$tool" check "$tmp/hostile.vft"
	) >"$tmp/text" 2>"$tmp/err"
	code=$?
	# What is killed before it begins ends with 1, too.
	[ $code = 65 ] || [ -s "$tmp/text" ] || code="$code without a report"
	case $code in
	0 | 1 | 4 | 5 | 65) ok ;;
	*) not_ok "hostile $1, $2 of them, in $3 MB and $CPU_SECONDS s of CPU: exit $code, $(head -n 1 "$tmp/err")" ;;
	esac
}
if [ ! -x "$hostile" ]; then
	not_ok "no $hostile"
elif grep -qa __asan_init "$tool"; then
	skip "limits of memory: a sanitizer takes terabytes of addresses"
else
	seen=
	while read -r kind n mb; do
		hostile_one "$kind" "$n" "$mb"
		seen+=" $kind "
	done <<-END
		tasks 60000 48
		busy 20000 150
		busy-sessions 20000 48
		callback-memory 60000 40
		snapshots 60000 96
		devices 20000 72
		sessions 20000 96
		rounds 60000 14
		files 20000 130
		arrived 20000 130
		reread 4000 40
		folios 60000 40
		one-bucket 60000 40
		unbalanced 60000 40
		pieces 20000 40
		pieces-back 20000 40
		losses 4096 40
		torn 8000 56
		names 300000 56
		functions 400000 100
		probes 20000 40
		numbers 60000 40
		big-blocks 2000 64
		shapes 60000 24
	END
	for kind in $("$hostile"); do
		case $seen in *" $kind "*) ;; *) not_ok "hostile $kind has no limits here" ;; esac
	done
	# Names that are left out would be others: such a file is refused.
	"$hostile" functions 400000 "$tmp/hostile.vft"
	"$tool" check "$tmp/hostile.vft" >"$tmp/text" 2>"$tmp/err"
	[ $? = 65 ] && grep -q "its names take more than" "$tmp/err" && ok || not_ok "hostile: more names than there is room for: $(head -n 1 "$tmp/err")"
	# Threads that never come back are given up, and nobody is sure of what they did.
	"$hostile" tasks 5000 "$tmp/hostile.vft"
	"$tool" check "$tmp/hostile.vft" >"$tmp/text" 2>"$tmp/err"
	[ $? = 5 ] && tr -s ' \n' '  ' <"$tmp/text" | grep -qF "more than 4096 tasks are inside of calls at one time" && ok ||
		not_ok "hostile: calls that were given up are no doubt"
	rm -f "$tmp/hostile.vft"
fi
