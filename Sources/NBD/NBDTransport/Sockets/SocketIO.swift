import BlockIO
import CLinux
import Glibc

// Whole transfers over a stream socket. Zero is success, anything else a positive errno; EPIPE: end of stream.

/// Sends `count` bytes.
func sendAll(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int32 {
    var sent = 0
    while sent < count {
        // SAFETY: `sent` stays below `count`, which the caller owns.
        let result = unsafe gantry_send(descriptor, bytes + sent, count - sent)
        if result > 0 {
            sent += Int(result)
        } else if result != -Int64(EINTR) {
            return result == 0 ? EPIPE : Int32(-result)
        }
    }
    return 0
}

/// Sends `head` and then `payload`, together where the socket takes it.
func sendAll(_ descriptor: Int32, head: UnsafeMutableRawBufferPointer, payload: UnsafeRawBufferPointer) -> Int32 {
    // SAFETY: both buffers are the caller's for the length of the call; sendmsg does not write to them.
    var first = 0
    while first < head.count {
        let sent = unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vector in
            unsafe vector[0] = unsafe iovec(
                iov_base: head.baseAddress.map { unsafe $0 + first }, iov_len: head.count - first)
            unsafe vector[1] = unsafe iovec(
                iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress), iov_len: payload.count)
            return unsafe gantry_send_vector(descriptor, vector.baseAddress, 2)
        }
        if sent == -Int64(EINTR) { continue }
        if sent <= 0 { return sent == 0 ? EPIPE : Int32(-sent) }
        first += Int(sent)
    }
    let done = first - head.count
    guard done < payload.count, let base = payload.baseAddress else { return 0 }
    return unsafe sendAll(descriptor, base + done, payload.count - done)
}

/// Receives what is there, 1 to `count` bytes: how many, or a negative errno (-EPIPE: no more comes).
@inline(__always)
func receiveSome(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    while true {
        let result = unsafe gantry_receive(descriptor, bytes, count)
        if result > 0 { return Int(result) }
        if result == 0 { return -Int(EPIPE) }
        if result != -Int64(EINTR) { return Int(result) }
    }
}
