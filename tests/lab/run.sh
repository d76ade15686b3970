#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs one scenario: boots the old kernel, jumps into the new one, and from there into
# a third if the scenario has two updates in a row, or a fourth; collects what they left behind,
# and says whether that is what the scenario expects.
#
# Environment: LAB_ARCH, the guest's architecture (the machine's); VFIOTRACE, the static binary for
# the guest (build/vfiotrace, of another architecture build/ARCH/vfiotrace);
# VFIOTRACE_HOST, the one that judges (the machine's); LAB_BUSYBOX, for the guest; LAB_OLD, LAB_NEW, the kernels;
# LAB_TIMEOUT_SCALE for slow machines; LAB_ACCEL for QEMU (tcg); LAB_QEMU, more
# arguments for it.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
	cat <<USAGE
usage: run.sh SCENARIO [--kernel-old K] [--kernel-new K] [--out DIR]
              [--tracer none] [--judge] [--shell]

SCENARIO is a name in tests/lab/scenarios or a file. K is a series (7.3), "newest",
or a directory that kernel.sh printed. Output goes to LAB_OUT/NAME, where LAB_OUT
is build/lab if it is not set. The exit code is 75 if there is no archive any more that has K.
USAGE
}

# Words for the kernel. Of timers nothing that has to be calibrated: an emulated CPU that the host
# lets wait gets a wrong frequency, and then drowns in timer interrupts or in seconds. arm64's needs none.
case $LAB_ARCH in
x86)
	TIMERS="no_timer_check nolapic_timer clocksource=hpet tsc=unstable"
	MACHINE_WORDS="console=ttyS0 intel_iommu=on"
	;;
arm64)
	TIMERS=""
	# A kernel that dies before its drivers come says so by the first of them.
	MACHINE_WORDS="earlycon=pl011,0x9000000 console=ttyAMA0"
	;;
esac

# What is shipped has the bounds of real machines by default: emulation is slow.
LIVE_UPDATE_CONF='ARM_WAIT=60;SETTLE=0;RECORD_ARGS="--jump-wait 5000 --module-wait 60000"'

# Patterns of a kernel in trouble. A scenario that provokes some says so.
TROUBLE='Kernel panic|BUG:|WARNING:|Oops|KASAN|UBSAN|blocked for more than|refcount_t:|cut here'

parse_arguments() {
	scenario='' kernel_old=${LAB_OLD:-} kernel_new=${LAB_NEW:-} out=''
	tracer='' judge=0 shell=0
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel-old) kernel_old=$2; shift ;;
		--kernel-new) kernel_new=$2; shift ;;
		--out) out=$2; shift ;;
		--tracer) tracer=$2; shift ;;
		--judge) judge=1 ;;
		--shell) shell=1 ;;
		-h | --help) usage; exit 0 ;;
		-*) usage >&2; exit 64 ;;
		*) scenario=$1 ;;
		esac
		shift
	done
	[ -n "$scenario" ] || { usage >&2; exit 64; }
}

read_scenario() {
	[ -f "$scenario" ] || scenario=$LAB_DIR/scenarios/$scenario.scn
	[ -f "$scenario" ] || die "no such scenario: $scenario"
	name=$(basename "$scenario" .scn)

	kernel_old=$(scenario_kernel "$scenario" old "$kernel_old")
	kernel_new=$(scenario_kernel "$scenario" new "$kernel_new")
	: "${tracer:=$(scenario_get "$scenario" tracer yes)}"
	devices=$(scenario_get "$scenario" devices 1)
	topology=$(scenario_get "$scenario" topology flat)
	smp=$(scenario_get "$scenario" smp 2)
	cpu=$(scenario_get "$scenario" cpu max)
	accel=$(scenario_get "$scenario" accel tcg)
	memory=$(scenario_get "$scenario" memory 1G)
	# With pages of 64 KiB each of KHO's scratch areas is aligned to 512 MiB.
	[[ $kernel_old$kernel_new != *64k-* ]] || memory=6G
	guest=$(scenario_get "$scenario" guest busybox)
	[ "$guest" != systemd ] || [ "$LAB_ARCH" = x86 ] || die "guests with systemd are for x86-64 only"
	dies=$(scenario_get "$scenario" dies '')
	timeout=$(scenario_get "$scenario" timeout 120)
	timeout=$((timeout * ${LAB_TIMEOUT_SCALE:-1}))
	out=${out:-$LAB_OUT/$name}
	tracer_file=${VFIOTRACE:-$REPO_DIR/build${LAB_CROSS:+/$LAB_ARCH}/vfiotrace}
}

