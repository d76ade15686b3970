#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One side of a live update under virtme-ng, for a kernel that you build: what the kernel has to offer to the recorder, and
# an update that is prepared and taken back. virtme-ng's guest has no way into a second kernel (its root lies on the host and
# its init is not the kexec's), so that the whole of an update is kselftest-vm.sh's or the lab's.
#
# Usage, in the kernel's build directory: virtme-ng.sh VFIOTRACE AGENT [ARG...]
# AGENT is what preserves: luo_kexec_simple -s 1, or yours. Leaves pre.vft here.
set -eu
vt=$(realpath "$1")
shift
vng ${VNG:-} --run . --rwdir "$PWD" --append "liveupdate=on kho=on" --user root --exec \
	"$vt probes; $vt record --end-with-cmd -o '$PWD/pre.vft' -- $*"
exec "$vt" check pre.vft
