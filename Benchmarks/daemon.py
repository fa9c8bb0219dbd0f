"""A gantryd with folders of its own, filled with disks: what the rows of the API and of its database are measured on."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid

import setting


class Daemon:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.start()

    def start(self):
        """Seconds from the start of the program to the answer to a first call that reads an object. The call comes over
        the local socket: to check a password takes its time on purpose, which is not the database's."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.program, "serve", "--state-dir", f"{self.folder}/s", "--run-dir", f"{self.folder}/r", "--http",
             "127.0.0.1:0", "--socket", f"{self.folder}/api", "--accel", "tcg", "--log-level", "error"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.address = ready["http"].split("//")[1]
        host, port = self.address.rsplit(":", 1)
        self.host, self.port = host, int(port)
        self.session = self.call("session.login_with_password", "root", "")
        self.call("host.get_all_records", self.session)
        return time.monotonic() - began

    def call(self, method, *parameters):
        connection = http.client.HTTPConnection("localhost", timeout=3600)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(f"{self.folder}/api")
        connection.request("POST", "/jsonrpc", json.dumps({"method": method, "params": parameters, "id": 1}))
        reply = json.load(connection.getresponse())
        connection.close()
        if reply["error"]:
            sys.exit(f"{method}: {reply['error']}")
        return reply["result"]

    def memory(self, name="VmRSS"):
        """KiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.M).group(1))

    def reset_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def cpu(self):
        """Seconds of the process, user and system."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def fill(daemon, folder, count):
    """Makes an SR with that many disks, empty files that a scan finds: their references, and the seconds of the scan."""
    place = f"{folder}/sr"
    os.mkdir(place)
    host = daemon.call("host.get_all", daemon.session)[0]
    sr = daemon.call("SR.create", daemon.session, host, {"location": place}, 0, "bench", "", "file", "user", False, {})
    for number in range(count):
        with open(f"{place}/{uuid.UUID(int=number + (1 << 100))}.raw", "wb") as file:
            file.truncate(1 << 20)
    began = time.monotonic()
    daemon.call("SR.scan", daemon.session, sr)
    seconds = time.monotonic() - began
    setting.log(f"{count} disks found in {seconds:.1f} s")
    return daemon.call("VDI.get_all", daemon.session), seconds
