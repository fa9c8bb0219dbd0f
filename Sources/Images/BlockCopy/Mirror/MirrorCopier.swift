import BlockIO
import CLinux
import CoreTypes
import Glibc
import Synchronization

/// The threads that make a mirror's destination like its source, piece by piece, while the guest goes on writing, and the
/// one that looks after them: it decides the mode, keeps the log, mends a broken destination.
///
/// Work follows allocation: whole granules that the source's extent map calls hole or zero are never read, and zeroes are not
/// written where the destination is blank. No guest write waits for a
/// piece: one that was written to while it was copied stays dirty. Where that happens the granules concerned are copied
/// once more, each with its range held, so the longest that a guest write waits for the copier is the time of one granule.
final class MirrorCopier: Sendable {
    /// Bytes read and written in one step, over a link: each request costs its way there and back.
    static let chunk: UInt64 = 1 << 20
    /// The same for a local destination: the bytes stay in the processor's cache between read and write, and who waits for a
    /// lock of the destination waits no longer than for that.
    static let localChunk: UInt64 = 256 << 10
    /// Nanoseconds on a processor that others wait for.
    private static let turn: UInt64 = 100_000
    /// Bytes whose extents are looked up at once while they are empty.
    private static let window: UInt64 = 1 << 30
    private static let firstLook: UInt64 = 4 << 20

    let mirror: MirrorDevice
    let stopping = CancellationFlag()
    let held = HeldCopies()
    let pause = Monitor()
    private let threads = Mutex<[WorkerThread]>([])
    private let threadCount: Int
    /// Threads that copy, or are about to.
    let copiers = Atomic<Int>(0)
    /// No peer stands between this and the destination.
    let isLocal: Bool
    /// The most bytes of a piece, ever and now.
    private let chunk: UInt64
    private let pieceLength: Mutex<PieceLength>
    private let copied = Atomic<UInt64>(0)
    /// In granules of which something was.
    private let covered = Atomic<UInt64>(0)
    private let total = Atomic<UInt64>(0)
    /// `coveredBytes` at which the keeper is woken.
    let flushAt = Atomic<UInt64>(.max)
    let meter = Mutex(RateMeter())
    private let cursor: Mutex<Cursor>
    private let need = Mutex(HelperNeed())
    private let needsHelp = Atomic<Bool>(false)
    /// When the next piece may begin, for the rate limit.
    private let mayBegin = Mutex<UInt64>(0)
    let repair: MirrorRepair?
    /// What the log had to be the same when this began.
    let resumedBytes: UInt64
    /// The destination is broken and not tried again any more.
    let hasGivenUp = Atomic<Bool>(false)
    let retries = Atomic<UInt64>(0)

    /// `threads`: pieces that are copied at a time.
    init(mirror: MirrorDevice, threads: Int = 1, repair: MirrorRepair? = nil) {
        self.mirror = mirror
        threadCount = max(1, threads)
        isLocal = repair?.reopen == nil
        chunk = isLocal ? Self.localChunk : Self.chunk
        pieceLength = Mutex(PieceLength(most: chunk, least: isLocal ? chunk : mirror.dirty.granule))
        // Where another process was, its changes and those of guests may come behind what the destination's map says.
        cursor = Mutex(Cursor(asked: mirror.log.isResumed ? mirror.dirty.size : 0))
        resumedBytes = mirror.log.isResumed ? mirror.log.sameBytes : 0
        self.repair = repair
    }

    /// Data bytes copied so far.
    var copiedBytes: UInt64 { copied.load(ordering: .relaxed) }
    /// Bytes of the granules that were copied so far, or pages of them: what a map that knows granules takes back when it is behind.
    var coveredBytes: UInt64 { covered.load(ordering: .relaxed) }
    /// Data bytes to copy in all, as known now; at least `copiedBytes`.
    var totalBytes: UInt64 { max(total.load(ordering: .relaxed), copiedBytes) }
    /// Bytes per second over the last second or so.
    var bytesPerSecond: UInt64 { mirror.dirty.isClean ? 0 : meter.withLock { $0.bytesPerSecond } }

    /// Lets everybody look at the options again.
    func optionsChanged() {
        mayBegin.withLock { $0 = 0 }
        pause.locked { pause.wakeAll() }
    }

