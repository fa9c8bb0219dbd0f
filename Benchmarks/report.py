"""The results as a table: medians, spread, ratios to the better of qemu's modes."""
from statistics import median


def of(samples, key):
    return median(sample[key] for sample in samples)


def spread(samples, key):
    values = [sample[key] for sample in samples]
    middle = median(values)
    return 0 if middle == 0 else (max(values) - min(values)) / middle * 100


def table(header, rows):
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def ratio(numerator, denominator):
    return f"{numerator / denominator:.2f}" if denominator > 0 else "-"


def convert_rows(cases):
    rows = []
    for case in cases:
        ours = case["samples"]["gantry"]
        others = {mode: s for mode, s in case["samples"].items() if mode != "gantry"}
        best = min(others, key=lambda mode: of(others[mode], "seconds"))
        theirs = others[best]
        case["best_qemu_mode"] = best
        case["ratio_time"] = of(theirs, "seconds") / of(ours, "seconds")
        rows.append([
            case["case"],
            f"{of(ours, 'seconds'):.2f} s ±{spread(ours, 'seconds') / 2:.0f}%",
            f"{of(theirs, 'seconds'):.2f} s ±{spread(theirs, 'seconds') / 2:.0f}%",
            ratio(of(theirs, "seconds"), of(ours, "seconds")),
            f"{of(ours, 'cpu'):.2f} s", f"{of(theirs, 'cpu'):.2f} s",
            ratio(of(theirs, "cpu"), of(ours, "cpu")), best.replace("qemu-img", "").strip() or "default",
        ])
    return rows


def nbd_rows(cases):
    rows = []
    for case in cases:
        ours = case["samples"]["gantry"]
        others = {server: s for server, s in case["samples"].items() if server.startswith("qemu")}
        best = max(others, key=lambda server: of(others[server], "iops"))
        theirs = others[best]
        case["best_qemu_mode"] = best
        case["ratio_iops"] = of(ours, "iops") / of(theirs, "iops")
        rows.append([
            case["case"],
            f"{of(ours, 'iops'):.0f}/s ±{spread(ours, 'iops') / 2:.0f}%",
            f"{of(theirs, 'iops'):.0f}/s ±{spread(theirs, 'iops') / 2:.0f}%",
            ratio(of(ours, "iops"), of(theirs, "iops")),
            f"{of(ours, 'cpu_us_per_request'):.1f} us", f"{of(theirs, 'cpu_us_per_request'):.1f} us",
            ratio(of(theirs, "cpu_us_per_request"), of(ours, "cpu_us_per_request")), best.split("=")[-1],
        ])
    return rows


def engine_rows(cases):
    """Ratios to the reference and to the better of qemu-img's modes, below 1.00 gantry is ahead."""
    rows = []
    for case in cases:
        ours, reference = case["samples"]["gantry"], case["samples"][case["reference"]]
        modes = {mode: s for mode, s in case["samples"].items() if mode.startswith("qemu-img")}
        best = min(modes, key=lambda mode: of(modes[mode], "seconds")) if modes else case["reference"]
        case["ratio_wall"] = of(ours, "seconds") / of(reference, "seconds")
        case["ratio_cpu"] = of(ours, "cpu") / of(reference, "cpu") if of(reference, "cpu") else 0
        size, theirs = (
            f"{of(samples[mode], 'bytes_on_disk') / (1 << 20):.1f}" if "bytes_on_disk" in samples[mode][0] else "-"
            for samples, mode in ((case["samples"], "gantry"), (case["samples"], best)))
        rows.append([
            case["case"],
            f"{of(reference, 'seconds'):.3f} s ±{spread(reference, 'seconds') / 2:.0f}%",
            f"{of(ours, 'seconds'):.3f} s ±{spread(ours, 'seconds') / 2:.0f}%",
            f"{case['ratio_wall']:.3f}", f"{of(reference, 'cpu'):.3f}", f"{of(ours, 'cpu'):.3f}",
            f"{case['ratio_cpu']:.3f}",
            f"{of(ours, 'seconds') / of(case['samples'][best], 'seconds'):.3f}",
            f"{of(ours, 'cpu') / of(case['samples'][best], 'cpu'):.3f}" if of(case["samples"][best], "cpu") else "-",
            f"{max(sample['peak_kib'] for sample in ours) / 1024:.0f}", size, theirs,
        ])
    return rows


def text(results):
    """The whole report; also notes each case's ratio in `results`."""
    host = results["host"]
    parts = [
        f"{host['cpu']}, {host['cores']} cores, {host['memory_mib']} MiB, kernel {host['kernel']}, "
        f"{host['file_system']}; {host['qemu']}; {host['fio']}; load at start {host['load_at_start']:.1f}",
        "Ratios above 1.00: gantry is ahead. ± is half the spread of the rounds. Medians of "
        f"{results['options']['rounds']} rounds.",
    ]
    for group in dict.fromkeys(case["group"] for case in results.get("engine", [])):
        cases = [case for case in results["engine"] if case["group"] == group]
        header = [f"{group} (beside {cases[0]['reference']})", "reference", "gantry", "wall", "CPU s", "CPU s", "CPU",
                  "wall/qemu", "CPU/qemu", "MiB peak", "MiB out", "MiB qemu"]
        parts.append("Ratios of gantry to the other: below 1.00 gantry is ahead.\n" + table(header, engine_rows(cases)))
    if results["convert"]:
        header = ["convert", "gantry", "qemu-img", "ratio", "CPU", "CPU qemu", "ratio", "better mode"]
        parts.append(table(header, convert_rows(results["convert"])))
    if results["nbd"]:
        header = ["NBD", "gantry", "qemu-nbd", "ratio", "CPU/req", "CPU/req qemu", "ratio", "better mode"]
        parts.append(table(header, nbd_rows(results["nbd"])))
    return "\n\n".join(parts)
