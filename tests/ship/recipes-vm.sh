#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# docs/recipes/kselftest-vm.sh with the lab's newest kernel and the selftests of the sources that it was built from.
# TESTS picks. Usage: recipes-vm.sh VFIOTRACE OUT
set -u
cd "$(dirname "$0")/../.." || exit 74
vt=$1 out=$2
cache=${VFIOTRACE_CACHE:-$HOME/.cache/vfiotrace}
passed=0 failed=0
kernel=$(tests/lab/kernel.sh build newest | tail -n 1) || exit 74
deb=$(ls -v "$cache"/debs/linux-source-*.deb | tail -n 1)
series=$(basename "$deb" | cut -d_ -f1)
tree=$out/$series
[ -e "$tree/tools/testing/selftests/liveupdate" ] || {
	mkdir -p "$tree"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$series.tar.xz" | tar -xJ -C "$tree" --strip-components=1 \
		"$series/tools/testing/selftests/liveupdate" "$series/tools/testing/selftests/kselftest.h" "$series/include/uapi"
}
for test in ${TESTS:-luo_kexec_simple luo_multi_session}; do
	VFIOTRACE=$vt SECONDS_MAX=${SECONDS_MAX:-600} CMDLINE="nokaslr no_timer_check nolapic_timer clocksource=hpet tsc=unstable" \
		docs/recipes/kselftest-vm.sh "$tree" "$kernel/bzImage" "$out/$test" "$test" >"$out/$test.log" 2>&1
	code=$?
	if [ $code = 0 ] && grep -q 'TEST PASSED' "$out/$test/serial.log" && grep -q 'failures="0"' "$out/$test/vfiotrace.xml"; then
		echo "ok $test: $(head -n 1 "$out/$test/report.txt")"
		passed=$((passed + 1))
	else
		echo "not ok $test: the gate ended with $code; see $out/$test.log"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
