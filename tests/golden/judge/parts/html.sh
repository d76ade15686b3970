# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The page: nothing is fetched or run, names stay text, everything that text tells is there.
page() { # NAME PRE POST
	"$tool" diff -f html "$2" "$3" >"$tmp/$1.html" 2>"$tmp/err"
	[ -s "$tmp/$1.html" ] || not_ok "no page of $1: $(head -2 "$tmp/err")"
	grep -qiE 'https?:|<script|javascript:| on[a-z]+=|@import|url\(|<link|<img|<iframe' "$tmp/$1.html" && not_ok "the page of $1 fetches or runs something" || ok
	LC_ALL=C tr -d '\n\040-\176\200-\377' <"$tmp/$1.html" | cmp -s - /dev/null && ok || not_ok "odd characters in the page of $1"
	# The drawing is XML.
	{ echo '<r>'; sed -n '/<svg/,/<\/svg>/p' "$tmp/$1.html" | sed 's/<div[^>]*>//;s/<\/div>//'; echo '</r>'; } >"$tmp/svg"
	xmllint --noout "$tmp/svg" 2>"$tmp/err" && ok || not_ok "the drawing of $1: $(head -2 "$tmp/err")"
}
for n in healthy seeded-df-kvfree rounds; do
	for side in pre post; do xz -dc "$here/lab/$n.$side.vft.xz" >"$tmp/$side.vft"; done
	page "$n" "$tmp/pre.vft" "$tmp/post.vft"
done
[ "$(wc -c <"$tmp/healthy.html")" -le 200000 ] && ok || not_ok "the page of a healthy update is larger than 200 kB"
for side in pre post; do xz -dc "$here/lab/seeded-df-kvfree.$side.vft.xz" >"$tmp/$side.vft"; done
"$tool" diff -f json "$tmp/pre.vft" "$tmp/post.vft" >"$tmp/json"
{ echo '<r>'; sed -n '/<svg/,/<\/svg>/p' "$tmp/seeded-df-kvfree.html" | sed 's/<div[^>]*>//;s/<\/div>//'; echo '</r>'; } >"$tmp/svg"
same() { # WHAT XPATH JQ
	local a b
	a=$(xmllint --xpath "$2" "$tmp/svg") b=$(jq "$3" "$tmp/json")
	[ "$a" = "$b" ] && ok || not_ok "the page has $a $1, the report $b"
}
same lanes 'count(//text[@class="who"]/title)' '.files | length'
same pins 'count(//g[starts-with(@class, "pin")])' '[.findings[].evidence[]] | length'
same "failing steps" 'count(//g[contains(@class, " bad")])' '[.files[] | .old, .new | select(. != null) | .steps[] | select(.last.ret != null and .last.ret < 0)] | length'
# In order of time from left to right, the old kernel before the jump, the new one behind it.
jump=$(xmllint --xpath 'number(//rect[@class="jump"]/@x)' "$tmp/svg")
[ "$(xmllint --xpath "count(//g[@class='s0' or @class='s1']/rect[@x > $jump]) + count(//g[starts-with(@class, 's5') or starts-with(@class, 's7')]/rect[@x < $jump])" "$tmp/svg")" = 0 ] && ok ||
	not_ok "a step is drawn on the wrong side of the jump"
# A name is text, whatever it is.
cat >"$tmp/html.case" <<'END'
edit old s#session=vm0#session="<script>alert(1)</script>'\&"#
edit new s#session=vm0#session="<script>alert(1)</script>'\&"#
END
prepare "$tmp/html.case" >"$tmp/why" && page hostile-markup "$tmp/old.vt" "$tmp/new.vt" || not_ok "hostile markup: $(head -2 "$tmp/why")"
grep -qF '&lt;script&gt;alert(1)' "$tmp/hostile-markup.html" && ok || not_ok "the hostile session is not in the page"
prepare "$here/cases/lost-events.case" >/dev/null && page lossy "$tmp/old.vt" "$tmp/new.vt"
"$tool" diff -f json "$tmp/old.vt" "$tmp/new.vt" >"$tmp/json"
[ "$(sed -n '/<h2>Unknown/,/<\/ul>/p' "$tmp/lossy.html" | grep -o '<li>' | wc -l)" = "$(jq '.unknown | length' "$tmp/json")" ] && ok || not_ok "the page lacks what is unknown"
