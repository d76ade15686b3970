#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The command line, as a user meets it: help, sentences and exit codes. Runs on
# any machine; what needs a kernel with LUO is in the lab.
# Usage: cli.sh VFIOTRACE
set -u
vt=$1
passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

check() { # NAME WANTED-CODE WANTED-TEXT COMMAND...
	local name=$1 code=$2 text=$3 got
	shift 3
	"$@" >"$tmp/out" 2>&1 </dev/null
	got=$?
	if [ "$got" = "$code" ] && { [ -z "$text" ] || grep -qF -- "$text" "$tmp/out"; }; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name: exit $got, wanted $code with '$text'; it said:"
		sed 's/^/    /' "$tmp/out" | head -n 5
		failed=$((failed + 1))
	fi
}

check "no arguments" 64 "Usage: vfiotrace" "$vt"
check "unknown command" 64 "unknown command 'frob'" "$vt" frob
check "help" 0 "Commands:" "$vt" --help
check "version" 0 "vfiotrace " "$vt" --version
for c in record diff gate check show probes sweep fetch status scrub explain; do
	check "$c --help" 0 "Usage: vfiotrace $c" "$vt" "$c" --help
	check "$c, unknown option" 64 "unknown option --frob" "$vt" "$c" --frob
done
check "help COMMAND" 0 "Usage: vfiotrace gate" "$vt" help gate
check "a slip of a key" 64 "is it diff?" "$vt" dfif
check "letters together" 64 "--duration takes seconds" "$vt" record -qvdsoon
check "a letter that is none, behind a long option" 64 "unknown option -x" "$vt" record --quiet -xq
check "the beginning of an option" 64 "--duration takes seconds" "$vt" record --dur=soon
check "the beginning of two" 64 "may be several options" "$vt" sweep --=
check "a flag with a value" 64 "takes no value" "$vt" record --quiet=1
check "an option twice" 64 "given twice" "$vt" record --attach kprobe:a --attach kprobe:b
check "options among arguments" 74 "$tmp/none" "$vt" diff "$tmp/none" -f text "$tmp/none"
check "what follows CMD is CMD's" 64 "--ring takes" "$vt" record --ring 3 -- true --help
check "help that nobody can read" 74 "cannot write" sh -c '"$0" diff --help >/dev/full' "$vt"
for c in record diff gate check show probes sweep fetch status explain; do
	check "$c --help fits a terminal" 1 "" sh -c '"$0" "$1" --help | sed -n "/^Options/,\$p" | grep -E ".{81}"' "$vt" "$c"
done
check "sweep without CMD" 64 "give it CMD" "$vt" sweep
check "diff needs two traces" 64 "diff takes" "$vt" diff one
check "diff, half a pair" 64 "odd number" "$vt" diff one two three
check "record, bad duration" 64 "--duration takes seconds" "$vt" record -d soon
check "record, bad ring" 64 "--ring takes" "$vt" record --ring 3M
check "record, bad size to carry" 64 "--carry takes a size" "$vt" record --carry 1k
check "record, not a whole allocation" 64 "--fail takes a section" "$vt" record --fail retrieve:2.7
check "record, nothing behind the colon" 64 "--fail takes a section" "$vt" record --fail retrieve:
check "sweep, directory with too long a name" 74 "too long" "$vt" sweep -o "$(printf '%05000d' 1)/x" -- true
check "record, a code of no CMD" 64 "--cmd-exit goes with CMD" "$vt" record --cmd-exit "$tmp/code"
check "record, a code that cannot be written" 74 "cannot write $tmp/no/code" "$vt" record --cmd-exit "$tmp/no/code" -- true
check "record, no such descriptor" 64 "--ready-fd takes" "$vt" record --ready-fd 77
check "record, half a descriptor" 64 "--ready-fd takes" "$vt" record --ready-fd 1.5
check "record, option without its value" 64 "needs" "$vt" record --ring

