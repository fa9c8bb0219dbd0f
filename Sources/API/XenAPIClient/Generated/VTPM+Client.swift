// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VTPM`.
public struct VTPMRecord: XenRecord {
    public var uuid: String
    public var allowedOperations: [Open<VTPMOperations>]
    public var currentOperations: [String: Open<VTPMOperations>]
    public var vm: Ref<VM>
    public var backend: Ref<VM>
    public var persistenceBackend: Open<PersistenceBackend>
    public var isUnique: Bool
    public var isProtected: Bool

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VTPM")
        uuid = try record.field("uuid")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        vm = try record.field("VM")
        backend = try record.field("backend")
        persistenceBackend = try record.field("persistence_backend")
        isUnique = try record.field("is_unique")
        isProtected = try record.field("is_protected")
    }
}

extension VTPM: RecordClass { public typealias Record = VTPMRecord }

/// The messages of the class `VTPM`.
public struct VTPMCalls: ObjectCalls, ListingCalls {
    public typealias Class = VTPM
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `VTPM.create`.
    ///
    /// Since 22.26.0. Role: vm-admin.
    public func create(vM: Ref<VM>, isUnique: Bool) async throws -> Ref<VTPM> {
        try await self.caller.invoke("VTPM.create", [vM.wire, isUnique.wire])
    }

    /// Starts `VTPM.create` and answers with its task.
    public func asyncCreate(vM: Ref<VM>, isUnique: Bool) async throws -> XenTaskHandle<Ref<VTPM>> {
        try await self.caller.launch("VTPM.create", [vM.wire, isUnique.wire])
    }

    /// Calls `VTPM.destroy`.
    ///
    /// Since 22.26.0. Role: vm-admin.
    public func destroy(_ vtpm: Ref<VTPM>) async throws {
        try await self.caller.perform("VTPM.destroy", [vtpm.wire])
    }

    /// Starts `VTPM.destroy` and answers with its task.
    public func asyncDestroy(_ vtpm: Ref<VTPM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VTPM.destroy", [vtpm.wire])
    }

    /// Calls `VTPM.get_contents`.
    ///
    /// Since 22.26.0. Role: local-root-only.
    public func getContents(_ vtpm: Ref<VTPM>) async throws -> String {
        try await self.caller.invoke("VTPM.get_contents", [vtpm.wire])
    }

    /// Starts `VTPM.get_contents` and answers with its task.
    public func asyncGetContents(_ vtpm: Ref<VTPM>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VTPM.get_contents", [vtpm.wire])
    }

    /// Calls `VTPM.set_contents`.
    ///
    /// Since 22.26.0. Role: local-root-only.
    public func setContents(_ vtpm: Ref<VTPM>, contents: String) async throws {
        try await self.caller.perform("VTPM.set_contents", [vtpm.wire, contents.wire])
    }

    /// Starts `VTPM.set_contents` and answers with its task.
    public func asyncSetContents(_ vtpm: Ref<VTPM>, contents: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VTPM.set_contents", [vtpm.wire, contents.wire])
    }
}
