import BlockIO
import COpenSSL
import CoreTypes
import Glibc

/// TLS over one connected socket, on the threads of those who use it: one that receives, any number that send, at once.
///
/// OpenSSL's object may be used by one thread at a time, and one that waits for a peer must not hold it. So it never sees
/// the socket: it turns plain into enciphered bytes and back, in memory and under a lock, and the bytes are received and
/// sent outside that lock. What it wants to say while receiving (a key's renewal) goes out with the next send.
@safe
final class TLSSession: @unchecked Sendable {
    // @unchecked, SAFETY: `state` and the BIOs, which it owns, are used with `lock` held; `received` belongs to the
    // receiving thread, `enciphered` to the one that holds `sending`. Locks are taken in the order `sending`, `lock`.

    /// Plain bytes enciphered at once; bounds what is held.
    private static let piece = 64 << 10

    private let descriptor: Int32
    private let state: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let lock = Monitor()
    private let sending = Monitor()
    private let received: MappedBuffer
    private let enciphered: MappedBuffer

    /// Does the handshake. `peerName`: whom the server's certificate must name, a host or a numeric address; a server's
    /// side has none. The descriptor stays the caller's.
    init(
        _ credentials: TLSCredentials, descriptor: Int32, peerName: String?, until deadline: HandshakeDeadline
    ) throws(BlockError) {
        guard let received = MappedBuffer(capacity: 256 << 10), let enciphered = MappedBuffer(capacity: 128 << 10),
            let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()),
            let state = unsafe SSL_new(credentials.context)
        else { throw BlockError(.io, "no memory for a TLS connection") }
        unsafe SSL_set_bio(state, incoming, outgoing)
        self.descriptor = descriptor
        unsafe self.state = state
        unsafe self.incoming = incoming
        unsafe self.outgoing = outgoing
        self.received = received
        self.enciphered = enciphered
        if credentials.isServer {
            unsafe SSL_set_accept_state(state)
        } else {
            unsafe SSL_set_connect_state(state)
            guard let peerName, unsafe Self.demand(peerName, of: state) else {
                throw BlockError(.denied, "a server's certificate cannot be checked without a name")
            }
        }
        try handshake(until: deadline)
    }

    deinit { unsafe SSL_free(state) }

    private static func demand(_ name: String, of state: OpaquePointer) -> Bool {
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(state), name) == 1 { return true }
        ERR_clear_error()
        // The extension by which a server of several names chooses its certificate.
        let told = unsafe name.withCString {
            unsafe SSL_ctrl(
                state, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
                UnsafeMutableRawPointer(mutating: $0))
        }
        return unsafe told == 1 && SSL_set1_host(state, name) == 1
    }

    private func handshake(until deadline: HandshakeDeadline) throws(BlockError) {
        while true {
            ERR_clear_error()
            let result = unsafe SSL_do_handshake(state)
            let reason = result == 1 ? SSL_ERROR_NONE : unsafe SSL_get_error(state, result)
            let words = result == 1 || reason == SSL_ERROR_WANT_READ ? "" : failure
            // An alert, too, goes out: the peer shall know.
            let status = drain()
            if result == 1, status == 0 { return }
            guard reason == SSL_ERROR_WANT_READ, status == 0 else {
                throw BlockError(.denied, "the TLS handshake failed: \(status == 0 ? words : "the peer is gone")")
            }
            if !deadline.bound(descriptor) || receiveEnciphered() < 0 {
                throw BlockError(
                    .disconnected, "the peer closed the connection in the TLS handshake, or does not answer")
            }
        }
    }

    private var failure: String {
        let words = TLSCredentials.reason
        let verdict = unsafe SSL_get_verify_result(state)
        guard verdict != Int(X509_V_OK), let text = unsafe X509_verify_cert_error_string(verdict) else { return words }
        return unsafe "\(words): \(String(cString: text))"
    }

    /// Sends what waits in `outgoing`, while nobody else uses the session.
    private func drain() -> Int32 {
        while case let count = unsafe BIO_read(outgoing, enciphered.base, Int32(enciphered.capacity)), count > 0 {
            let status = unsafe sendAll(descriptor, enciphered.base, Int(count))
            if status != 0 { return status }
        }
        return 0
    }

    /// 1, or a negative errno.
    private func receiveEnciphered() -> Int {
        let count = unsafe receiveSome(descriptor, received.base, received.capacity)
        guard count > 0 else { return count }
        lock.lock()
        defer { lock.unlock() }
        return unsafe BIO_write(incoming, received.base, Int32(count)) == Int32(count) ? 1 : -Int(ENOMEM)
    }

    /// As `receiveSome`, of plain bytes. By one thread. `deadline`: of the peer's handshake, whole or in pieces (-EAGAIN).
    func receive(_ bytes: UnsafeMutableRawPointer, _ count: Int, until deadline: HandshakeDeadline? = nil) -> Int {
        while true {
            lock.lock()
            ERR_clear_error()
            let result = unsafe SSL_read(state, bytes, Int32(min(count, 1 << 30)))
            let reason = result > 0 ? SSL_ERROR_NONE : unsafe SSL_get_error(state, result)
            lock.unlock()
            if result > 0 { return Int(result) }
            if reason == SSL_ERROR_ZERO_RETURN { return -Int(EPIPE) }
            guard reason == SSL_ERROR_WANT_READ else { return -Int(EPROTO) }
            guard deadline?.bound(descriptor) != false else { return -Int(EAGAIN) }
            let more = receiveEnciphered()
            if more < 0 { return more }
        }
    }

    /// As `sendAll`. By any thread.
    func send(_ bytes: UnsafeRawPointer, _ count: Int) -> Int32 {
        sending.lock()
        defer { sending.unlock() }
        var done = 0
        while done < count {
            var length = 0
            let result = unsafe encipher(bytes + done, min(count - done, Self.piece), &length)
            guard result > 0, length > 0 else { return EPROTO }
            let status = unsafe sendAll(descriptor, enciphered.base, length)
            if status != 0 { return status }
            done += result
        }
        return 0
    }

    /// With `sending` held. `length`: bytes to be sent.
    private func encipher(_ bytes: UnsafeRawPointer, _ count: Int, _ length: inout Int) -> Int {
        lock.lock()
        defer { lock.unlock() }
        ERR_clear_error()
        let result = unsafe SSL_write(state, bytes, Int32(count))
        // 64 KiB make five records at most: with what they add they fit.
        if result > 0 { length = Int(unsafe BIO_read(outgoing, enciphered.base, Int32(enciphered.capacity))) }
        return Int(result)
    }

    /// Sends for as long as `patience` lasts; what is left then is in `unsent`.
    func send(_ bytes: UnsafeRawBufferPointer, within patience: Patience, unsent: inout UnsentBytes) -> Int32 {
        sending.lock()
        defer { sending.unlock() }
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            var length = 0
            // SAFETY: `done` stays below the count of the caller's buffer.
            let result = unsafe encipher(base + done, min(bytes.count - done, Self.piece), &length)
            guard result > 0, length > 0 else { return EPROTO }
            done += result
            // SAFETY: `enciphered` holds as much and is this thread's while `sending` is held.
            let ready = unsafe UnsafeRawBufferPointer(start: enciphered.base, count: length)
            var sent = 0
            let status = unsafe sendSome(
                descriptor, ready, UnsafeRawBufferPointer(start: nil, count: 0), within: patience, sent: &sent)
            if status == EAGAIN {
                unsafe unsent.raw += ready.dropFirst(sent)
                unsafe unsent.plain += bytes.dropFirst(done)
                return 0
            }
            if status != 0 { return status }
        }
        return 0
    }

    /// Says that nothing more follows, so that the peer can tell the end from a cut.
    func finish() {
        sending.lock()
        defer { sending.unlock() }
        lock.lock()
        ERR_clear_error()
        unsafe SSL_shutdown(state)
        ERR_clear_error()
        let length = unsafe BIO_read(outgoing, enciphered.base, Int32(enciphered.capacity))
        lock.unlock()
        if length > 0 { _ = unsafe sendAll(descriptor, enciphered.base, Int(length)) }
    }
}
