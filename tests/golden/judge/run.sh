#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Golden traces for the judge: run.sh VFIOTRACE MKTRACE
#
# base/ holds a healthy live update as text, old.txt and new.txt, and the probe
# table. A case changes it and says what is due:
#
#	use old|new BASE		another text of base/ (comes first)
#	edit old|new SED		sed command on that text
#	line old|new AFTER_TS EVENT...	an event more, right after the (last) event of that time
#	times old|new N AFTER_TS EVENT...	the same, N times
#	gone old|new REGEX		events that did not happen
#	miss old|new EVENT		no hook showed EVENT
#	absent old|new EVENT		the kernel has no such function
#	hook old|new PROBE		one hook more, a line of the probe table
#	half old|new FUNC METHOD	the one hook on FUNC, its entry or its return, is not there
#	late old|new EVENT NS		its hooks were attached at NS
#	late1 old|new FUNC NS		the one hook on FUNC was
#	missed old|new FUNC N		N hits of it were missed
#	lost old|new EVENT [FROM TO]	some of these events were lost
#	unsaid old|new REGEX		events that were lost, and only the numbers of the others tell ("none": numbered, and none lost)
#	killed old|new			no end block, nothing after the last event kept
#	cut old|new BYTES		the file lacks its last bytes
#	block old|new TS		a block of events ends with the event of that time
#	break old|new N			a byte of the N-th block of events is wrong
#	run diff|swapped|check-old|check-new	what to run (default diff)
#	exit N
#	finding RULE [SEVERITY]		and no finding is due that has no such line
#	unknown RULE			the rule says unknown
#	nothing RULE			the rule applies and had nothing to judge
#	judged RULE N			the rule looked at N of what it is about
#	note KEY
#	text TEXT			stands in the text report
#	notext TEXT
set -u -o pipefail
export LC_ALL=C NO_COLOR=1
tool=$1 mktrace=$2
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "FAIL $*"; }
skip() { skipped=$((skipped + 1)); echo "skipped: $*"; }

# Adds LINE after the last event of time TS.
add_after() { # FILE TS LINE
	awk -v ts="$2" -v add="$3" '
		{ l[NR] = $0; if ($1 == "ev" && $2 == ts) at = NR }
		END { if (!at) exit 1; for (i = 1; i <= NR; i++) { print l[i]; if (i == at) print add } }' "$1" >"$1.n" && mv "$1.n" "$1"
}

# Numbers the events of each CPU, as the capture does, but those that have one, and drops what matches.
number() { # FILE REGEX
	awk -v gone="$2" '
		/^ev / && $6 !~ /^rec\./ && $3 !~ /#/ { n[$3]++; sub(" " $3 " ", " " $3 "#" n[$3] " "); if ($0 ~ gone) { any = 1; next } }
		{ print } END { exit !(any || gone == "none") }' "$1" >"$1.n" && mv "$1.n" "$1" || { echo "nothing to lose: $2"; return 1; }
}

