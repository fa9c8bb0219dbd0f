import BlockIO
import NBDTransport
import Synchronization

/// The export of a storage driver's NBD server, as a disk that must not be lost unnoticed.
///
/// Such a server is a process of the driver's, and may die. What it had answered and not flushed may be gone with it, and
/// only the driver can start it again. So where the disk rests on this export alone, its loss ends this process without
/// an answer to anybody: the toolstack has the driver serve the disk again and starts the next process, guests repeat
/// what was not answered, and the crash mark fails the next flush if a change had not been flushed.
final class DriverExport: BlockDevice {
    private let client: NBDClient
    private let ledger = FlushLedger()
    private let onLoss: @Sendable () -> Void
    /// The disk is this, and not another image that is filled from it or that it is filled from.
    let isTheDisk: Atomic<Bool>

    /// `onLoss` may be called from many threads, each of which has met an error of a lost connection.
    init(_ client: NBDClient, isTheDisk: Bool, onLoss: @escaping @Sendable () -> Void) {
        self.client = client
        self.isTheDisk = Atomic(isTheDisk)
        self.onLoss = onLoss
    }

    var size: UInt64 { client.size }
    var isReadOnly: Bool { client.isReadOnly }
    var preferredAlignment: UInt64 { client.preferredAlignment }

    /// The server's memory counts like ours: it is a process that can be killed alone.
    var hasVolatileMetadata: Bool { ledger.isVolatile }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try watched { () throws(BlockError) in try unsafe client.read(into: buffer, at: offset) }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try change { () throws(BlockError) in try unsafe client.write(data, at: offset) }
    }

    func write(parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try change { () throws(BlockError) in try unsafe client.write(parts: parts, of: data, at: offset) }
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try change { () throws(BlockError) in
            try client.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience) throws(BlockError) {
        try change { () throws(BlockError) in try unsafe client.write(data, at: offset, within: patience) }
    }

    func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError) {
        try change { () throws(BlockError) in
            try client.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap, within: patience)
        }
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try change { () throws(BlockError) in try client.discard(at: offset, length: length) }
    }

    func flush() throws(BlockError) {
        try ledger.flush { () throws(BlockError) in
            try watched { () throws(BlockError) in try client.flush() }
        }
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        do throws(BlockError) {
            try client.appendExtents(to: &extents, at: offset, length: length)
        } catch {
            lookForLoss(error)
            throw error
        }
    }

    /// What was refused before is so here, too.
    func close() throws(BlockError) {
        var failure: BlockError?
        if !isReadOnly, ledger.isVolatile {
            // A server that is lost by now is its caller's to tell, who ends.
            do throws(BlockError) {
                try ledger.flush { () throws(BlockError) in try client.flush() }
            } catch { failure = error }
        }
        do throws(BlockError) { try client.close() } catch { failure = failure ?? error }
        if let failure { throw failure }
    }

    func interrupt() { client.interrupt() }

    func probe() throws(BlockError) {
        try watched { () throws(BlockError) in try client.probe() }
    }

    /// It is the disk now: nothing else can take its place, however long it takes.
    func becomeTheDisk() {
        isTheDisk.store(true, ordering: .releasing)
        client.waitForEver()
    }

    private func change(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        try ledger.change { () throws(BlockError) in try watched(body) }
    }

    private func watched(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        do throws(BlockError) {
            try body()
        } catch {
            lookForLoss(error)
            throw error
        }
    }

    /// A server that ends in good order says so to what is still under way (ESHUTDOWN), and goes then.
    private func lookForLoss(_ error: BlockError) {
        if client.isLost || error.code == .disconnected, isTheDisk.load(ordering: .acquiring) { onLoss() }
    }
}

/// The exports among the images of one disk, as the disk moves from one to the other.
final class DriverExports: Sendable {
    let disk = Mutex<DriverExport?>(nil)
    let destination = Mutex<DriverExport?>(nil)
    private let remote = Mutex<UnflushedExport?>(nil)

    /// What a mirror fills, or goes on with after a loss; nil: an image, or nothing any more.
    func setDestination(_ device: (any BlockDevice)?) {
        destination.withLock { $0 = device as? DriverExport }
        remote.withLock { $0 = device as? UnflushedExport }
    }

    func setDisk(_ isTheDisk: Bool) { disk.withLock { $0?.isTheDisk.store(isTheDisk, ordering: .releasing) } }

    /// The destination is the disk.
    func commit() {
        let next = destination.withLock { destination in
            defer { destination = nil }
            return destination
        }
        next?.becomeTheDisk()
        remote.withLock { remote in
            remote?.waitForEver()
            remote = nil
        }
        disk.withLock { $0 = next }
    }

    /// The source is the disk, as before.
    func cancel() {
        setDestination(nil)
        setDisk(true)
    }
}
