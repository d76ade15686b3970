#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Who calls whom among the objects of src/, against the table of rooms.

    layers.py ROOMS OBJECT...

The graph is the linker's: an object calls the one that defines a symbol which it lacks. A call through a pointer is
none. One test per line of the table (its files call what the table names), one more where the files of a room are not
to call each other, one per folder and one over all for circles. Each edge that breaks one is printed with its symbols.
"""
import collections
import fnmatch
import os
import subprocess
import sys

Room = collections.namedtuple("Room", "name patterns calls each_other")


def die(text):
    sys.exit(f"layers: {text}")


def read_rooms(path):
    rooms = {}
    for nr, line in enumerate(open(path), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        cells = [c.strip() for c in line.split("|")]
        if len(cells) != 4 or cells[3] not in ("yes", "no") or cells[0] in rooms:
            die(f"{path}:{nr}: expected ROOM | FILES | MAY CALL | yes or no, each room once")
        calls = [] if cells[2] == "-" else cells[2].split()
        rooms[cells[0]] = Room(cells[0], cells[1].split(), calls, cells[3] == "yes")
    for room in rooms.values():
        for c in room.calls:
            if not members(rooms, c):
                die(f"{path}: {room.name} may call {c}, which is no room")
    return rooms


def members(rooms, name):
    """The rooms that a name in the third column means: itself, or all of a folder."""
    return {r for r in rooms if r == name or r.startswith(name + "/")}


def allowed(rooms, room):
    return set().union(*(members(rooms, c) for c in room.calls)) - {room.name}


def source_of(obj):
    at = ("/" + obj).rfind("/src/")
    if at < 0:
        die(f"{obj} lies below no src/")
    return obj[at:].removeprefix("src/").removesuffix(".o") + ".c"


def room_of(rooms, source):
    """The room with the most exact name for a file: the name itself, else the longest pattern."""
    best, best_room = (False, 0), None
    for room in rooms.values():
        for p in room.patterns:
            if p.count("/") == source.count("/") and fnmatch.fnmatchcase(source, p) and ("*" not in p, len(p)) > best:
                best, best_room = ("*" not in p, len(p)), room
    return best_room


def folder(source):
    return source.split("/")[0]


def read_edges(objects):
    """{(caller, callee): symbols}, both as sources below src/."""
    defined, lacking = {}, collections.defaultdict(set)
    out = subprocess.run([os.environ.get("NM", "nm"), "-g", "-P", "-A", *objects], check=True, stdout=subprocess.PIPE, text=True)
    for line in out.stdout.splitlines():
        obj, rest = line.split(": ", 1)
        symbol, kind = rest.split()[:2]
        source = source_of(obj)
        if kind in "Uwv":
            lacking[source].add(symbol)
        elif defined.setdefault(symbol, source) != source and kind not in "WV":
            die(f"{symbol} is defined by {defined[symbol]} and by {source}")
    edges = collections.defaultdict(set)
    for source, symbols in lacking.items():
        for s in symbols & defined.keys():
            edges[source, defined[s]].add(s)
    return {e: s for e, s in sorted(edges.items()) if e[0] != e[1]}


def circles(edges):
    """Strongly connected components of more than one node (Tarjan's algorithm)."""
    out, index, low, stack = [], {}, {}, []
    to = collections.defaultdict(list)
    for a, b in edges:
        to[a].append(b)

    def visit(n):
        index[n] = low[n] = len(index)
        stack.append(n)
        for m in to[n]:
            if m not in index:
                visit(m)
            if m in stack:
                low[n] = min(low[n], low[m])
        if low[n] == index[n]:
            at = stack.index(n)
            found = stack[at:]
            del stack[at:]
            if len(found) > 1:
                out.append(sorted(found))

    for n in list(to):
        if n not in index:
            visit(n)
    return out


class Count:
    passed = failed = skipped = 0

    def test(self, name, broken):
        """A test passes when the list of what breaks it is empty."""
        if not broken:
            self.passed += 1
            return
        self.failed += 1
        print(f"not ok {name}")
        for line in broken:
            print(f"    {line}")

    def skip(self, why):
        self.skipped += 1
        print(f"skipped: {why}")


def check_rooms(count, rooms, placed, edges):
    def tell(e):
        return f"src/{e[0]} -> src/{e[1]}: {' '.join(sorted(edges[e]))}"

    def fits(callee, may):
        """One that has no room yet is told by itself: here its folder is what counts."""
        return placed[callee].name in may if placed[callee] else any(folder(m) == folder(callee) for m in may)

    for room in rooms.values():
        files = {s for s, r in placed.items() if r == room}
        if not files:
            count.skip(f"{room.name}: there is none of {' '.join(room.patterns)}")
            continue
        may = allowed(rooms, room)
        away = [e for e in edges if e[0] in files and e[1] not in files]
        count.test(f"{room.name} calls {' '.join(room.calls) or 'nobody'} only", [tell(e) for e in away if not fits(e[1], may)])
        if not room.each_other:
            count.test(f"the files of {room.name} do not call each other", [tell(e) for e in edges if e[0] in files and e[1] in files])

    # What no room takes may at least not call what no room of its folder may.
    lost = [s for s, r in placed.items() if r is None]
    count.test("every file has a room", [f"src/{s}" for s in lost])
    for f in sorted({folder(s) for s in lost}):
        may = {f + "/"}.union(*(allowed(rooms, r) for r in rooms.values() if folder(r.name) == f))
        count.test(f"src/{f} without a room", [tell(e) for e in edges if e[0] in lost and folder(e[0]) == f and not fits(e[1], may)])


def check_circles(count, name, edges, found):
    for c in found:
        count.test(f"{name}: {len(c)} files: {' '.join(c)}",
                   [f"src/{a} -> src/{b}: {' '.join(sorted(edges[a, b]))}" for a, b in edges if a in c and b in c])
    if not found:
        count.test(name, [])


def main(path, objects):
    rooms = read_rooms(path)
    edges = read_edges(objects)
    placed = {s: room_of(rooms, s) for s in sorted(map(source_of, objects))}
    count = Count()
    count.test("the table goes down", [" ".join(c) for c in circles({(r.name, o) for r in rooms.values() for o in allowed(rooms, r)})])
    check_rooms(count, rooms, placed, edges)
    for f in sorted(set(map(folder, placed))):
        check_circles(count, f"no circle in src/{f}", edges, circles({e for e in edges if folder(e[0]) == folder(e[1]) == f}))
    check_circles(count, "no circle across folders", edges, [c for c in circles(edges) if len(set(map(folder, c))) > 1])
    print(f"{count.passed} passed, {count.failed} failed" + (f", {count.skipped} skipped" if count.skipped else ""))
    return 1 if count.failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        die("usage: layers.py ROOMS OBJECT...")
    sys.exit(main(sys.argv[1], sys.argv[2:]))
