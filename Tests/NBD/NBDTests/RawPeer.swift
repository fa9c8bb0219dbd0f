import BlockIO
import CLinux
import Glibc
import NBDProtocol
import Testing

/// A client that sends whatever bytes a test wants.
final class RawPeer {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = unsafe gantry_unix_connect(path)
        guard descriptor >= 0 else { throw BlockError(call: "connect", errno: -descriptor) }
    }

    deinit { close(descriptor) }

    /// False when the server has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        // SAFETY: the array's own storage.
        unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                let sent = unsafe gantry_send(descriptor, base + done, buffer.count - done)
                if sent <= 0 { return false }
                done += Int(sent)
            }
            return true
        }
    }

    /// Exactly `count` bytes, or nil when the stream ends before.
    func receive(_ count: Int) -> [UInt8]? {
        var all: [UInt8] = []
        while all.count < count {
            guard let part = receiveSome(count - all.count) else { return nil }
            all += part
        }
        return all
    }

    func receiveSome(_ limit: Int) -> [UInt8]? {
        let part = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            // SAFETY: the new array's own storage.
            count = max(0, Int(unsafe gantry_receive(descriptor, buffer.baseAddress, limit)))
        }
        return part.isEmpty ? nil : part
    }

    /// Whether nothing comes for so many milliseconds.
    func isSilent(for milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) == 0
    }

    /// Reads until the server closes. One that says nothing for minutes and keeps the connection is an issue of the test, and
    /// no hang.
    func drain(_ location: SourceLocation = #_sourceLocation) {
        repeat {
            if isSilent(for: 120_000) {
                Issue.record("the server neither answers nor closes", sourceLocation: location)
                return
            }
        } while receiveSome(65536) != nil
    }

    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Handshake by hand up to the transmission phase, with simple replies.
    func enter(export: String = "disk") -> Bool {
        guard receive(18) != nil else { return false }
        var bytes: [UInt8] = []
        bytes.appendBig(3 as UInt32)
        return send(bytes + Self.option(NBDOption.exportName, Array(export.utf8))) && receive(10) != nil
    }

    static func option(_ option: UInt32, _ data: [UInt8] = [], length: UInt32? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBig(NBDMagic.option)
        bytes.appendBig(option)
        bytes.appendBig(length ?? UInt32(data.count))
        return bytes + data
    }

    static func request(
        _ command: UInt16, flags: UInt16 = 0, handle: UInt64 = 7, offset: UInt64 = 0, length: UInt32 = 0,
        magic: UInt32 = NBDMagic.request
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBig(magic)
        bytes.appendBig(flags)
        bytes.appendBig(command)
        bytes.appendBig(handle)
        bytes.appendBig(offset)
        bytes.appendBig(length)
        return bytes
    }

    /// The error number of the next simple reply.
    func receiveError() -> UInt32? {
        receive(SimpleReply.size).map { $0[4..<8].reduce(0) { $0 << 8 | UInt32($1) } }
    }
}
