# SPDX-License-Identifier: GPL-2.0
# Each format, as readers accept it that are not ours: jq, xmllint, junitparser, prove and the kernel's KTAP parser, JSON schemas.
formats=()
emit() { # NAME CASE RUN...
	prepare "$here/cases/$2.case" || { not_ok "cannot make $2"; return; }
	for f in json ktap junit sarif; do
		"$tool" diff --format $f "$tmp/old.vt" "$tmp/new.vt" >"$tmp/$1.$f" 2>"$tmp/err" || :
		"$tool" diff --format $f "$tmp/old.vt" "$tmp/new.vt" >"$tmp/again" 2>/dev/null || :
		cmp -s "$tmp/$1.$f" "$tmp/again" && ok || not_ok "two $f reports of $1 differ"
		grep -qE 'runtime error|Sanitizer' "$tmp/err" && not_ok "$f of $1: sanitizer"
	done
	formats+=("$1")
}
emit good healthy
emit seeded alloc-mismatch-seed
emit lossy lost-events
emit hostile hostile-names
emit broken failed-deserialize
emit nothing no-luo

for n in "${formats[@]}"; do
	jq -e 'type == "object" and .schema == 4' "$tmp/$n.json" >/dev/null && ok || not_ok "jq refuses the JSON of $n"
	jq -e '.version == "2.1.0" and (.runs | length == 1)' "$tmp/$n.sarif" >/dev/null && ok || not_ok "jq refuses the SARIF of $n"
	xmllint --noout "$tmp/$n.junit" 2>"$tmp/err" && ok || not_ok "xmllint refuses the JUnit of $n: $(head -2 "$tmp/err")"
done
[ "$(jq -r '.findings[0].rule' "$tmp/seeded.json")" = alloc-mismatch ] && ok || not_ok "JSON names no rule"
[ "$(jq -r '.runs[0].results[0].ruleId' "$tmp/seeded.sarif")" = alloc-mismatch ] && ok || not_ok "SARIF names no rule"
[ "$(xmllint --xpath 'string(//testcase[failure]/@name)' "$tmp/seeded.junit")" = alloc-mismatch ] && ok || not_ok "JUnit has no failure"
# One cause of doubt is one failure, however many rules it leaves open; the verdict is a test of its own.
[ "$(xmllint --xpath 'count(//testcase[error])' "$tmp/lossy.junit")" = 1 ] && [ "$(xmllint --xpath 'string(//testcase[error]/@name)' "$tmp/lossy.junit")" = verdict ] &&
	ok || not_ok "JUnit has not one error for an unknown"
[ "$(grep -c '^not ok' "$tmp/lossy.ktap")" = 1 ] && grep -q '^not ok [0-9]* verdict$' "$tmp/lossy.ktap" && grep -q '^# leaves open: ' "$tmp/lossy.ktap" && ok ||
	not_ok "KTAP has not one failure for an unknown"
