# SPDX-License-Identifier: GPL-2.0
# vfiotrace gate: baselines, policies, and what CI gets to see.
gate() { # WANTED_EXIT ARGUMENTS...
	local want=$1
	shift
	"$tool" gate --today 2026-06-01 "$@" >"$tmp/text" 2>"$tmp/err"
	code=$?
	tr -s ' \n' '  ' <"$tmp/text" >"$tmp/flat"
	if [ $code = "$want" ] && ! grep -qE 'runtime error|Sanitizer' "$tmp/err"; then ok; else not_ok "gate $*: exit $code, $want is due"; fi
}
says() { grep -qF -- "$1" "$tmp/flat" && ok || not_ok "gate does not say '$1'"; }
complains() { grep -qF -- "$1" "$tmp/err" && ok || not_ok "gate does not complain '$1': $(cat "$tmp/err")"; }
pair_of() { # FILE NAME
	prepare "$1" && mkdir -p "$tmp/$2" && mv "$tmp/old.vt" "$tmp/new.vt" "$tmp/$2/" || not_ok "cannot make $1"
}
pair() { # CASE NAME
	pair_of "$here/cases/$1.case" "$2"
}

pair healthy good
pair alloc-mismatch-seed seeded
pair file-mode mode
pair lost-events lossy
pair memfd-only memfd
pair f-mapping unlinked

gate 0 "$tmp"/good/{old,new}.vt
gate 1 "$tmp"/seeded/{old,new}.vt
gate 5 "$tmp"/lossy/{old,new}.vt

# A baseline of a good run: it passes, others do not.
gate 0 --save-baseline "$tmp/base" "$tmp"/good/{old,new}.vt
cp "$tmp/base" "$tmp/base.1"
gate 0 --save-baseline "$tmp/base" "$tmp"/good/{old,new}.vt
cmp -s "$tmp/base" "$tmp/base.1" && ok || not_ok "two baselines of one run differ"
grep -q '^linkage vfio-pci-v1 f_mapping equal$' "$tmp/base" && ok || not_ok "the baseline has no linkage"
gate 0 --baseline "$tmp/base" "$tmp"/good/{old,new}.vt
gate 1 --baseline "$tmp/base" "$tmp"/unlinked/{old,new}.vt
says "struct file member f_mapping of handler vfio-pci-v1 was equal, is differs now"
gate 5 --baseline "$tmp/base" "$tmp"/memfd/{old,new}.vt
says "was covered in the baseline and is not applicable now"
gate 5 --baseline "$tmp/base" "$tmp"/lossy/{old,new}.vt
says "the rule kho-leak was covered in the baseline and is unknown now"
gate 64 --baseline "$tmp/base" --save-baseline "$tmp/b2" "$tmp"/good/{old,new}.vt

# A rule that had nothing to judge promises nothing: it is not in the baseline, and what it finds later fails.
# That one judged something and has nothing now is told.
gate 0 --save-baseline "$tmp/base" "$tmp"/good/{old,new}.vt
grep -q '^covered object-mismatch$' "$tmp/base" && not_ok "a rule that had nothing to judge is covered in a baseline" || ok
pair object-mismatch object
gate 1 --baseline "$tmp/base" "$tmp"/object/{old,new}.vt
grep -q 'object-mismatch' "$tmp/flat" && ok || not_ok "gate says nothing of what a rule without a promise finds"
gate 0 --save-baseline "$tmp/busy" "$tmp"/object/{old,new}.vt
gate 0 --baseline "$tmp/busy" "$tmp"/good/{old,new}.vt
complains "the rule object-mismatch was covered in the baseline and has nothing to judge now"

# Known findings stay listed and do not fail; with other addresses, names of objects and times they are the same.
gate 0 --save-baseline "$tmp/known" "$tmp"/seeded/{old,new}.vt
gate 0 --baseline "$tmp/known" "$tmp"/seeded/{old,new}.vt
says "known it is in the baseline"
printf 'use new new-failed\nedit new /ev 40510/s/callee=kfree family=kmalloc/callee=kvfree family=kvmalloc/\nedit new s/df#1/df#41/\nedit new s/0x5c/0x77/\nedit new s/0xf1/0x1a1/\nedit new s#43/43#143/144#\nedit new s/^ev ([0-9]+)/ev 7\\1/\nedit new s/file#5/file#55/\nedit new s/attach=1000/attach=1000/\n' | grep -v attach >"$tmp/moved.case"
pair_of "$tmp/moved.case" moved
gate 0 --baseline "$tmp/known" "$tmp"/moved/{old,new}.vt
gate 1 --baseline "$tmp/known" "$tmp"/mode/{old,new}.vt
complains "no longer shows"