# A recorder is what holds its file; what was left by one that is gone is old.
mkdir -p "$tmp/run" "$tmp/state"/0000{09,10}-20260101T000000Z "$tmp/state"/{000011-20260101T000000Z,99-notes}
status() { check "status, $1" "$2" "$3" "$vt" status --run "$tmp/run" --state "$tmp/state" "${@:4}"; }
status "nothing there" 4 "recorder    none"
status "nothing there, JSON" 4 '{ "recorder": null, "unrecorded": null, "last": null }' --format json
printf 'PID=7\nSINCE=2026-01-01T00:00:00Z\nEVENTS=12\nLOST=3\nATTACHED=90\nHOOKS=92\nCARRIED=1\nOUTPUT=/x\n' >"$tmp/run/recorder"
status "one that has ended" 4 "recorder    none"
held() { # OPTIONS: under somebody's lock
	python3 -c 'import fcntl, subprocess, sys
f = open(sys.argv[1], "r+"); fcntl.lockf(f, fcntl.LOCK_EX); sys.exit(subprocess.call(sys.argv[2:]))' \
		"$tmp/run/recorder" "$vt" status --run "$tmp/run" --state "$tmp/state" "$@"
}
check "status, armed" 0 "armed since 2026-01-01T00:00:00Z (process 7)" held
check "status, its events" 0 "events      12, 3 lost" held
check "status, armed, JSON" 0 '"armed": true, "since": "2026-01-01T00:00:00Z", "pid": 7, "events": 12, "lost": 3' held --format json
: >"$tmp/run/recorder"
check "status, not armed yet" 4 "recorder    not armed yet" held
echo "the recorder was not armed within 2 s" >"$tmp/run/unrecorded"
status "why there is none" 4 "at boot     not recorded: the recorder was not armed within 2 s"
for n in 09 10; do
	printf 'MESSAGE=live update %s: clean\nVFIOTRACE_EXIT=0\nVFIOTRACE_UPDATE=%s\n' $n $n >"$tmp/state/0000$n-20260101T000000Z/verdict"
done
echo MESSAGE=wrong >"$tmp/state/99-notes/verdict"
status "the newest verdict" 4 "last        live update 10: clean"
status "the newest verdict, JSON" 4 '"last": { "message": "live update 10: clean", "verdict": null, "exit": 0,' --format json
status "no such format" 64 "no format 'xml'" --format xml

check "show, no such file" 74 "$tmp/none" "$vt" show "$tmp/none"
check "diff, no such file" 74 "$tmp/none" "$vt" diff "$tmp/none" "$tmp/none"
: >"$tmp/empty"
check "show, empty file" 65 "$tmp/empty" "$vt" show "$tmp/empty"
head -c 100000 /dev/urandom >"$tmp/noise"
check "show, foreign file" 65 "$tmp/noise" "$vt" show "$tmp/noise"
check "diff, foreign file" 65 "$tmp/noise" "$vt" diff "$tmp/noise" "$tmp/noise"
check "check, foreign file" 65 "$tmp/noise" "$vt" check "$tmp/noise"

# One meaning each, whoever says it: include/vfiotrace/exit.h is the table.
judge=$(dirname "$0")/golden/judge/lab
for side in pre post; do xz -dc "$judge/healthy.$side.vft.xz" >"$tmp/$side.vft"; done
pre=$tmp/pre.vft post=$tmp/post.vft
for code in 0 1 4 5 64 65 66 69 74 77; do
	check "--help tells what $code means" 0 "  $code  " "$vt" --help
