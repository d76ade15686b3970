#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""loss.py VFIOTRACE MKTRACE DIR FIRST LAST: live updates that lost records at random.

The trace says what was lost, and when, or the reader sees damage. Then whatever is
lost, and whatever that did to the order of calls:
- what has no finding gets none: neither a healthy update nor a rule that had nothing to say;
- a rule that found something finds it still, or says unknown: it never passes.

DIR/texts holds the texts of the cases (NAME.old, NAME.new, and NAME.run: what to run).
One line per seed: "ok N", or "not_ok N; ...".
"""
import collections
import json
import os
import random
import subprocess
import sys

BASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "base")
HEALTHY = [("old", "new"), ("old", "new-failed"), ("old-agents", "new-agents"), ("old-aborted-done", "new")]
EVENTS = b"\xf5BLK\x07\x00"	# how a block of events begins
HEADER = 32
NOT_ONE_UPDATE = 66


def read(path):
    with open(path) as f:
        return f.read().splitlines()


def is_event(line):
    return line.startswith("ev ") and " rec." not in line


def time_of(line):
    return int(line.split()[1])


def choose(lines, r):
    """A burst that found the ring full, or single records here and there."""
    events = [i for i, line in enumerate(lines) if is_event(line)]
    if r.random() < 0.5:
        first = r.randrange(len(events))
        return set(events[first:first + r.randrange(1, 12)])
    p = r.choice([0.01, 0.03, 0.1, 0.3])
    return {i for i in events if r.random() < p}


def loss_rows(lines, gone, exact):
    lost = collections.defaultdict(list)
    for i in gone:
        lost[lines[i].split()[5]].append(time_of(lines[i]))
    return ['loss %s "ring full" %d %d %d' % (name, len(t), min(t) if exact else 1, max(t) if exact else 999999999)
            for name, t in sorted(lost.items())]


def lose(lines, r, exact):
    gone = choose(lines, r)
    rows = loss_rows(lines, gone, exact)
    kept = [line for i, line in enumerate(lines) if i not in gone]
    end = next((i for i, line in enumerate(kept) if line.startswith("end ")), len(kept))
    return kept[:end] + rows + kept[end:]


def flush_often(lines, r):
    out = []
    for line in lines:
        out.append(line)
        if is_event(line) and r.random() < 0.15:
            out.append("flush")
    return out


def damage(path, r):
    """A byte of some block of events is another one."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    at, blocks = data.find(EVENTS), []
    while at >= 0:
        blocks.append(at)
        at = data.find(EVENTS, at + 1)
    for block in r.sample(blocks, min(len(blocks), r.choice([1, 1, 2]))):
        data[block + HEADER + 8] ^= 0xff
    with open(path, "wb") as f:
        f.write(data)


def write(mktrace, path, lines):
    with open(path + ".txt", "w") as f:
        f.write("\n".join(lines) + "\n")
    subprocess.run([mktrace, "-o", path, path + ".txt"], check=True)


def judge(tool, args):
    done = subprocess.run([tool] + args + ["--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode == NOT_ONE_UPDATE and not done.stdout:
        return done.returncode, {}, []
    got = json.loads(done.stdout)
    return done.returncode, {row["id"]: row["status"] for row in got["rules"]}, got["findings"]


def sources(scratch, r):
    """Texts of both sides, and what to run on them."""
    texts = os.path.join(scratch, "texts")
    cases = sorted(n[:-4] for n in os.listdir(texts) if n.endswith(".run")) if os.path.isdir(texts) else []
    if not cases or r.random() < 0.3:
        probes = read(os.path.join(BASE, "probes.txt"))
        return ["diff", "old", "new"], [probes + read(os.path.join(BASE, n + ".txt")) for n in r.choice(HEALTHY)]
    name = r.choice(cases)
    run = read(os.path.join(texts, name + ".run"))[0].split()
    return run, [read(os.path.join(texts, name + side)) for side in (".old", ".new")]


def wrongs(tool, mktrace, scratch, seed):
    r = random.Random(seed)
    run, texts = sources(scratch, r)
    hit = r.choice([(True, False), (False, True), (True, True)])
    how = r.choice(["whole", "exact", "exact", "damage"])
    paths = {side: os.path.join(scratch, side + ".vft") for side in ("old", "new")}
    args = [run[0]] + [paths[side] for side in run[1:]]
    for side, lines in zip(("old", "new"), texts):
        write(mktrace, paths[side], lines)
    whole, due, _ = judge(tool, args)
    for side, lines, this in zip(("old", "new"), texts, hit):
        if this and how == "damage":
            write(mktrace, paths[side], flush_often(lines, r))
            damage(paths[side], r)
        elif this:
            write(mktrace, paths[side], lose(lines, r, how == "exact"))
    code, got, findings = judge(tool, args)
    if code == NOT_ONE_UPDATE:
        return [] if whole == code else ["%s %s, exit %d" % (how, " ".join(run), code)]
    wrong = ["a false alarm of %s: %s" % (f["rule"], f["title"]) for f in findings if due[f["rule"]] != "finding"]
    silent = [rule for rule in due if due[rule] == "finding" and got[rule] in ("pass", "not applicable")]
    wrong += ["%s has become %s" % (rule, got[rule]) for rule in silent]
    if code in (0, 4) and "finding" in due.values():
        wrong.append("exit %d" % code)
    return ["%s %s, %s" % (how, " ".join(run), w) for w in wrong]


def main():
    tool, mktrace, scratch = sys.argv[1:4]
    for seed in range(int(sys.argv[4]), int(sys.argv[5])):
        wrong = wrongs(tool, mktrace, scratch, seed)
        print("%s %d%s" % ("not_ok" if wrong else "ok", seed, "".join("; " + w for w in wrong)), flush=True)


if __name__ == "__main__":
    main()
