#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The tree against .clang-format and .editorconfig.

    format.py check     one test per file and configuration; V=1 shows what would change
    format.py apply     clang-format on src, bpf, include and tests

Only by the version of clang-format that VERSION names: others break lines elsewhere, so their word is no test. Blanks
with a tab in them inside a line are columns that an author set. clang-format makes one blank of them; lines that
differ in nothing else stay as they are.
"""
import difflib
import fnmatch
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

VERSION = "14"
TREE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def tracked():
    try:
        run = subprocess.run(["git", "ls-files", "-z"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
        return [f for f in run.stdout.split("\0") if os.path.isfile(f)]
    except (OSError, subprocess.CalledProcessError):    # a tree from an archive
        return [os.path.join(d, f)[2:] for d, _, files in os.walk(".") for f in files if not d.startswith("./build")]


def clang_format():
    """The command, or None where the version is another."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        try:
            text = subprocess.run([name, "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        if re.search(rf"version {VERSION}\.", text):
            return name
    return None


def one_blank(line):
    text = line.lstrip()
    return line[:len(line) - len(text)] + re.sub(r" *\t[\t ]*", " ", text)


def formatted(tool, path):
    """What is there, and what should be, as lines."""
    old = open(path, encoding="utf-8").read().splitlines()
    out = subprocess.run([tool, "--style=file", path], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    new = []
    match = difflib.SequenceMatcher(None, [one_blank(x) for x in old], [one_blank(x) for x in out], False)
    for tag, i, j, k, l in match.get_opcodes():
        new += old[i:j] if tag == "equal" else out[k:l]
    return old, new


def sources(files):
    return [f for f in files if f.endswith((".c", ".h")) and f.split("/")[0] in ("src", "bpf", "include", "tests")]


def globs(head):
    """[{a,b}] as a list; one with a slash is of the whole path, one without of the name."""
    inner = head[1:-1] if head.startswith("{") else head
    return inner.split(",")


def editorconfig():
    sections = []
    for line in open(".editorconfig", encoding="utf-8"):
        line = line.strip()
        if line.startswith("["):
            sections.append((globs(line[1:-1]), {}))
        elif "=" in line and not line.startswith("#") and sections:
            key, value = (x.strip() for x in line.split("=", 1))
            sections[-1][1][key] = value
    return sections


def wanted(sections, path):
    keys = {}
    for patterns, values in sections:
        if any(fnmatch.fnmatchcase(path if "/" in p else os.path.basename(path), p) for p in patterns):
            keys.update(values)
    return keys


def code_lines(path, text):
    """Lines with numbers, without the here-documents of a shell script: those are another language."""
    end = None
    for nr, line in enumerate(text.split("\n"), 1):
        if end is None:
            yield nr, line
            here = path.endswith(".sh") and re.search(r"<<-?\s*['\"]?(\w+)", line)
            end = here and here.group(1) or None
        elif line.strip() == end:
            end = None


def misfits(path, keys):
    data = open(path, "rb").read()
    if keys.get("charset") != "utf-8" or not data:
        return []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        return [f"{path}: not UTF-8: {e.reason}"]
    bad = []
    if keys.get("end_of_line") == "lf" and "\r\n" in text:
        bad.append(f"{path}: CR LF")
    if keys.get("insert_final_newline") == "true" and not text.endswith("\n"):
        bad.append(f"{path}: no newline at the end")
    if keys.get("trim_trailing_whitespace") == "true":
        bad += [f"{path}:{nr}: blanks at the end" for nr, x in enumerate(text.split("\n"), 1) if x != x.rstrip(" \t")]
    indent = {"tab": r"\t* {8,}\S| +\t", "space": r" *\t"}.get(keys.get("indent_style"))
    if indent:
        bad += [f"{path}:{nr}: indented by other than {keys['indent_style']}s" for nr, x in code_lines(path, text) if re.match(indent, x)]
    return bad


def check(files):
    passed = failed = skipped = 0
    sections = editorconfig()
    for path in files:
        bad = misfits(path, wanted(sections, path))
        passed, failed = passed + (not bad), failed + bool(bad)
        print("".join(f"not ok {b}\n" for b in bad[:5]), end="")

    tool, code = clang_format(), sources(files)
    if not tool:
        print(f"skipped: no clang-format {VERSION}")
        skipped, code = len(code), []
    with ThreadPoolExecutor(2) as pool:
        for path, (old, new) in zip(code, pool.map(lambda f: formatted(tool, f), code)):
            passed, failed = passed + (old == new), failed + (old != new)
            if old != new:
                diff = list(difflib.unified_diff(old, new, path, path, lineterm="", n=0))
                print(f"not ok {path}: {sum(x.startswith('-') for x in diff[2:])} lines are not as .clang-format says: make format")
                print("".join(f"    {x}\n" for x in diff) if os.environ.get("V") else "", end="")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


def apply(files):
    tool = clang_format()
    if not tool:
        sys.exit(f"format: no clang-format {VERSION}")
    for path in sources(files):
        old, new = formatted(tool, path)
        if old != new:
            print(f"  FORMAT  {path}")
            with open(path, "w", encoding="utf-8") as f:
                f.write("\n".join(new) + "\n")
    return 0


if __name__ == "__main__":
    os.chdir(TREE)
    what = {"check": check, "apply": apply}.get(" ".join(sys.argv[1:]))
    if not what:
        sys.exit("usage: format.py check|apply")
    sys.exit(what(tracked()))
