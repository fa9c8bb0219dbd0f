import Synchronization

/// Lets one caller in at a time, in the order in which they came. With `longestTurn`, whoever hangs keeps the others waiting
/// for so long and is then no longer waited for.
public final class CallQueue: Sendable {
    private struct State {
        /// Of the last turn that was given.
        var number = 0
        var isTaken = false
        var waiting: [CheckedContinuation<Int, Never>] = []

        mutating func give() -> Int {
            isTaken = true
            number += 1
            return number
        }
    }

    private let state = Mutex(State())
    private let longestTurn: Duration?

    /// Somebody has a turn.
    var isTaken: Bool { state.withLock { $0.isTaken } }

    public init(longestTurn: Duration? = nil) { self.longestTurn = longestTurn }

    /// The number of the caller's turn, for `leave`.
    @discardableResult
    func enter() async -> Int {
        await withCheckedContinuation { continuation in
            let turn: Int? = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return nil
                }
                return state.give()
            }
            if let turn { begin(turn, continuation) }
        }
    }

    /// Ends the turn, unless it has been ended for lasting too long. Nil: that of whoever has it now, where turns last as
    /// long as they want.
    func leave(_ turn: Int? = nil) {
        let next = state.withLock { state -> (Int, CheckedContinuation<Int, Never>)? in
            guard state.isTaken, state.number == turn ?? state.number else { return nil }
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            let continuation = state.waiting.removeFirst()
            return (state.give(), continuation)
        }
        if let (turn, continuation) = next { begin(turn, continuation) }
    }

    private func begin(_ turn: Int, _ continuation: CheckedContinuation<Int, Never>) {
        continuation.resume(returning: turn)
        guard let longestTurn else { return }
        Task {
            try? await Task.sleep(for: longestTurn)
            leave(turn)
        }
    }
}
