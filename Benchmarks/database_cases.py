#!/usr/bin/env python3
"""The pool database behind the API: durable writes, starting, and listeners. See README.md, "database".

    Benchmarks/database_cases.py --gantryd .build/release/gantryd

A daemon with folders of its own is filled with disks (empty files that a scan finds). Then: writes that are durable when
they are answered, beside a loop of fdatasync on the same file system; kill -9 and the time from the start of the program
to its first answer, and its memory then; a thousand calls that wait for events while their objects change one after
another, and while one changes that concerns them all.
"""
import argparse
import json
import os
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

from daemon import Daemon, fill

# How long the daemon lets changes gather before it answers those who wait. Seconds.
GATHERING = 0.05


def request(daemon, method, *parameters):
    """The bytes of a call."""
    body = json.dumps({"method": method, "params": [daemon.session, *parameters], "id": 1})
    return f"POST /jsonrpc HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Peer:
    """A connection that has at most one call under way."""

    def __init__(self, daemon):
        self.socket = socket.create_connection((daemon.host, daemon.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def answer(self):
        """The body of the answer once it is complete, else None."""
        self.received += self.socket.recv(1 << 20)
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(re.search(rb"content-length:\s*(\d+)", head, re.I).group(1))
        if len(body) < length:
            return None
        self.received = body[length:]
        return body[:length]


# Every call sets another value, so that each is a change. An answer that is no success counts as a failed call.
WRITES = """
local refs, n, failed = {}, 0, 0
for line in io.lines("%(refs)s") do refs[#refs + 1] = line end
request = function()
    n = n + 1
    return wrk.format("POST", "/jsonrpc", nil, '{"method":"VDI.set_other_config","params":["%(session)s","'
        .. refs[n * %(step)d %% #refs + 1] .. '",{"number":"%(run)s ' .. n .. '"}],"id":1}')
end
response = function(status, headers, body)
    if not body:find('"error":null', 1, true) then io.stderr:write("FAILED " .. body .. "\\n") end
end
done = function(summary, latency, requests)
    io.stderr:write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
        + summary.errors.timeout))
end
"""


def writes(daemon, refs, chosen):
    """Calls that set a map of an object, from several connections, each with one call at a time."""
    script = f"{daemon.folder}/writes.lua"
    with open(f"{daemon.folder}/refs", "w") as file:
        file.write("\n".join(refs))
    with open(script, "w") as file:
        file.write(WRITES % {"refs": f"{daemon.folder}/refs", "session": daemon.session, "step": 7919,
                             "run": uuid.uuid4()})
    cpu = daemon.cpu()
    # The syncs that the daemon makes meanwhile, those of checkpoints included.
    command = ["perf", "stat", "-x,", "-e", "syscalls:sys_enter_fdatasync", "-e", "syscalls:sys_enter_fsync", "-p",
               str(daemon.process.pid), "-o", f"{daemon.folder}/syncs.csv", "--"] if shutil.which("perf") else []
    command += ["wrk", "-t1", f"-c{chosen.connections}", f"-d{chosen.seconds}s", "--timeout", "30s", "-s", script,
               f"http://{daemon.host}:{daemon.port}/jsonrpc"]
    said = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) 0$", said.stderr, re.M)
    if not found or "FAILED" in said.stderr:
        sys.exit(f"wrk: {said.stdout}{said.stderr[:1000]}")
    requests, micros, p50, p99 = map(int, found.groups())
    made = 0
    if command[0] == "perf":
        with open(f"{daemon.folder}/syncs.csv") as file:
            made = sum(int(count) for count in re.findall(r"^(\d+),,syscalls", file.read(), re.M))
    return {"per_second": requests / micros * 1e6, "p50_ms": p50 / 1000, "p99_ms": p99 / 1000,
            "cpu_us_per_write": (daemon.cpu() - cpu) / requests * 1e6,
            "per_sync": requests / made if made else float("nan")}


def syncs(folder, seconds):
    """fdatasync a second of 4 KiB appended each time."""
    with open(f"{folder}/syncs", "wb", buffering=0) as file:
        start, count = time.monotonic(), 0
        while time.monotonic() < start + seconds:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            count += 1
    return count / (time.monotonic() - start)


def starts(daemon, chosen):
    """Killed and started again."""
    samples = []
    for _ in range(chosen.rounds):
        daemon.kill()
        seconds = daemon.start()
        time.sleep(2)
        samples.append({"seconds": seconds, "rss_mib": daemon.memory() / 1024})
    return samples


def waits(daemon, subscriptions):
    """Connections with a call each that waits for events, one for each subscription, from now on."""
    token = "{0},{0}".format(daemon.call("event.get_current_id", daemon.session))
    peers = []
    for subscription in subscriptions:
        peer = Peer(daemon)
        peer.socket.sendall(request(daemon, "event.from", [subscription], token, 3600.0))
        peers.append(peer)
    time.sleep(3)
    return peers


def change(daemon, writer, ref):
    """Begins a call that changes the object. Each call sets another value: what stays as it is is no change."""
    writer.socket.sendall(request(daemon, "VDI.set_other_config", ref, {"seen": str(uuid.uuid4())}))


def listeners(daemon, refs, chosen):
    """Calls that wait for one object each, while these objects change one after another, one every 10 ms."""
    watched = refs[:chosen.listeners]
    selector = selectors.DefaultSelector()
    for ref, peer in zip(watched, waits(daemon, [f"vdi/{ref}" for ref in watched])):
        selector.register(peer.socket, selectors.EVENT_READ, (peer, ref))
    cpu = daemon.cpu()
    time.sleep(5)
    idle = (daemon.cpu() - cpu) / 5
    # The writer's answers are read like the others: to wait for one would make the rest look late.
    writer, writing = Peer(daemon), None
    selector.register(writer.socket, selectors.EVENT_READ, (writer, None))
    changed, heard = {}, {}
    todo = list(watched)
    due = time.monotonic()
    while len(heard) < len(watched):
        if todo and not writing and time.monotonic() >= due:
            writing = todo.pop()
            change(daemon, writer, writing)
            due += 0.01
        ready = selector.select(max(0, due - time.monotonic()) if todo and not writing else 30)
        now = time.monotonic()
        if not ready and not todo and not writing:
            sys.exit("a listener was not told of a change")
        for key, _ in ready:
            peer, ref = key.data
            body = peer.answer()
            if body is None:
                continue
            if ref is None:
                changed[writing], writing = now, None
                continue
            heard[ref] = now
            events = json.loads(body)["result"]["events"]
            if [event["ref"] for event in events] != [ref]:
                sys.exit(f"a listener heard {events}")
    latencies = sorted(heard[ref] - changed[ref] - GATHERING for ref in watched)
    return {"listeners": len(watched), "idle_cpu": idle, "p50_ms": at(latencies, 50), "p99_ms": at(latencies, 99)}


def at(sorted_seconds, percent):
    """A percentile, ms."""
    return sorted_seconds[min(len(sorted_seconds) - 1, len(sorted_seconds) * percent // 100)] * 1000


def crowd(daemon, refs, chosen):
    """Calls that all wait for every disk, and one disk that changes: each of them is told. From the answer to who
    changed it until this program has read the last byte of each; one round for each sample of all."""
    samples, cpu = [], []
    writer = Peer(daemon)
    for number in range(chosen.rounds):
        selector = selectors.DefaultSelector()
        peers = waits(daemon, ["vdi"] * chosen.listeners)
        for peer in peers:
            selector.register(peer.socket, selectors.EVENT_READ, peer)
        used = daemon.cpu()
        change(daemon, writer, refs[number])
        while writer.answer() is None:
            pass
        changed, left = time.monotonic(), len(peers)
        while left:
            ready = selector.select(30)
            if not ready:
                sys.exit(f"{left} listeners were not told of a change")
            for key, _ in ready:
                if key.data.answer() is not None:
                    samples.append(time.monotonic() - changed - GATHERING)
                    left -= 1
        cpu.append((daemon.cpu() - used) / len(peers))
        for peer in peers:
            peer.socket.close()
    samples.sort()
    return {"p50_ms": at(samples, 50), "p99_ms": at(samples, 99), "cpu_us": statistics.median(cpu) * 1e6}


def run(gantryd, folder, chosen):
    # Paths of Unix sockets are short.
    place = os.path.join(folder, "db")
    os.mkdir(place)
    daemon = Daemon(gantryd, place)
    try:
        refs, scan = fill(daemon, place, chosen.objects)
        print(f"{len(refs)} disks found in {scan:.1f} s", file=sys.stderr)
        results = {"objects": len(refs), "scan_seconds": scan, "writes": [], "syncs": []}
        for _ in range(chosen.rounds):
            results["syncs"].append(syncs(place, 1))
            results["writes"].append(writes(daemon, refs, chosen))
        results["listeners"] = listeners(daemon, refs, chosen)
        results["crowd"] = crowd(daemon, refs, chosen)
        results["starts"] = starts(daemon, chosen)
        return results
    finally:
        daemon.stop()
        shutil.rmtree(place, ignore_errors=True)


def text(results):
    def median(samples, key):
        return statistics.median(sample[key] for sample in samples)

    rate, sync = median(results["writes"], "per_second"), statistics.median(results["syncs"])
    heard, crowd = results["listeners"], results["crowd"]
    return "\n".join([
        f"durable writes: {rate:.0f}/s, p50 {median(results['writes'], 'p50_ms'):.2f} ms, p99 "
        f"{median(results['writes'], 'p99_ms'):.2f} ms, {median(results['writes'], 'cpu_us_per_write'):.0f} us CPU each; "
        f"{median(results['writes'], 'per_sync'):.1f} writes a sync made; a loop of 4 KiB and fdatasync: {sync:.0f}/s",
        f"a scan that finds {results['objects']} disks: {results['scan_seconds']:.1f} s",
        f"start to first answer after kill -9, {results['objects']} objects: "
        f"{median(results['starts'], 'seconds') * 1000:.0f} ms, then {median(results['starts'], 'rss_mib'):.0f} MiB",
        f"{heard['listeners']} listeners: {heard['idle_cpu'] * 100:.2f} % of a processor while nothing changes; a change is "
        f"told {heard['p50_ms']:.1f} ms (p99 {heard['p99_ms']:.1f} ms) after its gathering",
        f"a change that concerns all of them: {crowd['p50_ms']:.1f} ms (p99 {crowd['p99_ms']:.1f} ms) after its gathering "
        f"each was told, {crowd['cpu_us']:.0f} us CPU of the daemon for each",
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gantryd", required=True, help="the release build of the daemon")
    parser.add_argument("--objects", type=int, default=10000, help="disks in the database (default 10000)")
    parser.add_argument("--connections", type=int, default=16, help="connections that write (default 16)")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement of writes (default 5)")
    parser.add_argument("--listeners", type=int, default=1000, help="calls that wait for events (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement (default 3)")
    parser.add_argument("--dir", default="/var/tmp", help="a folder on the file system to measure (default /var/tmp)")
    chosen = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="gdb-", dir=chosen.dir)
    try:
        print(text(run(os.path.abspath(chosen.gantryd), folder, chosen)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
