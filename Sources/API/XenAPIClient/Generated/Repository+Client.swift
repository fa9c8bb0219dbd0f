// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Repository`.
public struct RepositoryRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var binaryURL: String
    public var sourceURL: String
    public var update: Bool
    public var hash: String
    public var upToDate: Bool?
    public var gpgkeyPath: String?
    public var origin: Open<UpdateOrigin>?
    public var certificate: String?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Repository")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        binaryURL = try record.field("binary_url")
        sourceURL = try record.field("source_url")
        update = try record.field("update")
        hash = try record.field("hash")
        upToDate = try record.optional("up_to_date")
        gpgkeyPath = try record.optional("gpgkey_path")
        origin = try record.optional("origin")
        certificate = try record.optional("certificate")
    }
}

extension Repository: RecordClass { public typealias Record = RepositoryRecord }

/// The messages of the class `Repository`.
public struct RepositoryCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = Repository
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Repository.introduce`.
    ///
    /// Since 1.301.0. Role: pool-operator+client-cert.
    public func introduce(nameLabel: String, nameDescription: String, binaryURL: String, sourceURL: String, update: Bool, gpgkeyPath: String = "") async throws -> Ref<Repository> {
        try await self.caller.invoke("Repository.introduce", [nameLabel.wire, nameDescription.wire, binaryURL.wire, sourceURL.wire, update.wire, gpgkeyPath.wire], defaults: [.string("")])
    }

    /// Starts `Repository.introduce` and answers with its task.
    public func asyncIntroduce(nameLabel: String, nameDescription: String, binaryURL: String, sourceURL: String, update: Bool, gpgkeyPath: String = "") async throws -> XenTaskHandle<Ref<Repository>> {
        try await self.caller.launch("Repository.introduce", [nameLabel.wire, nameDescription.wire, binaryURL.wire, sourceURL.wire, update.wire, gpgkeyPath.wire], defaults: [.string("")])
    }

    /// Calls `Repository.introduce_bundle`.
    ///
    /// Since 24.23.0. Role: pool-operator+client-cert.
    public func introduceBundle(nameLabel: String, nameDescription: String) async throws -> Ref<Repository> {
        try await self.caller.invoke("Repository.introduce_bundle", [nameLabel.wire, nameDescription.wire])
    }

    /// Starts `Repository.introduce_bundle` and answers with its task.
    public func asyncIntroduceBundle(nameLabel: String, nameDescription: String) async throws -> XenTaskHandle<Ref<Repository>> {
        try await self.caller.launch("Repository.introduce_bundle", [nameLabel.wire, nameDescription.wire])
    }

    /// Calls `Repository.introduce_remote_pool`.
    ///
    /// Since 25.7.0. Role: pool-operator+client-cert.
    public func introduceRemotePool(nameLabel: String, nameDescription: String, binaryURL: String, certificate: String) async throws -> Ref<Repository> {
        try await self.caller.invoke("Repository.introduce_remote_pool", [nameLabel.wire, nameDescription.wire, binaryURL.wire, certificate.wire])
    }

    /// Starts `Repository.introduce_remote_pool` and answers with its task.
    public func asyncIntroduceRemotePool(nameLabel: String, nameDescription: String, binaryURL: String, certificate: String) async throws -> XenTaskHandle<Ref<Repository>> {
        try await self.caller.launch("Repository.introduce_remote_pool", [nameLabel.wire, nameDescription.wire, binaryURL.wire, certificate.wire])
    }

    /// Calls `Repository.forget`.
    ///
    /// Since 1.301.0. Role: pool-operator+client-cert.
    public func forget(_ repository: Ref<Repository>) async throws {
        try await self.caller.perform("Repository.forget", [repository.wire])
    }

    /// Starts `Repository.forget` and answers with its task.
    public func asyncForget(_ repository: Ref<Repository>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Repository.forget", [repository.wire])
    }

    /// Calls `Repository.apply`.
    ///
    /// Since 1.301.0. Role: pool-operator+client-cert. Between the hosts of a pool only.
    public func apply(host: Ref<Host>) async throws {
        try await self.caller.perform("Repository.apply", [host.wire])
    }

    /// Starts `Repository.apply` and answers with its task.
    public func asyncApply(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Repository.apply", [host.wire])
    }

    /// Calls `Repository.set_gpgkey_path`.
    ///
    /// Since 22.12.0. Role: pool-operator+client-cert.
    public func setGpgkeyPath(_ repository: Ref<Repository>, value: String) async throws {
        try await self.caller.perform("Repository.set_gpgkey_path", [repository.wire, value.wire])
    }

    /// Starts `Repository.set_gpgkey_path` and answers with its task.
    public func asyncSetGpgkeyPath(_ repository: Ref<Repository>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Repository.set_gpgkey_path", [repository.wire, value.wire])
    }

    /// Calls `Repository.apply_livepatch`.
    ///
    /// Since 22.20.0. Role: pool-operator+client-cert. Between the hosts of a pool only.
    public func applyLivepatch(host: Ref<Host>, component: String, baseBuildID: String, baseVersion: String, baseRelease: String, toVersion: String, toRelease: String) async throws {
        try await self.caller.perform("Repository.apply_livepatch", [host.wire, component.wire, baseBuildID.wire, baseVersion.wire, baseRelease.wire, toVersion.wire, toRelease.wire])
    }

    /// Starts `Repository.apply_livepatch` and answers with its task.
    public func asyncApplyLivepatch(host: Ref<Host>, component: String, baseBuildID: String, baseVersion: String, baseRelease: String, toVersion: String, toRelease: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Repository.apply_livepatch", [host.wire, component.wire, baseBuildID.wire, baseVersion.wire, baseRelease.wire, toVersion.wire, toRelease.wire])
    }
}