done
each() { # CODE TEXT WHAT FILE
	check "diff, $3" "$1" "$2" "$vt" diff "$4" "$post"
	check "diff, $3 after" "$1" "$2" "$vt" diff "$pre" "$4"
	check "check, $3" "$1" "$2" "$vt" check "$4"
	check "show, $3" "$1" "$2" "$vt" show "$4"
	check "gate, $3" "$1" "$2" "$vt" gate "$4" "$post"
	check "sweep, $3" "$1" "$2" "$vt" sweep --trace "$4"
	[ "$1" = 65 ] || check "gate, policy: $3" "$1" "$2" "$vt" gate -p "$4" "$pre" "$post"
	[ "$1" = 65 ] || check "gate, baseline: $3" "$1" "$2" "$vt" gate -b "$4" "$pre" "$post"
	[ "$1" = 65 ] || check "diff, list: $3" "$1" "$2" "$vt" diff -f jsonl --pairs "$4"
}
each 74 "No such file" "no such file" "$tmp/none"
each 74 "directory" "a directory" "$tmp"
each 65 "$tmp/noise" "a foreign file" "$tmp/noise"
check "gate, a baseline that cannot be written is told at once" 74 "No such file" "$vt" gate -s "$tmp/none/x" "$pre" "$post"
check "gate, and no report" 1 "" grep -q "vfiotrace gate:" "$tmp/out"
check "diff, the wrong way round" 64 "the order is PRE POST" "$vt" diff "$post" "$pre"
xz -dc "$judge/two-devices.post.vft.xz" >"$tmp/other.vft"
check "diff, of two updates" 66 "not of one live update" "$vt" diff "$pre" "$tmp/other.vft"
check "gate, of two updates" 66 "not of one live update" "$vt" gate "$pre" "$tmp/other.vft"
check "diff, findings outrank what cannot be read" 74 "No such file" "$vt" diff "$pre" "$post" "$tmp/none" "$post"
for c in diff check gate show; do
	check "$c, no such format" 64 "no format 'yaml'; there are text, " "$vt" $c -f yaml "$pre" "$post"
done
check "show, bad clock" 64 "--time takes" "$vt" show --time noon "$pre"
check "show, bad index" 64 "--index takes" "$vt" show -i 3-1 "$pre"
check "show, bad token" 64 "--token takes" "$vt" show --token x "$pre"
check "show, context of nothing" 64 "--context" "$vt" show -C 2 "$pre"
check "show, text of two" 64 "timeline, perfetto" "$vt" show "$pre" "$post"

# Colour and pager: as the terminal and the user want them.
colored() { # NAME YES? COMMAND...
	local name=$1 want=$2 got=no
	shift 2
	"$@" </dev/null 2>&1 | grep -q $'\033' && got=yes
	check "$name" 0 "" [ "$got" = "$want" ]
}
colored "colour, never into a file" no "$vt" diff "$pre" "$post"
colored "colour, always" yes "$vt" diff --color=always "$pre" "$post"
if command -v script >/dev/null; then
	colored "colour on a terminal" yes env -u NO_COLOR TERM=xterm PAGER= script -qec "$vt diff $pre $post" /dev/null
	colored "colour, NO_COLOR" no env NO_COLOR=1 TERM=xterm PAGER= script -qec "$vt diff $pre $post" /dev/null
	colored "colour, TERM=dumb" no env -u NO_COLOR TERM=dumb PAGER= script -qec "$vt diff $pre $post" /dev/null
	colored "colour, never" no env -u NO_COLOR TERM=xterm PAGER= script -qec "$vt diff --color=never $pre $post" /dev/null
	check "a pager on a terminal" 0 "VFIOTRACE DIFF: CLEAN" env TERM=xterm PAGER='tr a-z A-Z' script -qec "$vt diff $pre $post" /dev/null
	check "a pager that is left early does not change the verdict" 0 "" env TERM=xterm PAGER='true' script -qec "$vt diff -v $pre $post" /dev/null
	check "--no-pager" 0 "vfiotrace diff: clean" env TERM=xterm PAGER='tr a-z A-Z' script -qec "$vt diff --no-pager $pre $post" /dev/null
	check "no pager into a file" 0 "vfiotrace diff: clean" env PAGER='tr a-z A-Z' "$vt" diff "$pre" "$post"
fi

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp "$vt" "$tmp/vt" && chmod 755 "$tmp" "$tmp/vt"
	check "record without the right" 77 "CAP_BPF is missing" \
		setpriv --reuid=65534 --clear-groups "$tmp/vt" record -o "$tmp/x.vft"
	check "probes without the right" 77 "CAP_BPF is missing" setpriv --reuid=65534 --clear-groups "$tmp/vt" probes
