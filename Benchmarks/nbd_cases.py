"""Random 4 KiB requests over NBD: gantry image serve beside qemu-nbd in both of its modes, fio as the client."""
import json
import os
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
    return ["qemu-nbd", *server.split()[1:], "--cache=writeback", "--discard=unmap", "-t", "-e", "4", "-f",
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


def load(path, direction, depth, seconds, folder):
    """One fio run: requests a second and latencies in microseconds."""
    done = subprocess.run(
        ["fio", "--name=load", "--ioengine=nbd", f"--uri=nbd+unix:///?socket={path}", f"--rw=rand{direction}",
         "--bs=4k", f"--iodepth={depth}", "--time_based", f"--runtime={round(seconds * 1000)}ms", "--output-format=json"],
        cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"fio ended with {done.returncode}: {done.stderr}{done.stdout}")
    side = json.loads(done.stdout[done.stdout.index("{"):])["jobs"][0][direction]
    return {"iops": side["iops"], "requests": side["total_ios"],
            "mean_us": side["clat_ns"]["mean"] / 1000,
            "p99_us": side["clat_ns"].get("percentile", {}).get("99.000000", 0) / 1000}


def measure(gantry, server, kind, image, direction, depth, chosen, folder):
    path = f"{folder}/nbd.sock"
    setting.flush()
    process = start(command(gantry, server, kind, image, path), path)
    try:
        # Warms the caches, the server's and the client's paths.
        load(path, direction, depth, min(0.5, chosen.nbd_seconds), folder)
        before = cpu_seconds(process.pid)
        sample = load(path, direction, depth, chosen.nbd_seconds, folder)
        sample["cpu"] = cpu_seconds(process.pid) - before
        sample["cpu_us_per_request"] = sample["cpu"] * 1e6 / max(1, sample["requests"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return sample


def run(gantry, folder, chosen):
    results = []
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
        for direction in ("read", "write"):
            for depth in (1, 16):
                name = f"{kind}, 4 KiB random {direction}, depth {depth}"
                samples = {server: [] for server in SERVERS}
                for number in range(chosen.rounds):
                    for server in setting.in_turn(SERVERS, number):
                        setting.log(f"nbd: {name}: {server}, round {number + 1}")
                        samples[server].append(
                            measure(gantry, server, kind, image, direction, depth, chosen, folder))
                results.append({"case": name, "samples": samples})
        os.unlink(image)
    return results
