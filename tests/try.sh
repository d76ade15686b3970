#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Verdicts without a kernel: traces of two live updates, as tests/lab recorded them, are
# judged. The second kernel did not link f_mapping of a retrieved file to its device.
# Usage: try.sh VFIOTRACE DIR [NAME]	(NAME alone: that verdict, as the README has it)
set -eu
vt=$(realpath "$1") dir=$2
traces=$(realpath "$(dirname "$0")/golden/judge/lab")
mkdir -p "$dir"

judge() { # NAME
	for side in pre post; do
		xz -dc "$traces/$1.$side.vft.xz" >"$dir/$1.$side.vft"
	done
	code=0
	(cd "$dir" && exec "$vt" diff "$1.pre.vft" "$1.post.vft") || code=$?
}

if [ $# -gt 2 ]; then
	judge "$3"
	exit 0
fi
for name in healthy seeded-fmapping-missing; do
	echo "\$ vfiotrace diff $name.pre.vft $name.post.vft   # in $dir"
	judge "$name"
	printf '\nexit code %s\n\n' "$code"
done
echo "vfiotrace explain f-mapping  tells what the rule rests on; vfiotrace show  what is in a trace."
