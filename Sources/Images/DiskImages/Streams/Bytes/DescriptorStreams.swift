public import BlockIO
import CLinux
import Glibc

/// Reads an open descriptor: a pipe, a socket or a file, blocking or not. The descriptor stays its owner's.
public final class DescriptorSource: ByteSource {
    private let descriptor: Int32
    /// Of a regular file what lies behind its position.
    public let expectedLength: UInt64?

    public init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        // SAFETY: a local variable, filled by the call.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            expectedLength = nil
            return
        }
        let position = max(lseek(descriptor, 0, SEEK_CUR), 0)
        expectedLength = UInt64(clamping: status.st_size - min(position, status.st_size))
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        while true {
            // SAFETY: the caller's buffer with its own size.
            let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let number = errno
            if number == EAGAIN {
                try awaitDescriptor(descriptor, Int16(POLLIN))
            } else if number != EINTR {
                throw BlockError(call: "read", errno: number)
            }
        }
    }
}

/// Writes to an open descriptor, blocking or not. The descriptor stays its owner's. From the first of these on the
/// process ignores SIGPIPE: a reader that went away is the error `.disconnected`.
public final class DescriptorSink: ByteSink {
    private let descriptor: Int32

    public init(_ descriptor: Int32) {
        gantry_ignore_sigpipe()
        self.descriptor = descriptor
    }

    public func write(_ data: UnsafeRawBufferPointer) throws(BlockError) {
        var sent = 0
        while sent < data.count {
            // SAFETY: the rest of the caller's bytes.
            let count = unsafe Glibc.write(descriptor, data.baseAddress.map { unsafe $0 + sent }, data.count - sent)
            if count >= 0 {
                sent += count
                continue
            }
            let number = errno
            if number == EAGAIN {
                try awaitDescriptor(descriptor, Int16(POLLOUT))
            } else if number != EINTR {
                throw BlockError(call: "write", errno: number)
            }
        }
    }
}

/// Sleeps until a non-blocking descriptor is ready, or has failed, which the next call tells.
private func awaitDescriptor(_ descriptor: Int32, _ events: Int16) throws(BlockError) {
    var request = pollfd(fd: descriptor, events: events, revents: 0)
    // SAFETY: one structure of this function's own.
    if unsafe poll(&request, 1, -1) < 0, errno != EINTR { throw BlockError(call: "poll", errno: errno) }
}
