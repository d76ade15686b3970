#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For dracut: an initramfs that has a systemd in it. Its PID 1 is the first to open /dev/liveupdate, so the
# recorder has to be in there; it lives on when the root file system takes over.
# dracut says where to: $initdir, and has the functions that put things there.

# shellcheck disable=SC2154 # initdir, systemdsystemunitdir and the others are dracut's
unit=vfiotrace-live-update.service

# 255: only where it is asked for (--add vfiotrace).
check() {
	require_binaries vfiotrace vfiotrace-live-update || return 1
	for dir in /etc /run; do
		[ "$(readlink "${dracutsysrootdir-}$dir/systemd/system/$unit")" != /dev/null ] || return 255
	done
	for link in "${dracutsysrootdir-}"/etc/systemd/system/*.wants/"$unit"; do
		[ ! -L "$link" ] || return 0
	done
	return 255
}

depends() {
	echo systemd
}

install() {
	local wants=$initdir/etc/systemd/system/multi-user.target.wants
	inst_multiple vfiotrace vfiotrace-live-update sh flock ln mkdir nsenter readlink rm setsid sleep
	inst_multiple -o /etc/vfiotrace/live-update.conf
	inst_script "${systemdutildir:-/usr/lib/systemd}/system-generators/vfiotrace-generator" /usr/lib/systemd/system-generators/vfiotrace-generator
	# What vfiotrace-live-update goes by; the unit itself is of the root file system.
	mkdir -p "$wants"
	ln -sf "/usr/lib/systemd/system/$unit" "$wants/"
}
