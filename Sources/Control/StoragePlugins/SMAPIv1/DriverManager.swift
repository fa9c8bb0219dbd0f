import CoreTypes
import RPCCodec
public import StorageInterface
import Synchronization

/// A third-party SMAPIv1 driver as a storage manager: each call is a run of the driver, which writes the rows of its SRs
/// and VDIs itself. What this answers about volumes is what the rows say afterwards.
public final class SMAPIv1Driver: ThirdPartyManager {
    public let info: StorageManagerInfo
    let runner: DriverRunner
    /// What is attached, by the VDI's uuid. Only what this process attached: a driver may be asked again after a restart.
    private let attached = Mutex<[String: Attached]>([:])

    private struct Attached: Sendable {
        let place: DriverAttachment
        let writable: Bool
        var isActive = false
    }

    init(info: StorageManagerInfo, runner: DriverRunner) {
        self.info = info
        self.runner = runner
    }

    private static let nullReference = "OpaqueRef:NULL"

    private func has(_ feature: String) -> Bool { info.features[feature] != nil }

    // MARK: Repositories

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await run("sr_create", repository, arguments: [String(repository.physicalSize)]).nothing()
    }

    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await run("sr_delete", repository).nothing()
    }

    public func attach(_ repository: StorageRepository) async throws(StorageError) {
        try await run("sr_attach", repository).nothing()
    }

    public func detach(_ repository: StorageRepository) async throws(StorageError) {
        try await run("sr_detach", repository).nothing()
    }

    /// What the driver wrote into the SR's row, after it was asked to look again when it can.
    public func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        if has("SR_UPDATE") { try await run("sr_update", repository).nothing() }
        guard let space = runner.home.space(repository: repository.ref) else {
            throw StorageError(.repositoryUnavailable, "the SR \(repository.uuid) has no row")
        }
        return space
    }

    /// Has the driver compare its storage with the rows and change the rows; returns them.
    public func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        try await run("sr_scan", repository).nothing()
        return RepositoryScan(volumes: runner.home.volumes(repository: repository.ref), problems: [:])
    }

    /// Rows are the driver's word for what is there.
    public func present(
        _ repository: StorageRepository, locations: [String]
    ) async throws(StorageError) -> Set<String> {
        Set(runner.home.volumes(repository: repository.ref).map(\.location)).intersection(locations)
    }

    // MARK: Volumes

    public func createVolume(
        _ repository: StorageRepository, _ volume: NewVolume
    ) async throws(StorageError) -> Volume {
        var config = volume.smConfig
        if let format = volume.format { config["image-format"] = format.rawValue }
        let known = runner.home.volumes(repository: repository.ref)
        let answer = try await run(
            "vdi_create", repository, VolumeID(location: ""),
            arguments: [
                String(volume.size), volume.nameLabel, volume.nameDescription,
                volume.metadataOfPool.isEmpty ? Self.nullReference : volume.metadataOfPool, "false",
                "19700101T00:00:00Z", Self.nullReference, String(volume.isReadOnly),
            ],
            extra: [
                WireMember("vdi_type", .string(volume.type)),
                WireMember("vdi_sm_config", .structure(DriverCall.members(config))),
            ])
        return try newRow(of: try answer.volume(), after: "vdi_create", repository, known)
    }

    public func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        // Drivers find a VDI by its row; without one nothing of it is theirs to delete.
        guard runner.home.volume(uuid: volume.uuid, repository: repository.ref) != nil else { return }
        try await run("vdi_delete", repository, volume).nothing()
    }

    public func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        let answer = try await run("vdi_resize", repository, volume, arguments: [String(size)])
        return try row(of: try answer.volume(), after: "vdi_resize", repository)
    }

    public func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        if has("VDI_UPDATE") { try await run("vdi_update", repository, volume).nothing() }
        guard let found = runner.home.volume(uuid: volume.uuid, repository: repository.ref) else {
            throw StorageError(.volumeMissing, "the VDI \(volume.uuid) has no row")
        }
        return found.volume
    }

    /// The row has the name already; the driver that keeps it beside the volume reads it there.
    public func renameVolume(
        _ repository: StorageRepository, _ volume: VolumeID, label: String, description: String
    ) async throws(StorageError) {
        if has("VDI_UPDATE") { try await run("vdi_update", repository, volume).nothing() }
    }

    public func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await derive("vdi_snapshot", repository, volume, new)
    }

    public func cloneVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await derive("vdi_clone", repository, volume, new)
    }

    private func derive(
        _ command: String, _ repository: StorageRepository, _ volume: VolumeID, _ new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        let known = runner.home.volumes(repository: repository.ref)
        let answer = try await run(
            command, repository, volume,
            extra: [WireMember("driver_params", .structure(DriverCall.members(new.smConfig)))])
        let made = try newRow(of: try answer.volume(), after: command, repository, known)
        guard let origin = runner.home.volume(uuid: volume.uuid, repository: repository.ref)?.volume else {
            throw StorageError(.volumeMissing, "the driver's \(command) removed the row of the VDI \(volume.uuid)")
        }
        return DerivedVolume(volume: made, origin: origin)
    }

    /// The target of the call is the snapshot; its argument is the disk that changes.
    public func revertVolume(
        _ repository: StorageRepository, _ volume: VolumeID, to snapshot: VolumeID
    ) async throws(StorageError) -> Volume {
        try await run("vdi_revert", repository, snapshot, arguments: [volume.ref]).nothing()
        return try await stat(repository, volume)
    }

    // MARK: Attachment

    public func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess {
        if let known = attached.withLock({ $0[volume.uuid] }) {
            // A reader of what is attached for writing reads the same content.
            if known.writable || !writable, known.place.isThere { return known.place.access }
            try await deactivateVolume(repository, volume)
            try await detachVolume(repository, volume)
        }
        let answer = try await run("vdi_attach", repository, volume, arguments: [String(writable)])
        let place = try answer.attachment()
        attached.withLock { $0[volume.uuid] = Attached(place: place, writable: writable) }
        return place.access
    }

    public func activateVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) {
        guard has("VDI_ACTIVATE") else { return }
        if attached.withLock({ $0[volume.uuid]?.isActive ?? false }) { return }
        try await run("vdi_activate", repository, volume, arguments: [String(writable)]).nothing()
        attached.withLock { $0[volume.uuid]?.isActive = true }
    }

    public func deactivateVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        guard has("VDI_DEACTIVATE") else { return }
        try await run("vdi_deactivate", repository, volume).nothing()
        attached.withLock { $0[volume.uuid]?.isActive = false }
    }

    public func detachVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await run("vdi_detach", repository, volume).nothing()
        attached.withLock { $0[volume.uuid] = nil }
    }

    // MARK: Calls

    func run(
        _ command: String, _ repository: StorageRepository, _ volume: VolumeID? = nil, arguments: [String] = [],
        extra: [WireMember] = []
    ) async throws(StorageError) -> DriverAnswer {
        var volume = volume
        // A driver is told of the row that it made, whoever calls.
        if let uuid = volume?.uuid, let row = runner.home.volume(uuid: uuid, repository: repository.ref) {
            volume?.ref = row.ref
        }
        return try await runner.run(
            DriverCall(
                command: command, arguments: arguments, repository: repository, volume: volume, extra: extra))
    }

    /// The row that the driver wrote, in the SR that it was asked about, for what it answered.
    func row(
        of answer: (uuid: String, location: String), after command: String, _ repository: StorageRepository
    ) throws(StorageError) -> Volume {
        guard let found = runner.home.volume(uuid: answer.uuid, repository: repository.ref) else {
            throw StorageError(
                .general, "the storage driver answered \(command) with the VDI \(answer.uuid), which has no row",
                apiError: [
                    "SR_BACKEND_FAILURE", "", "\(command) answered a VDI that the driver did not introduce",
                    answer.uuid,
                ])
        }
        return found.volume
    }

    /// The same for a volume that was to be made: a disk that was there before must not pass for it, and be overwritten.
    private func newRow(
        of answer: (uuid: String, location: String), after command: String, _ repository: StorageRepository,
        _ known: [Volume]
    ) throws(StorageError) -> Volume {
        if known.contains(where: { $0.uuid == answer.uuid }) {
            throw StorageError(
                .general, "the storage driver answered \(command) with the VDI \(answer.uuid), which was there before",
                apiError: ["SR_BACKEND_FAILURE", "", "\(command) answered a VDI that is not new", answer.uuid])
        }
        return try row(of: answer, after: command, repository)
    }
}
