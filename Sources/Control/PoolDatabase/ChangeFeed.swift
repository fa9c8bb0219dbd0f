import APITypes
import Synchronization

extension PoolDatabase {
    /// Returns once the database is past `generation`, the time is over, or the calling task was cancelled.
    public func waitForChange(after generation: Int64, timeout: Duration) async {
        let id = waiters.register()
        let timer = Task { [waiters] in
            try? await Task.sleep(for: timeout)
            waiters.wake(id)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let wait = !Task.isCancelled && self.generation <= generation
                waiters.park(id, continuation, wait: wait) { self.generation > generation }
            }
        } onCancel: {
            waiters.wake(id)
        }
        timer.cancel()
    }

    /// Lets everybody who waits for a change look again, though there is none.
    public func wakeWaiters() { waiters.wakeAll() }

    /// What happened after generation `since`: rows changed (oldest change first), rows gone, and the generation this
    /// is the state of. Give `classes` (exact names) to look at those only.
    public func changes(
        since: Int64, classes: Set<String>? = nil
    ) -> (changed: [Row], deleted: [DeletedRow], generation: Int64) {
        read { view in
            guard let state = view as? DatabaseState else { return ([], [], view.generation) }
            var changed: [Row] = []
            for (name, table) in state.tables where table.lastChange > since && classes?.contains(name) ?? true {
                for (ref, stored) in table.rows where stored.modified > since {
                    changed.append(Row(schema: table.schema, ref: ref, stored: stored))
                }
            }
            changed.sort { ($0.lastModified, $0.created, $0.ref) < ($1.lastModified, $1.created, $1.ref) }
            let firstDeleted = state.deleted.partitioningIndex { $0.generation > since }
            let deleted = state.deleted[firstDeleted...].filter { classes?.contains($0.className) ?? true }
            return (changed, deleted, state.generation)
        }
    }
}

extension Array {
    /// The first index whose element fits, in an array where all that fit are at the end.
    fileprivate func partitioningIndex(_ fits: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if fits(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// The tasks that wait for the next change.
final class ChangeWaiters: Sendable {
    private enum Waiter: Sendable {
        case registered
        case parked(CheckedContinuation<Void, Never>)
        case woken
    }

    private struct Table: Sendable {
        var next: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
    }

    private let table = Mutex(Table())

    func register() -> UInt64 {
        table.withLock { table in
            table.next += 1
            table.waiters[table.next] = .registered
            return table.next
        }
    }

    /// Suspends until `wake`. `isDue` is asked again under the lock, so that a change between is not missed.
    func park(_ id: UInt64, _ continuation: CheckedContinuation<Void, Never>, wait: Bool, isDue: () -> Bool) {
        let resume = table.withLock { table -> Bool in
            if case .registered? = table.waiters[id], wait, !isDue() {
                table.waiters[id] = .parked(continuation)
                return false
            }
            table.waiters[id] = nil
            return true
        }
        if resume { continuation.resume() }
    }

    func wake(_ id: UInt64) {
        let continuation = table.withLock { table -> CheckedContinuation<Void, Never>? in
            switch table.waiters[id] {
            case .parked(let continuation)?:
                table.waiters[id] = nil
                return continuation
            case .registered?:
                table.waiters[id] = .woken
                return nil
            case .woken?, nil:
                return nil
            }
        }
        continuation?.resume()
    }

    func wakeAll() {
        let all = table.withLock { table -> [CheckedContinuation<Void, Never>] in
            var parked: [CheckedContinuation<Void, Never>] = []
            for (id, waiter) in table.waiters {
                if case .parked(let continuation) = waiter {
                    parked.append(continuation)
                    table.waiters[id] = nil
                }
            }
            return parked
        }
        for continuation in all { continuation.resume() }
    }
}
