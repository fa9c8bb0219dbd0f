public import APITypes
public import RPCCodec

extension XenAPICaller {
    /// Waits until the task `ref` is finished and returns its last state. `onProgress` gets each state seen on the way.
    ///
    /// Waits in `event.from`, so that the end is noticed at once; a server without events is polled. Throws what the
    /// calls throw; a task that disappears meanwhile is `HANDLE_INVALID`.
    ///
    /// A server that cannot be asked is tried again for as long as `patience` says: one that is replaced by a newer version goes on
    /// with some operations under their tasks. It needs a session that ``XenAPISession/Options/reconnects``.
    public func waitForTask(
        _ ref: String, patience: Duration = .zero, onProgress: @Sendable (TaskStatus) -> Void = { _ in }
    ) async throws -> TaskStatus {
        var watch = TaskWatch(ref: ref, caller: self)
        var broken: ContinuousClock.Instant?
        while true {
            let status: TaskStatus
            do {
                status = try await watch.next()
                broken = nil
            } catch let error as ConnectionError where error.mayPass {
                let since = broken ?? .now
                broken = since
                guard since.duration(to: .now) < patience else { throw error }
                try await Task.sleep(for: min(patience, .milliseconds(500)))
                continue
            }
            onProgress(status)
            if status.isFinished { return status }
        }
    }

    /// Starts `Async.<method>`, waits for its task, removes the task and returns the operation's value as text.
    public func runTask(
        _ method: String, _ parameters: [WireValue], patience: Duration = .zero,
        onProgress: @Sendable (TaskStatus) -> Void = { _ in }
    ) async throws -> String {
        guard let task = try await call("Async.\(method)", parameters).text else {
            throw APIError.internalError("Async.\(method) did not answer with a task")
        }
        let status = try await waitForTask(task, patience: patience, onProgress: onProgress)
        _ = try? await call("task.destroy", [.string(task)])
        return try status.value()
    }
}

extension ConnectionError {
    /// The next try may have more luck.
    var mayPass: Bool {
        switch self {
        case .unreachable, .lost: true
        case .status, .redirected, .malformed: false
        }
    }
}

extension APIError {
    /// The server does not have the call: older than it, or without its implementation.
    public var meansNoSuchCall: Bool { code == "MESSAGE_METHOD_UNKNOWN" || code == "NOT_IMPLEMENTED" }

    /// What was reported up to now is worth nothing: the reader of events begins again.
    var asksToResynchronise: Bool {
        ["EVENTS_LOST", "EVENT_FROM_TOKEN_PARSE_FAILURE", "SESSION_NOT_REGISTERED"].contains(code)
    }
}