# Names in a baseline come from traces: no line can be smuggled in by one, and what was written is read again.
cat >"$tmp/hostile.case" <<'END'
use new new-failed
edit new /ev 40510/s/callee=kfree/callee="kvfree\\nfinding 0123456789abcdef df-leak innocent\\ncovered kho-leak\\n#\\x1b[2J\\xe2\\x80\\xae\\\\"/
END
cat >"$tmp/handler.case" <<'END'
edit old s/compatible=vfio-pci-v1/compatible="vfio\\nlinkage innocent f_op equal\\n#"/
edit new s/compatible=vfio-pci-v1/compatible="vfio\\nlinkage innocent f_op equal\\n#"/
END
plain() { LC_ALL=C tr -d '\n\040-\176' <"$1" | cmp -s - /dev/null && ok || not_ok "odd characters in $2"; }
pair_of "$tmp/hostile.case" hostile
pair_of "$tmp/handler.case" handler
gate 0 --save-baseline "$tmp/hostile.base" "$tmp"/hostile/{old,new}.vt
plain "$tmp/hostile.base" "a baseline"
grep -q '^finding [0-9a-f]* alloc-mismatch .*kvfree.x0afinding 0123456789abcdef df-leak innocent.x0acovered' "$tmp/hostile.base" && ok ||
	not_ok "the hostile callee is not in the baseline"
grep -qE '^(finding 0123456789abcdef|#)' "$tmp/hostile.base" && not_ok "a callee makes lines of its own in the baseline" || ok
gate 0 --save-baseline "$tmp/handler.base" "$tmp"/handler/{old,new}.vt
grep -q '^linkage vfio.x0alinkage.x20innocent.x20f_op.x20equal.x0a# f_op equal$' "$tmp/handler.base" && ok || not_ok "the hostile handler is not in the baseline"
grep -qE '^(linkage innocent|#)' "$tmp/handler.base" && not_ok "a handler makes lines of its own in the baseline" || ok
for p in hostile handler; do
	gate 0 --baseline "$tmp/$p.base" "$tmp/$p"/{old,new}.vt
	grep -qE 'Demands|no longer' "$tmp/text" "$tmp/err" && not_ok "a baseline of $p is not met by the same run" || ok
done
gate 0 --baseline "$tmp/hostile.base" "$tmp"/good/{old,new}.vt
complains "no longer shows"
plain "$tmp/err" "what gate says of a baseline"
printf '[limits]\nfree\033[2J\342\200\256ze = 1s\n' >"$tmp/bad"
gate 64 --policy "$tmp/bad" "$tmp"/good/{old,new}.vt
complains "there is no limit 'free?[2J?ze'"
for f in text json ktap junit sarif; do
	"$tool" diff -f $f "$tmp"/hostile/{old,new}.vt >"$tmp/out"
	grep -qF 'finding 0123456789abcdef' "$tmp/out" && ok || not_ok "the hostile callee is not in $f"
	plain "$tmp/out" $f
done

# Whatever the verdict is: a report that reaches nobody is an error.
pair no-luo luoless
for p in good seeded luoless lossy; do
	for c in diff gate; do
		"$tool" $c "$tmp/$p"/{old,new}.vt >/dev/full 2>"$tmp/err"
		code=$?
		[ $code = 74 ] && grep -q 'standard output' "$tmp/err" && ok || not_ok "$c of $p on a full device: exit $code, 74 is due"
	done
done

# Policies.
cat >"$tmp/policy" <<'END'
# a comment
[limits]
freeze.total = 1s
unknown = 0

[suppress]
rule = alloc-mismatch
match = *vfio_device_cdev_open*
reason = the fix is queued
expires = 2026-12-31

