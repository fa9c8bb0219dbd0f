import BlockIO
import CLinux
import CoreTypes
import Glibc
import Synchronization

/// The filter above a source image while it is mirrored to a destination: guest requests pass through it, and a copier
/// (`MirrorCopier`) fills the destination behind them. `SwitchableDevice` puts it in and takes it out.
///
/// - A write goes to the source; where the granule has been copied already, also to the destination before it is answered
///   (active), or the granule is dirty again (background).
/// - A failure of the destination never reaches the guest: the granules are dirty again and the mirror is broken, and goes
///   on noting what becomes dirty until it is mended or given up.
/// - Every write holds its byte range. The copier does not while it copies: writes into a piece that is being copied go to
///   the source alone and are noted (`CopyPieces`), and what was written to meanwhile stays dirty.
/// - A destination that does not answer a write in time (`MirrorOptions.patience`) is left out: the source alone answers, what
///   the write was to change is dirty before that, and so is what is written until the destination answers. The late
///   write may still come: nothing is copied over it before (`LateChanges`), and no pivot begins.
/// - A destination that no peer answers for hangs with who writes to it. Whoever comes later than that is left to the source
///   alone, until a write has ended (`isLeftOut`), and so does the copier leave it alone. One that is given up, or about to be tried
///   again, is left alone from that moment on, and all guests stand still only when nobody is in it (`DestinationUse`), or for as
///   long as a write is waited for (`GateWait`).
/// - In `dual` a write is answered only when both images have it; if one refuses, the request fails with `undecidedError`,
///   which `SwitchableDevice` turns into waiting for the decision and trying again on the winner.
final class MirrorDevice: @unchecked Sendable {
    // @unchecked: `destination` is changed with the gate of `SwitchableDevice` held exclusively and the copier's threads
    // idle; all who use it hold the gate shared, or are those threads.
    let source: any BlockDevice
    private(set) var destination: any BlockDevice
    let dirty: DirtyMap
    /// Where the destination reads as zeroes and nothing was copied yet; never a clean granule, and nothing in a mirror that goes
    /// on where another process left it.
    let blank: DirtyMap
    let log: MirrorLog
    let controls: MirrorControls
    let pieces = CopyPieces()
    let locks = RangeLocks()
    let times = MirrorTimes()
    /// Guests' writes.
    let use = DestinationUse()
    /// Guests' flushes, which may take their time, as may a comparison's reads and map questions.
    let flushing = DestinationUse()
    let comparing = DestinationUse()
    /// The copier's writes, where no peer answers for them.
    let copying = DestinationUse()
    /// `apart`. Never closed.
    private let calls = DestinationUse()
    let reach = MirrorReach()
    let late = LateChanges()
    /// A peer answers for the destination, or does not.
    private let isRemote: Bool
    /// Held while the destination's metadata are written without barriers.
    private let writingOut = Mutex(())
    let comparison = MirrorComparison()
    let isDistrusted = Atomic<Bool>(false)
    let trust: Mutex<MirrorTrust>
    /// Of `stalledWrites` and `stalledCopies`.
    private let stalled = Atomic<UInt8>(0)
    private static let stalledWrites: UInt8 = 1
    private static let stalledCopies: UInt8 = 2
    /// It was given up for as long as somebody hangs in it.
    private let isAwaited = Atomic<Bool>(false)
    private let state = Mutex(MirrorState())
    private let failure = Mutex<BlockError?>(nil)
    private let refusal = Mutex<MirrorSide?>(nil)
    private let sourceNotFlushed: @Sendable (BlockError) -> Void

    /// `sourceNotFlushed`: hears of every flush of the source that fails: the guest may not, or by a process that has ended then.
    /// Both devices have at least the source's size. What `log` does not know to be the same is copied.
    init(
        source: any BlockDevice, destination: any BlockDevice, log: MirrorLog, options: MirrorOptions = MirrorOptions(),
        trust: MirrorTrust = MirrorTrust(), isRemote: Bool = false,
        sourceNotFlushed: @escaping @Sendable (BlockError) -> Void = { _ in }
    ) {
        self.isRemote = isRemote
        self.sourceNotFlushed = sourceNotFlushed
        self.trust = Mutex(trust)
        self.source = source
        self.destination = destination
        self.log = log
        controls = MirrorControls(options)
        dirty = DirtyMap(size: source.size, granule: log.granule, dirty: false)
        blank = DirtyMap(size: source.size, granule: log.granule, dirty: false)
        log.markDifferent(in: dirty)
        if source.hasVolatileMetadata { log.doubtSource() }
        reach.add(destination)
    }

    /// Thrown for a request that cannot be answered before the pivot is decided.
    static let undecidedError = BlockError(.undecided, "the mirror's pivot is undecided")

