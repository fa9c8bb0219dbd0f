import Foundation

/// What a guest that KVM executes can see of a machine's processor, as one text: equal texts, equal processors for a guest.
/// A guest that was started on one cannot go on with another: it has looked what there is once, when it booted.
enum ProcessorTraits {
    /// Of this machine.
    static func current() -> String { of((try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "") }

    /// `text` as /proc/cpuinfo has it (proc_cpuinfo(5)); the first processor counts.
    static func of(_ text: String) -> String {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            // An empty line ends a processor.
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else { continue }
            let key = line[..<colon].trimmingCharacters(in: .whitespaces)
            values[key] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        let flags = Set((values["flags"] ?? "").split(separator: " ").map(String.init)).sorted()
        let identity = ["vendor_id", "cpu family", "model", "stepping"].map { values[$0] ?? "?" }
        return identity.joined(separator: "/") + " " + flags.joined(separator: ",")
    }
}