for n in good seeded nothing; do
	[ "$(xmllint --xpath 'count(//testcase[@name="verdict"])' "$tmp/$n.junit")" = 1 ] && [ "$(xmllint --xpath 'number(//testsuite/@tests)' "$tmp/$n.junit")" = \
		"$(xmllint --xpath 'count(//testcase)' "$tmp/$n.junit")" ] && ok || not_ok "JUnit of $n: no verdict, or the wrong number of tests"
	for what in failure error skipped; do
		[ "$(xmllint --xpath "sum(//testsuite/@${what}s[1] | //testsuite/@$what)" "$tmp/$n.junit")" = "$(xmllint --xpath "count(//testcase[$what])" "$tmp/$n.junit")" ] && ok ||
			not_ok "JUnit of $n counts another number of ${what}s"
	done
done
[ "$(xmllint --xpath 'string(//testcase[@name="verdict"]/failure/@type)' "$tmp/seeded.junit")" = findings ] && ok || not_ok "JUnit: the verdict does not fail"
# Passed means judged: what had nothing to judge is told apart, and what passed says of how many.
told_apart() { # FORMAT CONDITION
	[ "$2" = 1 ] && ok || not_ok "$1: nothing to judge reads like passed"
}
told_apart json "$(jq '[.rules[] | select(.id == "freeze-rollback" and .status == "nothing to judge" and .judged == 0), select(.id == "df-leak" and .status == "pass" and .judged == 2 and .unit == "dfs")] | length == 2 | if . then 1 else 0 end' "$tmp/good.json")"
told_apart sarif "$(jq '[.runs[0].properties.rules[] | select(.id == "freeze-rollback" and .status == "nothing to judge"), select(.id == "df-leak" and .judged == 2)] | length == 2 | if . then 1 else 0 end' "$tmp/good.sarif")"
told_apart junit "$(xmllint --xpath 'count(//testcase[@name="freeze-rollback"]/skipped[starts-with(@message, "nothing to judge: ")] | //testcase[@name="freeze-rollback"][@assertions])' "$tmp/good.junit")"
told_apart junit "$(xmllint --xpath 'count(//testcase[@name="df-leak"][@assertions=2])' "$tmp/good.junit")"
told_apart ktap "$(grep -cE '^ok [0-9]+ freeze-rollback # SKIP nothing to judge: ' "$tmp/good.ktap")"
told_apart ktap "$(grep -B1 -E '^ok [0-9]+ df-leak$' "$tmp/good.ktap" | grep -c '^# judged: 2 dfs$')"
prepare "$here/cases/healthy.case"
"$tool" diff "$tmp/old.vt" "$tmp/new.vt" >"$tmp/text"
told_apart text "$(tr -s ' \n' '  ' <"$tmp/text" | grep -cE ' Rules [0-9].* [1-9][0-9]* with nothing to judge')"
"$tool" check -v "$tmp/new.vt" >"$tmp/text"
told_apart -v "$(grep -cE '^  freeze-rollback +nothing +no freeze or update that failed was seen$' "$tmp/text")"
told_apart -v "$(grep -cE '^  df-leak +passed +1 df$' "$tmp/text")"
"$tool" diff -f html "$tmp/old.vt" "$tmp/new.vt" >"$tmp/html"
told_apart html "$(grep -c '<td>freeze-rollback<td>nothing to judge<td>0 ' "$tmp/html")"
told_apart html "$(grep -c '<td>df-leak<td>pass<td>2 dfs<td>' "$tmp/html")"
"$tool" gate -f prometheus "$tmp/old.vt" "$tmp/new.vt" >"$tmp/prom"
told_apart prometheus "$(grep -cE '^vfiotrace_rules\{status="nothing to judge"\} [1-9]' "$tmp/prom")"
told_apart prometheus "$(grep -c '^vfiotrace_rule_judged{rule="df-leak",unit="dfs"} 2$' "$tmp/prom")"

# junitparser: good passes, the others do not.
if command -v junitparser >/dev/null; then
	junitparser verify "$tmp/good.junit" >"$tmp/out" 2>&1 && ok || not_ok "junitparser: good does not pass: $(tail -1 "$tmp/out")"
	for n in seeded lossy; do
		junitparser verify "$tmp/$n.junit" >"$tmp/out" 2>&1
		[ $? = 1 ] && ! grep -q Traceback "$tmp/out" && ok || not_ok "junitparser: $n passes, or is refused: $(tail -1 "$tmp/out")"
	done
else
	skip "no junitparser"
fi

# TAP::Parser, by way of prove: good passes, the others do not.
if command -v prove >/dev/null; then
	prove -e cat "$tmp/good.ktap" >"$tmp/out" 2>&1 && ok || not_ok "prove: good does not pass: $(tail -3 "$tmp/out")"
	prove -e cat "$tmp/seeded.ktap" >"$tmp/out" 2>&1 && not_ok "prove: seeded passes" || ok
	prove -e cat "$tmp/lossy.ktap" >"$tmp/out" 2>&1 && not_ok "prove: lossy passes" || ok
	grep -qi 'parse error' "$tmp/out" && not_ok "prove: $(grep -i 'parse error' "$tmp/out")"
else
	skip "no prove"
fi
# The kernel's own parser, when a kernel tree is at hand, or the source package that the lab builds from.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vfiotrace
deb=$(ls "$cache"/debs/linux-source-*.deb 2>/dev/null | tail -1)
if [ -z "${LINUX_SRC:-}" ] && [ -n "$deb" ] && [ ! -e "$cache/kunit/tools/testing/kunit/kunit.py" ]; then
	series=$(basename "$deb" | cut -d_ -f1)
	mkdir -p "$cache/kunit"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$series.tar.xz" |
		tar -xJ -C "$cache/kunit" --strip-components=1 "$series/tools/testing/kunit" 2>/dev/null
fi
kunit=$(ls -d ${LINUX_SRC:+"$LINUX_SRC"/tools/testing/kunit} "${XDG_CACHE_HOME:-$HOME/.cache}"/vfiotrace/*/tools/testing/kunit \
	"${XDG_CACHE_HOME:-$HOME/.cache}"/vfiotrace/*/*/tools/testing/kunit 2>/dev/null | head -1)
if [ -n "$kunit" ] && command -v python3 >/dev/null && [ -e "$kunit/kunit.py" ]; then
	# It expects subtests: the report becomes the output of one suite.
	suite() { # FILE
		echo "KTAP version 1"
		echo "1..1"
		sed 's/^/    /' "$1"
		if grep -q '^not ok' "$1"; then echo "not ok 1 vfiotrace"; else echo "ok 1 vfiotrace"; fi
	}
	suite "$tmp/good.ktap" | python3 "$kunit/kunit.py" parse >"$tmp/out" 2>&1 && ok || not_ok "kunit parse: good does not pass: $(tail -3 "$tmp/out")"
	suite "$tmp/seeded.ktap" | python3 "$kunit/kunit.py" parse >"$tmp/out" 2>&1 && not_ok "kunit parse: seeded passes" || ok
else
	skip "no kernel tree with tools/testing/kunit"
fi

echo '{}' >"$tmp/empty"
# Our schemas, by python3-jsonschema.
valid() { python3 -m jsonschema -i "$2" "$1" >"$tmp/out" 2>&1; } # SCHEMA FILE
if python3 -c 'import jsonschema' 2>/dev/null; then
	report_schema=$here/../../../docs/report.schema.json
	valid "$report_schema" "$tmp/empty" && not_ok "schema: {} is accepted as a report" || ok
	# What is published lets later versions add; here nothing may be said that it does not know.
	jq 'walk(if type == "object" and has("properties") and (.type == "object") then .additionalProperties = false else . end)' \
		"$report_schema" >"$tmp/strict.schema"
	for n in "${formats[@]}"; do
		valid "$tmp/strict.schema" "$tmp/$n.json" && ok || not_ok "schema: JSON of $n: $(tail -2 "$tmp/out" | grep -o "[^:]*$")"
		jq '.later = 1 | .sides[0].later = 1' "$tmp/$n.json" >"$tmp/later.json"
		valid "$report_schema" "$tmp/later.json" && ok || not_ok "schema: a later version's report is refused"
	done
	# A trace as JSON lines: each line by itself is of the published form.
	"$tool" show -f json "$tmp/old.vt" >"$tmp/show.jsonl" 2>/dev/null
	xz -dc "$here/lab/healthy.pre.vft.xz" >"$tmp/real.vft" && "$tool" show -f json "$tmp/real.vft" >>"$tmp/show.jsonl" 2>/dev/null
	jq -s . "$tmp/show.jsonl" >"$tmp/show.json"
	jq '{ "$schema": ."$schema", definitions: .definitions, type: "array", minItems: 50, items: { oneOf: .oneOf } }' \
		"$here/../../../docs/trace.schema.json" >"$tmp/lines.schema"
	valid "$tmp/lines.schema" "$tmp/show.json" && ok || not_ok "schema: lines of show: $(tail -2 "$tmp/out")"
	jq '.[9] += { "nothing": 1 } | .[10] |= { "type": "?" }' "$tmp/show.json" >"$tmp/odd.json"
	valid "$tmp/lines.schema" "$tmp/odd.json" && not_ok "schema: a line of another form is accepted" || ok
else
	skip "no python3-jsonschema: schemas not applied"
fi

# One line says the same; many updates, a line each, whatever becomes of one of them.
prepare "$here/cases/alloc-mismatch-seed.case"
"$tool" diff -f json --host h1 --name n1 "$tmp/old.vt" "$tmp/new.vt" >"$tmp/pretty"
jq -c . "$tmp/pretty" >"$tmp/want"
"$tool" diff -f jsonl --host h1 --name n1 "$tmp/old.vt" "$tmp/new.vt" >"$tmp/line"
cmp -s "$tmp/line" "$tmp/want" && ok || not_ok "jsonl is not json on a line"
jq -e '.host == "h1" and .name == "n1" and (.update | length == 16) and .version != null' "$tmp/want" >/dev/null && ok || not_ok "JSON has no identity"
printf '%s\t%s\th1\n%s\t%s\th2\tb\n%s\t%s\n' "$tmp/old.vt" "$tmp/new.vt" /dev/null /dev/null "$tmp/old.vt" "$tmp/new.vt" >"$tmp/list"
"$tool" diff -f jsonl --pairs "$tmp/list" >"$tmp/many" 2>"$tmp/err"
[ $? = 1 ] && [ "$(jq -r .host "$tmp/many" | tr '\n' ' ')" = "h1 null " ] && grep -q /dev/null "$tmp/err" && ok || not_ok "--pairs: $(cat "$tmp/err")"
"$tool" diff -f jsonl "$tmp/old.vt" "$tmp/new.vt" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/two"
jq -se 'length == 2 and .[0].update == .[1].update' "$tmp/two" >/dev/null && ok || not_ok "two pairs in one call"
"$tool" diff -f sarif "$tmp/old.vt" "$tmp/new.vt" "$tmp/old.vt" "$tmp/new.vt" >/dev/null 2>&1; [ $? = 64 ] && ok || not_ok "SARIF of two updates"
# A number is a number whatever its size, and no name is a member.
jq -e '[.. | objects | (.ts_ns, .first_ns, .total_ns, .count) | select(. != null) | type] | unique == ["number"]' "$tmp/want" >/dev/null && ok || not_ok "JSON: numbers that are none"
jq -e '.sides | all((.phases | type == "array") and (.handlers | type == "array"))' "$tmp/want" >/dev/null && ok || not_ok "JSON: names as members"
# Suppressed ones fail nothing and stay to be read.
printf '[suppress]\nrule = alloc-mismatch\nmatch = *\nreason = queued & tested\nexpires = 2099-01-01\n' >"$tmp/quiet"
for f in junit ktap sarif json; do
	"$tool" gate -p "$tmp/quiet" -f $f --name 'sc #1' "$tmp/old.vt" "$tmp/new.vt" >"$tmp/quiet.$f" && grep -qE 'queued &(amp;)? tested|"suppressed": true' "$tmp/quiet.$f" && ok ||
		not_ok "a suppressed finding vanishes from $f"
done
xmllint --noout "$tmp/quiet.junit" && [ "$(xmllint --xpath 'string(//testsuite/@name)' "$tmp/quiet.junit")" = "sc #1" ] && ok || not_ok "JUnit: no name"
[ "$(xmllint --xpath 'count(//property[@name="POST.kernel.release"])' "$tmp/quiet.junit")" = 1 ] && ok || not_ok "JUnit: no kernel"
grep -q '^ok 1 sc _1$' "$tmp/quiet.ktap" && grep -q '^    # Subtest: sc #1$' "$tmp/quiet.ktap" && ok || not_ok "KTAP: no name"
# Metrics: by promtool, of the package prometheus.
"$tool" diff -f prometheus "$tmp/old.vt" "$tmp/new.vt" >"$tmp/prom"
grep -qx 'vfiotrace_findings{severity="warning"} 1' "$tmp/prom" && ok || not_ok "metrics: no finding"
# It is unpacked, not installed: the package starts a server.
promtool=$(command -v promtool) || promtool=${XDG_CACHE_HOME:-$HOME/.cache}/vfiotrace/promtool/usr/bin/promtool
if [ ! -x "$promtool" ] && command -v apt-get >/dev/null && mkdir -p "${promtool%/usr/bin/promtool}"; then
	(cd "${promtool%/usr/bin/promtool}" && timeout 60 apt-get -q download prometheus && dpkg -x prometheus_*.deb . && rm -f prometheus_*.deb) >/dev/null 2>&1
fi
if [ -x "$promtool" ]; then
	"$promtool" check metrics <"$tmp/prom" >"$tmp/out" 2>&1 && ok || not_ok "promtool: $(head -3 "$tmp/out")"
	sed 's/^# TYPE \(.*\) gauge/# TYPE \1 gouge/' "$tmp/prom" | "$promtool" check metrics >/dev/null 2>&1 && not_ok "promtool: anything passes" || ok
else
	skip "no promtool"
fi

# SARIF's schema, by ajv: both from npm, kept outside the tree.
mods=${XDG_CACHE_HOME:-$HOME/.cache}/vfiotrace/npm
if command -v npm >/dev/null && command -v node >/dev/null && mkdir -p "$mods" &&
	{ [ -d "$mods/node_modules/ajv-draft-04" ] || (cd "$mods" && timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts \
		ajv@8.20.0 ajv-draft-04@1.0.0 ajv-formats @microsoft/jest-sarif@1.0.0-beta.0 >/dev/null 2>&1); }; then
	cat >"$tmp/validate.js" <<'END'
const fs = require('fs'), path = require('path');
const mods = path.join(process.argv[2], 'node_modules');
const Ajv = require(path.join(mods, 'ajv-draft-04'));
const ajv = new (Ajv.default || Ajv)({ strict: false, allErrors: true, unicodeRegExp: false });
require(path.join(mods, 'ajv-formats')).default(ajv);
const check = ajv.compile(JSON.parse(fs.readFileSync(process.argv[3])));
if (!check(JSON.parse(fs.readFileSync(process.argv[4])))) {
	console.log(ajv.errorsText(check.errors).slice(0, 400));
	process.exit(1);
}
END
	sarif_schema=$(ls "$mods"/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0*.json)
	sarif() { node "$tmp/validate.js" "$mods" "$sarif_schema" "$1" >"$tmp/out" 2>&1; }
	sarif "$tmp/empty" && not_ok "schema: {} is accepted as SARIF" || ok
	for n in "${formats[@]}"; do
		sarif "$tmp/$n.sarif" && ok || not_ok "schema: SARIF of $n: $(tail -2 "$tmp/out")"
	done
else
	skip "no npm, or the registry is out of reach: SARIF's schema not applied"
fi
# What code scanning services ask for beyond the schema, by the validator of SARIF's authors.
if command -v npm >/dev/null && command -v node >/dev/null &&
	{ [ -d "$mods/node_modules/@microsoft/sarif-multitool-linux" ] || (cd "$mods" && timeout 180 npm install --silent --no-audit --no-fund --ignore-scripts \
		@microsoft/sarif-multitool@5.7.0 >/dev/null 2>&1); }; then
	multitool=$mods/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
	chmod +x "$multitool"
	scanned() { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$multitool" validate "$1" --rule-kind 'Sarif;Gh' --level 'Error;Warning' >"$tmp/out" 2>&1; grep -c ': error ' "$tmp/out"; }
	jq 'del(.runs[].tool.driver.rules[].help)' "$tmp/seeded.sarif" >"$tmp/helpless.sarif"
	[ "$(scanned "$tmp/helpless.sarif")" -gt 0 ] && ok || not_ok "sarif-multitool takes rules without help"
	for n in good seeded hostile lossy; do
		[ "$(scanned "$tmp/$n.sarif")" = 0 ] && grep -q 'completed successfully' "$tmp/out" && ok || not_ok "sarif-multitool, $n: $(head -3 "$tmp/out")"
	done
else
	skip "no sarif-multitool"
fi
# Colour: never into a file.
"$tool" diff "$tmp/old.vt" "$tmp/new.vt" | grep -q $'\033' && not_ok "escape sequences in a file" || ok