kernel_dir() { # SERIES-OR-DIRECTORY
	case $1 in
	*/*) kernel_is_ready "$1" || die "$1 holds no kernel"; echo "$1" ;;
	*) "$LAB_DIR/kernel.sh" build "$1" ;;
	esac
}

# The kernel of a side behind the second: that one again, if the scenario does not say.
later_kernel() { # SIDE
	scenario_kernel "$scenario" "$1" "$([ -n "$(scenario_get "$scenario" "kernel-$1" '')" ] || echo "$kernel_new")"
}

# One line, quoted for the guest's shell.
setting() { # NAME VALUE
	printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
}

write_settings() { # SIDE
	setting TRACER "$tracer"
	setting TRACER_ARGS "$(scenario_get "$scenario" "tracer-args-$1" "$(scenario_get "$scenario" tracer-args '')")"
	# Emulation on a busy host takes its time: only those that say so run with the default.
	jump_wait=$(scenario_get "$scenario" jump-wait 5000)
	setting JUMP_WAIT "${jump_wait#default}"
	setting MODULE_WAIT "$(scenario_get "$scenario" module-wait '')"
	setting MODULES "$(scenario_get "$scenario" "modules-$1" "$(scenario_get "$scenario" modules early)")"
	setting SEED_BUG "$(scenario_get "$scenario" seed-bug '')"
	setting LABSTATE_ARGS "$(scenario_get "$scenario" labstate-args '')"
	setting SHELL_AFTER "$shell"
	[ "$guest" != systemd ] || write_systemd_settings
}

# What guest/systemd/install makes units of.
write_systemd_settings() {
	local shipped=shipped conf
	[ "$tracer" != none ] || shipped=none
	conf=$(scenario_get "$scenario" live-update.conf "$LIVE_UPDATE_CONF")
	setting INITRD "$(scenario_get "$scenario" initrd busybox)"
	setting SERVICES "$(scenario_get "$scenario" services '')"
	setting RECORDER_OLD "$(scenario_get "$scenario" recorder-old "$shipped")"
	setting RECORDER_NEW "$(scenario_get "$scenario" recorder-new "$shipped")"
	setting CONF_OLD "$(scenario_get "$scenario" live-update.conf-old "$conf")"
	setting CONF_NEW "$(scenario_get "$scenario" live-update.conf-new "$conf")"
}

tracer_binary() {
	local binary=$tracer_file

	[ -x "$binary" ] || die "no $binary: build it, or use --tracer none"
	if LC_ALL=C readelf -l "$binary" | grep -q INTERP; then
		die "$binary is not static: the guest has no libraries"
	fi
	echo "$binary"
}

# The machine's own, or the distribution's for the guest's: packages of two architectures exclude each other.
guest_busybox() {
	local dir=$CACHE_DIR/busybox-$LAB_ARCH
	if [ -n "${LAB_BUSYBOX:-}" ]; then
		echo "$LAB_BUSYBOX"
	elif [ -z "$LAB_CROSS" ]; then
		command -v busybox
	else
		[ -x "$dir/bin/busybox" ] || fetch_busybox "$dir" || die "no busybox for $LAB_ARCH: LAB_BUSYBOX names one, or DEPS=$LAB_ARCH tests/deps.sh makes the distribution's known"
		echo "$dir/bin/busybox"
	fi
}

fetch_busybox() { # DIRECTORY
	local work
	mkdir -p "$CACHE_DIR"
	work=$(mktemp -d "$CACHE_DIR/busybox.XXXXXX")
	chmod 755 "$work"
	(cd "$work" && apt-get -q download "busybox-static:${LAB_ARCH/x86/amd64}" && dpkg-deb -x ./*.deb .) >&2 ||
		{ rm -rf "$work"; return 1; }
	rm -rf "$1" && mv -T "$work" "$1"
}

build_initrd() { # KERNEL-DIR FILE SIDE
	local kernel=$1 file=$2 stage
	stage=$(mktemp -d "$out/stage.XXXXXX")

	mkdir -p "$stage/bin" "$stage/lab/modules"
	cp "$busybox" "$stage/bin/busybox"
	cp "$LAB_DIR/guest/init" "$stage/init"
	cp "$LAB_DIR/guest/load-modules" "$LAB_DIR/guest/kills" "$stage/lab/"
	cp "$kernel"/modules/*.ko "$stage/lab/modules/"
	cp "$agent" "$stage/agent"
	write_settings "$3" >"$stage/lab/settings"
	# "none" is without a recorder from the start: the steps may run one.
	if [ "$tracer" != none ] || [ -x "$tracer_file" ]; then
		cp "$(tracer_binary)" "$stage/vfiotrace"
	fi
	[ "$guest" != systemd ] || stage_systemd "$stage"
	chmod 755 "$stage/init" "$stage/lab/load-modules" "$stage/lab/kills" "$stage/agent"

	(cd "$stage" && find . | cpio --quiet -o -H newc -R 0:0) >"$file"
	rm -rf "$stage"
}

# The initramfs of a guest with systemd: it adds this to the root file system.
stage_systemd() { # STAGE
	cp -R "$LAB_DIR/guest/systemd" "$1/lab/"
	mv "$1/lab/systemd/init" "$1/init"
	make -s --no-print-directory -C "$REPO_DIR" install-systemd PREFIX=/usr DESTDIR="$1/lab/dist" >&2
}

# Built once per change, and safe against another run that does the same.
build_agent() {
	agent=$REPO_DIR/build/lab/agent${LAB_CROSS:+-$LAB_ARCH}
	local sources=("$LAB_DIR"/agent/*.c) newer

	mkdir -p "$REPO_DIR/build/lab"
	newer=$(find "$LAB_DIR/agent" -newer "$agent" -type f 2>/dev/null || echo all)
	[ -n "$newer" ] || return 0
	"${CC:-${LAB_CROSS}gcc}" -static -O2 -Wall -Wextra -std=gnu11 -o "$agent.$$" "${sources[@]}"
	mv "$agent.$$" "$agent"
}

# A kernel like a distribution's has its addresses at random, the others show the same
# in each run.
kaslr() { # KERNEL
	case ${1##*/} in
	*distro*) ;;
	*) echo nokaslr ;;
	esac
}

