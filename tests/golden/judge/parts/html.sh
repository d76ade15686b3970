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

# A thousand files: the memory file of the healthy update a thousand times over, each with a lane of its own.
cat >"$tmp/many.py" <<'END'
import re, sys
lines, n, shift, i = sys.stdin.read().splitlines(), int(sys.argv[1]), 0, 0
def at(line, more):
    return re.sub(r"^ev (\d+)", lambda m: f"ev {int(m.group(1)) + more}", line)
def copy(line, k):
    line = line.replace("token=0x2", f"token={0xfff + k:#x}")
    line = re.sub(r"\b(file|luo_file)#(\d+)", lambda m: f"{m.group(1)}#{int(m.group(2)) + 100 * k}", line)
    line = re.sub(r"\b(data|phys)=0x([0-9a-f]+)", lambda m: f"{m.group(1)}={int(m.group(2), 16) + 0x10000 * k:#x}", line)
    return re.sub(r"\bfd=(\d+)", lambda m: f"fd={int(m.group(1)) + k}", line)
while i < len(lines):
    j = i
    while j < len(lines) and lines[j].startswith("ev ") and "token=0x2" in lines[j]:
        j += 1
    if j == i:
        print(at(lines[i], shift))
        i += 1
        continue
    span = int(lines[j - 1].split()[1]) - int(lines[i].split()[1]) + 200
    for k in range(n):
        for line in lines[i:j]:
            print(at(copy(line, k) if k else line, shift + k * span))
    shift, i = shift + span * (n - 1), j
END
prepare "$here/cases/healthy.case" >/dev/null
for side in old new; do python3 "$tmp/many.py" 1000 <"$tmp/$side.txt" >"$tmp/many" && mv "$tmp/many" "$tmp/$side.txt" && make "$side"; done
begin=$(date +%s%N)
page thousand "$tmp/old.vt" "$tmp/new.vt"
[ "$(wc -c <"$tmp/thousand.html")" -le 2000000 ] && [ $((($(date +%s%N) - begin) / 1000000)) -le 20000 ] && ok || not_ok "a thousand files: $(wc -c <"$tmp/thousand.html") bytes"
[ "$(grep -o 'class="who"' "$tmp/thousand.html" | wc -l)" -ge 1001 ] && ok || not_ok "a thousand files have not as many lanes"
# As a browser has it once it is loaded.
if command -v chromium >/dev/null; then
	for n in healthy thousand; do
		timeout 120 chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$tmp/profile" --dump-dom "file://$tmp/$n.html" >"$tmp/dom" 2>/dev/null
		[ "$(grep -o 'class="who"' "$tmp/dom" | wc -l)" = "$(grep -o 'class="who"' "$tmp/$n.html" | wc -l)" ] && grep -q '</html>' "$tmp/dom" && ok || not_ok "chromium does not show $n as it is"
	done
else
	skip "no chromium: pages are not loaded"
fi
