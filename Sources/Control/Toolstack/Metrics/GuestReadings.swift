import Foundation
import MetricArchives

/// Looks at a guest from outside: its QEMU's threads and memory.
enum GuestReadings {
    struct Guest: Sendable {
        let uuid: String
        let name: String
        let pid: Int32
        let vcpus: Int
        /// Bytes.
        let memory: Int64
    }

    static func labels(_ guest: Guest) -> [Exposition.Label] { [.init("vm", guest.uuid), .init("name", guest.name)] }

    static func read(_ guest: Guest, root: String = "") -> [Reading] {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let labels = labels(guest)
        var all: [Reading] = []
        let folder = "\(root)/proc/\(guest.pid)"
        var busy: [Int: Double] = [:]
        for thread in (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/task")) ?? [] {
            let path = "\(folder)/task/\(thread)"
            guard let number = processor(text("\(path)/comm")), let time = time(text("\(path)/stat")) else { continue }
            busy[number] = time / ticks
        }
        for number in 0..<guest.vcpus {
            guard let seconds = busy[number] else { continue }
            all.append(
                Reading(
                    MetricSource(
                        "cpu\(number)", "Share of time that virtual processor \(number) ran", units: "(fraction)",
                        kind: .counter, maximum: 1.1),
                    seconds,
                    Exposition(
                        "gantry_vm_cpu_seconds_total", .counter, "Time that a virtual processor ran, in seconds.",
                        labels: labels + [.init("cpu", String(number))])))
        }
        if busy.count >= guest.vcpus, guest.vcpus > 0 {
            let mean = (0..<guest.vcpus).reduce(0) { $0 + (busy[$1] ?? 0) } / Double(guest.vcpus)
            all.append(
                Reading(
                    MetricSource(
                        "cpu_usage", "Share of time that the virtual processors ran, their average",
                        units: "(fraction)", kind: .counter, maximum: 1.1), mean))
        }
        all.append(
            Reading(
                MetricSource("memory", "Memory that the guest has", units: "B"), Double(guest.memory),
                Exposition("gantry_vm_memory_bytes", .gauge, "Memory that a guest has, in bytes.", labels: labels)))
        if let resident = resident(text("\(folder)/statm")) {
            all.append(
                Reading(
                    MetricSource("memory_resident", "Memory of the host that the guest occupies", units: "B"), resident,
                    Exposition(
                        "gantry_vm_memory_resident_bytes", .gauge,
                        "Memory of the host that a guest and its QEMU occupy, in bytes.", labels: labels)))
        }
        return all
    }

    /// QEMU names the threads of virtual processors `CPU 0/KVM`, `CPU 1/TCG`.
    static func processor(_ comm: String) -> Int? {
        guard comm.hasPrefix("CPU "), let slash = comm.firstIndex(of: "/") else { return nil }
        return Int(comm[comm.index(comm.startIndex, offsetBy: 4)..<slash])
    }

    /// User and system time of a thread's stat line, in ticks. Its name may hold anything: the fields are counted from the
    /// last parenthesis.
    static func time(_ stat: String) -> Double? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return user + system
    }

    /// Bytes of the resident pages, of a statm line.
    static func resident(_ statm: String) -> Double? {
        let fields = statm.split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