# Parameters of vfio are here too for kernels that have it built in.
cmdline() { # SIDE
	local words="$MACHINE_WORDS panic=-1 oops=panic kho=on liveupdate=on" bug kernel
	case $1 in
	old) kernel=$kernel_old ;;
	new) kernel=$kernel_new ;;
	*) kernel=$(later_kernel "$1") ;;
	esac

	words+=" quiet loglevel=5 $(kaslr "$kernel") vfio_pci.disable_idle_d3=1"
	words+=" $(scenario_get "$scenario" timers "$TIMERS") lab.side=$1"
	bug=$(scenario_get "$scenario" seed-bug '')
	[ -z "$bug" ] || words+=" vfio.seed_bug=$bug"
	bug=$(scenario_get "$scenario" luo-seed-bug '')
	[ -z "$bug" ] || words+=" luo_seed.bug=$bug"
	words+=" $(scenario_get "$scenario" cmdline '')"
	[ "$guest" != systemd ] || words+=" systemd.show_status=no"
	echo "$words $(scenario_get "$scenario" "cmdline-$1" '')"
}

# What the agent jumps into: a directory of the host that the guest sees.
prepare_jump() { # DIRECTORY SIDE KERNEL-DIR
	mkdir "$1"
	cp "$3/bzImage" "$1/bzImage"
	build_initrd "$3" "$1/initrd" "$2"
	cmdline "$2" >"$1/cmdline"
}

prepare() {
	mkdir -p "$out"
	rm -rf "$out"/{next,third,[0-9]*,old.initrd,scenario,console.log,*.vft}
	rm -f "$out"/{result,exit,record,journal,verdict,times,status,guest-report}.* "$out"/{report*.txt,report*.json,check.txt,verdict}

	local old new side later
	old=$(kernel_dir "$kernel_old")
	new=$(kernel_dir "$kernel_new")
	[ "$guest" != systemd ] || rootfs=$("$LAB_DIR/rootfs.sh" build)
	build_agent
	busybox=$(guest_busybox)
	cp "$scenario" "$out/scenario"
	cp "$old/bzImage" "$out/old.bzImage"
	build_initrd "$old" "$out/old.initrd" old
	prepare_jump "$out/next" new "$new"
	for side in $(later_sides "$scenario"); do
		later=$(kernel_dir "$(later_kernel "$side")")
		prepare_jump "$out/$side" "$side" "$later"
	done
}

qemu_arguments() {
	local i

	case $LAB_ARCH in
	# Pages are cleared by words: by bytes each store looks for translated code, and a page that the kernel before had code in takes 20 ms.
	x86) qemu=(qemu-system-x86_64 -machine "q35,kernel-irqchip=split" -device "intel-iommu,intremap=on" -cpu "$cpu,erms=off,fsrm=off") ;;
	# Without the authentication of pointers, whose cipher takes most of the time where it is emulated.
	arm64) qemu=(qemu-system-aarch64 -machine "virt,gic-version=3,iommu=smmuv3" -cpu "$cpu,pauth=off") ;;
	esac
	qemu+=(-accel "${LAB_ACCEL:-$accel}" -smp "$smp" -m "$memory" -nodefaults -no-user-config
		-display none -monitor none -no-reboot
		-virtfs "local,path=$out,mount_tag=lab,security_model=none"
		-kernel "$out/old.bzImage" -initrd "$out/old.initrd"
		-append "$(cmdline old)")
	for ((i = 0; i < devices; i++)); do
		if [ "$topology" = ports ]; then
			qemu+=(-device "pcie-root-port,id=port$i,chassis=$i,slot=$i"
				-device "edu,bus=port$i")
		else
			qemu+=(-device edu)
		fi
	done
	[ "$guest" != systemd ] ||
		qemu+=(-drive "file=$rootfs,if=virtio,format=raw,snapshot=on")
	# shellcheck disable=SC2206 # several words on purpose
	qemu+=(${LAB_QEMU:-})
	if [ "$shell" = 1 ]; then
		qemu+=(-serial mon:stdio)
	else
		qemu+=(-serial "file:$out/console.log")
	fi
}

