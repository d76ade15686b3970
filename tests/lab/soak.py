#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clean live updates by the dozen, each with agents that act at random.

    soak.py run N [-j JOBS] [--seed S]    N updates over four pairs of kernels, judged
    soak.py one SEED OLD NEW              one of them again
    soak.py show SEED                     the scenario that a seed makes

Nothing in such an update is wrong, so a finding is a bug, and so is an unknown
but where a session is left alone: of the tool, or of this generator. Seeds are
S, S+1, ...; the pair is the seed's remainder. What a failed run left is kept in
build/lab/soak/SEED. LAB_RUN is put in front of every run, "nice" for instance;
LAB_SECOND is the second series (7.2), next to the newest.
"""
import argparse
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import time

LAB = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.normpath(os.path.join(LAB, "..", ".."))
OUT = os.path.join(os.environ.get("LAB_OUT", os.path.join(REPO, "build", "lab")), "soak")
GONE = 75   # exit code when no archive has the kernel any more
SECOND = os.environ.get("LAB_SECOND", "7.2")
PAIRS = [("newest", "newest"), (SECOND, SECOND), (SECOND, "newest"), ("newest", SECOND)]
SIZES = ["4k", "12k", "64k", "260k", "1m"]


class Thing:
    """Something that is preserved."""

    def __init__(self, kind, name, index):
        self.kind, self.name, self.index = kind, name, index
        self.session = self.token = None
        self.open = False


class Update:
    """The steps of one update, from one seed."""

    def __init__(self, seed):
        self.seed = seed
        self.r = random.Random(seed)
        self.old, self.new = [], []
        self.ports = self.chance(0.3)
        self.late = self.chance(0.15)
        self.abort = False

    def chance(self, p):
        return self.r.random() < p

    def shuffled(self, items):
        items = list(items)
        self.r.shuffle(items)
        return items

    def pause(self, steps):
        if self.chance(0.2):
            steps.append("sleep %d" % self.r.choice([1, 5, 20, 100]))

    def weave(self, *strands):
        """All steps of all strands, each strand's in its order."""
        strands = [list(s) for s in strands if s]
        out = []
        while strands:
            strand = self.r.choice(strands)
            out.append(strand.pop(0))
            self.pause(out)
            strands = [s for s in strands if s]
        return out

    def make_things(self):
        nd, nm = self.r.choice([0, 1, 1, 2, 3, 4]), self.r.choice([0, 1, 1, 2, 3, 6])
        self.things = [Thing("device", "d%d" % i, i) for i in range(nd)]
        self.things += [Thing("memory", "m%d" % i, i) for i in range(nm)]
        if self.chance(0.4) or not self.things:
            self.things.append(Thing("state", "st", 0))
        self.devices = nd
        for thing in self.things:
            thing.size = self.r.choice(SIZES)
            thing.kept = True

    def make_sessions(self):
        names = ["vm%d" % i for i in range(self.r.choice([1, 1, 2, 3]))]
        tokens = {name: self.shuffled(range(1, 40)) for name in names}
        for thing in self.things:
            thing.session = self.r.choice(names)
            thing.token = tokens[thing.session].pop()
        self.sessions = names

    def setup(self, thing):
        if thing.kind == "device":
            steps = ["cdev %s %d" % (thing.name, thing.index), "bind %s io" % thing.name]
            if self.chance(0.5):
                steps.append("mmap %s 0" % thing.name)
            if self.ports and self.chance(0.3):
                steps.append("reset %s" % thing.name)
        elif thing.kind == "memory":
            steps = ["memfd %s %s lab%d" % (thing.name, thing.size, thing.index)]
        else:
            steps = ["open %s /dev/labstate" % thing.name, "write %s abc" % thing.name]
        return steps

    def preserve(self, thing):
        keep = "preserve %s %s %d" % (thing.session, thing.name, thing.token)
        steps = []
        if self.chance(0.15):   # given up again, together with its session
            steps += ["session tmp-%s" % thing.name, "preserve tmp-%s %s 1" % (thing.name, thing.name),
                      "close-session tmp-%s" % thing.name]
        steps.append(keep)
        if self.chance(0.15):
            steps.append("fails EBUSY preserve %s %s %d" % (thing.session, thing.name, 50 + thing.token))
        if thing.kind == "memory" and self.chance(0.3):
            steps.append("close %s" % thing.name)
            thing.kept = False
        return steps

    def make_old(self):
        if self.late:
            self.old.append("load-modules")
        if self.devices:
            self.old.append("iommufd io")
        self.old += ["session %s" % s for s in self.shuffled(self.sessions)]
        strands = [self.setup(t) + self.preserve(t) for t in self.things]
        if self.chance(0.2):
            strands.append(["session empty", "close-session empty"])
        self.old += self.weave(*strands)
        if any(t.kind == "state" for t in self.things) and self.chance(0.3):
            self.abort = True
            self.old.append("fails EBUSY kexec")
            self.pause(self.old)
        self.old.append("kexec")

    def retrieve(self, thing):
        steps = ["retrieve %s %d %s" % (thing.session, thing.token, thing.name)]
        thing.open = True
        if self.chance(0.2):
            steps += ["retrieve %s %d %s-again" % (thing.session, thing.token, thing.name), "close %s-again" % thing.name]
        if thing.kind == "device":
            if self.chance(0.3):
                steps.insert(0, "fails EBUSY cdev thief%d %d" % (thing.index, thing.index))
            steps.append("bind %s io" % thing.name)
            if self.chance(0.5):
                steps.append("mmap %s 0" % thing.name)
            if self.ports and self.chance(0.3):
                steps.append("reset %s" % thing.name)
        else:
            steps.append("verify %s %s" % (thing.name, "abc" if thing.kind == "state" else "lab%d" % thing.index))
        return steps

    def end_session(self, name):
        steps = ["finish %s" % name]
        if self.chance(0.8):
            steps.append("close-session %s" % name)
        return steps

    def new_session(self, name):
        """Retrieve all of a session, or nothing, and finish it."""
        mine = [t for t in self.things if t.session == name]
        steps = ["retrieve-session %s" % name]
        wanted = [t for t in mine if t.kind == "device" or self.chance(0.9)]
        steps += self.weave(*[self.retrieve(t) for t in wanted])
        closers = [t for t in wanted if t.open and self.chance(0.3) and t.kind != "device"]
        steps += ["close %s" % t.name for t in closers]
        steps += self.end_session(name)
        steps += ["close %s" % t.name for t in self.shuffled(wanted) if t not in closers and self.chance(0.6)]
        return steps

    def make_new(self):
        if self.late:
            self.new.append("load-modules")
        if self.devices:
            self.new.append("iommufd io")
        asked = [s for s in self.shuffled(self.sessions) if self.chance(0.95)] or self.sessions[:1]
        self.left = any(t.session not in asked for t in self.things)
        strands = [self.new_session(s) for s in asked]
        if self.chance(0.2):
            strands.append(["memfd extra 8k xyz", "session next", "preserve next extra 1", "close-session next", "close extra"])
        self.new += self.weave(*strands)

    def scenario(self):
        self.make_things()
        self.make_sessions()
        self.make_old()
        self.make_new()
        head = ["title: soak, seed %d" % self.seed, "control: own", "devices: %d" % self.devices,
                "smp: %d" % self.r.choice([1, 2, 2]), "timeout: 300"]
        if self.ports:
            head.append("topology: ports")
        if self.late:
            head += ["modules: late", "module-wait: 60000"]
        if self.abort:
            head.append("labstate-args: fail_freeze=1")
        # Files that nobody asks for wait as the recording ends: nobody can tell what becomes of them.
        return "\n".join(head + ["", "[old]"] + self.old + ["", "[new]"] + self.new +
                         ["", "[expect]", "exit %d" % (5 if self.left else 0), "no-other-findings", ""])


