import Synchronization

/// Tasks that wait for something with a name: a reply's number, a device that goes away.
/// Each is answered exactly once: by its reply, by its time limit, or by `settleAll`. Any thread may answer.
final class PendingReplies<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Answer = Result<Value, GuestError>

    private struct State {
        var waiting: [Key: (ticket: UInt64, CheckedContinuation<Answer, Never>)] = [:]
        var nextTicket: UInt64 = 0
        var settled: Answer?
    }
    private let state = Mutex(State())

    /// Registers `key`, then calls `begin`, then waits at most `limit` for `resolve(key, …)`.
    func wait(
        for key: Key, atMost limit: Duration, _ what: String, begin: @Sendable () throws(GuestError) -> Void
    ) async throws(GuestError) -> Value {
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            let (ticket, settled) = register(key, continuation)
            if let settled {
                continuation.resume(returning: settled)
                return
            }
            Task {
                try? await Task.sleep(for: limit)
                self.resolve(key, .failure(GuestError(.timedOut, "\(what) took more than \(limit)")), only: ticket)
            }
            do throws(GuestError) {
                try begin()
            } catch {
                resolve(key, .failure(error), only: ticket)
            }
        }
        return try answer.get()
    }

    private func register(_ key: Key, _ continuation: CheckedContinuation<Answer, Never>) -> (UInt64, Answer?) {
        state.withLock { state in
            if let settled = state.settled { return (0, settled) }
            guard state.waiting[key] == nil else {
                return (0, .failure(GuestError(.refused, "somebody else waits for the same thing")))
            }
            state.nextTicket += 1
            state.waiting[key] = (state.nextTicket, continuation)
            return (state.nextTicket, nil)
        }
    }

    /// Answers who waits for `key`; nobody may. With `only`, not someone who began to wait later.
    func resolve(_ key: Key, _ answer: Answer, only ticket: UInt64? = nil) {
        let found = state.withLock { state -> CheckedContinuation<Answer, Never>? in
            guard let entry = state.waiting[key], ticket == nil || entry.ticket == ticket else { return nil }
            state.waiting[key] = nil
            return entry.1
        }
        found?.resume(returning: answer)
    }

    /// Answers everyone who waits; with `forGood` also everyone who comes later, until `reopen`.
    func settleAll(_ answer: Answer, forGood: Bool) {
        let all = state.withLock { state in
            if forGood { state.settled = answer }
            defer { state.waiting = [:] }
            return state.waiting.values.map(\.1)
        }
        for each in all { each.resume(returning: answer) }
    }

    /// Takes back the standing answer of `settleAll`.
    func reopen() { state.withLock { $0.settled = nil } }
}
