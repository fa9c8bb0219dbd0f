// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `SR`. A storage repository: a place that holds disks.
public struct SRRecord: XenRecord {
    /// Identifies the repository.
    public var uuid: String
    /// The repository's name.
    public var nameLabel: String
    /// What the administrator wrote about it.
    public var nameDescription: String
    /// What may be asked of it now.
    public var allowedOperations: [Open<StorageOperations>]
    /// What is being done with it, by task.
    public var currentOperations: [String: Open<StorageOperations>]
    /// Its disks.
    public var vdis: [Ref<VDI>]
    /// The hosts' connections to it.
    public var pbds: [Ref<PBD>]
    /// The sizes of its disks added up, bytes.
    public var virtualAllocation: Int64
    /// The room that they take, bytes.
    public var physicalUtilisation: Int64
    /// The room that there is, bytes.
    public var physicalSize: Int64
    /// The type, which names the storage manager.
    public var type: String
    /// What kind of disks it holds.
    public var contentType: String
    /// Whether several hosts can use it at once.
    public var shared: Bool
    /// For notes.
    public var otherConfig: [String: String]
    /// Words to find it by.
    public var tags: [String]
    /// Choices of the storage manager; `preferred-image-formats` lists the formats for new disks.
    public var smConfig: [String: String]
    /// Binary data kept with it.
    public var blobs: [String: Ref<Blob>]
    /// Whether it caches disks of others.
    public var localCacheEnabled: Bool
    /// The disaster recovery task that brought it.
    public var introducedBy: Ref<DRTask>
    /// Whether its hosts form a cluster.
    public var clustered: Bool
    /// Whether it holds the guest tools.
    public var isToolsSR: Bool

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "SR")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        vdis = try record.field("VDIs")
        pbds = try record.field("PBDs")
        virtualAllocation = try record.field("virtual_allocation")
        physicalUtilisation = try record.field("physical_utilisation")
        physicalSize = try record.field("physical_size")
        type = try record.field("type")
        contentType = try record.field("content_type")
        shared = try record.field("shared")
        otherConfig = try record.field("other_config")
        tags = try record.field("tags")
        smConfig = try record.field("sm_config")
        blobs = try record.field("blobs")
        localCacheEnabled = try record.field("local_cache_enabled")
        introducedBy = try record.field("introduced_by")
        clustered = try record.field("clustered")
        isToolsSR = try record.field("is_tools_sr")
    }
}

extension SR: RecordClass { public typealias Record = SRRecord }

