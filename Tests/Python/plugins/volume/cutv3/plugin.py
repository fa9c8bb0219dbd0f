#!/usr/bin/env python3
"""The folder plugin, cut off in the middle as `drivers/CUTSR` is; a step is `<Interface>.<method> before` or `after`."""

import importlib.machinery
import importlib.util
import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


def load(name, *path):
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(*path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


folder = load("folder", os.path.dirname(HERE), "folder", "plugin.py")
step = load("cut", TESTS, "drivers", "CUTSR").step


class Step:
    """One of the interfaces, with steps around the method that is run."""

    def __init__(self, interface):
        self.interface, self.name = interface(), interface.__name__

    def __getattr__(self, method):
        def run(**arguments):
            place = arguments.get("sr") or arguments.get("configuration", {}).get("location", "")
            step(place, "%s.%s before" % (self.name, method))
            answer = getattr(self.interface, method)(**arguments)
            step(place, "%s.%s after" % (self.name, method))
            return answer

        return run


class Plugin(folder.Plugin):
    def query(self, dbg):
        return {**super().query(dbg), "plugin": "cutv3", "name": "Cut"}


if __name__ == "__main__":
    originals = {"Plugin": Plugin, "SR": folder.SR, "Volume": folder.Volume}
    interface = os.path.basename(sys.argv[0]).split(".")[0]
    made = Step(originals[interface])
    setattr(folder, interface, lambda: made)
    folder.main()
