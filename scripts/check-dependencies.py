#!/usr/bin/env python3
"""Holds the package to the tables of docs/architecture.md, which are read here, so that they cannot drift apart.

1. "Targets": each target in Package.swift has exactly the internal and external dependencies of its row, and each row has
   its target.
2. Every `import` of one of our own targets is of a declared dependency: the compiler finds undeclared ones, too.
3. "Fences": packages and modules that only some targets or groups may use.
4. The targets of the group Testing are used by tests only.
5. A program's main file has fewer than 60 lines of code, and no hand-written file more than 600 lines.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/architecture.md"
MAIN_LIMIT = 60
FILE_LIMIT = 600

problems = []


def names(cell):
    return set(re.findall(r"`([^`]+)`", cell))


def table(heading):
    """The rows of the first table below the heading: lists of cells, the title row left out."""
    text = DOCUMENT.read_text(encoding="utf-8")
    section = re.search(r"^## %s$(.*?)(?=^## |\Z)" % re.escape(heading), text, re.M | re.S)
    if not section:
        sys.exit("docs/architecture.md has no section '%s'" % heading)
    rows = [line.strip().strip("|").split("|") for line in section.group(1).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def described():
    # A scratch folder of its own: no build under way is waited for.
    with tempfile.TemporaryDirectory() as scratch:
        said = subprocess.run(
            ["swift", "package", "--scratch-path", scratch, "describe", "--type", "json"],
            cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return {target["name"]: target for target in json.loads(said.stdout)["targets"]}


def imports(path):
    """Modules imported by a Swift file, with their lines."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(
            r"\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
            r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)", line)
        if match:
            yield number, match.group(1)


def code_lines(path):
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return sum(1 for line in lines if line and not line.startswith("//"))


def is_main(path):
    return path.name == "main.swift" or re.search(r"^@main\b", path.read_text(encoding="utf-8"), re.M)


def differ(target, what, declared, documented):
    for name in sorted(declared - documented):
        problems.append("%s depends on the %s %s, which docs/architecture.md does not list" % (target, what, name))
    for name in sorted(documented - declared):
        problems.append("docs/architecture.md lists the %s %s for %s, which Package.swift does not" % (what, name, target))


def check_target_table(targets):
    documented = {}
    for row in table("Targets"):
        group, name = re.fullmatch(r"(\w+)/`([\w-]+)`", row[0]).groups()
        documented[name] = (group, names(row[2]), names(row[3]))
    products = {name: target for name, target in targets.items() if target["type"] != "test"}
    for name in sorted(products.keys() - documented.keys()):
        problems.append("docs/architecture.md has no row for the target %s" % name)
    for name, (group, internal, external) in sorted(documented.items()):
        if name not in products:
            problems.append("docs/architecture.md has a row for %s, which is no target" % name)
            continue
        target = products[name]
        if target["path"] != "Sources/%s/%s" % (group, name):
            problems.append("%s lies in %s and not in Sources/%s" % (name, target["path"], group))
        differ(name, "target", set(target.get("target_dependencies", [])), internal)
        differ(name, "product", set(target.get("product_dependencies", [])), external)


def check_imports(targets):
    modules = {target["c99name"]: name for name, target in targets.items()}
    for name, target in sorted(targets.items()):
        allowed = set(target.get("target_dependencies", [])) | {name}
        for path in sorted((ROOT / target["path"]).rglob("*.swift")):
            for line, module in imports(path):
                if module in modules and modules[module] not in allowed:
                    problems.append(
                        "%s:%d imports %s, which is no declared dependency of %s"
                        % (path.relative_to(ROOT), line, module, name))


def check_fences(targets):
    for row in table("Fences"):
        fenced, inside, outside = names(row[0]), names(row[1]), names(row[2])
        for name, target in sorted(targets.items()):
            if target["type"] == "test":
                continue
            group = target["path"].split("/")[1]
            is_free = name in inside or group in inside if inside else name not in outside and group not in outside
            if is_free:
                continue
            for product in sorted(fenced & set(target.get("product_dependencies", []))):
                problems.append("%s may not use the package product %s" % (name, product))
            for path in sorted((ROOT / target["path"]).rglob("*.swift")):
                for line, module in imports(path):
                    if module in fenced:
                        problems.append("%s:%d: %s may not import %s" % (path.relative_to(ROOT), line, name, module))


def check_testing(targets):
    testing = {name for name, target in targets.items() if target["path"].startswith("Sources/Testing/")}
    for name, target in sorted(targets.items()):
        if target["type"] != "test" and name not in testing:
            for used in sorted(testing & set(target.get("target_dependencies", []))):
                problems.append("%s is no test and depends on %s" % (name, used))


def check_lengths(targets):
    for target in targets.values():
        for path in sorted((ROOT / target["path"]).rglob("*.swift")):
            shown = path.relative_to(ROOT)
            if "Generated" in path.parts:
                continue
            if target["type"] == "executable" and is_main(path) and code_lines(path) >= MAIN_LIMIT:
                problems.append("%s has %d lines of code; %d is the limit" % (shown, code_lines(path), MAIN_LIMIT - 1))
            length = len(path.read_text(encoding="utf-8").splitlines())
            if length > FILE_LIMIT:
                problems.append("%s has %d lines; %d is the limit" % (shown, length, FILE_LIMIT))


def main():
    targets = described()
    check_target_table(targets)
    check_imports(targets)
    check_fences(targets)
    check_testing(targets)
    check_lengths(targets)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


main()
