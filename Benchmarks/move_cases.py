"""A whole move of a disk that is written to: VDI.pool_migrate of gantryd beside qemu-storage-daemon, which mirrors and pivots.

Both begin with the same image and the same writer. The time is from the call until the disk stands on its new image alone:
for gantryd that includes its database, the new VDI's rows, the flush of both images before the pivot, and the old image's end.
qemu-storage-daemon compares nothing: beside it stands gantryd with verify=false; what its default costs, which compares both
images before the pivot, is a row of its own.
"""
import json
import os
import shutil
import subprocess
import time

import daemon
import mirror_cases
import nbd_cases
import setting

PAIRS = [("qcow2", "qcow2"), ("vhd", "qcow2"), ("qcow2", "raw")]
CONTESTANTS = ["gantryd verify=false", "gantryd, both images compared", "qemu background", "qemu write-blocking"]
#: Writes per second.
RATE = 4000


class Move:
    """One disk in an SR of a daemon, plugged, and its move to another SR."""

    export = "disk"

    def __init__(self, host, srs, pair, master, size, verify):
        self.host, self.srs, self.pair, self.verify = host, srs, pair, verify
        self.vdi = self.call("VDI.create", {
            "name_label": "moved", "name_description": "", "SR": srs[0][0], "virtual_size": str(size), "type": "user",
            "sharable": False, "read_only": False, "other_config": {}, "sm_config": {"image-format": pair[0]}})
        shutil.copyfile(master, f"{srs[0][1]}/{self.call('VDI.get_location', self.vdi)}")
        domain = self.call("host.get_control_domain", self.call("host.get_all")[0])
        self.vbd = self.call("VBD.create", {
            "VM": domain, "VDI": self.vdi, "userdevice": "autodetect", "bootable": False, "mode": "RW", "type": "Disk",
            "empty": False, "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}})
        self.call("VBD.plug", self.vbd)
        self.path = self.call("VBD.get_runtime_properties", self.vbd)["nbd-uri"].split("socket=")[1]
        # The data path has its control socket beside that of its clients.
        record = os.path.join(os.path.dirname(self.path), "record.json")
        with open(record) as file:
            self.pid = json.load(file)["pid"]

    def call(self, method, *parameters):
        return self.host.call(method, self.host.session, *parameters)

    def cpu(self):
        return nbd_cases.cpu_seconds(self.pid) + self.host.cpu()

    def move(self, patience):
        task = self.call("Async.VDI.pool_migrate", self.vdi, self.srs[1][0], {"dest-img-format": self.pair[1],
                                                                                    "verify": self.verify})
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.call("task.get_status", task) != "pending":
                error = self.call("task.get_error_info", task)
                if error:
                    raise SystemExit(f"the move failed: {error}")
                self.vdi = self.call("VBD.get_VDI", self.vbd)
                return True
            time.sleep(0.005)
        self.call("task.cancel", task)
        return False

    def target(self):
        return f"{self.srs[1][1]}/{self.call('VDI.get_location', self.vdi)}"

    def end(self):
        self.call("VBD.unplug", self.vbd)
        self.call("VBD.destroy", self.vbd)
        self.call("VDI.destroy", self.vdi)


class Mirror:
    """The same by qemu-storage-daemon."""

    export = "disk"

    def __init__(self, pair, source, target, path, mode):
        self.side = mirror_cases.Qemu(None, pair, source, target, path, mode)
        self.path, self.image = path, target

    def cpu(self):
        return nbd_cases.cpu_seconds(self.side.pid)

    def move(self, patience):
        self.side.start()
        if self.side.await_ready(patience) is None:
            return False
        self.side.pivot()
        return True

    def target(self):
        return self.image

    def end(self):
        self.side.end()


def measure(contestant, host, srs, load, pair, chosen, folder):
    master = mirror_cases.make(folder, pair[0], chosen.move_mib)
    size = chosen.move_mib << 20
    source, target, path = f"{folder}/source", f"{folder}/target", f"{folder}/mirror.sock"
    for leftover in (source, target, path, path + ".qmp"):
        if os.path.exists(leftover):
            os.unlink(leftover)
    if contestant.startswith("gantryd"):
        side = Move(host, srs, pair, master, size, "false" if "verify=false" in contestant else "true")
    else:
        shutil.copyfile(master, source)
        side = Mirror(pair, source, target, path, contestant.split()[-1])
    setting.flush()
    writer = mirror_cases.Load(load, side.path, side.export, size, RATE)
    sample = {}
    try:
        writer.mark()
        time.sleep(chosen.mirror_seconds)
        sample["before"] = writer.mark()
        used, begun = side.cpu(), time.monotonic()
        moved = side.move(chosen.move_patience)
        sample["seconds"] = time.monotonic() - begun if moved else None
        sample["cpu"] = side.cpu() - used
        sample["during"] = writer.mark()
        if moved:
            sample["target_bytes"] = os.stat(side.target()).st_blocks * 512
    finally:
        writer.end(f"{folder}/expected")
        side.end()
    return sample


def run(gantryd, folder, chosen):
    setting.need({"qemu-storage-daemon": "qemu-system-common", "cc": "gcc"})
    load = mirror_cases.build(folder)
    host = daemon.Daemon(gantryd, folder)
    results = []
    try:
        srs = []
        for name in ("a", "b"):
            place = f"{folder}/{name}"
            os.mkdir(place)
            owner = host.call("host.get_all", host.session)[0]
            srs.append((host.call("SR.create", host.session, owner, {"location": place}, 0, name, "", "file", "user",
                                  False, {}), place))
        for pair in PAIRS[:1] if chosen.smoke else PAIRS:
            samples = {contestant: [] for contestant in CONTESTANTS}
            name = f"{pair[0]} → {pair[1]}, {chosen.move_mib} MiB, {RATE:,} writes/s"
            for number in range(chosen.rounds):
                for contestant in setting.in_turn(CONTESTANTS, number):
                    setting.log(f"move: {name}: {contestant}, round {number + 1}")
                    samples[contestant].append(measure(contestant, host, srs, load, pair, chosen, folder))
            results.append({"case": name, "samples": samples})
    finally:
        host.stop()
        # Data paths of a run that was broken off.
        subprocess.run(["pkill", "-KILL", "-f", f"gantry-datapath serve.*{folder}/"], check=False)
    return results


def text(results):
    """Medians of the rounds: seconds, the share of its rate that the writer kept, its longest writes, CPU, size."""
    median, figure = mirror_cases.median, mirror_cases.figure
    lines = ["| case | | moved, s | rate kept | p50 / p99 / p99.9 / longest write meanwhile, ms | longest before, ms | CPU s | target MiB |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for result in results:
        for contestant, samples in result["samples"].items():
            kept = [(s["during"]["writes"] / s["during"]["seconds"]) / (s["before"]["writes"] / s["before"]["seconds"])
                    for s in samples]
            shares = [figure(median([s["during"].get(key) for s in samples]))
                      for key in ("p50_ms", "p99_ms", "p999_ms", "longest_ms")]
            lines.append(
                f"| {result['case']} | {contestant} | {figure(median([s['seconds'] for s in samples]))} | "
                f"{figure(median(kept))} | {' / '.join(shares)} | "
                f"{figure(median([s['before']['longest_ms'] for s in samples]))} | "
                f"{figure(median([s['cpu'] for s in samples]))} | "
                f"{figure(median([s.get('target_bytes', 0) / 1048576 for s in samples]), '{:.0f}')} |")
    return "\n".join(lines)
