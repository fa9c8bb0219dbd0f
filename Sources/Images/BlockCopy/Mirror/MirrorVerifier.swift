import BlockIO
import CLinux
import CoreTypes
import Glibc
import Synchronization

/// Compares the two images of a mirror, once from beginning to end, while its clients go on.
///
/// Every write goes to both images from the beginning on, so what was alike at one moment stays so, and what is written behind
/// or before the comparison needs none of its own: one pass is enough, however much is written. Where neither image's map has
/// data nothing is read. A piece is read without being held; only where the two reads differ, as they do when it was written to
/// between them, its granules are read again one by one, each held: a client's write waits for that at most.
struct MirrorVerifier {
    private static let chunk: UInt64 = 256 << 10
    /// Waits of `pause` nanoseconds for a mirror that is not in sync, one after the other without a piece between them.
    private static let patience = 1000
    private static let pause: UInt64 = 10_000_000
    /// Comparisons that begin anew because the destination was lost meanwhile.
    private static let mostRounds = 10

    let mirror: MirrorDevice
    /// Held shared for each piece, as by a request.
    let gate: ReadWriteLock
    let copier: MirrorCopier
    /// It keeps to the mirror's rate, and stands while the mirror is paused. Not for who keeps others waiting.
    let isHeldBack: Bool

    init(mirror: MirrorDevice, gate: ReadWriteLock, copier: MirrorCopier, isHeldBack: Bool = false) {
        (self.mirror, self.gate, self.copier, self.isHeldBack) = (mirror, gate, copier, isHeldBack)
    }

    /// Returns the disk's bytes, all of which are alike. Throws `.corrupt` with the place of the first difference that was met,
    /// and the mirror is broken for good; `.busy` when it does not come into sync for ten seconds; `.cancelled` when it ends.
    func run() throws(BlockError) -> UInt64 {
        let comparison = mirror.comparison
        comparison.begin()
        defer { comparison.end() }
        for _ in 0..<Self.mostRounds {
            let generation = mirror.trust.withLock { $0.generation }
            mirror.controls.hurry()
            // From here on nothing becomes dirty but what fails.
            mirror.locks.awaitEarlier()
            try compareAll(in: generation)
            // What was compared before it was lost may have changed in it.
            if mirror.trust.withLock({ $0.compared(since: generation) }) { return mirror.dirty.size }
        }
        throw BlockError(
            .io, "the mirror's destination is lost again and again, and cannot be compared; see to the way to it")
    }

    /// Ends early when the generation is over. Pieces of an export are on their way several at a time.
    private func compareAll(in generation: UInt64) throws(BlockError) {
        mirror.comparison.set(0)
        let sweep = ComparedPieces(size: mirror.dirty.size, chunk: Self.chunk)
        let helpers = (0..<(copier.repair?.reopen == nil ? 0 : 3)).compactMap { index in
            WorkerThread(ifPossible: "mirror-cmp-\(index)") { work(on: sweep, generation) }
        }
        work(on: sweep, generation)
        for helper in helpers { helper.join() }
        if let error = sweep.error { throw error }
    }

    private func work(on sweep: ComparedPieces, _ generation: UInt64) {
        let (ours, theirs) = (AlignedBuffer(count: Int(Self.chunk)), AlignedBuffer(count: Int(Self.chunk)))
        do throws(BlockError) {
            while sweep.error == nil, mirror.trust.withLock({ $0.generation }) == generation {
                guard let piece = try patiently({ () throws(BlockError) in try next(of: sweep) }) else { return }
                let started = gantry_now()
                try patiently { () throws(BlockError) in try compare(piece, ours, theirs) }
                mirror.comparison.add(piece.upperBound - piece.lowerBound)
                if isHeldBack { hold(sweep.pace, piece.upperBound - piece.lowerBound, since: started) }
            }
        } catch {
            sweep.fail(error)
        }
    }

    /// What a guest has just made different is made alike by the copier, or by a destination that comes back.
    private func patiently<T>(_ body: () throws(BlockError) -> T) throws(BlockError) -> T {
        var patience = Self.patience
        while true {
            do throws(BlockError) {
                return try body()
            } catch {
                guard error.code == .busy, patience > 0, !mirror.controls.isPaused else { throw error }
                // How long a destination may say nothing is its connection's to know.
                if mirror.late.isEmpty { patience -= 1 }
                copier.sleep(nanoseconds: Self.pause)
            }
        }
    }

    private var mayRecover: Bool {
        mirror.controls.options.retryFor > 0 && !mirror.isDistrusted.load(ordering: .acquiring)
            && !copier.hasGivenUp.load(ordering: .relaxed)
    }

    private var hasEnded: Bool { copier.stopping.isCancelled || mirror.reach.isCut }

    /// With the gate held and both images there, which hold the same where nothing is dirty.
    private func inSync(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        gate.lockShared()
        defer { gate.unlock() }
        if hasEnded { throw BlockError(.cancelled, "the mirror has ended while it was verified") }
        switch mirror.phase {
        case .synchronised, .joining, .dual: break
        case .broken where mayRecover: throw Self.lost
        case .broken: throw mirror.error ?? BlockError(.io, "the mirror is broken")
        default: throw Self.behind
        }
        try body()
    }