def pair_of(seed):
    return PAIRS[seed % len(PAIRS)]


def run_one(seed, old, new):
    """(seed, pair, exit code, last words) of one update."""
    base = os.path.join(OUT, str(seed))
    os.makedirs(base, exist_ok=True)
    path = os.path.join(base, "soak.scn")
    with open(path, "w") as f:
        f.write(Update(seed).scenario())
    command = os.environ.get("LAB_RUN", "").split() + [
        os.path.join(LAB, "run.sh"), path, "--judge", "--out", os.path.join(base, "out"),
        "--kernel-old", old, "--kernel-new", new]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with open(os.path.join(base, "log"), "w") as f:
        f.write(done.stdout)
    if done.returncode == 0:
        shutil.rmtree(base)
    words = done.stdout.strip().splitlines()
    return seed, "%s>%s" % (old, new), done.returncode, words[0] if words else ""


def kernels_at_hand():
    """Builds what the pairs need; the series that no archive has."""
    gone = set()
    for name in sorted({k for pair in PAIRS for k in pair}):
        code = subprocess.run([os.path.join(LAB, "kernel.sh"), "build", name], stdout=subprocess.DEVNULL).returncode
        if code == GONE:
            gone.add(name)
        elif code:
            sys.exit(code)
    return gone


def soak(count, jobs, first):
    gone = kernels_at_hand()
    seeds = range(first, first + count)
    todo = [s for s in seeds if not gone & set(pair_of(s))]
    skipped, counts, start = count - len(todo), {}, time.time()
    print("# seeds %d to %d, %d at a time" % (seeds[0], seeds[-1], jobs), flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_one, s, *pair_of(s)) for s in todo]):
            seed, pair, code, words = done.result()
            good, bad = counts.get(pair, (0, 0))
            counts[pair] = (good + (code == 0), bad + (code != 0))
            if code:
                print("not ok seed %d %s: %s" % (seed, pair, words), flush=True)
            total = sum(g + b for g, b in counts.values())
            if total % 10 == 0:
                print("# %d of %d after %d s" % (total, len(todo), time.time() - start), flush=True)
    for pair in sorted(counts):
        print("# %s: %d clean, %d not" % ((pair,) + counts[pair]))
    bad = sum(b for _, b in counts.values())
    line = "%d passed, %d failed" % (len(todo) - bad, bad)
    print(line + (", %d skipped" % skipped if skipped else ""))
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True)
    p = sub.add_parser("run")
    p.add_argument("count", type=int)
    p.add_argument("-j", dest="jobs", type=int, default=2)
    p.add_argument("--seed", type=int, default=None, help="the first (default: the time)")
    p = sub.add_parser("one")
    p.add_argument("seed", type=int)
    p.add_argument("old")
    p.add_argument("new")
    p = sub.add_parser("show")
    p.add_argument("seed", type=int)
    args = parser.parse_args()
    if args.what == "show":
        sys.stdout.write(Update(args.seed).scenario())
        return 0
    if args.what == "one":
        _, _, code, words = run_one(args.seed, args.old, args.new)
        print(words or "clean")
        return code
    return soak(args.count, args.jobs, args.seed if args.seed is not None else int(time.time()))


if __name__ == "__main__":
    sys.exit(main())
