#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The detection matrix: what fired in which scenario on which pair of kernels.

    matrix.py make     take the cells of the runs in build/lab into the committed matrix
    matrix.py check    the runs in build/lab against the committed matrix
    matrix.py cover    a scenario for each rule that one was seen to break, and the controls: what
                       is worth a run on another kernel

A cell is one run of a scenario whose header says "proves:" or "control:". It is
read from what the run left (report.json, verdict, scenario), never written by
hand. The matrix is matrix.tsv beside this file, and docs/detection-matrix.md
made from it.
"""
import collections
import glob
import json
import os
import re
import sys

LAB = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.normpath(os.path.join(LAB, "..", ".."))
TABLE = os.path.join(LAB, "matrix.tsv")
PAGE = os.path.join(REPO, "docs", "detection-matrix.md")
KINDS = ("proves", "control", "tool")

# What one cell holds. PAIR is "7.2>7.3", or "7.3" for a scenario without a jump; behind it an architecture that is not x86-64.
Cell = collections.namedtuple("Cell", "scenario pair exit rules notes")


def header(path):
    keys = {}
    with open(path) as f:
        for line in f:
            if line.startswith("["):
                break
            key, colon, value = line.partition(":")
            if colon and not line.startswith("#"):
                keys[key.strip()] = value.strip()
    return keys


def scenarios():
    """The header of each scenario, by name."""
    found = {}
    for path in sorted(glob.glob(os.path.join(LAB, "scenarios", "*.scn"))):
        name = os.path.basename(path)[:-len(".scn")]
        found[name] = header(path)
    return found


def kind_of(keys):
    kinds = [k for k in KINDS if k in keys]
    return kinds[0] if len(kinds) == 1 else None


def series(release):
    """7.3 of 7.3.4-something."""
    return ".".join(release.split("-")[0].split(".")[:2])


def on(machine):
    """What is put behind a pair of kernels for a machine."""
    return {None: "", "x86_64": "", "aarch64": " arm64"}.get(machine, " %s" % machine)


def both(pair):
    """The pair that a scenario without a jump stands under."""
    kernels, space, arch = pair.partition(" ")
    return pair if ">" in kernels else "%s>%s%s%s" % (kernels, kernels, space, arch)


def unrecorded(name, directory):
    """The cell of a run that has no recorder of its own: its steps say what must come out."""
    if header(os.path.join(directory, "scenario")).get("tracer") != "none":
        return None
    with open(os.path.join(directory, "console.log"), errors="replace") as f:
        found = re.findall(r"lab\[\w+\] kernel ([^,\s]+)", f.read())
    arch = on("aarch64" if "arm64" in os.path.relpath(directory, base()).split(os.sep) else None)
    return Cell(name, ">".join(series(release) for release in found) + arch, "-", "", "") if found else None


def read_run(directory):
    """The cell of the run that left DIRECTORY, and its verdict."""
    name = os.path.basename(directory)
    with open(os.path.join(directory, "verdict")) as f:
        verdict = f.read().strip().splitlines()[-1]
    try:
        with open(os.path.join(directory, "report.json")) as f:
            report = json.load(f)
    except OSError:
        return unrecorded(name, directory), verdict
    pair = ">".join(series(side["kernel"]) for side in report["sides"]) + on(report["sides"][0]["machine"])
    rules = sorted({x["rule"] for x in report["findings"]})
    notes = sorted({x["about"] for x in report["remarks"]})
    return Cell(name, pair, str(report["exit"]), ",".join(rules), ",".join(notes)), verdict


def base():
    """Where the lab leaves what it ran."""
    return os.environ.get("LAB_OUT", os.path.join(REPO, "build", "lab"))


def runs():
    """All runs of the lab, over pairs too, and those of another architecture than the machine's."""
    places = [[], ["arm64"], ["pairs", "*"], ["arm64", "pairs", "*"]]
    found = [glob.glob(os.path.join(base(), *place, "*", "verdict")) for place in places]
    return sorted(os.path.dirname(path) for path in sum(found, []))


