#!/usr/bin/env python3
"""Makes the manual pages in docs/man from what `gantry` says of its own commands, and shell completions on demand.

    scripts/make-manuals.py GANTRY                      writes docs/man anew
    scripts/make-manuals.py GANTRY --check              fails when docs/man is not what would be written
    scripts/make-manuals.py GANTRY --completions DIR    writes gantry.bash, _gantry (zsh) and gantry.fish to DIR
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/man"
SHELLS = {"bash": "gantry.bash", "zsh": "_gantry", "fish": "gantry.fish"}


def said(program, *words):
    return subprocess.run([program, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def escaped(text):
    """Text as roff takes it: no requests, no escapes."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(one if ord(one) < 128 else "\\[u%04X]" % ord(one) for one in text)
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def spelled(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def option_head(argument):
    names = ", ".join("\\fB%s\\fR" % escaped(spelled(name)) for name in argument["names"])
    value = "" if argument["kind"] == "flag" else " \\fI%s\\fR" % escaped(argument.get("valueName", "value"))
    return names + value + (" ..." if argument["isRepeating"] else "")


def describe(argument):
    text = argument.get("abstract", "") or ""
    if argument.get("allValues") and argument["kind"] != "flag":
        text += " One of: %s." % ", ".join(argument["allValues"])
    # What an option means without a value is no default of the command; its text says it.
    means_without_value = "where it does not say" in (argument.get("abstract") or "")
    if argument.get("defaultValue") and argument["kind"] != "flag" and not means_without_value:
        text += " Default: %s." % argument["defaultValue"]
    return escaped(text.strip())


def synopsis(words, arguments):
    parts = ["\\fB%s\\fR" % escaped(" ".join(words))]
    for argument in arguments:
        if argument["kind"] == "positional":
            part = "\\fI%s\\fR" % escaped(argument["valueName"])
        else:
            part = "\\fB%s\\fR" % escaped(spelled(argument["preferredName"]))
            if argument["kind"] == "option":
                part += " \\fI%s\\fR" % escaped(argument.get("valueName", "value"))
        if argument["isOptional"]:
            part = "[" + part + "]"
        parts.append(part + (" ..." if argument["isRepeating"] else ""))
    return "\n".join(parts)


def page(words, command, children):
    name = "-".join(words)
    arguments = [one for one in command.get("arguments", []) if one.get("shouldDisplay", True)]
    lines = [
        '.TH "%s" "1" "" "Gantry" "Gantry"' % name.upper(), ".SH NAME",
        "%s \\- %s" % (escaped(name), escaped((command.get("abstract") or "").rstrip("."))), ".SH SYNOPSIS", ".nh",
        synopsis(words, arguments) + (" \\fIcommand\\fR" if children else ""), ".hy",
    ]
    if command.get("discussion"):
        lines.append(".SH DESCRIPTION")
        for paragraph in command["discussion"].split("\n"):
            lines.append(escaped(paragraph) if paragraph else ".PP")
    if children:
        lines.append(".SH COMMANDS")
        for child in children:
            lines += [".TP", "\\fB%s\\fR" % escaped(child["commandName"]), escaped(child.get("abstract") or "")]
    positional = [one for one in arguments if one["kind"] == "positional"]
    if positional:
        lines.append(".SH ARGUMENTS")
        for one in positional:
            lines += [".TP", "\\fI%s\\fR" % escaped(one["valueName"]), describe(one)]
    options = [one for one in arguments if one["kind"] != "positional"]
    if options:
        lines.append(".SH OPTIONS")
        for one in options:
            lines += [".TP", option_head(one), describe(one)]
    related = sorted(["-".join(words + [child["commandName"]]) for child in children]
                     + (["-".join(words[:-1])] if len(words) > 1 else []))
    if related:
        lines += [".SH SEE ALSO", ", ".join("\\fB%s\\fR(1)" % escaped(other) for other in related)]
    return name + ".1", "\n".join(lines) + "\n"


def pages(words, command):
    children = [one for one in command.get("subcommands", [])
                if one["commandName"] != "help" and one.get("shouldDisplay", True)]
    found = dict([page(words, command, children)])
    for child in children:
        found.update(pages(words + [child["commandName"]], child))
    return found


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, rest = sys.argv[1], sys.argv[2:]
    if rest[:1] == ["--completions"] and len(rest) == 2:
        folder = pathlib.Path(rest[1])
        folder.mkdir(parents=True, exist_ok=True)
        for shell, name in SHELLS.items():
            (folder / name).write_text(said(program, "--generate-completion-script", shell), encoding="utf-8")
        return
    tree = json.loads(said(program, "--experimental-dump-help"))["command"]
    fresh = pages([tree["commandName"]], tree)
    present = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.1")}
    if rest == ["--check"]:
        stale = sorted(name for name in fresh.keys() | present.keys() if fresh.get(name) != present.get(name))
        if stale:
            sys.exit("docs/man is out of date (%s): run scripts/make-manuals.py PATH-OF-GANTRY" % ", ".join(stale))
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in present.keys() - fresh.keys():
        (FOLDER / name).unlink()
    for name, text in fresh.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


main()
