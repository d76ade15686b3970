#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The main job, shown: two real live updates in a VM, one healthy, one whose
# kernel frees a vfio_device_file with the wrong function on an error path.
# Exits 0 only if both verdicts are the right ones.
set -eu -o pipefail
cd "$(dirname "$0")/.."
vfiotrace=${VFIOTRACE:-build/vfiotrace}
out=build/demo
wrong=0

# What a live update in QEMU is busy with, while it is: a line that is written over on a
# terminal, one each 20 seconds in a pipe. Ends with the process that it waits for.
tell() { # PID CONSOLE
	local start=$SECONDS told=$SECONDS now
	while kill -0 "$1" 2>/dev/null; do
		now=$(tr -d '\r' <"$2" 2>/dev/null | grep -vE '^[^[:alnum:]]*$' | tail -n 1 | cut -c1-50) || true
		if [ -t 1 ]; then
			printf '\r\033[K   %d s: %s' $((SECONDS - start)) "$now"
		elif [ $((SECONDS - told)) -ge 20 ]; then
			told=$SECONDS
			printf '   %d s: %s\n' $((SECONDS - start)) "$now"
		fi
		sleep 1
	done
	[ ! -t 1 ] || printf '\r\033[K'
}

update() { # NAME: one live update, traces in $out/NAME
	echo
	echo "== $1: $(sed -n 's/^title: *//p' "tests/lab/scenarios/$1.scn")"
	echo "   two kernels boot in QEMU, one into the other: a minute or so, more without KVM"
	rm -f "$out/$1/console.log"
	tests/lab/run.sh "$1" --out "$out/$1" &
	tell $! "$out/$1/console.log"
	wait $!
	echo "\$ vfiotrace diff $out/$1/pre.vft $out/$1/post.vft"
	code=0
	"$vfiotrace" diff "$out/$1/pre.vft" "$out/$1/post.vft" | tee "$out/$1/report.txt" || code=$?
	echo "exit code $code"
}

verdict() { # TEXT CONDITION...
	local text=$1
	shift
	if "$@"; then
		echo "right: $text"
	else
		echo "WRONG: expected $text"
		wrong=1
	fi
}

update healthy
verdict "the healthy update is clean (exit 0)" [ "$code" = 0 ]
update seeded-df-kvfree
verdict "the seeded update has findings (exit 1)" [ "$code" = 1 ]
verdict "a finding that names kvfree and the open path" \
	grep -q 'kvfree.*vfio_device_cdev_open\|vfio_device_cdev_open.*kvfree' "$out/seeded-df-kvfree/report.txt"
exit "$wrong"