    private static let lost = BlockError(.busy, "the mirror's destination is being tried again")
    private static let behind = BlockError(.busy, "the mirror is not synchronised; wait and ask again")

    /// The next piece in which either image's map has data; nil behind the last.
    private func next(of sweep: ComparedPieces) throws(BlockError) -> Range<UInt64>? {
        while isHeldBack, mirror.controls.isPaused {
            try inSync { () throws(BlockError) in }
            copier.sleep(nanoseconds: Self.pause)
        }
        let (piece, passed) = try sweep.next { (extents, window) throws(BlockError) in
            try inSync { () throws(BlockError) in
                guard isClean(window) else { throw Self.behind }
                let length = window.upperBound - window.lowerBound
                try mirror.source.appendExtents(to: &extents, at: window.lowerBound, length: length)
                try fromDestination { () throws(BlockError) in
                    try mirror.destination.appendExtents(to: &extents, at: window.lowerBound, length: length)
                }
            }
        }
        mirror.comparison.add(passed)
        return piece
    }

    private func isClean(_ range: Range<UInt64>) -> Bool {
        let run = mirror.dirty.run(at: range.lowerBound, end: range.upperBound)
        return !run.dirty && run.end >= range.upperBound
    }

    private func compare(
        _ piece: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) {
        try inSync { () throws(BlockError) in
            guard isClean(piece) else { throw Self.behind }
            if try difference(in: piece, ours, theirs) == nil { return }
            var position = piece.lowerBound
            while position < piece.upperBound {
                let part = position..<min(piece.upperBound, position + mirror.dirty.granule)
                try compareClosely(part, ours, theirs)
                position = part.upperBound
            }
        }
    }

    /// No guest waits for a peer because of this, unless it writes here all the time.
    private func compareClosely(
        _ part: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) {
        for _ in 0..<Self.mostFreely {
            try begin(part)
            let place: UInt64?
            do throws(BlockError) {
                place = try difference(in: part, ours, theirs)
            } catch {
                _ = mirror.pieces.remove(part)
                throw error
            }
            mirror.locks.acquire(part)
            let touched = mirror.pieces.remove(part)
            mirror.locks.release(part)
            if touched == nil { return try judge(place) }
        }
        // No write is half on one side while this is held.
        mirror.locks.acquire(part)
        defer { mirror.locks.release(part) }
        guard isClean(part) else { throw Self.behind }
        try judge(try difference(in: part, ours, theirs))
    }

    /// Attempts without the part held.
    private static let mostFreely = 8

    /// Whoever writes to the part from here on is noticed.
    private func begin(_ part: Range<UInt64>) throws(BlockError) {
        mirror.locks.acquire(part)
        defer { mirror.locks.release(part) }
        guard isClean(part), mirror.pieces.add(part) else { throw Self.behind }
    }

    private func judge(_ place: UInt64?) throws(BlockError) {
        guard let place else { return }
        let error = BlockError(.corrupt, "the destination does not hold what the source holds", offset: place)
        mirror.distrust(because: error)
        throw error
    }

    /// The first byte that differs.
    private func difference(
        in piece: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) -> UInt64? {
        let count = Int(piece.upperBound - piece.lowerBound)
        // SAFETY: both buffers hold a whole chunk and are this thread's own.
        let (left, right) = unsafe (
            UnsafeMutableRawBufferPointer(rebasing: ours.bytes[0..<count]),
            UnsafeMutableRawBufferPointer(rebasing: theirs.bytes[0..<count])
        )
        try unsafe mirror.source.read(into: left, at: piece.lowerBound)
        try fromDestination { () throws(BlockError) in
            try unsafe mirror.destination.read(into: right, at: piece.lowerBound)
        }
        guard let one = left.baseAddress, let other = right.baseAddress, unsafe memcmp(one, other, count) != 0 else {
            return nil
        }
        return (0..<count).first { unsafe left[$0] != right[$0] }.map { piece.lowerBound + UInt64($0) }
    }

    private func fromDestination(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        do throws(BlockError) {
            try body()
        } catch {
            mirror.handle(.destinationFailed, because: error)
            // Perhaps since another thread's read.
            if mirror.phase == .broken, mayRecover { throw Self.lost }
            throw error
        }
    }

    /// As long as the rate and the guest's share ask for; a rate that is changed meanwhile holds at once.
    private func hold(_ pace: ComparisonPace, _ bytes: UInt64, since started: UInt64) {
        let share = mirror.controls.copyShare
        if share < 100 { copier.sleep(nanoseconds: (gantry_now() - started) * (100 - share) / max(1, share)) }
        pace.add(bytes, at: gantry_now())
        while !hasEnded {
            let wait = pace.wait(perSecond: mirror.controls.bytesPerSecond, at: gantry_now())
            if wait == 0 { return }
            copier.sleep(nanoseconds: min(wait, Self.pause))
        }
    }
}

