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
	# One kernel alone shows less, never more: without a bug in the pair there is none in its halves.
	[ "$rules" = - ] || continue
	for side in pre post; do
		[ -e "$here/lab/$name.$side.vft.xz" ] || continue
		"$tool" check "$tmp/$side.vft" >"$tmp/text" 2>&1
		code=$?
		if [ "$code" = 0 ] || [ "$code" = 4 ] || [ "$code" = 5 ]; then ok; else not_ok "lab/$name: check of $side: exit $code"; fi
	done
done <"$here/lab/expected"

# Traces of two updates are told as that, and never judged as one.
two_updates() { # PRE POST WHY
	xz -dc "$here/lab/$1.pre.vft.xz" >"$tmp/pre.vft"
	xz -dc "$here/lab/$2.post.vft.xz" >"$tmp/post.vft"
	"$tool" diff "$tmp/pre.vft" "$tmp/post.vft" >"$tmp/text" 2>&1
	code=$?
	if [ "$code" = 66 ] && grep -qF "not of one live update: " "$tmp/text" && grep -qF -- "$3" "$tmp/text"; then
		ok
	else
		not_ok "lab/$1 with $2: exit $code, $(head -1 "$tmp/text")"
	fi
}
two_updates healthy two-devices "none of the 8 blocks that the first gave to it"
two_updates healthy arm64-healthy "one is of a x86_64 machine, the other of aarch64"
two_updates arm64-healthy healthy "one is of a aarch64 machine, the other of x86_64"
two_updates rounds healthy "none of the 20 blocks"
two_updates healthy late-recorder-e "s before the first recording ended"
two_updates mixed rounds "none of the 11 blocks"
two_updates two-devices unknown-handler "not of one live update"
two_updates seeded-kref-leak seeded-fmapping-missing "not of one live update"
two_updates seeded-early-file seeded-df-leak "not of one live update"
two_updates memfd-only closed-session "not of one live update"
two_updates one-cpu retrieve-twice "not of one live update"
two_updates systemd-whole systemd-second-lost "not of one live update"

# What knows where the kernel lies stays in the kernel.
for f in "$here"/lab/*.vft.xz; do
	xz -dc "$f" >"$tmp/one.vft"
	if "$tool" show -f json "$tmp/one.vft" | "$here/../../tools/addresses.py" - >"$tmp/addresses"; then
		ok
	else
		not_ok "$(basename "$f" .xz) has an address of the kernel: $(head -n 1 "$tmp/addresses")"
	fi
done