apply() { # WORD SIDE REST
	local f=$tmp/$2.txt p=$tmp/$2.probes ts rest
	case $1 in
	use) cp "$here/base/$3.txt" "$f" ;;
	edit)
		cp "$f" "$f.o"
		sed -E -i -e "$3" "$f"
		cmp -s "$f" "$f.o" && { echo "edit without effect: $3"; return 1; }
		return 0
		;;
	line)
		ts=${3%% *} rest=${3#* }
		add_after "$f" "$ts" "$rest" || { echo "no event at $ts"; return 1; }
		;;
	times)
		ts=${3#* } rest=${ts#* } ts=${ts%% *}
		add_after "$f" "$ts" "$(yes "$rest" | head -n "${3%% *}" | sed 's/$/\\/;$s/\\$//' | tr '\n' '@' | sed 's/\\@/\\n/g;s/@$//')" || { echo "no event at $ts"; return 1; }
		;;
	half) grep -qE "^probe ${3% *} \S+ ${3#* } " "$p" && sed -i -E "s/^(probe ${3% *} \S+) ${3#* } attached (\S+) .*/\1 ${3#* } missing \2 reason=\"not hooked in this test\"/" "$p" ;;
	gone) grep -qE -- "$3" "$f" || { echo "nothing to remove: $3"; return 1; }; grep -vE -- "$3" "$f" >"$f.n"; mv "$f.n" "$f" ;;
	miss) sed -i -E "s/^probe (\S+) (\S+) \S+ attached ($3) .*/probe \1 \2 none missing \3 reason=\"not hooked in this test\"/" "$p" ;;
	absent) sed -i -E "s/^probe (\S+) (\S+) \S+ attached ($3) .*/probe \1 \2 none missing \3 reason=\"this kernel has no such function (or it was inlined)\"/" "$p" ;;
	hook) echo "probe $3" >>"$p" ;;
	late) sed -i -E "/ ${3% *} /s/attach=[0-9]+/attach=${3#* }/" "$p" ;;
	late1) grep -q "^probe ${3% *} " "$p" && sed -i -E "/^probe ${3% *} /s/attach=[0-9]+/attach=${3#* }/" "$p" ;;
	missed) grep -q "^probe ${3% *} " "$p" && sed -i "/^probe ${3% *} /s/$/ misses=${3#* }/" "$p" ;;
	lost) set -- $1 $2 $3; echo "loss $3 \"ring full\" 7 ${4:-1} ${5:-999999999}" >>"$p" ;;
	unsaid) number "$f" "$3" ;;
	killed) sed -i '/^end /d' "$f" ;;
	cut) eval "cut_$2=$3" ;;
	block) add_after "$f" "$3" flush ;;
	break) eval "break_$2=$3" ;;
	*) return 2 ;;
	esac
}

# The first event of the N-th block of them. A block's header is 32 bytes (magic, type 7, ...), two lengths follow.
break_block() { # FILE N
	local at
	at=$(grep -abobUP '\xf5BLK\x07\x00' "$1" | sed -n "$2s/:.*//p")
	[ -n "$at" ] && printf '\xff' | dd of="$1" bs=1 seek=$((at + 40)) conv=notrunc status=none
}

make() { # SIDE
	local out=$tmp/$1.vt var
	grep -v '^end ' "$tmp/$1.txt" >"$tmp/$1.all"
	cat "$tmp/$1.probes" >>"$tmp/$1.all"
	grep '^end ' "$tmp/$1.txt" >>"$tmp/$1.all"
	"$mktrace" -o "$out" "$tmp/$1.all" || return 1
	var=cut_$1
	[ -z "${!var}" ] || truncate -s -"${!var}" "$out"
	var=break_$1
	[ -z "${!var}" ] || break_block "$out" "${!var}"
}

prepare() { # CASE
	local w s rest
	cut_old='' cut_new='' break_old='' break_new=''
	run=diff want_exit='' wanted='' wrong=''
	cp "$here/base/old.txt" "$here/base/new.txt" "$tmp"
	cp "$here/base/probes.txt" "$tmp/old.probes"
	cp "$here/base/probes.txt" "$tmp/new.probes"
	while read -r w s rest; do
		case $w in
		use | edit | line | times | half | gone | miss | absent | hook | late | late1 | missed | lost | unsaid | killed | cut | block | break) apply "$w" "$s" "$rest" || return 1 ;;
		esac
	done <"$1"
	make old && make new
}

check_line() { # WORD A REST
	case $1 in
	exit) [ "$code" = "$2" ] || wrong+=" exit $code, $2 is due;" ;;
	finding)
		wanted+=" $2 "
		jq -e --arg r "$2" --arg s "${3:-}" '.findings[] | select(.rule == $r and ($s == "" or .severity == $s))' "$tmp/json" >/dev/null ||
			wrong+=" no finding of $2 ${3:-};"
		;;
	unknown) jq -e --arg r "$2" '.rules[] | select(.id == $r and .status == "unknown")' "$tmp/json" >/dev/null || wrong+=" $2 is not unknown;" ;;
	nothing) jq -e --arg r "$2" '.rules[] | select(.id == $r and .status == "nothing to judge" and .judged == 0)' "$tmp/json" >/dev/null || wrong+=" $2 has something to judge;" ;;
	judged) jq -e --arg r "$2" --argjson n "$3" '.rules[] | select(.id == $r and .judged == $n)' "$tmp/json" >/dev/null || wrong+=" $2 has not judged $3;" ;;
	note) jq -e --arg r "$2" '.remarks[] | select(.about == $r)' "$tmp/json" >/dev/null || wrong+=" no note $2;" ;;
	text) grep -qF -- "$2${3:+ $3}" "$tmp/flat" || wrong+=" the report does not say '$2${3:+ $3}';" ;;
	notext) grep -qF -- "$2${3:+ $3}" "$tmp/flat" && wrong+=" the report says '$2${3:+ $3}';" ;;
	esac
}

