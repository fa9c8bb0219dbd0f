#!/usr/bin/env python3
"""count-tests.py STATUS LOG XML...: adds up one run of `swift test` and prints "PASSED FAILED" as its last line.

STATUS is the exit status of the run, LOG what it printed, XML the result files that it may have written. A run that
crashed, that ran no test, or that failed without a failed test counts as one failure more. So does a skipped test: a
test here runs or fails.
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree


def count(paths):
    passed, failed, names = 0, 0, []
    for path in paths:
        if not os.path.exists(path):
            continue
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            bad = [kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None]
            if bad:
                failed += 1
                names.append("%s/%s: %s" % (case.get("classname", "?"), case.get("name", "?"), bad[0]))
            else:
                passed += 1
    return passed, failed, names


def unfinished(log):
    """The tests that the log shows as started and not as ended: where a crash happened."""
    started = re.compile(r"^\S+\s+Test (?!case)(.+) started\.$")
    ended = re.compile(r"^\S+\s+Test (?!case)(.+?) (?:with \d+ test cases )?(?:passed|failed) after ")
    running = []
    for line in log:
        if match := started.match(line):
            running.append(match.group(1))
        elif (match := ended.match(line)) and match.group(1) in running:
            running.remove(match.group(1))
    return [name for name in running if name != "run"]


def main():
    status, log_path, paths = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    try:
        passed, failed, names = count(paths)
    except ElementTree.ParseError as error:
        passed, failed, names = 0, 1, ["the result file cannot be read: %s" % error]
    if passed + failed == 0:
        failed = 1
        names = ["no result: the run ended with status %d before it wrote any" % status]
        with open(log_path, encoding="utf-8", errors="replace") as log:
            names += ["was running: %s" % name for name in unfinished(log)]
    elif status != 0 and failed == 0:
        failed = 1
        names = ["the run ended with status %d although no test failed" % status]
    for name in names:
        print("    FAILED  %s" % name)
    print(passed, failed)


main()
