import CoreTypes
import RPCCodec
public import StorageInterface

/// Changed blocks of plugins that name VDI_CONFIG_CBT: the plugin keeps the logs and sees to it that they are complete.
extension SMAPIv3Plugin {
    private func key(_ sr: String, _ volume: VolumeID) -> [WireMember] {
        [Self.text("sr", sr), Self.text("key", volume.location)]
    }

    public func enableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await call("Volume.enable_cbt", key(try await sr(repository), volume))
    }

    public func disableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await call("Volume.disable_cbt", key(try await sr(repository), volume))
    }

    public func destroyVolumeData(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> Volume {
        try await call("Volume.data_destroy", key(try await sr(repository), volume))
        return try await stat(repository, volume)
    }

    /// From the start to the end, as VDI.list_changed_blocks has no range; in blocks of 64 KiB, as it has no other, whatever
    /// the plugin counts in.
    public func changedBlocks(
        _ repository: StorageRepository, from: VolumeID, to: VolumeID
    ) async throws(StorageError) -> String {
        let method = "Volume.list_changed_blocks"
        let sr = try await sr(repository)
        let answer = try await call(
            method,
            key(sr, from) + [
                Self.text("key2", to.location), WireMember("offset", .int(0)), WireMember("length", .int(-1)),
            ])
        let found = try read(method) { () throws(MisshapenRecord) in try ChangedBlocks(answer) }
        if found.isStandard { return found.text }
        let size = try await volume("Volume.stat", key(sr, to)).virtualSize
        return try read(method) { () throws(MisshapenRecord) in try found.standard(size: size) }.text
    }
}
