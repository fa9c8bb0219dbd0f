import APITypes
import RPCCodec

/// Follows one task: in `event.from`, so that the end is noticed at once; a server without events is polled.
struct TaskWatch: Sendable {
    let ref: String
    let caller: any XenAPICaller
    private var token = ""
    private var hasEvents = true
    private var isFirst = true
    /// Which login of the session the token belongs to.
    private var login: Int

    init(ref: String, caller: any XenAPICaller) {
        self.ref = ref
        self.caller = caller
        login = caller.loginCount
    }

    /// The task's next state. Throws what the calls throw; a task that disappears meanwhile is `HANDLE_INVALID`.
    mutating func next() async throws -> TaskStatus {
        while hasEvents {
            try Task.checkCancellation()
            do {
                if let status = try await fromEvents() { return status }
            } catch let error as APIError where error.meansNoSuchCall {
                hasEvents = false
            } catch let error as APIError where error.asksToResynchronise && !token.isEmpty {
                token = ""
            }
        }
        if !isFirst { try await Task.sleep(for: .milliseconds(250)) }
        isFirst = false
        return try await current()
    }

    private func current() async throws -> TaskStatus {
        TaskStatus(ref: ref, record: try await caller.call("task.get_record", [.string(ref)]))
    }

    private mutating func fromEvents() async throws -> TaskStatus? {
        let parameters: [WireValue] = [.array([.string("task/\(ref)")]), .string(token), .double(30)]
        let clock = ContinuousClock()
        let began = clock.now
        let batch = try await caller.call("event.from", parameters)
        if caller.loginCount != login {
            // A new session, perhaps with a server that has started anew: with the old token it would report nothing.
            login = caller.loginCount
            token = ""
            return try await current()
        }
        var latest: TaskStatus?
        for event in batch.member("events")?.items ?? [] where event.member("ref")?.text == ref {
            if event.member("operation")?.text == "del" { throw APIError.handleInvalid("task", ref) }
            if let snapshot = event.member("snapshot") { latest = TaskStatus(ref: ref, record: snapshot) }
        }
        // Nothing at all was reported of it: is it there?
        if latest == nil, token.isEmpty { latest = try await current() }
        token = batch.member("token")?.text ?? token
        if latest == nil, began.duration(to: clock.now) < .milliseconds(50) {
            // A server that does not wait must not be asked without end.
            try await Task.sleep(for: .milliseconds(100))
        }
        return latest
    }
}