/// What is left of a comparison, handed out in order to several threads, and why it cannot go on.
private final class ComparedPieces: Sendable {
    private struct State {
        /// Up to here both maps were looked at.
        var looked: UInt64 = 0
        /// Bytes of what was looked at without data, which nobody has counted yet.
        var empty: UInt64 = 0
        /// Where there is data in either, last first.
        var runs: [Range<UInt64>] = []
        /// Bytes to look at next.
        var window = ComparedPieces.firstWindow
        var error: BlockError?
    }

    private static let firstWindow: UInt64 = 16 << 20
    private static let longestWindow: UInt64 = 1 << 30
    /// Less than this between two runs is read with them.
    private static let gap: UInt64 = 64 << 10
    private static let alignment: UInt64 = 4096

    let pace = ComparisonPace()
    private let size: UInt64
    private let chunk: UInt64
    private let state = Mutex(State())

    init(size: UInt64, chunk: UInt64) { (self.size, self.chunk) = (size, chunk) }

    var error: BlockError? { state.withLock { $0.error } }
    func fail(_ error: BlockError) { state.withLock { if $0.error == nil { $0.error = error } } }

    /// The next piece, and how many bytes without data were passed on the way. `look` appends the extents of both images in a
    /// range; others wait for it.
    func next(
        _ look: (inout [Extent], Range<UInt64>) throws(BlockError) -> Void
    ) throws(BlockError) -> (piece: Range<UInt64>?, passed: UInt64) {
        try state.withLock { state throws(BlockError) in
            while state.runs.isEmpty, state.looked < size {
                let range = state.looked..<min(size, state.looked + state.window)
                var extents: [Extent] = []
                try look(&extents, range)
                state.runs = Self.merge(extents, in: range).reversed()
                state.empty += state.runs.reduce(range.upperBound - range.lowerBound) {
                    $0 - ($1.upperBound - $1.lowerBound)
                }
                state.looked = range.upperBound
                // What is empty goes by in large steps.
                state.window = state.runs.isEmpty ? min(Self.longestWindow, state.window * 4) : Self.firstWindow
            }
            let passed = state.empty
            state.empty = 0
            guard let run = state.runs.popLast() else { return (nil, passed) }
            let piece = run.lowerBound..<min(run.upperBound, run.lowerBound + chunk)
            if piece.upperBound < run.upperBound { state.runs.append(piece.upperBound..<run.upperBound) }
            return (piece, passed)
        }
    }

    /// Where there is data in any of the extents, in order.
    private static func merge(_ extents: [Extent], in range: Range<UInt64>) -> [Range<UInt64>] {
        var runs: [Range<UInt64>] = []
        for extent in extents.lazy.filter({ $0.kind == .data }).sorted(by: { $0.offset < $1.offset }) {
            let end = extent.end.roundedUp(to: alignment) ?? range.upperBound
            let run = (extent.offset.roundedDown(to: alignment)..<end).clamped(to: range)
            if run.isEmpty { continue }
            if let last = runs.last, run.lowerBound <= last.upperBound + gap {
                runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
            } else {
                runs.append(run)
            }
        }
        return runs
    }
}

/// Holds the threads of a comparison together to a rate that may change at any time.
final class ComparisonPace: Sendable {
    private struct State {
        var perSecond: UInt64 = 0
        /// Since when so many bytes were compared at that rate.
        var since: UInt64 = 0
        var bytes: UInt64 = 0

        var due: UInt64 {
            if perSecond == 0 { return 0 }
            let (scaled, overflow) = bytes.multipliedReportingOverflow(by: 1_000_000_000)
            return since + (overflow ? 1_000_000_000 : scaled / perSecond)
        }
    }

    private let state = Mutex(State())

    /// So many bytes were compared by `now`, nanoseconds of any clock.
    func add(_ bytes: UInt64, at now: UInt64) {
        state.withLock { state in
            // Time in which nothing was compared is not made up for.
            if state.due < now { (state.since, state.bytes) = (now, 0) }
            state.bytes += bytes
        }
    }

    /// Nanoseconds that are left to wait at the rate, bytes per second, which holds from now on; 0: none. A rate of 0 is no limit.
    func wait(perSecond: UInt64, at now: UInt64) -> UInt64 {
        state.withLock { state in
            if perSecond != state.perSecond {
                // What was compared just now counts at the new rate; what is older does not.
                if state.perSecond != 0 { state.bytes = 0 }
                (state.perSecond, state.since) = (perSecond, now)
            }
            return state.due > now ? state.due - now : 0
        }
    }
}

/// How far a mirror's comparison is, for those who watch.
final class MirrorComparison: Sendable {
    private let running = Atomic<Int>(0)
    private let bytes = Atomic<UInt64>(0)

    func begin() { running.add(1, ordering: .relaxed) }
    func end() { running.subtract(1, ordering: .relaxed) }
    func set(_ count: UInt64) { bytes.store(count, ordering: .relaxed) }
    func add(_ count: UInt64) { bytes.wrappingAdd(count, ordering: .relaxed) }

    /// Bytes of the disk that are known to be alike; nil while nobody compares.
    var comparedBytes: UInt64? { running.load(ordering: .relaxed) > 0 ? bytes.load(ordering: .relaxed) : nil }
}
