import BlockIO
import CLinux
import CoreTypes
import Synchronization

/// The thread that makes a mirror's destination like its source, granule by granule, while the guest goes on writing.
///
/// Work follows allocation: runs that the source's extent map calls hole or zero are never read. A run is examined and
/// copied with its range held, so no guest write slips between reading the source and writing the destination.
final class MirrorCopier: Sendable {
    /// Bytes read and written in one step, and so the longest time that a guest write waits for the copier.
    private static let chunk: UInt64 = 1 << 20
    /// Bytes whose extents are looked up at once, with their range held.
    private static let window: UInt64 = 16 << 20

    private let mirror: MirrorDevice
    private let limit: Atomic<UInt64>
    private let stopping = CancellationFlag()
    private let pause = Monitor()
    private let thread = Mutex<WorkerThread?>(nil)
    private let copied = Atomic<UInt64>(0)
    private let total = Atomic<UInt64>(0)
    private let rate = Atomic<UInt64>(0)

    /// `bytesPerSecond` 0: no limit.
    init(mirror: MirrorDevice, bytesPerSecond: UInt64) {
        self.mirror = mirror
        limit = Atomic(bytesPerSecond)
    }

    /// Data bytes copied so far.
    var copiedBytes: UInt64 { copied.load(ordering: .relaxed) }
    /// Data bytes to copy in all, as known now; at least `copiedBytes`.
    var totalBytes: UInt64 { max(total.load(ordering: .relaxed), copiedBytes) }
    /// Bytes per second over the last second or so.
    var bytesPerSecond: UInt64 { rate.load(ordering: .relaxed) }

    func setLimit(bytesPerSecond: UInt64) {
        limit.store(bytesPerSecond, ordering: .relaxed)
        pause.locked { pause.wakeAll() }
    }

    func start() {
        thread.withLock { $0 = WorkerThread("mirror-copy") { [self] in run() } }
    }

    /// Asks the thread to end and waits for it. Safe to call twice.
    func stop() {
        stopping.cancel()
        pause.locked { pause.wakeAll() }
        thread.withLock { $0 }?.join()
    }

    private func run() {
        let buffer = AlignedBuffer(count: Int(Self.chunk))
        var cursor: UInt64 = 0
        var meter = RateMeter()
        estimate()
        while !stopping.isCancelled {
            let phase = mirror.phase
            guard phase == .copying || phase == .synchronised else { return }
            guard let run = mirror.dirty.nextDirty(from: cursor, maximum: Self.window) else {
                mirror.handle(.caughtUp)
                rate.store(0, ordering: .relaxed)
                sleep(nanoseconds: 20_000_000)
                continue
            }
            mirror.handle(.fellBehind)
            do throws(BlockError) {
                let moved = try step(run, buffer: buffer, cursor: &cursor)
                copied.wrappingAdd(moved, ordering: .relaxed)
                meter.add(moved)
                rate.store(meter.bytesPerSecond, ordering: .relaxed)
                hold(after: moved)
            } catch {
                mirror.handle(.destinationFailed, because: error)
                return
            }
        }
    }

    /// Sums the source's data extents, for progress only: the guest may change them meanwhile.
    private func estimate() {
        var sum: UInt64 = 0
        var position: UInt64 = 0
        var part: [Extent] = []
        while position < mirror.source.size, !stopping.isCancelled {
            part.removeAll(keepingCapacity: true)
            let length = min(Self.window, mirror.source.size - position)
            guard (try? mirror.source.appendExtents(to: &part, at: position, length: length)) != nil,
                let last = part.last, last.end > position
            else { return }
            for extent in part where extent.kind == .data { sum += extent.length }
            position = last.end
        }
        total.store(sum, ordering: .relaxed)
    }

