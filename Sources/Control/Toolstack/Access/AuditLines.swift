import Foundation
import RPCCodec

/// The lines of an audit log from a time on, in pieces of whole lines. The log may go on, or be put aside, meanwhile: what
/// was there at the beginning is what is read.
public struct AuditLines: AsyncSequence, Sendable {
    private let files: [FileHandle]
    private let since: Int64

    private static let chunk = 64 * 1024

    /// `since` in seconds since 1970.
    public init(_ log: AuditLog, since: Int64) {
        // Opened now: a file that is renamed later is still the same.
        files = log.files.compactMap { FileHandle(forReadingAtPath: $0) }
        self.since = since
    }

    public func makeAsyncIterator() -> Iterator { Iterator(files: files[...], since: since) }

    public struct Iterator: AsyncIteratorProtocol {
        private var files: ArraySlice<FileHandle>
        private let since: Int64
        private var rest: [UInt8] = []

        init(files: ArraySlice<FileHandle>, since: Int64) {
            self.files = files
            self.since = since
        }

        public mutating func next() async throws -> [UInt8]? {
            while let file = files.first {
                guard let piece = try file.read(upToCount: AuditLines.chunk), !piece.isEmpty else {
                    try file.close()
                    files = files.dropFirst()
                    // A line that broke off is no line.
                    rest = []
                    continue
                }
                rest += piece
                guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
                let whole = rest[...end]
                rest = Array(rest[(end + 1)...])
                let wanted = since == .min ? Array(whole) : Self.filter(whole, since: since)
                if !wanted.isEmpty { return wanted }
            }
            return nil
        }

        private static func filter(_ lines: ArraySlice<UInt8>, since: Int64) -> [UInt8] {
            var wanted: [UInt8] = []
            for line in lines.split(separator: UInt8(ascii: "\n")) where time(of: line) ?? .max >= since {
                wanted += line + [UInt8(ascii: "\n")]
            }
            return wanted
        }

        /// Lines begin with their time: `{"time":"20261128T22:00:00Z",…`.
        private static func time(of line: ArraySlice<UInt8>) -> Int64? {
            let head = Array(#"{"time":""#.utf8)
            guard line.starts(with: head) else { return nil }
            let text = line.dropFirst(head.count).prefix { $0 != UInt8(ascii: "\"") }
            return DateTimeText.parse(String(decoding: text, as: UTF8.self))
        }
    }
}
