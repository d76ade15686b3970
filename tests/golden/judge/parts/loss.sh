# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by run.sh: records lost at random make no findings and hide none.
loss_runs=${LOSS_RUNS:-120} loss_told=0
while read -r result seed rest; do
	loss_told=$((loss_told + 1))
	if [ "$result" = ok ]; then ok; else not_ok "loss, seed $seed $rest"; fi
done < <("$here/loss.py" "$tool" "$mktrace" "$tmp" 0 "$loss_runs")
[ "$loss_told" = "$loss_runs" ] || not_ok "loss: $loss_told of $loss_runs runs came to an end"