[suppress]
rule = df-leak
match = *
reason = nothing like it here
expires = 2026-12-31
END
gate 0 --policy "$tmp/policy" "$tmp"/seeded/{old,new}.vt
says "suppressed the fix is queued"
says "df-leak, *: nothing matches"
gate 1 --policy "$tmp/policy" "$tmp"/mode/{old,new}.vt
sed 's/2026-12-31/2026-05-31/' "$tmp/policy" >"$tmp/expired"
gate 1 --policy "$tmp/expired" "$tmp"/seeded/{old,new}.vt
says "expired on 2026-05-31, the finding counts again"
printf '[limits]\nfreeze.total = 100ns\n' >"$tmp/slow"
gate 1 --policy "$tmp/slow" "$tmp"/good/{old,new}.vt
says "freeze took 500 ns, the limit is 100 ns"
printf '[limits]\nretrieve.max = 1ms\n' >"$tmp/fast"
gate 0 --policy "$tmp/fast" "$tmp"/good/{old,new}.vt
printf '[limits]\nunknown = 9\n' >"$tmp/lax"
gate 0 --policy "$tmp/lax" "$tmp"/lossy/{old,new}.vt

# What is not understood is an error with its place.
bad_policy() { # TEXT COMPLAINT
	printf "$1" >"$tmp/bad"
	gate 64 --policy "$tmp/bad" "$tmp"/good/{old,new}.vt
	complains "$2"
}
bad_policy '[limits]\nfreeze.total = fast\n' "line 2: 'fast' is no time"
bad_policy '[limits]\nfreezing = 1s\n' "line 2: there is no limit 'freezing'"
bad_policy '[limit]\n' 'line 1: there are sections'
bad_policy 'rule = x\n' "line 1: 'rule' stands before any section"
bad_policy '[suppress]\nrule = alloc-mismatch\nmatch = *\nreason = x\n' 'line 1: this suppression has no expires'
bad_policy '[suppress]\nrule = alloc-missmatch\n' "line 2: there is no rule 'alloc-missmatch'"
bad_policy '[suppress]\nrule = df-leak\nrule = df-leak\n' 'line 3: rule is given twice'
bad_policy '[suppress]\nrule = df-leak\nmatch = *\nreason = x\nexpires = soon\n' "line 5: 'soon' is no date"
bad_policy '[suppress]\nwhy = x\n' "no 'why'"
bad_policy '[limits]\nfreeze.total 1s\n' 'line 2: expected'
printf 'vfiotrace-baseline 2\n' >"$tmp/bad"
gate 64 --baseline "$tmp/bad" "$tmp"/good/{old,new}.vt
complains "line 1: expected 'vfiotrace-baseline 1'"
printf 'vfiotrace-baseline 1\nfinding 12 x y\n' >"$tmp/bad"
gate 64 --baseline "$tmp/bad" "$tmp"/good/{old,new}.vt
complains "line 2: expected 'finding"
gate 74 --policy "$tmp/none" "$tmp"/good/{old,new}.vt
gate 64 --today tomorrow "$tmp"/good/{old,new}.vt
gate 65 /etc/hostname "$tmp/good/new.vt"
gate 64 --format yaml "$tmp"/good/{old,new}.vt

# The job that docs/kernel-ci.md shows does what it says.
awk '/^```sh/ { on = 1; next } /^```/ { on = 0 } on' "$here/../../../docs/kernel-ci.md" >"$tmp/job"
ci() { # PAIR WANTED
	(cd "$tmp/ci" && rm -f pre.vft post.vft && ln -s "$tmp/$1/old.vt" pre.vft && ln -s "$tmp/$1/new.vt" post.vft &&
		PATH=$tmp/ci/bin:$PATH sh -eu "$tmp/job" >out 2>&1)
	code=$?
	[ $code = "$2" ] && ok || not_ok "the CI job on $1: exit $code, $2 is due: $(tail -3 "$tmp/ci/out")"
}
mkdir -p "$tmp/ci/bin"
ln -s "$(realpath "$tool")" "$tmp/ci/bin/vfiotrace"
printf '[limits]\nfreeze.total = 1s\n' >"$tmp/ci/vfiotrace.policy"
cp "$tmp/base" "$tmp/ci/vfiotrace.baseline"
ci good 0
[ -s "$tmp/ci/vfiotrace.xml" ] && ok || not_ok "the CI job leaves no JUnit file"
ci seeded 1
ci lossy 5
