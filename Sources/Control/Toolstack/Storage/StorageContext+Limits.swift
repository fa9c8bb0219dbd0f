import APITypes
import DatapathControl
import Logging
import PoolDatabase

extension StorageContext {
    /// Tells the VDI's data path, if there is one, what its disk is held to now. `isNew`: it has been told nothing yet. A data
    /// path that cannot be told now is told when it is started again; the disk is usable meanwhile, and the log says so.
    func holdToLimits(_ vdiUUID: String, isNew: Bool = false) async {
        var told = isNew ? DiskLimitSettings() : nil
        // Two that change them at once: the one that speaks last looks again.
        while let wanted = limits(vdiUUID), wanted != told {
            guard let handle = await disks.active(vdiUUID) else { return }
            do {
                _ = try await handle.client.call(.setLimits(wanted))
            } catch {
                logger.warning(
                    "a disk cannot be held to its limits now", metadata: ["vdi": "\(vdiUUID)", "error": "\(error)"])
                return
            }
            told = wanted
        }
    }

    /// As `holdToLimits`, of every data path that runs: one that an earlier toolstack has left may not have been told the last.
    func holdAllToLimits() async {
        await withDiscardingTaskGroup { group in
            for uuid in await disks.records.keys { group.addTask { await self.holdToLimits(uuid) } }
        }
    }

    private func limits(_ vdiUUID: String) -> DiskLimitSettings? {
        database.read { reader in
            reader.find(VDI.self, uuid: vdiUUID).map { ThrottleParameters.limits(of: $0, reader) }
        }
    }
}
