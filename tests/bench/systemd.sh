#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the recorder adds to a live update that systemd drives: from `systemctl kexec` until a service has its files
# back, without it and with what is shipped, in turn.
#
#	systemd.sh VFIOTRACE OUTDIR
#
# Environment: ROUNDS, updates of each kind (3); LAB_ACCEL=kvm to measure time on a machine that has it. Without, the
# guest's clock counts instructions (QEMU -icount): a busy host then cannot change a ratio.
# LAB_RUN: what each guest is started by.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=../lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib.sh"

tool=$(realpath "$1") out=$(mkdir -p "$2" && realpath "$2")
rounds=${ROUNDS:-3}
export VFIOTRACE=$tool
LAB_QEMU=''
[ "${LAB_ACCEL:-tcg}" != tcg ] || LAB_QEMU="-icount shift=0,sleep=on"
export LAB_QEMU

scenario() {
	cat <<-SCENARIO
		title: one update
		guest: systemd
		variant: distro
		devices: 1
		timeout: 3000
		timers: no_timer_check tsc=reliable clocksource=tsc
		cmdline: loglevel=6 printk.devkmsg=on
		services: mem vm

		[mem.old]
		memfd m 64k lab
		store m
		serve

		[mem.new]
		stored m
		verify m lab
		serve

		[vm.old]
		iommufd io
		cdev dev 0
		bind dev io
		session vm0
		leave-luo
		preserve vm0 dev 1
		store vm0
		serve

		[vm.new]
		stored vm0
		retrieve vm0 1 dev
		iommufd io
		bind dev io
		finish vm0
		unstore vm0
		serve

		[old]
		$1
		load
		leave kexec

		[new]
		sh restored mem vm
	SCENARIO
}

# Two clocks, one for each kernel; what is between them (the jump itself, the decompressor) is the same with and without.
marks() { # CONSOLE NAME
	tr -d '\r' <"$out/guest/console.log" | awk -v who="$1" '
		match($0, /\[ *[0-9.]+\]/) { at = substr($0, RSTART + 1, RLENGTH - 2) + 0 }
		/leave kexec/ { left = at }
		/Starting new kernel/ && left { printf "%s down %.3f\n", who, at - left; left = 0 }'
	awk -v who="$1" '$1 == "mem.service" || $1 == "vm.service" { if ($2 > last) last = $2 }
		END { printf "%s up %.3f\n", who, last / 1e6 }' "$out/guest/times.new"
	sed -n "s/.*vfiotrace: recording this kernel's live updates.*; the boot waited \([0-9.]*\) s.*/$1 waited \1/p" "$out/guest/journal.new" | head -n 1
}

once() { # off|on
	local options=() first="sh vfiotrace status | grep '^recorder *armed since'"
	[ "$1" = on ] || options=(--tracer none) first="sh true"
	scenario "$first" >"$out/systemd.scn"
	${LAB_RUN:-} "$LAB_DIR/run.sh" "$out/systemd.scn" --out "$out/guest" "${options[@]}" >&2
	marks "$1"
}

for ((i = 1; i <= rounds; i++)); do
	once off
	once on
done | tee "$out/systemd.txt" >&2

unit=s
[ -z "$LAB_QEMU" ] || unit="G instructions"
{
	echo "Measured $(date -u +%Y-%m-%d) by \`make bench-systemd\`: $rounds updates of each kind in turn, guest with systemd $("$LAB_DIR/rootfs.sh" build | sed 's/.*systemd-\([0-9.]*\)-.*/\1/'), vfiotrace $(git -C "$REPO_DIR" rev-parse --short HEAD 2>/dev/null || echo "no git"). In $unit, median (lowest..highest)."
	echo
	echo "| | no recorder | with the recorder | ratio of the medians |"
	echo "|---|---|---|---|"
	awk -f "$REPO_DIR/tests/bench/median.awk" -f /dev/stdin "$out/systemd.txt" <<-'AWK'
		function row(title, what,   off, on) {
			off = nr["off", what] ? median("off", what) : 0; on = median("on", what)
			printf "| %s | %s | %s | %s |\n", title, cell("off", what, "%.2f"), cell("on", what, "%.2f"), off ? sprintf("%.2f", on / off) : "-"
		}
		{ sample($1, $2, $3); part[$1, $2] = $3 }
		$2 == "up" { sample($1, "all", part[$1, "down"] + $3) }
		END {
			row("`systemctl kexec` to the jump", "down")
			row("the new kernel starts, until the services have their files", "up")
			row("both", "all")
			row("of it: PID 1 waits until the recorder is armed", "waited")
		}
	AWK
} | tee "$out/systemd.md"
