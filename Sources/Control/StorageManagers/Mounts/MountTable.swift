import Foundation

/// What is mounted, as the kernel tells. Source: proc(5), mountinfo.
struct MountTable {
    struct Entry: Equatable {
        /// Where it is.
        let point: String
        let type: String
        /// The device or the server's folder.
        let source: String
    }

    let entries: [Entry]

    static func read() -> MountTable {
        MountTable(parsing: String(decoding: contents(of: "/proc/self/mountinfo"), as: UTF8.self))
    }

    /// The kernel gives such a file in pieces of a page or less: one that is not full is not the last.
    private static func contents(of path: String) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            // SAFETY: reads into the array's own storage, at most its count.
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return all }
            all += part[..<count]
        }
    }

    init(parsing text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard let end = fields.firstIndex(of: "-"), end >= 6, fields.count > end + 2 else { return nil }
            return Entry(
                point: Self.plain(fields[4]), type: fields[end + 1], source: Self.plain(fields[end + 2]))
        }
    }

    /// The uppermost mount at `point`.
    func entry(at point: String) -> Entry? { entries.last { $0.point == point } }

    /// The kernel writes spaces, tabs, newlines and backslashes as three octal digits.
    private static func plain(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            let digits = rest.dropFirst().prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) {
                bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 48) })
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