    func start() {
        copiers.store(threadCount, ordering: .releasing)
        threads.withLock { threads in
            threads.append(WorkerThread("mirror-keep") { [self] in keep() })
            if isLocal { threads.append(WorkerThread("mirror-watch") { [self] in watch() }) }
            for index in 0..<threadCount {
                threads.append(
                    WorkerThread("mirror-copy-\(index)") { [self] in
                        run(isFirst: index == 0)
                        copiers.subtract(1, ordering: .releasing)
                    })
            }
        }
    }

    /// Asks the threads to end and waits for them. Safe to call twice.
    func stop() {
        stopping.cancel()
        pause.locked { pause.wakeAll() }
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    private func run(isFirst: Bool) {
        let buffer = AlignedBuffer(count: Int(chunk))
        // Copying from one page cache to another never sleeps. With a thread of it on each processor, a guest's write and
        // whoever sends it wait for a turn to end, 3 to 8 ms each time. So it gives way after each piece, where that costs
        // it a short turn and not a long one: its share of a busy processor would be gone.
        let givesWay = gantry_take_short_turns(Self.turn)
        while !stopping.isCancelled {
            let phase = mirror.phase
            guard phase == .copying || phase == .synchronised, !mirror.controls.isPaused, !mirror.isLeftAlone else {
                switch phase {
                case .dual, .undecided, .finished: return
                default: sleep(nanoseconds: 10_000_000)
                }
                continue
            }
            if !isFirst, isLocal, !needsHelp.load(ordering: .relaxed) {
                sleep(nanoseconds: 5_000_000)
                continue
            }
            let started = gantry_now()
            do throws(BlockError) {
                guard let piece = try claim() else {
                    if mirror.dirty.isClean {
                        // From here on nothing becomes dirty but by writes that have begun.
                        if mirror.controls.stayInSync() { mirror.locks.awaitEarlier() }
                        if mirror.dirty.isClean { mirror.handle(.caughtUp) }
                    }
                    sleep(nanoseconds: 5_000_000)
                    continue
                }
                mirror.handle(.fellBehind)
                let moved = try isFirst ? completeFirst(piece, buffer) : complete(piece, buffer)
                copied.wrappingAdd(moved, ordering: .relaxed)
                if moved > 0 {
                    let granules = max(moved, piece.range.upperBound - piece.range.lowerBound)
                    note(covered.wrappingAdd(granules, ordering: .relaxed).newValue)
                }
                meter.withLock { $0.add(moved) }
                pieceLength.withLock { $0.moved(moved, in: gantry_now() - started) }
                hold(after: moved, tookFrom: started)
                if givesWay { sched_yield() }
            } catch {
                if error.code != .late { mirror.handle(.destinationFailed, because: error) }
            }
        }
    }

    /// So many bytes were copied: perhaps the keeper wants to know, once.
    @inline(__always)
    private func note(_ bytes: UInt64) {
        if bytes < flushAt.load(ordering: .relaxed) { return }
        if flushAt.exchange(.max, ordering: .relaxed) != .max { pause.locked { pause.wakeAll() } }
    }

    // MARK: Pieces

    /// What to do about a piece, which is this thread's until `release`.
    private struct Piece {
        let range: Range<UInt64>
        let isEmpty: Bool
    }

    /// Where the next piece is looked for.
    private struct Cursor {
        var position: UInt64 = 0
        /// Where the source was found to hold data and no whole granule without: most looks cover many pieces, and a source that
        /// is asked for each of them is kept from its guest's writes by it. Where it holds none by now, zeroes are copied.
        var data: Range<UInt64> = 0..<0
        /// Up to here the destination was asked where it is blank, or is not to be asked.
        var asked: UInt64 = 0
    }

    /// The next piece that is dirty and in nobody's hands; nil when there is none just now.
    private func claim() throws(BlockError) -> Piece? {
        try cursor.withLock { cursor throws(BlockError) -> Piece? in
            guard let run = mirror.dirty.nextDirty(from: cursor.position, maximum: Self.window) else { return nil }
            guard lookForBlanks(in: run, &cursor.asked) else { return nil }
            let (end, isEmpty) = try look(at: run, &cursor)
            let range = run.lowerBound..<end
            // Another round sees what the source holds by then.
            if end >= mirror.dirty.size { cursor = Cursor(asked: cursor.asked) } else { cursor.position = end }
            // Whoever writes to it from here on finds it among the pieces.
            guard acquire(range) else { return nil }
            defer { mirror.locks.release(range) }
            // Another thread may have had it in its hands until now. Where it is clean, guests' writes go to both images
            // and are noted nowhere: a second copy could overwrite them with what was there before.
            let still = mirror.dirty.run(at: range.lowerBound, end: range.upperBound)
            guard still.dirty else { return nil }
            let left = range.lowerBound..<still.end
            // A change that nobody waits for any more would come over the copy.
            if mirror.late.overlaps(left) { return nil }
            // What the look said may not be so any more; `complete` looks again.
            return mirror.pieces.add(left) ? Piece(range: left, isEmpty: isEmpty) : nil
        }
    }

    /// Holds the range, but does not stand in the way of guests behind one of theirs that hangs in the destination. False: it is
    /// not held.
    private func acquire(_ range: Range<UInt64>) -> Bool {
        mirror.locks.acquire(range) { mirror.isLeftAlone || stopping.isCancelled }
    }

    /// How far the beginning of a dirty run is all without data, or to be copied at once, by what an earlier look found to be data.
    private func look(
        at run: Range<UInt64>, _ cursor: inout Cursor
    ) throws(BlockError) -> (end: UInt64, isEmpty: Bool) {
        let granule = mirror.dirty.granule
        if cursor.data.contains(run.lowerBound) { return (pieceEnd(run, cursor.data.upperBound), false) }
        var part: [Extent] = []
        var empty = run.lowerBound
        var length = min(Self.firstLook, run.upperBound - run.lowerBound)
        var dataEnd = run.lowerBound
        while true {
            part.removeAll(keepingCapacity: true)
            try mirror.source.appendExtents(to: &part, at: empty, length: length)
            guard let last = part.last, last.end > empty else {
                throw BlockError(.io, "the extent map does not advance", offset: empty)
            }
            var hasData = false
            for extent in part {
                if extent.kind == .data {
                    hasData = true
                    break
                }
                empty = extent.end
            }
            if hasData || empty >= run.upperBound { break }
            length = run.upperBound - empty
        }
        // Whole granules without data; the device's last granule may be short.
        let emptyEnd = empty >= run.upperBound ? run.upperBound : empty.roundedDown(to: granule)
        if emptyEnd > run.lowerBound { return (emptyEnd, true) }
        // The first granule holds data.
        for extent in part {
            // Where a whole granule is without data it is not read.
            if extent.kind != .data, extent.offset >= empty,
                let whole = extent.offset.roundedUp(to: granule), whole < extent.end, extent.end - whole >= granule
            {
                break
            }
            dataEnd = extent.end
        }
        cursor.data = run.lowerBound..<dataEnd
        return (pieceEnd(run, dataEnd), false)
    }

    /// Up to the end of the data or of the piece, in whole granules.
    private func pieceEnd(_ run: Range<UInt64>, _ dataEnd: UInt64) -> UInt64 {
        let most = run.lowerBound + pieceLength.withLock { $0.bytes }
        return min(run.upperBound, dataEnd.roundedUp(to: mirror.dirty.granule) ?? run.upperBound, most)
    }

    /// `complete`, by the thread that knows whether the others are of use.
    private func completeFirst(_ piece: Piece, _ buffer: AlignedBuffer) throws(BlockError) -> UInt64 {
        let before = gantry_sleeps()
        let moved = try complete(piece, buffer)
        let isThere = need.withLock { need in
            need.moved(hasSlept: gantry_sleeps() != before)
            return need.isThere
        }
        needsHelp.store(isThere, ordering: .relaxed)
        return moved
    }

    /// Makes the destination like the source in the piece. Returns the data bytes moved.
    private func complete(_ task: Piece, _ buffer: AlignedBuffer) throws(BlockError) -> UInt64 {
        let range = task.range
        var moved: UInt64 = 0
        var isKept = false
        do throws(BlockError) {
            // Written to since it was looked at: such writes were not noted.
            if task.isEmpty, try isWithoutData(range) {
                try counted { () throws(BlockError) in try storeZeroes(range) }
            } else if !task.isEmpty {
                moved = try copyDirty(range, buffer)
            } else {
                _ = mirror.pieces.remove(range)
                return 0
            }
            isKept = try mirror.keepDestination()
        } catch {
            _ = mirror.pieces.remove(range)
            throw error
        }
        // Not noted, it is copied once more.
        guard acquire(range) else {
            _ = mirror.pieces.remove(range)
            return 0
        }
        var again: Range<UInt64>?
        // Not before: a destination that has died since is not exchanged between its last write here and what is noted of it, which
        // `recover` takes back where that was not durable. Nor is anything lost (`loseDestination`) between the look and the note.
        mirror.pieces.finish(range) { touched in
            guard let touched else { return settle(range, isKept) }
            let granule = mirror.dirty.granule
            let end = min(mirror.dirty.size, touched.upperBound.roundedUp(to: granule) ?? mirror.dirty.size)
            let part = touched.lowerBound.roundedDown(to: granule)..<end
            settle(range.lowerBound..<max(range.lowerBound, part.lowerBound), isKept)
            settle(min(part.upperBound, range.upperBound)..<range.upperBound, isKept)
            again = part
        }
        mirror.locks.release(range)
        if let again, mirror.controls.isActive { moved += try copyHeld(again.clamped(to: range), buffer) }
        return moved
    }

    /// With the range held: both images are alike in it. `isKept`: what was copied outlives this process.
    private func settle(_ range: Range<UInt64>, _ isKept: Bool) {
        let length = range.upperBound - range.lowerBound
        if length == 0 { return }
        mirror.log.copied(range.lowerBound, length)
        mirror.dirty.clear(range.lowerBound, length)
        if isKept {
            mirror.log.markSame(
                range.lowerBound, length, sourceIsWritten: !mirror.source.hasVolatileMetadata)
        }
    }

    private func isWithoutData(_ range: Range<UInt64>) throws(BlockError) -> Bool {
        var part: [Extent] = []
        var position = range.lowerBound
        while position < range.upperBound {
            part.removeAll(keepingCapacity: true)
            try mirror.source.appendExtents(to: &part, at: position, length: range.upperBound - position)
            guard let last = part.last, last.end > position else { return false }
            if part.contains(where: { $0.kind == .data }) { return false }
            position = last.end
        }
        return true
    }

    /// Granules that are written to all the time: one by one, each with its range held.
    private func copyHeld(_ range: Range<UInt64>, _ buffer: AlignedBuffer) throws(BlockError) -> UInt64 {
        var position = range.lowerBound
        var moved: UInt64 = 0
        while position < range.upperBound, !stopping.isCancelled {
            let part = position..<min(range.upperBound, position + mirror.dirty.granule)
            if mirror.isLeftAlone || !acquire(part) { break }
            // Until who watches has given it back, because this hangs: then it stays dirty.
            var isOurs = true
            defer { if isOurs { mirror.locks.release(part) } }
            // Another thread may have come by.
            if mirror.dirty.run(at: part.lowerBound, end: part.upperBound).dirty, !mirror.late.overlaps(part),
                mirror.pieces.add(part)
            {
                var isOver = false
                defer { if !isOver { _ = mirror.pieces.remove(part) } }
                if isLocal { held.begin(part, at: gantry_now()) }
                var isKept = false
                do throws(BlockError) {
                    // A guest may wait for it.
                    moved += try copyDirty(part, buffer, within: mirror.patience(since: gantry_now()))
                    isKept = try mirror.keepDestination()
                } catch {
                    isOurs = !isLocal || held.end(part)
                    throw error
                }
                isOurs = !isLocal || held.end(part)
                if isOurs {
                    isOver = true
                    mirror.pieces.finish(part) { if $0 == nil { settle(part, isKept) } }
                }
            }
            position = part.upperBound
        }
        return moved
    }

    /// Copies what is to be copied of a piece: all of it, or only the pages that were written to since it was. Returns the bytes.
    private func copyDirty(
        _ piece: Range<UInt64>, _ buffer: AlignedBuffer, within patience: Patience? = nil
    ) throws(BlockError) -> UInt64 {
        var moved: UInt64 = 0
        var position = piece.lowerBound
        while let part = nextPart(from: position, of: piece) {
            try copy(part, buffer, within: patience)
            moved += part.upperBound - part.lowerBound
            position = part.upperBound
        }
        return moved
    }

    /// The next part of a dirty piece that is written at once. Over a link each costs a way there and back, and its blocks are
    /// written whole: pages that lie less than a granule apart are one, with what lies between them.
    private func nextPart(from position: UInt64, of piece: Range<UInt64>) -> Range<UInt64>? {
        let first = mirror.dirty.nextPart(from: position, to: piece.upperBound)
        guard var part = first, !isLocal else { return first }
        while let next = mirror.dirty.nextPart(from: part.upperBound, to: piece.upperBound),
            next.lowerBound - part.upperBound < mirror.dirty.granule
        {
            part = part.lowerBound..<next.upperBound
        }
        let unit = max(PageMarks.page, mirror.destination.preferredAlignment)
        let end = part.upperBound.roundedUp(to: unit) ?? piece.upperBound
        return max(position, part.lowerBound.roundedDown(to: unit))..<min(piece.upperBound, end)
    }

    /// Reads the piece and writes it.
    private func copy(
        _ piece: Range<UInt64>, _ buffer: AlignedBuffer, within patience: Patience? = nil
    ) throws(BlockError) {
        // SAFETY: the buffer holds a whole chunk and the piece is no longer; it is this thread's own.
        let bytes = unsafe UnsafeMutableRawBufferPointer(
            rebasing: buffer.bytes[0..<Int(piece.upperBound - piece.lowerBound)])
        try unsafe mirror.source.read(into: bytes, at: piece.lowerBound)
        try counted { () throws(BlockError) in
            try unsafe store(UnsafeRawBufferPointer(bytes), of: piece, within: patience)
        }
    }

    /// A destination that hangs is known by this, too.
    private func counted(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        guard isLocal, let entry = mirror.copying.enter() else { return try body() }
        defer { mirror.copying.leave(entry) }
        try body()
    }

    // MARK: Time

    /// Waits as long as the rate limit and the guest's share ask for.
    private func hold(after moved: UInt64, tookFrom started: UInt64) {
        if moved == 0 { return }
        let now = gantry_now()
        let perSecond = mirror.controls.bytesPerSecond
        if perSecond > 0 {
            let (scaled, overflow) = moved.multipliedReportingOverflow(by: 1_000_000_000)
            let cost = overflow ? 1_000_000_000 : scaled / perSecond
            let until = mayBegin.withLock { next in
                next = max(next, now) + cost
                return next
            }
            holdUntil(until)
        }
        let share = mirror.controls.copyShare
        if share < 100 { sleep(nanoseconds: (now - started) * (100 - share) / max(1, share)) }
    }

    /// Until the time, or until the options change.
    private func holdUntil(_ until: UInt64) {
        while !stopping.isCancelled {
            let now = gantry_now()
            if now >= until || mayBegin.withLock({ $0 }) < until { return }
            sleep(nanoseconds: until - now)
        }
    }

    func sleep(nanoseconds: UInt64) {
        pause.locked {
            if !stopping.isCancelled { pause.wait(nanoseconds: nanoseconds) }
        }
    }

    /// Sums the source's data extents where the mirror is dirty, for progress only: the guest may change them meanwhile.
    func estimate() {
        var sum: UInt64 = 0
        var position: UInt64 = 0
        var part: [Extent] = []
        while position < mirror.source.size, !stopping.isCancelled {
            let run = mirror.dirty.run(at: position, end: min(mirror.source.size, position + Self.window))
            var at = position
            while run.dirty, at < run.end {
                part.removeAll(keepingCapacity: true)
                guard (try? mirror.source.appendExtents(to: &part, at: at, length: run.end - at)) != nil,
                    let last = part.last, last.end > at
                else { return }
                for extent in part where extent.kind == .data { sum += extent.length }
                at = last.end
            }
            position = run.end
        }
        total.store(sum + copiedBytes, ordering: .relaxed)
    }
}

/// Bytes per second over windows of about a second.
struct RateMeter {
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
