# SPDX-License-Identifier: GPL-2.0
# Real live updates, as the lab recorded them: NAME EXIT RULES (comma-separated, - for none), in lab/expected.
while read -r name want rules; do
	case $name in '' | '#'*) continue ;; esac
	xz -dc "$here/lab/$name.pre.vft.xz" >"$tmp/pre.vft" || { not_ok "lab/$name: no trace"; continue; }
	args=(check "$tmp/pre.vft")
	if [ -e "$here/lab/$name.post.vft.xz" ]; then
		xz -dc "$here/lab/$name.post.vft.xz" >"$tmp/post.vft"
		args=(diff "$tmp/pre.vft" "$tmp/post.vft")
	fi
	"$tool" "${args[@]}" --format json >"$tmp/json" 2>"$tmp/err"
	code=$?
	got=$(jq -r '[.findings[].rule] | unique | join(",")' "$tmp/json" 2>/dev/null)
	if [ "$code" = "$want" ] && [ "${got:--}" = "$rules" ] && ! grep -qE 'runtime error|Sanitizer' "$tmp/err"; then
		ok
	else
		not_ok "lab/$name: exit $code and findings of ${got:-nothing}; due are $want and $rules"
	fi
done <"$here/lab/expected"
