public import BlockIO
import CLinux
import Synchronization

/// The device that clients hold while what is below it changes: a plain image, or an image with a mirror above it.
/// Every request passes a gate that a change of the stack closes, so a change sees no request in flight.
public final class SwitchableDevice: BlockDevice, @unchecked Sendable {
    // @unchecked: `current` and `mirror` are read with the gate shared and changed with the gate exclusive.
    let gate = ReadWriteLock()
    var current: any BlockDevice
    var mirror: MirrorDevice?
    var copier: MirrorCopier?
    /// Of a mirror that an earlier process began and that may go on: what is written meanwhile is noted in it.
    var heldLog: MirrorLog?
    /// `mirror`, for who may not wait for the gate.
    let reached = Mutex<MirrorDevice?>(nil)
    /// How long writes have taken; nil: nobody wants to know.
    public let writeTimes: LatencyHistogram?
    /// Serialises the control operations.
    let control = CommandTurn()
    /// Nanoseconds that who cancels a mirror waits for a destination that hangs.
    var cancelPatience: UInt64 = 10_000_000_000
    /// Somebody ends the mirror, or waits for the turn to do so.
    let isEnding = Atomic<Bool>(false)
    let decision = Monitor()
    /// Requests wait, and nothing is open below: see `pause`. Changed with the gate exclusive.
    let isPaused = Atomic<Bool>(false)
    /// Why the image below a pause could not be closed. Changed with the gate exclusive.
    private var notClosed: BlockError?
    /// No decision will come: see `abandonUndecided`.
    private let isAbandoned = Atomic<Bool>(false)
    let longestPause = Atomic<UInt64>(0)
    private let flushWatcher = Mutex<(@Sendable (BlockError) -> Void)?>(nil)

    private let currentSize: Atomic<UInt64>
    /// The size at the start, or that of the image it went on with after a pause; a mirror's destination that is larger
    /// does not change what clients see. It never becomes smaller.
    public var size: UInt64 { currentSize.load(ordering: .relaxed) }
    public let isReadOnly: Bool
    public let preferredAlignment: UInt64
    /// While mirrored, zeroes may go over a link.
    public var canZeroFast: Bool {
        gate.lockShared()
        defer { gate.unlock() }
        return mirror == nil && current.canZeroFast
    }

    /// `measuring`: writes are timed.
    public init(_ device: any BlockDevice, measuring: Bool = false) {
        current = device
        writeTimes = measuring ? LatencyHistogram() : nil
        currentSize = Atomic(device.size)
        isReadOnly = device.isReadOnly
        preferredAlignment = device.preferredAlignment
    }

    /// `body` hears of each flush of the disk that fails without anybody's `flush`: a pause's, that of the image's end in it
    /// included, a mirror's. A kernel, or a server, tells of a loss once.
    public func watchFlushes(_ body: @escaping @Sendable (BlockError) -> Void) { flushWatcher.withLock { $0 = body } }

    func notFlushed(_ error: BlockError) { flushWatcher.withLock { $0 }?(error) }

    // MARK: Requests

    public func willRead(at offset: UInt64, length: UInt64) {
        gate.lockShared()
        defer { gate.unlock() }
        if mirror == nil, !isPaused.load(ordering: .relaxed) { current.willRead(at: offset, length: length) }
    }

