#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clean live updates by the dozen, each with agents that act at random.

    soak.py run N [-j JOBS] [--seed S] [--chain C]
                        N updates, C in a row (1) in each guest, judged
    soak.py one SEED C  those of one guest again
    soak.py show SEED C the scenario that they make

Nothing in such an update is wrong, so a finding is a bug, and so is an unknown
but where a session is left alone: of the tool, or of this generator. Seeds are
S, S+1, ..., one a guest; it chooses the kernels, too: the newest series or
LAB_SECOND (7.2). What a failed run left is kept in build/lab/soak/SEED. LAB_RUN
is put in front of every run, "nice" for instance.
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
LATER = ["old", "new", "third"]   # sides, then "4", "5", ...
SIZES = ["4k", "12k", "64k", "260k", "1m"]


class Thing:
    """Something that is preserved."""

    def __init__(self, kind, name, index):
        self.kind, self.name, self.index = kind, name, index
        self.session = self.token = None
        self.open = False


class Guest:
    """What all updates of one guest have in common."""

    def __init__(self, seed, length):
        self.seed = seed
        self.r = random.Random(seed)
        self.ports = self.chance(0.3)
        self.late = self.chance(0.15)
        self.aborts = self.chance(0.2)
        self.updates = [Update(self, i, i == length - 1) for i in range(length)]
        self.smp = self.r.choice([1, 2, 2])
        # One a side. A seed's remainder chooses the first pair.
        self.kernels = list(PAIRS[seed % len(PAIRS)]) + [self.r.choice(["newest", SECOND]) for _ in range(length - 1)]

    def chance(self, p):
        return self.r.random() < p

    def scenario(self):
        head = ["title: soak, seed %d" % self.seed, "control: own", "devices: %d" % max(u.devices for u in self.updates),
                "smp: %d" % self.smp, "timeout: %d" % (120 + 180 * len(self.updates))]
        head += ["kernel-%s: %s" % (side(i), name) for i, name in enumerate(self.kernels)]
        if self.ports:
            head.append("topology: ports")
        if self.late:
            head += ["modules: late", "module-wait: 60000"]
        if self.aborts:
            head.append("labstate-args: fail_freeze=1")
        parts, new = [], []
        for i, update in enumerate(self.updates):
            parts += ["", "[%s]" % side(i)] + self.begin(new + update.old) + new + update.old
            new = update.new
        parts += ["", "[%s]" % side(len(self.updates))] + self.begin(new) + new
        for i, update in enumerate(self.updates):
            # Files that nobody asks for wait as the recording ends: nobody can tell what becomes of them.
            parts += ["", "[expect]" if i == 0 else "[expect-%s]" % side(i + 1), "exit %d" % (5 if update.left else 0),
                      "no-other-findings"]
        return "\n".join(head + parts + [""])

    def begin(self, steps):
        out = ["load-modules"] if self.late else []
        return out + (["iommufd io"] if any(s.startswith("bind ") for s in steps) else [])


def side(i):
    return LATER[i] if i < len(LATER) else str(i + 1)


class Update:
    """The steps of one update: before the jump, and behind it."""

    def __init__(self, guest, number, last):
        self.guest, self.last = guest, last
        self.r, self.ports = guest.r, guest.ports
        self.tag = "u%d" % number
        self.old, self.new = [], []
        self.make_things()
        self.make_sessions()
        self.make_old()
        self.make_new()

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
        self.things = [Thing("device", "%sd%d" % (self.tag, i), i) for i in range(nd)]
        self.things += [Thing("memory", "%sm%d" % (self.tag, i), i) for i in range(nm)]
        if self.chance(0.4) or not self.things:
            self.things.append(Thing("state", self.tag + "st", 0))
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
        self.old += ["session %s" % s for s in self.shuffled(self.sessions)]
        strands = [self.setup(t) + self.preserve(t) for t in self.things]
        if self.chance(0.2):
            strands.append(["session empty", "close-session empty"])
        self.old += self.weave(*strands)
        if any(t.kind == "state" for t in self.things) and self.guest.aborts:
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
        if self.chance(0.8) or not self.last:
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
        # A device that is preserved again is opened again.
        steps += ["close %s" % t.name for t in self.shuffled(wanted) if t not in closers and (self.chance(0.6) or not self.last)]
        return steps

    def make_new(self):
        # What waits in a kernel that is replaced again is lost: that is a finding.
        asked = [s for s in self.shuffled(self.sessions) if self.chance(0.95) or not self.last] or self.sessions[:1]
        self.left = any(t.session not in asked for t in self.things)
        strands = [self.new_session(s) for s in asked]
        if self.chance(0.2):
            strands.append(["memfd extra 8k xyz", "session next", "preserve next extra 1", "close-session next", "close extra"])
        self.new += self.weave(*strands)


def run_one(seed, length):
    """(guest, exit code, last words)."""
    base = os.path.join(OUT, str(seed))
    os.makedirs(base, exist_ok=True)
    path = os.path.join(base, "soak.scn")
    guest = Guest(seed, length)
    with open(path, "w") as f:
        f.write(guest.scenario())
    command = os.environ.get("LAB_RUN", "").split() + [
        os.path.join(LAB, "run.sh"), path, "--judge", "--out", os.path.join(base, "out")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with open(os.path.join(base, "log"), "w") as f:
        f.write(done.stdout)
    if done.returncode == 0:
        shutil.rmtree(base)
    words = done.stdout.strip().splitlines()
    return guest, done.returncode, words[0] if words else ""


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


def soak(count, jobs, first, length):
    gone = kernels_at_hand()
    if gone:
        print("# no archive has %s" % ", ".join(sorted(gone)), flush=True)
    seeds = [s for s in range(first, first + -(-count // length)) if not gone & set(Guest(s, length).kernels)]
    skipped, good, bad, left, start = count - len(seeds) * length, 0, 0, 0, time.time()
    print("# seeds %d to %d, %d updates each, %d at a time" % (first, first + -(-count // length) - 1, length, jobs), flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_one, s, length) for s in seeds]):
            guest, code, words = done.result()
            if code:
                bad += length
                print("not ok seed %d %s: %s" % (guest.seed, ">".join(guest.kernels), words), flush=True)
            else:
                good += length
                left += sum(u.left for u in guest.updates)
            if (good + bad) % (10 * length) == 0:
                print("# %d of %d updates after %d s" % (good + bad, count, time.time() - start), flush=True)
    print("# %d clean, %d unknown with a session left alone, as expected" % (good - left, left))
    line = "%d passed, %d failed" % (good, bad)
    print(line + (", %d skipped" % skipped if skipped > 0 else ""))
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True)
    p = sub.add_parser("run")
    p.add_argument("count", type=int)
    p.add_argument("-j", dest="jobs", type=int, default=2)
    p.add_argument("--seed", type=int, default=None, help="the first (default: the time)")
    p.add_argument("--chain", type=int, default=1)
    for name in ("one", "show"):
        p = sub.add_parser(name)
        p.add_argument("seed", type=int)
        p.add_argument("chain", type=int, nargs="?", default=1)
    args = parser.parse_args()
    if args.what == "show":
        sys.stdout.write(Guest(args.seed, args.chain).scenario())
        return 0
    if args.what == "one":
        _, code, words = run_one(args.seed, args.chain)
        print(words or "as expected")
        return code
    return soak(args.count, args.jobs, args.seed if args.seed is not None else int(time.time()), args.chain)


if __name__ == "__main__":
    sys.exit(main())
