#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns files into C arrays: embed.py OUTPUT.c HEADER NAME=FILE ...
Or into a table of files:     embed.py OUTPUT.c HEADER --table NAME ROOT FILE ...

Each array ends in a NUL that its length does not count. The declarations are in HEADER, which the
output includes, so that a mismatch does not compile. A table is an array of struct embedded, in
the order given, that ends with a NULL path; paths are relative to ROOT. HEADER declares that too.
"""

import os
import sys

BYTES_PER_LINE = 16


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    if not data.isascii():
        sys.exit(f"{path}: not plain ASCII")
    return data


def array(declaration, data):
    lines = [f"{declaration}[] = {{"]
    for at in range(0, len(data), BYTES_PER_LINE):
        lines.append("\t" + " ".join(f"{byte}," for byte in data[at:at + BYTES_PER_LINE]))
    return lines + ["\t0", "};"]


def arrays(sources):
    lines = []
    for source in sources:
        name, path = source.split("=", 1)
        data = read(path)
        lines += [f"const size_t {name}_len = {len(data)};"]
        lines += array(f"const char {name}", data)
    return lines


def table(name, root, paths):
    lines, rows = [], []
    for number, path in enumerate(paths):
        data = read(path)
        lines += array(f"static const char file_{number}", data)
        rows += [f'\t{{ "{os.path.relpath(path, root)}", {{ file_{number}, {len(data)} }} }},']
    return lines + [f"const struct embedded {name}[] = {{"] + rows + ["\t{ 0 }", "};"]


def main(output, header, *sources):
    lines = [f'#include "{header}"']
    if sources[0] == "--table":
        lines += table(sources[1], sources[2], sources[3:])
    else:
        lines += arrays(sources)
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


main(*sys.argv[1:])