    var phase: MirrorState.Phase { state.withLock { $0.phase } }
    /// Why the mirror is broken, or why the pivot is undecided.
    var error: BlockError? { failure.withLock { $0 } }

    /// Which image made the pivot undecided, the first to refuse; nil when none has.
    var failedSide: MirrorSide? { refusal.withLock { $0 } }

    /// Why the last attempt to mend it has failed.
    func note(_ error: BlockError) { failure.withLock { $0 = error } }

    /// Guests' writes to the destination are under way and do not end: no more of them begin.
    @inline(__always)
    var isStalled: Bool { stalled.load(ordering: .acquiring) & Self.stalledWrites != 0 }

    /// The same, or what does not end is the copier's.
    @inline(__always)
    var isLeftOut: Bool { stalled.load(ordering: .acquiring) != 0 }

    /// Guests are answered by the source alone, as the destination hangs.
    var hangs: Bool { isLeftOut || isAwaited.load(ordering: .acquiring) }

    /// From here on nobody begins anything in the destination for which guests would wait.
    func giveUp() { for use in [use, flushing, comparing] { use.close() } }

    /// Undoes one `giveUp`.
    func takeUp() { for use in [use, flushing, comparing] { use.open() } }

    /// After `giveUp`: who closes the gate waits for nobody who is in the destination.
    var isLeft: Bool { use.isEmpty && flushing.isEmpty && comparing.isEmpty }

    /// The same of those who hold no gate: the destination may be closed, when the copier has ended.
    var isLeftByAll: Bool { isLeft && calls.isEmpty }

    /// Somebody hangs in it: it is given up until all have come out.
    func giveUpUntilLeft() {
        if isAwaited.exchange(true, ordering: .acquiringAndReleasing) { return }
        giveUp()
        handle(.fellBehind)
    }

    /// To be asked now and then.
    func takeUpWhenLeft() {
        guard isAwaited.load(ordering: .acquiring), isLeft else { return }
        if isAwaited.exchange(false, ordering: .acquiringAndReleasing) { takeUp() }
    }

    /// The copier leaves the destination, and whoever writes there, alone.
    var isLeftAlone: Bool { isStalled || !use.isOpen }

    func setStalled(writes: Bool, copies: Bool) {
        let next = (writes ? Self.stalledWrites : 0) | (copies ? Self.stalledCopies : 0)
        let before = stalled.exchange(next, ordering: .acquiringAndReleasing)
        if before == 0, next != 0 { handle(.fellBehind) }
    }

    /// Runs what only who asks for it waits for, with neither the gate nor a range held, on a thread of its own. False as soon as `isOver`
    /// says so: it goes on then, and what fails in it the mirror hears of. One that was left so before is waited for in the same way.
    /// `generation`: in which `device` was the destination.
    func apart(
        _ device: any BlockDevice, of generation: UInt64, unless isOver: () -> Bool,
        _ body: @escaping @Sendable (any BlockDevice) throws(BlockError) -> Void
    ) throws(BlockError) -> Bool {
        while !calls.isEmpty {
            if isOver() { return false }
            usleep(5000)
        }
        guard let entry = calls.enter() else { return false }
        let isDone = try Abandonable.run("mirror-flush", unless: isOver) { [self] () throws(BlockError) -> Bool in
            defer { calls.leave(entry) }
            do throws(BlockError) {
                try body(device)
            } catch {
                // One that was replaced meanwhile is no concern of the mirror's any more.
                trust.withLock { if $0.generation == generation { loseDestination(because: error) } }
                throw error
            }
            return true
        }
        return isDone ?? false
    }

    /// What only a flush makes outlive this process, of either image.
    var isVolatile: Bool { destination.hasVolatileMetadata || source.hasVolatileMetadata }

    /// Hands an event to the state; false when it is not legal now.
    @discardableResult
    func handle(_ event: MirrorState.Event, because error: BlockError? = nil) -> Bool {
        if let error { failure.withLock { if $0 == nil { $0 = error } } }
        return state.withLock { $0.handle(event) }
    }

    /// With no request under way: the destination, `isElsewhere`: by a new connection to it, is tried again. What it had not
    /// made durable may be gone with its process, so all that is not known to be in its file is dirty.
    func recover(on device: any BlockDevice, isElsewhere: Bool) {
        destination = device
        // That was said by the other one.
        blank.clear(0, blank.size)
        // The pivot for which it was in sync is far again. Before the generation is new: who compares in it makes haste.
        controls.relax()
        trust.withLock { $0.recovered(isElsewhere: isElsewhere) }
        late.forgetLoss()
        log.markDifferent(in: dirty)
        failure.withLock { $0 = nil }
        handle(.recovered)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        switch phase {
        case .dual:
            // Both hold the same, and nobody has to wait for a peer.
            do throws(BlockError) {
                try unsafe source.read(into: buffer, at: offset)
            } catch {
                try unsafe destination.read(into: buffer, at: offset)
            }
        case .undecided: throw Self.undecidedError
        default: try unsafe source.read(into: buffer, at: offset)
        }
    }

