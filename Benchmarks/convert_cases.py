"""Conversions: gantry image convert beside qemu-img convert in both of its modes."""
import os
import subprocess
import time

import setting

QEMU_FORMAT = {"raw": "raw", "qcow2": "qcow2", "vhd": "vpc"}
DIRECTIONS = [("raw", "qcow2"), ("vhd", "qcow2"), ("qcow2", "raw")]
MODES = ["gantry", "qemu-img", "qemu-img -W -m 16"]


def make_raw(path, mib, one_in):
    """A raw image in which one MiB in `one_in` is random and the rest a hole; random bytes do not compress or repeat."""
    with open(path, "wb") as image:
        image.truncate(mib << 20)
        for index in range(0, mib, one_in):
            image.seek(index << 20)
            image.write(os.urandom(1 << 20))
        image.flush()
        os.fsync(image.fileno())


def make_sources(folder, content, mib, one_in):
    """The same content in the three formats, written by qemu-img, in the page cache afterwards."""
    sources = {"raw": f"{folder}/{content}.raw"}
    make_raw(sources["raw"], mib, one_in)
    for kind in ("vhd", "qcow2"):
        sources[kind] = f"{folder}/{content}.{kind}"
        extra = ["-o", "force_size=on"] if kind == "vhd" else []
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", QEMU_FORMAT[kind], *extra, sources["raw"],
                        sources[kind]], check=True)
    return sources


def command(gantry, mode, source_format, target_format, source, target):
    if mode == "gantry":
        return [gantry, "image", "convert", "-f", source_format, "-O", target_format, source, target]
    return ["qemu-img", "convert", *mode.split()[1:], "-f", QEMU_FORMAT[source_format], "-O",
            QEMU_FORMAT[target_format], source, target]


def measure(words, target):
    """Wall seconds until the target is on disk, and CPU seconds of the process."""
    if os.path.exists(target):
        os.unlink(target)
    setting.flush()
    start = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return {"seconds": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime,
            "peak_kib": usage.ru_maxrss, "bytes_on_disk": os.stat(target).st_blocks * 512}


def run(gantry, folder, chosen):
    results = []
    for content, mib, one_in in (("dense", chosen.dense_mib, 1), ("sparse", chosen.sparse_mib, 10)):
        sources = make_sources(folder, content, mib, one_in)
        for source_format, target_format in DIRECTIONS:
            name = f"{source_format} -> {target_format}, {content} {mib} MiB"
            target = f"{folder}/out.{target_format}"
            samples = {mode: [] for mode in MODES}
            for number in range(chosen.rounds):
                for mode in setting.in_turn(MODES, number):
                    setting.log(f"convert: {name}: {mode}, round {number + 1}")
                    samples[mode].append(
                        measure(command(gantry, mode, source_format, target_format, sources[source_format], target),
                                target))
                    if mode == "gantry" and number == 0:
                        # Speed without truth is worth nothing.
                        subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", QEMU_FORMAT[target_format],
                                        sources["raw"], target], check=True, stdout=subprocess.DEVNULL)
            os.unlink(target)
            results.append({"case": name, "mib": mib, "samples": samples})
        for path in sources.values():
            os.unlink(path)
    return results
