public import BlockIO
import CLinux
import Synchronization

/// The device that clients hold while what is below it changes: a plain image, or an image with a mirror above it.
/// Every request passes a gate that a change of the stack closes, so a change sees no request in flight.
public final class SwitchableDevice: BlockDevice, @unchecked Sendable {
    // @unchecked: `current` and `mirror` are read with the gate shared and changed with the gate exclusive.
    private let gate = ReadWriteLock()
    private var current: any BlockDevice
    private var mirror: MirrorDevice?
    private var copier: MirrorCopier?
    /// Serialises the control operations.
    private let control = Mutex<Void>(())
    private let decision = Monitor()
    /// Requests wait, and nothing is open below: see `pause`. Changed with the gate exclusive.
    private let isPaused = Atomic<Bool>(false)
    /// No decision will come: see `abandonUndecided`.
    private let isAbandoned = Atomic<Bool>(false)
    private let longestPause = Atomic<UInt64>(0)

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

    public init(_ device: any BlockDevice) {
        current = device
        currentSize = Atomic(device.size)
        isReadOnly = device.isReadOnly
        preferredAlignment = device.preferredAlignment
    }

    // MARK: Requests

    public func willRead(at offset: UInt64, length: UInt64) {
        gate.lockShared()
        defer { gate.unlock() }
        if mirror == nil, !isPaused.load(ordering: .relaxed) { current.willRead(at: offset, length: length) }
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
        try passing { () throws(BlockError) in
            if let mirror {
                try unsafe mirror.write(data, at: offset)
            } else {
                try unsafe current.write(data, at: offset)
            }
        }
    }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRange(offset, length)
        try passing { () throws(BlockError) in
            if let mirror {
                try mirror.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
            } else {
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
                    throw BlockError(.io, "the data path ended while the disk was paused")
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
                            throw BlockError(.io, "the data path ended before the disk's move was decided")
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
        case .dual, .undecided: return mirror.source.hasVolatileMetadata || mirror.destination.hasVolatileMetadata
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
        try? cancelMirror()
        gate.lockExclusive()
        defer { gate.unlock() }
        if !isPaused.load(ordering: .relaxed) { try current.close() }
    }

    // MARK: Pause

    /// Whether requests wait for `resume`.
    public var isHeld: Bool { isPaused.load(ordering: .acquiring) }

    /// From when this returns nothing is open below and every answered request is durable; requests wait, unanswered, for
    /// `resume`. Fine when it is paused already; `.busy` while there is a mirror. When it throws, requests go on, or, when
    /// the image could not be closed, wait too: `isHeld` tells.
    public func pause() throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            if isPaused.load(ordering: .relaxed) { return }
            if mirror != nil { throw BlockError(.busy, "the device is being mirrored; end that first") }
            // The long part of the flushing is done while requests go on.
            if !isReadOnly { try current.flush() }
            try exclusively { () throws(BlockError) in
                if !isReadOnly { try current.flush() }
                isPaused.store(true, ordering: .releasing)
                try current.close()
            }
        }
    }

    /// Requests, those that waited first, go to `device` from here on, which shows what the paused one did and belongs to
    /// this object then. It may be larger: the disk has grown. `.outOfRange` for a smaller one, `.notFound` when nothing is
    /// paused.
    public func resume(on device: any BlockDevice) throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            guard isPaused.load(ordering: .relaxed) else { throw BlockError(.notFound, "the device is not paused") }
            guard device.size >= size else {
                throw BlockError(
                    .outOfRange, "the image to go on with has \(device.size) bytes and the paused one \(size)")
            }
            guard device.isReadOnly == isReadOnly else {
                throw BlockError(.readOnly, "the image to go on with must be as writable as the paused one")
            }
            exclusively {
                current = device
                currentSize.store(device.size, ordering: .relaxed)
                isPaused.store(false, ordering: .releasing)
            }
            decision.locked { decision.wakeAll() }
        }
    }

    // MARK: Mirror and pivot

    /// What a mirror has done so far; nil when there is none.
    public var mirrorProgress: MirrorProgress? {
        gate.lockShared()
        defer { gate.unlock() }
        guard let mirror, let copier else { return nil }
        return MirrorProgress(
            phase: mirror.phase, totalBytes: copier.totalBytes, copiedBytes: copier.copiedBytes,
            dirtyBytes: min(mirror.dirty.dirtyBytes, size), bytesPerSecond: copier.bytesPerSecond, error: mirror.error,
            failedSide: mirror.failedSide)
    }

    /// The longest time, in nanoseconds, for which a change of the stack kept requests waiting.
    public var longestPauseNanoseconds: UInt64 { longestPause.load(ordering: .relaxed) }

    /// Puts a mirror above the present image and starts copying. `destination` must read as zeroes, be writable and at
    /// least as large; it belongs to this object from here on. `.busy` when there is a mirror already.
    public func startMirror(to destination: any BlockDevice, bytesPerSecond: UInt64) throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            if isPaused.load(ordering: .relaxed) {
                throw BlockError(.busy, "the device is paused; resume it before it is mirrored")
            }
            if mirror != nil {
                throw BlockError(.busy, "the device is being mirrored already; cancel that mirror first")
            }
            if destination.isReadOnly { throw BlockError(.readOnly, "the mirror's destination is read-only") }
            if destination.size < size {
                throw BlockError(
                    .outOfRange, "the mirror's destination has \(destination.size) bytes and the source \(size)")
            }
            exclusively {
                let filter = MirrorDevice(source: current, destination: destination)
                let worker = MirrorCopier(mirror: filter, bytesPerSecond: bytesPerSecond)
                mirror = filter
                copier = worker
                worker.start()
            }
        }
    }

    /// Bytes per second for the copier, 0 for no limit. Nothing happens without a mirror.
    public func setMirrorRate(bytesPerSecond: UInt64) {
        gate.lockShared()
        defer { gate.unlock() }
        copier?.setLimit(bytesPerSecond: bytesPerSecond)
    }

    /// First half of the pivot: on return both images are identical and durable up to every answered write, and every
    /// later write is answered only when both have it. `.busy` while the copy has not caught up.
    public func preparePivot() throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            guard let mirror else { throw BlockError(.notFound, "there is no mirror to pivot to") }
            if mirror.phase == .dual { return }
            // The long part of the flushing is done while requests go on.
            try mirror.source.flush()
            do throws(BlockError) {
                try mirror.destination.flush()
            } catch {
                mirror.handle(.destinationFailed, because: error)
                throw error
            }
            try exclusively { () throws(BlockError) in
                guard mirror.phase == .synchronised, mirror.dirty.isClean else {
                    throw mirror.error ?? BlockError(.busy, "the mirror is not synchronised yet; wait and ask again")
                }
                try mirror.source.flush()
                do throws(BlockError) {
                    try mirror.destination.flush()
                } catch {
                    mirror.handle(.destinationFailed, because: error)
                    throw error
                }
                mirror.handle(.prepare)
            }
        }
    }

    /// Second half: the destination is the device from here on; the source is closed.
    /// `switched` runs at the moment of the change, before the source is closed.
    public func commitPivot(_ switched: () -> Void = {}) throws(BlockError) {
        try finish(.commit, switched)
    }

    /// Ends the mirror in favour of the source; the destination is closed and may be deleted.
    public func cancelMirror() throws(BlockError) {
        try finish(.cancel)
    }

    private func finish(_ event: MirrorState.Event, _ switched: () -> Void = {}) throws(BlockError) {
        try control.withLock { _ throws(BlockError) in
            guard let mirror, let copier else { throw BlockError(.notFound, "there is no mirror") }
            let commit = event == .commit
            if commit, mirror.phase != .dual, mirror.phase != .undecided {
                throw BlockError(.busy, "the pivot has not been prepared")
            }
            copier.stop()
            exclusively {
                mirror.handle(event)
                current = commit ? mirror.destination : mirror.source
                self.mirror = nil
                self.copier = nil
                switched()
            }
            decision.locked { decision.wakeAll() }
            // The loser. What it cannot write back any more is of no consequence: nobody will read it.
            try? (commit ? mirror.source : mirror.destination).close()
        }
    }

    /// Closes the gate, waits until no request is in flight, runs `body` and opens it; keeps the time.
    private func exclusively<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        let start = gantry_now()
        gate.lockExclusive()
        defer {
            gate.unlock()
            longestPause.max(gantry_now() - start, ordering: .relaxed)
        }
        try body()
    }
}

/// A sample of a mirror's progress. Bytes are of virtual disk.
public struct MirrorProgress: Sendable {
    public let phase: MirrorState.Phase
    public let totalBytes: UInt64
    public let copiedBytes: UInt64
    public let dirtyBytes: UInt64
    public let bytesPerSecond: UInt64
    public let error: BlockError?
    /// In `undecided`, the image that refused first.
    public let failedSide: MirrorSide?
}
