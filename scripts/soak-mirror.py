#!/usr/bin/env python3
"""Moves one disk again and again, from format to format, while it is written to and everything around it fails.

Each 4 KiB block that the writer writes carries its number, a sequence number and a checksum. Between moves, and at the end,
every block must hold the last sequence that was written to it: none lost, none stale. Faults, at random: kill -9 of the data
path, of the destination's server, one that stands still, links cut or slow, a destination that is full for a while, a cancelled or paused mirror.
A guest's writes that no flush had covered when its data path was killed are written again, as a guest does after a failed
flush; nothing else is ever repeated. The seed is printed; the same seed makes the same choices.

soak-moves.py does the same with whole toolstacks, of which it kills gantryd and QEMU, too.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BLOCK = 4096
FORMATS = ["raw", "vhd", "qcow2"]
REQUEST, REPLY = 0x25609513, 0x67446698


class Gone(Exception):
    """The data path's end of the connection is closed."""


def block_content(number, sequence):
    head = struct.pack(">QQ", number, sequence)
    return (head + hashlib.blake2b(head, digest_size=48).digest()) * (BLOCK // 64)


def block_sequence(number, data):
    """The sequence of a block; 0 for one never written. Raises for anything else."""
    if not any(data):
        return 0
    found, sequence = struct.unpack(">QQ", data[:16])
    if found != number or data != block_content(number, sequence):
        raise AssertionError(f"block {number} holds what was never written to it")
    return sequence


class Link:
    """A connection to an export named `disk`."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        try:
            self.socket.connect(path)
            self.receive(18)
            self.socket.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, 4) + b"disk")
            self.receive(10)
        except (OSError, Gone):
            self.socket.close()
            raise Gone from None
        self.handle = 0

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise Gone
            data += part
        return data

    def request(self, kind, offset, length, payload=b""):
        self.handle += 1
        try:
            self.socket.sendall(struct.pack(">IHHQQI", REQUEST, 0, kind, self.handle, offset, length) + payload)
            magic, error, handle = struct.unpack(">IIQ", self.receive(16))
            if magic != REPLY or handle != self.handle:
                raise AssertionError("the data path answers nonsense")
            data = self.receive(length) if kind == 0 and error == 0 else b""
        except OSError as trouble:
            raise Gone from trouble
        return error, data


class Writer(threading.Thread):
    """Writes, flushes and reconnects until it is stopped."""

    def __init__(self, path, size, seed):
        super().__init__(daemon=True)
        self.path, self.blocks, self.random = path, size // BLOCK, random.Random(seed)
        self.sequences = [0] * self.blocks
        self.unflushed = {}
        self.sequence = 0
        self.flush_failures = 0
        self.trouble = None
        self.stopping = threading.Event()
        self.held = threading.Event()
        self.is_still = threading.Event()

    def run(self):
        try:
            link = None
            while not self.stopping.is_set():
                try:
                    link = link or Link(self.path)
                    self.step(link)
                except Gone:
                    link = None
                    time.sleep(0.005)
        except BaseException as trouble:
            self.trouble = trouble
        finally:
            self.is_still.set()

    def step(self, link):
        if self.held.is_set():
            self.flush(link)
            self.is_still.set()
            while self.held.is_set() and not self.stopping.is_set():
                time.sleep(0.001)
            self.is_still.clear()
            return
        if self.random.random() < 0.02:
            return self.flush(link)
        # Some places are written to far more often than others.
        narrow = self.random.random() < 0.3
        number = self.random.randrange(max(1, self.blocks // 64) if narrow else self.blocks)
        self.sequence += 1
        self.write(link, number, self.sequence)

    def write(self, link, number, sequence):
        self.unflushed[number] = sequence
        self.sequences[number] = sequence
        # One that was not answered is repeated on the next connection, like by any client that reconnects.
        while True:
            try:
                error, _ = link.request(1, number * BLOCK, BLOCK, block_content(number, sequence))
                break
            except Gone:
                link = self.again()
                if link is None:
                    raise
        if error:
            raise AssertionError(f"a write was answered with error {error}")

    def again(self):
        while not self.stopping.is_set():
            try:
                return Link(self.path)
            except Gone:
                time.sleep(0.005)
        return None

    def flush(self, link):
        while True:
            error, _ = link.request(3, 0, 0)
            if error == 0:
                self.unflushed = {}
                return
            # The data path was killed with changes that nobody had flushed: they are written again.
            self.flush_failures += 1
            for number, sequence in list(self.unflushed.items()):
                self.write(link, number, sequence)

    def hold(self):
        """Flushes and stands still."""
        self.held.set()
        if not self.is_still.wait(120) or self.trouble:
            raise self.trouble or AssertionError("the writer hangs: a request is not answered")

    def go_on(self):
        self.held.clear()

    def verify(self, link, where):
        for number in range(self.blocks):
            if number % 64 == 0:
                error, data = link.request(0, number * BLOCK, min(64, self.blocks - number) * BLOCK)
                if error:
                    raise AssertionError(f"{where}: a read was answered with error {error}")
            at = number % 64 * BLOCK
            found = block_sequence(number, data[at:at + BLOCK])
            if found != self.sequences[number]:
                raise AssertionError(
                    f"{where}: block {number} has sequence {found} and was last written as {self.sequences[number]}")


class Datapath:
    """A gantry-datapath process, and the folder in which its successors find what it left."""

    def __init__(self, program, folder, image, form):
        self.program, self.folder, self.image, self.form = program, folder, image, form
        os.makedirs(folder, exist_ok=True)
        self.nbd, self.control = f"{folder}/nbd", f"{folder}/control"
        self.process = None
        self.start()

    def start(self):
        for _ in range(200):
            self.process = subprocess.Popen(
                [self.program, "serve", "--image", self.image, "--format", self.form, "--nbd", self.nbd, "--control",
                 self.control, "--crash-mark", f"{self.folder}/mark", "--mirror-map", f"{self.folder}/map"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if "ready" in self.process.stdout.readline():
                return
            self.process.wait()
            said = self.process.stderr.read()
            # The killed one still holds the image.
            if "busy" not in said:
                raise AssertionError(f"a data path does not start: {said}")
            time.sleep(0.02)
        raise AssertionError("an image stays in use")

    def ask(self, request):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(120)
            link.connect(self.control)
            link.sendall(json.dumps(request).encode() + b"\n")
            line = b""
            while not line.endswith(b"\n"):
                part = link.recv(65536)
                if not part:
                    raise Gone
                line += part
        answer = json.loads(line)
        if "failed" in answer:
            raise Refused(answer["failed"]["code"], answer["failed"]["message"])
        return answer

    def mirror(self):
        return self.ask({"status": {}})["status"]["_0"].get("mirror")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def quit(self):
        self.ask({"quit": {}})
        self.process.wait()


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Relay(threading.Thread):
    """A link between two processes that can be cut and slowed down."""

    def __init__(self, path, target):
        super().__init__(daemon=True)
        self.path, self.target, self.delay = path, target, 0.0
        self.pairs = []
        self.lock = threading.Lock()
        self.is_cut = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.start()

    def run(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                with self.lock:
                    if self.is_cut:
                        raise OSError("cut")
                    far.connect(self.target)
                    self.pairs.append((near, far))
            except OSError:
                near.close()
                far.close()
                continue
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    def carry(self, one, other):
        try:
            while True:
                data = one.recv(1 << 18)
                if not data:
                    break
                if self.delay:
                    time.sleep(self.delay)
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self, is_cut):
        with self.lock:
            self.is_cut = is_cut
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.cut(True)
        self.listener.close()


class Soak:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.random = random.Random(options.seed)
        self.size = options.mib << 20
        self.counts = {}
        self.number = 0
        form = self.random.choice(FORMATS)
        self.path = self.create(form, folder)
        self.form = form
        self.disk = Datapath(options.datapath, f"{folder}/dp", self.path, form)
        self.writer = Writer(self.disk.nbd, self.size, self.random.random())

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def create(self, form, folder):
        self.number += 1
        path = f"{folder}/{self.number}.{form}"
        extra = ["-o", "force_size=on"] if form == "vhd" else []
        subprocess.run(["qemu-img", "create", "-q", "-f", "vpc" if form == "vhd" else form, *extra, path, str(self.size)],
                       check=True)
        return path

    def run(self):
        self.writer.start()
        for number in range(self.options.moves):
            try:
                self.move(number)
            except BaseException:
                print(f"in move {number}, seed {self.options.seed}", file=sys.stderr)
                raise
        self.check("at the end")
        self.writer.stopping.set()
        self.writer.join()
        self.disk.quit()
        if self.form == "qcow2":
            subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", self.path], check=True)
        self.counts["writes"] = self.writer.sequence
        self.counts["failed flushes"] = self.writer.flush_failures

    def check(self, where):
        self.writer.hold()
        link = Link(self.disk.nbd)
        self.writer.verify(link, where)
        link.socket.close()
        self.writer.go_on()

    def move(self, number):
        form = self.random.choice([other for other in FORMATS if other != self.form])
        is_remote = self.random.random() < 0.4
        fault = self.random.choice(
            ["none", "kill", "kill", "cancel", "pause"] + (["server", "server", "cut", "slow", "still", "still"] if is_remote else ["full"]))
        if number < len(self.options.first):
            fault = self.options.first[number]
            is_remote = fault in ("server", "cut", "slow", "still")
        folder = self.folder
        if fault == "full":
            if not self.options.full_dir:
                fault = "none"
            else:
                folder = self.options.full_dir
        self.count(f"{'remote' if is_remote else 'local'}, {fault}")
        if self.options.verbose:
            print(f"{number}: {self.form} to {form}, {'remote' if is_remote else 'local'}, {fault}", file=sys.stderr,
                  flush=True)
        path = self.create(form, folder)
        server = relay = None
        target = {"path": path, "format": form, "readOnly": False}
        if is_remote:
            server = Datapath(self.options.datapath, f"{self.folder}/server", path, form)
            relay = Relay(f"{self.folder}/relay{number}", server.nbd)
            target = {"path": f"nbd+unix:///disk?socket={relay.path}", "format": "nbd-uri", "readOnly": False}
        ballast = self.fill() if fault == "full" else None
        # Slow enough for the fault to meet it under way.
        self.start_mirror(target, self.random.choice([0, 16 << 20, 64 << 20]) if fault != "none" else 0)
        time.sleep(self.random.random() * 0.1)
        if fault == "kill":
            for _ in range(self.random.randrange(1, 3)):
                self.disk.kill()
                if self.random.random() < 0.3 and server:
                    server.kill()
                    server.start()
                self.disk.start()
                # The guest writes before the mirror goes on.
                time.sleep(self.random.random() * 0.03)
                self.start_mirror(target, 0)
                time.sleep(self.random.random() * 0.05)
        elif fault == "server":
            server.kill()
            time.sleep(self.random.random() * 0.2)
            server.start()
        elif fault == "cut":
            relay.cut(True)
            time.sleep(self.random.random() * 0.2)
            relay.cut(False)
        elif fault == "slow":
            relay.delay = 0.002
            time.sleep(0.2)
            relay.delay = 0
        elif fault == "still":
            # In the middle of the copy, or when the guest's writes go to both.
            self.disk.ask({"mirrorSet": {"settings": {"mode": "active", "latencyBudget": 1, "bytesPerSecond": 0}}})
            time.sleep(self.random.random() * 0.3)
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            answered = self.writer.sequence
            time.sleep(0.2)
            if self.writer.sequence > answered:
                self.count("writes went on while it stood still")
            if self.disk.mirror()["details"]["lateWrites"]:
                self.count("late writes")
            server.process.send_signal(signal.SIGCONT)
            self.disk.ask({"mirrorSet": {"settings": {"mode": "automatic", "latencyBudget": 0}}})
        elif fault == "pause":
            self.disk.ask({"mirrorSet": {"settings": {"isPaused": True}}})
            time.sleep(0.05)
            self.disk.ask({"mirrorSet": {"settings": {"isPaused": False, "bytesPerSecond": 0}}})
        elif fault == "full":
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                mirror = self.disk.mirror() or {}
                # It is tried again and again: a moment later it may be something else.
                if mirror.get("phase") == "broken" or (mirror.get("details") or {}).get("retries"):
                    self.count("ran out of room")
                    break
                time.sleep(0.01)
            os.unlink(ballast)
        if fault == "cancel":
            self.disk.ask({"mirrorCancel": {}})
            self.leave(server, relay, path)
            return self.check(f"after the cancelled move {number}")
        self.disk.ask({"mirrorSet": {"settings": {"bytesPerSecond": 0}}})
        self.finish(number, fault, target, server)
        old, (self.path, self.form) = self.path, (path, form)
        if is_remote:
            # The guest's next data path opens the image itself, like on the host to which it has gone.
            self.writer.hold()
            self.disk.quit()
            server.quit()
            relay.close()
            shutil.rmtree(server.folder)
        self.disk.image, self.disk.form = path, form
        if is_remote:
            self.disk.start()
            self.writer.go_on()
        os.unlink(old)
        self.check(f"after move {number}")
        if folder != self.folder:
            # Back to where there is room for the next.
            self.disk.quit()
            self.path = shutil.move(path, f"{self.folder}/{os.path.basename(path)}")
            self.disk.image = self.path
            self.disk.start()

    def start_mirror(self, target, rate):
        for _ in range(500):
            try:
                return self.disk.ask({"mirrorStart": {
                    "destination": target, "bytesPerSecond": rate, "settings": {"retrySeconds": 60}, "resume": True}})
            except Refused as refusal:
                # A killed process's images are its own until the kernel is done with it.
                if refusal.code != "busy":
                    raise
            time.sleep(0.01)
        raise AssertionError("the destination stays in use")

    def finish(self, number, fault, target, server):
        deadline = time.monotonic() + 120
        is_verified = self.random.random() < 0.3
        while True:
            mirror = self.disk.mirror()
            if mirror is None:
                raise AssertionError("the mirror is gone")
            if mirror["phase"] == "broken" and not mirror["details"]["isRetrying"]:
                raise AssertionError(f"the mirror is broken: {mirror.get('error')}")
            if mirror["phase"] == "synchronised":
                try:
                    if is_verified:
                        self.disk.ask({"mirrorVerify": {}})
                        self.count("verified")
                    self.disk.ask({"pivotPrepare": {}})
                    break
                except Refused as refusal:
                    # A fault may come through only now.
                    if refusal.code == "corrupt":
                        raise
            if time.monotonic() > deadline:
                raise AssertionError(f"the mirror does not end: {mirror}")
            time.sleep(0.01)
        if mirror["details"]["resumedBytes"]:
            self.count("resumed")
        if fault == "kill" and self.random.random() < 0.3:
            # Killed with the pivot prepared: the source is the disk, as nobody has decided otherwise. Both hold everything.
            self.disk.kill()
            self.disk.start()
            self.count("killed when prepared")
            self.start_mirror(target, 0)
            return self.finish(number, "none", target, server)
        self.disk.ask({"pivotCommit": {}})
        if os.path.exists(f"{self.disk.folder}/map"):
            raise AssertionError("a map is left")

    def fill(self):
        """Takes the room of the small file system but for a bit."""
        path = f"{self.options.full_dir}/ballast"
        room = os.statvfs(self.options.full_dir)
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(4096, room.f_bavail * room.f_frsize - (1 << 20)))
        return path

    def leave(self, server, relay, path):
        if server:
            server.quit()
            relay.close()
            shutil.rmtree(server.folder)
        os.unlink(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datapath", default=".build/release/gantry-datapath", help="the data path's program")
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--mib", type=int, default=32, help="size of the disk")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--dir", help="where the images go")
    parser.add_argument("--full-dir", help="a small file system for destinations that are full; as root one is made")
    parser.add_argument("--first", action="append", default=[], metavar="FAULT",
                        help="what happens to the first move; given again: to the next one")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="gantry-soak-", dir=options.dir)
    soak = mounted = None
    try:
        if not options.full_dir and os.geteuid() == 0:
            mounted = f"{folder}/small"
            os.mkdir(mounted)
            size = options.mib * 2 + 16
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "none", mounted]).returncode == 0:
                options.full_dir = mounted
            else:
                mounted = None
        soak = Soak(options, folder)
        started = time.monotonic()
        soak.run()
        print(f"{options.moves} moves in {time.monotonic() - started:.0f} s; no block lost or stale")
        for what, count in sorted(soak.counts.items()):
            print(f"  {what}: {count}")
    finally:
        for process in [soak.disk.process] if soak else []:
            if process.poll() is None:
                process.kill()
                process.wait()
        if mounted:
            subprocess.run(["umount", "-l", mounted])
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
