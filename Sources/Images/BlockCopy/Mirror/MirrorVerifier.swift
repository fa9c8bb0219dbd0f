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
/// between them, its blocks are read again one by one. What a destination that was late has left to the copier is noted, and
/// compared when all else was (`ComparisonRound`).
struct MirrorVerifier {
    private static let chunk: UInt64 = 256 << 10
    /// What differs is read again in blocks of so many bytes: few are written each time.
    private static let block = 4096
    /// Nanoseconds between two looks at a mirror that is not in sync.
    private static let pause: UInt64 = 10_000_000
    /// Looks at what was copied meanwhile.
    private static let mostPasses = 1000
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
    /// and the mirror is broken for good; `.busy` when it comes no nearer to being in sync for ten seconds, or when the
    /// destination answers too late without end; `.cancelled` when it ends.
    ///
    /// Where all was compared before, in a destination that was not lost since, and something was copied again meanwhile, only
    /// that is.
    func run() throws(BlockError) -> UInt64 {
        let (round, known) = mirror.comparison.begin(size: mirror.dirty.size, granule: mirror.dirty.granule)
        // Who asks where nothing is missing wants all of it looked at once more.
        let earlier = mirror.trust.withLock { $0.isCompared } ? nil : known
        var compared: UInt64?
        defer { mirror.comparison.end(round, compared: compared) }
        for _ in 0..<Self.mostRounds {
            // Before the haste: who recovers takes that back first.
            let generation = mirror.trust.withLock { $0.generation }
            if generation != earlier { round.restart() }
            mirror.controls.hurry()
            // From here on nothing becomes dirty but what fails or is late, and that is noted in the round.
            mirror.locks.awaitEarlier()
            if generation != earlier { try compareAll(round, in: generation) }
            if try compareRest(round, in: generation) {
                compared = generation
                return mirror.dirty.size
            }
        }
        throw BlockError(
            .io, "the mirror's destination is lost again and again, and cannot be compared; see to the way to it")
    }

    /// What was copied while all was compared, and what a guest was too quick for, until nothing is left. False when what was
    /// compared may have changed in a destination that was lost since.
    private func compareRest(_ round: ComparisonRound, in generation: UInt64) throws(BlockError) -> Bool {
        for pass in 0..<Self.mostPasses {
            // Before the look: what is copied behind it is known by this.
            let copies = mirror.trust.withLock { $0.copies }
            if round.left.isClean {
                let isOver = mirror.trust.withLock { trust in
                    trust.compared(since: generation, copies: copies) ? trust.isCompared : nil
                }
                guard let isOver else { return false }
                if isOver { return true }
            }
            if mirror.trust.withLock({ $0.generation }) != generation { return false }
            try compareAll(round, in: generation, pass: pass)
        }
        throw BlockError(
            .busy, "the destination answers too late again and again, and cannot be compared; see to the way to it")
    }

