import APITypes
import CoreTypes
import PoolDatabase

/// The one place where operations begin: the rules are asked and the operation is entered in `current_operations`, under
/// its task's reference, in one transaction; when it ends, in whatever way, the entry goes. The field is not stored: a
/// toolstack that was killed leaves nothing in it.
struct OperationAdmission: Sendable {
    let database: PoolDatabase
    /// What else works on disks; nil where nothing does.
    var gate: ReclaimGate?
    /// Where short operations wait for each other; nil where nobody waits.
    var turns: OperationTurns?
    private static let field = "current_operations"

    /// What `begin` entered; give it to `end`.
    struct Admitted: Sendable, Hashable {
        let entries: [OperationClaim.Entry]
        let key: String
    }

    /// Runs `body` with the operations entered. `alongside` sees the admitting transaction after the rules agreed, and may
    /// throw what else speaks against it.
    func run<T: Sendable>(
        _ claims: [OperationClaim], task: Ref<XenTask>,
        alongside: @escaping @Sendable (Transaction) throws -> Void = { _ in }, _ body: () async throws -> T
    ) async throws -> T {
        let admitted = try await begin(claims, task: task, alongside: alongside)
        do {
            let result = try await body()
            await end(admitted)
            return result
        } catch {
            await end(admitted)
            throw error
        }
    }

    /// `run` for a short operation, which waits for others that are short and in its way, and can be cancelled until it begins.
    func runInTurn<T: Sendable>(
        _ claims: [OperationClaim], task: Ref<XenTask>, cancellation: CancellationFlag,
        alongside: @escaping @Sendable (Transaction) throws -> Void = { _ in }, _ body: () async throws -> T
    ) async throws -> T {
        let admitted = try await beginInTurn(claims, task: task, cancellation: cancellation, alongside: alongside)
        do {
            let result = try await body()
            await end(admitted)
            return result
        } catch {
            await end(admitted)
            throw error
        }
    }

    /// `begin` for one that waits as in `runInTurn`, no longer than `limit`. To be paired with `end`.
    func beginInTurn(
        _ claims: [OperationClaim], task: Ref<XenTask>, cancellation: CancellationFlag,
        atMost limit: Duration = OperationTurns.longest,
        alongside: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Admitted {
        guard let turns else { return try await begin(claims, task: task, alongside: alongside) }
        let disks = claims.compactMap { claim -> String? in
            if case .vdi(let ref, _) = claim { return ref.opaque }
            return nil
        }
        return try await turns.take(Set(disks), cancellation: cancellation, limit: limit) {
            try await begin(claims, task: task, alongside: alongside)
        }
    }

    /// An operation that is over in one transaction: the rules are asked, and nobody sees it in progress.
    @discardableResult
    func change<T: Sendable>(
        _ claims: [OperationClaim], _ body: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T {
        try await database.transaction { tx in
            for claim in claims { try claim.check(tx) }
            return try body(tx)
        }
    }

    /// Enters the operations, or throws what is in the way of the first that cannot begin. To be paired with `end`.
    func begin(
        _ claims: [OperationClaim], task: Ref<XenTask>,
        alongside: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Admitted {
        let admitted = try await database.transaction { tx in
            for claim in claims { try claim.check(tx) }
            try alongside(tx)
            let key = task.isNull ? Fresh.ref(XenTask.self).opaque : task.opaque
            let admitted = Admitted(entries: claims.flatMap { $0.entries(tx) }, key: key)
            try Self.enter(admitted, in: tx)
            return admitted
        }
        do {
            try await gate?.clear(for: claims)
        } catch {
            await end(admitted)
            throw error
        }
        return admitted
    }

    /// Enters operations that were admitted before a restart and go on; `task`: under which. To be paired with `end`.
    func enter(_ claims: [OperationClaim], task: Ref<XenTask> = Fresh.ref()) async throws -> Admitted {
        let admitted = try await database.transaction { tx in
            let admitted = Admitted(entries: claims.flatMap { $0.entries(tx) }, key: task.opaque)
            try Self.enter(admitted, in: tx)
            return admitted
        }
        // They go on whatever a step of reclaiming space does.
        try? await gate?.clear(for: claims)
        return admitted
    }

    /// Enters operations without asking, inside a transaction of the caller's, as when a new object takes over a running
    /// one. Objects that are not there are left out.
    static func enter(_ admitted: Admitted, in tx: Transaction) throws(APIError) {
        for entry in admitted.entries {
            guard let row = tx.row(className: entry.className, ref: entry.ref),
                case .map(var operations) = row[field: field]
            else { continue }
            operations[admitted.key] = .string(entry.operation)
            try tx.update(className: entry.className, ref: entry.ref, field: field, .map(operations))
        }
    }

    /// Takes the entries out. The objects may be gone by now: that is no failure. An operation that is over is over however
    /// the database's file fares.
    func end(_ admitted: Admitted) async {
        _ = try? await database.persist { tx in
            for entry in admitted.entries {
                guard let row = tx.row(className: entry.className, ref: entry.ref),
                    case .map(var operations) = row[field: Self.field]
                else { continue }
                operations[admitted.key] = nil
                try tx.update(className: entry.className, ref: entry.ref, field: Self.field, .map(operations))
            }
        }
    }
}