boot() {
	qemu_arguments
	if [ "$shell" = 1 ]; then
		"${qemu[@]}"
		exit 0
	fi
	# A guest's sync lasts as long as the host's, which may be busy writing kernels: longer than the jump is held.
	# What that disk does is not what is tested.
	# shellcheck disable=SC2046 # one word or none
	timeout -k 5 "$timeout" $(command -v eatmydata) "${qemu[@]}" \
		</dev/null >"$out/qemu.log" 2>&1
}

fail() {
	echo "$*" >"$out/verdict"
	echo "$name: $*"
	echo "--- the last of $out/console.log"
	tail -n 25 "$out/console.log" 2>/dev/null | tr -d '\r' | cut -c1-160
	echo "---"
	exit 1
} >&2

check_result() { # SIDE WANTED
	local have
	have=$(cat "$out/result.$1" 2>/dev/null || echo "nothing: the guest died")
	[ "$have" = "$2" ] || fail "$have"
}

check_console() {
	local line
	[ "$(scenario_get "$scenario" allow-warnings no)" = no ] || return 0
	line=$(tr -d '\r' <"$out/console.log" | grep -E -m1 "$TROUBLE" || true)
	[ -z "$line" ] || fail "the kernel is in trouble: $line"
}

# The jump succeeds and the new kernel panics with these words: a bug of the kernels.
check_death() {
	tr -d '\r' <"$out/console.log" | grep -F 'Kernel panic' | grep -qF -- "$dies" ||
		fail "the new kernel did not panic with: $dies"
	check_result old kexec
}

# A breakpoint of the kernel's own code patching that nobody claims, at the place
# of a function's ftrace call. Patching waits for each CPU before it goes on, so
# that a real CPU cannot get there; an emulated one was seen to, once in some 300
# boots, and is believed to have run a stale translation (QEMU before 8.1 reads
# code while another CPU may write it).
code_patching_slipped() {
	[ "${LAB_ACCEL:-tcg}" = tcg ] && grep -q 'Oops: int3' "$out/console.log" 2>/dev/null &&
		grep -qE 'RIP: 0010:[a-zA-Z0-9_.]+\+0x[15]/' "$out/console.log"
}

# By a signal that nobody sent: QEMU 7.2 did so once in some thousands of boots, in
# code of its own. With the one above this is all that is tried twice.
emulator_died() { # STATUS
	case $1 in
	132 | 134 | 135 | 139) return 0 ;;
	esac
	return 1
}

# Each kernel jumped but the last.
check_chain() {
	local before=new side
	for side in $(later_sides "$scenario"); do
		check_result "$before" kexec
		before=$side
	done
	check_result "$before" ok
}

check_run() { # STATUS-OF-QEMU
	case $1 in
	124 | 137) fail "timed out after $timeout s" ;;
	esac
	[ "$1" = 0 ] || fail "QEMU: $(tail -n 1 "$out/qemu.log")"
	if [ -n "$dies" ]; then
		check_death
		return
	fi
	check_console
	if scenario_has "$scenario" third; then
		check_result old kexec
		check_chain
	elif scenario_has "$scenario" new; then
		if scenario_has "$scenario" soft; then
			check_result old soft-reboot
			check_result soft kexec
		else
			check_result old kexec
		fi
		check_result new ok
	else
		check_result old ok
	fi
}

parse_arguments "$@"
read_scenario
prepare
status=0
boot || status=$?
again=
if emulator_died "$status"; then
	again="the emulator died ($status)"
elif code_patching_slipped; then
	again="the emulator slipped while the kernel patched its code"
fi
if [ -n "$again" ]; then
	echo "$name: $again: run again" >&2
	status=0
	prepare
	boot || status=$?
fi
check_run "$status"
if [ "$tracer" = none ]; then
	echo ok >"$out/verdict"
elif [ "$judge" = 1 ]; then
	"$LAB_DIR/judge.sh" "$scenario" "$out" || fail "$(tail -n 1 "$out/verdict")"
fi
