#!/usr/bin/env python3
"""Checks that docs/SPECIFICATION.md numbers its promises in order and that every promise names tests that exist."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    tests = set()
    for path in (ROOT / "Tests").rglob("*.swift"):
        tests.update(re.findall(r"\bfunc (\w+)\s*\(", path.read_text(encoding="utf-8")))
    for path in (ROOT / "Tests").rglob("*.py"):
        tests.update(re.findall(r"\bdef (test_\w+)\s*\(", path.read_text(encoding="utf-8")))
    text = (ROOT / "docs/SPECIFICATION.md").read_text(encoding="utf-8")
    promises = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |^## |\Z)", text, re.M | re.S)
    problems = []
    if [int(number) for number, _ in promises] != list(range(1, len(promises) + 1)):
        problems.append("the promises are not numbered 1, 2, 3, …")
    for number, promise in promises:
        named = re.findall(r"(?<=\s)`([a-z_]\w{11,})`", promise)
        if not named:
            problems.append("promise %s names no test" % number)
        problems += ["promise %s: there is no test %s" % (number, name) for name in named if name not in tests]
    for problem in problems:
        print("docs/SPECIFICATION.md: %s" % problem)
    sys.exit(1 if problems else 0)


main()
