import BlockIO
import Synchronization

/// The comparisons of a mirror's images that run, for those who watch them, and for the mirror, which notes in each what is
/// copied meanwhile.
final class MirrorComparison: Sendable {
    private struct State {
        var rounds: [ComparisonRound] = []
        /// The last that ended well, and in which generation; what is copied again is noted in it, too.
        var ended: (round: ComparisonRound, generation: UInt64)?
    }

    /// Of those that run at the mirror's rate.
    let one = OneComparison()
    private let state = Mutex(State())
    private let watched = Atomic<Bool>(false)

    /// Somebody compares, or has: whatever is copied again is to be noted. Costs one load.
    @inline(__always)
    var isWatched: Bool { watched.load(ordering: .sequentiallyConsistent) }

    /// `compared`: the generation in which all was compared but what is left in the round; nil when nothing was.
    func begin(size: UInt64, granule: UInt64) -> (round: ComparisonRound, compared: UInt64?) {
        let begun = state.withLock { state -> (ComparisonRound, UInt64?) in
            let ended = state.ended.take()
            let round = ended?.round ?? ComparisonRound(size: size, granule: granule)
            state.rounds.append(round)
            return (round, ended?.generation)
        }
        watched.store(true, ordering: .sequentiallyConsistent)
        return begun
    }

    /// `compared`: as for who begins the next; nil when it did not end well.
    func end(_ round: ComparisonRound, compared generation: UInt64?) {
        state.withLock { state in
            state.rounds.removeAll { $0 === round }
            if let generation { state.ended = (round, generation) }
        }
    }

    /// The range is dirty, and will be copied.
    func copiesAgain(_ range: Range<UInt64>) {
        let length = range.upperBound - range.lowerBound
        state.withLock { state in
            for round in state.rounds { round.left.mark(range.lowerBound, length) }
            state.ended?.round.left.mark(range.lowerBound, length)
        }
    }

    /// Bytes of the disk that are known to be alike, by the comparison that is the farthest; nil while nobody compares.
    var comparedBytes: UInt64? { state.withLock { $0.rounds.map(\.comparedBytes).max() } }
}

/// What several ask for at once is compared once: whoever comes while somebody does has that one's answer. So one that nobody waits
/// for any more, as its asker was killed or had no time left, is gone on with instead of begun beside.
final class OneComparison: Sendable {
    private final class Running: Sendable {
        let answer = Mutex<Result<UInt64, BlockError>?>(nil)
    }

    private let running = Mutex<Running?>(nil)
    private let ended = Monitor()
    /// So many wait for another's answer.
    let waiting = Atomic<Int>(0)

    func run(_ body: () throws(BlockError) -> UInt64) throws(BlockError) -> UInt64 {
        let own = Running()
        let other = running.withLock { running -> Running? in
            if let running { return running }
            running = own
            return nil
        }
        if let other {
            waiting.add(1, ordering: .relaxed)
            defer { waiting.subtract(1, ordering: .relaxed) }
            return try ended.locked { () throws(BlockError) -> UInt64 in
                while true {
                    if let answer = other.answer.withLock({ $0 }) { return try answer.get() }
                    ended.wait()
                }
            }
        }
        let answer = Result { () throws(BlockError) in try body() }
        running.withLock { $0 = nil }
        ended.locked {
            own.answer.withLock { $0 = answer }
            ended.wakeAll()
        }
        return try answer.get()
    }
}

/// One comparison: how far it is, and what must be compared when all else was.
final class ComparisonRound: Sendable {
    /// What was copied since it began, or written to whenever it was looked at.
    let left: DirtyMap
    private let bytes = Atomic<UInt64>(0)

    init(size: UInt64, granule: UInt64) { left = DirtyMap(size: size, granule: granule, dirty: false) }

    /// All is compared anew.
    func restart() {
        left.clear(0, left.size)
        bytes.store(0, ordering: .relaxed)
    }

    func add(_ count: UInt64) { bytes.wrappingAdd(count, ordering: .relaxed) }
    var comparedBytes: UInt64 { bytes.load(ordering: .relaxed) }
}

/// How long a comparison waits for a mirror to be in sync: as long as it comes nearer to that. A value, asked each hundredth of
/// a second.
struct SyncPatience {
    /// Times, ten seconds.
    static let most: UInt64 = 1000
    /// The most bytes that are copied at once, for which a rate is waited for.
    private static let piece: UInt64 = 4 << 20

    /// What is copied after the mirror has fallen behind again counts as well. Not for who keeps others waiting.
    let isLasting: Bool
    private var waited: UInt64 = 0
    private var silent: UInt64 = 0
    private var least = UInt64.max

    init(isLasting: Bool) { self.isLasting = isLasting }

    /// `isSilent`: the destination owes answers; how long it may is its connection's to know, but one that gives each of them
    /// too late is not waited for without end.
    mutating func isOver(dirtyBytes: UInt64, isSilent: Bool, bytesPerSecond: UInt64) -> Bool {
        if isSilent { silent += 1 }
        if dirtyBytes < least { waited = 0 } else if !isSilent { waited += 1 }
        if dirtyBytes < least || isLasting { least = dirtyBytes }
        let pace = bytesPerSecond == 0 ? 0 : Self.piece * 100 / bytesPerSecond
        return waited > Self.most + pace || silent > Self.most * 60
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
