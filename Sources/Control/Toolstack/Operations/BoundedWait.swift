/// Waits for work that goes on by itself when the wait is over.
enum BoundedWait {
    /// Returns true when the work is done, false after `limit`.
    @discardableResult
    static func wait(for work: Task<Void, Never>, atMost limit: Duration) async -> Bool {
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        let timer = Task {
            try? await Task.sleep(for: limit)
            end.yield(false)
        }
        Task {
            await work.value
            end.yield(true)
        }
        defer { timer.cancel() }
        for await isDone in ends { return isDone }
        return false
    }
}
