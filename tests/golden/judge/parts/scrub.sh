# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A scrubbed trace gives the same verdict, and holds none of the names.
shape() { # everything but what scrub replaces
	jq -c '[.verdict, .exit, [.rules[] | [.id, .status]], [.findings[] | [.rule, .fingerprint, .count, .severity, (.evidence | map([.index, .ts_ns, .func]))]],
		[.files[] | [.old.state, .new.state]], [.fields[].members[] | [.name, .verdict]]]' "$1"
}
while read -r name _; do
	case $name in '' | '#'*) continue ;; esac
	[ -e "$here/lab/$name.post.vft.xz" ] || continue
	for side in pre post; do xz -dc "$here/lab/$name.$side.vft.xz" >"$tmp/$side.vft"; done
	"$tool" scrub "$tmp/pre.vft" "$tmp/pre.s" "$tmp/post.vft" "$tmp/post.s" 2>"$tmp/err"
	code=$?
	if [ $code != 0 ]; then
		# What is damaged, or newer, is refused and told.
		[ $code = 65 ] && grep -q damaged "$tmp/err" && ok || not_ok "scrub of lab/$name: exit $code, $(head -1 "$tmp/err")"
		continue
	fi
	"$tool" diff -f json "$tmp/pre.vft" "$tmp/post.vft" >"$tmp/a.json" 2>/dev/null
	"$tool" diff -f json "$tmp/pre.s" "$tmp/post.s" >"$tmp/b.json" 2>"$tmp/err"
	[ "$(shape "$tmp/a.json")" = "$(shape "$tmp/b.json")" ] && [ -s "$tmp/b.json" ] && ok || not_ok "scrub changes the verdict of lab/$name: $(head -1 "$tmp/err")"
	# None of the names of the trace in the bytes of the scrubbed one, and nothing of its command lines.
	for side in pre post; do
		"$tool" show -f json "$tmp/$side.vft" >"$tmp/all"
		jq -r 'select(.record == "event") | .comm, .fields.session, .fields.bdf | select(. != null and . != "" and . != "vfiotrace")' "$tmp/all" | sort -u >"$tmp/private"
		jq -r 'select(.record == "meta") | .meta["kernel.cmdline"] // empty' "$tmp/all" | tr ' ' '\n' | grep '=' | sort -u >>"$tmp/private"
		"$tool" show -f json "$tmp/$side.s" | jq -r '.. | strings' >"$tmp/said"
		left=$(grep -xFf "$tmp/private" "$tmp/said" | head -1)
		[ -z "$left" ] || case $left in 0000:0?:??.0) ;; *) not_ok "scrub leaves '$left' in lab/$name.$side" ;; esac
	done
done <"$here/lab/expected"
# One without sums over addresses, which could not move along.
xz -dc "$here/lab/seeded-kref-leak.pre.vft.xz" >"$tmp/pre.vft"
"$tool" scrub "$tmp/pre.vft" "$tmp/pre.s" 2>"$tmp/err"
jq_phys='select(.record == "event") | .fields.phys // empty'
"$tool" show -f json "$tmp/pre.vft" | jq -r "$jq_phys" | sort -u >"$tmp/a"
"$tool" show -f json "$tmp/pre.s" | jq -r "$jq_phys" | sort -u >"$tmp/b"
[ -s "$tmp/b" ] && [ -z "$(comm -12 "$tmp/a" "$tmp/b")" ] && [ "$(wc -l <"$tmp/a")" = "$(wc -l <"$tmp/b")" ] && ok || not_ok "scrub leaves physical addresses"
head -c 20000 "$tmp/pre.vft" >"$tmp/torn"
"$tool" scrub "$tmp/torn" "$tmp/t.s" 2>/dev/null; [ $? = 65 ] && ok || not_ok "scrub takes a damaged trace"
