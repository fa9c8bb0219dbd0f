import APITypes
import CoreTypes
import PoolDatabase
import Synchronization

/// Keeps the space reclaimer and the operations on disks apart, without a lock that either could wait for in a circle.
///
/// Each side says what it is about to do before it looks at the other: the reclaimer enters the disks of a step here and then
/// looks whether an operation is in progress on one of them, in which case it leaves; an operation enters `current_operations`
/// and then waits until no step of one of its disks is here. The reclaimer never waits for an operation, and an operation waits
/// for one short step, or for a long one that it has told to stop.
final class ReclaimGate: Sendable {
    private struct Work {
        let repository: String
        let disks: Set<String>
        /// Moves data beside the disks' users: they need not wait for it.
        let isLong: Bool
        let cancellation: CancellationFlag
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private struct State {
        var works: [Int: Work] = [:]
        var next = 0
    }

    private let state = Mutex(State())

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
        for continuation in work?.waiting ?? [] { continuation.resume() }
    }

    /// Returns when no step that is in the way of the claimed operations is here. They have been entered.
    func clear(for claims: [OperationClaim]) async {
        for claim in claims {
            switch claim {
            case .vdi(let vdi, let operation):
                let stopsLong = Self.endsMerges(operation)
                await awaitEnd { $0.disks.contains(vdi.opaque) && (stopsLong || !$0.isLong) }
            case .sr(let sr, let operation) where Self.takesAway(operation):
                await awaitEnd { $0.repository == sr.opaque }
            default: break
            }
        }
    }

    /// Returns when no step keeps the disk's users waiting. Merges beside them go on.
    func clear(for disk: Ref<VDI>) async { await awaitEnd { !$0.isLong && $0.disks.contains(disk.opaque) } }

    /// Tells the SR's merges to stop; their steps begin again later.
    func stopMerges(of repository: Ref<SR>) {
        state.withLock { state in
            for work in state.works.values where work.isLong && work.repository == repository.opaque {
                work.cancellation.cancel()
            }
        }
    }

    /// Ends all work, for an end of the toolstack.
    func clearAll() async { await awaitEnd { _ in true } }

    private func awaitEnd(_ isInTheWay: (Work) -> Bool) async {
        while let id = state.withLock({ state in state.works.first { isInTheWay($0.value) }?.key }) {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state -> Bool in
                    guard state.works[id] != nil else { return true }
                    state.works[id]?.cancellation.cancel()
                    state.works[id]?.waiting.append(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        }
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