    /// Copies the beginning of a dirty run, as far as one step goes. Returns the data bytes moved.
    private func step(_ run: Range<UInt64>, buffer: AlignedBuffer, cursor: inout UInt64) throws(BlockError) -> UInt64 {
        let granule = mirror.dirty.granule
        mirror.locks.acquire(run)
        var part: [Extent] = []
        do throws(BlockError) {
            try mirror.source.appendExtents(to: &part, at: run.lowerBound, length: run.upperBound - run.lowerBound)
            var empty = run.lowerBound
            for extent in part {
                if extent.kind == .data { break }
                empty = extent.end
            }
            // Whole granules without data; the device's last granule may be short.
            empty = empty >= run.upperBound ? run.upperBound : empty.roundedDown(to: granule)
            if empty > run.lowerBound {
                try mirror.destination.writeZeroes(
                    at: run.lowerBound, length: empty - run.lowerBound, mayUnmap: true)
                mirror.dirty.clear(run.lowerBound, empty - run.lowerBound)
                mirror.locks.release(run)
                cursor = empty
                return 0
            }
            mirror.locks.release(run)
        } catch {
            mirror.locks.release(run)
            throw error
        }
        // The first granule holds data: copy up to the end of the data or of the chunk, in whole granules.
        var dataEnd = run.lowerBound
        for extent in part {
            if extent.kind != .data, extent.offset > dataEnd.roundedDown(to: granule) + granule { break }
            dataEnd = extent.end
        }
        let end = min(run.upperBound, (dataEnd.roundedUp(to: granule) ?? run.upperBound), run.lowerBound + Self.chunk)
        let piece = run.lowerBound..<end
        mirror.locks.acquire(piece)
        defer { mirror.locks.release(piece) }
        try copy(piece, buffer: buffer)
        mirror.dirty.clear(piece.lowerBound, piece.upperBound - piece.lowerBound)
        cursor = end
        return end - run.lowerBound
    }

    /// Reads the piece and writes it, zero granules as zeroes and the rest in as few writes as possible.
    private func copy(_ piece: Range<UInt64>, buffer: AlignedBuffer) throws(BlockError) {
        let granule = Int(mirror.dirty.granule)
        // SAFETY: the buffer holds a whole chunk and the piece is no longer; it is this thread's own.
        let bytes = unsafe UnsafeMutableRawBufferPointer(
            rebasing: buffer.bytes[0..<Int(piece.upperBound - piece.lowerBound)])
        try unsafe mirror.source.read(into: bytes, at: piece.lowerBound)
        var start = 0
        while start < bytes.count {
            let firstEnd = min(bytes.count, start + granule)
            let zero = unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[start..<firstEnd]))
            var end = firstEnd
            while end < bytes.count {
                let next = min(bytes.count, end + granule)
                if unsafe isZero(UnsafeRawBufferPointer(rebasing: bytes[end..<next])) != zero { break }
                end = next
            }
            let offset = piece.lowerBound + UInt64(start)
            if zero {
                try mirror.destination.writeZeroes(at: offset, length: UInt64(end - start), mayUnmap: true)
            } else {
                try unsafe mirror.destination.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: offset)
            }
            start = end
        }
    }

    /// Waits as long as the rate limit asks for after `moved` bytes.
    private func hold(after moved: UInt64) {
        let perSecond = limit.load(ordering: .relaxed)
        if perSecond > 0, moved > 0 {
            let (scaled, overflow) = moved.multipliedReportingOverflow(by: 1_000_000_000)
            if !overflow { sleep(nanoseconds: scaled / perSecond) }
        }
    }

    private func sleep(nanoseconds: UInt64) {
        pause.locked {
            if !stopping.isCancelled { pause.wait(nanoseconds: nanoseconds) }
        }
    }
}

/// Bytes per second over windows of about a second.
private struct RateMeter {
    private var windowStart = gantry_now()
    private var windowBytes: UInt64 = 0
    private(set) var bytesPerSecond: UInt64 = 0
    private var isProvisional = true

    mutating func add(_ bytes: UInt64) {
        windowBytes += bytes
        let elapsed = gantry_now() - windowStart
        if elapsed >= 500_000_000 {
            bytesPerSecond = windowBytes * 1000 / max(1, elapsed / 1_000_000)
            windowStart += elapsed
            windowBytes = 0
            isProvisional = false
        } else if isProvisional, elapsed >= 50_000_000 {
            // Something to show before the first window is full.
            bytesPerSecond = windowBytes * 1000 / (elapsed / 1_000_000)
        }
    }
}
