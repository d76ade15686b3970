#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# README.md with the verdict that the program prints now, on standard output.
#	tests/ship/readme.sh VFIOTRACE DIR > README.new
set -eu -o pipefail
cd "$(dirname "$0")/../.."
# Of the version, the release. To the end of its first finding: what a first screen holds.
tests/try.sh "$1" "$2" seeded-fmapping-missing | sed -E 's/(vfiotrace [0-9.]+)-[0-9]+-g[0-9a-f]+(-dirty)?/\1/' | awk '{ print } /^ *fingerprint/ { exit }' >"$2/verdict.txt" || [ $? = 141 ]
[ -s "$2/verdict.txt" ]
awk -v verdict="$2/verdict.txt" '
	/^<!-- The verdict of/ { mine = 1 }
	mine && /^```$/ && !inside { print; while ((getline line < verdict) > 0) print line; inside = 1; next }
	inside && /^```$/ { inside = mine = 0 }
	!inside' README.md
