#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packages for the machine's own Debian, in DIR: sources as they are here, a changelog whose
# first entry is their version, dpkg-buildpackage, and what lintian says. NOCHECK=1 builds only.
# ARCHITECTURE is dpkg's name of another than the machine's: nothing is tested then, and DEPS of tests/deps.sh knows
# what is needed: not all packages of tools say that one of any architecture will do.
# Usage: deb.sh DIR [ARCHITECTURE]
set -eu -o pipefail
mkdir -p "$1"
cross=()
[ -z "${2:-}" ] || [ "$2" = "$(dpkg --print-architecture)" ] || cross=("-a$2" -Pcross,nocheck -d) NOCHECK=1
dir=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
version=$(packaging/version.sh)
# "0.1.0-12-gabc" in a version of upstream's: 0.1.0+12+gabc.
upstream=${version//-/+}
if [ -e .git ]; then
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
else
	SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -S Timestamp)
fi
export SOURCE_DATE_EPOCH
tree=$dir/vfiotrace-$upstream
rm -rf "$dir"/vfiotrace*
packaging/source.sh "$tree"
tar -c --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --exclude=./debian \
	--transform "s,^\.,vfiotrace-$upstream," -C "$tree" . | xz -T1 >"$dir/vfiotrace_$upstream.orig.tar.xz"
{
	printf 'vfiotrace (%s-1) UNRELEASED; urgency=medium\n\n  * Built from %s.\n\n -- %s  %s\n\n' "$upstream" "$version" \
		"$(sed -n 's/^Maintainer: //p' debian/control)" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
	[ "$upstream" != "$(dpkg-parsechangelog -S Version | sed 's/-[^-]*$//')" ] || : >"$tree/debian/changelog"
	cat "$tree/debian/changelog"
} >"$dir/changelog"
mv "$dir/changelog" "$tree/debian/changelog"
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$tree" && DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-}${NOCHECK:+ nocheck}" dpkg-buildpackage -us -uc ${cross[@]+"${cross[@]}"} >"$dir/vfiotrace.build" 2>&1) || {
	tail -n 30 "$dir/vfiotrace.build" >&2
	exit 1
}
ls "$dir"/*.deb
lintian --version >/dev/null 2>&1 || { echo "skipped: lintian is not installed"; exit 0; }
lintian --allow-root --fail-on error --display-info "$dir"/*.changes
