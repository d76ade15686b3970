#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what building, the lab and the tests need, from the distribution: Debian 12 and later.
# Quiet when everything is there. DEPS picks: build; host (build, and the tests without a kernel);
# ship (build, and the package, the man pages' and the distributions' tests); bench for what only
# `make bench` needs as well, flavours for `make lab-all`; cross for `make ARCH=arm64` and its host-test, arm64 for the
# lab's guests with LAB_ARCH=arm64 as well; all, the default, is what `make test` takes but for its parts of arm64, which
# install what they take.
# With --list the names are printed and nothing is installed.
set -eu

build="gcc libc6-dev make clang llvm bpftool libbpf-dev libelf-dev libdw-dev libprotobuf-c-dev protobuf-c-compiler zlib1g-dev liblzma-dev libzstd-dev libdeflate-dev pkgconf"
lab="qemu-system-x86 busybox-static eatmydata flex bison bc libssl-dev dwarves cpio kmod xz-utils ccache perl python3 patch debian-archive-keyring ca-certificates"
host="libcmocka-dev protobuf-compiler python3-yaml jq sqlite3 libxml2-utils junitparser python3-jsonschema python3 perl xz-utils mandoc zsh zstd"
fuzz="clang-format libclang-rt-dev"
ship="mandoc zsh mmdebstrap debian-archive-keyring dpkg-dev debhelper fakeroot lintian"
bench="bpftrace trace-cmd"
flavours="clang-19 lld-19 llvm-19"
# For another architecture than the machine's: its compiler, its libraries beside ours, its emulators.
cross="gcc-aarch64-linux-gnu libc6-dev:arm64 libbpf-dev:arm64 libelf-dev:arm64 libdw-dev:arm64 zlib1g-dev:arm64 liblzma-dev:arm64 libzstd-dev:arm64 libdeflate-dev:arm64 libprotobuf-c-dev:arm64 libcmocka-dev:arm64 qemu-user-static"

case ${DEPS:-all} in
build) want=$build ;;
host) want="$build $host" ;;
ship) want="$build $ship" ;;
all) want="$build $lab $host $fuzz $ship" ;;
bench) want="$build $lab $host $fuzz $bench" ;;
flavours) want="$build $lab $host $fuzz $flavours" ;;
cross) want="$build $host $cross" foreign=arm64 here="$build $host" ;;
arm64) want="$build $lab $host $cross qemu-system-arm" foreign=arm64 here="$build $lab $host" ;;
*) echo "DEPS=$DEPS: there are build, host, ship, bench, flavours, cross, arm64 and all" >&2; exit 64 ;;
esac
[ "$(dpkg --print-architecture 2>/dev/null)" != "${foreign:-}" ] || { want=$here foreign=; }
want=$(printf '%s\n' $want | sort -u)
if [ "${1:-}" = --list ]; then
	printf '%s\n' $want
	exit 0
fi

native=$(dpkg --print-architecture 2>/dev/null || :)
# Of a package that is there for two architectures, NAME is the machine's.
is_installed() { # NAME[:ARCHITECTURE]
	dpkg-query -W -f='${db:Status-Status} ${Architecture}\n' "$1" 2>/dev/null | grep -qE "^installed (${native:-none}|all|${foreign:-all})\$"
}

missing=
for p in $want; do
	case $p in
	*:*) is_installed "$p" ;;
	*) foreign='' is_installed "$p" ;;
	esac || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "missing packages:$missing" >&2
	[ -z "${foreign:-}" ] || echo "first, as root: dpkg --add-architecture $foreign; apt-get update" >&2
	echo "install them as root: apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
[ -z "${foreign:-}" ] || dpkg --add-architecture "$foreign"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get -q update && apt-get -q -y install --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "apt-get could not install:$missing" >&2
	exit 1
fi
