#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What holds a jump on machines with many possible CPUs: instructions of the CPU that the recorder is on, from the entry of
# device_shutdown() until the recorder lets the kernel go on, and until "Starting new kernel". The CPU that waits is not in
# it: a plugin of QEMU's counts for each emulated CPU (between.c). And what arming takes there.
#
#	jump.sh VFIOTRACE OUTDIR
#
# Environment: ROUNDS, jumps of each kind (3); POSSIBLE, possible CPUs ("2 64 240", and 512 where QEMU is 9 or later:
# older ones emulate no x2APIC); LAB_OLD, a series (newest).
# LAB_RUN: what each guest is started by.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib.sh"

bench=$REPO_DIR/tests/bench
tool=$(realpath "$1") out=$(mkdir -p "$2" && realpath "$2")
rounds=${ROUNDS:-3}
qemu_version=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9]*\).*/\1/p')
possible=${POSSIBLE:-2 64 240$([ "$qemu_version" -lt 9 ] || echo " 512")}
kernel=$("$LAB_DIR/kernel.sh" build "distro-${LAB_OLD:-newest}")
export VFIOTRACE=$tool

build() {
	local api=1
	[ "$qemu_version" -lt 9 ] || api=2
	"${CC:-gcc}" -shared -fPIC -O2 -Wall -Wextra -Wno-unused-parameter -std=gnu11 -D_GNU_SOURCE -DPLUGIN_API=$api -o "$out/between.so" "$bench/between.c"
	"${CC:-gcc}" -static -O2 -Wall -Wextra -std=gnu11 -D_GNU_SOURCE -o "$out/load" "$bench/load.c"
}

address() { # NAME: of the kernel, which is where it was linked to
	awk -v name="$1" '$3 == name { print $1; exit }' "$kernel/System.map"
}

# The recorder lets the kernel go.
released() {
	nm "$tool" | awk '$3 == "object__stored" { print $1; exit }'
}

scenario() { # POSSIBLE MEMORY
	cat <<-SCENARIO
		title: one jump
		variant: distro
		devices: 1
		memory: $2
		tracer-args: --carry 4M -v
		timeout: 900
		timers: no_timer_check tsc=reliable clocksource=tsc
		cmdline: loglevel=6 nokaslr acpi_apic_instance=2 maxcpus=2
		module-wait: 60000

		[old]
		sh grep -qx 0-$(($1 - 1)) /sys/devices/system/cpu/possible
		sh /host/bench/load jump

		[new]
		sh true
	SCENARIO
}

once() { # POSSIBLE
	local guest=$out/guest icount="-icount shift=0,sleep=on" memory=1G more=
	# The firmware switches x2APIC on; two are started all the same. QEMU 10 cannot have that with -icount ("Bad icount
	# read"): instructions are counted all the same, but arming is told in milliseconds, which are none then.
	[ "$1" -le 254 ] || icount='' memory=4G more="-global intel-iommu.eim=on -smp 2,maxcpus=$1"
	mkdir -p "$guest/bench"
	cp "$out/load" "$guest/bench/"
	python3 "$bench/madt.py" "$1" "$out/madt"
	scenario "$1" "$memory" >"$out/jump.scn"
	LAB_QEMU="$icount $more -acpitable sig=APIC,rev=3,data=$out/madt"
	LAB_QEMU+=" -plugin $out/between.so,out=$out/between.txt,from=$(address device_shutdown)"
	LAB_QEMU+=",to=not-CPU:released:$(released),to=jump:$(address machine_shutdown)"
	export LAB_QEMU
	${LAB_RUN:-} "$LAB_DIR/run.sh" "$out/jump.scn" --out "$guest" >&2
	# `NAME CPU COUNT...`: CPU 0 is the one that jumps, the recorder is on the last.
	awk -v n="$1" '{ print n, $1, $4 / 1e6 }' "$out/between.txt"
	[ -z "$icount" ] || sed -n "s/^vfiotrace: armed in \([0-9]*\) ms.*/$1 armed \1/p" "$guest/record.old" | head -n 1
}

build
for ((i = 1; i <= rounds; i++)); do
	for n in $possible; do
		once "$n"
	done
done | tee "$out/jump.txt" >&2

{
	echo "Measured $(date -u +%Y-%m-%d) by \`make bench-jump\`: $rounds jumps each, kernel $(cat "$kernel/release") (\`distro\`), two CPUs online, the trace carried over in memory, vfiotrace $(git -C "$REPO_DIR" rev-parse --short HEAD 2>/dev/null || echo "no git"). In M instructions, median (lowest..highest); in the second and third column of the CPU that the recorder is on, the one that waits for it not counted."
	echo
	echo "| possible CPUs | device_shutdown() to the release | device_shutdown() to the jump | exec to armed |"
	echo "|---:|---:|---:|---:|"
	awk -f "$bench/median.awk" -f /dev/stdin "$out/jump.txt" <<-'AWK'
		{ sample($1, $2, $3); if (!($1 in seen)) { seen[$1]; order[++nr_order] = $1 } }
		END {
			for (i = 1; i <= nr_order; i++)
				printf "| %d | %s | %s | %s |\n", order[i], cell(order[i], "released", "%.3f"), cell(order[i], "jump", "%.3f"), cell(order[i], "armed", "%.0f")
		}
	AWK
} | tee "$out/jump.md"
