#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The man pages: one per command, without a warning of mandoc's, complete, and true to the program.
# Usage: man.sh VFIOTRACE DIR-OF-PAGES
set -u
here=$(dirname "$0")
. "$here/lib.sh"
vt=$1 dir=$2

sections() { # PAGE
	local s
	for s in NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" EXAMPLES "SEE ALSO"; do
		grep -qx "\.Sh $s" "$1" || { echo "no section $s"; return 1; }
	done
}
lint() { # PAGE: what mandoc calls a warning or worse
	mandoc -Tlint -Wwarning "$1"
}
narrow() { # PAGE: no line is wider than a terminal
	! mandoc -Tutf8 -Owidth=80 "$1" | sed 's/.\x08//g' | grep -E '.{81}'
}
describes() { # COMMAND: each option of the program's
	local name
	while IFS=$'\t' read -r name; do
		grep -qE "^\.It( Fl . ,)? Fl \\\\-${name//-/\\\\-}( |$)" "$dir/vfiotrace-$1.1" || { echo "no --$name"; return 1; }
	done < <("$vt" --options "$1" | cut -f2)
}
known_pages() { # PAGE: what it points to exists
	local name section
	while read -r _ name section _; do
		[ "${name#vfiotrace}" = "$name" ] || [ -e "$dir/$name.$section" ] || { echo "no page $name($section)"; return 1; }
	done < <(grep -oE '^\.(It )?Xr vfiotrace[^ ]* [158]' "$1" | sed 's/^\.It //')
}
same_codes() { # all that the header has stand in vfiotrace(1)
	diff <(sed -n 's/^\tX([A-Z_]*, \([0-9]*\),.*/\1/p' "$here/../../include/vfiotrace/exit.h") <(sed -n 's/^\.It \([0-9]*\)$/\1/p' "$dir/vfiotrace.1")
}

for c in $("$vt" --options | cut -f1); do
	ok "a page for $c" test -s "$dir/vfiotrace-$c.1"
	ok "vfiotrace-$c has its sections" sections "$dir/vfiotrace-$c.1"
	ok "vfiotrace-$c has each option" describes "$c"
done
ok "the codes are the program's" same_codes
for page in "$dir"/*.[158]; do
	ok "${page##*/} points to pages that exist" known_pages "$page"
	ok "${page##*/} has examples" grep -qx '\.Sh EXAMPLES' "$page"
	if command -v mandoc >/dev/null; then
		ok "mandoc on ${page##*/}" lint "$page"
		ok "${page##*/} in 80 columns" narrow "$page"
	fi
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
readme() {
	"$here/readme.sh" "$vt" "$tmp" | diff "$here/../../README.md" - || { echo "make readme puts the verdict of today there"; return 1; }
}
ok "the README's verdict is what the program prints" readme
command -v mandoc >/dev/null || skip "mandoc is not installed"
finish
