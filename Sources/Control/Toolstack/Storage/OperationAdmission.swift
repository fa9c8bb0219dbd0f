import APITypes
import PoolDatabase

/// Admits operations on objects: at most one exclusive operation at a time, shown in `current_operations` while it runs.
/// Source: wire facts, section 11.
struct OperationAdmission: Sendable {
    let database: PoolDatabase

    /// Runs `body` with `operation` recorded on the VDI. `check` sees the row inside the admitting transaction and throws
    /// what speaks against it.
    func vdi<T: Sendable>(
        _ ref: Ref<VDI>, _ operation: String, task: Ref<XenTask>, check: @escaping @Sendable (Row, any DatabaseReader) throws -> Void,
        _ body: () async throws -> T
    ) async throws -> T {
        try await run(ref, operation, task: task, check: check, body)
    }

    func vm<T: Sendable>(
        _ ref: Ref<VM>, _ operation: String, task: Ref<XenTask>, check: @escaping @Sendable (Row, any DatabaseReader) throws -> Void,
        _ body: () async throws -> T
    ) async throws -> T {
        try await run(ref, operation, task: task, check: check, body)
    }

    private func run<C: XenClass, T: Sendable>(
        _ ref: Ref<C>, _ operation: String, task: Ref<XenTask>,
        check: @escaping @Sendable (Row, any DatabaseReader) throws -> Void, _ body: () async throws -> T
    ) async throws -> T {
        try await begin(ref, operation, task: task, check: check)
        do {
            let result = try await body()
            await end(ref)
            return result
        } catch {
            await end(ref)
            throw error
        }
    }

    /// Records the operation, or throws what is in its way. To be paired with `end`.
    func begin<C: XenClass>(
        _ ref: Ref<C>, _ operation: String, task: Ref<XenTask>,
        check: @escaping @Sendable (Row, any DatabaseReader) throws -> Void
    ) async throws {
        let key = task.isNull ? Fresh.ref(XenTask.self).opaque : task.opaque
        try await database.transaction { tx in
            let row = try tx.require(ref)
            if case .map(let operations) = row[field: Self.field], let (other, name) = operations.first,
                case .string(let text) = name
            {
                throw APIError("OTHER_OPERATION_IN_PROGRESS", C.className, ref.opaque, text, other)
            }
            try check(row, tx)
            try tx.update(className: C.className, ref: ref.opaque, field: Self.field, .map([key: .string(operation)]))
        }
    }

    /// The object may be gone by now: that is no failure.
    func end<C: XenClass>(_ ref: Ref<C>) async {
        try? await database.transaction { tx in
            if tx.row(ref) != nil { try tx.update(className: C.className, ref: ref.opaque, field: Self.field, .map([:])) }
        }
    }

    private static let field = "current_operations"

    /// After a restart nothing is in progress but what recovery takes up itself.
    func clearAll() async throws {
        try await database.transaction { tx in
            for row in tx.rows(VDI.self) { try tx.set(row.typedRef(VDI.self), VDI.currentOperations, [:]) }
            for row in tx.rows(VM.self) { try tx.set(row.typedRef(VM.self), VM.currentOperations, [:]) }
        }
    }
}
