import Synchronization

/// One after the other for each key: who plugs or unplugs a PBD has it to himself, and who comes next finds what became of
/// it.
final class RepositoryTurns: Sendable {
    /// Key → those who wait. There is an entry while somebody has the turn.
    private let waiting = Mutex<[String: [CheckedContinuation<Void, Never>]]>([:])

    func run<T: Sendable>(_ key: String, _ body: () async throws -> T) async throws -> T {
        await begin(key)
        do {
            let result = try await body()
            end(key)
            return result
        } catch {
            end(key)
            throw error
        }
    }

    private func begin(_ key: String) async {
        await withCheckedContinuation { continuation in
            let isFree = waiting.withLock { waiting -> Bool in
                guard waiting[key] == nil else {
                    waiting[key]?.append(continuation)
                    return false
                }
                waiting[key] = []
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// The turn goes to the next, if there is one.
    private func end(_ key: String) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            if waiting[key]?.isEmpty == false { return waiting[key]?.removeFirst() }
            waiting[key] = nil
            return nil
        }
        next?.resume()
    }
}
