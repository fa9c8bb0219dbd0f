import DatapathControl
import MetricArchives

/// The numbers of disks and repositories, from the counters of the data paths.
struct DiskReadings: Sendable {
    /// The mean time of a request between two looks needs the look before.
    private var before: [String: DatapathCounters] = [:]

    private static let mebibyte = Double(1 << 20)

    /// A disk of a guest, by the name it has there (`xvda`).
    mutating func disk(device: String, _ now: DatapathCounters, vm labels: [Exposition.Label]) -> [Reading] {
        let all = labels + [.init("device", device)]
        let key = "\(labels.first?.value ?? "")/\(device)"
        let last = before[key]
        let latency = latencies(key, now)
        let name = "vbd_\(device)"
        return [
            bytes("\(name)_read", "Bytes read from \(device) a second", now.readBytes, "vm_disk_read", all),
            bytes("\(name)_write", "Bytes written to \(device) a second", now.writtenBytes, "vm_disk_written", all),
            count("\(name)_iops_read", "Reads of \(device) a second", now.reads, "vm_disk_reads", all),
            count("\(name)_iops_write", "Writes of \(device) a second", now.writes, "vm_disk_writes", all),
            count("\(name)_iops_total", "Reads and writes of \(device) a second", now.reads &+ now.writes, nil, all),
            count("\(name)_iops_flush", "Flushes of \(device) a second", now.flushes, "vm_disk_flushes", all),
            seconds("vm_disk_read", "reads", now.readNanoseconds, all),
            seconds("vm_disk_write", "writes", now.writeNanoseconds, all),
            seconds("vm_disk_flush", "flushes", now.flushNanoseconds, all),
            gauge("\(name)_read_latency", "Mean time of a read of \(device)", "ms", latency.read),
            gauge("\(name)_write_latency", "Mean time of a write of \(device)", "ms", latency.write),
        ] + percentiles(device, last, now, all)
    }

    /// A repository: in its own archive under plain names.
    mutating func repository(_ uuid: String, _ now: DatapathCounters, labels: [Exposition.Label]) -> [Reading] {
        let latency = latencies("sr/\(uuid)", now)
        return [
            throughput("io_throughput_read", "read", now.readBytes, "sr_read", labels),
            throughput("io_throughput_write", "written", now.writtenBytes, "sr_written", labels),
            throughput("io_throughput_total", "read and written", now.readBytes &+ now.writtenBytes, nil, labels),
            count("iops_read", "Reads a second", now.reads, "sr_reads", labels),
            count("iops_write", "Writes a second", now.writes, "sr_writes", labels),
            count("iops_total", "Reads and writes a second", now.reads &+ now.writes, nil, labels),
            count("iops_flush", "Flushes a second", now.flushes, "sr_flushes", labels),
            gauge("read_latency", "Mean time of a read", "ms", latency.read),
            gauge("write_latency", "Mean time of a write", "ms", latency.write),
        ].compactMap { $0 }
    }

    /// The same numbers as the host's, where clients look for them: names end with the first part of the uuid.
    static func ofHost(_ readings: [Reading], sr uuid: String) -> [Reading] {
        readings.map { reading in
            let source = reading.source
            return Reading(
                MetricSource(
                    "\(source.name)_\(uuid.prefix(8))", "\(source.description), SR \(uuid)", units: source.units,
                    kind: source.kind, minimum: source.minimum, maximum: source.maximum), reading.sample)
        }
    }

    /// How long most requests of the last look took at most.
    private func percentiles(
        _ device: String, _ last: DatapathCounters?, _ now: DatapathCounters, _ labels: [Exposition.Label]
    ) -> [Reading] {
        let kinds: [(word: String, last: [UInt64]?, now: [UInt64]?)] = [
            ("read", last?.readLatency, now.readLatency), ("write", last?.writeLatency, now.writeLatency),
            ("flush", last?.flushLatency, now.flushLatency),
        ]
        return kinds.flatMap { kind in
            LatencyPercentiles.shown.map { percent in
                Reading(
                    MetricSource(
                        "vbd_\(device)_\(kind.word)_latency_p\(percent)",
                        "Time within which \(percent) of 100 \(kind.word) requests of \(device) were answered",
                        units: "ms"),
                    last == nil ? .nan : LatencyPercentiles.milliseconds(percent, kind.last, kind.now),
                    Exposition(
                        "gantry_vm_disk_\(kind.word)_latency_seconds", .gauge,
                        "Time within which this share of the requests of the last seconds was answered.",
                        labels: labels + [.init("quantile", "0.\(percent == 50 ? "5" : "\(percent)")")], scale: 1e-3))
            }
        }
    }

    /// Milliseconds since the look before; 0 when there was no request, NaN at the first look.
    private mutating func latencies(_ key: String, _ now: DatapathCounters) -> (read: Double, write: Double) {
        let last = before[key]
        before[key] = now
        guard let last else { return (.nan, .nan) }
        func mean(_ time: (UInt64, UInt64), _ count: (UInt64, UInt64)) -> Double {
            guard count.1 >= count.0, time.1 >= time.0 else { return .nan }
            return count.1 == count.0 ? 0 : Double(time.1 - time.0) / Double(count.1 - count.0) / 1e6
        }
        return (
            mean((last.readNanoseconds, now.readNanoseconds), (last.reads, now.reads)),
            mean((last.writeNanoseconds, now.writeNanoseconds), (last.writes, now.writes))
        )
    }

    /// Forgets disks and repositories that are not among `keys`.
    mutating func keep(_ isUsed: (String) -> Bool) { before = before.filter { isUsed($0.key) } }

    private func bytes(
        _ name: String, _ what: String, _ value: UInt64, _ family: String, _ labels: [Exposition.Label]
    ) -> Reading {
        Reading(
            MetricSource(name, what, units: "B/s", kind: .counter), Double(value),
            Exposition(
                "gantry_\(family)_bytes_total", .counter, "Bytes moved by requests of this kind.", labels: labels))
    }

    private func throughput(
        _ name: String, _ what: String, _ value: UInt64, _ family: String?, _ labels: [Exposition.Label]
    ) -> Reading {
        Reading(
            MetricSource(name, "Data \(what) a second", units: "MiB/s", kind: .counter),
            Double(value) / Self.mebibyte,
            family.map {
                Exposition(
                    "gantry_\($0)_bytes_total", .counter, "Bytes moved by requests of this kind.", labels: labels,
                    scale: Self.mebibyte)
            })
    }

    private func count(
        _ name: String, _ what: String, _ value: UInt64, _ family: String?, _ labels: [Exposition.Label]
    ) -> Reading {
        Reading(
            MetricSource(name, what, units: "requests/s", kind: .counter), Double(value),
            family.map { Exposition("gantry_\($0)_total", .counter, "Requests of this kind.", labels: labels) })
    }

    /// Only for `/metrics`: archives have the mean times instead.
    private func seconds(_ family: String, _ what: String, _ value: UInt64, _ labels: [Exposition.Label]) -> Reading {
        Reading(
            MetricSource("\(labels.last?.value ?? "")_\(family)_seconds", "", units: "s", kind: .counter),
            Double(value),
            Exposition(
                "gantry_\(family)_seconds_total", .counter, "Time that \(what) took, in seconds.", labels: labels,
                scale: 1e-9), isArchived: false)
    }

    private func gauge(_ name: String, _ what: String, _ units: String, _ value: Double) -> Reading {
        Reading(MetricSource(name, what, units: units), value)
    }
}
