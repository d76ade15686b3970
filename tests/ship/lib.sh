# SPDX-License-Identifier: GPL-2.0
# Counting, for the tests of what is shipped. Sourced.
passed=0 failed=0 skipped=0

ok() { # NAME COMMAND...: what the command says is shown when it fails
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		[ -z "${V:-}" ] || echo "ok $name"
	else
		failed=$((failed + 1))
		echo "not ok $name"
		head -n 10 <<<"$out" | sed 's/^/    /'
	fi
}

skip() { # WHY
	echo "skipped: $1"
	skipped=$((skipped + 1))
}

finish() {
	local line="$passed passed, $failed failed"
	[ "$skipped" -eq 0 ] || line+=", $skipped skipped"
	echo "$line"
	[ "$failed" -eq 0 ]
}
