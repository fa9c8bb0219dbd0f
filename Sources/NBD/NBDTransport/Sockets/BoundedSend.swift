import BlockIO
import CLinux
import Glibc

/// What is left of a request whose sender could not wait: it must go out before anything else.
struct UnsentBytes {
    /// As they go over the socket, enciphered where there is TLS.
    var raw: [UInt8] = []
    /// Behind them, as they are before that.
    var plain: [UInt8] = []

    var isEmpty: Bool { raw.isEmpty && plain.isEmpty }
}

// SAFETY (whole file): all pointers are into the callers' buffers, for the length of the call, and nothing writes to them.
extension Channel {
    /// As `send(head:payload:)`, for as long as `patience` lasts; what is left then is in `unsent`, of its own memory. All of it
    /// being left nothing has gone out, and `unsent` is empty: -EAGAIN.
    func send(
        head: UnsafeMutableRawBufferPointer, payload: UnsafeRawBufferPointer, within patience: Patience,
        unsent: inout UnsentBytes
    ) -> Int32 {
        if let tls { return unsafe tls.send(UnsafeRawBufferPointer(head), payload, within: patience, unsent: &unsent) }
        var sent = 0
        let status = unsafe sendSome(descriptor, UnsafeRawBufferPointer(head), payload, within: patience, sent: &sent)
        guard status == EAGAIN, sent > 0 else { return status }
        unsafe unsent.raw += head.dropFirst(sent)
        unsafe unsent.raw += payload.dropFirst(max(0, sent - head.count))
        return 0
    }

    /// Sends what was left, however long it takes. `progress` hears of each part that has gone out.
    func send(_ unsent: UnsentBytes, progress: () -> Void) -> Int32 {
        let status = unsafe inParts(unsent.raw, progress) { unsafe sendAll(descriptor, $0, $1) }
        return unsafe status != 0 ? status : inParts(unsent.plain, progress) { unsafe send($0, $1) }
    }

    private func inParts(
        _ bytes: [UInt8], _ progress: () -> Void, _ send: (UnsafeRawPointer, Int) -> Int32
    ) -> Int32 {
        unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 as Int32 }
            var sent = 0
            while sent < bytes.count {
                let part = min(bytes.count - sent, ClientLink.piece)
                let status = unsafe send(base + sent, part)
                if status != 0 { return status }
                sent += part
                progress()
            }
            return 0
        }
    }
}

/// Sends `head` and then `payload`: 0, or an errno. `sent` grows by what has gone out; EAGAIN: the time was over.
func sendSome(
    _ descriptor: Int32, _ head: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, within patience: Patience,
    sent: inout Int
) -> Int32 {
    while sent < head.count + payload.count {
        let first = min(sent, head.count)
        let second = sent - first
        let result = unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vector in
            unsafe vector[0] = unsafe iovec(
                iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress.map { unsafe $0 + first }),
                iov_len: head.count - first)
            unsafe vector[1] = unsafe iovec(
                iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress.map { unsafe $0 + second }),
                iov_len: payload.count - second)
            var message = unsafe msghdr()
            unsafe message.msg_iov = vector.baseAddress
            unsafe message.msg_iovlen = 2
            let count = unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            return count < 0 ? -Int(errno) : count
        }
        switch result {
        case 1...: sent += result
        case -Int(EINTR): continue
        case -Int(EAGAIN):
            if !awaitRoom(descriptor, within: patience) { return EAGAIN }
        default: return result == 0 ? EPIPE : Int32(-result)
        }
    }
    return 0
}

/// Waits until the socket takes something. False: the time is over.
private func awaitRoom(_ descriptor: Int32, within patience: Patience) -> Bool {
    let rest = patience.rest
    if rest == 0 { return false }
    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // At least a millisecond: zero means not at all.
    _ = unsafe poll(&wanted, 1, Int32(clamping: max(1, rest / 1_000_000)))
    return true
}

extension TLSSession {
    /// As `Channel.send(head:payload:within:unsent:)`. What was enciphered must be sent in that order.
    func send(
        _ head: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, within patience: Patience,
        unsent: inout UnsentBytes
    ) -> Int32 {
        let status = unsafe send(head, within: patience, unsent: &unsent)
        if unsafe status != 0 || payload.isEmpty { return status }
        if !unsent.isEmpty {
            unsafe unsent.plain += payload
            return 0
        }
        return unsafe send(payload, within: patience, unsent: &unsent)
    }
}
