"""Requests over NBD: gantry image serve beside qemu-nbd in both of its modes and nbdkit's file plugin."""
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import certificates
import convert_cases
import setting

SERVERS = ["gantry", "qemu-nbd --aio=threads", "qemu-nbd --aio=io_uring"]


def command(gantry, server, kind, image, path, case):
    """gantry has no mode past the page cache: in those rows it is as in all others, and the peers are not."""
    tls = case.certificates
    if server == "gantry":
        secure = ["--tls-certificates", tls] if tls else []
        return [gantry, "image", "serve", "-f", kind, "--socket", path, *secure, image]
    if server == "nbdkit":
        secure = ["--tls=require", f"--tls-certificates={tls}", "--tls-verify-peer"] if tls else []
        return ["nbdkit", "-f", "-U", path, *secure, "file", image, *(["cache=none"] if case.direct else [])]
    secure = ["--object", f"tls-creds-x509,id=t,endpoint=server,dir={tls},verify-peer=yes", "--tls-creds", "t"] if tls else []
    return ["qemu-nbd", *server.split()[1:], f"--cache={'none' if case.direct else 'writeback'}", "--discard=unmap",
            "-t", "-e", "8", *secure, "-f", convert_cases.QEMU_FORMAT[kind], "-k", path, image]


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
    process = start(pinned(case.where, command(gantry, server, kind, image, path, case)), path)
    if case.certificates:
        return copied(process, path, image, case)
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


def copied(process, path, image, case):
    """A whole image read by nbdcopy in TLS, as if each MiB were a request."""
    try:
        before, begun = cpu_seconds(process.pid), time.monotonic()
        subprocess.run(["nbdcopy", f"--connections={case.connections}",
                        f"nbds+unix:///?socket={path}&tls-certificates={case.certificates}", "null:"], check=True)
        seconds, requests = time.monotonic() - begun, os.path.getsize(image) / case.block
        cpu = cpu_seconds(process.pid) - before
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return {"iops": requests / seconds, "requests": requests, "cpu": cpu, "cpu_us_per_request": cpu * 1e6 / requests}


@dataclasses.dataclass
class Case:
    direction: str
    block: int
    depth: int
    connections: int = 1
    where: str = "free"
    cold: bool = False
    direct: bool = False
    certificates: str = ""

    def name(self, kind):
        size = "4 KiB random" if self.block == 4096 else "1 MiB sequential"
        parts = [f"{kind}, {size} {self.direction}, depth {self.depth}"]
        if self.connections > 1:
            parts.append(f"{self.connections} connections")
        if self.cold:
            parts.append("cold")
        if self.direct:
            parts.append("peers past the page cache")
        if self.certificates:
            parts[0] = f"{kind}, 1 MiB {self.direction} by nbdcopy in TLS"
        return ", ".join([*parts, self.where])


def cases(kind, certificate_folder):
    for direction in ("read", "write"):
        for where in ("free", "pinned"):
            for depth in (1, 16, 64):
                yield Case(direction, 4096, depth, where=where)
            yield Case(direction, 1 << 20, 4, where=where)
        yield Case(direction, 4096, 16, connections=4)
    yield Case("read", 4096, 1, cold=True)
    yield Case("read", 4096, 64, cold=True)
    if kind == "raw":
        yield Case("read", 4096, 64, cold=True, direct=True)
        yield Case("write", 4096, 16, direct=True)
        for connections in (1, 4):
            yield Case("read", 1 << 20, 64, connections=connections, certificates=certificate_folder)


def run(gantry, folder, chosen):
    results = []
    program, keys = build(folder), certificates.make(f"{folder}/certificates")
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
        for case in cases(kind, keys):
            name = case.name(kind)
            if chosen.nbd_match not in name:
                continue
            samples = {server: [] for server in servers}
            for number in range(chosen.rounds):
                for server in setting.in_turn(servers, number):
                    setting.log(f"nbd: {name}: {server}, round {number + 1}")
                    samples[server].append(
                        measure(gantry, program, server, kind, image, case, chosen, folder))
            results.append({"case": name, "samples": samples})
        os.unlink(image)
    return results
