#!/usr/bin/env python3
"""Checks that every numbered case of the image engine's test vectors has a test whose name carries its number.

A name carries it as a part of the function's (`_6_1_names…`) or, in brackets, of the text shown for the test or for one
of its cases: "… (case 2.5)", "… (cases 3.17, 3.21)", "… (3.16)".
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# How many cases each section has.
SECTIONS = {
    1: 13,  # sizes and boundaries
    2: 24,  # VHD
    3: 24,  # qcow2: structure
    4: 27,  # qcow2: data path
    5: 11,  # VHDX and VMDK
    6: 13,  # raw, sparse files, conversion, probing
}

# Cases that do not apply, and why.
LEFT_OUT = {}


def main():
    found = set()
    for path in [*(ROOT / "Tests/Images").rglob("*.swift"), *(ROOT / "Tests/Interface").rglob("*.swift")]:
        text = path.read_text(encoding="utf-8")
        for prefix in re.findall(r"\bfunc ((?:_\d+_\d+)+)_", text):
            found.update("%s.%s" % pair for pair in re.findall(r"_(\d+)_(\d+)", prefix))
        for numbers in re.findall(r'"[^"\n]*\((?:cases? )?(\d+\.\d+(?:(?:, | and )\d+\.\d+)*)\)[^"\n]*"', text):
            found.update(re.findall(r"\d+\.\d+", numbers))
    known = ["%d.%d" % (section, case) for section, cases in SECTIONS.items() for case in range(1, cases + 1)]
    problems = ["case %s has no test" % case for case in known if case not in found and case not in LEFT_OUT]
    problems += ["case %s has a test, and is said not to apply" % case for case in LEFT_OUT if case in found]
    problems += ["there is no case %s" % case for case in sorted(found) if case not in known]
    for problem in problems:
        print("test vectors: %s" % problem)
    sys.exit(1 if problems else 0)


main()