    /// What lies in the pipe when the image is exchanged is what the disk held while the request was under way.
    public func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int {
        guard (try? checkRange(offset, UInt64(length))) != nil else { return 0 }
        gate.lockShared()
        defer { gate.unlock() }
        if mirror != nil || isPaused.load(ordering: .relaxed) { return 0 }
        return current.putPages(at: offset, length: length, into: pipe)
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        try passing { () throws(BlockError) in
            if let mirror {
                try unsafe mirror.read(into: buffer, at: offset)
            } else {
                try unsafe current.read(into: buffer, at: offset)
            }
        }
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(data.count))
        let started = writeTimes == nil ? 0 : gantry_now()
        try passing { () throws(BlockError) in
            if let mirror {
                try unsafe mirror.write(data, at: offset)
            } else {
                heldLog?.touch(offset, UInt64(data.count))
                try unsafe current.write(data, at: offset)
            }
        }
        writeTimes?.add(gantry_now() - started)
    }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRange(offset, length)
        try passing { () throws(BlockError) in
            if let mirror {
                try mirror.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
            } else {
                heldLog?.touch(offset, length)
                try current.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
            }
        }
    }

    /// While mirrored a discard is a write of zeroes: it must leave the same bytes on both sides.
    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        try passing { () throws(BlockError) in
            if let mirror {
                try mirror.writeZeroes(at: offset, length: length, mayUnmap: true)
            } else {
                heldLog?.touch(offset, length)
                try current.discard(at: offset, length: length)
            }
        }
    }

    public func flush() throws(BlockError) {
        try passing { () throws(BlockError) in
            if let mirror { try mirror.flush() } else { try current.flush() }
        }
    }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        try lockPassable()
        defer { gate.unlock() }
        try (mirror?.source ?? current).appendExtents(to: &extents, at: offset, length: length)
    }

    /// Takes the gate shared, when there is something open below.
    @inline(__always)
    private func lockPassable() throws(BlockError) {
        while true {
            gate.lockShared()
            if !isPaused.load(ordering: .relaxed) { return }
            gate.unlock()
            try awaitResume()
        }
    }

    private func awaitResume() throws(BlockError) {
        try decision.locked { () throws(BlockError) in
            while isPaused.load(ordering: .acquiring) {
                if isAbandoned.load(ordering: .acquiring) {
                    throw BlockError(.cancelled, "the data path ended while the disk was paused")
                }
                decision.wait()
            }
        }
    }

    /// Runs a request with the gate shared. A request that cannot be answered before a pivot is decided waits outside
    /// the gate and is tried again on the image that won.
    @inline(__always)
    private func passing(_ request: () throws(BlockError) -> Void) throws(BlockError) {
        while true {
            try lockPassable()
            do throws(BlockError) {
                try request()
                gate.unlock()
                return
            } catch {
                let waiting = mirror
                gate.unlock()
                guard error.code == .undecided, let waiting else { throw error }
                try decision.locked { () throws(BlockError) in
                    while waiting.phase == .undecided {
                        if isAbandoned.load(ordering: .acquiring) {
                            throw BlockError(.cancelled, "the data path ended before the disk's move was decided")
                        }
                        decision.wait()
                    }
                }
            }
        }
    }

    /// What only a flush makes durable. While the mirror is filled, the source's alone: nobody relies on the destination.
    public var hasVolatileMetadata: Bool {
        gate.lockShared()
        defer { gate.unlock() }
        if isPaused.load(ordering: .relaxed) { return false }
        guard let mirror else { return current.hasVolatileMetadata }
        switch mirror.phase {
        case .joining, .dual, .undecided: return mirror.isVolatile
        default: return mirror.source.hasVolatileMetadata
        }
    }

    /// Before an end without a decision: requests that wait for one, now or later, fail and are tried on neither image.
    public func abandonUndecided() {
        decision.locked {
            isAbandoned.store(true, ordering: .releasing)
            decision.wakeAll()
        }
    }

    public func close() throws(BlockError) {
        suspendMirror()
        gate.lockExclusive()
        defer { gate.unlock() }
        if !isPaused.load(ordering: .relaxed) { return try current.close() }
        if let notClosed { throw notClosed }
    }

    // MARK: Pause

    /// Whether requests wait for `resume`.
    public var isHeld: Bool { isPaused.load(ordering: .acquiring) }

    /// From when this returns nothing is open below and every answered request is durable; requests wait, unanswered, for
    /// `resume`. False when it was paused already; `.busy` while there is a mirror. When it throws, requests go on, or, when
    /// the image could not be closed, wait too: `isHeld` tells.
    @discardableResult
    public func pause() throws(BlockError) -> Bool {
        try control.run { () throws(BlockError) in
            if isPaused.load(ordering: .relaxed) { return false }
            if mirror != nil { throw BlockError(.busy, "the device is being mirrored; end that first") }
            // The long part of the flushing is done while requests go on.
            try flushCurrent()
            try exclusively { () throws(BlockError) in
                try flushCurrent()
                isPaused.store(true, ordering: .releasing)
                do throws(BlockError) {
                    try current.close()
                } catch {
                    notClosed = error
                    notFlushed(error)
                    throw error
                }
            }
            return true
        }
    }

    private func flushCurrent() throws(BlockError) {
        if isReadOnly { return }
        do throws(BlockError) {
            try current.flush()
        } catch {
            notFlushed(error)
            throw error
        }
    }

    /// Requests, those that waited first, go to `device` from here on, which shows what the paused one did and belongs to
    /// this object then. It may be larger: the disk has grown. `.outOfRange` for a smaller one, `.notFound` when nothing is
    /// paused.
    public func resume(on device: any BlockDevice) throws(BlockError) {
        // Guests wait for it.
        try control.run(within: nil) { () throws(BlockError) in
            guard isPaused.load(ordering: .relaxed) else { throw BlockError(.notFound, "the device is not paused") }
            guard device.size >= size else {
                throw BlockError(
                    .outOfRange, "the image to go on with has \(device.size) bytes and the paused one \(size)")
            }
            guard device.isReadOnly == isReadOnly else {
                throw BlockError(.readOnly, "the image to go on with must be as writable as the paused one")
            }
            exclusively {
                // A map of another size is of no use to the mirror that it was for.
                if let log = heldLog, log.size != device.size {
                    log.discard()
                    heldLog = nil
                }
                current = device
                notClosed = nil
                currentSize.store(device.size, ordering: .relaxed)
                isPaused.store(false, ordering: .releasing)
            }
            decision.locked { decision.wakeAll() }
        }
    }

    /// Closes the gate, waits until no request is in flight, runs `body` and opens it; keeps the time.
    func exclusively<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        let start = gantry_now()
        gate.lockExclusive()
        defer {
            gate.unlock()
            longestPause.max(gantry_now() - start, ordering: .relaxed)
        }
        try body()
    }
}
