// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `subject`. Who may use the pool, by the name of an account of the pool or of PAM, with these roles.
public struct SubjectRecord: XenRecord {
    /// Identifies the subject.
    public var uuid: String
    /// The name of the account.
    public var subjectIdentifier: String
    /// What else is known of the account; `subject-name` is the name to show.
    public var otherConfig: [String: String]
    /// The roles. A new subject has none and cannot log in.
    public var roles: [Ref<Role>]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "subject")
        uuid = try record.field("uuid")
        subjectIdentifier = try record.field("subject_identifier")
        otherConfig = try record.field("other_config")
        roles = try record.field("roles")
    }
}

extension Subject: RecordClass { public typealias Record = SubjectRecord }

/// What `subject.create` takes. The server has its own value for a member that is nil.
public struct SubjectCreation: WireWritable {
    /// The name of the account.
    public var subjectIdentifier: String?
    /// What else is known of the account; `subject-name` is the name to show.
    public var otherConfig: [String: String]?

    public init(
        subjectIdentifier: String? = nil,
        otherConfig: [String: String]? = nil
    ) {
        self.subjectIdentifier = subjectIdentifier
        self.otherConfig = otherConfig
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("subject_identifier", subjectIdentifier)
        record.putIfGiven("other_config", otherConfig)
        return record.wire
    }
}

extension Subject: CreatableClass { public typealias Creation = SubjectCreation }

/// The messages of the class `subject`.
public struct SubjectCalls: ObjectCalls, ListingCalls, CreatableCalls {
    public typealias Class = Subject
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Gives one of the six roles, and ends the subject's sessions.
    ///
    /// Since midnight-ride. Role: pool-admin.
    public func addToRoles(_ subject: Ref<Subject>, role: Ref<Role>) async throws {
        try await self.caller.perform("subject.add_to_roles", [subject.wire, role.wire])
    }

    /// Takes a role away, and ends the subject's sessions.
    ///
    /// Since midnight-ride. Role: pool-admin.
    public func removeFromRoles(_ subject: Ref<Subject>, role: Ref<Role>) async throws {
        try await self.caller.perform("subject.remove_from_roles", [subject.wire, role.wire])
    }

    /// The names of all permissions that the subject's roles give.
    ///
    /// Since midnight-ride. Role: read-only.
    public func getPermissionsNameLabel(_ subject: Ref<Subject>) async throws -> [String] {
        try await self.caller.invoke("subject.get_permissions_name_label", [subject.wire])
    }
}
