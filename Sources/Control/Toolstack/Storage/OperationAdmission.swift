import APITypes
import PoolDatabase

/// Admits operations on objects: at most one exclusive operation at a time, shown in `current_operations` while it runs.
/// As XAPI keeps them. Each operation has a key of its own, and ending it removes that key only.
struct OperationAdmission: Sendable {
    let database: PoolDatabase
    private static let field = "current_operations"

    /// What `begin` recorded; give it to `end`.
    struct Admitted: Sendable, Hashable {
        let className: String
        let ref: String
        let key: String
    }

    /// Runs `body` with `operation` recorded on the object. `check` sees the row inside the admitting transaction and
    /// throws what speaks against it; it comes first. `beside`: operations that may be in progress at the same time.
    func run<C: XenClass, T: Sendable>(
        _ ref: Ref<C>, _ operation: String, task: Ref<XenTask>, beside: Set<String> = [],
        check: @escaping @Sendable (Row, any DatabaseReader) throws -> Void, _ body: () async throws -> T
    ) async throws -> T {
        let admitted = try await begin(ref, operation, task: task, beside: beside, check: check)
        do {
            let result = try await body()
            await end(admitted)
            return result
        } catch {
            await end(admitted)
            throw error
        }
    }

    /// Records the operation, or throws what is in its way. To be paired with `end`.
    func begin<C: XenClass>(
        _ ref: Ref<C>, _ operation: String, task: Ref<XenTask>, beside: Set<String> = [],
        check: @escaping @Sendable (Row, any DatabaseReader) throws -> Void
    ) async throws -> Admitted {
        let key = task.isNull ? Fresh.ref(XenTask.self).opaque : task.opaque
        try await database.transaction { tx in
            let row = try tx.require(ref)
            try check(row, tx)
            try Self.requireIdle(row, beside: beside)
            try Self.record(ref.opaque, of: C.className, key: key, operation: operation, in: tx)
        }
        return Admitted(className: C.className, ref: ref.opaque, key: key)
    }

    /// Throws OTHER_OPERATION_IN_PROGRESS when an operation other than `beside` runs on the object.
    static func requireIdle(_ row: Row, beside: Set<String> = []) throws(APIError) {
        guard case .map(let operations) = row[field: field] else { return }
        for (other, name) in operations {
            if case .string(let text) = name, !beside.contains(text) {
                throw APIError("OTHER_OPERATION_IN_PROGRESS", row.className, row.ref, text, other)
            }
        }
    }

    /// Adds an operation inside a transaction of the caller's, as when a new object takes over a running one.
    static func record(
        _ ref: String, of className: String, key: String, operation: String, in tx: Transaction
    ) throws(APIError) {
        guard let row = tx.row(className: className, ref: ref), case .map(var operations) = row[field: field] else {
            return
        }
        operations[key] = .string(operation)
        try tx.update(className: className, ref: ref, field: field, .map(operations))
    }

    /// The object may be gone by now: that is no failure.
    func end(_ admitted: Admitted) async {
        try? await database.transaction { tx in
            guard let row = tx.row(className: admitted.className, ref: admitted.ref),
                case .map(var operations) = row[field: Self.field]
            else { return }
            operations[admitted.key] = nil
            try tx.update(className: admitted.className, ref: admitted.ref, field: Self.field, .map(operations))
        }
    }

    /// After a restart nothing is in progress but what recovery takes up itself.
    func clearAll() async throws {
        try await database.transaction { tx in
            for row in tx.rows(VDI.self) { try tx.set(row.typedRef(VDI.self), VDI.currentOperations, [:]) }
            for row in tx.rows(VBD.self) { try tx.set(row.typedRef(VBD.self), VBD.currentOperations, [:]) }
            for row in tx.rows(VM.self) { try tx.set(row.typedRef(VM.self), VM.currentOperations, [:]) }
            for row in tx.rows(SR.self) { try tx.set(row.typedRef(SR.self), SR.currentOperations, [:]) }
        }
    }
}
