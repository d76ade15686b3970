#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What recording costs: vfiotrace, bpftrace and trace-cmd on the same functions, in one
# boot of the lab's guest, then a few jumps with the recorder off and on.
#
#	record.sh VFIOTRACE OUTDIR
#
# Environment: ROUNDS, repetitions (3); COUNT, operations in each load (200); JUMPS, jumps
# of each kind (3); LAB_OLD, the kernel (newest); LAB_ACCEL=kvm to measure time on a machine
# that has it. Without, the guest's clock counts instructions (QEMU -icount): a busy host
# then cannot change the result, and a ratio is one of instructions, not of time.
# LAB_ARCH=arm64 measures on an emulated arm64, VFIOTRACE being that build: without the peers, which this machine has for
# itself only.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib.sh"

bench=$REPO_DIR/tests/bench
tool=$(realpath "$1") out=$(mkdir -p "$2" && realpath "$2")
rounds=${ROUNDS:-3} count=${COUNT:-200} jumps=${JUMPS:-3}
export VFIOTRACE=$tool LAB_OLD=${LAB_OLD:-newest}
LAB_NEW=$LAB_OLD
export LAB_NEW

# arm64's clock needs no words.
CLOCK="no_timer_check tsc=reliable clocksource=tsc" QEMU=qemu-system-x86_64
[ "$LAB_ARCH" != arm64 ] || CLOCK='' QEMU=qemu-system-aarch64
# What reads the traces runs here.
reader=${VFIOTRACE_HOST:-$tool}
# Where instructions are counted the CPUs take turns, and one that waits for another
# counts its waiting: each recorder is bound to the second, so that its work is counted once.
LAB_QEMU='' PIN=''
[ "${LAB_ACCEL:-tcg}" != tcg ] || LAB_QEMU="-icount shift=0,sleep=on" PIN=2
export LAB_QEMU

# A program and what it is linked with, as a tree that the guest unpacks.
pack_peers() {
	local peers=$out/peers program
	rm -rf "$peers"
	mkdir -p "$peers/bin" "$peers/lib" "$peers/lib64"
	for program in bpftrace trace-cmd; do
		cp -L "$(command -v $program)" "$peers/bin/"
		ldd "$(command -v $program)" | awk '$3 ~ /^\// { print $3 }' |
			xargs -r cp -L -t "$peers/lib/"
	done
	cp -L /lib64/ld-linux-x86-64.so.2 "$peers/lib64/"
	tar -C "$peers" -cf "$out/peers.tar" .
	rm -rf "$peers"
}

# Puts our part beside what run.sh shares with the guest.
prepare_guest() { # DIR
	mkdir -p "$1/bench"
	"${CC:-${LAB_CROSS}gcc}" -static -O2 -Wall -Wextra -std=gnu11 -D_GNU_SOURCE -o "$1/bench/load" "$bench/load.c"
}

measure_rounds() {
	local dir=$out/rounds
	prepare_guest "$dir"
	cp "$bench/guest/rounds.sh" "$dir/bench/"
	rm -f "$dir/bench/peers.tar"
	[ -n "$LAB_CROSS" ] || cp "$out/peers.tar" "$dir/bench/"
	cat >"$out/rounds.scn" <<-SCENARIO
		title: recorders in turn
		devices: 1
		tracer: none
		memory: 3G
		timeout: 3000
		timers: $CLOCK

		[old]
		sh sh /host/bench/rounds.sh $rounds $count $PIN
	SCENARIO
	"$LAB_DIR/run.sh" "$out/rounds.scn" --out "$dir"
	cp "$dir/bench/rounds" "$out/rounds.txt"
	cat "$dir/bench/hooks" >"$out/hooks.txt"
}

# With the recorder on the trace is carried over in memory: what is measured is its own
# work. A CPU that waits for a disk counts its turns as time where instructions are
# counted, and elsewhere tells of the disk.
jump_once() { # off|on NUMBER
	local dir=$out/jump tracer=none fetch=''
	[ "$1" = off ] || tracer=yes fetch='sh /vfiotrace fetch -o /host/pre.vft'
	prepare_guest "$dir"
	cat >"$out/jump.scn" <<-SCENARIO
		title: one jump
		devices: 1
		tracer: $tracer
		tracer-args: --carry 4M
		timeout: 900
		timers: $CLOCK
		cmdline: loglevel=6

		[old]
		sh /host/bench/load jump

		[new]
		$fetch
	SCENARIO
	"$LAB_DIR/run.sh" "$out/jump.scn" --out "$dir"
	echo "jump $1 $2"
	tr -d '\r' <"$dir/console.log" | sed -n 's/^\[ *\([0-9.]*\)\] .*\(bench: reboot\|Starting new kernel\).*/mark \1 \2/p'
	[ "$1" = off ] || "$reader" show -f json "$dir/pre.vft" | jq -r '
		select(.record == "event" and (.type | startswith("reboot")))
		| "event \(.ts_ns) \(.type) \(.phase)"'
}

measure_jumps() {
	local i
	for ((i = 1; i <= jumps; i++)); do
		jump_once off "$i"
		jump_once on "$i"
	done >"$out/jumps.txt"
}

# Who measured, with what.
describe() {
	echo "date $(date -u +%Y-%m-%d)"
	echo "vfiotrace $("$reader" --version | awk '{ print $NF }') ($(git -C "$REPO_DIR" rev-parse --short HEAD 2>/dev/null || echo "no git"))"
	if [ -n "$LAB_CROSS" ]; then
		echo "alone $LAB_ARCH"
	else
		echo "bpftrace $(bpftrace --version | awk '{ print $NF }')"
		echo "trace-cmd $(dpkg-query -W -f '${Version}' trace-cmd)"
	fi
	echo "qemu $("$QEMU" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')"
	echo "accel ${LAB_ACCEL:-tcg}"
	echo "cpu $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs"
	echo "kernel $(tr -d '\r' <"$out/rounds/console.log" | sed -n 's/^lab\[old\] kernel \([^,]*\),.*/\1/p')"
	echo "operations $count"
}

[ -n "$LAB_CROSS" ] || pack_peers
measure_rounds
# What an earlier run measured is none of this one's.
rm -f "$out/jumps.txt"
[ "$jumps" = 0 ] || measure_jumps
describe >"$out/machine.txt"
python3 "$bench/table.py" "$out" >"$out/table.md"
cat "$out/table.md"
echo "results: $out/record.json"
