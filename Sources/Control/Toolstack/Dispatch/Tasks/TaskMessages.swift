import APITypes
import PoolDatabase

extension Tasks {
    func register(in table: inout MessageTable, database: PoolDatabase) {
        table.on("task.create") { [self] context, arguments in
            let (name, description): (String, String) = (try arguments.get(0), try arguments.get(1))
            try Self.requireShort("name_label", name.utf8.count)
            try Self.requireShort("name_description", description.utf8.count)
            return try await createForClient(
                name, description: description, session: context.session, parent: context.client.parentTask
            ).apiValue
        }
        table.on("task.destroy") { [self] context, arguments in
            let ref: Ref<XenTask> = try arguments.get(0)
            try owners.require(ref, for: context.session, in: database)
            try await destroy(ref)
            return .void
        }
        table.on("task.cancel") { [self] context, arguments in
            let ref: Ref<XenTask> = try arguments.get(0)
            try owners.require(ref, for: context.session, in: database)
            try await cancel(ref, by: context.task)
            return .void
        }
        table.on(
            "task.set_status",
            change(database) { transaction, ref, arguments in
                let status: TaskStatusType = try arguments.get(1)
                try transaction.set(ref, XenTask.status, status)
                if status != .pending && status != .cancelling {
                    try transaction.set(ref, XenTask.finished, APIDate(seconds: Self.now))
                    try transaction.set(ref, XenTask.allowedOperations, [])
                }
            })
        table.on(
            "task.set_progress",
            change(database) { transaction, ref, arguments in
                try transaction.set(ref, XenTask.progress, try arguments.get(1))
            })
        table.on(
            "task.set_result",
            change(database) { transaction, ref, arguments in
                let result: String = try arguments.get(1)
                try Self.requireShort("result", result.utf8.count)
                try transaction.set(ref, XenTask.result, result)
            })
        table.on(
            "task.set_error_info",
            change(database) { transaction, ref, arguments in
                let error: [String] = try arguments.get(1)
                try Self.requireShort("error_info", error.reduce(0) { $0 + $1.utf8.count })
                try transaction.set(ref, XenTask.errorInfo, error)
            })
        table.on(
            "task.set_other_config",
            change(database) { transaction, ref, arguments in
                let entries: [String: String] = try arguments.get(1)
                try Self.requireShort(entries)
                try transaction.set(ref, XenTask.otherConfig, entries)
            })
        table.on(
            "task.add_to_other_config",
            change(database) { transaction, ref, arguments in
                let key: String = try arguments.get(1)
                var entries = try transaction.require(ref)[XenTask.otherConfig]
                guard entries[key] == nil else {
                    throw APIError("MAP_DUPLICATE_KEY", "task", "other_config", ref.opaque, key)
                }
                entries[key] = try arguments.get(2)
                try Self.requireShort(entries)
                try transaction.set(ref, XenTask.otherConfig, entries)
            })
        table.on(
            "task.remove_from_other_config",
            change(database) { transaction, ref, arguments in
                var entries = try transaction.require(ref)[XenTask.otherConfig]
                entries[try arguments.get(1)] = nil
                try transaction.set(ref, XenTask.otherConfig, entries)
            })
    }

    /// The most bytes of each text of a task, and of its `other_config` in all: tasks live in memory, and every user may make some.
    static let longestText = 64 << 10

    /// VALUE_NOT_SUPPORTED [field, value, reason]: the value is how long it is.
    private static func requireShort(_ field: String, _ bytes: Int) throws(APIError) {
        guard bytes <= longestText else {
            throw APIError(
                "VALUE_NOT_SUPPORTED", field, "\(bytes) bytes", "a task keeps at most \(longestText) bytes there")
        }
    }

    private static func requireShort(_ entries: [String: String]) throws(APIError) {
        try requireShort("other_config", entries.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count })
    }

    private func change(
        _ database: PoolDatabase,
        _ edit: @escaping @Sendable (Transaction, Ref<XenTask>, Arguments) throws -> Void
    ) -> MessageHandler {
        { [owners] context, arguments in
            let ref: Ref<XenTask> = try arguments.get(0)
            try owners.require(ref, for: context.session, in: database)
            try await database.transaction { transaction in
                _ = try transaction.require(ref)
                try edit(transaction, ref, arguments)
            }
            return .void
        }
    }
}
