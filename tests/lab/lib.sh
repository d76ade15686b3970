# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the lab's scripts share. Sourced, never run.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by those who source this
REPO_DIR=$(cd "$LAB_DIR/../.." && pwd)
# shellcheck disable=SC2034
CACHE_DIR=${VFIOTRACE_CACHE:-$HOME/.cache/vfiotrace}

# The guest's architecture, as the kernel's sources name it, and what the names of its tools begin with.
LAB_ARCH=${LAB_ARCH:-$(uname -m)}
case $LAB_ARCH in
x86_64) LAB_ARCH=x86 ;;
aarch64) LAB_ARCH=arm64 ;;
esac
# shellcheck disable=SC2034
case $LAB_ARCH-$(uname -m) in
x86-x86_64 | arm64-aarch64) LAB_CROSS='' ;;
x86-*) LAB_CROSS=x86_64-linux-gnu- ;;
arm64-*) LAB_CROSS=aarch64-linux-gnu- ;;
*) echo "lab: LAB_ARCH=$LAB_ARCH: there are x86 and arm64" >&2; exit 64 ;;
esac

die() {
	echo "lab: $*" >&2
	exit 1
}

# Everything that a finished kernel has; nothing is ready that lacks one of them.
kernel_is_ready() {
	[ -f "$1/bzImage" ] && [ -d "$1/modules" ] && [ -f "$1/config" ] &&
		[ -f "$1/release" ]
}

# What judges is the machine's.
[ -z "$LAB_CROSS" ] || export VFIOTRACE_HOST="${VFIOTRACE_HOST:-$REPO_DIR/build/vfiotrace}"

# Where runs leave what they made.
LAB_OUT=${LAB_OUT:-$REPO_DIR/build/lab${LAB_CROSS:+/$LAB_ARCH}}

# The exit code when a kernel series is in no archive any more (kernel.sh, run.sh).
# shellcheck disable=SC2034
GONE=75

# Whether what takes SECONDS (0) would end after LAB_DEADLINE (seconds since 1970).
out_of_time() { # [SECONDS]
	[ -n "${LAB_DEADLINE:-}" ] && [ $(($(date +%s) + ${1:-0})) -ge "$LAB_DEADLINE" ]
}

# The value of KEY in the header of a scenario, or the DEFAULT.
scenario_get() { # FILE KEY DEFAULT
	awk -v key="$2" -v value="$3" '
		/^\[/ { exit }
		/^[ \t]*#/ { next }
		{
			colon = index($0, ":")
			if (colon && substr($0, 1, colon - 1) == key) {
				value = substr($0, colon + 1)
				gsub(/^[ \t]+|[ \t]+$/, "", value)
			}
		}
		END { print value }' "$1"
}

# The kernel of one SIDE, old or new: the series that is asked for, else the
# scenario's own, of the variant that the scenario needs.
scenario_kernel() { # FILE SIDE ASKED-FOR
	local both name variant
	both=$(scenario_get "$1" kernel newest)
	name=${3:-$(scenario_get "$1" "kernel-$2" "$both")}
	variant=$(scenario_get "$1" variant lab)
	case $name in
	*/* | *-* | own) ;;
	*) [ "$variant" = lab ] || name=$variant-$name ;;
	esac
	echo "$name"
}

# The lines of a section, without comments and blank lines.
scenario_section() { # FILE NAME
	awk -v want="[$2]" '
		/^\[/ { inside = $1 == want; next }
		/^[ \t]*(#|$)/ { next }
		inside' "$1"
}

scenario_has() { # FILE NAME
	grep -q "^\[$2\]" "$1"
}

# The kernels of a scenario behind the second, one update each: "third", "4", "5", ...
later_sides() { # FILE
	local side=third next=4
	while scenario_has "$1" "$side"; do
		echo "$side"
		side=$next next=$((next + 1))
	done
}
