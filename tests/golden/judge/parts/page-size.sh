# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by run.sh: the same update where pages are of 16 and 64 KiB. Addresses and sizes of memory grow with
# them, and the verdict must not: the same rules fire as often, judge as much, and leave as much unknown.
grown() { # FILE FACTOR: lines whose every page is FACTOR times as long
	perl -pe 'BEGIN { $by = shift } s/\b(phys|data)=0x([0-9a-f]+)/sprintf "$1=0x%x", hex($2) * $by/ge;
		s/\bsize=(\d+)/"size=" . $1 * $by/ge if /\bkho\./;
		print "meta page_size ", 4096 * $by, "\n" if /^meta luo/' "$2" "$1"
}

what_it_says() { # ARGUMENTS...
	"$tool" "$@" --format json >"$tmp/said" 2>/dev/null
	jq -S '{ exit, findings: [.findings[] | [.rule, .severity]] | sort,
		rules: [.rules[] | [.id, .status, .judged]], remarks: [.remarks[].about] }' "$tmp/said"
}

one_size() { # NAME FACTOR COMMAND SIDE...
	local name=$1 by=$2 command=$3 side files=() large=()
	shift 3
	for side; do
		"$mktrace" -o "$tmp/$side.small" "$tmp/texts/$name.$side" && grown "$tmp/texts/$name.$side" "$by" >"$tmp/grown" &&
			"$mktrace" -o "$tmp/$side.large" "$tmp/grown" || return 1
		files+=("$tmp/$side.small") large+=("$tmp/$side.large")
	done
	what_it_says "$command" "${files[@]}" >"$tmp/small" && what_it_says "$command" "${large[@]}" >"$tmp/large" &&
		cmp -s "$tmp/small" "$tmp/large"
}

page_sizes=0
for text in "$tmp"/texts/*.run; do
	name=$(basename "$text" .run)
	# Those that are about memory: the others would say the same of it.
	grep -qE 'kho|phys' "$here/cases/$name.case" && ! grep -q '^meta page_size' "$tmp/texts/$name.old" "$tmp/texts/$name.new" || continue
	page_sizes=$((page_sizes + 1))
	for by in 4 16; do
		# shellcheck disable=SC2046 # a command and one or two sides
		if one_size "$name" "$by" $(cat "$text"); then ok; else not_ok "$name with pages of $((by * 4)) KiB: $(diff "$tmp/small" "$tmp/large" | head -n 5 | tr -s '\n ' ' ')"; fi
	done
done
[ "$page_sizes" -gt 50 ] && ok || not_ok "only $page_sizes cases that tell of memory"
