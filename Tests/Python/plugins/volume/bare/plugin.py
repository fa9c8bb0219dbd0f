#!/usr/bin/env python3
"""An SMAPIv3 volume plugin of version 3.0, which knows nothing of image formats, and has no keys: the `folder` plugin
without what came later. Its volumes are plain files, handed out as such."""

import importlib.util
import os
import sys

ABOVE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("folder", os.path.join(ABOVE, "folder", "plugin.py"))
folder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(folder)


class Plugin(folder.Plugin):
    def query(self, dbg):
        answer = super().query(dbg)
        answer.update(plugin="bare", name="Bare", required_api_version="3.0", features=["VDI_MIRROR"])
        del answer["supported_image_formats"]
        return answer


class SR(folder.SR):
    def create(self, dbg, uuid, configuration, name, description, uri):
        super().create(dbg, uuid, {"location": uri}, name, description)

    def attach(self, dbg, configuration, uri):
        return super().attach(dbg, {"location": uri})


class Volume(folder.Volume):
    def create(self, dbg, sr, name, description, size, sharable):
        return super().create(dbg, sr, name, description, size, sharable, "raw")

    def stat(self, dbg, sr, key):
        return self.of(super().stat(dbg, sr, key))

    def of(self, volume):
        volume.pop("sharable", None)
        volume["uri"] = ["unknown:x", volume["uri"][0].replace("nbdfile://", "plainfile://").replace("?raw", "")]
        return volume


folder.Plugin, folder.SR, folder.Volume = Plugin, SR, Volume

if __name__ == "__main__":
    folder.main()
