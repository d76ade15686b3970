#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes what follows the header of an ACPI table of CPUs (MADT) for QEMU's q35, with more CPUs than it emulates.

    madt.py POSSIBLE FILE     up to 254, as there is no x2APIC; two are there

For -acpitable sig=APIC,rev=3,data=FILE; for the kernel acpi_apic_instance=2, as QEMU's own table is the first, and
maxcpus=2, so that it does not try to start the others.
"""
import struct
import sys


def override(irq, to, flags):
    return struct.pack("<BBBBIH", 2, 10, 0, irq, to, flags)


def table(possible):
    out = struct.pack("<II", 0xFEE00000, 1)
    out += b"".join(struct.pack("<BBBBI", 0, 8, cpu, cpu, 1) for cpu in range(possible))
    out += struct.pack("<BBBBII", 1, 12, 0, 0, 0xFEC00000, 0)
    out += override(0, 2, 0) + b"".join(override(irq, irq, 0xD) for irq in (5, 9, 10, 11))
    return out + struct.pack("<BBBHB", 4, 6, 0xFF, 0, 1)


with open(sys.argv[2], "wb") as file:
    file.write(table(int(sys.argv[1])))
