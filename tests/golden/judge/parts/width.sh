# SPDX-License-Identifier: GPL-2.0
# A report is 80 columns wide where no terminal says otherwise, whatever the names are.
for pre in "$here"/lab/*.pre.vft.xz; do
	name=$(basename "$pre" .pre.vft.xz)
	xz -dc "$pre" >"$tmp/pre.vft"
	if [ -e "$here/lab/$name.post.vft.xz" ]; then
		xz -dc "$here/lab/$name.post.vft.xz" >"$tmp/post.vft"
		"$tool" diff "$tmp/pre.vft" "$tmp/post.vft" >"$tmp/text" 2>/dev/null
	else
		"$tool" check "$tmp/pre.vft" >"$tmp/text" 2>/dev/null
	fi
	[ -s "$tmp/text" ] && awk 'length > 80 { exit 1 }' "$tmp/text" && ok || not_ok "lab/$name: $(awk 'length > 80' "$tmp/text" | head -1)"
done