    /// One change of content, in the form of what it does to a device within a part of the request's range, for as long as
    /// its patience lasts.
    private typealias Change = (any BlockDevice, Range<UInt64>, Patience?) throws(BlockError) -> Void

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        // SAFETY: the parts handed to the closure lie inside `offset ..< offset + data.count`.
        try change(offset..<offset + UInt64(data.count)) { device, part, patience throws(BlockError) in
            let lower = Int(part.lowerBound - offset)
            let slice = unsafe UnsafeRawBufferPointer(
                rebasing: data[lower..<lower + Int(part.upperBound - part.lowerBound)])
            if let patience {
                try unsafe device.write(slice, at: part.lowerBound, within: patience)
            } else {
                try unsafe device.write(slice, at: part.lowerBound)
            }
        }
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try change(offset..<offset + length) { device, part, patience throws(BlockError) in
            let count = part.upperBound - part.lowerBound
            if let patience {
                try device.writeZeroes(at: part.lowerBound, length: count, mayUnmap: mayUnmap, within: patience)
            } else {
                try device.writeZeroes(at: part.lowerBound, length: count, mayUnmap: mayUnmap)
            }
        }
    }

    private func change(_ range: Range<UInt64>, _ apply: Change) throws(BlockError) {
        locks.acquire(range)
        defer { locks.release(range) }
        let phase = phase
        switch phase {
        case .undecided: throw Self.undecidedError
        case .dual:
            log.touch(range.lowerBound, range.upperBound - range.lowerBound)
            pieces.touch(range)
            try onBoth { device throws(BlockError) in try apply(device, range, nil) }
        case .finished:
            try apply(source, range, nil)
        case .broken, .copying, .synchronised, .joining:
            // Before either image changes: should we be killed in between, the range is compared as different.
            log.touch(range.lowerBound, range.upperBound - range.lowerBound)
            let started = gantry_now()
            do throws(BlockError) {
                try apply(source, range, nil)
            } catch {
                // What the source holds now is unknown: the destination must be made like it again.
                leaveDirty(range)
                throw error
            }
            times.source.add(gantry_now() - started)
            if phase == .broken || !late.isEmpty || isLeftOut || (phase != .joining && !controls.isActive) {
                leaveDirty(range)
            } else {
                try repeatOnDestination(range, apply)
            }
        }
    }

    /// With the range held.
    private func leaveDirty(_ range: Range<UInt64>) {
        dirty.markPages(range.lowerBound, range.upperBound - range.lowerBound)
        // Who compares takes it from its list first, and looks for dirt after that.
        if comparison.isWatched {
            comparison.copiesAgain(range)
            trust.withLock { $0.copiesAgain() }
        }
        pieces.touch(range)
    }

    /// For what a guest waits for, from `start` on (`gantry_now`).
    func patience(since start: UInt64) -> Patience { Patience(controls.patience, since: start, late: late) }

    /// Applies the change to the clean parts of the range at the destination; a failure there stays between us.
    private func repeatOnDestination(_ range: Range<UInt64>, _ apply: Change) throws(BlockError) {
        var position = range.lowerBound
        // One for all of it, in however many parts.
        let patience = patience(since: gantry_now())
        while position < range.upperBound {
            let run = dirty.run(at: position, end: range.upperBound)
            pieces.touch(position..<run.end)
            if run.dirty {
                // Perhaps only other pages of it were.
                dirty.markPages(position, run.end - position)
            } else {
                // It was given up since.
                guard let entry = use.enter() else { return leaveDirty(position..<range.upperBound) }
                defer { use.leave(entry) }
                let started = gantry_now()
                do throws(BlockError) {
                    try apply(destination, position..<run.end, patience)
                } catch {
                    // Before the guest is answered, and with the range held: nobody copies what may still be changed.
                    leaveDirty(position..<range.upperBound)
                    times.destination.add(gantry_now() - started)
                    if error.code == .late { handle(.fellBehind) } else { handle(.destinationFailed, because: error) }
                    return
                }
                times.destination.add(gantry_now() - started)
            }
            position = run.end
        }
    }

    func flush() throws(BlockError) {
        switch phase {
        case .undecided: throw Self.undecidedError
        case .dual:
            try onBoth { device throws(BlockError) in
                if device === source { try flushSource() } else { try device.flush() }
            }
        case .joining:
            // What the guest is told to be durable from here on is so in both, or this was no pivot.
            try flushSource()
            if isRemote {
                if !MirrorFlush.begin(of: self).isOver(within: controls.patience * Self.flushShare) {
                    handle(.fellBehind)
                }
            } else if let entry = flushing.enter() {
                defer { flushing.leave(entry) }
                flushDestination(destination, of: trust.withLock { $0.generation })
            } else {
                handle(.fellBehind)
            }
        default: try flushSource()
        }
    }

    /// A flush may have much to write: it is waited for longer than a write, by this factor.
    private static let flushShare: UInt64 = 6

    /// `generation`: in which `device` was the destination.
    func flushDestination(_ device: any BlockDevice, of generation: UInt64) {
        do throws(BlockError) {
            try device.flush()
        } catch {
            // One that was replaced meanwhile is no concern of the mirror's any more.
            trust.withLock { if $0.generation == generation { loseDestination(because: error) } }
        }
    }

    /// A connection has ended with a change that was late: its server may do it over what was written since, so nothing that
    /// the destination says counts before it was reached again, and compared.
    func noticeLoss() {
        if !late.isLost { return }
        handle(
            .destinationFailed,
            because: BlockError(.disconnected, "a connection to the destination ended before it had answered a write"))
    }

    /// Lets what the destination has been given so far outlive this process; false where only a flush does, and where what
    /// has not been flushed must not be in the file out of order: from `joining` on. Nothing more of it is under way after
    /// `awaitWriteOut` then.
    func keepDestination() throws(BlockError) -> Bool {
        if !destination.hasVolatileMetadata { return true }
        // Nobody goes on from a map in memory.
        if log.path == nil { return false }
        return try writingOut.withLock { _ throws(BlockError) -> Bool in
            switch phase {
            case .copying, .synchronised: return try destination.writeOut()
            default: return false
            }
        }
    }

    func awaitWriteOut() { writingOut.withLock { _ in } }

    func flushSource() throws(BlockError) {
        try onSource { () throws(BlockError) in try source.flush() }
    }

    func writeBackSource(unless isOver: () -> Bool) throws(BlockError) {
        try onSource { () throws(BlockError) in try source.writeBack(unless: isOver) }
    }

    private func onSource(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        do throws(BlockError) {
            try body()
        } catch {
            sourceNotFlushed(error)
            throw error
        }
    }

    /// A destination that cannot flush may have lost anything that was ever written to it.
    func loseDestination(because error: BlockError) {
        if error.code != .disconnected {
            forgetAll()
        }
        handle(.destinationFailed, because: error)
    }

    /// Nothing is known to be the same, nor does anything become so that is being copied now.
    private func forgetAll() {
        pieces.touchAll {
            log.forgetAll()
            dirty.mark(0, dirty.size)
        }
    }

    /// The images differ where they must not: nothing that is known of them can be trusted, and nobody tries again.
    func distrust(because error: BlockError) {
        isDistrusted.store(true, ordering: .releasing)
        forgetAll()
        if handle(.destinationFailed, because: error) { return }
        // Prepared already: the source is what everything was copied from.
        refusal.withLock { if $0 == nil { $0 = .destination } }
        handle(.oneSideFailed, because: error)
    }

    /// Both or neither is acknowledged. The source goes first; whichever refuses makes the pivot undecided.
    private func onBoth(_ body: (any BlockDevice) throws(BlockError) -> Void) throws(BlockError) {
        var side = MirrorSide.source
        do throws(BlockError) {
            try body(source)
            side = .destination
            try body(destination)
        } catch {
            refusal.withLock { if $0 == nil { $0 = side } }
            handle(.oneSideFailed, because: error)
            throw Self.undecidedError
        }
    }
}

/// What guest writes of a mirror have cost, as sums that only grow.
final class MirrorTimes: Sendable {
    final class Sum: Sendable {
        private let writes = Atomic<UInt64>(0)
        private let nanoseconds = Atomic<UInt64>(0)
        private let most = Atomic<UInt64>(0)

        @inline(__always)
        func add(_ duration: UInt64) {
            writes.wrappingAdd(1, ordering: .relaxed)
            nanoseconds.wrappingAdd(duration, ordering: .relaxed)
            if duration > most.load(ordering: .relaxed) { most.max(duration, ordering: .relaxed) }
        }

        var count: UInt64 { writes.load(ordering: .relaxed) }
        var total: UInt64 { nanoseconds.load(ordering: .relaxed) }
        var longest: UInt64 { most.load(ordering: .relaxed) }
    }

    /// In the source, every write.
    let source = Sum()
    /// In the destination, before the guest was answered: the guest's delay.
    let destination = Sum()
}
