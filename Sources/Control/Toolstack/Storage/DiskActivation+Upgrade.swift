import APITypes
import DatapathControl
import PoolDatabase
import StorageMotion

extension DiskActivation {
    /// After an upgrade of the data path's program: the processes of the earlier one give way to new ones, one after the
    /// other. Guests see a pause, no error: their requests are answered by the next process. A disk that is moving is left
    /// until that is over, and so is one that somebody holds or has paused. Returns how many were replaced.
    @discardableResult
    func replaceOutdated(
        _ image: @Sendable (Row) async throws -> ImageSpecification,
        onFailure: @Sendable (String, any Error) -> Void
    ) async -> Int {
        let outdated = Set(await host.outdatedIDs)
        if outdated.isEmpty { return 0 }
        var count = 0
        for (uuid, id) in records where outdated.contains(id) {
            guard !isMoving(uuid), let vdi = vdi(uuid), let handle = try? await hold(uuid) else { continue }
            do {
                let status = try await handle.client.status()
                if status.isPaused != true, status.mirror == nil {
                    // Before the old one is ended: storage that does not answer leaves the guest what it has.
                    var next = try await image(vdi)
                    next.readOnly = status.image.readOnly
                    try await host.replace(id, image: next)
                    count += 1
                }
            } catch {
                // One that ended is started again by `revive`.
                onFailure(uuid, error)
            }
            release(uuid)
        }
        return count
    }
}
