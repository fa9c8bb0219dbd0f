import CoreTypes
import Logging
import RPCCodec
public import StorageInterface

// What is done with volumes that guests have.
extension SMAPIv3Plugin {
    /// With the feature VDI_RESIZE_ONLINE. Our data path has closed its connection, and everything is flushed; the datapath is
    /// deactivated while the plugin grows the volume, and activated when our data path opens it again, whatever comes of it.
    public func growAttachedVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        if host.table.volume(volume.location, in: repository.uuid)?.clone != nil
            || host.table.transients(in: repository.uuid)[volume.location] != nil
        {
            throw StorageError(
                .volumeInUse, "the volume \(volume.location) is reset when its guest boots, which has it now")
        }
        try await deactivateVolume(repository, volume)
        return try await resizeVolume(repository, volume, size: size)
    }

    // MARK: Epochs

    /// Where a datapath keeps apart what is written, it is told to. Otherwise the guest gets a clone, and the volume's key
    /// `clone-on-boot` names it: whoever lists the volumes leaves it out. The volume itself is not written.
    public func beginEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            try await release(volume.location, in: repository)
            let isClosed = try await closeTransient(volume.location, in: repository)
            let found = try await self.volume("Volume.stat", of(sr, volume.location))
            if !isClosed { try await closeUnknown(found) }
            try await dropClone(of: found, sr, repository)
            if let place = transientPlace(found.uris) {
                return try await openTransient(place, volume.location, in: repository)
            }
            let rows = host.rows.volumeRows(repository: repository.ref)
            let name = rows.first { $0.key == volume.location }?.name
            let making = UnfinishedVolume(.clone, name: name ?? volume.location)
            let made = try await make("Volume.clone", of(sr, volume.location), making, repository)
            guard made.key != volume.location, !rows.contains(where: { $0.key == made.key }) else {
                throw MisshapenRecord(description: "the key \(made.key.prefix(100)) was there before")
                    .error("Volume.clone")
            }
            do throws(StorageError) {
                guard made.virtualSize >= found.virtualSize else {
                    throw MisshapenRecord(description: "\(made.virtualSize) bytes are less than \(found.virtualSize)")
                        .error("Volume.clone")
                }
                try await call(
                    "Volume.set",
                    of(sr, volume.location) + [Self.text("k", PluginVolume.Key.epochClone), Self.text("v", made.key)])
            } catch {
                do throws(StorageError) {
                    try await call("Volume.destroy", of(sr, made.key))
                    await forget(making)
                } catch let failure {
                    host.logger.error(
                        "a clone for a guest is left over",
                        metadata: ["plugin": "\(info.type)", "key": "\(made.key)", "error": "\(failure)"])
                }
                throw error
            }
            await forget(making)
        }
    }

    public func endEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            try await release(volume.location, in: repository)
            let isClosed = try await closeTransient(volume.location, in: repository)
            do throws(StorageError) {
                let found = try await self.volume("Volume.stat", of(sr, volume.location))
                if !isClosed { try await closeUnknown(found) }
                try await dropClone(of: found, sr, repository)
            } catch  where error.fault == .volumeMissing {
                // It was destroyed, and the clone with it.
            }
        }
    }

    /// The clone that the volume's guest has. In an epoch there is one: without it nobody gets the volume itself to write.
    func epochClone(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> String {
        let found = try await self.volume("Volume.stat", of(try await sr(repository), volume.location))
        guard let clone = found.epochClone, clone != volume.location else {
            throw StorageError(
                .volumeUnavailable,
                "the clone of the volume \(volume.location) that its guest was to have is gone; boot the guest again")
        }
        return clone
    }

    /// The clone first: while the key is there, it is found again. A plugin may have copied the key to another volume: a
    /// clone that has a row, or that the guest of another disk has, is not this volume's and stays.
    private func dropClone(
        of volume: PluginVolume, _ sr: String, _ repository: StorageRepository
    ) async throws(StorageError) {
        guard let clone = volume.epochClone else { return }
        let isRow = host.rows.volumeRows(repository: repository.ref).contains { $0.key == clone }
        let isUsed = host.table.volumes(in: repository.uuid).contains {
            $0.key != volume.key && $0.value.clone == clone
        }
        if !isRow, !isUsed, clone != volume.key {
            do throws(StorageError) {
                try await call("Volume.destroy", of(sr, clone))
            } catch  where error.fault == .volumeMissing {
                // Gone already.
            }
        }
        try await call("Volume.unset", of(sr, volume.key) + [Self.text("k", PluginVolume.Key.epochClone)])
    }

    private func of(_ sr: String, _ key: String) -> [WireMember] { [Self.text("sr", sr), Self.text("key", key)] }
}
