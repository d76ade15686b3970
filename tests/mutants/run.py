#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Do the tests notice when the verdict logic is wrong? run.py TREE TRACES [WORD...]

Each mutant of the table is put into a copy of TREE (built, in a temporary
directory), built, and judged by the golden cases, the lab's recordings and the
unit tests, until one fails. A mutant that none fails on survives. TRACES are
those of `make monotone`; each WORD picks the mutants whose file or text has it.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

UNITS = "test_families test_finding test_kinds test_map test_order test_ranges test_spans test_baseline test_notes".split()
ALLOWED = 0.05


def read_table(path):
    mutants, one = [], None
    for nr, line in enumerate(open(path), 1):
        line = line.rstrip("\n")
        if line.startswith("@ "):
            one = {"file": line[2:].strip(), "old": None, "new": None, "survives": None, "line": nr}
            mutants.append(one)
        elif line.startswith("< ") and one:
            one["old"] = line[2:]
        elif line.startswith("> ") and one:
            one["new"] = line[2:]
        elif line.startswith("survives: ") and one:
            one["survives"] = line[len("survives: "):]
        elif line.strip() and not line.startswith("#"):
            sys.exit("table:%d: not understood: %s" % (nr, line))
    for m in mutants:
        if m["old"] is None or m["new"] is None or m["old"] == m["new"]:
            sys.exit("table:%d: a mutant needs an old and a new text" % m["line"])
    return mutants


def check_table(mutants, tree):
    wrong = 0
    for m in mutants:
        n = open(os.path.join(tree, m["file"])).read().count(m["old"])
        if n != 1:
            print("table:%d: %s: the old text stands %d times: %s" % (m["line"], m["file"], n, m["old"].strip()))
            wrong += 1
    if wrong:
        sys.exit("%d mutants do not fit the source any more" % wrong)


def read_cases(tree):
    cases = []
    where = os.path.join(tree, "tests/golden/judge/cases")
    for name in sorted(os.listdir(where)):
        c = {"name": name[:-len(".case")], "run": "diff", "due": []}
        for line in open(os.path.join(where, name)):
            words = line.strip().split(None, 1)
            if not words:
                continue
            if words[0] == "run":
                c["run"] = words[1]
            elif words[0] in ("exit", "finding", "unknown", "nothing", "judged", "note", "text", "notext"):
                c["due"].append((words[0], words[1]))
        cases.append(c)
    return cases


def run(tool, args, text=False):
    p = subprocess.run([tool] + args + (["-v"] if text else ["-f", "json"]), capture_output=True, timeout=60,
                       env=dict(os.environ, LC_ALL="C", NO_COLOR="1"))
    return p.returncode, p.stdout.decode(errors="replace")


def case_fails(tool, traces, c):
    side = [os.path.join(traces, "golden", c["name"] + s) for s in (".pre", ".post")]
    args = {"diff": ["diff"] + side, "swapped": ["diff"] + side[::-1], "check-old": ["check", side[0]], "check-new": ["check", side[1]]}[c["run"]]
    code, out = run(tool, args)
    try:
        j = json.loads(out)
    except ValueError:
        j = {"findings": [], "rules": [], "remarks": []}
    flat = None
    wanted = set()
    rules = {r["id"]: r for r in j["rules"]}
    for kind, what in c["due"]:
        words = what.split()
        if kind == "exit" and code != int(words[0]):
            return "exit %d, not %s" % (code, words[0])
        if kind == "finding":
            wanted.add(words[0])
            if not any(f["rule"] == words[0] and (len(words) < 2 or f["severity"] == words[1]) for f in j["findings"]):
                return "no finding of " + what
        if kind == "unknown" and rules.get(words[0], {}).get("status") != "unknown":
            return words[0] + " is not unknown"
        if kind == "nothing" and rules.get(words[0], {}).get("status") != "nothing to judge":
            return words[0] + " has something to judge"
        if kind == "judged" and rules.get(words[0], {}).get("judged") != int(words[1]):
            return words[0] + " judged another number"
        if kind == "note" and not any(r["about"] == words[0] for r in j["remarks"]):
            return "no note " + words[0]
        if kind in ("text", "notext"):
            flat = flat if flat is not None else re.sub(r"\s+", " ", run(tool, args, True)[1])
            if (what in flat) != (kind == "text"):
                return "%s %s" % (kind, what)
    for f in j["findings"]:
        if f["rule"] not in wanted:
            return "a finding of " + f["rule"]
    return None


