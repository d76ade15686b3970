# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A report is 72 columns wide where no terminal says otherwise, whatever the names are, and its first screen is the answer.
narrow() { # NAME ARGUMENTS...
	local name=$1
	shift
	"$tool" "$@" >"$tmp/text" 2>/dev/null
	[ -s "$tmp/text" ] && awk 'length > 72 { exit 1 }' "$tmp/text" && ok || not_ok "lab/$name: $(awk 'length > 72' "$tmp/text" | head -1)"
}
for pre in "$here"/lab/*.pre.vft.xz; do
	name=$(basename "$pre" .pre.vft.xz)
	xz -dc "$pre" >"$tmp/pre.vft"
	args=(check "$tmp/pre.vft")
	if [ -e "$here/lab/$name.post.vft.xz" ]; then
		xz -dc "$here/lab/$name.post.vft.xz" >"$tmp/post.vft"
		args=(diff "$tmp/pre.vft" "$tmp/post.vft")
	fi
	narrow "$name, -v" "${args[@]}" -v
	narrow "$name" "${args[@]}"
done
xz -dc "$here/lab/healthy.pre.vft.xz" >"$tmp/pre.vft"
xz -dc "$here/lab/healthy.post.vft.xz" >"$tmp/post.vft"
"$tool" diff "$tmp/pre.vft" "$tmp/post.vft" >"$tmp/text"
[ "$(wc -l <"$tmp/text")" -le 24 ] && ok || not_ok "a healthy update fills more than a screen"
for word in 'build id [0-9a-f]' 'kernel 7' 'x86_64' '20[0-9-]*T' 'Handlers ' 'vfiotrace [0-9]'; do
	grep -q "$word" "$tmp/text" && ok || not_ok "the first screen does not tell: $word"
done
# What the evidence names is found in show, by number and by time.
prepare "$here/cases/alloc-mismatch-seed.case" >/dev/null
"$tool" diff "$tmp/old.vt" "$tmp/new.vt" >"$tmp/text"
read -r index time < <(sed -n 's/^ *POST  #\([0-9]*\) *\([0-9.]*\) .*/\1 \2/p' "$tmp/text" | head -1)
"$tool" show --index "$index" "$tmp/new.vt" >"$tmp/out"
[ "$(grep -c '^#' "$tmp/out")" = 1 ] && grep -qE "^#$index +$time[0-9]* " "$tmp/out" && ok || not_ok "show has no event #$index at $time"
"$tool" show --since "$time" --until "$time" "$tmp/new.vt" >"$tmp/out"
grep -qE "^#$index " "$tmp/out" && ok || not_ok "show --since $time --until $time has no event #$index"
shown() { # WHAT JQ ARGUMENTS...
	local what=$1 filter=$2
	shift 2
	"$tool" show -f json "$@" "$tmp/new.vt" >"$tmp/some"
	"$tool" show -f json "$tmp/new.vt" >"$tmp/every"
	jq -c "select(.record == \"event\") | select($filter)" "$tmp/every" >"$tmp/want"
	jq -c 'select(.record == "event")' "$tmp/some" | cmp -s - "$tmp/want" && [ -s "$tmp/want" ] && ok || not_ok "show $what"
}
shown --type '.type | startswith("op.")' --type 'op.*'
shown --token '.fields.token == "0x2"' --token 2
shown --session '.fields.session == "vm0"' -s vm0
shown --task '.comm == "agent"' --task agent
shown --func '.fields.func == "luo_retrieve_file"' --func 'luo_retrieve_*'
shown --index '.index == 3 or (.index >= 8 and .index <= 12)' -i 3,8-12
shown --context '.index >= 1 and .index <= 5' -i 3 -C 2
shown two '.type == "op.retrieve" and .fields.token == "0x1"' --type op.retrieve --token 0x1
# Both kernels in one story, and in one Perfetto trace: with a jump, and an arrow per file.
"$tool" show -t "$tmp/old.vt" "$tmp/new.vt" >"$tmp/out"
awk '/^session/ { on = /token 0x1/ } on && /PRE.*luo.preserve/ { a = 1 } on && a && /---- jump/ { b = 1 } on && b && /POST.*luo.retrieve/ { c = 1 } END { exit !c }' "$tmp/out" && ok ||
	not_ok "the timeline of both kernels"
"$tool" show -f perfetto "$tmp/old.vt" "$tmp/new.vt" >"$tmp/out"
jq -e '[.traceEvents[] | select(.ph == "s" or .ph == "f")] | group_by(.id) | all(map(.ph) == ["s", "f"] and .[0].ts < .[1].ts)' "$tmp/out" >/dev/null && ok || not_ok "perfetto: flows"
jq -e '[.traceEvents[] | select(.ph == "s")] | length > 0' "$tmp/out" >/dev/null && ok || not_ok "perfetto: no flow"
# Every slice ends, whatever the trace is.
for trace in "$here"/lab/*.vft.xz; do
	xz -dc "$trace" >"$tmp/one.vft"
	"$tool" show -f perfetto "$tmp/one.vft" 2>/dev/null >"$tmp/out"
	jq -e '[.traceEvents[] | select(.ph == "B" or .ph == "E")] | group_by(.tid) | all(.[];
		reduce .[] as $e ([]; if . == null then null elif $e.ph == "B" then . + [$e.name] elif .[-1] == $e.name then .[:-1] else null end) == [])' "$tmp/out" >/dev/null && ok ||
		not_ok "perfetto: open slices in $(basename "$trace")"
done
