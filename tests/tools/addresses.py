#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""No address of the kernel in a trace or in a report: addresses.py FILE... ("-": from stdin)

A file is what `show -f json` or a report says, JSON or not. Numbers in the kernel's half of the
address space are told with the line they stand in, and the exit code is 1. Signed numbers that fit an
int are counters below zero, what is nearest to zero is an errno, and both are let pass.
"""
import re
import sys

FIRST, END, INTS = 0xFF00000000000000, 0xFFFFFFFFFFFFF000, 0xFFFFFFFF80000000
NUMBER = re.compile(r"(?<![0-9a-zA-Z_.-])(0[xX][0-9a-fA-F]{16}|-?[0-9]{10,20})(?![0-9a-zA-Z.])|(?<![0-9a-zA-Z])([fF]{2}[0-9a-fA-F]{14})(?![0-9a-zA-Z])")

NO_NUMBER = re.compile(r'"machine\.id":"[0-9a-f]*"')


def is_address(text, bare):
    if bare:
        value = int(bare, 16)
    elif text[:2] in ("0x", "0X"):
        value = int(text, 16)
    elif text[0] == "-":
        return FIRST <= int(text) + (1 << 64) < INTS
    else:
        value = int(text)
    return FIRST <= value < END


def main(paths):
    found = 0
    for path in paths:
        with (sys.stdin if path == "-" else open(path, encoding="utf-8", errors="replace")) as f:
            for nr, line in enumerate(f, 1):
                for m in NUMBER.finditer(NO_NUMBER.sub("", line)):
                    if is_address(*m.groups()):
                        found += 1
                        if found <= 5:
                            print(f"{path}:{nr}: {m.group()}: ...{m.string[max(0, m.start() - 60):m.end()].strip()}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
