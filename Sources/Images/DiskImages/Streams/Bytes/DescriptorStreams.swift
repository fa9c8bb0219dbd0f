public import BlockIO
import CLinux
public import CoreTypes
import Glibc

/// Reads an open descriptor: a pipe, a socket or a file, blocking or not. The descriptor stays its owner's.
public final class DescriptorSource: ByteSource {
    private let descriptor: Int32
    private let cancellation: CancellationFlag?
    /// Of a regular file what lies behind its position.
    public let expectedLength: UInt64?

    /// - Parameter cancellation: ends a read with `.cancelled`, also one that waits for bytes that do not come.
    public init(_ descriptor: Int32, cancellation: CancellationFlag? = nil) {
        self.descriptor = descriptor
        self.cancellation = cancellation
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
        // What is there is read without waiting for more.
        if let cancellation { try awaitDescriptor(descriptor, Int16(POLLIN), unless: cancellation) }
        while true {
            // SAFETY: the caller's buffer with its own size.
            let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let number = errno
            if number == EAGAIN {
                try awaitDescriptor(descriptor, Int16(POLLIN), unless: cancellation)
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
    private let cancellation: CancellationFlag?
    /// Bytes that it holds while nobody reads; 0 for what is no pipe.
    private let pipeCapacity: Int
    private let isSocket: Bool

    /// - Parameter cancellation: ends a write with `.cancelled`, also one that waits for a reader that does not read.
    public init(_ descriptor: Int32, cancellation: CancellationFlag? = nil) {
        gantry_ignore_sigpipe()
        self.descriptor = descriptor
        self.cancellation = cancellation
        var status = stat()
        // SAFETY: a local variable, filled by the call.
        let kind = unsafe fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        isSocket = kind == S_IFSOCK
        // F_GETPIPE_SZ, a macro that is not imported.
        pipeCapacity = kind == S_IFIFO ? max(Self.page, Int(fcntl(descriptor, 1032))) : 0
    }

    /// A pipe that can be written at all takes as much at once (PIPE_BUF).
    private static let page = 4096

    public func write(_ data: UnsafeRawBufferPointer) throws(BlockError) {
        var sent = 0
        while sent < data.count {
            var most = data.count - sent
            if let cancellation {
                try awaitDescriptor(descriptor, Int16(POLLOUT), unless: cancellation)
                if pipeCapacity > 0 { most = min(most, room()) }
            }
            // SAFETY: the rest of the caller's bytes, or the first of it.
            let start = unsafe data.baseAddress.map { unsafe $0 + sent }
            let count =
                isSocket && cancellation != nil
                ? unsafe send(descriptor, start, most, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                : unsafe Glibc.write(descriptor, start, most)
            if count >= 0 {
                sent += count
                continue
            }
            let number = errno
            if number == EAGAIN {
                try awaitDescriptor(descriptor, Int16(POLLOUT), unless: cancellation)
            } else if number != EINTR {
                throw BlockError(call: "write", errno: number)
            }
        }
    }

    /// Bytes that a pipe which can be written takes without waiting: all it holds when it is empty.
    private func room() -> Int {
        var unread: Int32 = 0
        // SAFETY: a local variable, filled by the call.
        return unsafe ioctl(descriptor, UInt(FIONREAD), &unread) == 0 && unread == 0 ? pipeCapacity : Self.page
    }
}

/// Sleeps until a descriptor is ready, or has failed, which the next call tells. `.cancelled` soon after `cancellation`
/// is set.
private func awaitDescriptor(
    _ descriptor: Int32, _ events: Int16, unless cancellation: CancellationFlag?
) throws(BlockError) {
    while true {
        if let cancellation, cancellation.isCancelled { throw BlockError(.cancelled, "the transfer was cancelled") }
        var request = pollfd(fd: descriptor, events: events, revents: 0)
        // SAFETY: one structure of this function's own.
        let count = unsafe poll(&request, 1, cancellation == nil ? -1 : 100)
        if count > 0 { return }
        if count < 0, errno != EINTR { throw BlockError(call: "poll", errno: errno) }
    }
}
