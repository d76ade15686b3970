#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The same bytes from two checkouts at different paths, with outputs in different places, at
# different times and by different jobs: the binary, the man pages.
# Usage: reproducible.sh
set -u
here=$(dirname "$0")
. "$here/lib.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

build() { # TREE OUTPUT JOBS
	"$here/../../packaging/source.sh" "$1" && make -C "$1" -j"$3" OUTPUT="$2" V=1 all man
}
same() { # FILE
	cmp "$tmp/one/build/$1" "$tmp/output/$1"
}
no_path() { # FILE: the tree's place is not in it
	! grep -aoE "$tmp[^[:cntrl:]]{0,40}" "$tmp/output/$1"
}

ok "a build" build "$tmp/one" build 2
ok "another, elsewhere" build "$tmp/further/down/tree" "$tmp/output" 1
ok "the binary is the same" same vfiotrace
ok "it does not say where it was built" no_path vfiotrace
ok "the BPF object is the same" same bpf/programs.linked.o
for f in "$tmp"/one/build/man/*; do
	ok "${f##*/} is the same" same "man/${f##*/}"
done
finish