    /// Ends early when the generation is over. Pieces of an export are on their way several at a time. `pass`: of those that
    /// look at nothing but what is left in the round.
    private func compareAll(_ round: ComparisonRound, in generation: UInt64, pass: Int? = nil) throws(BlockError) {
        let sweep = ComparedPieces(size: mirror.dirty.size, chunk: Self.chunk, round: round, pass: pass)
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
                guard let piece = try patiently(sweep, { () throws(BlockError) in try next(of: sweep) }) else { return }
                let started = gantry_now()
                try patiently(sweep) { () throws(BlockError) in try compare(piece, of: sweep, ours, theirs) }
                sweep.passed(piece.upperBound - piece.lowerBound)
                if isHeldBack { hold(sweep.pace, piece.upperBound - piece.lowerBound, since: started) }
            }
        } catch {
            sweep.fail(error)
        }
    }

    /// What a guest has just made different is made alike by the copier, or by a destination that comes back.
    private func patiently<T>(_ sweep: ComparedPieces, _ body: () throws(BlockError) -> T) throws(BlockError) -> T {
        var patience = SyncPatience(isLasting: isHeldBack)
        while true {
            do throws(BlockError) {
                return try body()
            } catch {
                guard error.code == .busy else { throw error }
                if mirror.controls.isPaused {
                    // What was alike is so still.
                    guard isHeldBack, sweep.hasBegun else { throw error }
                } else if patience.isOver(
                    dirtyBytes: mirror.dirty.dirtyBytes, isSilent: mirror.late.isUnderWay || mirror.hangs,
                    bytesPerSecond: mirror.controls.bytesPerSecond)
                {
                    throw error
                }
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
        // Whoever goes into one that hangs holds the gate there.
        if mirror.isLeftAlone { throw Self.behind }
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
        return try sweep.next { (extents, window) throws(BlockError) in
            if sweep.takeLeft(in: window, to: &extents) { return window.upperBound }
            var end = window.lowerBound
            try inSync { () throws(BlockError) in
                guard isClean(window) else { throw Self.behind }
                // Either may tell of a part of it only: the rest is looked at next. The one that tells less is asked first,
                // and the other for no more than that.
                let theirsFirst = sweep.isDestinationTerse.load(ordering: .relaxed)
                if !theirsFirst { end = try Self.append(&extents, of: mirror.source, window) }
                let asked = end
                try fromDestination { () throws(BlockError) in
                    let range = theirsFirst ? window : window.lowerBound..<end
                    end = try Self.append(&extents, of: mirror.destination, range)
                }
                if theirsFirst {
                    let told = end
                    end = try Self.append(&extents, of: mirror.source, window.lowerBound..<told)
                    if end < told { sweep.isDestinationTerse.store(false, ordering: .relaxed) }
                } else if end < asked {
                    sweep.isDestinationTerse.store(true, ordering: .relaxed)
                }
            }
            return end
        }
    }

    /// Appends what the device tells at once of the range; returns where that ends.
    private static func append(
        _ extents: inout [Extent], of device: any BlockDevice, _ range: Range<UInt64>
    ) throws(BlockError) -> UInt64 {
        var part: [Extent] = []
        try device.appendExtents(to: &part, at: range.lowerBound, length: range.upperBound - range.lowerBound)
        guard let last = part.last, last.end > range.lowerBound else {
            throw BlockError(.io, "the extent map does not advance", offset: range.lowerBound)
        }
        extents += part
        return min(last.end, range.upperBound)
    }

    private func isClean(_ range: Range<UInt64>) -> Bool {
        let run = mirror.dirty.run(at: range.lowerBound, end: range.upperBound)
        return !run.dirty && run.end >= range.upperBound
    }

    /// With the gate let go after each answer of a peer: whoever asks for it exclusively keeps all guests waiting meanwhile.
    private func compare(
        _ piece: Range<UInt64>, of sweep: ComparedPieces, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) {
        var parts: [Range<UInt64>] = []
        try inSync { () throws(BlockError) in
            guard isClean(piece) else { throw Self.behind }
            try read(mirror.source, piece, ours)
            try readTheirs(piece, theirs)
            parts = Self.differences(in: piece, ours, theirs)
        }
        for part in parts {
            if try !compareClosely(part, ours, theirs, mayHold: sweep.mayHold) { sweep.putAside(part) }
        }
    }

    /// Nobody waits for a peer because of this, but whoever writes here all the time, in the end. False: somebody does, and
    /// it must be compared later.
    private func compareClosely(
        _ part: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer, mayHold: Bool
    ) throws(BlockError) -> Bool {
        var isAlike = false
        for _ in 0..<Self.mostFreely {
            try inSync { () throws(BlockError) in isAlike = try compareFreely(part, ours, theirs) }
            if isAlike { return true }
        }
        if mayHold { try inSync { () throws(BlockError) in isAlike = try compareHeld(part, ours, theirs) } }
        return isAlike
    }

    /// False: it was written to meanwhile.
    private func compareFreely(
        _ part: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) -> Bool {
        try begin(part)
        do throws(BlockError) {
            try readTheirs(part, theirs)
        } catch {
            _ = mirror.pieces.remove(part)
            throw error
        }
        guard acquire(part) else {
            _ = mirror.pieces.remove(part)
            throw Self.behind
        }
        defer { mirror.locks.release(part) }
        if mirror.pieces.remove(part) != nil { return false }
        // Nothing was written here since `begin`, and nothing is while ours is read.
        try judge(part, ours, theirs)
        return true
    }

    /// No write is half on one side while this is held. False: a destination that owes answers would keep writers waiting for
    /// them, or one that hung has, until the part was given back (`HeldCopies`).
    private func compareHeld(
        _ part: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) -> Bool {
        guard acquire(part) else { throw Self.behind }
        var isOurs = true
        defer { if isOurs { mirror.locks.release(part) } }
        guard mirror.late.isEmpty else { return false }
        if copier.isLocal { copier.held.begin(part, at: gantry_now()) }
        do throws(BlockError) {
            try readTheirs(part, theirs)
        } catch {
            isOurs = !copier.isLocal || copier.held.end(part)
            throw error
        }
        isOurs = !copier.isLocal || copier.held.end(part)
        if isOurs { try judge(part, ours, theirs) }
        return isOurs
    }

    /// Attempts without the part held.
    private static let mostFreely = 8

    /// Whoever writes to the part from here on is noticed.
    private func begin(_ part: Range<UInt64>) throws(BlockError) {
        guard acquire(part) else { throw Self.behind }
        defer { mirror.locks.release(part) }
        guard isClean(part), mirror.pieces.add(part) else { throw Self.behind }
    }

    /// As the copier does. False: it is not held.
    private func acquire(_ part: Range<UInt64>) -> Bool {
        mirror.locks.acquire(part) { mirror.isLeftAlone || hasEnded }
    }

    /// With the part held, and what the destination has in `theirs`.
    private func judge(
        _ part: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) throws(BlockError) {
        try read(mirror.source, part, ours)
        guard let place = Self.difference(in: part, ours, theirs) else { return }
        // One that has failed since says nothing of what it was given.
        guard isClean(part) else { throw Self.behind }
        let error = BlockError(.corrupt, "the destination does not hold what the source holds", offset: place)
        mirror.distrust(because: error)
        throw error
    }

    private func readTheirs(_ part: Range<UInt64>, _ buffer: AlignedBuffer) throws(BlockError) {
        try fromDestination { () throws(BlockError) in try read(mirror.destination, part, buffer) }
    }

    private func read(_ device: any BlockDevice, _ part: Range<UInt64>, _ buffer: AlignedBuffer) throws(BlockError) {
        // SAFETY: the buffer holds a whole chunk, the part is no longer, and it is this thread's own.
        try unsafe device.read(
            into: UnsafeMutableRawBufferPointer(
                rebasing: buffer.bytes[0..<Int(part.upperBound - part.lowerBound)]), at: part.lowerBound)
    }

    /// Blocks of the piece, which the buffers hold, that differ.
    private static func differences(
        in piece: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) -> [Range<UInt64>] {
        let count = Int(piece.upperBound - piece.lowerBound)
        guard differ(ours, theirs, 0..<count) else { return [] }
        return stride(from: 0, to: count, by: block).compactMap { start in
            let end = min(count, start + block)
            guard differ(ours, theirs, start..<end) else { return nil }
            return piece.lowerBound + UInt64(start)..<piece.lowerBound + UInt64(end)
        }
    }

    private static func differ(_ ours: AlignedBuffer, _ theirs: AlignedBuffer, _ range: Range<Int>) -> Bool {
        guard let one = unsafe ours.bytes.baseAddress, let other = unsafe theirs.bytes.baseAddress else { return false }
        // SAFETY: the range lies inside both buffers.
        return unsafe memcmp(one + range.lowerBound, other + range.lowerBound, range.count) != 0
    }

    /// The first byte that differs.
    private static func difference(
        in part: Range<UInt64>, _ ours: AlignedBuffer, _ theirs: AlignedBuffer
    ) -> UInt64? {
        (0..<Int(part.upperBound - part.lowerBound)).first { unsafe ours.bytes[$0] != theirs.bytes[$0] }
            .map { part.lowerBound + UInt64($0) }
    }

    private func fromDestination(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        guard let entry = mirror.comparing.enter() else { throw Self.behind }
        defer { mirror.comparing.leave(entry) }
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
