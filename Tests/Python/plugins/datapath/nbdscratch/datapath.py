#!/usr/bin/env python3
"""The datapath nbdfile with the feature NONPERSISTENT: between an open that does not persist and the close what is written
goes into an image on top of the volume's own.
"""

import importlib.util
import os
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
spec = importlib.util.spec_from_file_location(
    "nbdfile", os.path.join(os.path.dirname(HERE), "nbdfile", "datapath.py"))
nbdfile = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nbdfile)


class Plugin(nbdfile.Plugin):
    def query(self, dbg):
        return {**super().query(dbg), "plugin": "nbdscratch", "features": ["NONPERSISTENT"]}


class Datapath(nbdfile.Datapath):
    def open(self, dbg, uri, persistent):
        """May come again: what is there already stays."""
        if not persistent and not os.path.exists(scratch(uri)):
            image, kind = nbdfile.place(uri)
            subprocess.run(
                ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", kind, scratch(uri) + ".new"], check=True)
            os.rename(scratch(uri) + ".new", scratch(uri))

    def close(self, dbg, uri):
        for name in (scratch(uri), scratch(uri) + ".new"):
            if os.path.exists(name):
                os.unlink(name)

    def source(self, uri):
        return (scratch(uri), "qcow2") if os.path.exists(scratch(uri)) else super().source(uri)


def scratch(uri):
    image = nbdfile.place(uri)[0]
    return os.path.join(os.path.dirname(image), "." + os.path.basename(image) + ".scratch")


if __name__ == "__main__":
    nbdfile.Plugin, nbdfile.Datapath = Plugin, Datapath
    nbdfile.main()
