#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Has the distribution's own dracut make an initramfs on the root file system of the guest with systemd, with our files installed and
# the unit enabled, and looks at what is in it; and that nothing of ours is where the unit is not enabled.
# Usage: dracut.sh VFIOTRACE. As root; the packages come from the lab's archive (LAB_GUEST_SUITE).
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tool=$(realpath "$1")
MODULES="base systemd systemd-initrd rootfs-block"
# What a plain unpacking lacks of the essential packages, and dracut with what it calls.
PACKAGES="dracut-core bash cpio gzip tar mawk diffutils hostname libc-bin sysvinit-utils"

if [ "$(id -u)" != 0 ]; then
	echo "skipped: dracut's initramfs, as only root may change its root"
	exit 0
fi
if [ "${2-}" != inside ]; then
	exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "$1" inside
fi

mkdir -p "$CACHE_DIR/guests"
scratch=$(mktemp -d "$CACHE_DIR/guests/dracut.XXXXXX")
root=$scratch/root
trap 'umount -R "$root" 2>/dev/null || true; rm -rf "$scratch"' EXIT

# The directories that the initramfs of this name has, and what is ours in them.
in_initramfs() { # ARGUMENTS OF DRACUT...
	rm -f "$root/tmp/initramfs"
	chroot "$root" dracut --force --no-kernel --no-hostonly --no-compress "$@" /tmp/initramfs >"$scratch/log" 2>&1 ||
		die "dracut: $(tail -n 1 "$scratch/log")"
	cpio --quiet -it <"$root/tmp/initramfs" >"$scratch/list"
}

enable() {
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -sf /usr/lib/systemd/system/vfiotrace-live-update.service "$root/etc/systemd/system/multi-user.target.wants/"
}

"$LAB_DIR/rootfs.sh" unpack "$root" "$PACKAGES"
make -s --no-print-directory -C "$REPO_DIR" install-systemd PREFIX=/usr DESTDIR="$root" >&2
install -m 755 "$tool" "$root/usr/bin/vfiotrace"
[ -e "$root/usr/bin/awk" ] || ln -s mawk "$root/usr/bin/awk"
mkdir -p "$root"/{dev,proc,sys,tmp,run,var/tmp}
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
chroot "$root" ldconfig

passed=0 failed=0
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name"
		failed=$((failed + 1))
	fi
}
has() {
	grep -qx -- "$1" "$scratch/list"
}
has_none() {
	! grep -q vfiotrace "$scratch/list"
}

in_initramfs --modules "$MODULES"
check "not enabled: nothing of it is in the initramfs" has_none

in_initramfs --modules "$MODULES vfiotrace"
check "asked for: it is" has usr/lib/systemd/system-generators/vfiotrace-generator

enable
in_initramfs --omit "plymouth"
for file in usr/bin/vfiotrace usr/sbin/vfiotrace-live-update usr/lib/systemd/system-generators/vfiotrace-generator \
	etc/systemd/system/multi-user.target.wants/vfiotrace-live-update.service etc/vfiotrace/live-update.conf \
	usr/bin/nsenter usr/bin/flock usr/bin/setsid usr/bin/readlink usr/bin/sleep usr/lib/systemd/systemd; do
	check "enabled: $file" has "$file"
done
# The recorder is there whole: what it is linked with came along.
mkdir "$scratch/initramfs"
(cd "$scratch/initramfs" && cpio --quiet -idm <"$root/tmp/initramfs" 2>/dev/null) || true
check "the recorder runs in there" chroot "$scratch/initramfs" /usr/bin/vfiotrace --version

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
