# SPDX-License-Identifier: GPL-2.0
# Every rule has a page, every page a rule, and the binary prints what docs/rules holds, then what the rule needs.
docs=$here/../../../docs/rules
"$tool" explain | awk '{ print $1 }' | sort >"$tmp/rules"
(cd "$docs" && ls -- *.md | sed 's/\.md$//' | sort) >"$tmp/pages"
if cmp -s "$tmp/rules" "$tmp/pages"; then ok; else not_ok "rules and pages differ: $(diff "$tmp/rules" "$tmp/pages" | tr '\n' ' ')"; fi
while read -r rule; do
	"$tool" explain "$rule" >"$tmp/page"
	head -c "$(wc -c <"$docs/$rule.md")" "$tmp/page" | cmp -s - "$docs/$rule.md" && ok || not_ok "explain $rule is not docs/rules/$rule.md"
	# Behind it, what the rule needs: the events of its own table.
	sed -n '/^## What it needs to see/,$p' "$tmp/page" | grep -qE '^    [a-z]+\.[a-z_]+ +where' && ok || not_ok "explain $rule names no event that it needs"
done <"$tmp/rules"
"$tool" explain no-such-rule >/dev/null 2>&1
[ $? = 64 ] && ok || not_ok "explain of an unknown rule does not exit with 64"
# Each rule fires in some case and stays silent in the healthy one.
while read -r rule; do
	case $rule in leftover) continue ;; esac
	grep -qE "^finding $rule( |$)" "$here"/cases/*.case && ok || not_ok "no case in which $rule fires"
done <"$tmp/rules"
