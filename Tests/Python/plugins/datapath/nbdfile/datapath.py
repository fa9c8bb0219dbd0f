#!/usr/bin/env python3
"""A complete SMAPIv3 datapath plugin: serves the image that `nbdfile://PATH?FORMAT` names, over NBD on a Unix socket.

All methods may be called again, and in any state. The server runs in a session of its own: what a script starts in its own
one may be killed with it.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse


class Plugin:
    def query(self, dbg):
        return {
            "plugin": "nbdfile", "name": "NBD file", "description": "Serves image files over NBD", "vendor": "Gantry",
            "copyright": "none", "version": "1.0", "required_api_version": "5.0", "features": [], "configuration": {},
            "required_cluster_stack": [],
        }


class Datapath:
    def open(self, dbg, uri, persistent):
        pass

    def close(self, dbg, uri):
        pass

    def attach(self, dbg, uri, domain):
        return {"implementations": [
            ["XenDisk", {"params": "none", "extra": {}, "backend_type": "none"}],
            ["Nbd", {"uri": "nbd:unix:%s:exportname=disk" % socket(uri, domain)}],
        ]}

    def activate(self, dbg, uri, domain):
        image, kind = self.source(uri)
        if running(uri, domain):
            return
        words = ["qemu-nbd", "-t", "-f", kind, "-x", "disk", "-k", socket(uri, domain), "--cache=writeback", "-e", "16",
                 "--discard=unmap", "--pid-file", socket(uri, domain) + ".pid", image]
        if not os.access(image, os.W_OK):
            words.insert(1, "-r")
        server = subprocess.Popen(words, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
        # The pid file is there when the server takes connections.
        while server.poll() is None and not os.path.exists(socket(uri, domain) + ".pid"):
            time.sleep(0.01)
        if server.poll() is not None:
            raise RuntimeError(server.stderr.read().decode())

    def deactivate(self, dbg, uri, domain):
        server = running(uri, domain)
        if server:
            os.kill(server, signal.SIGTERM)
            while alive(server):
                time.sleep(0.01)
        for name in (socket(uri, domain), socket(uri, domain) + ".pid"):
            if os.path.lexists(name):
                os.unlink(name)

    def detach(self, dbg, uri, domain):
        self.deactivate(dbg, uri, domain)

    def source(self, uri):
        return place(uri)


def place(uri):
    parsed = urllib.parse.urlsplit(uri)
    return parsed.path, parsed.query


def socket(uri, domain):
    """Beside the image: short enough for a socket's name."""
    image = place(uri)[0]
    return os.path.join(os.path.dirname(image), "." + os.path.basename(image)[:8])


def alive(server):
    try:
        with open("/proc/%d/stat" % server) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def running(uri, domain):
    try:
        with open(socket(uri, domain) + ".pid") as file:
            server = int(file.read())
        with open("/proc/%d/cmdline" % server) as file:
            return server if socket(uri, domain) in file.read() else None
    except (FileNotFoundError, ValueError):
        return None


def main():
    interface, method = os.path.basename(sys.argv[0]).split(".")
    implementation = {"Plugin": Plugin, "Datapath": Datapath}[interface]()
    try:
        print(json.dumps(getattr(implementation, method.lower())(**json.load(sys.stdin))))
    except Exception as error:
        backtrace = {"error": str(error), "files": [], "lines": []}
        print(json.dumps({"code": "SR_BACKEND_FAILURE_46", "params": ["", str(error), ""], "backtrace": backtrace}))
        sys.exit(1)


if __name__ == "__main__":
    main()
