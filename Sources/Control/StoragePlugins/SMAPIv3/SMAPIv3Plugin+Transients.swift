import RPCCodec
import StorageInterface

// Datapaths that name NONPERSISTENT keep what is written to a volume apart from it, from a `Datapath.open` that says that it does
// not persist until the `Datapath.close`. A guest's disk that is reset when it boots is opened so for as long as the guest has
// it, whoever attaches and detaches it meanwhile. The table has the entry from before the open until after the close.
extension SMAPIv3Plugin {
    static let transientFeature = "NONPERSISTENT"

    /// The volume's first URI that can be opened so; nil when the guest needs a clone.
    func transientPlace(_ uris: [String]) -> AttachmentTable.Opened? {
        for uri in uris {
            guard let scheme = Self.scheme(of: uri), let datapath = host.datapath(scheme) else { continue }
            if datapath.features.contains(Self.transientFeature), datapath.folder.has("Datapath.open"),
                datapath.folder.has("Datapath.close")
            {
                return AttachmentTable.Opened(uri: uri, scheme: scheme)
            }
        }
        return nil
    }

    func openTransient(
        _ opened: AttachmentTable.Opened, _ key: String, in repository: StorageRepository
    ) async throws(StorageError) {
        try host.table.change { $0.setTransient(opened, key, in: repository.uuid) }
        do throws(StorageError) {
            try await call(
                "Datapath.open", opened.scheme, [Self.text("uri", opened.uri), WireMember("persistent", .bool(false))])
        } catch {
            // The entry stays where this fails too: the next guest begins with it.
            _ = try? await closeTransient(key, in: repository)
            throw error
        }
    }

    /// Of a volume that is not attached. False: the table has none.
    @discardableResult func closeTransient(
        _ key: String, in repository: StorageRepository
    ) async throws(StorageError) -> Bool {
        guard let opened = host.table.transients(in: repository.uuid)[key] else { return false }
        try await call("Datapath.close", opened.scheme, [Self.text("uri", opened.uri)])
        try host.table.change { $0.setTransient(nil, key, in: repository.uuid) }
        return true
    }

    /// Of a volume that may be open while the table, which is in the run folder, does not know it any more: what was written to
    /// it would still be there for the next guest. To close what is not open does nothing.
    func closeUnknown(_ volume: PluginVolume) async throws(StorageError) {
        guard let place = transientPlace(volume.uris) else { return }
        try await call("Datapath.close", place.scheme, [Self.text("uri", place.uri)])
    }

    /// How the volume is open for a guest that does not keep it. Nobody else gets it meanwhile: to close it would take away
    /// what the guest has written, and what is written to it now is not to be lost with that.
    func transient(
        _ volume: VolumeID, in repository: StorageRepository
    ) throws(StorageError) -> AttachmentTable.Opened? {
        let opened = host.table.transients(in: repository.uuid)[volume.location]
        if opened != nil, !volume.isInEpoch {
            throw StorageError(
                .volumeInUse, "the volume \(volume.location) is open for a guest whose writes to it are not kept")
        }
        return opened
    }
}
