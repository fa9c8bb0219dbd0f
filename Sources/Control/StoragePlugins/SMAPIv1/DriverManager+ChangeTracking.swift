public import StorageInterface

/// Changed blocks of drivers that name VDI_CONFIG_CBT: the driver keeps the logs and sees to it that they are complete.
extension SMAPIv1Driver {
    public func enableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await run("vdi_enable_cbt", repository, volume).nothing()
    }

    public func disableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await run("vdi_disable_cbt", repository, volume).nothing()
    }

    public func destroyVolumeData(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> Volume {
        try await run("vdi_data_destroy", repository, volume).nothing()
        return try await stat(repository, volume)
    }

    /// The target of the call is the earlier volume; its argument the later one's reference.
    public func changedBlocks(
        _ repository: StorageRepository, from: VolumeID, to: VolumeID
    ) async throws(StorageError) -> String {
        try await run("vdi_list_changed_blocks", repository, from, arguments: [to.ref]).string()
    }
}
