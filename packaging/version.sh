#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The version: the last tag and how far from it git says we are. VERSION has what
# comes next while there is no tag, and all there is in a tree without git.
set -eu
cd "$(dirname "$0")/.."
version=$(cat VERSION)
if [ -e .git ]; then
	export GIT_OPTIONAL_LOCKS=0
	if described=$(git describe --dirty --abbrev=12 --match 'v[0-9]*' 2>/dev/null); then
		version=${described#v}
	elif described=$(git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null); then
		version=$version-$(git rev-list --count HEAD)-g$described
	fi
fi
echo "$version"
