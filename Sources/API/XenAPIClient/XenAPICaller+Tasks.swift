public import APITypes
public import RPCCodec

extension XenAPICaller {
    /// Waits until the task `ref` is finished and returns its last state. `onProgress` gets each state seen on the way.
    ///
    /// Waits in `event.from`, so that the end is noticed at once; a server without events is polled. Throws what the
    /// calls throw; a task that disappears meanwhile is `HANDLE_INVALID`.
    public func waitForTask(
        _ ref: String, onProgress: @Sendable (TaskStatus) -> Void = { _ in }
    ) async throws -> TaskStatus {
        var token = ""
        var hasEvents = true
        while true {
            try Task.checkCancellation()
            if hasEvents {
                do {
                    let batch = try await nextEvents(of: ref, after: token)
                    token = batch.token
                    guard let status = batch.status else { continue }
                    onProgress(status)
                    if status.isFinished { return status }
                    continue
                } catch let error as APIError where error.meansNoSuchCall {
                    hasEvents = false
                }
            }
            let status = TaskStatus(ref: ref, record: try await call("task.get_record", [.string(ref)]))
            onProgress(status)
            if status.isFinished { return status }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func nextEvents(of ref: String, after token: String) async throws -> (token: String, status: TaskStatus?) {
        let parameters: [WireValue] = [.array([.string("task/\(ref)")]), .string(token), .double(30)]
        let batch = try await call("event.from", parameters)
        var latest: TaskStatus?
        for event in batch.member("events")?.items ?? [] where event.member("ref")?.text == ref {
            if event.member("operation")?.text == "del" { throw APIError.handleInvalid("task", ref) }
            if let snapshot = event.member("snapshot") { latest = TaskStatus(ref: ref, record: snapshot) }
        }
        if latest == nil, token.isEmpty {
            // Nothing at all was reported of it: is it there?
            latest = TaskStatus(ref: ref, record: try await call("task.get_record", [.string(ref)]))
        }
        return (batch.member("token")?.text ?? token, latest)
    }

    /// Starts `Async.<method>`, waits for its task, removes the task and returns the operation's value as text.
    public func runTask(
        _ method: String, _ parameters: [WireValue], onProgress: @Sendable (TaskStatus) -> Void = { _ in }
    ) async throws -> String {
        guard let task = try await call("Async.\(method)", parameters).text else {
            throw APIError.internalError("Async.\(method) did not answer with a task")
        }
        let status = try await waitForTask(task, onProgress: onProgress)
        _ = try? await call("task.destroy", [.string(task)])
        return try status.value()
    }
}

extension APIError {
    /// The server does not have the call: older than it, or without its implementation.
    public var meansNoSuchCall: Bool { code == "MESSAGE_METHOD_UNKNOWN" || code == "NOT_IMPLEMENTED" }
}
