/// What a test waited for has not come.
public struct NotReached: Error, CustomStringConvertible {
    public let description: String
}

/// Returns once `isSo`, which is looked at every few milliseconds. Throws `NotReached` after `limit`, far more than it takes on any
/// machine: what would hang a whole run fails one test. An error of `isSo`, which may look whether it can still come to pass, ends the wait.
public func reach(
    _ what: String, atMost limit: Duration = .seconds(120), isolation: isolated (any Actor)? = #isolation,
    _ isSo: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !isSo() {
        if ContinuousClock.now >= end { throw NotReached(description: "not reached in \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
