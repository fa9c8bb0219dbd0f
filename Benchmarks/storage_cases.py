#!/usr/bin/env python3
"""What storage managers do, through the API: making disks, scanning, snapshots, clones. See README.md, "storage".

    Benchmarks/storage_cases.py --gantryd .build/release/gantryd

A daemon with folders of its own and a `file` SR. Disks are made one after the other over one connection; folders of many
images are scanned for the first time and again; large disks with data in them are snapshotted and cloned, halted and while
their data path runs. Each row has a target; the exit status is 1 when one is missed.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

from daemon import Daemon

MIB, GIB = 1 << 20, 1 << 30


class Storage:
    """A daemon and what is made with it."""

    def __init__(self, gantryd, folder):
        self.folder, self.daemon = folder, Daemon(gantryd, folder)
        self.host = self.call("host.get_all")[0]
        self.names = 0

    def call(self, method, *parameters):
        return self.daemon.call(method, self.daemon.session, *parameters)

    def repository(self, formats="qcow2"):
        self.names += 1
        place = f"{self.folder}/sr{self.names}"
        os.mkdir(place)
        config = {"location": place, "preferred-image-formats": formats}
        return self.call("SR.create", self.host, config, 0, place, "", "file", "user", False, {}), place

    def disk(self, sr, size, form):
        return self.call("VDI.create", {
            "name_label": "bench", "name_description": "", "SR": sr, "virtual_size": str(size), "type": "user",
            "sharable": False, "read_only": False, "other_config": {}, "xenstore_data": {}, "tags": [],
            "sm_config": {"image-format": form}})

    def plug(self, vdi):
        vbd = self.call("VBD.create", {
            "VM": self.call("host.get_control_domain", self.host), "VDI": vdi, "userdevice": "autodetect",
            "bootable": False, "mode": "RW", "type": "Disk", "empty": False, "other_config": {},
            "qos_algorithm_type": "", "qos_algorithm_params": {}})
        self.call("VBD.plug", vbd)
        return vbd


def timed(work):
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result


def row(what, samples, target, judged="median"):
    """Seconds."""
    samples = sorted(samples)
    row = {"what": what, "count": len(samples), "median": statistics.median(samples),
           "p99": samples[min(len(samples) - 1, len(samples) * 99 // 100)], "largest": samples[-1], "target": target}
    row["is_met"] = row[judged] <= target
    return row


def creation(storage, chosen):
    """Disks made, and destroyed, one after the other: each is durable when it is answered."""
    rows = []
    for form in ("raw", "vhd", "qcow2"):
        sr, _ = storage.repository(form)
        made, samples = [], []
        for _ in range(chosen.disks):
            seconds, vdi = timed(lambda: storage.disk(sr, 10 * GIB, form))
            samples.append(seconds)
            made.append(vdi)
        rows.append(row(f"vdi-create {form}", samples, 0.05))
        samples = [timed(lambda vdi=vdi: storage.call("VDI.destroy", vdi))[0] for vdi in made]
        rows.append(row(f"vdi-destroy {form}", samples, 0.05))
    return rows


def scans(storage, chosen):
    """A folder of images that nobody knows yet, and the same when all are known."""
    rows = []
    for form in ("raw", "qcow2"):
        sr, place = storage.repository(form)
        model = storage.disk(sr, MIB, form)
        image = f"{place}/{storage.call('VDI.get_location', model)}"
        # The daemon's own image, many times: what it costs to look at one.
        for _ in range(chosen.images - 1):
            shutil.copyfile(image, f"{place}/{uuid.uuid4()}.{form}")
        rows.append(row(f"sr-scan of {chosen.images} {form}, new", [timed(lambda: storage.call("SR.scan", sr))[0]], 10))
        known = len(storage.call("SR.get_VDIs", sr))
        if known != chosen.images:
            sys.exit(f"the scan found {known} disks of {chosen.images}")
        again = [timed(lambda: storage.call("SR.scan", sr))[0] for _ in range(chosen.rounds)]
        rows.append(row(f"sr-scan of {chosen.images} {form}, known", again, 10))
    return rows


def snapshots(storage, chosen):
    """Of large disks with data all over them, their tables as large as that makes them."""
    rows = []
    for form in ("raw", "vhd", "qcow2"):
        sr, place = storage.repository(form)
        vdi = storage.disk(sr, chosen.gib * GIB, form)
        fill(storage, vdi, chosen)
        for state in ("halted", "in use"):
            vbd = storage.plug(vdi) if state == "in use" else None
            for what in ("snapshot", "clone"):
                samples = []
                for _ in range(chosen.rounds):
                    seconds, new = timed(lambda: storage.call(f"VDI.{what}", vdi, {}))
                    samples.append(seconds)
                    storage.call("VDI.destroy", new)
                rows.append(row(f"{what} of {chosen.gib} GiB {form}, {state}", samples, 1, judged="largest"))
            if vbd:
                storage.call("VBD.unplug", vbd)
                storage.call("VBD.destroy", vbd)
    return rows


def fill(storage, vdi, chosen):
    """Pieces of data at random places, by way of the disk's data path."""
    vbd = storage.plug(vdi)
    uri = storage.call("VBD.get_runtime_properties", vbd)["nbd-uri"]
    source = random.Random(1)
    commands = []
    for _ in range(chosen.pieces):
        commands += ["-c", f"write -q -P {source.randrange(1, 256)} {source.randrange(chosen.gib * GIB // MIB)}M 64k"]
    for at in range(0, len(commands), 500):
        subprocess.run(["qemu-io", "-f", "raw", *commands[at:at + 500], uri], check=True)
    storage.call("VBD.unplug", vbd)
    storage.call("VBD.destroy", vbd)


