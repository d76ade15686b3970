#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The table of hooks (include/vfiotrace/hooks/) against their bodies (bpf/): each way in which
# the two can disagree is tried on a copy, and must end the build.
# Usage: test.sh COMPILER ARGUMENT...	with paths below the top of the tree
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 74
tmp=$(mktemp -d) || exit 74
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "not ok $*"; }

copy() { rm -rf "$tmp/bpf" "$tmp/include" && cp -r bpf include "$tmp"; }
# Paths of the copy come first, and #include "..." of the unit finds the copy too.
compile() { "$1" -I"$tmp/include" -I"$tmp/bpf" "${@:2}" >"$tmp/out" 2>&1; }

# TITLE FILE SED-SCRIPT WORDS: the change of FILE ends the build, and the compiler says WORDS.
refused() {
	copy
	sed -i -E "$3" "$tmp/$2"
	if cmp -s "$2" "$tmp/$2"; then
		not_ok "$1: nothing was changed in $2"
	elif compile "${build[@]}"; then
		not_ok "$1: it builds"
	elif grep -qE "error: .*$4" "$tmp/out"; then
		ok
	else
		not_ok "$1: $(grep -m1 error: "$tmp/out")"
	fi
}

build=("$@")
hooks=include/vfiotrace/hooks

copy
compile "${build[@]}" && ok || not_ok "as it is: $(head -n 3 "$tmp/out")"

refused 'a line without a body, its own program' $hooks/file.def '/^HOOK\(fput,/i HOOK(nobody, ENTER, FILE_FPUT, "nobody", OWN, 0, ARG(int, a))' "'enter_nobody'.*not defined"
refused 'a line without a body, a shared program' $hooks/vfio.def '/^HOOK\(df_open,/i HOOK(nobody, EXIT, VFIO_DF_OPEN, "nobody", SHARED, 0, ARG(int, a))' "'exit_nobody'.*not defined"
refused 'one more end than bodies' $hooks/file.def 's/^HOOK\(fput, ENTER/HOOK(fput, BOTH/' "'exit_fput'.*not defined"
refused 'a body without a line' bpf/vfio.bpf.c '/^ENTER\(release\)/i EXIT(nowhere)\n{\n}\n' 'struct x_nowhere'
refused 'a body for an end that the line has not' $hooks/kho.def 's/^HOOK\(kho_alloc_preserve, BOTH/HOOK(kho_alloc_preserve, EXIT/' 'struct e_kho_alloc_preserve'
refused 'an argument that the body reads and the line has not' $hooks/luo.def '/"luo_preserve_file"/,/RET/s/ARG\(u64, token\) //' "no member named 'token'"
refused 'a result that the body reads and the line has not' $hooks/kho.def '/"kho_restore_folio"/,/RET/s/ RET\(struct folio \*\)//' "no member named 'ret'"
refused 'an argument of another type' $hooks/file.def 's/ARG\(struct file \*, file\)\)$/ARG(struct inode *, file))/' 'incompatible pointer types'
refused 'an argument that takes two places' $hooks/kho.def 's/ARG\(u64, size\) RET/ARG(struct list_head, size) RET/' '8 bytes for each argument of kho_alloc_preserve'
refused 'a word for the ends that there is not' $hooks/file.def 's/^HOOK\(fput, ENTER/HOOK(fput, BEGIN/' 'declaration of .struct e_fput'

echo "$passed passed, $failed failed"
[ $failed = 0 ]
