import APITypes
import Synchronization

/// The memory that documents of machines take while they come in, all together, and their turn at being read: a document
/// becomes a tree that is several times as large.
final class DocumentRoom: Sendable {
    /// Bytes of archives that are kept at a time; one user's are at most half of that.
    let limit: Int
    /// By user.
    private let taken = Mutex<[String: Int]>([:])
    private let last = Mutex<Task<Void, Never>?>(nil)

    init(limit: Int = 4 * (MachineArchive.longest + MachineArchive.block)) { self.limit = limit }

    /// TOO_BUSY when others have too much of it, or the user has his share. To be given back.
    func take(_ bytes: Int, for user: String) throws(APIError) {
        let isTaken = taken.withLock { taken in
            let own = taken[user] ?? 0
            guard own + bytes <= limit / 2, taken.values.reduce(bytes, +) <= limit else { return false }
            taken[user] = own + bytes
            return true
        }
        if !isTaken { throw APIError("TOO_BUSY") }
    }

    func giveBack(_ bytes: Int, of user: String) {
        taken.withLock { taken in
            let left = (taken[user] ?? 0) - bytes
            taken[user] = left > 0 ? left : nil
        }
    }

    /// Runs `body` when those before it are done.
    func inTurn<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        let work = last.withLock { last -> Task<T, any Error> in
            let before = last
            let work = Task {
                await before?.value
                return try await body()
            }
            last = Task { _ = try? await work.value }
            return work
        }
        return try await work.value
    }
}
