import APITypes
import CoreTypes
import PoolDatabase
import Synchronization

/// Keeps the space reclaimer and the operations on disks apart, without a lock that either could wait for in a circle.
///
/// Each side says what it is about to do before it looks at the other: the reclaimer enters the disks of a step here and then
/// looks whether an operation is in progress on one of them, in which case it leaves; an operation enters `current_operations`
/// and then waits until no step of one of its disks is here. The reclaimer never waits for an operation, and an operation waits
/// for one short step, or for a long one that it has told to stop. Storage that does not answer may keep a step from ending:
/// who waits for one gives up after a while, and fails.
final class ReclaimGate: Sendable {
    private struct Work {
        let repository: String
        let disks: Set<String>
        /// Moves data beside the disks' users: they need not wait for it.
        let isLong: Bool
        let cancellation: CancellationFlag
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    private struct State {
        var works: [Int: Work] = [:]
        var next = 0
    }

    private let state = Mutex(State())
    /// More than any step takes on storage that answers.
    private let patience: Duration

    init(patience: Duration = .seconds(120)) { self.patience = patience }

    /// Notes a step about the disks (references of VDIs). To be paired with `leave`.
    func enter(
        _ repository: Ref<SR>, disks: Set<String>, isLong: Bool, cancellation: CancellationFlag
    ) -> Int {
        state.withLock { state in
            state.next += 1
            state.works[state.next] = Work(
                repository: repository.opaque, disks: disks, isLong: isLong, cancellation: cancellation)
            return state.next
        }
    }

    func leave(_ id: Int) {
        let work = state.withLock { $0.works.removeValue(forKey: id) }
        for continuation in (work?.waiting ?? [:]).values { continuation.resume(returning: true) }
    }

    /// Returns when no step that is in the way of the claimed operations is here. They have been entered. Throws
    /// SR_BACKEND_FAILURE_47 when one does not end.
    func clear(for claims: [OperationClaim]) async throws(APIError) {
        for claim in claims {
            var isOver = true
            switch claim {
            case .vdi(let vdi, let operation):
                let stopsLong = Self.endsMerges(operation)
                isOver = await awaitEnd { $0.disks.contains(vdi.opaque) && (stopsLong || !$0.isLong) }
            case .overwrite(let vdi):
                isOver = await awaitEnd { $0.disks.contains(vdi.opaque) && !$0.isLong }
            case .sr(let sr, let operation) where Self.takesAway(operation):
                isOver = await awaitEnd { $0.repository == sr.opaque }
            default: break
            }
            if !isOver { throw Self.stuck }
        }
    }

    /// Returns when no step keeps the disk's users waiting. Merges beside them go on. Throws as the other.
    func clear(for disk: Ref<VDI>) async throws(APIError) {
        if await !awaitEnd({ !$0.isLong && $0.disks.contains(disk.opaque) }) { throw Self.stuck }
    }

    private static let stuck = APIError(
        "SR_BACKEND_FAILURE_47", "",
        "The SR is not available [opterr=the storage does not answer: a step of reclaiming its space has not ended; check its "
            + "server or device, then try again]", "")

    /// Tells the SR's merges to stop; their steps begin again later.
    func stopMerges(of repository: Ref<SR>) {
        state.withLock { state in
            for work in state.works.values where work.isLong && work.repository == repository.opaque {
                work.cancellation.cancel()
            }
        }
    }

    /// Ends all work, for an end of the toolstack. What storage that does not answer holds is left behind: the next start
    /// takes it up as after a crash.
    func clearAll() async { _ = await awaitEnd { _ in true } }

    /// False when something that is in the way is still there after the patience.
    private func awaitEnd(_ isInTheWay: (Work) -> Bool) async -> Bool {
        let end = ContinuousClock.now + patience
        while let id = state.withLock({ state in state.works.first { isInTheWay($0.value) }?.key }) {
            let number = state.withLock { state in
                state.next += 1
                return state.next
            }
            let alarm = Task { [self] in
                do { try await Task.sleep(until: end, clock: .continuous) } catch { return }
                state.withLock { $0.works[id]?.waiting.removeValue(forKey: number) }?.resume(returning: false)
            }
            let isOver = await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Bool? in
                    guard state.works[id] != nil else { return true }
                    state.works[id]?.cancellation.cancel()
                    // The alarm has found nobody yet.
                    if ContinuousClock.now >= end { return false }
                    state.works[id]?.waiting[number] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
            alarm.cancel()
            if !isOver { return false }
        }
        return true
    }

    /// A move of a disk, and what takes images away, do not go on beside a merge of the same tree.
    private static func endsMerges(_ operation: VDIOperations) -> Bool {
        switch operation {
        case .mirror, .destroy, .revertTo, .revertFrom: true
        default: false
        }
    }

    /// Whether an operation needs the SR to be used by nobody.
    static func takesAway(_ operation: StorageOperations) -> Bool {
        switch operation {
        case .unplug, .forget, .destroy: true
        default: false
        }
    }
}
