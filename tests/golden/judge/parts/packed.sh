# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Traces that were compressed: judged as they are without; cut or damaged ones as far as they can be read.
packed() { # HOW FILE: what HOW makes of it, on stdout
	case $1 in
	gzip | xz) "$1" -c "$2" ;;
	gzip-two) head -c 20000 "$2" | gzip -c; tail -c +20001 "$2" | gzip -c ;;
	zstd) zstd -qc "$2" ;;
	esac
}
prepare "$here/cases/alloc-mismatch-seed.case" || not_ok "packed: no case"
cp "$tmp/old.vt" "$tmp/packed.pre"
cp "$tmp/new.vt" "$tmp/packed.post"
"$tool" diff -f json "$tmp/packed.pre" "$tmp/packed.post" >"$tmp/plain.json"
for how in gzip gzip-two xz zstd; do
	command -v "${how%-two}" >/dev/null || { skip "no ${how%-two}"; continue; }
	mkdir -p "$tmp/$how"
	packed $how "$tmp/packed.pre" >"$tmp/$how/packed.pre"
	packed $how "$tmp/packed.post" >"$tmp/$how/packed.post"
	"$tool" diff -f json "$tmp/$how/packed.pre" "$tmp/$how/packed.post" >"$tmp/packed.json" 2>"$tmp/err"
	[ $? = 1 ] && sed "s|/$how/|/|" "$tmp/packed.json" | cmp -s - "$tmp/plain.json" && ok || not_ok "packed by $how: another report: $(head -n 1 "$tmp/err")"

	# All of the trace is there, and what says so is not.
	head -c -2 "$tmp/$how/packed.post" >"$tmp/cut"
	"$tool" check "$tmp/cut" >"$tmp/text" 2>"$tmp/err"
	[ $? = 65 ] || grep -qE "DAMAGED|breaks off" "$tmp/text" && ok || not_ok "packed by $how and cut: $(head -n 4 "$tmp/text" "$tmp/err")"
	head -c 20 "$tmp/$how/packed.post" >"$tmp/cut"
	"$tool" check "$tmp/cut" >"$tmp/text" 2>"$tmp/err"
	[ $? = 65 ] && grep -q "damaged before anything could be read\|cut off within the file header" "$tmp/err" && ok || not_ok "packed by $how and cut early: $(cat "$tmp/err")"
	echo "no trace at all" >"$tmp/other"
	packed $how "$tmp/other" >"$tmp/cut"
	"$tool" check "$tmp/cut" >"$tmp/text" 2>"$tmp/err"
	[ $? = 65 ] && grep -q "compressed, and not a vfiotrace file" "$tmp/err" && ok || not_ok "packed by $how, no trace: $(cat "$tmp/err")"
	# What would fill a disk is left at a thousand times (gzip cannot do more).
	case $how in gzip*) continue ;; esac
	{ head -c 4096 "$tmp/packed.post"; head -c 100M /dev/zero; } >"$tmp/other"
	packed $how "$tmp/other" >"$tmp/cut"
	rm -f "$tmp/other"
	"$tool" check "$tmp/cut" >"$tmp/text" 2>"$tmp/err"
	[ $? = 65 ] && grep -q "more than a thousand times as large" "$tmp/err" && ok || not_ok "packed by $how, a bomb: $(cat "$tmp/err")"
done
