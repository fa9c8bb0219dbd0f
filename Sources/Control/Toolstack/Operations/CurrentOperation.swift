import APITypes
import PoolDatabase

/// An entry of `current_operations`: something that is being done to an object.
struct CurrentOperation<Operation: APIEnumeration>: Sendable, Equatable {
    let operation: Operation
    /// The reference of the task that does it.
    let task: String

    /// The entries of a row's map, in the order of their tasks, so that the same state gives the same error.
    static func read(_ entries: [String: Operation]) -> [CurrentOperation] {
        if entries.isEmpty { return [] }
        return entries.sorted { $0.key < $1.key }.map { CurrentOperation(operation: $1, task: $0) }
    }

    /// OTHER_OPERATION_IN_PROGRESS [class, object, operation_type, operation_ref].
    func inTheWay(of className: String, _ ref: String) -> APIError {
        APIError("OTHER_OPERATION_IN_PROGRESS", className, ref, operation.rawValue, task)
    }
}
