"""A gantryd of the build under test, with folders of its own."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Daemon:
    """Runs from `start` to `stop`; leaves no process and no file."""

    #: Those that are to be stopped.
    living = []

    def __init__(self, programs, time_limit=20, apart=False, options=()):
        """`apart`: its folder is below /var/tmp and not /tmp, and has the plugins themselves instead of links to them."""
        self.time_limit, self.options = time_limit, list(options)
        self.programs = pathlib.Path(programs)
        # Short: the names of Unix sockets have 107 bytes at most. Without "_": the SDK takes it for a slash in them.
        base = os.environ.get("GANTRY_TEST_SCRATCH", "/tmp")
        if apart:
            # By this name gantry-test finds what is left of a run: `/var`, and the run's folder in /tmp.
            base = "/var" + base if base.startswith("/tmp") else "/var/tmp"
            os.makedirs(base, exist_ok=True)
        self.folder = pathlib.Path(base, "py-" + os.urandom(4).hex())
        self.folder.mkdir(mode=0o700)
        self.living.append(self)
        # Of our own, so that plugins can come and go.
        self.plugins = self.folder / "p"
        for place in (ROOT / "Tests" / "Python" / "plugins").glob("*/*"):
            link = self.plugins / place.relative_to(place.parents[1])
            link.parent.mkdir(parents=True, exist_ok=True)
            if apart:
                shutil.copytree(place, link, symlinks=True)
            else:
                link.symlink_to(place)
        self.url = self.https = ""
        self.process = None

    @property
    def socket(self):
        return str(self.folder / "api")

    @property
    def password(self):
        return (self.folder / "s" / "initial-password").read_text().strip()

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    self.programs / "gantryd",
                    "serve",
                    "--state-dir",
                    self.folder / "s",
                    "--run-dir",
                    self.folder / "r",
                    "--http",
                    "127.0.0.1:0",
                    "--https",
                    "127.0.0.1:0",
                    "--socket",
                    self.socket,
                    "--accel",
                    "tcg",
                    "--nbd-port",
                    "0",
                    "--boot-dir",
                    guest_folder(),
                    *(self.options or ["--sm-dir", ROOT / "Tests" / "Python" / "drivers"]),
                    "--storage-script-root",
                    self.plugins,
                    "--plugin-metrics-dir",
                    self.folder / "m",
                    "--sm-time-limit",
                    str(self.time_limit),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("gantryd did not start:\n" + self.log)
        ready = json.loads(line)
        self.url, self.https = ready["http"], ready["https"]

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.process.stdout.close()
        for pid in self.leftovers():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.parent == pathlib.Path("/var/tmp"):
            with contextlib.suppress(OSError):
                self.folder.parent.rmdir()
        if self in self.living:
            self.living.remove(self)

    def leftovers(self):
        """Guests and data paths of this daemon: a failed test may have left some."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                command = pathlib.Path("/proc", entry, "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(self.folder) + b"/" in command:
                found.append(int(entry))
        return found


def guest_folder():
    """Where the files are that the tests' guest boots from."""
    scratch = os.environ.get("GANTRY_TEST_SCRATCH")
    return scratch + "/guest" if scratch else "/var/tmp/gantry-test-guest"


def guest_files():
    """Kernel and initramfs of the guest that the tests boot."""
    folder = guest_folder()
    subprocess.run(["bash", ROOT / "scripts" / "make-guest.sh", folder], check=True)
    return folder + "/vmlinuz", folder + "/initrd.img"