def run(gantryd, folder, chosen):
    # Paths of Unix sockets are short.
    place = os.path.join(folder, "st")
    os.mkdir(place)
    storage = Storage(gantryd, place)
    try:
        rows = []
        for name, case in (("create", creation), ("scan", scans), ("snapshot", snapshots)):
            if not chosen.only or name in chosen.only.split(","):
                rows += case(storage, chosen)
        return rows
    finally:
        storage.daemon.stop()
        shutil.rmtree(place, ignore_errors=True)


def text(rows):
    lines = [("", "number", "median", "p99", "largest", "target", "")]
    for each in rows:
        times = [f"{each[key] * 1000:.1f} ms" for key in ("median", "p99", "largest", "target")]
        lines.append((each["what"], str(each["count"]), *times, "met" if each["is_met"] else "MISSED"))
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    return "\n".join(
        "  ".join(cell.ljust(width) if column in (0, 6) else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gantryd", required=True, help="the release build of the daemon")
    parser.add_argument("--smoke", action="store_true", help="small numbers: does it all work?")
    parser.add_argument("--only", help="some of create,scan,snapshot")
    parser.add_argument("--disks", type=int, help="disks made of each format (default 200)")
    parser.add_argument("--images", type=int, help="images in a folder that is scanned (default 10000)")
    parser.add_argument("--gib", type=int, default=100, help="virtual size of the disks snapshotted, GiB (default 100)")
    parser.add_argument("--pieces", type=int, help="pieces of 64 KiB in them (default 2000)")
    parser.add_argument("--rounds", type=int, help="rounds of each other measurement (default 10)")
    parser.add_argument("--dir", default="/var/tmp", help="a folder on the file system to measure (default /var/tmp)")
    parser.add_argument("--json", help="where the rows go as JSON")
    chosen = parser.parse_args()
    defaults = (dict(disks=5, images=50, pieces=20, rounds=2) if chosen.smoke
                else dict(disks=200, images=10000, pieces=2000, rounds=10))
    for key, value in defaults.items():
        if getattr(chosen, key) is None:
            setattr(chosen, key, value)
    folder = tempfile.mkdtemp(prefix="gst-", dir=chosen.dir)
    try:
        rows = run(os.path.abspath(chosen.gantryd), folder, chosen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if chosen.json:
        with open(chosen.json, "w") as out:
            json.dump(rows, out, indent=2)
            out.write("\n")
    print(text(rows))
    sys.exit(0 if all(each["is_met"] for each in rows) else 1)


if __name__ == "__main__":
    main()
