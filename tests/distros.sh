#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the tree as it is in clean installations of Debian and runs there what needs no kernel.
# The installations are made by mmdebstrap, from wherever the machine's own apt gets its
# packages, with the packages that tests/deps.sh names and nothing else; they are kept in
# ~/.cache/vfiotrace/chroots until that list changes. A line per distribution.
# Usage: distros.sh [SUITE...]	(default: bookworm trixie sid; FRESH=1 makes them again; ARCH=arm64 cross-builds for that
# and runs its host-test)
set -u
cd "$(dirname "$0")/.." || exit 74
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vfiotrace/chroots
tests=${DISTRO_TESTS:-unit cli-test layers golden-trace judge-test}
deps=host cross='' architectures=$(dpkg --print-architecture)
[ "${ARCH:-}" != arm64 ] || [ "$architectures" = arm64 ] || deps=cross cross=-arm64 architectures+=,arm64
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ $# -gt 0 ] || set -- bookworm trixie sid

skip_all() { # WHY
	echo "skipped: $1"
	echo "0 passed, 0 failed, $# skipped"
	exit 0
}
[ "$(id -u)" = 0 ] || skip_all "another distribution's tree is entered by chroot, as root"
command -v mmdebstrap >/dev/null || skip_all "mmdebstrap is not installed (DEPS=ship tests/deps.sh)"
unshare --mount true 2>/dev/null || skip_all "no mount namespace here"

# The archive that the machine uses. Frozen mirrors have lists that expired.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
[ -n "$archive" ] || skip_all "the machine's apt knows no Debian archive: apt-get update"

make_root() { # SUITE DIR
	local packages
	packages=$(DEPS=$deps tests/deps.sh --list | paste -sd,)
	rm -rf "$cache/$1$cross".*
	mmdebstrap --mode=root --variant=apt --architectures="$architectures" --include="$packages" --skip=cleanup/apt \
		--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		"$1" "$2.new" "$archive" >"$cache/$1$cross.log" 2>&1 || return 1
	rm -rf "$2.new"/var/cache/apt/archives/*.deb
	mv "$2.new" "$2"
}

root_of() { # SUITE: makes it where it is not there; prints where
	local key dir
	key=$(DEPS=$deps tests/deps.sh --list | sha256sum | head -c 12)
	dir=$cache/$1$cross.$key
	exec 9>"$cache/$1$cross.lock"
	flock 9
	if [ ! -d "$dir" ] || [ -n "${FRESH:-}" ]; then
		echo "  $1: making it" >&2
		make_root "$1" "$dir" || return 1
	fi
	echo "$dir"
}

# Sources and output lie in memory: nothing stays in the installation.
inside() { # ROOT COMMAND
	unshare --mount bash -c '
		set -e
		mount --make-rprivate /
		mount -t proc proc "$0/proc"
		mount --rbind /sys "$0/sys"
		mount --rbind /dev "$0/dev"
		mkdir -p "$0/src"
		mount -t tmpfs tmpfs "$0/src"
		cp -a "$1/." "$0/src"
		exec chroot "$0" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/src LC_ALL=C.UTF-8 bash -c "cd /src; $2"' \
		"$1" "$tmp/sources" "$2"
}

versions='. /etc/os-release; v() { dpkg-query -W -f="\${Version}" "$1" | sed "s/^[0-9]*://; s/[-+~].*//"; }
	echo "$PRETTY_NAME $(cat /etc/debian_version), gcc $(gcc -dumpfullversion), clang $(clang -dumpversion), libbpf $(v libbpf-dev), libelf $(v libelf-dev)"'

# What is built and run in there.
native() {
	echo "apt-get -s install $(DEPS=all tests/deps.sh --list | paste -sd' ') >/dev/null && echo all packages can be installed
		nice make -j$(nproc) all mktrace && nice make -j$(nproc) LINK=dynamic OUTPUT=build/dynamic all &&
		file=build/vfiotrace && ! readelf -d \$file | grep NEEDED && build/vfiotrace --version && build/dynamic/vfiotrace --version &&
		echo built both && tests/run.sh $tests"
}

foreign() {
	echo "apt-get -s install $(DEPS=arm64 tests/deps.sh --list | paste -sd' ') >/dev/null && echo all packages can be installed
		nice make -j$(nproc) ARCH=arm64 all && file=build/arm64/vfiotrace && readelf -h \$file | grep AArch64 &&
		! readelf -d \$file | grep NEEDED && echo built both && make ARCH=arm64 host-test"
}

one() { # SUITE
	local commands suite=$1$cross log=build/distros/$1$cross.log root line p f s start=$SECONDS
	root=$(root_of "$1") || {
		echo "not ok $suite: no installation, $cache/$suite.log ends with:"
		tail -n 5 "$cache/$suite.log" | sed 's/^/    /'
		failed=$((failed + 1))
		return
	}
	commands=native
	[ -z "$cross" ] || commands=foreign
	{
		inside "$root" "$versions"
		inside "$root" "$("$commands")"
	} >"$log" 2>&1
	read -r p _ f _ s _ <<<"$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1 | tr -d ,)"
	line="$suite: $(head -n 1 "$log"): ${p:-0} passed, ${f:-0} failed, ${s:-0} skipped ($((SECONDS - start)) s)"
	if grep -qx 'all packages can be installed' "$log" && grep -qx 'built both' "$log" && [ "${p:-0}" -gt 0 ] && [ "${f:-1}" = 0 ]; then
		echo "ok $line"
		passed=$((passed + 1))
	else
		echo "not ok $line; see $log"
		grep -E '^not ok|^E: |[Ee]rror|undefined reference' "$log" | head -n 5 | sed 's/^/    /'
		failed=$((failed + 1))
	fi
}

mkdir -p "$cache" build/distros
packaging/source.sh "$tmp/sources" || exit 74
for suite; do
	one "$suite"
done
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
