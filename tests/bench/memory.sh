#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What recording costs where a VM's memory is preserved and retrieved: each call without a
# recorder, with empty programs on the same functions (the floor, by bpftrace), and with
# ours. Instructions and not time, as in record.sh.
#
#	memory.sh VFIOTRACE OUTDIR [SPEC...]
#
# SPEC: MIB:FILES[:pieces|:holes], as tests/bench/memory.c has them, or MIB:FILES:huge: of huge folios, on a kernel that
# has them (LAB_OLD=distro-newest). LAB_OLD: the kernel (newest).
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib.sh"

bench=$REPO_DIR/tests/bench
tool=$(realpath "$1") out=$(mkdir -p "$2" && realpath "$2")
shift 2
[ $# -gt 0 ] || set -- 64:1 256:1 256:100 64:1:pieces
export VFIOTRACE=$tool LAB_OLD=${LAB_OLD:-newest}
LAB_NEW=$LAB_OLD
LAB_QEMU="-icount shift=0,sleep=on"
export LAB_NEW LAB_QEMU

once() { # none|floor|vfiotrace SPEC
	local dir=$out/guest tracer=none before='' after='' huge='' mib files pieces
	IFS=: read -r mib files pieces <<<"$2:"
	[ "$1" != vfiotrace ] || tracer=yes after='sh /vfiotrace fetch -o /host/pre.vft'
	[ "$1" != floor ] || before="sh sh /host/bench/floor.sh"
	[ "${pieces%:}" != huge ] || pieces='' huge="put /sys/kernel/mm/transparent_hugepage/shmem_enabled always"
	rm -rf "$dir"
	mkdir -p "$dir/bench"
	"${CC:-gcc}" -static -O2 -Wall -Wextra -std=gnu11 -D_GNU_SOURCE -o "$dir/bench/memory" "$bench/memory.c"
	cp "$bench/guest/floor.sh" "$dir/bench/"
	[ "$1" != floor ] || cp "$out/peers.tar" "$dir/bench/"
	cat >"$out/memory.scn" <<-SCENARIO
		title: memory
		devices: 0
		tracer: $tracer
		tracer-args: --carry 4M
		memory: $((mib * (${#pieces} ? 3 : 2) + 1024))M
		timeout: 3000
		timers: no_timer_check tsc=reliable clocksource=tsc

		[old]
		$huge
		$before
		sh /host/bench/memory old $mib $files ${pieces%:}

		[new]
		$before
		sh /host/bench/memory new
		$after
	SCENARIO
	"$LAB_DIR/run.sh" "$out/memory.scn" --out "$dir" >&2 || return 1
	for call in preserve retrieve finish; do
		awk -v call=$call -v who="$1" -v spec="$2" '$2 == call { n += $4 } END { print "memory", who, spec, call, n + 0 }' \
			"$dir/bench/memory.txt"
	done
	[ "$1" != vfiotrace ] || traces "$2" "$dir"
}

# What the two traces hold: records, bytes, events that were lost.
traces() { # SPEC DIR
	local side
	for side in pre post; do
		"$tool" show -f json "$2/$side.vft" | jq -rs --arg spec "$1" --arg side $side --arg bytes "$(stat -c %s "$2/$side.vft")" '
			"trace \($spec) \($side) \(map(select(.record == "event")) | length) \($bytes) " +
			"\(map(select(.record == "loss") | .count | tonumber) | add // 0)"'
	done
}

pack_bpftrace() {
	local peers=$out/peers
	rm -rf "$peers"
	mkdir -p "$peers/bin" "$peers/lib" "$peers/lib64"
	cp -L "$(command -v bpftrace)" "$peers/bin/"
	ldd "$(command -v bpftrace)" | awk '$3 ~ /^\// { print $3 }' | xargs -r cp -L -t "$peers/lib/"
	cp -L /lib64/ld-linux-x86-64.so.2 "$peers/lib64/"
	tar -C "$peers" -cf "$out/peers.tar" .
	rm -rf "$peers"
}

pack_bpftrace
for spec; do
	for who in none floor vfiotrace; do
		once $who "$spec"
	done
done | tee "$out/memory.txt"
awk '
	$1 == "trace" { records[$2] += $4; bytes[$2] += $5; lost[$2] += $6; next }
	{ n[$3, $4, $2] = $5; if (!(($3, $4) in seen)) { seen[$3, $4] = 1; order[++rows] = $3 SUBSEP $4 } }
	END {
		print "| MiB:files | call | untraced, M instructions | floor | vfiotrace | records, both sides | kB, both sides | lost |"
		print "|---|---|---:|---:|---:|---:|---:|---:|"
		for (i = 1; i <= rows; i++) {
			base = n[order[i], "none"]; split(order[i], k, SUBSEP)
			if (base) printf "| %s | %s | %.2f | %.2f | %.2f | %d | %.0f | %d |\n", k[1], k[2], base / 1e6, n[order[i], "floor"] / base, n[order[i], "vfiotrace"] / base, records[k[1]], bytes[k[1]] / 1000, lost[k[1]]
		}
	}' "$out/memory.txt" | tee "$out/memory.md"