def load():
    """The committed cells by (scenario, pair)."""
    cells = {}
    try:
        with open(TABLE) as f:
            lines = f.read().splitlines()
    except OSError:
        return cells
    for line in lines:
        if line and not line.startswith("#"):
            cell = Cell(*line.split("\t"))
            cells[cell.scenario, cell.pair] = cell
    return cells


def save(cells):
    with open(TABLE, "w") as f:
        f.write("# Made by `make matrix` from runs of the lab. Columns:\n")
        f.write("#%s\n" % "\t".join(Cell._fields))
        for key in sorted(cells):
            f.write("\t".join(cells[key]) + "\n")


def what_fired(cell):
    words = ["`%s`" % r for r in cell.rules.split(",") if r]
    words += ["*%s*" % n for n in cell.notes.split(",") if n]
    return ", ".join(words) or {"0": "clean", "-": "clean", "4": "nothing to judge"}.get(cell.exit, "exit " + cell.exit)


def rows_of(names, cells, kind, known):
    """(id, scenario, title, {pair: cell}, what stands there without cells) of each scenario of KIND, by id."""
    rows = []
    for name in names:
        if kind_of(known[name]) != kind:
            continue
        mine = {both(pair): c for (scenario, pair), c in cells.items() if scenario == name}
        without = "not in CI (`make lab-all`)" if known[name].get("tier") == "long" else "**not run**"
        rows.append((known[name][kind], name, known[name].get("title", ""), mine, without))
    return sorted(rows, key=lambda r: (r[0].startswith("own"), r[0], r[1]))


def table(f, rows, pairs):
    f.write("| | scenario | what happens | what fires | %s |\n" % " | ".join(p.replace(">", " > ") for p in pairs))
    f.write("|---|---|---|---|%s|\n" % "|".join(["---"] * len(pairs)))
    for ident, name, title, mine, without in rows:
        seen = collections.Counter(what_fired(c) for c in mine.values())
        usual = seen.most_common(1)[0][0] if seen else without
        marks = []
        for pair in pairs:
            cell = mine.get(pair)
            marks.append("" if not cell else "yes" if what_fired(cell) == usual else what_fired(cell))
        f.write("| %s | `%s` | %s | %s | %s |\n" % (ident, name, title, usual, " | ".join(marks)))


def rule_ids():
    return sorted(os.path.basename(p)[:-3] for p in glob.glob(os.path.join(REPO, "docs", "rules", "*.md")))


def page(cells, known):
    names = sorted(known)
    pairs = sorted({both(p) for (_, p) in cells}, key=lambda p: (" " in p, p))
    caught = collections.defaultdict(set)
    for cell in cells.values():
        if cell.scenario in known and kind_of(known[cell.scenario]) == "proves":
            for rule in filter(None, cell.rules.split(",") + cell.notes.split(",")):
                caught[rule].add(cell.scenario)
    with open(PAGE, "w") as f:
        f.write("# What is detected\n\n"
                "Made by `make matrix` from runs of the lab; `make matrix-check` fails when a cell no longer holds.\n"
                "A row is a scenario in `tests/lab/scenarios`: a real live update of a kernel with one bug seeded,\n"
                "or one in which nothing is wrong. A column is a pair of kernels, old > new. \"yes\": what stands under\n"
                "\"what fires\" fired there, and nothing else did. Rules are in `code`, remarks without blame in *italics*.\n"
                "B and N numbers name bugs and non-bugs from the reviews of the live-update series; \"own\" is ours.\n\n"
                "## Bugs\n\n")
        table(f, rows_of(names, cells, "proves", known), pairs)
        f.write("\n## Controls: nothing is wrong, nothing may fire\n\n")
        table(f, rows_of(names, cells, "control", known), pairs)
        f.write("\n## The rules, and the bugs that each was seen to catch\n\n| rule | caught in |\n|---|---|\n")
        for rule in rule_ids():
            f.write("| `%s` | %s |\n" % (rule, ", ".join("`%s`" % s for s in sorted(caught[rule])) or "golden traces only"))


