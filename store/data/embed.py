#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns data files into C arrays: embed.py OUTPUT.c NAME=FILE ...

Each array ends in a NUL that its length does not count. The declarations are in store/data.h,
which the output includes, so that a mismatch does not compile.
"""

import sys

BYTES_PER_LINE = 16


def array(name, data):
    lines = [f"const size_t {name}_len = {len(data)};", f"const char {name}[] = {{"]
    for at in range(0, len(data), BYTES_PER_LINE):
        lines.append("\t" + " ".join(f"{byte}," for byte in data[at:at + BYTES_PER_LINE]))
    return lines + ["\t0", "};"]


def main(output, *sources):
    lines = ['#include "store/data.h"']
    for source in sources:
        name, path = source.split("=", 1)
        with open(path, "rb") as file:
            data = file.read()
        if not data.isascii():
            sys.exit(f"{path}: not plain ASCII")
        lines += array(name, data)
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


main(*sys.argv[1:])
