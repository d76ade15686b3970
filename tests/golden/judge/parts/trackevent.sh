# SPDX-License-Identifier: GPL-2.0
# show -f trackevent, as protoc reads it: slices pair per track and nest, times do not go back within a kernel, arrows have
# two ends. With PERFETTO=DIR, a tree of Perfetto, by its own protos as well: every number must have a name there.
proto=$here/../../../src/cmd
cat >"$tmp/slices.py" <<'END'
import re, sys
open_slices, names, out, back, bad, events = {}, set(), set(), set(), [], 0
for packet in re.split(r"^packet \{$", sys.stdin.read(), flags=re.M)[1:]:
	def value(key):
		m = re.search(rf"^    {key}: (.*)$", packet, re.M)
		return m and m.group(1)
	if re.search(r"^ *\d+[:{ ]", packet, re.M):
		bad.append("a number without a name")
	if "track_descriptor" in packet:
		names.add(value("uuid"))
		continue
	track, kind, ts = value("track_uuid"), value("type"), int(re.search(r"timestamp: (\d+)", packet).group(1))
	events += 1
	if track not in names:
		bad.append(f"a track without a name: {track}")
	stack = open_slices.setdefault(track, [])
	if kind == "TYPE_SLICE_BEGIN":
		stack.append(ts)
	elif kind == "TYPE_SLICE_END":
		if not stack or stack.pop() > ts:
			bad.append(f"an end without a begin at {ts}")
	out |= set(re.findall(r"^    flow_ids: (\d+)", packet, re.M))
	back |= set(re.findall(r"^    terminating_flow_ids: (\d+)", packet, re.M))
bad += [f"{len(s)} slices never end" for s in open_slices.values() if s]
print(f"{events} events, {len(back & out)} arrows", *bad[:3])
sys.exit(bool(bad) or not events)
END
if command -v protoc >/dev/null && command -v python3 >/dev/null; then
	while read -r name _; do
		case $name in '' | '#'*) continue ;; esac
		files=()
		for side in pre post; do
			[ -e "$here/lab/$name.$side.vft.xz" ] && xz -dc "$here/lab/$name.$side.vft.xz" >"$tmp/te.$side" && files+=("$tmp/te.$side")
		done
		"$tool" show -f trackevent "${files[@]}" >"$tmp/te.pftrace" 2>"$tmp/err"
		protoc --proto_path="$proto" --decode=vfiotrace.Trace track_event.proto <"$tmp/te.pftrace" >"$tmp/te.txt" 2>>"$tmp/err"
		python3 "$tmp/slices.py" <"$tmp/te.txt" >"$tmp/out" && ok || not_ok "trackevent: $name: $(cat "$tmp/out" "$tmp/err" | head -3)"
		[ "$name" != healthy ] || { grep -q ' events, [1-9][0-9]* arrows' "$tmp/out" && ok || not_ok "trackevent: no arrows: $(cat "$tmp/out")"; }
		[ -z "${PERFETTO:-}" ] || {
			protoc --proto_path="$PERFETTO" --decode=perfetto.protos.Trace protos/perfetto/trace/trace.proto <"$tmp/te.pftrace" 2>"$tmp/err" | cmp -s - "$tmp/te.txt" &&
				ok || not_ok "trackevent: Perfetto's own protos read $name otherwise: $(head -2 "$tmp/err")"
		}
	done <"$here/lab/expected"
	# As many events as there are, and what is hostile stays text.
	prepare "$here/cases/hostile-names.case"
	"$tool" show -f trackevent "$tmp/old.vt" | protoc --proto_path="$proto" --decode=vfiotrace.Trace track_event.proto >"$tmp/te.txt" 2>"$tmp/err" && [ ! -s "$tmp/err" ] &&
		[ "$(grep -c '^  timestamp' "$tmp/te.txt")" -ge "$("$tool" show -f json "$tmp/old.vt" | grep -c '"record":"event"')" ] && ok || not_ok "trackevent: hostile names: $(head -2 "$tmp/err")"
else
	skip "no protoc: trackevent is not read"
fi
