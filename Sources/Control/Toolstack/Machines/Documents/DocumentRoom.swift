import APITypes
import Synchronization

/// The memory that documents of machines take while they come in, all together, and their turn at being read: a document
/// becomes a tree that is several times as large.
final class DocumentRoom: Sendable {
    /// Bytes of archives that are kept at a time.
    let limit: Int
    private let taken = Mutex(0)
    private let last = Mutex<Task<Void, Never>?>(nil)

    init(limit: Int = 4 * (MachineArchive.longest + MachineArchive.block)) { self.limit = limit }

    /// TOO_BUSY when others have too much of it. To be given back.
    func take(_ bytes: Int) throws(APIError) {
        let isTaken = taken.withLock { taken in
            guard taken + bytes <= limit else { return false }
            taken += bytes
            return true
        }
        if !isTaken { throw APIError("TOO_BUSY") }
    }

    func giveBack(_ bytes: Int) { taken.withLock { $0 -= bytes } }

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
