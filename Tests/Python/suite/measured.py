"""Pages of what storage plugins measure, in the form of RRD plugins."""

import json
import os
import struct
import time
import zlib


def write_page(path, sources):
    """The file at `path`; `sources`: name → what is said of it, and its value, a floating-point number."""
    text = json.dumps({"datasources": {name: about for name, (about, _) in sources.items()}}).encode()
    values = struct.pack(">%dd" % (1 + len(sources)), time.time(), *(value for _, value in sources.values()))
    sums = struct.pack(">III", zlib.crc32(values), zlib.crc32(text), len(sources))
    with open(str(path) + ".new", "wb") as file:
        file.write(b"DATASOURCES" + sums + values + struct.pack(">I", len(text)) + text)
    os.rename(str(path) + ".new", path)
