"""A disk that is written to moves to another image: gantry image mirror beside qemu-storage-daemon's blockdev-mirror."""
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import time

import convert_cases
import nbd_cases
import setting

PAIRS = [("qcow2", "raw"), ("vhd", "qcow2"), ("raw", "vhd")]
CONTESTANTS = ["gantry", "qemu background", "qemu write-blocking"]
#: Writes per second; 0: as many as go.
LOADS = [4000, 0]


class Lines:
    """A process that is spoken to in lines."""

    def __init__(self, words):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line


class Load(Lines):
    def __init__(self, program, path, export, size, rate):
        super().__init__([program, path, export, str(size), str(rate)])

    def mark(self):
        self.say("mark")
        return json.loads(self.hear())

    def end(self, path):
        self.say(f"end {path}")
        self.hear()
        self.process.wait()


class Gantry:
    export = "disk"

    def __init__(self, gantry, pair, source, target, path, mode):
        self.lines = Lines([gantry, "image", "mirror", "-f", pair[0], "-O", pair[1], "--socket", path, source, target])
        wait_for(path)

    pid = property(lambda self: self.lines.process.pid)

    def answer(self, word, patience):
        while True:
            line = self.lines.hear()
            if line.startswith("error"):
                raise SystemExit(line)
            if line.startswith(word + " "):
                return json.loads(line[len(word):])

    def start(self):
        self.lines.say("start")

    def await_ready(self, patience):
        return self.answer("ready", patience)

    def pivot(self):
        self.lines.say("pivot")
        return self.answer("pivoted", 60)

    def end(self):
        self.lines.say("quit")
        self.lines.process.wait()


class Qemu:
    export = "disk"

    def __init__(self, gantry, pair, source, target, path, mode):
        self.mode = mode
        kind = convert_cases.QEMU_FORMAT
        size = virtual_size(source, kind[pair[0]])
        extra = ["-o", "force_size=on"] if pair[1] == "vhd" else []
        subprocess.run(["qemu-img", "create", "-q", "-f", kind[pair[1]], *extra, target, str(size)], check=True)
        control = path + ".qmp"
        self.process = subprocess.Popen([
            "qemu-storage-daemon", "--chardev", f"socket,id=c,path={control},server=on,wait=off", "--monitor",
            "chardev=c", "--blockdev", f"file,node-name=sf,filename={source}", "--blockdev",
            f"{kind[pair[0]]},node-name=src,file=sf", "--blockdev", f"file,node-name=tf,filename={target}", "--blockdev",
            f"{kind[pair[1]]},node-name=dst,file=tf", "--nbd-server", f"addr.type=unix,addr.path={path}", "--export",
            "nbd,id=e,node-name=src,name=disk,writable=on"])
        wait_for(control)
        wait_for(path)
        self.monitor = socket.socket(socket.AF_UNIX)
        self.monitor.connect(control)
        self.stream = self.monitor.makefile("rw")
        self.stream.readline()
        self.events = []
        self.command("qmp_capabilities")

    pid = property(lambda self: self.process.pid)

    def command(self, name, **arguments):
        self.stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "event" in answer:
                self.events.append(answer["event"])
            elif "error" in answer:
                raise SystemExit(str(answer))
            else:
                return answer["return"]

    def start(self):
        self.command("blockdev-mirror", **{"job-id": "m", "device": "src", "target": "dst", "sync": "full",
                                           "copy-mode": self.mode})

    def await_ready(self, patience):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            jobs = self.command("query-block-jobs")
            if not jobs:
                raise SystemExit("qemu's mirror has ended")
            if jobs[0]["ready"]:
                return {}
            time.sleep(0.005)
        return None

    def pivot(self):
        self.command("job-complete", id="m")
        deadline = time.monotonic() + 60
        while self.command("query-block-jobs") and time.monotonic() < deadline:
            time.sleep(0.001)
        return {}

    def end(self):
        self.process.terminate()
        self.process.wait()


def wait_for(path):
    deadline = time.monotonic() + 30
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise SystemExit(f"{path} does not come")
        time.sleep(0.005)


def virtual_size(image, kind):
    done = subprocess.run(["qemu-img", "info", "--output=json", "-f", kind, image], check=True, capture_output=True)
    return json.loads(done.stdout)["virtual-size"]


def make(folder, kind, mib):
    raw = f"{folder}/master.raw"
    image = f"{folder}/master.{kind}"
    if not os.path.exists(raw):
        convert_cases.make_raw(raw, mib, 1)
    if not os.path.exists(image):
        extra = ["-o", "force_size=on"] if kind == "vhd" else []
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", convert_cases.QEMU_FORMAT[kind], *extra, raw, image],
                       check=True)
    return image


