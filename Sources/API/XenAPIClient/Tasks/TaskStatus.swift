public import APITypes
public import RPCCodec

/// A task's row as a waiting client sees it.
public struct TaskStatus: Sendable {
    public let ref: String
    public let uuid: String
    /// pending, success, failure, cancelling, cancelled
    public let status: String
    /// 0…1
    public let progress: Double
    /// XML-RPC text of the operation's value; empty until it succeeded.
    public let result: String
    /// The code and parameters of the failure.
    public let errorInfo: [String]
    /// Annotations of the server: `bytes_total`, `bytes_copied`, `bytes_per_second`, `bytes_dirty`, `phase`.
    public let otherConfig: [String: String]

    public var isFinished: Bool { !["pending", "cancelling"].contains(status) }

    /// Reads a task record; unknown and missing members are tolerated.
    public init(ref: String, record: WireValue) {
        self.ref = ref
        uuid = record.member("uuid")?.text ?? ""
        status = record.member("status")?.text ?? "pending"
        progress = record.member("progress")?.number ?? 0
        result = record.member("result")?.text ?? ""
        errorInfo = record.member("error_info")?.items?.compactMap(\.text) ?? []
        var annotations: [String: String] = [:]
        for entry in record.member("other_config")?.members ?? [] { annotations[entry.name] = entry.value.text }
        otherConfig = annotations
    }

    /// The value of a successful task as its text (a reference, a string; empty for void and for structured values).
    /// Throws the task's failure otherwise.
    public func value() throws(APIError) -> String {
        switch status {
        case "success":
            guard !result.isEmpty else { return "" }
            return (try? XMLRPC.decodeValue(result))?.text ?? ""
        case "cancelled":
            throw errorInfo.isEmpty ? APIError("TASK_CANCELLED", ref) : failure
        default:
            throw failure
        }
    }

    /// The value of a successful task. Throws the task's failure, and `WireMismatch` when its result is no value.
    public func wireValue() throws -> WireValue {
        guard status == "success" else {
            _ = try value()
            return .void
        }
        guard !result.isEmpty else { return .void }
        do { return try XMLRPC.decodeValue(result) } catch {
            throw WireMismatch(expected: "a value")
        }
    }

    private var failure: APIError {
        guard let code = errorInfo.first else { return .internalError("the task failed without saying why") }
        return APIError(code, Array(errorInfo.dropFirst()))
    }
}
