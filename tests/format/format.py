#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The tree against .clang-format and .editorconfig.

    format.py check     one test per file and configuration; V=1 shows what would change
    format.py apply     clang-format on src, bpf, include and tests

Only by the version of clang-format that VERSION names: others break lines elsewhere, so their word is no test.

clang-format changes blanks and ends of lines and nothing else, so that its text and ours are compared gap by gap. It has
no way to leave a table alone. Of its word counts: blanks inside a line, where statements begin and how far they are
indented, where braces stand. Ours counts: columns (blanks with a tab in them inside a line), whether an expression, a
list, an enum or labels go on in the next line and where, and the lines of a macro. A program decides that by the
characters on both sides of the gap, so that the same file always becomes the same file.
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


GAP = re.compile(r"(?:[ \t\n\f]|\\\n)+")


def gaps_of(text):
    """Position among the characters that are no blanks -> gap, and these characters."""
    chars, gaps, at, pos = [], {}, 0, 0
    for m in GAP.finditer(text):
        chars.append(text[at:m.start()])
        pos += m.start() - at
        gaps[pos] = m.group()
        at = m.end()
    chars.append(text[at:])
    return "".join(chars), gaps


def merge(old, new):
    """Our text with those of clang-format's gaps that count; None where it changed more than gaps."""
    chars, ours = gaps_of(old)
    theirs_chars, theirs = gaps_of(new)
    if chars != theirs_chars:
        return None
    out, at, line, offset = [], 0, "", 0
    for pos in sorted(set(ours) | set(theirs)):
        out.append(chars[at:pos])
        line += chars[at:pos]
        offset += pos - at
        at = pos
        a, b = ours.get(pos, ""), theirs.get(pos, "")
        whole = old[old.rfind("\n", 0, offset) + 1:(old + "\n").index("\n", offset)]
        out.append(choose(a, b, line, chars[pos - 1:pos], chars[pos:pos + 12], whole))
        offset += len(a)
        line = "" if "\n" in a and "\\\n" not in a else line + " "
    out.append(chars[at:])
    return "".join(out)


ONE_LINE_RECORD = re.compile(r"\s*((static|const|volatile)\s+)*(struct|union|enum)\b[^;{]*\{.*\}")


def choose(a, b, line, before, after, whole):
    """One of the gaps A, ours, and B, between the characters BEFORE and AFTER; LINE is what stands before it, WHOLE all of our line."""
    if a == b or not before or not after:
        return b
    if re.match(r"\s*#\s*define\b", line):
        return a
    if "\n" not in a and "\n" not in b:
        return a if "\t" in a and b else author_blank(a, b, before, after)
    if "\n" not in a and (ONE_LINE_RECORD.match(whole) or line.startswith("SEC(")):
        return a
    return b if begins(line, before, after, "\n" in a) else a


def author_blank(a, b, before, after):
    """Inside a line: where clang-format takes a declarator for a call or a cast, aligns, or fills an empty part of a for."""
    word = before.isalnum() or before == "_"
    if len(b) > 1 or (word and after.startswith(("(*", "["))) or (before == "*" and not a) or (before == ";" and after[0] in ");"):
        return a
    if before == ")" and after.startswith("class"):    # a name in C
        return a
    return b


def begins(line, before, after, broken):
    """Does what follows begin a statement, a declaration or a block? BROKEN: it begins a line of ours."""
    line = line.strip()
    if line.startswith("#") or after[0] == "#" or line.endswith("*/"):
        return True
    if before in ",=(":
        return False
    if before in ";{}":
        return not (before == "{" and after[0] in ".[")
    if after[0] == "{":
        return before == ")" or broken
    if after[0] == "}":
        return True
    if before == ":":
        label = re.match(r"(case\b|default\b|\w+\s*:$)", line)
        return bool(label) and (broken or not after.startswith(("case", "default")))
    if before == ")":
        return bool(re.match(r"[A-Za-z_/*]", after))
    return bool(re.search(r"\b(else|do)$", line))


def formatted(tool, path):
    """What is there, and what should be, as lines."""
    old = open(path, encoding="utf-8").read()
    out = subprocess.run([tool, "--style=file", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    new = merge(old, out)
    return old.splitlines(), (out if new is None else new).splitlines()


def sources(files):
    """The lab's overlay is kernel code: it keeps to the kernel's own .clang-format, of newer versions."""
    return [f for f in files if f.endswith((".c", ".h")) and f.split("/")[0] in ("src", "bpf", "include", "tests", "packaging") and
            not f.startswith("tests/lab/overlay/")]


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


# What is right stays, what is bent is found: otherwise all of the tree would pass.
RIGHT = """static int f(int a, struct s *s)
{
    const char *names[] = { "a", "b",
        "c" };
    static const struct { int n; const char *s; } rows[] = {
        { 1, "a" }, { 2, "b" },
    };

    if (a)
        return a == 1 ? 2 : a == 2 ? 3 :
               4;
    switch (a) {
    case 1: case 2: return 3;
    }
    for (int i = 0; i < 3; )
        g(i,
          names);
    return rows[0].n;    /* of    all */
}
""".replace("    ", "\t")
BENT = [("if (a)", "if(a)"), ("\t\treturn a ==", "\treturn a =="), (" {\n\tcase 1", "\n\t{\n\tcase 1"), ("a == 1", "a==1"), ("if (a)\n\t\treturn", "if (a) return"),
        ("s *s)\n{", "s *s) {"), ("\tcase 1", "\t\tcase 1"), ("for (int i", "for ( int i"), ("g(i,", "g (i,"), ("\tfor (int", "    for (int"), ("*names[]", "* names[]"),
        ("\t};\n", "\t} ;\n"), ("}\n\tfor", "} for"), ("};\n\n", "};\n\n\n")]


def self_test(tool):
    """What BENT does to RIGHT, one after the other: those that are not put right again."""
    def run(text):
        out = subprocess.run([tool, "--style=file", "--assume-filename=x.c"], input=text, stdout=subprocess.PIPE, check=True, text=True).stdout
        return merge(text, out)
    bad = [] if run(RIGHT) == RIGHT else ["what is right is changed"]
    for good, bent in BENT:
        assert good in RIGHT
        if run(RIGHT.replace(good, bent, 1)) != RIGHT:
            bad.append(f"not put right: {bent!r}")
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
    else:
        bad = self_test(tool)
        passed, failed = passed + 1 + len(BENT) - len(bad), failed + len(bad)
        print("".join(f"not ok {b}\n" for b in bad), end="")
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