fi
# Most machines that run this have a kernel without LUO, where CMD must not run.
if [ ! -e /dev/liveupdate ] && ! grep -q ' luo_preserve_file$' /proc/kallsyms; then
	code=4 text="no Live Update Orchestrator"
	[ -e /sys/kernel/btf/vmlinux ] || { code=69 text="no BTF"; }
	[ "$(id -u)" = 0 ] || { code=77 text="missing"; }
	check "record on a kernel without LUO" "$code" "$text" "$vt" record -o "$tmp/x.vft" -- touch "$tmp/ran"
	check "fetch there" 4 "nothing to fetch" "$vt" fetch -o "$tmp/x.vft"
	check "CMD did not run there" 1 "" test -e "$tmp/ran"
	check "sweep there" "$code" "$text" "$vt" sweep -o "$tmp/sweep" -- true
	check "sweep leaves no empty directory" 1 "" test -e "$tmp/sweep"
	# The trace of an earlier sweep is not this run's: a job with a kept work directory must not go green.
	mkdir "$tmp/sweep"
	xz -dc "$(dirname "$0")/golden/judge/lab/healthy.post.vft.xz" >"$tmp/sweep/open-1.vft"
	check "sweep beside an old trace" "$code" "$text" "$vt" sweep -o "$tmp/sweep" -- true
	check "and that is gone" 1 "" test -e "$tmp/sweep/open-1.vft"
fi

# What is kept of updates: by number and by size, the newest whatever its size.
live_update=$(dirname "$0")/../packaging/systemd/vfiotrace-live-update
keep() { # SETTINGS
	rm -rf "$tmp/kept" && mkdir -p "$tmp/kept/notes"
	for n in 1 2 3 4 5; do
		mkdir "$tmp/kept/00000$n-20260101T00000${n}Z"
		head -c 400000 /dev/zero >"$tmp/kept/00000$n-20260101T00000${n}Z/pre.vft"
	done
	printf '%s\n' "$@" >"$tmp/live-update.conf"
	STATE_DIRECTORY=$tmp/kept VFIOTRACE_CONF=$tmp/live-update.conf sh "$live_update" prune && (cd "$tmp/kept" && echo *)
}
newest=000005-20260101T000005Z
check "updates kept, by number" 0 "000004-20260101T000004Z $newest notes" keep KEEP=2
check "and none older" 1 "" grep -q 000003 "$tmp/out"
check "updates kept, by size" 0 "000004-20260101T000004Z $newest notes" keep KEEP_MB=1
check "the newest is kept" 0 "$newest notes" keep KEEP=0 KEEP_MB=0
check "with small limits all are" 0 "000001-20260101T000001Z 000002" keep KEEP=20 KEEP_MB=256

# The units as shipped, before the systemd that is here; the lab asks the one that they are for. An older one
# does not know what came with 255.
if command -v systemd-analyze >/dev/null; then
	mkdir "$tmp/units"
	for unit in "$(dirname "$0")"/../packaging/systemd/*.service; do
		sed "s|^\(Exec[A-Za-z]*=\)vfiotrace-live-update|\1$PWD/$live_update|" "$unit" >"$tmp/units/${unit##*/}"
	done
	verify_units() {
		systemd-analyze verify --man=no "$tmp"/units/*.service 2>&1 | grep vfiotrace | grep -v "Unknown key.*SurviveFinalKillSignal"
	}
	check "systemd has nothing to say about our units" 1 "" verify_units
else
	echo "skipped: the units, as there is no systemd-analyze"
fi

# What docs/systemd.md tells an administrator to type is what the lab runs.
lab=$(dirname "$0")/lab
sed -n 's/^    \(make \)\?//p' "$(dirname "$0")/../docs/systemd.md" >"$tmp/commands"
check "docs/systemd.md has commands" 0 "vfiotrace status" cat "$tmp/commands"
while read -r command; do
	check "the lab runs: $command" 0 "" grep -qF -- "${command#journalctl -b }" "$lab/run.sh" "$lab/guest/systemd/as-documented" "$lab/dracut.sh"
done <"$tmp/commands"

# And what it says that one sees there, a scenario or a golden case has seen.
sed -n '/^## What goes wrong here/,/^## /s/^| \([^|]*\) |.*/\1/p' "$(dirname "$0")/../docs/systemd.md" | grep -o '"[^"]*"' | sed 's/^"//; s/ *NAME"$//; s/"$//' >"$tmp/phrases"
check "docs/systemd.md tells what one sees" 0 "PRESERVE was refused with -EBUSY" cat "$tmp/phrases"
while read -r phrase; do
	check "the lab sees: $phrase" 0 "" grep -qF -- "$phrase" "$lab"/scenarios/systemd-*.scn
done <"$tmp/phrases"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
