# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# docs/fleet.md: each of its queries, on real updates; and fingerprints as they were.
fleet=$tmp/fleet
mkdir -p "$fleet"
while read -r name _; do
	case $name in '' | '#'*) continue ;; esac
	[ -e "$here/lab/$name.post.vft.xz" ] || continue
	for side in pre post; do xz -dc "$here/lab/$name.$side.vft.xz" >"$fleet/$name.$side.vft"; done
	printf '%s\t%s\t%s\t%s\n' "$fleet/$name.pre.vft" "$fleet/$name.post.vft" "host-$name" "$name"
done <"$here/lab/expected" >"$fleet/pairs.tsv"
"$tool" diff -f jsonl --pairs "$fleet/pairs.tsv" >"$fleet/updates.jsonl" 2>"$tmp/err"
[ "$(wc -l <"$fleet/updates.jsonl")" = "$(wc -l <"$fleet/pairs.tsv")" ] && ok || not_ok "not a line per update: $(head -2 "$tmp/err")"
[ "$(jq -r .update "$fleet/updates.jsonl" | sort -u | wc -l)" = "$(wc -l <"$fleet/updates.jsonl")" ] && ok || not_ok "two updates have one id"

# Fingerprints are in people's baselines: as they were, per recorded update.
jq -r '. as $r | .findings[] | [$r.name, .fingerprint, .rule] | @tsv' "$fleet/updates.jsonl" | LC_ALL=C sort >"$tmp/prints"
[ "${UPDATE:-0}" = 1 ] && cp "$tmp/prints" "$here/fingerprints"
if cmp -s "$tmp/prints" "$here/fingerprints"; then ok; else not_ok "fingerprints changed: $(diff "$here/fingerprints" "$tmp/prints" | head -4)"; fi
# Built in or a module, here or there, whole or in pieces: the same finding.
prints() { # SED
	printf '%s\n%s\n' "$(cat "$here/cases/alloc-mismatch-seed.case")" "$1" >"$tmp/print.case"
	prepare "$tmp/print.case" >/dev/null || return 1
	"$tool" diff -f jsonl "$tmp/old.vt" "$tmp/new.vt" >"$tmp/line" || :
	jq -r '.findings[].fingerprint' "$tmp/line"
}
module=$(prints '')
[ -n "$module" ] && ok || not_ok "no fingerprint"
for change in 's/ \[vfio\]//g' 's/cdev_open\+0xf1/cdev_open+0x2e0/' 's/cdev_open\+0xf1/cdev_open.isra.0+0xf1/' 's/cdev_open\+0xf1/cdev_open.cold+0x1/'; do
	other=$(prints "edit new $change")
	[ "$other" = "$module" ] && ok || not_ok "another fingerprint after $change: $other instead of $module"
done

sql() { awk -v want='```'"$1" '$0 == want { on = 1; next } /^```/ { on = 0 } on' "$here/../../../docs/fleet.md"; }
if command -v sqlite3 >/dev/null; then
	(cd "$fleet" && sql sql | sqlite3 -bail fleet.db >answers 2>"$tmp/err") && [ ! -s "$tmp/err" ] && ok || not_ok "sqlite: $(head -2 "$tmp/err")"
	wanted=$(jq -rs '[.[].findings[].fingerprint] | unique | length' "$fleet/updates.jsonl")
	[ "$(sqlite3 "$fleet/fleet.db" 'select count(distinct fingerprint) from findings')" = "$wanted" ] && ok || not_ok "sqlite counts other fingerprints than $wanted"
	[ "$(grep -c '^[0-9a-f]\{16\}	' "$fleet/answers")" = "$wanted" ] && grep -q '^clean	' "$fleet/answers" && grep -q '^host-healthy	[0-9.]*$' "$fleet/answers" && ok ||
		not_ok "sqlite: answers are missing"
else
	skip "no sqlite3"
fi