def measure(contestant, gantry, load, pair, rate, chosen, folder):
    master = make(folder, pair[0], chosen.mirror_mib)
    source, target, path = f"{folder}/source", f"{folder}/target", f"{folder}/mirror.sock"
    for leftover in (target, path, path + ".qmp"):
        if os.path.exists(leftover):
            os.unlink(leftover)
    shutil.copyfile(master, source)
    setting.flush()
    begun, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["cp", "--reflink=never", source, f"{folder}/plain"], check=True)
    plain, now = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    plain_cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    os.unlink(f"{folder}/plain")
    setting.flush()
    kind = Gantry if contestant == "gantry" else Qemu
    side = kind(gantry, pair, source, target, path, contestant.split()[-1])
    sample = {"plain_seconds": plain, "plain_cpu": plain_cpu}
    size = chosen.mirror_mib << 20
    writer = Load(load, path, side.export, size, rate) if rate is not None else None
    try:
        if writer:
            writer.mark()
            idle, since = nbd_cases.cpu_seconds(side.pid), time.monotonic()
            time.sleep(chosen.mirror_seconds)
            sample["before"] = writer.mark()
            # What serving the writer costs without a mirror: it is among `cpu` below.
            sample["cpu_per_second_before"] = (nbd_cases.cpu_seconds(side.pid) - idle) / (time.monotonic() - since)
        cpu = nbd_cases.cpu_seconds(side.pid)
        begun = time.monotonic()
        side.start()
        ready = side.await_ready(chosen.mirror_patience)
        sample["ready_seconds"] = time.monotonic() - begun if ready is not None else None
        sample["cpu"] = nbd_cases.cpu_seconds(side.pid) - cpu
        if writer:
            sample["during"] = writer.mark()
        if ready is not None:
            if writer:
                time.sleep(0.3)
                sample["in_sync"] = writer.mark()
            sample["statistics"] = side.pivot()
            if writer:
                time.sleep(0.2)
                sample["pivot"] = writer.mark()
    finally:
        if writer:
            writer.end(f"{folder}/expected")
        side.end()
    sample["target_bytes"] = os.stat(target).st_blocks * 512 if os.path.exists(target) else 0
    return sample


def build(folder):
    program = f"{folder}/mirror_load"
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mirror_load.c")
    subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    return program


def run(gantry, folder, chosen):
    setting.need({"qemu-storage-daemon": "qemu-system-common", "cc": "gcc"})
    load = build(folder)
    results = []
    for pair in PAIRS:
        for rate in [None, *LOADS]:
            samples = {contestant: [] for contestant in CONTESTANTS}
            name = f"{pair[0]} → {pair[1]}, " + (
                "idle" if rate is None else f"{rate:,} writes/s" if rate else "flat out")
            for number in range(chosen.rounds):
                for contestant in setting.in_turn(CONTESTANTS, number):
                    setting.log(f"mirror: {name}: {contestant}, round {number + 1}")
                    samples[contestant].append(measure(contestant, gantry, load, pair, rate, chosen, folder))
            results.append({"case": name, "samples": samples})
        for kind in pair:
            if os.path.exists(f"{folder}/master.{kind}") and kind != "raw":
                os.unlink(f"{folder}/master.{kind}")
    return results


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def figure(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def text(results):
    """Rate kept by the writer, speed against cp, longest writes, as a table.

    `longest before` is the longest write without a mirror or before it was in sync; `pivot` the 50th, 99th and 99.9th
    percentile of the writes in the pivot and 0.2 s after it, and the longest, each the median of the rounds. `less the writer's`:
    the CPU's ratio without what serving the writer took before the mirror, in as long a time.
    """
    lines = ["| case | | in sync, s | × cp | rate kept | longest before, ms | in sync, ms | pivot, ms: 50 / 99 / 99.9 % / all | "
             "CPU s | × cp | less the writer's | target MiB |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for result in results:
        for contestant, samples in result["samples"].items():
            kept, before, synced, pivot = [], [], [], []
            for sample in samples:
                if "before" in sample:
                    rates = [sample[key]["writes"] / sample[key]["seconds"] for key in ("before", "during")]
                    kept.append(rates[1] / rates[0])
                    before.append(max(sample[key]["longest_ms"] for key in ("before", "during")))
                    synced.append(sample.get("in_sync", {}).get("longest_ms"))
                    pivot.append(sample.get("pivot", {}))
            ready = median([sample["ready_seconds"] for sample in samples])
            speed = median([sample["plain_seconds"] / sample["ready_seconds"] for sample in samples
                            if sample["ready_seconds"]])
            shares = [figure(median([part.get(key) for part in pivot]))
                      for key in ("p50_ms", "p99_ms", "p999_ms", "longest_ms")] if pivot else ["–"]
            cpu = median([sample["cpu"] / sample["plain_cpu"] for sample in samples])
            # What the same writer's requests cost in that time without a mirror is not the mirror's.
            net = median([(s["cpu"] - s["cpu_per_second_before"] * s["ready_seconds"]) / s["plain_cpu"] for s in samples
                          if s["ready_seconds"] and "cpu_per_second_before" in s])
            lines.append(f"| {result['case']} | {contestant} | {figure(ready)} | {figure(speed)} | "
                         f"{figure(median(kept))} | {figure(median(before))} | {figure(median(synced))} | "
                         f"{' / '.join(shares)} | {figure(median([s['cpu'] for s in samples]))} | {figure(cpu)} | {figure(net)} | "
                         f"{figure(median([s['target_bytes'] / 1048576 for s in samples]), '{:.0f}')} |")
    return "\n".join(lines)
