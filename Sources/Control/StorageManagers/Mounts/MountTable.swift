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
        let text = FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data()
        return MountTable(parsing: String(decoding: text, as: UTF8.self))
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
