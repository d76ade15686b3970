#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What packaging/systemd/vfiotrace-live-update does with a recorder that arms, cannot arm, is too slow, is
# missing or dies: the boot goes on, in bounded time, and the kernel's log says so. In namespaces of its own, where
# /dev/kmsg is a file and the recorder is made up; the lab has the real ones. Then what it makes of updates: real traces,
# the real rules, and a kernel that counts.
# Usage: live-update.sh VFIOTRACE
set -u
here=$(cd "$(dirname "$0")" && pwd)
script=$here/../packaging/systemd/vfiotrace-live-update
vt=$(realpath "$1")

if [ "${2-}" != inside ]; then
	if ! unshare --user --map-root-user --mount --pid --fork --mount-proc true 2>/dev/null; then
		echo "skipped: vfiotrace-live-update, as there are no namespaces for it"
		exit 0
	fi
	exec unshare --user --map-root-user --mount --pid --fork --mount-proc --kill-child "$0" "$1" inside
fi

passed=0 failed=0
mount -t tmpfs none /mnt && touch /mnt/null && mount --bind /dev/null /mnt/null && mount --move /mnt /dev || exit 1
mount -t tmpfs none /run && mount -t tmpfs none /usr/local/sbin || exit 1
ln -s /proc/self/fd /dev/fd

# A boot with RECORDER, the body of a script, as the recorder.
begin() { # RECORDER SETTINGS...
	[ ! -r /run/pid ] || kill -KILL "$(cat /run/pid)" 2>/dev/null
	rm -rf /run/* /dev/kmsg /usr/local/sbin/*
	: >/dev/kmsg
	: >/dev/liveupdate
	mkdir -p /run/systemd/system/multi-user.target.wants
	ln -s nowhere /run/systemd/system/multi-user.target.wants/vfiotrace-live-update.service
	if [ -n "$1" ]; then
		printf '%s\n' '#!/bin/sh' 'echo $$ >/run/pid' "$1" >/usr/local/sbin/vfiotrace
		chmod 755 /usr/local/sbin/vfiotrace
	fi
	shift
	printf '%s\n' "$@" >/run/conf
}

live_update() {
	VFIOTRACE_CONF=/run/conf STATE_DIRECTORY=/run/state timeout 30 sh "$script" "$@" >/run/out 2>&1 9>&-
}

# How long that took, in $took, in hundredths of a second.
boot() {
	local from=${EPOCHREALTIME/./}
	live_update boot
	code=$?
	took=$(((${EPOCHREALTIME/./} - from) / 10000))
}

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name: exit $code after $took/100 s; the kernel's log:"
		sed 's/^/    /' /dev/kmsg /run/out
		failed=$((failed + 1))
	fi
}

logged() { # PATTERN
	grep -q "^<6>vfiotrace: $1" /dev/kmsg
}

goes_on() { # PATTERN MOST
	[ "$code" = 0 ] && logged "$1" && [ "$took" -lt "$2" ]
}

# It was killed: on a busy machine the kernel takes its time.
is_gone() {
	local n
	for ((n = 0; n < 100; n++)); do
		kill -0 "$(cat /run/pid)" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

not() {
	! "$@"
}

armed='echo "vfiotrace: armed in 5 ms: 206 probes of 216" >&2; exec sleep 1000'

begin "$armed" ARM_WAIT=20
boot
check "a recorder that arms: the boot waits for that" goes_on "recording this kernel's live updates, armed in 5 ms.*; the boot waited [0-9]*[.][0-9]* s" 2000
check "and it is there" kill -0 "$(cat /run/pid)"
check "nobody starts a second one" not live_update needed
boot
check "nor does another boot" [ "$(wc -l </dev/kmsg)" = 1 ]
kill -KILL "$(cat /run/pid)"
sleep 0.2
check "where it was killed the unit may start one" live_update needed

begin 'echo "vfiotrace: this kernel is locked down" >&2; exit 77'
boot
check "a recorder that cannot arm" goes_on "not recording: the recorder ended after [0-9.]* s: this kernel is locked down" 200
check "and the verdict will say why" grep -q "this kernel is locked down" /run/vfiotrace/unrecorded

begin 'exec sleep 1000'
boot
check "a recorder that is too slow, by default after 2 s" goes_on "not recording: the recorder was not armed within 2 s .*; the boot waited [0-9.]* s" 400
check "no sooner than it must" [ "$took" -ge 170 ]
check "it is ended" is_gone

begin 'exec sleep 1000' ARM_WAIT=a
boot
check "a bound that is no number is the default" goes_on "not recording: the recorder was not armed within 2 s" 400
begin "$armed" ARM_WAIT=900
VFIOTRACE_CONF=/run/conf sh -x "$script" needed 2>/run/out
check "nobody waits longer than systemd gives a generator" grep -q '^+ ARM_WAIT=60$' /run/out

begin "trap '' TERM HUP INT; while :; do sleep 1; done" ARM_WAIT=1
boot
check "one that listens to nothing" goes_on "not recording: the recorder was not armed within 1 s" 300
check "it is ended as well" is_gone

begin 'kill -KILL $$'
boot
check "a recorder that is killed at once" goes_on "not recording: the recorder ended after" 200

begin ''
boot
check "no recorder at all" goes_on "not recording: the recorder ended after .*@vfiotrace" 200

begin "$armed"
rm /dev/liveupdate
boot
check "a kernel without LUO" goes_on "not recording: this kernel has no /dev/liveupdate" 200

begin "$armed"
rm -r /run/systemd
boot
check "switched off, nothing is done and nothing said" [ "$code.$(wc -c </dev/kmsg)" = 0.0 ]

begin "$armed" ARM_WAIT=20
echo "root=/dev/vda vfiotrace.live_update=0 quiet" >/run/cmdline
mount --bind /run/cmdline /proc/cmdline
boot
umount /proc/cmdline
check "switched off for one boot" goes_on "not recording: vfiotrace.live_update=0 on the kernel's command line" 200

#
# The verdict
#

# A command that the script finds before the machine's own.
stand_in() { # NAME BODY
	printf '%s\n' '#!/bin/sh' "$2" >"/usr/local/sbin/$1"
	chmod 755 "/usr/local/sbin/$1"
}

traces=$here/golden/judge/lab

# The kernel that update N brought, with a recorder that leaves POST, and PRE to be fetched.
next_kernel() { # N PRE POST
	# shellcheck disable=SC2016 # of the script's, not ours
	begin 'case $1 in
record) trap "cp /dev/post.vft /run/vfiotrace/recorded.vft; exit 0" TERM
	echo "vfiotrace: armed in 5 ms" >&2
	while :; do sleep 0.1; done ;;
fetch) [ -s /dev/pre.vft ] && exec cp /dev/pre.vft "$3"
	echo "vfiotrace: nothing to fetch: no session is called vfiotrace" >&2
	exit 1 ;;
*) exec /dev/vfiotrace "$@" ;;
esac' ARM_WAIT=20 SETTLE=0 KEEP=2
	stand_in dmesg "echo 'luo: Retrieved live update data, liveupdate number: $1'"
	# shellcheck disable=SC2016 # the same
	stand_in logger 'cat "${1#--journald=}" >/dev/journal'
	stand_in systemd-notify 'exit 0'
	rm -f /dev/*.vft /dev/journal
	[ -z "$2" ] || xz -dc "$traces/$2.pre.vft.xz" >/dev/pre.vft
	[ -z "$3" ] || xz -dc "$traces/$3.post.vft.xz" >/dev/post.vft
	boot
}

# All of these are lines of the one entry in the journal.
told() { # LINE...
	local line
	for line; do
		grep -q "^$line\$" /dev/journal || return 1
	done
	[ "$(grep -c ^MESSAGE= /dev/journal)" = 1 ]
}

cp "$vt" /dev/vfiotrace
judge() {
	VFIOTRACE_CONF=/run/conf STATE_DIRECTORY=/dev/state timeout 120 sh "$script" judge >/run/out 2>&1
	code=$?
}

next_kernel 1 healthy healthy
judge
check "an update that is clean" told VFIOTRACE_VERDICT=clean VFIOTRACE_SIDES=both VFIOTRACE_UPDATE=1 PRIORITY=6 VFIOTRACE_FINDINGS=0
judge
check "is judged once" grep -q "judged already" /run/out

next_kernel 2 seeded-df-kvfree seeded-df-kvfree
judge
check "the next one, with a finding" told VFIOTRACE_VERDICT=findings VFIOTRACE_SIDES=both VFIOTRACE_UPDATE=2 PRIORITY=4 VFIOTRACE_EXIT=1 VFIOTRACE_RULES=alloc-mismatch 'MESSAGE=live update 2: .*: alloc-mismatch: .*'
check "is kept behind the first" [ "$(cd /dev/state && cat -- */verdict | sed -n 's/^VFIOTRACE_UPDATE=//p' | tr '\n' ' ')" = "1 2 " ]

