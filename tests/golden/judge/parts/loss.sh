# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by run.sh: records lost at random make no findings and hide none.
while read -r result seed rest; do
	if [ "$result" = ok ]; then ok; else not_ok "loss, seed $seed $rest"; fi
done < <("$here/loss.py" "$tool" "$mktrace" "$tmp" 0 "${LOSS_RUNS:-120}")
