#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes what follows the header of an ACPI table of CPUs (MADT) for QEMU's q35, with more CPUs than it emulates.

    madt.py POSSIBLE FILE     two are there; more than 255 take a guest with x2APIC, which its firmware has switched on

For -acpitable sig=APIC,rev=3,data=FILE; for the kernel acpi_apic_instance=2, as QEMU's own table is the first, and
maxcpus=2, so that it does not try to start the others.
"""
import struct
import sys


def override(irq, to, flags):
    return struct.pack("<BBBBIH", 2, 10, 0, irq, to, flags)


def cpu(number):
    """An APIC's number of eight bits, or an x2APIC's."""
    return struct.pack("<BBBBI", 0, 8, number, number, 1) if number < 255 else struct.pack("<BBHIII", 9, 16, 0, number, 1, number)


def table(possible):
    out = struct.pack("<II", 0xFEE00000, 1)
    out += b"".join(cpu(number) for number in range(possible))
    out += struct.pack("<BBBBII", 1, 12, 0, 0, 0xFEC00000, 0)
    out += override(0, 2, 0) + b"".join(override(irq, irq, 0xD) for irq in (5, 9, 10, 11))
    return out + struct.pack("<BBBHB", 4, 6, 0xFF, 0, 1)


with open(sys.argv[2], "wb") as file:
    file.write(table(int(sys.argv[1])))
