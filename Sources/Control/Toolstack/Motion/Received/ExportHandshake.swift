import APITypes
import CLinux
import DatapathControl
import Foundation

/// The two handshakes of NBD, one to the other: a data path's, in which a client asks for an export by its name, and the one of the
/// first servers, which is all that tapdisk knows. What follows them is the same. Source: the NBD protocol, "oldstyle" and
/// "fixed newstyle" negotiation.
enum ExportHandshake {
    private static let magic: [UInt8] = Array("NBDMAGIC".utf8)
    private static let option: [UInt8] = Array("IHAVEOPT".utf8)
    /// Seconds that a data path may take to answer.
    private static let patience = 10

    /// Seconds that it may take to flush what a copy has left in memory.
    private static let flushPatience = 1800

    /// What a flush was answered with: a number of NBD's, as errno has them.
    struct FlushRefused: Error {
        let error: UInt32
    }

    /// A socket connected with a data path's server. `export` nil: nothing has been said on it. Otherwise that export follows on it,
    /// and the greeting, with that size in bytes, is what the client is to be told before.
    static func open(
        _ socket: String, export: String?, size: UInt64
    ) async throws -> (descriptor: Int32, greeting: [UInt8]) {
        let descriptor = try await aside { try openBlocking(socket, export: export) }
        return (descriptor, export == nil ? [] : greeting(size: size))
    }

    /// Makes durable what a data path's clients have been answered. Throws `FlushRefused`; anything else where it does not answer.
    static func flush(_ socket: String) async throws {
        try await aside {
            let descriptor = try openBlocking(socket, export: DatapathExport.disk)
            defer { close(descriptor) }
            limitWait(on: descriptor, seconds: flushPatience)
            // The magic, no flags, NBD_CMD_FLUSH, and a cookie; no place and no length.
            try send(
                [0x25, 0x60, 0x95, 0x13, 0, 0, 0, 3] + bytes(UInt64(1)) + [UInt8](repeating: 0, count: 12),
                to: descriptor)
            let answer = try receive(16, from: descriptor)
            guard answer.starts(with: [0x67, 0x44, 0x66, 0x98]) else { throw silence }
            let error = answer[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
            // NBD_CMD_DISC.
            try? send([0x25, 0x60, 0x95, 0x13, 0, 0, 0, 2] + [UInt8](repeating: 0, count: 20), to: descriptor)
            if error != 0 { throw FlushRefused(error: error) }
        }
    }

    private static func aside<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await DatapathClient.onOwnThread(body)
    }

    private static func openBlocking(_ socket: String, export: String?) throws -> Int32 {
        // SAFETY: the C string lives for the call.
        let descriptor = unsafe socket.withCString { unsafe gantry_unix_connect($0) }
        guard descriptor >= 0 else { throw silence }
        guard let export else { return descriptor }
        do {
            limitWait(on: descriptor, seconds: patience)
            // NBDMAGIC, IHAVEOPT, and two bytes of flags.
            let hello = try receive(18, from: descriptor)
            guard hello.starts(with: magic + option) else { throw silence }
            try send(request(export), to: descriptor)
            // The size of the image, and what it can do.
            _ = try receive(10, from: descriptor)
            limitWait(on: descriptor, seconds: 0)
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// The client's flags (fixed newstyle, no zeroes), and NBD_OPT_EXPORT_NAME.
    static func request(_ export: String) -> [UInt8] {
        let name = Array(export.utf8)
        return [0, 0, 0, 3] + option + [0, 0, 0, 1] + bytes(UInt32(name.count)) + name
    }

    /// The whole of the old handshake: the size, and flags that promise nothing, as tapdisk's server has them.
    static func greeting(size: UInt64) -> [UInt8] {
        magic + [0x00, 0x00, 0x42, 0x02, 0x81, 0x86, 0x12, 0x53] + bytes(size) + [UInt8](repeating: 0, count: 4 + 124)
    }

    private static func bytes(_ number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        stride(from: number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static let silence = APIError.internalError("the data path does not answer; try again")

    private static func receive(_ count: Int, from descriptor: Int32) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: count - bytes.count)
            // SAFETY: reads into the array, no more than it has.
            let got = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw silence }
            bytes += piece.prefix(got)
        }
        return bytes
    }

    private static func send(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: writes from the array, no more than it has.
            let put = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { throw silence }
            rest = rest.dropFirst(put)
        }
    }

    /// 0: for ever.
    private static func limitWait(on descriptor: Int32, seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        // SAFETY: the option's value is the structure, for the call.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
}