# What the loss of records is tried on (loss.py): cases that have none of it by themselves.
keep_texts() { # CASE NAME
	[ -n "$wrong" ] || [ "$code" -gt 1 ] || grep -qE '^(miss|missed|late|late1|lost|unsaid|killed|cut|break) ' "$1" && return
	mkdir -p "$tmp/texts"
	cp "$tmp/old.all" "$tmp/texts/$2.old"
	cp "$tmp/new.all" "$tmp/texts/$2.new"
	case $run in
	diff) echo "diff old new" ;;
	swapped) echo "diff new old" ;;
	check-*) echo "check ${run#check-}" ;;
	esac >"$tmp/texts/$2.run"
}

one() { # CASE
	local name args w s rest rule
	name=$(basename "$1" .case)
	prepare "$1" >"$tmp/why" 2>&1 || { not_ok "$name: $(head -3 "$tmp/why")"; return; }
	while read -r w s rest; do
		[ "$w" = run ] && run=$s
	done <"$1"
	case $run in
	diff) args=(diff "$tmp/old.vt" "$tmp/new.vt") ;;
	swapped) args=(diff "$tmp/new.vt" "$tmp/old.vt") ;;
	check-old) args=(check "$tmp/old.vt") ;;
	check-new) args=(check "$tmp/new.vt") ;;
	esac
	"$tool" "${args[@]}" -v >"$tmp/text" 2>"$tmp/err"
	code=$?
	"$tool" "${args[@]}" --format json >"$tmp/json" 2>/dev/null
	[ $? = $code ] || wrong+=" the exit code depends on the format;"
	tr -s ' \n' '  ' <"$tmp/text" >"$tmp/flat"
	[ $code -gt 5 ] && [ $code != 65 ] || jq -e . "$tmp/json" >/dev/null 2>&1 || [ $code = 65 ] || wrong+=" no JSON;"
	while read -r w s rest; do
		check_line "$w" "$s" "$rest"
	done <"$1"
	keep_texts "$1" "$name"
	for rule in $(jq -r '.findings[].rule' "$tmp/json" 2>/dev/null | sort -u); do
		case $wanted in
		*" $rule "*) ;;
		*) wrong+=" a finding of $rule that is not due;" ;;
		esac
	done
	grep -qE 'runtime error|AddressSanitizer|LeakSanitizer' "$tmp/err" && wrong+=" sanitizer;"
	if [ -n "$wrong" ]; then
		not_ok "$name:$wrong"
		[ -z "${V:-}" ] || cat "$tmp/text" "$tmp/err"
	else
		ok
	fi
}

if [ -n "${ONLY:-}" ]; then
	V=1 one "$here/cases/$ONLY.case"
	cat "$tmp/text"
	exit $((failed > 0))
fi
if [ -n "${SEEDS:-}" ]; then	# only the traces, a pair in one file each, for the fuzzer
	mkdir -p "$SEEDS"
	for c in "$here"/cases/*.case; do
		prepare "$c" >/dev/null 2>&1 && cat "$tmp/old.vt" "$tmp/new.vt" >"$SEEDS/$(basename "$c" .case)"
	done
	exit
fi
if [ -n "${PAIRS:-}" ]; then	# the same, as two files: NAME.pre and NAME.post
	mkdir -p "$PAIRS"
	for c in "$here"/cases/*.case; do
		prepare "$c" >/dev/null 2>&1 && mv "$tmp/old.vt" "$PAIRS/$(basename "$c" .case).pre" && mv "$tmp/new.vt" "$PAIRS/$(basename "$c" .case).post"
	done
	exit
fi
# PART=NAME: one of parts/ alone.
for c in "$here"/cases/*.case; do
	[ -n "${PART:-}" ] || one "$c"
done
for part in "$here"/parts/${PART:-*}.sh; do
	[ -e "$part" ] || continue
	# shellcheck source=/dev/null
	. "$part"
done
summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" = 0 ]
