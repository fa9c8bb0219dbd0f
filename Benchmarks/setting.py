"""What a run needs and where it takes place: tools, the release build, the host."""
import os
import platform
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = {"qemu-img": "qemu-utils", "qemu-nbd": "qemu-utils", "fio": "fio", "nbdkit": "nbdkit"}


def need(tools):
    """Installs what is missing when it may; otherwise names it and stops. `tools`: packages by the programs in them."""
    def absent():
        # Debian has nginx in /usr/sbin, which not every PATH names.
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        os.environ["PATH"] = path
        return {tool: package for tool, package in tools.items() if shutil.which(tool) is None}

    missing = absent()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *sorted(set(missing.values()))],
                       env=environment, stdout=sys.stderr)
        missing = absent()
    if missing:
        sys.exit(f"Missing: {' '.join(missing)}\n  try: sudo apt-get install {' '.join(sorted(set(missing.values())))}")


def need_tools():
    """What the comparisons with qemu need."""
    need(TOOLS)
    engines = subprocess.run(["fio", "--enghelp"], capture_output=True, text=True).stdout
    if "nbd" not in engines.split():
        sys.exit("This fio has no nbd engine (Debian's has)\n  try: sudo apt-get install --reinstall fio")


def build(scratch, product="gantry"):
    """Builds a release program and returns its path."""
    command = ["swift", "build", "-c", "release", "--product", product, "--static-swift-stdlib"]
    if scratch:
        command += ["--scratch-path", os.path.abspath(scratch)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    shown = subprocess.run(command + ["--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    return os.path.join(shown.stdout.strip(), product)


def describe(gantry, folder):
    """The facts without which the figures mean nothing."""
    def first_line(*command):
        if shutil.which(command[0]) is None:
            return ""
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[0] if done.stdout or done.stderr else ""

    cpu = ""
    with open("/proc/cpuinfo") as info:
        cpu = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "")
    return {
        "kernel": platform.release(),
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "file_system": first_line("stat", "-f", "-c", "%T", folder),
        "qemu": first_line("qemu-img", "--version"),
        "fio": first_line("fio", "--version"),
        "load_at_start": os.getloadavg()[0],
        "gantry": gantry,
    }


def flush():
    """Everything written so far goes to disk, so that nobody pays for another's writes."""
    os.sync()


def in_turn(contestants, round_number):
    """The contestants, another one first each round, and the other way round every second time."""
    start = round_number % len(contestants)
    turned = contestants[start:] + contestants[:start]
    return turned if round_number // len(contestants) % 2 == 0 else list(reversed(turned))


def log(text):
    print(text, file=sys.stderr, flush=True)
