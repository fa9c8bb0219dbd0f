import APITypes
import Foundation
import MetricArchives

/// Looks at the host's processors, memory, load and interfaces.
struct MachineReadings: Sendable {
    var root = ""

    func read(host uuid: String, hostname: String, interfaces: [String]) -> [Reading] {
        let labels = [Exposition.Label("host", uuid), Exposition.Label("hostname", hostname)]
        var all = Self.processors(text("/proc/stat"), ticks: Double(sysconf(Int32(_SC_CLK_TCK))), labels)
        all += Self.memory(text("/proc/meminfo"), labels)
        all += Self.load(text("/proc/loadavg"), labels)
        for name in interfaces { all += interface(name, labels) }
        return all
    }

    // MARK: Texts of the kernel, pure

    /// Shares of busy time, all together and each; `ticks` a second.
    static func processors(_ text: String, ticks: Double, _ labels: [Exposition.Label]) -> [Reading] {
        var all: [Reading] = []
        for line in text.split(separator: "\n") where line.hasPrefix("cpu") {
            let fields = line.split(separator: " ")
            let times = fields.dropFirst().prefix(8).compactMap { Double($0) }
            guard times.count == 8, ticks > 0 else { continue }
            // user, nice, system, idle, iowait, irq, softirq, steal; the guests' time is within the user's.
            let busy = (times[0] + times[1] + times[2] + times[5] + times[6] + times[7]) / ticks
            let number = fields[0].dropFirst("cpu".count)
            guard let index = Int(number) else { continue }
            all.append(
                Reading(
                    MetricSource(
                        "cpu\(index)", "Share of time that processor \(index) was busy", units: "(fraction)",
                        kind: .counter, maximum: 1.1),
                    busy,
                    Exposition(
                        "gantry_host_cpu_busy_seconds_total", .counter, "Time that a processor was busy, in seconds.",
                        labels: labels + [.init("cpu", String(index))])))
        }
        if !all.isEmpty {
            let mean = all.map(\.sample).reduce(0, +) / Double(all.count)
            all.append(
                Reading(
                    MetricSource(
                        "cpu_avg", "Share of time that the processors were busy, their average", units: "(fraction)",
                        kind: .counter, maximum: 1.1), mean))
        }
        return all
    }

    static func memory(_ text: String, _ labels: [Exposition.Label]) -> [Reading] {
        var numbers: [Substring: Double] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            numbers[parts[0]] = parts[1].split(separator: " ").first.flatMap { Double($0) }
        }
        func reading(_ name: String, _ key: Substring, _ what: String, _ family: String) -> Reading? {
            guard let value = numbers[key] else { return nil }
            return Reading(
                MetricSource(name, what, units: "KiB"), value,
                Exposition(family, .gauge, "\(what), in bytes.", labels: labels, scale: 1024))
        }
        return [
            reading("memory_total_kib", "MemTotal", "Memory of the host", "gantry_host_memory_total_bytes"),
            reading(
                "memory_free_kib", "MemAvailable", "Memory that programs can still have",
                "gantry_host_memory_free_bytes"),
        ].compactMap { $0 }
    }

    static func load(_ text: String, _ labels: [Exposition.Label]) -> [Reading] {
        guard let value = text.split(separator: " ").first.flatMap({ Double($0) }) else { return [] }
        return [
            Reading(
                MetricSource("loadavg", "Processes that run or want to, averaged over a minute", units: "(fraction)"),
                value,
                Exposition(
                    "gantry_host_load", .gauge, "Processes that run or want to, averaged over a minute.",
                    labels: labels))
        ]
    }

    private func interface(_ name: String, _ labels: [Exposition.Label]) -> [Reading] {
        [("rx", "received", "receive"), ("tx", "sent", "transmit")].compactMap { short, what, family in
            let counted = text("/sys/class/net/\(name)/statistics/\(short)_bytes")
            guard let value = Double(counted.trimmingCharacters(in: .whitespacesAndNewlines)) else { return nil }
            return Reading(
                MetricSource("pif_\(name)_\(short)", "Bytes \(what) by \(name) a second", units: "B/s", kind: .counter),
                value,
                Exposition(
                    "gantry_host_network_\(family)_bytes_total", .counter, "Bytes \(what) by an interface.",
                    labels: labels + [.init("device", name)]))
        }
    }

    private func text(_ path: String) -> String { (try? String(contentsOfFile: root + path, encoding: .utf8)) ?? "" }
}
