#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what building, the lab and the tests need, from the distribution.
# Quiet when everything is there. DEPS=build asks for the build alone, DEPS=bench
# for what only `make bench` needs as well, DEPS=flavours for `make lab-all`.
set -eu

build="gcc libc6-dev make clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libdeflate-dev"
lab="qemu-system-x86 busybox-static flex bison bc libssl-dev dwarves cpio kmod xz-utils ccache perl python3 patch debian-archive-keyring ca-certificates"
tests="clang-format libcmocka-dev libclang-rt-14-dev jq libxml2-utils junitparser python3-jsonschema"
bench="bpftrace trace-cmd"
flavours="clang-19 lld-19 llvm-19"

want=$build
[ "${DEPS:-all}" = build ] || want="$build $lab $tests"
[ "${DEPS:-all}" != bench ] || want="$want $bench"
[ "${DEPS:-all}" != flavours ] || want="$want $flavours"

missing=
for p in $want; do
	case $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || :) in
	installed) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "missing packages:$missing" >&2
	echo "install them as root: apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get -q update && apt-get -q -y install --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "apt-get could not install:$missing" >&2
	exit 1
fi
