// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `session`. Somebody who is logged in; its reference goes with every call. Ends with the daemon.
public struct SessionRecord: XenRecord {
    /// Identifies the session.
    public var uuid: String
    /// The host that took the log-in.
    public var thisHost: Ref<Host>
    /// The pool's own user who logged in; null for others.
    public var thisUser: Ref<User>
    /// When the session was used last, exact to ten minutes. After a day without use it ends.
    public var lastActive: APIDate
    /// Whether it belongs to another host of the pool.
    public var pool: Bool
    /// For clients to keep notes in.
    public var otherConfig: [String: String]
    /// Whether nothing is checked: root, and whoever comes over the local socket.
    public var isLocalSuperuser: Bool
    /// The subject whose roles the session has; null for the superuser.
    public var subject: Ref<Subject>
    /// When the credentials were checked.
    public var validationTime: APIDate
    /// The identifier of the subject; empty for the superuser.
    public var authUserSid: String
    /// The name given at log-in.
    public var authUserName: String
    /// Every permission that the roles gave at log-in; empty for the superuser, who is asked for none.
    public var rbacPermissions: [String]
    /// The tasks that calls of this session began.
    public var tasks: [Ref<XenTask>]
    /// The session that opened this one; always null here.
    public var parent: Ref<Session>
    /// The program that logged in, as it called itself.
    public var originator: String
    /// Whether a certificate stood in for the password.
    public var clientCertificate: Bool?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "session")
        uuid = try record.field("uuid")
        thisHost = try record.field("this_host")
        thisUser = try record.field("this_user")
        lastActive = try record.field("last_active")
        pool = try record.field("pool")
        otherConfig = try record.field("other_config")
        isLocalSuperuser = try record.field("is_local_superuser")
        subject = try record.field("subject")
        validationTime = try record.field("validation_time")
        authUserSid = try record.field("auth_user_sid")
        authUserName = try record.field("auth_user_name")
        rbacPermissions = try record.field("rbac_permissions")
        tasks = try record.field("tasks")
        parent = try record.field("parent")
        originator = try record.field("originator")
        clientCertificate = try record.optional("client_certificate")
    }
}

extension Session: RecordClass { public typealias Record = SessionRecord }

/// The messages of the class `session`.
public struct SessionCalls: ObjectCalls {
    public typealias Class = Session
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Ends the session. Its calls that wait for events fail.
    ///
    /// Since rio. Role: read-only.
    public func logout() async throws {
        try await self.caller.perform("session.logout", [])
    }

    /// Changes root's password. Over the local socket the old one is not asked for.
    ///
    /// Since rio. Role: local-root-only.
    public func changePassword(oldPwd: String, newPwd: String) async throws {
        try await self.caller.perform("session.change_password", [oldPwd.wire, newPwd.wire])
    }

    /// Calls `session.create_from_db_file`.
    ///
    /// Since dundee. Role: local-root-only.
    public func createFromDBFile(filename: String) async throws -> Ref<Session> {
        try await self.caller.invoke("session.create_from_db_file", [filename.wire])
    }

    /// Starts `session.create_from_db_file` and answers with its task.
    public func asyncCreateFromDBFile(filename: String) async throws -> XenTaskHandle<Ref<Session>> {
        try await self.caller.launch("session.create_from_db_file", [filename.wire])
    }

    /// Ends a session of an emergency log-in.
    ///
    /// Since miami. Role: pool-admin.
    public func localLogout() async throws {
        try await self.caller.perform("session.local_logout", [])
    }

    /// The identifiers of the subjects that are logged in.
    ///
    /// Since george. Role: read-only.
    public func getAllSubjectIdentifiers() async throws -> [String] {
        try await self.caller.invoke("session.get_all_subject_identifiers", [])
    }

    /// Starts `session.get_all_subject_identifiers` and answers with its task.
    public func asyncGetAllSubjectIdentifiers() async throws -> XenTaskHandle<[String]> {
        try await self.caller.launch("session.get_all_subject_identifiers", [])
    }

    /// Ends the sessions of a subject, except the caller's own.
    ///
    /// Since george. Role: pool-operator.
    public func logoutSubjectIdentifier(subjectIdentifier: String) async throws {
        try await self.caller.perform("session.logout_subject_identifier", [subjectIdentifier.wire])
    }

    /// Starts `session.logout_subject_identifier` and answers with its task.
    public func asyncLogoutSubjectIdentifier(subjectIdentifier: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("session.logout_subject_identifier", [subjectIdentifier.wire])
    }
}
