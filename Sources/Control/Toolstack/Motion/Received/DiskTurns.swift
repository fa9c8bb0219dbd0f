import Synchronization

/// Who may do something with a disk: one at a time, in the order of coming. Sources of other makers do not try again what is refused, so
/// that whoever comes second waits; not for ever, and not any number of them.
final class DiskTurns: Sendable {
    private struct Waiting {
        let number: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        /// By the disk that somebody has: who waits for it.
        var queues: [String: [Waiting]] = [:]
        var last = 0
    }

    private let state = Mutex(State())
    private let patience: Duration
    private let most: Int

    init(patience: Duration = .seconds(120), most: Int = 32) { (self.patience, self.most) = (patience, most) }

    func isTaken(_ id: String) -> Bool { state.withLock { $0.queues[id] != nil } }

    /// Returns when it is the caller's turn, which ends with `leave`. Internal_error when that does not come in time.
    func enter(_ id: String) async throws(StorageLayerError) {
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        let limit = Mutex<Task<Void, Never>?>(nil)
        let isMine = await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                guard let queue = state.queues[id] else {
                    state.queues[id] = []
                    return true
                }
                if queue.count >= most { return false }
                state.queues[id]?.append(Waiting(number: number, continuation: continuation))
                return nil
            }
            if let answer { return continuation.resume(returning: answer) }
            let ending = Task { [self, patience] in
                try? await Task.sleep(for: patience)
                expire(id, number)
            }
            limit.withLock { $0 = ending }
        }
        limit.withLock { $0?.cancel() }
        if isMine { return }
        throw .internalError(
            "what is being done with the disk \(id) has not ended in time: see that its storage answers, and try again")
    }

    func leave(_ id: String) {
        let next = state.withLock { state -> Waiting? in
            guard var queue = state.queues[id], !queue.isEmpty else {
                state.queues[id] = nil
                return nil
            }
            let next = queue.removeFirst()
            state.queues[id] = queue
            return next
        }
        next?.continuation.resume(returning: true)
    }

    private func expire(_ id: String, _ number: Int) {
        let late = state.withLock { state -> Waiting? in
            guard let place = state.queues[id]?.firstIndex(where: { $0.number == number }) else { return nil }
            return state.queues[id]?.remove(at: place)
        }
        late?.continuation.resume(returning: false)
    }
}
