/// When a client that lost its server tries again, and when it gives up. A value: it is told what happened and when, and says
/// what to do next; times are nanoseconds of any clock that only goes forward.
///
/// One outage lasts from the first loss until something was answered again: a server that takes connections and dies of
/// each does not renew the time.
public struct ReconnectState: Sendable {
    public enum Step: Equatable, Sendable {
        /// The connection stands, as far as is known.
        case use
        /// Connect now, and say `failed` or `restored`.
        case connect
        /// Ask again at this time.
        case wait(until: UInt64)
        /// The time is over: nothing will be done any more.
        case giveUp
    }

    private enum Phase: Sendable {
        case up
        case down(next: UInt64)
        case over
    }

    /// First and longest pause between two attempts.
    static let firstPause: UInt64 = 10_000_000
    static let longestPause: UInt64 = 1_000_000_000

    private let patience: UInt64
    private var phase = Phase.up
    private var pause = ReconnectState.firstPause
    /// When the outage began that has not been seen to end.
    private var outage: UInt64?
    /// Counts the connections, so that news of an old one is told from news of this one.
    public private(set) var generation: UInt64 = 0

    /// `patience`: how long one outage may last.
    public init(patience: UInt64) { self.patience = patience }

    /// The connection of `generation` is gone. `answered`: something was answered on it.
    public mutating func lost(generation lost: UInt64, answered: Bool, at now: UInt64) {
        guard case .up = phase, lost == generation else { return }
        if answered || outage == nil {
            outage = now
            pause = Self.firstPause
            phase = .down(next: now)
        } else {
            phase = .down(next: now &+ grownPause())
        }
    }

    public func step(at now: UInt64) -> Step {
        switch phase {
        case .up: return .use
        case .over: return .giveUp
        case .down(let next):
            let end = (outage ?? now) &+ patience
            if now >= end { return .giveUp }
            return now >= next ? .connect : .wait(until: min(next, end))
        }
    }

    /// An attempt has failed.
    public mutating func failed(at now: UInt64) {
        guard case .down = phase else { return }
        phase = .down(next: now &+ grownPause())
    }

    /// An attempt has succeeded: a new generation begins.
    public mutating func restored() {
        guard case .down = phase else { return }
        phase = .up
        generation += 1
    }

    public var isOver: Bool {
        if case .over = phase { true } else { false }
    }

    /// Nothing is tried any more.
    public mutating func end() { phase = .over }

    private mutating func grownPause() -> UInt64 {
        defer { pause = min(pause * 2, Self.longestPause) }
        return pause
    }
}