next_kernel 3 healthy healthy
kill -KILL "$(cat /run/pid)"
sleep 0.2
judge
check "a recorder that was killed after the boot" told 'MESSAGE=live update 3: inconclusive, the old kernel.s side alone: new kernel: the recorder ended before it was told to.*' VFIOTRACE_SIDES=old PRIORITY=5
check "of three updates two are kept" [ "$(cd /dev/state && echo *-*Z | sed 's/-[0-9TZ]*//g')" = "000002 000003" ]

next_kernel 4 '' healthy
judge
check "nothing that was carried" told 'MESSAGE=live update 4: .*, the new kernel.s side alone: old kernel: no session is called vfiotrace .*' VFIOTRACE_SIDES=new

next_kernel 5 systemd-late-unit systemd-late-unit
judge
check "an update that is not known whole says why" told 'MESSAGE=live update 5: inconclusive: .*: POST: session vm0 was there when the recording began: .*' VFIOTRACE_SIDES=both PRIORITY=5

next_kernel 6 systemd-second-lost systemd-second-lost
judge
check "the update in which a service loses its files" told 'MESSAGE=live update 6: .*: session-lost: .*: PRESERVE was refused with -EBUSY, 2 times: systemd goes on without these files .*' PRIORITY=4

next_kernel 7 systemd-second-alone systemd-second-alone
judge
check "the same where the recorder of that update saw nothing else" told 'MESSAGE=live update 7: clean, but services lose files: .*: PRESERVE was refused with -EBUSY, 2 times: .*' PRIORITY=4 VFIOTRACE_VERDICT=clean
check "and the report that is kept says so too" grep -q 'session systemd: PRESERVE was refused' /dev/state/000007-*Z/report.txt

next_kernel 8 '' systemd-all-lost
judge
check "sessions that cannot be read: everything is lost, whoever the handler is" told 'MESSAGE=live update 8: inconclusive, the new kernel.s side alone: .*: deserialize failed with -ENOENT: everything that arrived is held until reboot .*' PRIORITY=4

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
