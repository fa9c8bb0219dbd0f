"""The image engine beside the physical reference and qemu-img.

Reference R: the allocated extents of the raw image copied with copy_file_range(2), one thread, into an empty file of the
same file system. Wall and CPU time of whole processes, started cold and ended; both sides flushed before each.
"""
import os
import random
import shutil
import subprocess
import sys
import time

import convert_cases
import setting

FORMATS = ["raw", "qcow2", "vhd"]
EXTRA = {"raw": [], "qcow2": [], "vhd": ["-o", "force_size=on"]}
REFERENCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int from = open(argv[1], O_RDONLY), to = open(argv[2], O_RDWR | O_CREAT | O_EXCL, 0644);
    struct stat status;
    if (argc < 3 || from < 0 || to < 0 || fstat(from, &status) || ftruncate(to, status.st_size)) return 1;
    for (off_t at = 0, hole; (at = lseek(from, at, SEEK_DATA)) >= 0; at = hole) {
        hole = lseek(from, at, SEEK_HOLE);
        off_t in = at, out = at;
        while (in < hole)
            if (copy_file_range(from, &in, to, &out, hole - in, 0) <= 0) { perror("copy_file_range"); return 1; }
        if (hole >= status.st_size) break;
    }
    return 0;
}
"""


def build_reference(folder):
    source, program = f"{folder}/reference.c", f"{folder}/reference"
    with open(source, "w") as file:
        file.write(REFERENCE)
    subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    return program


def make_dense(path, mib):
    convert_cases.make_raw(path, mib, 1)


def make_sparse(path, gib, data_mib):
    """`data_mib` in extents of 64 KiB to 1 MiB, multiples of a page, at random places of `gib`."""
    rng = random.Random(7)
    blob = os.urandom(1 << 20)
    lengths, left = [], data_mib << 20
    while left > 0:
        lengths.append(min(left, rng.randrange(16, 257) * 4096))
        left -= lengths[-1]
    gap = ((gib << 30) - (data_mib << 20)) // len(lengths) // 4096
    position = 0
    with open(path, "wb") as file:
        file.truncate(gib << 30)
        for length in lengths:
            position += rng.randrange(1, 2 * gap - 1) * 4096
            if position + length > gib << 30:
                break
            file.seek(position)
            file.write(blob[:length])
            position += length
        file.flush()
        os.fsync(file.fileno())


def make_file_system(path, mib):
    """An ext4 image filled with files of this host."""
    with open(path, "wb") as file:
        file.truncate(mib << 20)
    tree = path + ".tree"
    os.makedirs(tree)
    left = mib * 6 // 10 << 20
    for top in ("/usr/bin", "/usr/lib", "/usr/share", "/usr/include"):
        for base, folders, files in os.walk(top):
            folders.sort()
            for name in sorted(files):
                source = os.path.join(base, name)
                if os.path.islink(source) or not os.path.isfile(source):
                    continue
                size = os.path.getsize(source)
                if size > left or size > 64 << 20:
                    continue
                left -= size
                target = tree + source
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(source, target)
            if left < 1 << 20:
                break
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", tree, path], check=True)
    shutil.rmtree(tree)


def timed(words, target=None, flush_after=False):
    """One run: wall, CPU, peak memory, and what the target occupies. With `flush_after` until the target is on disk."""
    if target and os.path.exists(target):
        os.unlink(target)
    setting.flush()
    start = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    if flush_after:
        descriptor = os.open(target, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    sample = {"seconds": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime,
              "peak_kib": usage.ru_maxrss}
    if target and os.path.exists(target):
        sample["bytes_on_disk"] = os.stat(target).st_blocks * 512
    return sample


def rounds(contestants, count, what):
    """`contestants`: name to a function that runs it once. Another goes first each round."""
    samples = {name: [] for name in contestants}
    for number in range(count):
        for name in setting.in_turn(list(contestants), number):
            setting.log(f"{what}: {name}, round {number + 1}")
            samples[name].append(contestants[name]())
    return samples


def qemu(source_format, target_format, source, target, *flags):
    return ["qemu-img", "convert", *flags, "-f", convert_cases.QEMU_FORMAT[source_format], "-O",
            convert_cases.QEMU_FORMAT[target_format], *EXTRA[target_format], source, target]


def gantry_convert(gantry, source_format, target_format, source, target, *flags):
    return [gantry, "image", "convert", *flags, "-f", source_format, "-O", target_format, source, target]


def verify(source_format, target_format, source, target):
    """Speed without truth is worth nothing."""
    subprocess.run(["qemu-img", "compare", "-f", convert_cases.QEMU_FORMAT[source_format], "-F",
                    convert_cases.QEMU_FORMAT[target_format], source, target], check=True, stdout=subprocess.DEVNULL)


def sources_of(folder, content):
    found = {"raw": f"{folder}/{content}.raw"}
    for kind in ("qcow2", "vhd"):
        found[kind] = f"{folder}/{content}.{kind}"
        subprocess.run(qemu("raw", kind, found["raw"], found[kind]), check=True)
    return found


def pairs(gantry, chosen):
    """Every pair of formats, memory to memory, beside R and both modes of qemu-img."""
    results = []
    folder = f"{chosen.memory_dir}/gantry-bench-{os.getpid()}"
    os.makedirs(folder)
    try:
        reference = build_reference(folder)
        contents = {
            "dense": lambda path: make_dense(path, chosen.pair_dense_mib),
            "sparse": lambda path: make_sparse(path, chosen.pair_sparse_gib, chosen.pair_sparse_mib),
            "ext4": lambda path: make_file_system(path, chosen.pair_ext4_mib),
        }
        for content, make in contents.items():
            raw, target = f"{folder}/{content}.raw", f"{folder}/out"
            make(raw)
            # One source at a time: memory is dear.
            for source_format in FORMATS:
                source = f"{folder}/{content}.{source_format}"
                if source_format != "raw":
                    subprocess.run(qemu("raw", source_format, raw, source), check=True)
                for target_format in FORMATS:
                    name = f"{source_format} -> {target_format}, {content}"
                    ours = gantry_convert(gantry, source_format, target_format, source, target)
                    plain = qemu(source_format, target_format, source, target)
                    wide = qemu(source_format, target_format, source, target, "-W", "-m", "16")
                    samples = rounds({
                        "R": lambda: timed([reference, raw, target], target),
                        "gantry": lambda: timed(ours, target),
                        "qemu-img": lambda: timed(plain, target),
                        "qemu-img -W -m 16": lambda: timed(wide, target),
                    }, chosen.rounds, f"pairs: {name}")
                    timed(ours, target)
                    verify("raw", target_format, raw, target)
                    results.append({"group": "pairs", "case": name, "reference": "R", "samples": samples,
                                    "data_bytes": os.stat(raw).st_blocks * 512})
                    os.unlink(target)
                if source_format != "raw":
                    os.unlink(source)
            os.unlink(raw)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def durable(gantry, folder, chosen):
    """Into files on disk, flushed inside the time, beside dd conv=fsync. The source is in the page cache."""
    results = []
    raw, target = f"{folder}/durable.raw", f"{folder}/durable.out"
    make_dense(raw, chosen.durable_mib)
    for target_format in FORMATS:
        samples = rounds({
            "dd conv=fsync": lambda: timed(["dd", f"if={raw}", f"of={target}", "bs=1M", "conv=fsync", "status=none"],
                                           target),
            "gantry": lambda: timed(gantry_convert(gantry, "raw", target_format, raw, target), target, True),
            "qemu-img": lambda: timed(qemu("raw", target_format, raw, target), target, True),
            "qemu-img -W -m 16": lambda: timed(qemu("raw", target_format, raw, target, "-W", "-m", "16"), target, True),
        }, chosen.rounds, f"durable: {target_format}")
        results.append({"group": "durable", "case": f"raw -> {target_format}, {chosen.durable_mib} MiB",
                        "reference": "dd conv=fsync", "samples": samples})
        os.unlink(target)
    os.unlink(raw)
    return results


def reflink(gantry, folder, chosen):
    """On a file system that shares blocks (XFS and btrfs in loop devices), beside cp --reflink=always and a flush."""
    results = []
    if os.geteuid() != 0:
        setting.log("reflink: left out, mounting needs root")
        return results
    for kind, make in (("xfs", ["mkfs.xfs", "-q", "-f", "-m", "reflink=1"]), ("btrfs", ["mkfs.btrfs", "-q", "-f"])):
        if shutil.which(make[0]) is None:
            setting.log(f"reflink: {make[0]} is not installed, {kind} left out")
            continue
        disk, mount = f"{folder}/{kind}.img", f"{folder}/{kind}"
        with open(disk, "wb") as file:
            # qemu-img takes several times the data there; the file is sparse.
            file.truncate(max(1 << 30, chosen.reflink_mib * 16 << 20))
        subprocess.run([*make, disk], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.makedirs(mount)
        if subprocess.run(["mount", "-o", "loop", disk, mount]).returncode != 0:
            setting.log(f"reflink: this kernel cannot mount {kind}, left out")
            os.unlink(disk)
            continue
        try:
            raw, target = f"{mount}/source.raw", f"{mount}/out"
            make_sparse(raw, chosen.reflink_gib, chosen.reflink_mib)
            sources = {"raw": raw}
            for other in ("qcow2", "vhd"):
                # VHDs of qemu-img are not aligned to blocks; those of gantry are.
                sources[other] = f"{mount}/source.{other}"
                subprocess.run(gantry_convert(gantry, "raw", other, raw, sources[other]), check=True)
            for source_format in FORMATS:
                for target_format in FORMATS:
                    source = sources[source_format]
                    samples = rounds({
                        "cp --reflink=always": lambda: timed(["cp", "--reflink=always", source, target], target, True),
                        "gantry": lambda: timed(
                            gantry_convert(gantry, source_format, target_format, source, target), target, True),
                        "qemu-img": lambda: timed(qemu(source_format, target_format, source, target), target, True),
                    }, chosen.rounds, f"reflink: {kind}: {source_format} -> {target_format}")
                    timed(gantry_convert(gantry, source_format, target_format, source, target), target)
                    verify("raw", target_format, raw, target)
                    results.append({"group": "reflink", "case": f"{source_format} -> {target_format}, {kind}",
                                    "reference": "cp --reflink=always", "samples": samples})
        finally:
            subprocess.run(["umount", mount])
            os.unlink(disk)
    return results


def tables(gantry, folder, chosen):
    """Commands that walk tables, on a large image with clusters at random places."""
    size, clusters = chosen.scattered_gib << 30, chosen.scattered_clusters
    one, other = f"{folder}/scattered-1.qcow2", f"{folder}/scattered-2.qcow2"
    for path, order_seed in ((one, 2), (other, 3)):
        # In a process of its own: peak memory of a child counts what its parent had when it was forked.
        subprocess.run([sys.executable, f"{setting.ROOT}/Benchmarks/scattered.py", path, str(size), str(clusters),
                        str(order_seed)], check=True)
    commands = {
        "map --json": ([gantry, "image", "map", "-f", "qcow2", "--json", one],
                       ["qemu-img", "map", "-f", "qcow2", "--output=json", one]),
        "measure": ([gantry, "image", "measure", "-f", "qcow2", "-O", "qcow2", one],
                    ["qemu-img", "measure", "-f", "qcow2", "-O", "qcow2", one]),
        "check": ([gantry, "image", "check", "-f", "qcow2", one], ["qemu-img", "check", "-f", "qcow2", one]),
        "compare": ([gantry, "image", "compare", "-f", "qcow2", "-F", "qcow2", one, other],
                    ["qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", one, other]),
        "info": ([gantry, "image", "info", "-f", "qcow2", one], ["qemu-img", "info", "-f", "qcow2", one]),
    }
    results = []
    for name, (ours, theirs) in commands.items():
        samples = rounds({"gantry": lambda: timed(ours), "qemu-img": lambda: timed(theirs)},
                         chosen.rounds, f"tables: {name}")
        results.append({"group": "tables", "reference": "qemu-img", "samples": samples,
                        "case": f"{name}, {chosen.scattered_gib} GiB, {clusters} clusters"})
    os.unlink(one)
    os.unlink(other)
    return results


def compressed(gantry, folder, chosen):
    """Compressed qcow2 of a file system's content."""
    raw, target = f"{folder}/compress.raw", f"{folder}/compress.out"
    make_file_system(raw, chosen.compress_mib)
    results = []
    for kind in ("zlib", "zstd"):
        option = ["-c", "-o", f"compression_type={kind}"]
        ours = gantry_convert(gantry, "raw", "qcow2", raw, target, *option)
        if subprocess.run(ours, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            setting.log(f"compressed: this gantry does not compress with {kind}, left out")
            continue
        verify("raw", "qcow2", raw, target)
        samples = rounds({
            "gantry": lambda: timed(ours, target, True),
            "qemu-img -m 16": lambda: timed(qemu("raw", "qcow2", raw, target, "-m", "16", *option), target, True),
            "qemu-img -W -m 16": lambda: timed(qemu("raw", "qcow2", raw, target, "-W", "-m", "16", *option), target, True),
        }, chosen.rounds, f"compressed: {kind}")
        results.append({"group": "compressed", "case": f"raw -> qcow2 {kind}, ext4 {chosen.compress_mib} MiB",
                        "reference": "qemu-img -m 16", "samples": samples})
        os.unlink(target)
    os.unlink(raw)
    return results


def run(gantry, folder, chosen):
    groups = {
        "pairs": lambda: pairs(gantry, chosen),
        "durable": lambda: durable(gantry, folder, chosen),
        "reflink": lambda: reflink(gantry, folder, chosen),
        "tables": lambda: tables(gantry, folder, chosen),
        "compressed": lambda: compressed(gantry, folder, chosen),
    }
    wanted = chosen.groups.split(",") if chosen.groups else list(groups)
    return [result for name in wanted for result in groups[name]()]
