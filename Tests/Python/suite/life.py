"""The life of a disk by `xe`, and a client of a disk in use, for third-party drivers of both interfaces.

With GANTRY_TEST_ALL_DRIVERS=1 in the environment the tests of drivers go through all kinds of drivers and all points
where they can be cut off; without it through one kind of each interface, and the points that have the most to lose.
"""

import os
import re
import selectors
import subprocess

from .case import MIB

WHOLE = os.environ.get("GANTRY_TEST_ALL_DRIVERS") == "1"


def kinds(*all_kinds, always):
    """Those of the kinds that this run goes through: all, or the first `always`."""
    return all_kinds if WHOLE else all_kinds[:always]


def life_by_xe(case, kind, key, path, volumes, probes=True):
    """From the SR's creation to its end. `volumes` tells the uuids of the volumes that the driver holds."""
    xe = case.xe
    place = "device-config:%s=%s" % (key, path)
    if kind == "folder":
        case.assertIn("complete", xe("sr-probe-ext", "type=" + kind, place))
    sr = xe("sr-create", "name-label=x", "type=" + kind, place)
    case.assertEqual(xe("sr-list", "type=" + kind, "name-label=x", "--minimal"), sr)
    case.assertGreater(int(xe("sr-param-get", "uuid=" + sr, "param-name=physical-size")), 0)
    if probes:
        case.assertIn(sr, xe("sr-probe", "type=" + kind, place))
    if kind == "folder":
        case.assertEqual(xe("sr-probe-ext", "type=" + kind, place, "--minimal"), sr)
    formats = ["sm-config:image-format=qcow2"] * (kind != "bare")
    vdi = xe("vdi-create", "sr-uuid=" + sr, "name-label=d", "virtual-size=8MiB", "type=user", *formats)
    snapshot = xe("vdi-snapshot", "uuid=" + vdi)
    clone = xe("vdi-clone", "uuid=" + vdi)
    xe("sr-param-set", "uuid=" + sr, "name-label=y", "name-description=told")
    xe("vdi-param-set", "uuid=" + clone, "name-label=cloned")
    xe("vdi-resize", "uuid=" + vdi, "disk-size=16MiB")
    case.assertEqual(xe("vdi-param-get", "uuid=" + vdi, "param-name=virtual-size"), str(16 * MIB))
    xe("vdi-update", "uuid=" + vdi)
    xe("vdi-forget", "uuid=" + clone)
    xe("sr-scan", "uuid=" + sr)
    listed = xe("vdi-list", "sr-uuid=" + sr, "params=uuid", "--minimal").split(",")
    case.assertEqual(sorted(listed), sorted([vdi, snapshot, clone]))
    case.assertEqual(volumes(), set(listed))
    xe("sr-update", "uuid=" + sr)
    pbd = xe("sr-param-get", "uuid=" + sr, "param-name=PBDs")
    for disk in listed:
        xe("vdi-destroy", "uuid=" + disk)
    case.assertEqual(volumes(), set())
    xe("pbd-unplug", "uuid=" + pbd)
    xe("sr-destroy", "uuid=" + sr)
    case.assertEqual(xe("sr-list", "uuid=" + sr, "--minimal"), "")


def listed_by_xe(case, record):
    """`xe sm-list params=all` shows all that the row of a driver says."""
    listed = case.xe("sm-list", "uuid=" + record["uuid"], "params=all")
    shown = dict(re.findall(r"(?m)^ *([a-z-]+) \( *M?R[OW]\) *: *(.*)$", listed))
    for name in ("type", "name-label", "vendor", "required-api-version", "driver-filename"):
        case.assertEqual(shown[name], record[name.replace("-", "_")], name)
    for name in ("supported-image-formats", "required-cluster-stack", "features", "configuration"):
        for word in record[name.replace("-", "_")]:
            case.assertIn(word, shown[name])


def broken_by_xe(case, kind, how, told):
    """`xe` shows what the driver's failure was, and leaves nothing."""
    said = case.xe("sr-create", "name-label=broken", "type=" + kind, "device-config:how=" + how, fails=True)
    case.assertIn(told, said)
    case.assertEqual(case.xe("sr-list", "name-label=broken", "--minimal"), "")


class Client:
    """qemu-io at the NBD export of a disk; reads and writes 4 KiB of one character."""

    def __init__(self, uri):
        self.heard = ""
        self.process = subprocess.Popen(
            ["qemu-io", "-f", "raw", uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def begin(self, character, offset=0):
        self.say("write -P %d %d 4k" % (ord(character), offset))

    def finish(self):
        self.hear(r"wrote 4096/4096 bytes")

    def write(self, character, offset=0):
        self.begin(character, offset)
        self.finish()
        self.say("flush")

    def read(self):
        """The character of the first block."""
        self.say("read -v 0 16")
        return chr(int(self.hear(r"00000000: +([0-9a-f]{2})").group(1), 16))

    def answers(self):
        """A write is answered within a moment."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while selector.select(0.3):
                self.heard += self.process.stdout.read1().decode()
                if "wrote" in self.heard:
                    return True
        return False

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self, pattern):
        while not (found := re.search(pattern, self.heard)):
            piece = self.process.stdout.read1()
            if not piece or "failed" in self.heard:
                raise AssertionError("qemu-io: " + self.heard)
            self.heard += piece.decode()
        self.heard = self.heard[found.end():]
        return found

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
