import APITypes
import DatapathControl
import PoolDatabase
import StorageMotion

extension DiskActivation {
    /// After an upgrade of the data path's program: the processes of the earlier one give way to new ones, one after the
    /// other. Guests see a pause, no error: their requests are answered by the next process. A disk that is moving is left
    /// until that is over, and so is one that somebody holds or has paused. A program that does not start at all costs nobody
    /// anything (`DatapathProbe`); one that does not start for a disk costs that guest its data path, and no other: the first
    /// that cannot be replaced ends the round (`isTheProgram`). Returns how many were replaced.
    @discardableResult
    func replaceOutdated(
        _ image: @Sendable (Row) async throws -> ImageSpecification,
        onFailure: @Sendable (_ vdiUUID: String, _ error: any Error, _ isTheProgram: Bool) -> Void
    ) async -> Int {
        let outdated = Set(await host.outdatedIDs)
        if outdated.isEmpty { return 0 }
        var count = 0
        for (uuid, id) in records where outdated.contains(id) {
            guard !isMoving(uuid), let vdi = vdi(uuid), let handle = try? await hold(uuid) else { continue }
            defer { release(uuid) }
            let next: ImageSpecification
            do {
                let status = try await handle.client.status()
                if status.isPaused == true || status.mirror != nil { continue }
                // Before the old one is ended: storage that does not answer leaves the guest what it has.
                next = try await image(vdi)
                // A move may have begun in the meantime, and its mirror would be lost.
                if isMoving(uuid) { continue }
            } catch {
                onFailure(uuid, error, false)
                continue
            }
            do {
                try await host.replace(id, image: next)
                count += 1
            } catch let refusal as DatapathProbe.Refusal {
                onFailure(uuid, refusal, true)
                return count
            } catch {
                if await !endIfReleased(uuid, id) {
                    // `revive` starts it again.
                    onFailure(uuid, error, true)
                    return count
                }
                // What hurt it was its end, not the program.
                await host.forgetRefusal()
                continue
            }
            if await !endIfReleased(uuid, id) { await afterStart(of: uuid) }
        }
        return count
    }

    /// A disk that its last user has let go of while its data path was being replaced: whoever ended that met the earlier
    /// process, or none. The disk is held: nobody has started another since. Returns whether that is so.
    private func endIfReleased(_ uuid: String, _ id: String) async -> Bool {
        if records[uuid] == id { return false }
        await ended(uuid)
        await host.stop(id)
        await afterEnd(of: uuid)
        return true
    }
}
