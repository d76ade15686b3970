#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# Empty programs on the functions that preserve and restore memory, until the guest ends.
PATH=/bin
if ! [ -d /peers ]; then
	mkdir -p /peers /lib64
	tar -xf /host/bench/peers.tar -C /peers
	ln -s /peers/lib64/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
fi
{
	echo 'BEGIN { printf("ready\n"); }'
	for f in preserve_folio unpreserve_folio restore_folio preserve_pages unpreserve_pages restore_pages; do
		echo "kretfunc:kho_$f { }"
	done
} >/tmp/floor.bt
LD_LIBRARY_PATH=/peers/lib taskset 2 /peers/bin/bpftrace /tmp/floor.bt >/tmp/floor.out 2>&1 &
while ! grep -q ready /tmp/floor.out; do sleep 0.2; done
sleep 5
