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

# A fleet of 10,000 hosts, made of these updates; npm's DuckDB is kept outside the tree.
mods=${XDG_CACHE_HOME:-$HOME/.cache}/vfiotrace/npm-duckdb
if command -v npm >/dev/null && command -v node >/dev/null && mkdir -p "$mods" && { [ -d "$mods/node_modules/@duckdb/node-bindings" ] ||
	(cd "$mods" && timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts @duckdb/node-api@1.5.6-r.1 >/dev/null 2>&1); }; then
	mkdir -p "$fleet/duck"
	nr=$(wc -l <"$fleet/updates.jsonl")
	for ((i = 0; i < 10000; i += nr)); do sed "s/\"host\":\"host-/\"host\":\"rack$i-/" "$fleet/updates.jsonl"; done | head -n 10000 >"$fleet/duck/updates.jsonl"
	sql duckdb >"$tmp/queries.sql"
	# A query per line that ends in a semicolon; what it answers, as JSON, and how long it took.
	cat >"$tmp/duck.cjs" <<'END'
const fs = require('fs');
const { DuckDBInstance } = require(process.argv[2] + '/node_modules/@duckdb/node-api');
(async () => {
	const db = await (await DuckDBInstance.create(':memory:')).connect();
	const texts = fs.readFileSync(process.argv[3], 'utf8').split(/;\s*\n/).filter((q) => q.trim());
	for (const q of texts) {
		const begin = Date.now(), rows = (await db.runAndReadAll(q)).getRowObjectsJson();
		console.log(JSON.stringify({ rows, seconds: (Date.now() - begin) / 1000 }));
	}
})().catch((e) => { console.error(String(e.message || e)); process.exit(1); });
END
	(cd "$fleet/duck" && node "$tmp/duck.cjs" "$mods" "$tmp/queries.sql" >"$tmp/answers" 2>"$tmp/err") && ok || not_ok "DuckDB: $(head -2 "$tmp/err")"
	wanted=$(jq -rs '[.[].findings[].fingerprint] | unique | length' "$fleet/updates.jsonl")
	# The second query groups by fingerprint: as many rows, each host counted.
	[ "$(sed -n 2p "$tmp/answers" | jq '[.rows[].fingerprint] | unique | length')" = "$wanted" ] && ok || not_ok "DuckDB groups into other fingerprints than $wanted"
	all=$(jq -s '[.[] | select(.findings | length > 0)] | length' "$fleet/duck/updates.jsonl")
	[ "$(sed -n 2p "$tmp/answers" | jq '[.rows[].hosts | tonumber] | add')" -ge "$all" ] && ok || not_ok "DuckDB: hosts are missing"
	# And what was written as Parquet is read again, by day.
	echo "select count(*) n, count(distinct \"day\") nr_days, count(distinct host) hosts, sum(len(findings)) findings from read_parquet('lake/*/*.parquet', hive_partitioning = true);
" >"$tmp/lake.sql"
	(cd "$fleet/duck" && node "$tmp/duck.cjs" "$mods" "$tmp/lake.sql" >"$tmp/lake" 2>"$tmp/err") && jq -e '.rows[0] | .n == "10000" and (.nr_days | tonumber) >= 1 and .hosts == "10000"' "$tmp/lake" >/dev/null &&
		ok || not_ok "Parquet: $(cat "$tmp/lake" "$tmp/err" | head -2)"
	echo "10000 updates, $(($(stat -c %s "$fleet/duck/updates.jsonl") >> 20)) MB: DuckDB $(jq -s '.[1].seconds' "$tmp/answers") s by fingerprint, $(jq -s '.[2].seconds' "$tmp/answers") s into Parquet ($(du -sk "$fleet/duck/lake" | cut -f1) kB), $(jq .seconds "$tmp/lake") s from it"
	rm -rf "$fleet/duck"
else
	skip "no DuckDB from npm: its queries are not run"
fi
