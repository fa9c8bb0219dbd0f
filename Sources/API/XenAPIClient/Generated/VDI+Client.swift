// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VDI`. A virtual disk.
public struct VDIRecord: XenRecord {
    /// Identifies the disk.
    public var uuid: String
    /// The disk's name.
    public var nameLabel: String
    /// What its owner wrote about it.
    public var nameDescription: String
    /// What may be asked of it now.
    public var allowedOperations: [Open<VDIOperations>]
    /// What is being done with it, by task.
    public var currentOperations: [String: Open<VDIOperations>]
    /// The repository that holds it.
    public var sr: Ref<SR>
    /// Where it is attached.
    public var vbds: [Ref<VBD>]
    /// Crash dumps that it holds.
    public var crashDumps: [Ref<Crashdump>]
    /// The size that a guest sees, bytes.
    public var virtualSize: Int64
    /// The room that it takes in the repository, bytes.
    public var physicalUtilisation: Int64
    /// What it is for.
    public var type: Open<VDIType>
    /// Whether several VMs may write it at once.
    public var sharable: Bool
    /// Whether it must not be written.
    public var readOnly: Bool
    /// For notes.
    public var otherConfig: [String: String]
    /// Whether the repository has it locked.
    public var storageLock: Bool
    /// Its name in the repository.
    public var location: String
    /// Whether the toolstack made it.
    public var managed: Bool
    /// Whether the last scan did not find it.
    public var missing: Bool
    /// Not used.
    public var parent: Ref<VDI>
    /// Entries for the guest.
    public var xenstoreData: [String: String]
    /// Choices of the storage manager; `image-format` is the format of the image.
    public var smConfig: [String: String]
    /// Whether it is a snapshot.
    public var isASnapshot: Bool
    /// The disk that it is a snapshot of.
    public var snapshotOf: Ref<VDI>
    /// Its snapshots.
    public var snapshots: [Ref<VDI>]
    /// When the snapshot was made.
    public var snapshotTime: APIDate
    /// Words to find it by.
    public var tags: [String]
    /// Whether hosts may cache it.
    public var allowCaching: Bool
    /// Whether it keeps what was written when its VM starts again.
    public var onBoot: Open<OnBoot>
    /// The pool whose database it holds.
    public var metadataOfPool: Ref<Pool>
    /// Whether that database is the latest.
    public var metadataLatest: Bool
    /// Whether it holds the guest tools.
    public var isToolsISO: Bool
    /// Whether it is known which blocks changed.
    public var cbtEnabled: Bool?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VDI")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        sr = try record.field("SR")
        vbds = try record.field("VBDs")
        crashDumps = try record.field("crash_dumps")
        virtualSize = try record.field("virtual_size")
        physicalUtilisation = try record.field("physical_utilisation")
        type = try record.field("type")
        sharable = try record.field("sharable")
        readOnly = try record.field("read_only")
        otherConfig = try record.field("other_config")
        storageLock = try record.field("storage_lock")
        location = try record.field("location")
        managed = try record.field("managed")
        missing = try record.field("missing")
        parent = try record.field("parent")
        xenstoreData = try record.field("xenstore_data")
        smConfig = try record.field("sm_config")
        isASnapshot = try record.field("is_a_snapshot")
        snapshotOf = try record.field("snapshot_of")
        snapshots = try record.field("snapshots")
        snapshotTime = try record.field("snapshot_time")
        tags = try record.field("tags")
        allowCaching = try record.field("allow_caching")
        onBoot = try record.field("on_boot")
        metadataOfPool = try record.field("metadata_of_pool")
        metadataLatest = try record.field("metadata_latest")
        isToolsISO = try record.field("is_tools_iso")
        cbtEnabled = try record.optional("cbt_enabled")
    }
}

extension VDI: RecordClass { public typealias Record = VDIRecord }

