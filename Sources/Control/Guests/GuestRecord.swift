import CLinux
import Foundation

/// What a restarted daemon must know to take a guest over again. Replaced as a whole with every change.
struct GuestRecord: Codable, Sendable {
    /// QEMU's process id; 0 from before it was started until its id was known.
    var pid: Int32 = 0
    /// With `pid`, names the process for ever (clock ticks since boot).
    var startTime: UInt64 = 0
    /// True once the guest was let run. A QEMU that never ran its guest is not adopted.
    var hasRun = false
    /// True while the guest is to wait with its first instruction until `unpause`; nil in records of earlier versions.
    var waits: Bool?
    /// The disks in it are those that are plugged now.
    var specification: GuestSpecification
    /// The root port of each disk, by disk id.
    var ports: [String: Int]
    /// Ports of disks that were taken from the guest and that it has not let go of; nil in records of earlier versions.
    var abandoned: [Int]?

    /// Its role in a passage, and whether its processors were held before; nil: none, as in records of earlier versions.
    var role: GuestRole?
    var wasPaused: Bool?
    /// Whose the passage is: a move's id; nil: none's.
    var owner: String?
    /// Of one that was told to run: its role before; nil in records of earlier versions.
    var orderedFrom: GuestRole?
    /// A guest came to this QEMU, which had to be as the one before; nil: it was started here.
    var hardware: GuestHardware?

    init(specification: GuestSpecification, ports: [String: Int]) {
        self.specification = specification
        self.ports = ports
    }

    /// Whether the recorded process exists.
    var life: ProcessLife { ProcessLife(of: pid, startedAt: startTime) }

    func write(to path: String) throws(GuestError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw GuestError(.system, "cannot write \(path): \(error.localizedDescription)")
        }
    }

    /// Nil when there is none or it cannot be read.
    static func read(from path: String) -> GuestRecord? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        return try? JSONDecoder().decode(GuestRecord.self, from: data)
    }
}
