import BlockIO
import Glibc

/// Whole-buffer reads and writes on a pipe, socket or file.
enum ByteStream {
    /// Fills the buffer unless the stream ends first. Returns the bytes read; 0 is the end.
    static func read(_ descriptor: Int32, into buffer: AlignedBuffer) throws(BlockError) -> Int {
        var filled = 0
        while unsafe filled < buffer.bytes.count {
            // SAFETY: reads into the buffer behind what is filled, at most its rest.
            let n = unsafe Glibc.read(
                descriptor, buffer.bytes.baseAddress.map { unsafe $0 + filled }, buffer.bytes.count - filled)
            if n < 0, errno == EINTR { continue }
            if n < 0 { throw BlockError(call: "read", errno: errno) }
            if n == 0 { break }
            filled += n
        }
        return filled
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(BlockError) {
        var sent = 0
        while sent < bytes.count {
            // SAFETY: inside `bytes`.
            let n = unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + sent }, bytes.count - sent)
            if n < 0, errno == EINTR { continue }
            if n < 0 { throw BlockError(call: "write", errno: errno) }
            sent += n
        }
    }
}