/// What `VDI.create` takes. The server has its own value for a member that is nil.
public struct VDICreation: WireWritable {
    /// The disk's name.
    public var nameLabel: String?
    /// What its owner wrote about it.
    public var nameDescription: String?
    /// The repository that holds it.
    public var sr: Ref<SR>
    /// The size that a guest sees, bytes.
    public var virtualSize: Int64
    /// What it is for.
    public var type: VDIType
    /// Whether several VMs may write it at once.
    public var sharable: Bool
    /// Whether it must not be written.
    public var readOnly: Bool
    /// For notes.
    public var otherConfig: [String: String]
    /// Entries for the guest.
    public var xenstoreData: [String: String]?
    /// Choices of the storage manager; `image-format` is the format of the image.
    public var smConfig: [String: String]?
    /// Words to find it by.
    public var tags: [String]?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        sr: Ref<SR>,
        virtualSize: Int64,
        type: VDIType,
        sharable: Bool = false,
        readOnly: Bool = false,
        otherConfig: [String: String] = [:],
        xenstoreData: [String: String]? = nil,
        smConfig: [String: String]? = nil,
        tags: [String]? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.sr = sr
        self.virtualSize = virtualSize
        self.type = type
        self.sharable = sharable
        self.readOnly = readOnly
        self.otherConfig = otherConfig
        self.xenstoreData = xenstoreData
        self.smConfig = smConfig
        self.tags = tags
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.put("SR", sr)
        record.put("virtual_size", virtualSize)
        record.put("type", type)
        record.put("sharable", sharable)
        record.put("read_only", readOnly)
        record.put("other_config", otherConfig)
        record.putIfGiven("xenstore_data", xenstoreData)
        record.putIfGiven("sm_config", smConfig)
        record.putIfGiven("tags", tags)
        return record.wire
    }
}

extension VDI: CreatableClass { public typealias Creation = VDICreation }

