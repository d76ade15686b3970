#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The sources as they are here, and nothing else, into the new directory DIR. They
# know their version without git.
# Usage: source.sh DIR
set -eu -o pipefail
mkdir -p "$1"
to=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
if [ -e .git ]; then
	git ls-files -z --cached --others --exclude-standard
else
	find . -path ./build -prune -o \( -type f -o -type l \) -print0
fi | while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done 2>/dev/null |
	tar --null -T - -c | tar -x -C "$to"
packaging/version.sh >"$to/VERSION"
