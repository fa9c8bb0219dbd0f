#!/usr/bin/env python3
"""follow-console.py SOCKET FILE: appends what a guest's console prints to FILE until the guest ends."""
import socket
import sys

console = socket.socket(socket.AF_UNIX)
console.connect(sys.argv[1])
with open(sys.argv[2], "ab", buffering=0) as log:
    while True:
        data = console.recv(4096)
        if not data:
            break
        log.write(data.replace(b"\r", b""))