/// The messages of the class `VDI`.
public struct VDICalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = VDI
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Keeps the content as it is now.
    ///
    /// Since rio. Role: vm-admin.
    public func snapshot(_ vdi: Ref<VDI>, driverParams: [String: String] = [:]) async throws -> Ref<VDI> {
        try await self.caller.invoke("VDI.snapshot", [vdi.wire, driverParams.wire], defaults: [.structure([])])
    }

    /// Starts `VDI.snapshot` and answers with its task.
    public func asyncSnapshot(_ vdi: Ref<VDI>, driverParams: [String: String] = [:]) async throws -> XenTaskHandle<Ref<VDI>> {
        try await self.caller.launch("VDI.snapshot", [vdi.wire, driverParams.wire], defaults: [.structure([])])
    }

    /// Makes a writable disk with the same content.
    ///
    /// Since rio. Role: vm-admin.
    public func clone(_ vdi: Ref<VDI>, driverParams: [String: String] = [:]) async throws -> Ref<VDI> {
        try await self.caller.invoke("VDI.clone", [vdi.wire, driverParams.wire], defaults: [.structure([])])
    }

    /// Starts `VDI.clone` and answers with its task.
    public func asyncClone(_ vdi: Ref<VDI>, driverParams: [String: String] = [:]) async throws -> XenTaskHandle<Ref<VDI>> {
        try await self.caller.launch("VDI.clone", [vdi.wire, driverParams.wire], defaults: [.structure([])])
    }

    /// Changes the size; the content stays.
    ///
    /// Since rio. Role: vm-admin.
    public func resize(_ vdi: Ref<VDI>, size: Int64) async throws {
        try await self.caller.perform("VDI.resize", [vdi.wire, size.wire])
    }

    /// Starts `VDI.resize` and answers with its task.
    public func asyncResize(_ vdi: Ref<VDI>, size: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.resize", [vdi.wire, size.wire])
    }

    /// Changes the size of a disk that may be in use.
    ///
    /// Since rio, deprecated in inverness, removed in inverness. Role: vm-admin.
    public func resizeOnline(_ vdi: Ref<VDI>, size: Int64) async throws {
        try await self.caller.perform("VDI.resize_online", [vdi.wire, size.wire])
    }

    /// Starts `VDI.resize_online` and answers with its task.
    public func asyncResizeOnline(_ vdi: Ref<VDI>, size: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.resize_online", [vdi.wire, size.wire])
    }

    /// Makes an image in a repository known as a disk.
    ///
    /// Since miami. Role: vm-admin. Errors: `SR_OPERATION_NOT_SUPPORTED`.
    public func introduce(uuid: String, nameLabel: String, nameDescription: String, sr: Ref<SR>, type: VDIType, sharable: Bool, readOnly: Bool, otherConfig: [String: String], location: String, xenstoreData: [String: String] = [:], smConfig: [String: String] = [:], managed: Bool = true, virtualSize: Int64 = 0, physicalUtilisation: Int64 = 0, metadataOfPool: Ref<Pool> = .null, isASnapshot: Bool = false, snapshotTime: APIDate = .never, snapshotOf: Ref<VDI> = .null) async throws -> Ref<VDI> {
        try await self.caller.invoke("VDI.introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, sr.wire, type.wire, sharable.wire, readOnly.wire, otherConfig.wire, location.wire, xenstoreData.wire, smConfig.wire, managed.wire, virtualSize.wire, physicalUtilisation.wire, metadataOfPool.wire, isASnapshot.wire, snapshotTime.wire, snapshotOf.wire], defaults: [.structure([]), .structure([]), .bool(true), .int(0), .int(0), .string("OpaqueRef:NULL"), .bool(false), APIDate(seconds: 0).wire, .string("OpaqueRef:NULL")])
    }

    /// Starts `VDI.introduce` and answers with its task.
    public func asyncIntroduce(uuid: String, nameLabel: String, nameDescription: String, sr: Ref<SR>, type: VDIType, sharable: Bool, readOnly: Bool, otherConfig: [String: String], location: String, xenstoreData: [String: String] = [:], smConfig: [String: String] = [:], managed: Bool = true, virtualSize: Int64 = 0, physicalUtilisation: Int64 = 0, metadataOfPool: Ref<Pool> = .null, isASnapshot: Bool = false, snapshotTime: APIDate = .never, snapshotOf: Ref<VDI> = .null) async throws -> XenTaskHandle<Ref<VDI>> {
        try await self.caller.launch("VDI.introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, sr.wire, type.wire, sharable.wire, readOnly.wire, otherConfig.wire, location.wire, xenstoreData.wire, smConfig.wire, managed.wire, virtualSize.wire, physicalUtilisation.wire, metadataOfPool.wire, isASnapshot.wire, snapshotTime.wire, snapshotOf.wire], defaults: [.structure([]), .structure([]), .bool(true), .int(0), .int(0), .string("OpaqueRef:NULL"), .bool(false), APIDate(seconds: 0).wire, .string("OpaqueRef:NULL")])
    }

    /// Calls `VDI.pool_introduce`.
    ///
    /// Since rio. Role: vm-admin.
    public func poolIntroduce(uuid: String, nameLabel: String, nameDescription: String, sr: Ref<SR>, type: VDIType, sharable: Bool, readOnly: Bool, otherConfig: [String: String], location: String, xenstoreData: [String: String] = [:], smConfig: [String: String] = [:], managed: Bool = true, virtualSize: Int64 = 0, physicalUtilisation: Int64 = 0, metadataOfPool: Ref<Pool> = .null, isASnapshot: Bool = false, snapshotTime: APIDate = .never, snapshotOf: Ref<VDI> = .null, cbtEnabled: Bool = false) async throws -> Ref<VDI> {
        try await self.caller.invoke("VDI.pool_introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, sr.wire, type.wire, sharable.wire, readOnly.wire, otherConfig.wire, location.wire, xenstoreData.wire, smConfig.wire, managed.wire, virtualSize.wire, physicalUtilisation.wire, metadataOfPool.wire, isASnapshot.wire, snapshotTime.wire, snapshotOf.wire, cbtEnabled.wire], defaults: [.structure([]), .structure([]), .bool(true), .int(0), .int(0), .string("OpaqueRef:NULL"), .bool(false), APIDate(seconds: 0).wire, .string("OpaqueRef:NULL"), .bool(false)])
    }

    /// Starts `VDI.pool_introduce` and answers with its task.
    public func asyncPoolIntroduce(uuid: String, nameLabel: String, nameDescription: String, sr: Ref<SR>, type: VDIType, sharable: Bool, readOnly: Bool, otherConfig: [String: String], location: String, xenstoreData: [String: String] = [:], smConfig: [String: String] = [:], managed: Bool = true, virtualSize: Int64 = 0, physicalUtilisation: Int64 = 0, metadataOfPool: Ref<Pool> = .null, isASnapshot: Bool = false, snapshotTime: APIDate = .never, snapshotOf: Ref<VDI> = .null, cbtEnabled: Bool = false) async throws -> XenTaskHandle<Ref<VDI>> {
        try await self.caller.launch("VDI.pool_introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, sr.wire, type.wire, sharable.wire, readOnly.wire, otherConfig.wire, location.wire, xenstoreData.wire, smConfig.wire, managed.wire, virtualSize.wire, physicalUtilisation.wire, metadataOfPool.wire, isASnapshot.wire, snapshotTime.wire, snapshotOf.wire, cbtEnabled.wire], defaults: [.structure([]), .structure([]), .bool(true), .int(0), .int(0), .string("OpaqueRef:NULL"), .bool(false), APIDate(seconds: 0).wire, .string("OpaqueRef:NULL"), .bool(false)])
    }

    /// Makes the row of a disk that a storage driver has found or made in its repository; for that driver alone.
    ///
    /// Since rio. Role: local-root-only.
    public func dbIntroduce(uuid: String, nameLabel: String, nameDescription: String, sr: Ref<SR>, type: VDIType, sharable: Bool, readOnly: Bool, otherConfig: [String: String], location: String, xenstoreData: [String: String] = [:], smConfig: [String: String] = [:], managed: Bool = true, virtualSize: Int64 = 0, physicalUtilisation: Int64 = 0, metadataOfPool: Ref<Pool> = .null, isASnapshot: Bool = false, snapshotTime: APIDate = .never, snapshotOf: Ref<VDI> = .null, cbtEnabled: Bool = false) async throws -> Ref<VDI> {
        try await self.caller.invoke("VDI.db_introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, sr.wire, type.wire, sharable.wire, readOnly.wire, otherConfig.wire, location.wire, xenstoreData.wire, smConfig.wire, managed.wire, virtualSize.wire, physicalUtilisation.wire, metadataOfPool.wire, isASnapshot.wire, snapshotTime.wire, snapshotOf.wire, cbtEnabled.wire], defaults: [.structure([]), .structure([]), .bool(true), .int(0), .int(0), .string("OpaqueRef:NULL"), .bool(false), APIDate(seconds: 0).wire, .string("OpaqueRef:NULL"), .bool(false)])
    }

    /// Starts `VDI.db_introduce` and answers with its task.
    public func asyncDbIntroduce(uuid: String, nameLabel: String, nameDescription: String, sr: Ref<SR>, type: VDIType, sharable: Bool, readOnly: Bool, otherConfig: [String: String], location: String, xenstoreData: [String: String] = [:], smConfig: [String: String] = [:], managed: Bool = true, virtualSize: Int64 = 0, physicalUtilisation: Int64 = 0, metadataOfPool: Ref<Pool> = .null, isASnapshot: Bool = false, snapshotTime: APIDate = .never, snapshotOf: Ref<VDI> = .null, cbtEnabled: Bool = false) async throws -> XenTaskHandle<Ref<VDI>> {
        try await self.caller.launch("VDI.db_introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, sr.wire, type.wire, sharable.wire, readOnly.wire, otherConfig.wire, location.wire, xenstoreData.wire, smConfig.wire, managed.wire, virtualSize.wire, physicalUtilisation.wire, metadataOfPool.wire, isASnapshot.wire, snapshotTime.wire, snapshotOf.wire, cbtEnabled.wire], defaults: [.structure([]), .structure([]), .bool(true), .int(0), .int(0), .string("OpaqueRef:NULL"), .bool(false), APIDate(seconds: 0).wire, .string("OpaqueRef:NULL"), .bool(false)])
    }

    /// Takes the row of a disk away that is no longer in its repository; for its storage driver alone.
    ///
    /// Since miami. Role: local-root-only.
    public func dbForget(_ vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.db_forget", [vdi.wire])
    }

    /// Starts `VDI.db_forget` and answers with its task.
    public func asyncDbForget(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.db_forget", [vdi.wire])
    }

    /// Reads the disk's sizes anew.
    ///
    /// Since symc. Role: vm-admin. Errors: `SR_OPERATION_NOT_SUPPORTED`.
    public func update(_ vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.update", [vdi.wire])
    }

    /// Starts `VDI.update` and answers with its task.
    public func asyncUpdate(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.update", [vdi.wire])
    }

    /// Makes a full copy in another repository.
    ///
    /// Since rio. Role: vm-admin. Errors: `VDI_READONLY`, `VDI_TOO_SMALL`, `VDI_NOT_SPARSE`.
    public func copy(_ vdi: Ref<VDI>, sr: Ref<SR> = .null, baseVDI: Ref<VDI> = .null, intoVDI: Ref<VDI> = .null) async throws -> Ref<VDI> {
        try await self.caller.invoke("VDI.copy", [vdi.wire, sr.wire, baseVDI.wire, intoVDI.wire], defaults: [.string("OpaqueRef:NULL"), .string("OpaqueRef:NULL"), .string("OpaqueRef:NULL")])
    }

    /// Starts `VDI.copy` and answers with its task.
    public func asyncCopy(_ vdi: Ref<VDI>, sr: Ref<SR> = .null, baseVDI: Ref<VDI> = .null, intoVDI: Ref<VDI> = .null) async throws -> XenTaskHandle<Ref<VDI>> {
        try await self.caller.launch("VDI.copy", [vdi.wire, sr.wire, baseVDI.wire, intoVDI.wire], defaults: [.string("OpaqueRef:NULL"), .string("OpaqueRef:NULL"), .string("OpaqueRef:NULL")])
    }

    /// Calls `VDI.force_unlock`.
    ///
    /// Since rio, deprecated in miami. Role: vm-admin.
    public func forceUnlock(_ vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.force_unlock", [vdi.wire])
    }

    /// Starts `VDI.force_unlock` and answers with its task.
    public func asyncForceUnlock(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.force_unlock", [vdi.wire])
    }

    /// Says whether the disk is one for users, or something that other disks stand on; for its storage driver alone.
    ///
    /// Since rio. Role: local-root-only.
    public func setManaged(_ vdi: Ref<VDI>, value: Bool) async throws {
        try await self.caller.perform("VDI.set_managed", [vdi.wire, value.wire])
    }

    /// Removes the disk from the database; the content stays.
    ///
    /// Since rio. Role: vm-admin.
    public func forget(_ vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.forget", [vdi.wire])
    }

    /// Starts `VDI.forget` and answers with its task.
    public func asyncForget(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.forget", [vdi.wire])
    }

    /// Whether several VMs may write it at once.
    ///
    /// Since george. Role: vm-admin.
    public func setSharable(_ vdi: Ref<VDI>, value: Bool) async throws {
        try await self.caller.perform("VDI.set_sharable", [vdi.wire, value.wire])
    }

    /// Whether it must not be written.
    ///
    /// Since rio. Role: vm-admin.
    public func setReadOnly(_ vdi: Ref<VDI>, value: Bool) async throws {
        try await self.caller.perform("VDI.set_read_only", [vdi.wire, value.wire])
    }

    /// Says whether the disk's image was not found when its repository was scanned; for its storage driver alone.
    ///
    /// Since miami. Role: local-root-only.
    public func setMissing(_ vdi: Ref<VDI>, value: Bool) async throws {
        try await self.caller.perform("VDI.set_missing", [vdi.wire, value.wire])
    }

    /// Records how large the disk is for guests, in bytes; for its storage driver alone.
    ///
    /// Since miami. Role: local-root-only.
    public func setVirtualSize(_ vdi: Ref<VDI>, value: Int64) async throws {
        try await self.caller.perform("VDI.set_virtual_size", [vdi.wire, value.wire])
    }

    /// Records how much space the disk takes in its repository, in bytes; for its storage driver alone.
    ///
    /// Since miami. Role: local-root-only.
    public func setPhysicalUtilisation(_ vdi: Ref<VDI>, value: Int64) async throws {
        try await self.caller.perform("VDI.set_physical_utilisation", [vdi.wire, value.wire])
    }

    /// Says whether the disk is a snapshot of another; for its storage driver alone.
    ///
    /// Since boston. Role: local-root-only.
    public func setIsASnapshot(_ vdi: Ref<VDI>, value: Bool) async throws {
        try await self.caller.perform("VDI.set_is_a_snapshot", [vdi.wire, value.wire])
    }

    /// Says which disk the snapshot is of; for its storage driver alone.
    ///
    /// Since boston. Role: local-root-only.
    public func setSnapshotOf(_ vdi: Ref<VDI>, value: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.set_snapshot_of", [vdi.wire, value.wire])
    }

    /// Says when the snapshot was made; for its storage driver alone.
    ///
    /// Since boston. Role: local-root-only.
    public func setSnapshotTime(_ vdi: Ref<VDI>, value: APIDate) async throws {
        try await self.caller.perform("VDI.set_snapshot_time", [vdi.wire, value.wire])
    }

    /// Says which pool's metadata the disk holds; for its storage driver alone.
    ///
    /// Since boston. Role: local-root-only.
    public func setMetadataOfPool(_ vdi: Ref<VDI>, value: Ref<Pool>) async throws {
        try await self.caller.perform("VDI.set_metadata_of_pool", [vdi.wire, value.wire])
    }

    /// Changes the name.
    ///
    /// Since rio. Role: vm-admin.
    public func setNameLabel(_ vdi: Ref<VDI>, value: String) async throws {
        try await self.caller.perform("VDI.set_name_label", [vdi.wire, value.wire])
    }

    /// Starts `VDI.set_name_label` and answers with its task.
    public func asyncSetNameLabel(_ vdi: Ref<VDI>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.set_name_label", [vdi.wire, value.wire])
    }

    /// Changes the description.
    ///
    /// Since rio. Role: vm-admin.
    public func setNameDescription(_ vdi: Ref<VDI>, value: String) async throws {
        try await self.caller.perform("VDI.set_name_description", [vdi.wire, value.wire])
    }

    /// Starts `VDI.set_name_description` and answers with its task.
    public func asyncSetNameDescription(_ vdi: Ref<VDI>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.set_name_description", [vdi.wire, value.wire])
    }

    /// What the disk's storage driver needs to attach it without a toolstack, in the driver's own words.
    ///
    /// Since orlando. Role: vm-admin.
    public func generateConfig(host: Ref<Host>, vdi: Ref<VDI>) async throws -> String {
        try await self.caller.invoke("VDI.generate_config", [host.wire, vdi.wire])
    }

    /// Starts `VDI.generate_config` and answers with its task.
    public func asyncGenerateConfig(host: Ref<Host>, vdi: Ref<VDI>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VDI.generate_config", [host.wire, vdi.wire])
    }

    /// Whether the disk keeps what was written when its VM starts again.
    ///
    /// Since cowley. Role: vm-admin.
    public func setOnBoot(_ vdi: Ref<VDI>, value: OnBoot) async throws {
        try await self.caller.perform("VDI.set_on_boot", [vdi.wire, value.wire])
    }

    /// Starts `VDI.set_on_boot` and answers with its task.
    public func asyncSetOnBoot(_ vdi: Ref<VDI>, value: OnBoot) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.set_on_boot", [vdi.wire, value.wire])
    }

    /// Whether hosts may cache it.
    ///
    /// Since cowley. Role: vm-admin.
    public func setAllowCaching(_ vdi: Ref<VDI>, value: Bool) async throws {
        try await self.caller.perform("VDI.set_allow_caching", [vdi.wire, value.wire])
    }

    /// Starts `VDI.set_allow_caching` and answers with its task.
    public func asyncSetAllowCaching(_ vdi: Ref<VDI>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.set_allow_caching", [vdi.wire, value.wire])
    }

    /// Calls `VDI.open_database`.
    ///
    /// Since boston. Role: pool-operator.
    public func openDatabase(_ vdi: Ref<VDI>) async throws -> Ref<Session> {
        try await self.caller.invoke("VDI.open_database", [vdi.wire])
    }

    /// Starts `VDI.open_database` and answers with its task.
    public func asyncOpenDatabase(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<Ref<Session>> {
        try await self.caller.launch("VDI.open_database", [vdi.wire])
    }

    /// Calls `VDI.checksum`.
    ///
    /// Since boston. Role: vm-admin.
    public func checksum(_ vdi: Ref<VDI>) async throws -> String {
        try await self.caller.invoke("VDI.checksum", [vdi.wire])
    }

    /// Starts `VDI.checksum` and answers with its task.
    public func asyncChecksum(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VDI.checksum", [vdi.wire])
    }

    /// Calls `VDI.read_database_pool_uuid`.
    ///
    /// Since boston. Role: read-only.
    public func readDatabasePoolUUID(_ vdi: Ref<VDI>) async throws -> String {
        try await self.caller.invoke("VDI.read_database_pool_uuid", [vdi.wire])
    }

    /// Starts `VDI.read_database_pool_uuid` and answers with its task.
    public func asyncReadDatabasePoolUUID(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VDI.read_database_pool_uuid", [vdi.wire])
    }

    /// Moves the disk to another repository, another format, or both, also while it is written.
    ///
    /// Since tampa. Role: vm-power-admin.
    public func poolMigrate(_ vdi: Ref<VDI>, sr: Ref<SR>, options: [String: String]) async throws -> Ref<VDI> {
        try await self.caller.invoke("VDI.pool_migrate", [vdi.wire, sr.wire, options.wire])
    }

    /// Starts `VDI.pool_migrate` and answers with its task.
    public func asyncPoolMigrate(_ vdi: Ref<VDI>, sr: Ref<SR>, options: [String: String]) async throws -> XenTaskHandle<Ref<VDI>> {
        try await self.caller.launch("VDI.pool_migrate", [vdi.wire, sr.wire, options.wire])
    }

    /// What VDI.pool_migrate with the same arguments would do, as a JSON object; nothing is changed.
    ///
    /// Since 26.17.0. Role: vm-power-admin.
    public func planPoolMigrate(_ vdi: Ref<VDI>, sr: Ref<SR>, options: [String: String]) async throws -> String {
        try await self.caller.invoke("VDI.plan_pool_migrate", [vdi.wire, sr.wire, options.wire])
    }

    /// Starts `VDI.plan_pool_migrate` and answers with its task.
    public func asyncPlanPoolMigrate(_ vdi: Ref<VDI>, sr: Ref<SR>, options: [String: String]) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VDI.plan_pool_migrate", [vdi.wire, sr.wire, options.wire])
    }

    /// Begins to track which blocks of 64 KiB of the disk change, in a new set of logs; a guest that uses it goes on.
    ///
    /// Since inverness. Role: vm-admin. Errors: `SR_OPERATION_NOT_SUPPORTED`, `VDI_MISSING`, `SR_NOT_ATTACHED`, `SR_HAS_NO_PBDS`, `OPERATION_NOT_ALLOWED`, `VDI_INCOMPATIBLE_TYPE`, `VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION`.
    public func enableCBT(_ vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.enable_cbt", [vdi.wire])
    }

    /// Starts `VDI.enable_cbt` and answers with its task.
    public func asyncEnableCBT(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.enable_cbt", [vdi.wire])
    }

    /// Ends the tracking of the disk's changes. Snapshots keep their logs; with what comes later they cannot be compared.
    ///
    /// Since inverness. Role: vm-admin. Errors: `SR_OPERATION_NOT_SUPPORTED`, `VDI_MISSING`, `SR_NOT_ATTACHED`, `SR_HAS_NO_PBDS`, `OPERATION_NOT_ALLOWED`, `VDI_INCOMPATIBLE_TYPE`, `VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION`.
    public func disableCBT(_ vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.disable_cbt", [vdi.wire])
    }

    /// Starts `VDI.disable_cbt` and answers with its task.
    public func asyncDisableCBT(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.disable_cbt", [vdi.wire])
    }

    /// Records whether the changed blocks of the disk are tracked; for its storage driver alone.
    ///
    /// Since inverness. Role: local-root-only.
    public func setCBTEnabled(_ vdi: Ref<VDI>, value: Bool) async throws {
        try await self.caller.perform("VDI.set_cbt_enabled", [vdi.wire, value.wire])
    }

    /// Starts `VDI.set_cbt_enabled` and answers with its task.
    public func asyncSetCBTEnabled(_ vdi: Ref<VDI>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.set_cbt_enabled", [vdi.wire, value.wire])
    }

    /// Deletes a tracked snapshot's data and keeps the log of changed blocks: the VDI is then of type cbt_metadata. Waits a few seconds for its VBDs to go.
    ///
    /// Since inverness. Role: vm-admin. Errors: `SR_OPERATION_NOT_SUPPORTED`, `VDI_MISSING`, `SR_NOT_ATTACHED`, `SR_HAS_NO_PBDS`, `OPERATION_NOT_ALLOWED`, `VDI_INCOMPATIBLE_TYPE`, `VDI_NO_CBT_METADATA`, `VDI_IN_USE`, `VDI_IS_A_PHYSICAL_DEVICE`.
    public func dataDestroy(_ vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.data_destroy", [vdi.wire])
    }

    /// Starts `VDI.data_destroy` and answers with its task.
    public func asyncDataDestroy(_ vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.data_destroy", [vdi.wire])
    }

    /// The blocks of 64 KiB that may differ between two snapshots of one set of logs, or a snapshot and its disk, the earlier first: one bit each in base64, the first block in the highest bit of the first byte. The disk may have moved since.
    ///
    /// Since inverness. Role: vm-operator. Errors: `SR_OPERATION_NOT_SUPPORTED`, `VDI_MISSING`, `SR_NOT_ATTACHED`, `SR_HAS_NO_PBDS`, `VDI_IN_USE`.
    public func listChangedBlocks(_ vdiFrom: Ref<VDI>, vdiTo: Ref<VDI>) async throws -> String {
        try await self.caller.invoke("VDI.list_changed_blocks", [vdiFrom.wire, vdiTo.wire])
    }

    /// Starts `VDI.list_changed_blocks` and answers with its task.
    public func asyncListChangedBlocks(_ vdiFrom: Ref<VDI>, vdiTo: Ref<VDI>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VDI.list_changed_blocks", [vdiFrom.wire, vdiTo.wire])
    }

    /// Where the VDI can be read over NBD, one record for each address: on the networks of purpose nbd (in TLS) or insecure_nbd. The name of the export is good for as long as the caller's session. None where no network has such a purpose.
    ///
    /// Since inverness. Role: vm-admin. Errors: `VDI_INCOMPATIBLE_TYPE`.
    public func getNBDInfo(_ vdi: Ref<VDI>) async throws -> [VDINBDServerInfoRecord] {
        try await self.caller.invoke("VDI.get_nbd_info", [vdi.wire])
    }

    /// Gives the disk that the snapshot is of, unattached, the snapshot's content.
    ///
    /// Since 26.16.0. Role: vm-power-admin. Errors: `UNIMPLEMENTED_IN_SM_BACKEND`.
    public func revert(_ snapshot: Ref<VDI>) async throws {
        try await self.caller.perform("VDI.revert", [snapshot.wire])
    }

    /// Starts `VDI.revert` and answers with its task.
    public func asyncRevert(_ snapshot: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VDI.revert", [snapshot.wire])
    }
}
