# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the lab's scripts share. Sourced, never run.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by those who source this
REPO_DIR=$(cd "$LAB_DIR/../.." && pwd)
# shellcheck disable=SC2034
CACHE_DIR=${VFIOTRACE_CACHE:-$HOME/.cache/vfiotrace}

die() {
	echo "lab: $*" >&2
	exit 1
}

# Everything that a finished kernel has; nothing is ready that lacks one of them.
kernel_is_ready() {
	[ -f "$1/bzImage" ] && [ -d "$1/modules" ] && [ -f "$1/config" ] &&
		[ -f "$1/release" ]
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