def unmarked(known):
    return ["%s: its header needs one of %s" % (name, ", ".join(KINDS)) for name in known if not kind_of(known[name])]


def contradictions(known, cells):
    """A bug that nothing caught, or a control that something fired in, is no row to commit."""
    wrong = []
    for cell in cells.values():
        kind = kind_of(known.get(cell.scenario, {}))
        if kind == "proves" and not cell.rules and not cell.notes:
            wrong.append("%s %s: a bug is seeded, and nothing fired" % cell[:2])
        if kind == "control" and cell.rules:
            wrong.append("%s %s: nothing is wrong, and %s fired" % (cell.scenario, cell.pair, cell.rules))
    return wrong


# The matrix is what CI holds every run to: what CI has no time for is not in it.
def wants_cell(known, name):
    if known.get(name, {}).get("tier") == "long":
        return False
    return kind_of(known.get(name, {})) in ("proves", "control")


def make():
    known, cells, wrong, taken = scenarios(), load(), [], 0
    wrong += unmarked(known)
    for directory in runs():
        name = os.path.basename(directory)
        if not wants_cell(known, name):
            continue
        cell, verdict = read_run(directory)
        if verdict != "ok":
            wrong.append("%s: %s" % (directory, verdict))
        elif cell:
            cells[cell.scenario, cell.pair] = cell
            taken += 1
    cells = {key: c for key, c in cells.items() if wants_cell(known, c.scenario)}
    wrong += contradictions(known, cells)
    save(cells)
    page(cells, known)
    have = {scenario for scenario, _ in cells}
    wrong += ["%s: no run of it, so no cell" % n for n in known if wants_cell(known, n) and n not in have]
    for line in wrong:
        print("matrix: " + line, file=sys.stderr)
    print("%d cells, %d of them from these runs" % (len(cells), taken))
    return 1 if wrong else 0


def check():
    known, cells = scenarios(), load()
    wrong, passed, new = unmarked(known), 0, 0
    have = {scenario for scenario, _ in cells}
    wrong += ["%s: has no cell, run it and `make matrix`" % n for n in known if wants_cell(known, n) and n not in have]
    wrong += ["%s: a cell without a scenario" % n for n in sorted(have) if not wants_cell(known, n)]
    wrong += contradictions(known, cells)
    for directory in runs():
        name = os.path.basename(directory)
        cell, verdict = read_run(directory) if wants_cell(known, name) else (None, None)
        if not cell or verdict != "ok":
            continue    # a failed run is counted where it ran
        committed = cells.get((cell.scenario, cell.pair))
        if not committed:
            print("skip %s %s: no committed cell" % (name, cell.pair))
            new += 1
        elif committed == cell:
            passed += 1
        else:
            wrong.append("%s %s: committed %s, now %s" % (name, cell.pair, committed[2:], cell[2:]))
    for line in wrong:
        print("not ok " + line)
    print("%d passed, %d failed%s" % (passed, len(wrong), ", %d skipped" % new if new else ""))
    return 1 if wrong else 0


def cover():
    """Names. Scenarios that need a variant of their own, or no recorder, say little elsewhere."""
    known, cells = scenarios(), load()
    fired = collections.defaultdict(set)
    for cell in cells.values():
        fired[cell.scenario].update(filter(None, cell.rules.split(",")))
    elsewhere = {n for n, keys in known.items() if "variant" not in keys and keys.get("tracer") != "none"}
    names = sorted(n for n in elsewhere if kind_of(known[n]) == "control")
    seeds = sorted((n for n in elsewhere if kind_of(known[n]) == "proves"), key=lambda n: (len(fired[n]), n))
    open_rules = set().union(*(fired[n] for n in seeds))
    # The bug of the mail that started this, whatever else breaks its rule.
    seeds.insert(0, "seeded-df-kvfree")
    for name in seeds:
        if fired[name] & open_rules:
            open_rules -= fired[name]
            names.append(name)
    print("\n".join(names))
    return 0


if __name__ == "__main__":
    commands = {"make": make, "check": check, "cover": cover}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]]())
