import CoreTypes
public import StorageInterface

// What a driver does with disks that guests have.
extension SMAPIv1Driver {
    /// With VDI_RESIZE_ONLINE. The disk stays attached and active; our data path has closed its connection, and everything is
    /// flushed. The driver sees to its own server, and our data path connects again when this returns, whatever comes of it.
    public func growAttachedVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        let present = runner.home.volume(uuid: volume.uuid, repository: repository.ref)?.volume.virtualSize ?? 0
        guard size >= present else {
            throw StorageError(
                .volumeSize, "VDI Invalid size [opterr=shrinking not allowed: \(present) to \(size) bytes]")
        }
        let answer = try await run("vdi_resize_online", repository, volume, arguments: [String(size)])
        let found = try row(of: try answer.volume(), after: "vdi_resize_online", repository)
        guard found.uuid == volume.uuid else {
            throw StorageError(
                .general, "the storage driver answered vdi_resize_online with another VDI, \(found.uuid)",
                apiError: ["SR_BACKEND_FAILURE", "", "vdi_resize_online answered another VDI", found.uuid])
        }
        return found
    }

    /// With VDI_RESET_ON_BOOT/2. The driver has the disk show its lasting content, and keeps apart what is written from now
    /// on; it knows of the disk's mode by `vdi_on_boot`.
    public func beginEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await run("vdi_epoch_begin", repository, volume).nothing()
    }

    public func endEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await run("vdi_epoch_end", repository, volume).nothing()
    }
}
