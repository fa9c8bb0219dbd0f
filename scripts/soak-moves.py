#!/usr/bin/env python3
"""Moves the disk of a whole toolstack again and again by VDI.pool_migrate, while it is written to and its processes are killed.

Between two repositories, to any format, also the one it has. What the writer writes, and how it is checked, is soak-mirror.py's: each
block must hold after each move the last sequence that was written to it, none lost, none stale; some are zeroed, so that images never have
all that they need. `kill -9`, at random moments: of gantryd, which
is started again, also twice in a move; of the disk's data path; of both at once; and of the guest's QEMU. A move may end either way
then, but soon, and by itself: one image is left, where the rows say, with one data path. The seed is printed; the same seed makes the same choices.

The disk belongs to a machine that has been started and stands: QEMU has it open and writes nothing, so that it is known what must be
on it. With --no-guest it is plugged into the control domain, and there is no QEMU to kill.
"""
import argparse
import glob
import importlib.util
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client


def load(name):
    """Another script of this folder; its name is none of Python's."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), pathlib.Path(__file__).with_name(name + ".py"))
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


mirror = load("soak-mirror")
FAULTS = ["none", "gantryd", "gantryd", "data path", "both"]
GUEST_FAULTS = ["QEMU", "QEMU and gantryd"]
PATIENCE = 300


class Failure(Exception):
    """What a call was answered instead of a value."""


class Writer(mirror.Writer):
    """One that makes images allocate again and again: tables that a killed data path had not written are lost."""

    AT_ONCE = 64

    def step(self, link):
        if self.held.is_set() or self.random.random() > 0.01:
            return super().step(link)
        self.zero(link, self.random.randrange(self.blocks // self.AT_ONCE) * self.AT_ONCE, self.AT_ONCE)

    def write(self, link, number, sequence):
        if sequence == 0:
            return self.zero(link, number, 1)
        super().write(link, number, sequence)

    def zero(self, link, first, count):
        for number in range(first, first + count):
            self.unflushed[number] = self.sequences[number] = 0
        while True:
            try:
                error, _ = link.request(6, first * mirror.BLOCK, count * mirror.BLOCK)
                break
            except mirror.Gone:
                link = self.again()
                if link is None:
                    raise
        if error:
            raise AssertionError(f"zeroing was answered with error {error}")


class Toolstack:
    """A gantryd with folders of its own, and a session with it."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.process = None
        self.start()

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--state-dir", f"{self.folder}/s", "--run-dir", f"{self.folder}/r", "--http", "127.0.0.1:0",
                 "--socket", f"{self.folder}/api", "--accel", "tcg", "--nbd-port", "0"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("gantryd does not start:\n" + self.log())
        self.proxy = xmlrpc.client.ServerProxy(json.loads(line)["http"], allow_none=True)
        password = pathlib.Path(self.folder, "s", "initial-password").read_text().strip()
        self.session = self.value(self.proxy.session.login_with_password("root", password, "2.23", "soak-moves"))

    @staticmethod
    def value(answer):
        if answer["Status"] != "Success":
            raise Failure(*answer["ErrorDescription"])
        return answer["Value"]

    def call(self, name, *arguments):
        return self.value(getattr(self.proxy, name)(self.session, *arguments))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def log(self):
        return pathlib.Path(self.folder, "log").read_text(errors="replace")[-8000:]


