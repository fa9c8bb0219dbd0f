import Foundation

/// A guest's folder in the runtime directory and the files in it, mode 0700.
struct GuestFolder: Sendable {
    /// `RUN/guests`.
    static func all(in runDirectory: String) -> String { runDirectory + "/guests" }

    let path: String

    /// Throws `.invalidSpecification` for an identifier that is no plain name.
    init(runDirectory: String, uuid: String) throws(GuestError) {
        guard Self.isPlain(uuid) else {
            throw GuestError(.invalidSpecification, "a guest's uuid is 1 to 64 letters, digits and '-'")
        }
        path = Self.all(in: runDirectory) + "/" + uuid
    }

    /// pid, start time and specification (`GuestRecord`); what adoption goes by.
    var record: String { path + "/record.json" }
    /// QEMU's monitor.
    var qmp: String { path + "/qmp.sock" }
    /// The guest's first serial port.
    var console: String { path + "/console.sock" }
    /// The guest's screen, for VNC clients. Nil when the path is longer than QEMU can bind: there is no screen then.
    var vnc: String? {
        let place = path + "/vnc.sock"
        return place.utf8.count <= Self.longestSocketPath ? place : nil
    }
    /// Bytes of a Unix socket's path (unix(7)).
    private static let longestSocketPath = 107
    /// What QEMU prints.
    var log: String { path + "/qemu.log" }

    func make() throws(GuestError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw GuestError(.system, "cannot make \(path): \(error.localizedDescription)")
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// The last lines of the log, at most 2 KiB, on one line; empty when QEMU printed nothing.
    func logTail() -> String {
        guard let handle = FileHandle(forReadingAtPath: log) else { return "" }
        defer { try? handle.close() }
        let limit: UInt64 = 2048
        let size = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: size > limit ? size - limit : 0)
        let data = (try? handle.read(upToCount: Int(limit))) ?? nil
        let lines = String(decoding: data ?? Data(), as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.suffix(8).joined(separator: "; ")
    }

    static func isPlain(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
