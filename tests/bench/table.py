#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the tables of `make bench-record` from what the guest said.

    table.py DIR          DIR/{rounds,jumps,machine}.txt to DIR/record.json; Markdown to stdout
    table.py --into FILE SECTION < TABLE   replaces a section of FILE (docs/benchmarks.md)

A ratio is a recorder's median over the mean of the medians of the untraced runs just
before and after it. Shown are the median of the ratios and their spread. Where means are
compared it is over the median of all untraced runs' means: something else that the kernel
does once in a run, of a million instructions, is much in the mean of a small load.
"""
import json
import os
import re
import statistics
import sys

LOADS = [
    ("cdev", "cdev open + close"),
    ("preserve", "preserve ioctl (vfio device)"),
    ("close", "session close (unpreserves)"),
    ("freeze", "reboot(2) with three files, last freeze refused"),
    ("memory", "unrelated: socket message in and out (kmalloc, kfree)"),
    ("files", "unrelated: pipe, sockets, eventfd, epoll, tmpfs file, closed again"),
]
TOOLS = ["floor", "vfiotrace", "bpftrace", "trace-cmd"]
ALONE = ["vfiotrace"]    # on an emulated machine of another architecture


def parse_rounds(lines):
    """One dict per run, in order."""
    runs = []
    for line in lines:
        words = line.split()
        if not words:
            continue
        if words[0] == "round":
            runs.append({"tool": words[1], "repetition": int(words[2]), "loads": {}})
        elif not runs:
            continue
        elif words[0] == "load":
            runs[-1]["loads"][words[1]] = {k: int(v) for k, v in zip(words[2::2], words[3::2])}
        elif words[0] in ("exec_ns", "started_ns", "parent_rss_kb", "bytes", "events", "lost"):
            if len(words) == 2 and words[1].isdigit():
                runs[-1][words[0]] = int(words[1])
        elif line.startswith("vfiotrace: arming: "):
            runs[-1]["arming"] = line[len("vfiotrace: arming: "):].strip()
    return runs


def parse_jumps(lines):
    jumps = []
    for line in lines:
        words = line.split()
        if words[:1] == ["jump"]:
            jumps.append({"recorder": words[1], "events": {}})
        elif words[:1] == ["mark"]:
            jumps[-1]["start" if "bench:" in line else "end"] = float(words[1])
        elif words[:1] == ["event"]:
            jumps[-1]["events"][words[2] + "." + words[3]] = int(words[1])
    return jumps


def ratios(runs, tool, load):
    """Of medians, by the neighbours."""
    out = []
    for i, run in enumerate(runs):
        if run["tool"] != tool or load not in run["loads"]:
            continue
        around = [r["loads"][load]["median_ns"] for r in (runs[i - 1], runs[(i + 1) % len(runs)])
                  if r["tool"] == "untraced" and load in r["loads"]]
        if around:
            out.append(run["loads"][load]["median_ns"] / statistics.mean(around))
    return out


def mean_ratios(runs, tool, load):
    base = [r["loads"][load]["mean_ns"] for r in runs if r["tool"] == "untraced" and load in r["loads"]]
    return [r["loads"][load]["mean_ns"] / statistics.median(base)
            for r in runs if base and r["tool"] == tool and load in r["loads"]]


def spread(values, digits=2):
    if not values:
        return "not measured"
    mid, low, high = statistics.median(values), min(values), max(values)
    return f"{mid:.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def middle(runs, tool, key):
    values = [r[key] for r in runs if r["tool"] == tool and key in r]
    return statistics.median(values) if values else None


def tools_of(machine):
    return ALONE if "alone" in machine else TOOLS


def summarize(runs, jumps, machine):
    result = {"machine": machine, "loads": {}, "tools": {}, "jumps": jumps, "runs": runs}
    for load, _ in LOADS:
        base = [r["loads"][load]["median_ns"] for r in runs if r["tool"] == "untraced" and load in r["loads"]]
        if not base:
            continue
        row = result["loads"][load] = {"untraced_ns": statistics.median(base)}
        for tool in tools_of(machine):
            row[tool] = {"caller": ratios(runs, tool, load), "machine": mean_ratios(runs, tool, load)}
    for tool in tools_of(machine):
        armed = [(r["started_ns"] - r["exec_ns"]) / 1e6 for r in runs
                 if r["tool"] == tool and "started_ns" in r and "exec_ns" in r]
        events, size = middle(runs, tool, "events"), middle(runs, tool, "bytes")
        result["tools"][tool] = {
            "exec_to_armed_ms": armed, "rss_kb": middle(runs, tool, "parent_rss_kb"), "events": events,
            "bytes_per_event": size / events if events and size else None, "lost": middle(runs, tool, "lost"),
        }
    return result


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def counted(machine):
    return machine.get("accel") == "tcg"


def say_machine(machine):
    unit = ("The guest's clock counted instructions (QEMU -icount, 1 ns each, all CPUs of the guest): what a busy host "
            "does cannot change a ratio, and a ratio is one of instructions, not of time. BPF programs are compiled to "
            "machine code in the guest and count like the rest."
            if counted(machine) else "Times are real.")
    alone = machine.get("alone")
    on = f" of {alone}" if alone else ""
    peers = "" if alone else f", bpftrace {machine.get('bpftrace', '?')}, trace-cmd {machine.get('trace-cmd', '?')}"
    yield (f"Measured {machine.get('date', '?')} by `make {'bench-' + alone if alone else 'bench-record'}` on {machine.get('cpu', '?')}; QEMU {machine.get('qemu', '?')} "
           f"({machine.get('accel', '?')}), kernel {machine.get('kernel', '?')}, 2 CPUs{on}; vfiotrace {machine.get('vfiotrace', '?')}{peers}; "
           f"{machine.get('operations', '?')} operations per load and run. {unit}")
    yield ""


def load_rows(result, value):
    for load, title in LOADS:
        row = result["loads"].get(load)
        if row:
            yield [title, f"{row['untraced_ns']:.0f}"] + [spread(row[t][value], 3 if load in ("memory", "files") else 2) for t in tools_of(result["machine"])]


def number(value, text="{:.0f}"):
    return text.format(value) if value is not None else "not measured"


def jump_rows(jumps):
    """The two clocks differ, so a time is only taken between marks of one: the rest is what remains."""
    for recorder in ("off", "on"):
        total, freeze, rest = [], [], []
        for jump in (j for j in jumps if j["recorder"] == recorder and "start" in j and "end" in j):
            events, whole = jump["events"], (jump["end"] - jump["start"]) * 1e3
            total.append(whole)
            if {"reboot.enter", "reboot.exit"} <= events.keys():
                freeze.append((events["reboot.exit"] - events["reboot.enter"]) / 1e6)
            if {"reboot.enter", "reboot.device_shutdown.enter"} <= events.keys():
                rest.append(whole - (events["reboot.device_shutdown.enter"] - events["reboot.enter"]) / 1e6)
        yield [recorder, spread(total, 3), spread(freeze, 3) if freeze else "-", spread(rest, 3) if rest else "-"]


def markdown(result):
    machine, unit = result["machine"], "instructions" if counted(result["machine"]) else "ns"
    yield from say_machine(machine)
    yield "What the caller feels, as a ratio to an untraced run: median (lowest..highest) of the repetitions."
    yield ""
    yield from table(["load", f"untraced, {unit}"] + tools_of(machine), load_rows(result, "caller"))
    yield "What the whole machine does meanwhile, the recorder's own work included (means):"
    yield ""
    yield from table(["load", f"untraced, {unit}"] + tools_of(machine), load_rows(result, "machine"))
    yield from table(["recorder", "exec to armed, " + ("M instructions" if counted(machine) else "ms"), "bytes per event", "events", "lost",
                      "peak RSS, kB"],
                     ([t, spread(r["exec_to_armed_ms"], 0), number(r["bytes_per_event"]), number(r["events"]),
                       number(r["lost"]), number(r["rss_kb"])]
                      for t, r in result["tools"].items()))
    arming = [r["arming"] for r in result["runs"] if "arming" in r]
    if arming:
        yield f"Where vfiotrace's arming goes: {arming[-1]}."
        yield ""
    if result["jumps"]:
        yield ("A real jump, the trace carried over in memory, in ms" + (" of a million instructions:" if counted(machine) else ":"))
        yield ""
        yield from table(["recorder", "reboot(2) to \"Starting new kernel\"", "inside liveupdate_reboot()",
                          "device_shutdown() with the wait for the recorder"], jump_rows(result["jumps"]))


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read().splitlines()


def put_into(path, section):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
    if begin not in text or end not in text:
        sys.exit(f"{path}: no section {section}")
    new = f"{begin}\n{sys.stdin.read().rstrip()}\n{end}"
    text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: new, text, flags=re.S)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def main(argv):
    if len(argv) == 4 and argv[1] == "--into":
        put_into(argv[2], argv[3])
        return
    if len(argv) != 2:
        sys.exit(__doc__)
    machine = dict(line.split(" ", 1) for line in read_lines(argv[1] + "/machine.txt") if " " in line)
    result = summarize(parse_rounds(read_lines(argv[1] + "/rounds.txt")), parse_jumps(read_lines(argv[1] + "/jumps.txt")), machine)
    with open(argv[1] + "/record.json", "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
    print("\n".join(markdown(result)))


if __name__ == "__main__":
    main(sys.argv)