def processes(folder, program="", word=""):
    """Those that know the toolstack's folder."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0") if entry.isdigit() else []
        except OSError:
            continue
        if any(os.fsencode(folder) + b"/" in each for each in words) and os.fsencode(program) in words[0]:
            if int(entry) != os.getpid() and (not word or os.fsencode(word) in words):
                found.append(int(entry))
    return found


def kill_all(folder):
    """The toolstack before all others: it starts them. One that lives may have waited for what is killed here."""
    for program in ("gantryd", ""):
        while found := processes(folder, program):
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)


class Soak:
    def __init__(self, options, folder):
        self.options, self.random = options, random.Random(options.seed)
        self.toolstack = Toolstack(options.gantryd, folder)
        self.counts = {}
        self.places = []
        host = self.call("host.get_all")[0]
        for name in ("a", "b"):
            os.mkdir(f"{folder}/{name}")
            config = {"location": f"{folder}/{name}", "preferred-image-formats": self.random.choice(mirror.FORMATS)}
            sr = self.call("SR.create", host, config, "0", name, "", "file", "user", False, {})
            self.places.append((sr, f"{folder}/{name}"))
        self.size = options.mib << 20
        form = self.random.choice(mirror.FORMATS)
        vdi = self.call("VDI.create", {
            "name_label": "disk", "name_description": "", "SR": self.places[0][0], "virtual_size": str(self.size), "type": "user",
            "sharable": False, "read_only": False, "other_config": {}, "xenstore_data": {}, "tags": [],
            "sm_config": {"image-format": form}})
        if options.guest:
            self.vm = self.call("VM.create", machine())
        else:
            self.vm = self.call("host.get_control_domain", host)
        self.vbd = self.call("VBD.create", {
            "VM": self.vm, "VDI": vdi, "userdevice": "autodetect", "bootable": False, "mode": "RW", "type": "Disk", "empty": False,
            "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}})
        self.bring_up()
        self.writer = Writer(self.socket(), self.size, self.random.random())

    def call(self, name, *arguments):
        return self.toolstack.call(name, *arguments)

    def processes(self, program="", word=""):
        return processes(self.toolstack.folder, program, word)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def bring_up(self):
        """The disk is in use: its guest stands before its first instruction."""
        if self.options.guest:
            self.call("VM.start", self.vm, True, False)
        else:
            self.call("VBD.plug", self.vbd)

    def socket(self):
        """Of the one data path that there is when nothing is under way."""
        found = []

        def is_one():
            found[:] = glob.glob(f"{self.toolstack.folder}/r/dp/*/nbd")
            return len(found) == 1

        self.reach("one data path", is_one)
        return found[0]

    def reach(self, what, is_so):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"it has not come: {what}")
            if self.writer_trouble():
                raise self.writer_trouble()
            time.sleep(0.02)

    def writer_trouble(self):
        writer = getattr(self, "writer", None)
        return writer.trouble if writer else None

    def run(self):
        self.writer.start()
        for number in range(self.options.moves):
            try:
                self.move(number)
            except BaseException:
                print(f"in move {number}, seed {self.options.seed}\n{self.toolstack.log()}", file=sys.stderr)
                raise
        self.writer.stopping.set()
        self.writer.join()
        self.end()
        self.counts["writes"] = self.writer.sequence
        self.counts["failed flushes"] = self.writer.flush_failures

    def move(self, number):
        form = self.random.choice(mirror.FORMATS + [""])
        fault = self.random.choice(FAULTS + (GUEST_FAULTS if self.options.guest else []))
        if number < len(self.options.first):
            fault = self.options.first[number]
        # A second or two, so that most of what happens happens under way; or as fast as may be, for what comes behind the copy.
        rate = self.random.choice([0, self.size, self.size // 2])
        if self.options.verbose:
            print(f"{number}: to {form or 'any format'}, {fault}", file=sys.stderr, flush=True)
        before = self.call("VBD.get_VDI", self.vbd)
        wishes = {"dest-img-format": form, "bytes-per-second": str(rate), "retry-seconds": "5"}
        task = self.call("Async.VDI.pool_migrate", before, self.places[1][0], wishes)
        self.strike(fault, task)
        state = self.settled(task)
        now = self.call("VBD.get_VDI", self.vbd)
        moved = self.call("VDI.get_SR", now) == self.places[1][0]
        self.count(f"{fault}: {'moved' if moved else 'stayed'}")
        if state != "unknown" and (state == "success") != moved:
            raise AssertionError(f"the task is '{state}', and the disk has {'moved' if moved else 'stayed'}")
        if fault == "none" and not moved:
            raise AssertionError("nothing failed, and the disk has not moved")
        if moved:
            self.places.reverse()
        if "QEMU" in fault:
            self.reach("the machine has ended", lambda: self.call("VM.get_power_state", self.vm) == "Halted")
            self.bring_up()
        self.check(now, number)

    def strike(self, fault, task):
        if fault == "none":
            return
        rounds = self.random.randrange(1, 3) if fault == "gantryd" else 1
        for _ in range(rounds):
            time.sleep(self.random.random() * 0.8)
            if self.state(task) == "pending":
                self.count("struck under way")
            if "QEMU" in fault:
                self.kill("qemu-system")
            if fault in ("data path", "both"):
                self.kill("gantry-datapath", "serve")
            if "gantryd" in fault or fault == "both":
                self.toolstack.kill()
                time.sleep(self.random.random() * 0.3)
                self.toolstack.start()

    def kill(self, program, word=""):
        for pid in self.processes(program, word):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def state(self, task):
        """`unknown` where it went with the toolstack that had it."""
        try:
            return self.call("task.get_status", task)
        except Failure as failure:
            if failure.args[0] != "HANDLE_INVALID":
                raise
            return "unknown"

    def settled(self, task):
        """Waits until nothing is under way. How the task has ended."""
        def is_quiet():
            if self.state(task) in ("pending", "cancelling"):
                return False
            try:
                busy = [self.call("VDI.get_current_operations", self.call("VBD.get_VDI", self.vbd))]
            except Failure as failure:
                # It has just become another one.
                if failure.args[0] != "HANDLE_INVALID":
                    raise
                return False
            return not any(busy + [self.call("SR.get_current_operations", sr) for sr, _ in self.places])

        self.reach("the move ends", is_quiet)
        return self.state(task)

    def check(self, vdi, number):
        """One image, one data path, one QEMU, and every block as it was written last."""
        location = self.call("VDI.get_location", vdi)
        home, other = self.places[0][1], self.places[1][1]

        def images(folder):
            return [name for name in os.listdir(folder) if name.endswith((".raw", ".vhd", ".qcow2"))]

        self.reach("the image that the rows have, and no other", lambda: (images(home), images(other)) == ([location], []))
        self.reach("one data path", lambda: len(self.processes("gantry-datapath", "serve")) == 1)
        if self.options.guest:
            self.reach("one QEMU", lambda: len(self.processes("qemu-system")) == 1)
        self.writer.path = self.socket()
        self.writer.hold()
        link = mirror.Link(self.writer.path)
        self.writer.verify(link, f"after move {number}")
        link.socket.close()
        self.writer.go_on()
        self.location = f"{home}/{location}"

    def end(self):
        if self.options.guest:
            self.call("VM.hard_shutdown", self.vm)
        else:
            self.call("VBD.unplug", self.vbd)
        if self.location.endswith(".qcow2"):
            subprocess.run(["qemu-img", "check", "-q", "-f", "qcow2", self.location], check=True)
        self.toolstack.process.terminate()
        self.toolstack.process.wait()
        self.reach("no process is left", lambda: self.processes() == [])


def machine():
    """Of a machine without a system."""
    memory = str(64 << 20)
    return {
        "name_label": "soak", "name_description": "", "user_version": "1", "is_a_template": False, "affinity": "OpaqueRef:NULL",
        "memory_static_max": memory, "memory_dynamic_max": memory, "memory_dynamic_min": memory, "memory_static_min": memory,
        "VCPUs_params": {}, "VCPUs_max": "1", "VCPUs_at_startup": "1", "actions_after_shutdown": "destroy",
        "actions_after_reboot": "restart", "actions_after_crash": "destroy", "PV_bootloader": "", "PV_kernel": "", "PV_ramdisk": "",
        "PV_args": "", "PV_bootloader_args": "", "PV_legacy_args": "", "HVM_boot_policy": "", "HVM_boot_params": {}, "platform": {},
        "PCI_bus": "", "other_config": {}, "recommendations": ""}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gantryd", default=".build/release/gantryd", help="the toolstack's program; its data path's is beside it")
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--mib", type=int, default=16, help="size of the disk")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--dir", help="where everything goes; a short name, for the sake of sockets")
    parser.add_argument("--no-guest", dest="guest", action="store_false", help="the disk is plugged into the control domain")
    parser.add_argument("--first", action="append", default=[], metavar="FAULT", choices=sorted(set(FAULTS + GUEST_FAULTS)),
                        help="what happens to the first move; given again: to the next one")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    # What was started goes also when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"seed {options.seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="g-", dir=options.dir)
    try:
        soak = Soak(options, folder)
        started = time.monotonic()
        soak.run()
        print(f"{options.moves} moves in {time.monotonic() - started:.0f} s; no block lost or stale")
        for what, count in sorted(soak.counts.items()):
            print(f"  {what}: {count}")
    finally:
        kill_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
