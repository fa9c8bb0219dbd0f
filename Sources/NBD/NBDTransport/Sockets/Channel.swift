import BlockIO
import CLinux
import Glibc

/// A connected stream socket, plain or in TLS. One thread receives, any number send; each send must be kept whole by its
/// callers. It does not own the descriptor.
final class Channel: @unchecked Sendable {
    // @unchecked: `tls` is set during the handshake, by the only thread that knows the channel then.
    let descriptor: Int32
    private(set) var tls: TLSSession?

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Goes over to TLS, as the side that the credentials are for.
    func secure(
        _ credentials: TLSCredentials, peerName: String? = nil, until deadline: HandshakeDeadline
    ) throws(BlockError) {
        tls = try TLSSession(credentials, descriptor: descriptor, peerName: peerName, until: deadline)
    }

    /// Makes whoever waits for the peer return soon. The descriptor must still be open.
    func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Sends `count` bytes: 0 or an errno.
    @inline(__always)
    func send(_ bytes: UnsafeRawPointer, _ count: Int) -> Int32 {
        if let tls { return unsafe tls.send(bytes, count) }
        return unsafe sendAll(descriptor, bytes, count)
    }

    /// Sends `head` and then `payload`, together where that costs nothing.
    func send(head: UnsafeMutableRawBufferPointer, payload: UnsafeRawBufferPointer) -> Int32 {
        guard let tls else { return unsafe sendAll(descriptor, head: head, payload: payload) }
        // SAFETY: the callers' buffers, for the length of the call.
        if let base = head.baseAddress, case let status = unsafe tls.send(base, head.count), status != 0 {
            return status
        }
        guard let base = payload.baseAddress, payload.count > 0 else { return 0 }
        return unsafe tls.send(base, payload.count)
    }

    func send(_ bytes: [UInt8]) -> Int32 {
        // SAFETY: the array's own storage.
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe send(base, buffer.count)
        }
    }

    /// Receives what is there, 1 to `count` bytes: how many, or a negative errno (-EPIPE: no more comes).
    @inline(__always)
    func receive(_ bytes: UnsafeMutableRawPointer, _ count: Int, until deadline: HandshakeDeadline? = nil) -> Int {
        if let tls { return unsafe tls.receive(bytes, count, until: deadline) }
        return unsafe receiveSome(descriptor, bytes, count)
    }

    /// Receives up to `limit` bytes of a handshake; nil at the end of the stream, on an error or when its time is over.
    func receiveBytes(limit: Int, until deadline: HandshakeDeadline) -> [UInt8]? {
        guard deadline.bound(descriptor) else { return nil }
        // SAFETY: the array is made with room for `limit` bytes, of which `result` are filled.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            count = max(0, unsafe receive(base, limit, until: deadline))
        }
        return bytes.isEmpty ? nil : bytes
    }
}