def lab_fails(tool, traces, line):
    name, want, due = line.split()[:3]
    pre, post = [os.path.join(traces, "lab", name + s) for s in (".pre", ".post")]
    pair = os.path.exists(post)
    code, out = run(tool, ["diff", pre, post] if pair else ["check", pre])
    try:
        got = ",".join(sorted({f["rule"] for f in json.loads(out)["findings"]})) or "-"
    except ValueError:
        got = "-"
    if code != int(want) or got != due:
        return "exit %d and %s" % (code, got)
    for side in (pre, post) if due == "-" else ():
        if os.path.exists(side) and run(tool, ["check", side])[0] not in (0, 4, 5):
            return "check of a half"
    return None


def killer(copy, traces, cases, lab, first):
    """The test that fails, or None. FIRST has what killed before: those come first."""
    tool = os.path.join(copy, "build/vfiotrace")
    if first and first[0].startswith("part ") and part_fails(copy, tool, first[0][len("part "):]):
        return first[0]
    order = [c for c in cases if c["name"] in first] + [c for c in cases if c["name"] not in first]
    for c in order:
        try:
            why = case_fails(tool, traces, c)
        except subprocess.TimeoutExpired:
            why = "hangs"
        if why:
            return "%s: %s" % (c["name"], why)
    for line in lab:
        why = lab_fails(tool, traces, line)
        if why:
            return "lab/%s: %s" % (line.split()[0], why)
    if part_fails(copy, tool, "gate"):
        return "part gate"
    if build(copy, ["build/unit/" + u for u in UNITS]).returncode:
        return "units: do not build"
    for u in UNITS:
        p = subprocess.run([os.path.join(copy, "build/unit", u)], capture_output=True, cwd=copy, timeout=120)
        if p.returncode or b"\nnot ok" in p.stdout:
            return "unit/" + u
    return None


def part_fails(copy, tool, part):
    p = subprocess.run([os.path.join(copy, "tests/golden/judge/run.sh"), tool, os.path.join(copy, "build/tools/mktrace")],
                       capture_output=True, env=dict(os.environ, PART=part), timeout=300)
    return p.returncode != 0


def build(copy, goals):
    return subprocess.run(["make", "-s", "-j1", "VERSION=mutant"] + goals, cwd=copy, capture_output=True, text=True)


def main():
    tree, traces = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    words = sys.argv[3:]
    mutants = read_table(os.path.join(os.path.dirname(os.path.abspath(__file__)), "table"))
    check_table(mutants, tree)
    mutants = [m for m in mutants if not words or any(w in m["file"] or w in m["old"] for w in words)]
    cases = read_cases(tree)
    lab = [l for l in open(os.path.join(tree, "tests/golden/judge/lab/expected")) if l.strip() and not l.startswith("#")]
    survivors, unexpected, first = [], [], []
    with tempfile.TemporaryDirectory() as tmp:
        copy = os.path.join(tmp, "tree")
        unused = {os.path.join(tree, d) for d in (".git", "build/monotone", "build/fuzz", "build/try", "build/san", "build/lab")}
        shutil.copytree(tree, copy, symlinks=True, ignore=lambda d, names: [n for n in names if os.path.join(d, n) in unused])
        p = build(copy, ["build/vfiotrace", "build/tools/mktrace"])
        if p.returncode:
            sys.exit("the tree does not build: " + p.stderr[-2000:])
        why = killer(copy, traces, cases, lab, [])
        if why:
            sys.exit("the tree's own tests fail: " + why)
        for nr, m in enumerate(mutants, 1):
            path = os.path.join(copy, m["file"])
            whole = open(path).read()
            open(path, "w").write(whole.replace(m["old"], m["new"]))
            began = time.time()
            p = build(copy, ["build/vfiotrace"])
            why = "does not build" if p.returncode else killer(copy, traces, cases, lab, first)
            open(path, "w").write(whole)
            if why and not p.returncode:
                name = why.split(":")[0]
                first = [name] + [n for n in first if n != name][:40]
            said = "killed by " + why if why else "SURVIVES"
            print("%3d/%d %-24s %4.0f s  %s -> %s: %s" % (nr, len(mutants), m["file"], time.time() - began, m["old"].strip()[:60], m["new"].strip()[:60], said), flush=True)
            if not why:
                survivors.append(m)
                if not m["survives"]:
                    unexpected.append(m)
            elif m["survives"] or p.returncode:
                unexpected.append(m)
    print("%d mutants, %d survive (%.1f %%)" % (len(mutants), len(survivors), 100.0 * len(survivors) / max(1, len(mutants))))
    for m in survivors:
        print("  %s: %s -> %s: %s" % (m["file"], m["old"].strip(), m["new"].strip(), m["survives"] or "NO REASON"))
    bad = len(unexpected) + (not words and len(survivors) >= ALLOWED * len(mutants))
    print("%d passed, %d failed" % (len(mutants) - len(unexpected), bad))
    sys.exit(1 if bad else 0)


main()
