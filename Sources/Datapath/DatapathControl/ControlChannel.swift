import CLinux
import FoundationEssentials
import Glibc

/// Lines of JSON over a connected stream socket; both ends of the control protocol use it. Owns the descriptor.
public final class ControlChannel {
    /// Longest line accepted, bytes: a peer cannot make us hold more.
    public static let longestLine = 1 << 20

    private let descriptor: Int32
    private var pending: [UInt8] = []

    /// Files that came with messages, until somebody takes them.
    private var files: [Int32] = []
    private let takesFiles: Bool

    /// `takesFiles`: not only messages are accepted.
    public init(descriptor: Int32, takesFiles: Bool = false) {
        self.descriptor = descriptor
        self.takesFiles = takesFiles
    }

    deinit {
        for file in files { close(file) }
        close(descriptor)
    }

    /// The files that have come since the last call, in their order; the caller's from then on.
    public func takeFiles() -> [Int32] {
        defer { files = [] }
        return files
    }

    /// As that, of the first `count`: those that a message said are its own.
    public func takeFiles(_ count: Int) -> [Int32] {
        let taken = Array(files.prefix(count))
        files.removeFirst(taken.count)
        return taken
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        public init(_ description: String) { self.description = description }
    }

    /// The socket's receive time limit passed.
    struct TimedOut: Error {}

    /// `files` go with the message and stay the caller's.
    public func send<Message: Encodable>(_ message: Message, files: [Int32] = []) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        var bytes = [UInt8](try encoder.encode(message))
        bytes.append(UInt8(ascii: "\n"))
        var sent = 0
        while sent < bytes.count {
            // SAFETY: the slice lies inside `bytes`.
            let n = unsafe bytes.withUnsafeBytes {
                let rest = unsafe $0.baseAddress.map { unsafe $0 + sent }
                if sent > 0 || files.isEmpty { return unsafe gantry_send(descriptor, rest, $0.count - sent) }
                return unsafe gantry_send_files(descriptor, rest, $0.count, files, Int32(files.count))
            }
            if n == -Int64(EINTR) { continue }
            guard n > 0 else { throw Failure("the control connection broke: \(Self.text(n))") }
            sent += Int(n)
        }
    }

    /// The next message; nil when the peer has closed. Throws on a line that is too long or is not the message.
    public func receive<Message: Decodable>(_ type: Message.Type) throws -> Message? {
        guard let line = try receiveLine() else { return nil }
        return try JSONDecoder().decode(type, from: Data(line))
    }

    private func receiveLine() throws -> [UInt8]? {
        var searched = 0
        while true {
            if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(pending[..<end])
                pending.removeFirst(end + 1)
                return line
            }
            searched = pending.count
            guard pending.count < Self.longestLine else { throw Failure("a control message is longer than 1 MiB") }
            var chunk = [UInt8](repeating: 0, count: 16384)
            // SAFETY: receives into the array's own storage, at most its count.
            var handed = [Int32](repeating: -1, count: NamedFile.most)
            var count: Int32 = 0
            let room = takesFiles ? Int32(handed.count - min(files.count, handed.count)) : 0
            let n = unsafe chunk.withUnsafeMutableBytes {
                unsafe gantry_receive_files(descriptor, $0.baseAddress, $0.count, &handed, room, &count)
            }
            files += handed[..<Int(count)]
            if n == -Int64(EINTR) { continue }
            if n == 0 || n == -Int64(ECONNRESET) { return nil }
            if n == -Int64(EAGAIN) { throw TimedOut() }
            guard n > 0 else { throw Failure("the control connection broke: \(Self.text(n))") }
            pending.append(contentsOf: chunk[..<Int(n)])
        }
    }

    private static func text(_ result: Int64) -> String {
        result == 0 ? "closed" : unsafe String(cString: strerror(Int32(clamping: -result)))
    }
}