/// The messages of the class `SR`.
public struct SRCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = SR
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Makes a new repository and connects this host to it.
    ///
    /// Since rio. Role: pool-operator. Errors: `SR_UNKNOWN_DRIVER`.
    public func create(host: Ref<Host>, deviceConfig: [String: String], physicalSize: Int64, nameLabel: String, nameDescription: String, type: String, contentType: String, shared: Bool, smConfig: [String: String] = [:]) async throws -> Ref<SR> {
        try await self.caller.invoke("SR.create", [host.wire, deviceConfig.wire, physicalSize.wire, nameLabel.wire, nameDescription.wire, type.wire, contentType.wire, shared.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Starts `SR.create` and answers with its task.
    public func asyncCreate(host: Ref<Host>, deviceConfig: [String: String], physicalSize: Int64, nameLabel: String, nameDescription: String, type: String, contentType: String, shared: Bool, smConfig: [String: String] = [:]) async throws -> XenTaskHandle<Ref<SR>> {
        try await self.caller.launch("SR.create", [host.wire, deviceConfig.wire, physicalSize.wire, nameLabel.wire, nameDescription.wire, type.wire, contentType.wire, shared.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Makes an existing repository known, unconnected.
    ///
    /// Since rio. Role: pool-operator.
    public func introduce(uuid: String, nameLabel: String, nameDescription: String, type: String, contentType: String, shared: Bool, smConfig: [String: String] = [:]) async throws -> Ref<SR> {
        try await self.caller.invoke("SR.introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, type.wire, contentType.wire, shared.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Starts `SR.introduce` and answers with its task.
    public func asyncIntroduce(uuid: String, nameLabel: String, nameDescription: String, type: String, contentType: String, shared: Bool, smConfig: [String: String] = [:]) async throws -> XenTaskHandle<Ref<SR>> {
        try await self.caller.launch("SR.introduce", [uuid.wire, nameLabel.wire, nameDescription.wire, type.wire, contentType.wire, shared.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Calls `SR.make`.
    ///
    /// Since rio, deprecated in miami. Role: pool-operator.
    public func make(host: Ref<Host>, deviceConfig: [String: String], physicalSize: Int64, nameLabel: String, nameDescription: String, type: String, contentType: String, smConfig: [String: String] = [:]) async throws -> String {
        try await self.caller.invoke("SR.make", [host.wire, deviceConfig.wire, physicalSize.wire, nameLabel.wire, nameDescription.wire, type.wire, contentType.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Starts `SR.make` and answers with its task.
    public func asyncMake(host: Ref<Host>, deviceConfig: [String: String], physicalSize: Int64, nameLabel: String, nameDescription: String, type: String, contentType: String, smConfig: [String: String] = [:]) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("SR.make", [host.wire, deviceConfig.wire, physicalSize.wire, nameLabel.wire, nameDescription.wire, type.wire, contentType.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Removes the repository with what it holds; it must be empty.
    ///
    /// Since rio. Role: pool-operator. Errors: `SR_HAS_PBD`.
    public func destroy(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.destroy", [sr.wire])
    }

    /// Starts `SR.destroy` and answers with its task.
    public func asyncDestroy(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.destroy", [sr.wire])
    }

    /// Removes the repository from the database; what it holds stays.
    ///
    /// Since rio. Role: pool-operator. Errors: `SR_HAS_PBD`.
    public func forget(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.forget", [sr.wire])
    }

    /// Starts `SR.forget` and answers with its task.
    public func asyncForget(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.forget", [sr.wire])
    }

    /// Reads the repository's sizes anew.
    ///
    /// Since symc. Role: pool-operator.
    public func update(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.update", [sr.wire])
    }

    /// Starts `SR.update` and answers with its task.
    public func asyncUpdate(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.update", [sr.wire])
    }

    /// The types that there are managers for.
    ///
    /// Since rio. Role: read-only.
    public func getSupportedTypes() async throws -> [String] {
        try await self.caller.invoke("SR.get_supported_types", [])
    }

    /// Makes the database agree with what the repository holds.
    ///
    /// Since rio. Role: vm-power-admin.
    public func scan(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.scan", [sr.wire])
    }

    /// Starts `SR.scan` and answers with its task.
    public func asyncScan(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.scan", [sr.wire])
    }

    /// Looks what a device has on it.
    ///
    /// Since miami. Role: pool-operator.
    public func probe(host: Ref<Host>, deviceConfig: [String: String], type: String, smConfig: [String: String] = [:]) async throws -> String {
        try await self.caller.invoke("SR.probe", [host.wire, deviceConfig.wire, type.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Starts `SR.probe` and answers with its task.
    public func asyncProbe(host: Ref<Host>, deviceConfig: [String: String], type: String, smConfig: [String: String] = [:]) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("SR.probe", [host.wire, deviceConfig.wire, type.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Looks for SRs at a place, and tells what it found there.
    ///
    /// Since lima. Role: pool-operator.
    public func probeExt(host: Ref<Host>, deviceConfig: [String: String], type: String, smConfig: [String: String] = [:]) async throws -> [ProbeResultRecord] {
        try await self.caller.invoke("SR.probe_ext", [host.wire, deviceConfig.wire, type.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Starts `SR.probe_ext` and answers with its task.
    public func asyncProbeExt(host: Ref<Host>, deviceConfig: [String: String], type: String, smConfig: [String: String] = [:]) async throws -> XenTaskHandle<[ProbeResultRecord]> {
        try await self.caller.launch("SR.probe_ext", [host.wire, deviceConfig.wire, type.wire, smConfig.wire], defaults: [.structure([])])
    }

    /// Says whether several hosts may attach it; refused where more hosts have than that allows.
    ///
    /// Since rio. Role: pool-operator.
    public func setShared(_ sr: Ref<SR>, value: Bool) async throws {
        try await self.caller.perform("SR.set_shared", [sr.wire, value.wire])
    }

    /// Starts `SR.set_shared` and answers with its task.
    public func asyncSetShared(_ sr: Ref<SR>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.set_shared", [sr.wire, value.wire])
    }

    /// Sets the name.
    ///
    /// Since rio. Role: pool-operator.
    public func setNameLabel(_ sr: Ref<SR>, value: String) async throws {
        try await self.caller.perform("SR.set_name_label", [sr.wire, value.wire])
    }

    /// Starts `SR.set_name_label` and answers with its task.
    public func asyncSetNameLabel(_ sr: Ref<SR>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.set_name_label", [sr.wire, value.wire])
    }

    /// Sets the description.
    ///
    /// Since rio. Role: pool-operator.
    public func setNameDescription(_ sr: Ref<SR>, value: String) async throws {
        try await self.caller.perform("SR.set_name_description", [sr.wire, value.wire])
    }

    /// Starts `SR.set_name_description` and answers with its task.
    public func asyncSetNameDescription(_ sr: Ref<SR>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.set_name_description", [sr.wire, value.wire])
    }

    /// Makes an empty blob of the SR, whose content is put and read at /blob.
    ///
    /// Since orlando. Role: pool-operator.
    public func createNewBlob(_ sr: Ref<SR>, name: String, mimeType: String, `public`: Bool = false) async throws -> Ref<Blob> {
        try await self.caller.invoke("SR.create_new_blob", [sr.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Starts `SR.create_new_blob` and answers with its task.
    public func asyncCreateNewBlob(_ sr: Ref<SR>, name: String, mimeType: String, `public`: Bool = false) async throws -> XenTaskHandle<Ref<Blob>> {
        try await self.caller.launch("SR.create_new_blob", [sr.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Records how large the repository's storage is, in bytes; for its storage driver alone.
    ///
    /// Since miami. Role: pool-operator.
    public func setPhysicalSize(_ sr: Ref<SR>, value: Int64) async throws {
        try await self.caller.perform("SR.set_physical_size", [sr.wire, value.wire])
    }

    /// Records what the virtual sizes of the repository's disks come to, in bytes; for its storage driver alone.
    ///
    /// Since miami. Role: local-root-only.
    public func setVirtualAllocation(_ sr: Ref<SR>, value: Int64) async throws {
        try await self.caller.perform("SR.set_virtual_allocation", [sr.wire, value.wire])
    }

    /// Records how much of the repository's storage is used, in bytes; for its storage driver alone.
    ///
    /// Since miami. Role: local-root-only.
    public func setPhysicalUtilisation(_ sr: Ref<SR>, value: Int64) async throws {
        try await self.caller.perform("SR.set_physical_utilisation", [sr.wire, value.wire])
    }

    /// Calls `SR.assert_can_host_ha_statefile`.
    ///
    /// Since orlando. Role: pool-operator.
    public func assertCanHostHAStatefile(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.assert_can_host_ha_statefile", [sr.wire])
    }

    /// Starts `SR.assert_can_host_ha_statefile` and answers with its task.
    public func asyncAssertCanHostHAStatefile(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.assert_can_host_ha_statefile", [sr.wire])
    }

    /// Throws SR_OPERATION_NOT_SUPPORTED: no SR here can hold a copy of the database.
    ///
    /// Since boston. Role: pool-operator.
    public func assertSupportsDatabaseReplication(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.assert_supports_database_replication", [sr.wire])
    }

    /// Starts `SR.assert_supports_database_replication` and answers with its task.
    public func asyncAssertSupportsDatabaseReplication(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.assert_supports_database_replication", [sr.wire])
    }

    /// Calls `SR.enable_database_replication`.
    ///
    /// Since boston. Role: pool-operator.
    public func enableDatabaseReplication(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.enable_database_replication", [sr.wire])
    }

    /// Starts `SR.enable_database_replication` and answers with its task.
    public func asyncEnableDatabaseReplication(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.enable_database_replication", [sr.wire])
    }

    /// Calls `SR.disable_database_replication`.
    ///
    /// Since boston. Role: pool-operator.
    public func disableDatabaseReplication(_ sr: Ref<SR>) async throws {
        try await self.caller.perform("SR.disable_database_replication", [sr.wire])
    }

    /// Starts `SR.disable_database_replication` and answers with its task.
    public func asyncDisableDatabaseReplication(_ sr: Ref<SR>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SR.disable_database_replication", [sr.wire])
    }

    /// What is measured of the SR.
    ///
    /// Since dundee. Role: read-only.
    public func getDataSources(_ sr: Ref<SR>) async throws -> [DataSourceRecord] {
        try await self.caller.invoke("SR.get_data_sources", [sr.wire])
    }

    /// Begins to record a data source.
    ///
    /// Since dundee. Role: pool-operator.
    public func recordDataSource(_ sr: Ref<SR>, dataSource: String) async throws {
        try await self.caller.perform("SR.record_data_source", [sr.wire, dataSource.wire])
    }

    /// The latest value of a data source.
    ///
    /// Since dundee. Role: read-only.
    public func queryDataSource(_ sr: Ref<SR>, dataSource: String) async throws -> Double {
        try await self.caller.invoke("SR.query_data_source", [sr.wire, dataSource.wire])
    }

    /// Drops what was recorded of a data source.
    ///
    /// Since dundee. Role: pool-operator.
    public func forgetDataSourceArchives(_ sr: Ref<SR>, dataSource: String) async throws {
        try await self.caller.perform("SR.forget_data_source_archives", [sr.wire, dataSource.wire])
    }

    /// Calls `SR.get_live_hosts`.
    ///
    /// Since stockholm. Role: pool-operator.
    public func getLiveHosts(_ sr: Ref<SR>) async throws -> [Ref<Host>] {
        try await self.caller.invoke("SR.get_live_hosts", [sr.wire])
    }

    /// Starts `SR.get_live_hosts` and answers with its task.
    public func asyncGetLiveHosts(_ sr: Ref<SR>) async throws -> XenTaskHandle<[Ref<Host>]> {
        try await self.caller.launch("SR.get_live_hosts", [sr.wire])
    }
}
