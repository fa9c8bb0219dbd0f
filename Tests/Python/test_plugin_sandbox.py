"""`gantryd serve --plugin-sandbox namespace`, with the plugin of the guide; and kill -9 of gantryd while a guest has a disk
that is reset when it boots."""

import json
import os
import tempfile

from suite.apart import ApartCase
from suite.case import MIB, drive_record, machine_record
from suite.daemon import guest_files
from suite.life import Client

BODY = b"lasting" * 64

#: A plugin whose SRs cannot be made: the error tells what it sees.
LOOKING = """#!/bin/sh
[ "$(basename "$0")" = Plugin.Query ] && exec echo '{
  "plugin": "looking", "name": "L", "description": "", "vendor": "", "copyright": "", "version": "1",
  "required_api_version": "5.0", "features": [], "configuration": {}, "required_cluster_stack": []}'
printf '{"code": "SR_BACKEND_FAILURE_999", "params": ["%s", "%s", "%s"]}' \\
    "$(ls -A /tmp)" "$(sed -n 's/^NoNewPrivs:[^0-9]*//p' /proc/self/status)" "$(ulimit -n)"
exit 1
"""


class SandboxTests(ApartCase):
    """Outside of /tmp."""

    settings = {"time_limit": 600, "apart": True, "options": ["--plugin-sandbox", "namespace"]}

    def before_start(self):
        looking = self.own.plugins / "volume" / "looking"
        looking.mkdir()
        for name in ("Plugin.Query", "SR.create"):
            (looking / name).write_text(LOOKING)
            (looking / name).chmod(0o755)

    def make(self, kind, config):
        return self.x.SR.create(self.host, config, "0", "sr", "", kind, "user", False, {})

    def kill(self, everything):
        """gantryd; or all that it has started, too."""
        self.own.process.kill()
        self.own.process.wait()
        self.own.process.stdout.close()
        if everything:
            for pid in self.own.leftovers():
                os.kill(pid, 9)
        self.start()

    def test_plugins_see_nothing_of_others_and_disks_that_are_reset_stay_as_they_are(self):
        with tempfile.NamedTemporaryFile(dir="/tmp"):
            self.refused(["SR_BACKEND_FAILURE_999", "", "1", "1024"], self.make, "looking", {})

        place = self.own.folder / "sr"
        place.mkdir()
        sr = self.make("folder", {"location": str(place)})
        vdi = self.disk(sr, MIB, sm_config={"image-format": "raw"})
        self.x.VDI.destroy(self.x.VDI.snapshot(vdi))
        key = self.x.VDI.get_location(vdi)
        with open(place / (key + ".raw"), "r+b") as file:
            file.write(BODY)
        kernel, initrd = guest_files()
        vm = self.x.VM.create(machine_record(PV_kernel=kernel, PV_ramdisk=initrd, PV_args="console=ttyS0 quiet"))
        self.x.VBD.create(drive_record(vm, vdi, bootable=True))
        self.x.VDI.set_on_boot(vdi, "reset")

        def clone():
            return json.loads((place / (key + ".json")).read_text())["keys"].get("clone-on-boot")

        self.x.VM.start(vm, True, False)
        present = clone()
        address = "nbd+unix:///disk?socket=%s" % (place / ("." + present[:8]))
        client = Client(address)
        client.write("7")
        client.end()
        self.kill(everything=False)
        # The guest has gone on, with what it wrote; nobody sees a disk in that.
        self.x.SR.scan(sr)
        self.assertEqual(self.x.SR.get_VDIs(sr), [vdi])
        self.assertEqual(self.x.VM.get_power_state(vm), "Paused")
        self.assertEqual(clone(), present)
        client = Client(address)
        self.assertEqual(client.read(), "7")
        client.end()
        self.kill(everything=True)
        self.until(lambda: self.x.VM.get_power_state(vm) == "Halted")
        self.until(lambda: clone() is None)
        self.x.SR.scan(sr)
        self.assertEqual(self.x.SR.get_VDIs(sr), [vdi])
        self.assertEqual((place / (key + ".raw")).read_bytes(), BODY + bytes(MIB - len(BODY)))
        self.assertEqual(
            {p.name for p in place.iterdir() if not p.is_socket()}, {"sr.json", key + ".json", key + ".raw"})
