"""Requests over NBD: gantry image serve beside qemu-nbd in both of its modes and nbdkit's file plugin."""
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import convert_cases
import setting

SERVERS = ["gantry", "qemu-nbd --aio=threads", "qemu-nbd --aio=io_uring"]


def command(gantry, server, kind, image, path):
    if server == "gantry":
        return [gantry, "image", "serve", "-f", kind, "--socket", path, image]
    if server == "nbdkit":
        return ["nbdkit", "-f", "-U", path, "file", image]
    return ["qemu-nbd", *server.split()[1:], "--cache=writeback", "--discard=unmap", "-t", "-e", "8", "-f",
            convert_cases.QEMU_FORMAT[kind], "-k", path, image]


def start(words, path):
    """The server's process, once it accepts connections."""
    if os.path.exists(path):
        os.unlink(path)
    # qemu-nbd remarks on every client that leaves; what it says is of interest only when it does not start.
    errors = open(path + ".err", "w+")
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors)
    deadline = time.monotonic() + 30
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
                return process
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    errors.seek(0)
                    raise SystemExit(f"{' '.join(words)} does not serve: {errors.read()}")
        time.sleep(0.01)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pinned(where, words):
    """On one processor, which both ends share, or wherever the kernel likes."""
    return ["taskset", "-c", "0", *words] if where == "pinned" else words


def build(folder):
    """The load generator: its own cost must not hide the server's."""
    program = f"{folder}/nbd_load"
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nbd_load.c")
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        raise SystemExit("the NBD rows need a C compiler: cc or clang")
    subprocess.run([compiler, "-O2", "-o", program, source, "-lpthread"], check=True)
    return program


def forget(image):
    """Takes an image out of the page cache."""
    with open(image, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(gantry, program, server, kind, image, case, chosen, folder):
    path = f"{folder}/nbd.sock"
    setting.flush()
    process = start(pinned(case.where, command(gantry, server, kind, image, path)), path)
    order = "sequential" if case.block > 65536 else "random"
    words = pinned(case.where, [program, path, case.direction, str(case.block), str(case.depth),
                                str(case.connections)])
    try:
        if case.cold:
            forget(image)
        else:
            # Warms the caches, the server's and the client's paths.
            subprocess.run([*words, str(min(0.5, chosen.nbd_seconds)), order], check=True, stdout=subprocess.DEVNULL)
        before = cpu_seconds(process.pid)
        done = subprocess.run([*words, str(chosen.nbd_seconds), order], check=True, capture_output=True, text=True)
        sample = json.loads(done.stdout)
        sample["cpu"] = cpu_seconds(process.pid) - before
        sample["cpu_us_per_request"] = sample["cpu"] * 1e6 / max(1, sample["requests"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return sample


@dataclasses.dataclass
class Case:
    direction: str
    block: int
    depth: int
    connections: int = 1
    where: str = "free"
    cold: bool = False

    def name(self, kind):
        size = "4 KiB random" if self.block == 4096 else "1 MiB sequential"
        parts = [f"{kind}, {size} {self.direction}, depth {self.depth}"]
        if self.connections > 1:
            parts.append(f"{self.connections} connections")
        if self.cold:
            parts.append("cold")
        return ", ".join([*parts, self.where])


def cases():
    for direction in ("read", "write"):
        for where in ("free", "pinned"):
            for depth in (1, 16, 64):
                yield Case(direction, 4096, depth, where=where)
            yield Case(direction, 1 << 20, 4, where=where)
        yield Case(direction, 4096, 16, connections=4)
    yield Case("read", 4096, 1, cold=True)
    yield Case("read", 4096, 64, cold=True)


def run(gantry, folder, chosen):
    results = []
    program = build(folder)
    for kind in chosen.nbd_formats.split(","):
        raw = f"{folder}/served.raw"
        convert_cases.make_raw(raw, chosen.nbd_mib, 1)
        image = raw
        if kind != "raw":
            image = f"{folder}/served.{kind}"
            extra = ["-o", "force_size=on"] if kind == "vhd" else []
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", convert_cases.QEMU_FORMAT[kind], *extra, raw,
                            image], check=True)
            os.unlink(raw)
        # Into the page cache, as far as it fits.
        with open(image, "rb") as file:
            while file.read(1 << 20):
                pass
        servers = SERVERS + (["nbdkit"] if kind == "raw" else [])
        for case in cases():
            name = case.name(kind)
            samples = {server: [] for server in servers}
            for number in range(chosen.rounds):
                for server in setting.in_turn(servers, number):
                    setting.log(f"nbd: {name}: {server}, round {number + 1}")
                    samples[server].append(
                        measure(gantry, program, server, kind, image, case, chosen, folder))
            results.append({"case": name, "samples": samples})
        os.unlink(image)
    return results
