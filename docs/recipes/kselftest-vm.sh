#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own live update selftest in a virtual machine, recorded on both sides of the kexec, and judged.
# Nothing of the selftest is changed: its init runs /test_binary, which is a script here that records the real one.
# The old kernel's trace is carried over by the live update itself, both leave by the second serial port: the guest
# needs no disk, no network and no modules.
#
# Usage: kselftest-vm.sh TREE KERNEL OUT [TEST]
#	TREE	kernel sources: tools/testing/selftests/liveupdate and include/uapi are read
#	KERNEL	bzImage or Image with the selftest's config, and BPF_SYSCALL, DEBUG_INFO_BTF, FTRACE, FUNCTION_TRACER, KPROBES
#	OUT	directory for serial.log, pre.vft, post.vft, report.txt and vfiotrace.xml (JUnit)
#	TEST	luo_kexec_simple (default), luo_multi_session, ...
# VFIOTRACE is the static binary (default: build/vfiotrace), POLICY a policy for the gate, SECONDS_MAX the time limit.
# Needs gcc with a static libc, busybox-static, cpio and qemu.
set -eu -o pipefail
tree=$1 kernel=$2 test=${4:-luo_kexec_simple}
vt=${VFIOTRACE:-build/vfiotrace}
mkdir -p "$3"
out=$(realpath "$3")
self=$tree/tools/testing/selftests/liveupdate
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

build() { # OUTPUT SOURCE...
	local to=$1
	shift
	"${CROSS_COMPILE:-}gcc" -static -O2 -w -I "$tree/include/uapi" -I "$self/lib/include" -o "$to" "$@"
}
mkdir -p "$root"/{bin,dev,proc,sys,debugfs,tmp,run}
build "$root/init" "$self/init.c"
build "$root/real_test" "$self/$test.c" "$self"/lib/*.c
cp "$vt" "$root/vfiotrace"
cp "$(command -v busybox)" "$root/bin/busybox"

cat >"$root/test_binary" <<'END'
#!/bin/busybox sh
# As the selftest's init calls it: -s STAGE
/bin/busybox --install -s /bin
export PATH=/bin
mount -t sysfs sysfs /sys
mount -t tracefs tracefs /sys/kernel/tracing
mount -t tmpfs tmpfs /tmp
say() { echo "vfiotrace-vm: $*"; }
send() { # FILE: a line of text at a time, so that no terminal setting matters
	echo "BEGIN ${1##*/}" && base64 "$1" && echo "END ${1##*/}"
}
if [ "$2" = 1 ]; then
	# It stays when the test has ended: init jumps next. Nothing is preserved before it is armed.
	mkfifo /tmp/ready
	/vfiotrace record --carry 4M -o /tmp/pre.vft --jump-wait 5000 --ready-fd 3 3>/tmp/ready &
	read -r _ </tmp/ready || { say "the recorder did not come up"; exit 1; }
	say armed
	exec /real_test -s 1
fi
/vfiotrace record --cmd-exit /tmp/code -o /tmp/post.vft -- sh -c '/vfiotrace fetch -o /tmp/pre.vft && exec /real_test -s 2'
say "recorder $?, test $(cat /tmp/code)"
{ send /tmp/pre.vft; send /tmp/post.vft; } >/dev/ttyS1
exit "$(cat /tmp/code)"
END
chmod 755 "$root/test_binary"

pack() { (cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet); }
pack >"$out/inner.cpio"
cp "$kernel" "$root/kernel"
mv "$out/inner.cpio" "$root/initrd.img"
pack >"$out/initrd.cpio"

accel=tcg
[ ! -w /dev/kvm ] || accel=kvm
timeout "${SECONDS_MAX:-300}" qemu-system-x86_64 -machine q35,kernel-irqchip=split -cpu max -accel "$accel" -m 1G -smp 2 \
	-display none -monitor none -nodefaults -no-user-config -no-reboot \
	-serial "file:$out/serial.log" -serial "file:$out/traces.txt" -kernel "$kernel" -initrd "$out/initrd.cpio" \
	-append "console=ttyS0 liveupdate=on kho=on panic=-1 ${CMDLINE:-}" || echo "the guest did not end by itself" >&2
rm -f "$out/initrd.cpio"
grep -E 'vfiotrace-vm:|TEST PASSED' "$out/serial.log" | tr -d '\r' || :
for trace in pre post; do
	tr -d '\r' <"$out/traces.txt" | sed -n "/^BEGIN $trace.vft/,/^END/{/^[A-Z]* $trace.vft/d;p}" | base64 -d >"$out/$trace.vft"
done

code=0
"$vt" gate ${POLICY:+--policy "$POLICY"} --name "$test" --format junit "$out/pre.vft" "$out/post.vft" >"$out/vfiotrace.xml" || code=$?
"$vt" gate ${POLICY:+--policy "$POLICY"} --name "$test" "$out/pre.vft" "$out/post.vft" | tee "$out/report.txt" || :
exit $code
