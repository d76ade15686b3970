#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Gives the lab a guest with a real systemd: finds its root file system in the cache, or
# unpacks it from the distribution's packages, whose scripts are not run.
#
# What is printed on stdout is the image of an ext4 file system. It appears there whole or
# not at all; its name says which systemd is in it and what went into making it. Runs never
# write to it.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

GUEST_DIR=$CACHE_DIR/guests

# Raised when the steps below change in a way that changes what they make.
RECIPE=1

# The suite to take it from, and what is wanted of it: what they depend on comes along.
SUITE=${LAB_GUEST_SUITE:-forky}
PACKAGES="base-files base-passwd systemd systemd-sysv udev kexec-tools kmod libseccomp2
	dash coreutils util-linux mount bsdutils grep sed findutils"

# The first systemd that hands its fd stores over to LUO.
OLDEST=261

# No part of a live update, and half of the size.
UNWANTED="usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/lintian
	usr/share/bash-completion usr/share/zsh usr/share/bug usr/share/i18n usr/share/perl5
	usr/lib/udev/hwdb.d usr/lib/x86_64-linux-gnu/gconv usr/lib/x86_64-linux-gnu/perl-base"

# Generators and units that the guest starts: emulation is slow, and an update here is
# about PID 1 and the services of the scenario. Everything is as packaged otherwise.
KEPT_GENERATORS="systemd-debug-generator systemd-run-generator"
KEPT_UNITS="systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket"
KEPT_UNITS+=" sys-kernel-debug.mount sys-kernel-tracing.mount systemd-tmpfiles-setup.service"
KEPT_UNITS+=" systemd-journal-flush.service"

usage() {
	cat <<USAGE
usage: rootfs.sh build			print the image of a ready root file system
       rootfs.sh unpack DIRECTORY MORE	the same as a directory, with the packages MORE, and without the image
       rootfs.sh list			what is in the cache

The cache is VFIOTRACE_CACHE, or ~/.cache/vfiotrace. LAB_GUEST_SUITE is the suite of the
archive ($SUITE).
USAGE
}

scratch=''
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP

# All that decides what an image is, but for the versions of the packages: an image that
# is here stays, without a network, until one of these changes.
recipe() {
	{
		echo "recipe $RECIPE"
		echo "$SUITE $PACKAGES $UNWANTED $KEPT_GENERATORS $KEPT_UNITS"
	} | sha256sum | cut -c1-12
}

cached() {
	find "$GUEST_DIR" -maxdepth 1 -name "systemd-*-$(recipe).ext4" | sort -V | tail -n 1
}

# apt with the lab's own lists, as for the kernels.
download() { # DIRECTORY
	# shellcheck disable=SC2086 # several words on purpose
	"$LAB_DIR/kernel.sh" apt apt-get install --yes --download-only --no-install-recommends \
		--target-release="$SUITE" -o "Dir::Cache=$1" $PACKAGES
}

# Lists that are older than the archive name packages that it has no more.
fetch_packages() { # DIRECTORY
	local log=$CACHE_DIR/apt.log
	mkdir -p "$1/archives/partial"
	! download "$1" >>"$log" 2>&1 || return 0
	"$LAB_DIR/kernel.sh" apt apt-get update >>"$log" 2>&1 || true
	download "$1" >>"$log" 2>&1 || gone "the packages of a guest with systemd cannot be had from $SUITE: see $log"
}

# Whatever needs such a guest is skipped then, and counted as that.
gone() {
	echo "lab: $*" >&2
	exit "$GONE"
}

# base-files first: its links from /bin to usr/bin must be there before anything else is.
unpack() { # ARCHIVES ROOT
	local deb
	mkdir -p "$2"
	for deb in "$1"/base-files_*.deb "$1"/*.deb; do
		dpkg-deb --extract "$deb" "$2"
	done
}

# Units that other units want, but for those that are kept.
trim_units() { # ROOT
	local link
	find "$1/usr/lib/systemd/system" -path '*.wants/*' | while read -r link; do
		case " $KEPT_UNITS " in
		*" ${link##*/} "*) ;;
		*) rm "$link" ;;
		esac
	done
	find "$1/usr/lib/systemd/system-generators" -type f -o -type l | while read -r link; do
		case " $KEPT_GENERATORS " in
		*" ${link##*/} "*) ;;
		*) rm "$link" ;;
		esac
	done
}

# What the packages' own scripts would have made, as far as the guest needs it.
set_up() { # ROOT
	local root=$1 path
	for path in $UNWANTED; do
		rm -rf "${root:?}/$path"
	done
	trim_units "$root"
	cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
	cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
	echo lab >"$root/etc/hostname"
	# With one it is no first boot, on which systemd does much more.
	echo 6c616220677565737400000000000001 >"$root/etc/machine-id"
	: >"$root/etc/fstab"
	mkdir -p "$root"/{host,lab,etc/systemd/journald.conf.d}
	printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
	ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
}

make_image() { # ROOT FILE
	local kilobytes
	kilobytes=$(du -sk "$1" | cut -f1)
	# Half as much again, and room for what a run leaves.
	mke2fs -q -t ext4 -L lab -O ^metadata_csum_seed -E root_owner=0:0 -d "$1" "$2" \
		$((kilobytes * 3 / 2 + 65536))k >&2
}

systemd_version() { # ARCHIVES
	basename "$1"/systemd_*.deb | cut -d_ -f2 | sed 's/%3a/:/'
}

build() {
	local image version key
	mkdir -p "$GUEST_DIR"
	exec 9>"$GUEST_DIR/.lock"
	flock 9
	image=$(cached)
	if [ -z "$image" ]; then
		echo "lab: a guest with systemd" >&2
		scratch=$(mktemp -d "$GUEST_DIR/build.XXXXXX")
		fetch_packages "$scratch"
		version=$(systemd_version "$scratch/archives")
		dpkg --compare-versions "$version" ge "$OLDEST" ||
			gone "$SUITE has systemd $version: it takes $OLDEST to be updated live"
		unpack "$scratch/archives" "$scratch/root"
		set_up "$scratch/root"
		make_image "$scratch/root" "$scratch/image"
		key=$(cd "$scratch/archives" && printf '%s\n' *.deb | sha256sum | cut -c1-12)
		image=$GUEST_DIR/systemd-$version-$key-$(recipe).ext4
		(cd "$scratch/archives" && printf '%s\n' *.deb) >"${image%.ext4}.packages"
		mv "$scratch/image" "$image"
		rm -rf "$scratch"
		scratch=''
	fi
	exec 9>&-
	echo "$image"
}

unpack_into() { # DIRECTORY PACKAGES
	PACKAGES+=" $2"
	UNWANTED=''
	mkdir -p "$GUEST_DIR"
	scratch=$(mktemp -d "$GUEST_DIR/build.XXXXXX")
	fetch_packages "$scratch"
	unpack "$scratch/archives" "$1"
	set_up "$1"
}

list() {
	find "$GUEST_DIR" -maxdepth 1 -name '*.ext4' -printf '%f %s bytes\n' 2>/dev/null | sort -V
}

case ${1:-} in
build) build ;;
unpack) [ $# = 3 ] || { usage >&2; exit 64; }; unpack_into "$2" "$3" ;;
list) list ;;
-h | --help) usage ;;
*) usage >&2; exit 64 ;;
esac
