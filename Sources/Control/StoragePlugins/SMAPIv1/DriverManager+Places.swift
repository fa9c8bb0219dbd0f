import RPCCodec
public import StorageInterface

// What a driver finds at places that are no VDIs of the toolstack's yet.
extension SMAPIv1Driver {
    /// What the driver says there is at the place, in its own words: mostly an XML document.
    public func probeDocument(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> String {
        let answer = try await runner.run(
            DriverCall(
                command: "sr_probe", repository: StorageRepository(uuid: "", deviceConfig: deviceConfig),
                namesRepository: false,
                extra: [WireMember("sr_sm_config", .structure(DriverCall.members(smConfig)))]))
        return try answer.string()
    }

    /// A call of `vdi_attach_from_config` as an XML document. It may hold what the driver's storage wants to be opened with.
    public func configuration(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> String {
        try await run("vdi_generate_config", repository, volume).string()
    }

    /// Has the driver make the row of a volume that is there.
    public func introduceVolume(
        _ repository: StorageRepository, uuid: String, location: String, smConfig: [String: String]
    ) async throws(StorageError) -> Volume {
        let answer = try await run(
            "vdi_introduce", repository, VolumeID(location: location),
            extra: [
                WireMember("new_uuid", .string(uuid)),
                WireMember("vdi_sm_config", .structure(DriverCall.members(smConfig))),
            ])
        return try row(of: try answer.volume(), after: "vdi_introduce", repository)
    }
}
