#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What reading and judging a trace costs, next to those who read traces of other recorders.
#
#	read.sh VFIOTRACE TOOLS OUTDIR		TOOLS has grow and peers
#
# Our trace is one that the lab recorded, its cycle of opening, preserving and taking back
# repeated (grow.c): check and diff do with it all that they ever do. The others read as many
# events of pread64(2): perf's were recorded here, those of CTF and ftrace were written by
# peers.c. Environment: EVENTS (10000000), ROUNDS (3), KEEP=1 keeps the traces.
#
# Measured is the CPU time of the reading process, which a busy machine changes least, the
# time on the clock, and the peak of its memory. Shown is the median.
set -eu -o pipefail
tool=$(realpath "$1") tools=$(realpath "$2") out=$(mkdir -p "$3" && realpath "$3")
golden=$(cd "$(dirname "$0")/../golden/judge/lab" && pwd)
events=${EVENTS:-10000000} rounds=${ROUNDS:-3}
work=$out/read
: >"$out/read.rows"

say() { echo "bench-read: $*" >&2; }

install_peers() {
	local p missing=()
	for p in babeltrace2 trace-cmd linux-perf time; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' $p 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} = 0 ] && return
	say "installing ${missing[*]}"
	DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${missing[@]}" >"$out/apt.log" 2>&1 ||
		say "could not install all of ${missing[*]}: see $out/apt.log"
}

make_ours() { # NAME SIDE EVENTS
	xz -dc "$golden/rounds.$2.vft.xz" >"$work/short.vft"
	"$tools/grow" "$work/short.vft" "$work/$1.vft" "$3" vfio.cdev_open
}

with_tracefs() {
	# shellcheck disable=SC2016
	unshare -m sh -c '[ -e /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing || exit; exec "$@"' sh "$@"
}

make_ring() {
	local dir=/sys/kernel/tracing/events/syscalls enter exit
	with_tracefs cat $dir/sys_enter_pread64/id $dir/sys_exit_pread64/id >"$work/ids" || return
	{ read -r enter && read -r exit; } <"$work/ids"
	"$tools/peers" ring "$work/cpu0.raw" "$events" "$enter" "$exit" &&
		with_tracefs trace-cmd restore -c -o "$work/head.dat" >"$work/log" 2>&1 &&
		trace-cmd restore -i "$work/head.dat" -o "$work/trace.dat" "$work/cpu0.raw" >>"$work/log" 2>&1 || return
	rm -f "$work/cpu0.raw"
}

# Half as many calls as events: a call has two ends.
make_perf() {
	with_tracefs perf record -q -m 8192 -e syscalls:sys_enter_pread64,syscalls:sys_exit_pread64 -o "$work/perf.data" \
		"$tools/peers" pread $((events / 2)) >"$work/log" 2>&1
}

# NAME EVENTS WHAT-IT-DOES COMMAND...: one row per round
measure() {
	local name=$1 n=$2 does=$3 i
	shift 3
	for ((i = 0; i < rounds; i++)); do
		command time -q -o "$work/time" -f '%e %U %S %M' "$@" >/dev/null 2>"$work/err" || [ $? = 1 ] || {
			say "$name failed: $(tail -1 "$work/err")"
			return
		}
		echo "$name|$n|$does|$(cat "$work/time")" >>"$out/read.rows"
	done
	say "$name: $(cat "$work/time") (seconds, user, system, KB)"
}

lines() { "$@" 2>/dev/null | wc -l; }

# Rows to a table: NAME|EVENTS|WHAT|ELAPSED USER SYSTEM KB
table() {
	awk -F'|' '
	function median(list,   n, a, i, j, t) {
		n = split(list, a, " ")
		for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j] + 0 < a[j-1] + 0; j--) { t = a[j]; a[j] = a[j-1]; a[j-1] = t }
		return a[int((n + 1) / 2)]
	}
	{
		split($4, v, " ")
		if (!($1 in events)) order[++nr] = $1
		events[$1] = $2; does[$1] = $3
		wall[$1] = wall[$1] " " v[1]; cpu[$1] = cpu[$1] " " v[2] + v[3]; mem[$1] = mem[$1] " " v[4]
	}
	END {
		for (i = 1; i <= nr; i++) {
			n = order[i]; rate[n] = events[n] / (median(cpu[n]) + 0.005)
			if (n !~ /^vfiotrace/ && does[n] ~ /^prints/ && rate[n] > best) { best = rate[n]; who = n }
		}
		printf "| reader | does | events | CPU s | clock s | events per CPU s | peak memory | against the best printer |\n|---|---|---|---|---|---|---|---|\n"
		for (i = 1; i <= nr; i++) {
			n = order[i]
			printf "| %s | %s | %.1f M | %.1f | %.1f | %.2f M | %.1f MB | %s |\n", n, does[n], events[n] / 1e6, median(cpu[n]), median(wall[n]),
				rate[n] / 1e6, median(mem[n]) / 1024, best ? sprintf("%.1f x", rate[n] / best) : "-"
		}
	}' "$out/read.rows"
}

report() {
	echo "$(date -u +%F), Linux $(uname -r | cut -d. -f1,2), $(awk -F': *' '/^model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) CPUs; median of $rounds runs."
	echo "$("$tool" --version | head -1); $(babeltrace2 --version 2>/dev/null | head -1); $(trace-cmd --version 2>/dev/null | grep -m1 version); $(perf --version 2>/dev/null)."
	echo
	table
	[ ! -s "$out/read.missing" ] || { echo; sed 's/^/- not measured: /' "$out/read.missing"; }
}

rm -rf "$work" "$out/read.missing"
mkdir -p "$work"
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
: >"$out/read.missing"
install_peers

say "making traces of $events events"
n=$(make_ours long pre "$events")
tenth=$(make_ours tenth pre $((events / 10)))
half=$(make_ours half pre $((events / 2)))
other=$(make_ours other post $((events / 2)))
measure "vfiotrace check" "$n" "judges" "$tool" check "$work/long.vft"
measure "vfiotrace check, a tenth" "$tenth" "judges" "$tool" check "$work/tenth.vft"
measure "vfiotrace diff" $((half + other)) "judges, two files" "$tool" diff "$work/half.vft" "$work/other.vft"
rm -f "$work"/*.vft

if command -v babeltrace2 >/dev/null && "$tools/peers" ctf "$work/ctf" "$events"; then
	measure "babeltrace2" "$(lines babeltrace2 "$work/ctf")" "prints" babeltrace2 "$work/ctf"
	measure "babeltrace2, sink.utils.dummy" "$events" "decodes, and drops it" babeltrace2 "$work/ctf" --component sink.utils.dummy
	rm -rf "$work/ctf"
else
	echo "babeltrace2" >>"$out/read.missing"
fi
if make_ring; then
	measure "trace-cmd report" $(($(lines trace-cmd report -i "$work/trace.dat") - 1)) "prints" trace-cmd report -i "$work/trace.dat"
	rm -f "$work/trace.dat"
else
	echo "trace-cmd report: no trace.dat can be made here (tracefs?): $(tail -1 "$work/log" 2>/dev/null)" >>"$out/read.missing"
fi
if make_perf; then
	measure "perf script" "$(lines perf script -i "$work/perf.data")" "prints" perf script -i "$work/perf.data"
else
	echo "perf script: perf cannot record here: $(tail -1 "$work/log" 2>/dev/null)" >>"$out/read.missing"
fi
report | tee "$out/read.md"
