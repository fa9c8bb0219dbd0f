import APITypes

/// What decides whether something may be done to a task.
struct TaskOperationFacts: Sendable {
    var ref: String
    var status: TaskStatusType
    /// What runs behind it listens to a cancellation.
    var isCancellable: Bool
}

/// The operations on tasks. `destroy` is always taken: an unfinished task goes when it is done.
enum TaskOperationRules {
    static func allowed(_ facts: TaskOperationFacts) -> [TaskAllowedOperations] {
        refusal(of: .cancel, facts) == nil ? [.cancel] : []
    }

    /// What speaks against beginning `operation`; nil when nothing does.
    static func refusal(of operation: TaskAllowedOperations, _ facts: TaskOperationFacts) -> APIError? {
        switch operation {
        case .cancel:
            facts.status == .pending && facts.isCancellable
                ? nil : APIError("OPERATION_NOT_ALLOWED", "the task \(facts.ref) cannot be cancelled")
        case .destroy: nil
        }
    }
}
