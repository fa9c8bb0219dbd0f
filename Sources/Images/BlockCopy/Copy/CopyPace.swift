import CLinux
import Glibc
import Synchronization

/// Holds a copy to a rate, or lets it stand, as it is told while it runs. Usable from anywhere.
public final class CopyPace: Sendable {
    private struct State {
        var bytesPerSecond: UInt64 = 0
        var isPaused = false
        /// When the next piece may begin, nanoseconds of `gantry_now`.
        var mayBegin: UInt64 = 0
        /// Who waits by an earlier rate asks again.
        var changes = 0
    }

    private let state = Mutex(State())
    /// How long a word may wait to be heard.
    private static let step: UInt64 = 20_000_000

    public init() {}

    /// From now on; nil: as before. `bytesPerSecond` 0: no limit.
    public func set(bytesPerSecond: UInt64? = nil, isPaused: Bool? = nil) {
        state.withLock { state in
            if let isPaused { state.isPaused = isPaused }
            guard let bytesPerSecond, bytesPerSecond != state.bytesPerSecond else { return }
            state.bytesPerSecond = bytesPerSecond
            (state.mayBegin, state.changes) = (0, state.changes + 1)
        }
    }

    var isLimited: Bool { state.withLock { $0.bytesPerSecond > 0 } }

    /// Returns when `bytes` may be moved. One piece is under way at once, whatever its size; the next waits as long as it takes at
    /// the rate. 0: waits for the end of a pause only.
    func pass(_ bytes: UInt64) {
        var turn: (until: UInt64, changes: Int)?
        while true {
            let now = gantry_now()
            let wait: UInt64 = state.withLock { state in
                if state.isPaused { return Self.step }
                if bytes == 0 || state.bytesPerSecond == 0 { return 0 }
                if turn?.changes != state.changes {
                    let until = max(state.mayBegin, now)
                    state.mayBegin = until + Self.cost(bytes, state.bytesPerSecond)
                    turn = (until, state.changes)
                }
                guard let turn, turn.until > now else { return 0 }
                return min(Self.step, turn.until - now)
            }
            if wait == 0 { return }
            usleep(UInt32(wait / 1000) + 1)
        }
    }

    /// Nanoseconds, an hour at most.
    private static func cost(_ bytes: UInt64, _ perSecond: UInt64) -> UInt64 {
        let longest: UInt64 = 3_600_000_000_000
        let (scaled, overflow) = bytes.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? longest : min(longest, scaled / perSecond)
    }
}
