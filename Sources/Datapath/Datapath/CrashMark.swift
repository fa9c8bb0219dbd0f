import BlockIO
import Glibc
import Synchronization

/// A filter that keeps a mark outside this process while answered changes depend on metadata in its memory, so that
/// their loss does not go unnoticed.
///
/// An image format writes its tables when it flushes. Should this process be killed before that, what was written since
/// is gone although the machine lives on; clients reconnect to the next process and their next flush would succeed. The
/// mark tells the next process, which fails that flush.
///
/// A flush that failed leaves the mark, too: what it was to make durable may be lost, the file or server that refused it knows
/// it only as long as this process has it open, and a kernel tells of a failed write-back once. So does an image that could
/// not be closed, at the end or for a pause, and a failed flush that no client had asked for (`noteFailure`).
///
/// The mark is the first byte of a file. It is set before the change that makes it necessary is answered, and cleared
/// after a flush unless a change made it necessary again meanwhile.
final class CrashMark: BlockDevice {
    private enum State {
        static let clean: UInt8 = 0
        static let marked: UInt8 = 1
        /// Being examined with the monitor held; the file still says marked.
        static let settling: UInt8 = 2
    }

    private let device: any BlockDevice
    private let descriptor: Int32
    private let path: String
    private let monitor = Monitor()
    private let state: Atomic<UInt8>
    /// The process before this one left the mark, and no client has been told yet.
    private let lossPending: Atomic<Bool>
    /// Flushes that have failed so far. The last lock that is taken: whoever says that one failed may hold the device's.
    private let failures = Mutex<UInt64>(0)

    /// `path` is created unless it is there from an earlier process.
    init(_ device: any BlockDevice, path: String) throws(BlockError) {
        self.device = device
        self.path = path
        let handed = HandedFiles.open(path, O_RDWR | O_CLOEXEC)
        descriptor = handed >= 0 ? handed : unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BlockError(call: "open", errno: errno, path: path) }
        var byte: UInt8 = 0
        // SAFETY: reads one byte into a byte.
        let wasMarked = unsafe pread(descriptor, &byte, 1, 0) == 1 && byte != State.clean
        state = Atomic(wasMarked ? State.marked : State.clean)
        lossPending = Atomic(wasMarked)
        // Takes the room for the byte: later writes cannot run out of it.
        try store(wasMarked ? State.marked : State.clean)
    }

    deinit { Glibc.close(descriptor) }

    var size: UInt64 { device.size }
    var isReadOnly: Bool { device.isReadOnly }
    var preferredAlignment: UInt64 { device.preferredAlignment }
    var hasVolatileMetadata: Bool { device.hasVolatileMetadata }
    var canZeroFast: Bool { device.canZeroFast }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe device.read(into: buffer, at: offset)
    }

    func willRead(at offset: UInt64, length: UInt64) { device.willRead(at: offset, length: length) }

    func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int {
        device.putPages(at: offset, length: length, into: pipe)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe device.write(data, at: offset)
        try mark()
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try device.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        try mark()
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try device.discard(at: offset, length: length)
        try mark()
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try device.appendExtents(to: &extents, at: offset, length: length)
    }

    /// Fails once, with `.io`, when the process before this one was killed with changes that no flush had covered.
    func flush() throws(BlockError) {
        let before = failureCount
        do throws(BlockError) {
            try device.flush()
        } catch {
            try noteFailure(error)
            throw error
        }
        if lossPending.exchange(false, ordering: .acquiringAndReleasing) {
            // The mark stays until the next flush: should this process be killed before the client hears of the loss, the
            // one after it tells it.
            throw BlockError(
                .io, "the data path before this one ended with changes that no flush had covered; they may be lost")
        }
        try settle(before)
    }

    /// After a flush that failed: the next process tells of it, unless a later one of this process covers all that it was for.
    /// One that was given up at this process's end has failed nowhere.
    func noteFailure(_ error: BlockError) throws(BlockError) {
        if error.code == .cancelled { return }
        try failures.withLock { count throws(BlockError) in
            count += 1
            try store(State.marked)
            state.store(State.marked, ordering: .releasing)
        }
    }

    /// Runs what makes all that is answered durable, a pause, and clears the mark unless later changes need it. `body` says
    /// whether it did that, or nothing.
    func settling(_ body: () throws(BlockError) -> Bool) throws(BlockError) {
        let before = failureCount
        if try body() { try settle(before) }
    }

    private var failureCount: UInt64 { failures.withLock { $0 } }

    /// Clears the mark when everything is durable and no loss is left to tell. Leaves it when the device could not be closed.
    func close() throws(BlockError) {
        do throws(BlockError) {
            try device.close()
        } catch {
            try? noteFailure(error)
            throw error
        }
        if !lossPending.load(ordering: .acquiring) { try store(State.clean) }
    }

    /// After a change, before its answer. No lock while the mark is set or not needed.
    @inline(__always)
    private func mark() throws(BlockError) {
        // With the fence in `settle`: either that sees this change's metadata, or this sees that it is settling.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if state.load(ordering: .relaxed) == State.marked || !device.hasVolatileMetadata { return }
        try set()
    }

    private func set() throws(BlockError) {
        try monitor.locked { () throws(BlockError) in
            if state.load(ordering: .relaxed) == State.marked { return }
            try store(State.marked)
            state.store(State.marked, ordering: .releasing)
        }
    }

    /// After a successful flush: clears the mark unless later changes need it, or flushes that failed since there were `before`.
    private func settle(_ before: UInt64) throws(BlockError) {
        if state.load(ordering: .relaxed) == State.clean { return }
        try monitor.locked { () throws(BlockError) in
            if state.load(ordering: .relaxed) == State.clean || lossPending.load(ordering: .acquiring) { return }
            state.store(State.settling, ordering: .relaxed)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            if device.hasVolatileMetadata {
                state.store(State.marked, ordering: .releasing)
                return
            }
            try failures.withLock { count throws(BlockError) in
                do throws(BlockError) {
                    if count == before { try store(State.clean) }
                } catch {
                    state.store(State.marked, ordering: .releasing)
                    throw error
                }
                state.store(count == before ? State.clean : State.marked, ordering: .releasing)
            }
        }
    }

    private func store(_ value: UInt8) throws(BlockError) {
        var byte = value
        while true {
            // SAFETY: writes one byte from a byte.
            let count = unsafe pwrite(descriptor, &byte, 1, 0)
            if count == 1 { return }
            if errno != EINTR { throw BlockError(call: "pwrite", errno: errno, path: path) }
        }
    }
}
