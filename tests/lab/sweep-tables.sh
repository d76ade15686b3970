#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# docs/findings/sweeps.md out of runs of the stock-sweep scenarios: one table per
# section and kernel, equal lines that follow each other in one.
# Usage: sweep-tables.sh RUNS... where RUNS is a LAB_OUT in which they ran.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tool=${VFIOTRACE_HOST:-${VFIOTRACE:-$REPO_DIR/build/vfiotrace}}

# The lines of a table: "N SITE ALLOCATION RETURNED VERDICT", columns two blanks apart.
as_markdown() {
	awk '
		function put() { if (count) printf "| %s | `%s` | %s | %s | %s |\n", first == last ? first : first "-" last, site, what, ret, verdict }
		/^ *N  SITE/ { print "| N | site | allocation | returned | verdict |\n|---|---|---|---|---|"; next }
		/^ *[0-9]+  / {
			line = $0; sub(/^ */, "", line)
			split(line, cell, /  +/)
			if (count && cell[2] == site && cell[3] == what && cell[4] == ret && cell[5] == verdict) { last = cell[1]; next }
			put(); count++
			first = last = cell[1]; site = cell[2]; what = cell[3]; ret = cell[4]; verdict = cell[5]
			next
		}
		NF { put(); count = 0; print "\n" $0 }
		END { put() }'
}

# The table is in a file that the guest wrote, or in the trace of a recording with --fail.
tables_of() { # RUN SCENARIO
	local run=$1 name section file
	name=$(basename "$1")
	section=$(scenario_get "$2" tracer-args '' | sed -n 's/.*--fail \([a-z-]*\).*/\1/p')
	for file in "$run"/sweep-*.txt; do
		[ -s "$file" ] || continue
		echo; echo "### $(basename "$file" .txt | sed 's/^sweep-//; s/-/, /')"; echo
		grep -v '^lab\[' "$file" | as_markdown
	done
	[ -n "$section" ] || return 0
	echo; echo "### $section ($name)"; echo
	if [ "$section" = preserve ]; then
		"$tool" sweep -s preserve --trace "$run/pre.vft" || true
	else
		"$tool" sweep -s "$section" --pre "$run/pre.vft" --trace "$run/post.vft" || true
	fi | as_markdown
}

echo "# The stock kernels' error paths, allocation by allocation"
echo
echo "Made by \`tests/lab/sweep-tables.sh\` from runs of \`stock-sweep-*\`. RETURNED is what the section's call gave back; \"absorbed\":"
echo "the kernel coped. \"as before\": no rule found anything that was not as before the call. \"allowed\": a remark, not a finding."
echo
echo "create and \"preserve, page\" are \`vfiotrace sweep\`: one run per allocation, until a run reaches no new one. The others are one"
echo "recording each, in which the k-th call fails at its k-th allocation (\`record --fail\`), as a retrieve or a finish happens once"
echo "per boot: what the caches hold changes from call to call, so a site may be missing there that another recording shows."
for runs in "$@"; do
	release=$(sed -n 's/.*lab\[old\] kernel \([^,]*\),.*/\1/p' "$runs"/stock-sweep-*/console.log | tr -d '\r' | head -n 1)
	echo
	echo "## Linux $release, no patches"
	for run in "$runs"/stock-sweep-*/; do
		run=${run%/}
		[ "$(cat "$run/verdict" 2>/dev/null)" = ok ] || continue
		tables_of "$run" "$LAB_DIR/scenarios/$(basename "$run").scn"
	done
done
