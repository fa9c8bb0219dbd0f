import Foundation

/// What this machine says about itself, read when the daemon starts.
struct HostFacts: Sendable {
    let hostname: String
    let kernel: String
    /// Bytes.
    let memoryTotal: Int64
    let memoryFree: Int64
    /// `cpu_info` of class host.
    let processor: [String: String]
    let processorCount: Int

    static func read() -> HostFacts {
        let memory = fields("/proc/meminfo")
        let processors = blocks("/proc/cpuinfo")
        let first = processors.first ?? [:]
        let sockets = Set(processors.compactMap { $0["physical id"] }).count
        let count = max(1, processors.count)
        return HostFacts(
            hostname: ProcessInfo.processInfo.hostName,
            kernel: text("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines),
            memoryTotal: bytes(memory["MemTotal"]), memoryFree: bytes(memory["MemAvailable"]),
            processor: [
                "cpu_count": String(count), "socket_count": String(max(1, sockets)),
                "threads_per_core": "1", "vendor": first["vendor_id"] ?? "", "speed": first["cpu MHz"] ?? "",
                "modelname": first["model name"] ?? "", "family": first["cpu family"] ?? "",
                "model": first["model"] ?? "", "stepping": first["stepping"] ?? "", "flags": first["flags"] ?? "",
                "features": "", "features_pv": "", "features_hvm": "",
            ],
            processorCount: count)
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    private static func blocks(_ path: String) -> [[String: String]] {
        text(path).components(separatedBy: "\n\n").map(parse).filter { !$0.isEmpty }
    }

    private static func fields(_ path: String) -> [String: String] { parse(text(path)) }

    /// Lines of `name : value`.
    private static func parse(_ text: String) -> [String: String] {
        var all: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            all[parts[0].trimmingCharacters(in: .whitespaces)] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        return all
    }

    /// `123 kB` in bytes.
    private static func bytes(_ text: String?) -> Int64 {
        let number = text?.split(separator: " ").first.flatMap { Int64($0) } ?? 0
        return number.multipliedReportingOverflow(by: 1024).partialValue
    }
}
