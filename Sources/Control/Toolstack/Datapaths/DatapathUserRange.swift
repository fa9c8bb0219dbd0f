import CLinux
import Foundation

/// Numbers of users that no other toolstack of this machine has for its data paths: locked in a file that all of them know, each
/// number a byte of it, as long as this lives. Two data paths of the same user could end each other.
final class DatapathUserRange: Sendable {
    static let count: UInt32 = 65536
    /// Where the search for a range begins, and where it ends: numbers that the system's own services give to nobody.
    static let standardFirst: UInt32 = 1_900_000_000
    private static let standardLast: UInt32 = 2_100_000_000
    /// Root's alone: whoever could lock it could keep data paths from being started.
    static let standardFile = "/run/gantry-datapath-users"

    struct Taken: Error, CustomStringConvertible {
        let description: String
    }

    let first: UInt32
    /// Those of it that processes are now: data paths of a toolstack that has ended, ours or another's, live on.
    let present: Set<UInt32>
    private let descriptor: Int32

    /// `wanted` nil: the first range from 1900000000 on that nobody has. 0, or without root, which alone can change users: nil.
    /// Throws `Taken` when another toolstack has some of the range, or the file cannot be had.
    static func claim(
        _ wanted: UInt32?, file: String = standardFile, isRoot: Bool = geteuid() == 0
    ) throws -> DatapathUserRange? {
        guard isRoot, wanted != 0 else { return nil }
        // SAFETY: Swift's own temporary C string.
        let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw Taken(
                description: "cannot open \(file), by which gantryds know each other's users: \(reason); "
                    + "with --datapath-uid-base 0 data paths are this gantryd's own user")
        }
        var first = wanted ?? standardFirst
        while true {
            let status = gantry_lock_range(descriptor, UInt64(first), UInt64(count))
            if status == 0 { return DatapathUserRange(first, descriptor) }
            guard wanted == nil, status == -EAGAIN || status == -EACCES, first < standardLast else {
                close(descriptor)
                let reason =
                    status == -EAGAIN || status == -EACCES
                    ? "another gantryd of this machine has some of them for its data paths"
                    : unsafe String(cString: strerror(-status))
                throw Taken(
                    description: "the users \(first) to \(first + (count - 1)) cannot be had: \(reason); "
                        + "give another --datapath-uid-base, \(count) away from it at least, or none")
            }
            first += count
        }
    }

    private init(_ first: UInt32, _ descriptor: Int32) {
        self.first = first
        self.descriptor = descriptor
        present = Self.users(from: first)
    }

    deinit { close(descriptor) }

    /// The users of all processes, as far as they are in the range. The owner of /proc/PID says nothing: that of a process which
    /// nobody may look into is root.
    private static func users(from first: UInt32) -> Set<UInt32> {
        var found: Set<UInt32> = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard Int32(name) != nil, let text = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Uid:") })
            else { continue }
            for word in line.split(whereSeparator: { $0 == "\t" || $0 == " " }) {
                if let user = UInt32(word), user >= first, user - first < count { found.insert(user) }
            }
        }
        return found
    }
}
