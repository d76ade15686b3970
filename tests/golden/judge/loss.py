#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""loss.py VFIOTRACE MKTRACE DIR FIRST LAST: healthy live updates that lost records at random.

Nothing is wrong in them, and the trace says what was lost: a finding is a false
alarm, whatever the loss did to the order of calls. One line per seed that has one.
"""
import collections
import json
import os
import random
import subprocess
import sys

BASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "base")
HEALTHY = [("old", "new"), ("old", "new-failed"), ("old-agents", "new-agents"), ("old-aborted-done", "new")]


def text(name):
    with open(os.path.join(BASE, name + ".txt")) as f:
        return f.read().splitlines()


def degrade(lines, r):
    """A burst that found the ring full, or single records here and there."""
    events = [i for i, line in enumerate(lines) if line.startswith("ev ") and " rec." not in line]
    if r.random() < 0.5:
        first = r.randrange(len(events))
        gone = set(events[first:first + r.randrange(1, 12)])
    else:
        p = r.choice([0.03, 0.1, 0.3])
        gone = {i for i in events if r.random() < p}
    lost = collections.Counter(lines[i].split()[5] for i in gone)
    return [line for i, line in enumerate(lines) if i not in gone], lost


def write(mktrace, path, lines, lost):
    ends = [line for line in lines if line.startswith("end ")]
    rest = [line for line in lines if not line.startswith("end ")]
    losses = ['loss %s "ring full" %d 1 999999999' % item for item in sorted(lost.items())]
    with open(path + ".txt", "w") as f:
        f.write("\n".join(rest + text("probes") + losses + ends) + "\n")
    subprocess.run([mktrace, "-o", path + ".vt", path + ".txt"], check=True)


def findings(tool, mktrace, scratch, seed):
    r = random.Random(seed)
    names = r.choice(HEALTHY)
    hit = r.choice([(True, False), (False, True), (True, True)])
    for side in (0, 1):
        lines, lost = text(names[side]), {}
        if hit[side]:
            lines, lost = degrade(lines, r)
        write(mktrace, os.path.join(scratch, "on"[side]), lines, lost)
    done = subprocess.run([tool, "diff", "--format", "json", scratch + "/o.vt", scratch + "/n.vt"],
                          stdout=subprocess.PIPE, check=False)
    return [f["rule"] + ": " + f["title"] for f in json.loads(done.stdout)["findings"]]


def main():
    tool, mktrace, scratch = sys.argv[1:4]
    for seed in range(int(sys.argv[4]), int(sys.argv[5])):
        wrong = findings(tool, mktrace, scratch, seed)
        print("%s %d%s" % ("not_ok" if wrong else "ok", seed, "".join("; " + w for w in wrong)))


if __name__ == "__main__":
    main()
