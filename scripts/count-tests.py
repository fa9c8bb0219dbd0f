#!/usr/bin/env python3
"""count-tests.py STATUS LOG XML: adds up one run of the test program and prints "PASSED FAILED" as its last line.

STATUS is the exit status of the run, LOG what it printed, XML its result file. A run that crashed has no results: its log
is counted, and the crash as one failure more. A run without any test is a failure, and so is one that failed without a
failed test, and a skipped test: a test here runs or fails.
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    """Passed, failed, and a line for each failure; from the result file."""
    passed, failures = 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        bad = [kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None]
        if bad:
            failures.append("%s/%s: %s" % (case.get("classname", "?"), case.get("name", "?"), bad[0]))
        else:
            passed += 1
    return passed, failures


def count_log(path):
    """The same from the log of a run that did not come to its end."""
    line_of_test = re.compile(r"^\S+\s+Test (?!case |run )(.+?) (started|(?:with \d+ test cases? )?(passed|failed) after )")
    passed, failures, running = 0, [], []
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            match = line_of_test.match(line)
            if not match:
                continue
            name, what, verdict = match.groups()
            if what == "started":
                running.append(name)
                continue
            if name in running:
                running.remove(name)
            if verdict == "passed":
                passed += 1
            else:
                failures.append("%s: failure" % name)
    return passed, failures, running


def reasons(path):
    """What the log says of each failure: an issue with the lines that belong to it, whose place in a long log nobody looks for."""
    lines, kept = [], False
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if "recorded an issue" in line:
                kept = True
            elif not line.startswith("\u21b3"):
                kept = False
            if kept:
                lines.append(line.rstrip("\n")[:2000])
    return lines[:200]


def main():
    status, log, results = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    try:
        passed, failures = count(results) if os.path.exists(results) else (0, [])
    except ElementTree.ParseError:
        passed, failures = 0, []
    if passed + len(failures) == 0:
        passed, failures, running = count_log(log)
        failures.append("the run ended with status %d before its end, or ran no test" % status)
        for name in running:
            print("    was running: %s" % name)
    elif status != 0 and not failures:
        failures.append("the run ended with status %d although no test failed" % status)
    for failure in failures:
        print("    FAILED  %s" % failure)
    for line in reasons(log) if failures else []:
        print("    %s" % line)
    print(passed, len(failures))


main()
