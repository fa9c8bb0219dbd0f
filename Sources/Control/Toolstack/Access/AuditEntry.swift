import APITypes
import DataModel
import PoolDatabase
import RPCCodec

/// One line of the audit log: who asked for what, on which objects, and how it ended. Values of arguments are not in it,
/// so that no password can be.
struct AuditEntry: Sendable {
    private(set) var members: [WireMember]

    /// Longest text taken over from a client, characters, and most objects named.
    private static let longestText = 256
    private static let mostObjects = 16

    /// `call` is the name on the wire; `objects` are the call's references, looked up before it runs.
    init(call: String, caller: Principal, session: Ref<Session>, client: ClientInfo, objects: [WireValue]) {
        members = [
            WireMember("time", .string(DateTimeText.format(WallClock.seconds))),
            WireMember("user", .string(Self.cut(caller.userName))),
            WireMember("subject", .string(Self.cut(caller.subjectIdentifier))),
            WireMember("role", .string(caller.roleName)),
            WireMember("session", .string(session.isNull ? "" : Self.tracking(session))),
            WireMember("from", .string(client.isLocalSocket ? "socket" : "network")),
            WireMember("originator", .string(Self.cut(client.originator ?? ""))),
            WireMember("call", .string(call)), WireMember("objects", .array(objects)),
        ]
    }

    mutating func note(task: Ref<XenTask>) {
        if !task.isNull { members.append(WireMember("task", .string(task.opaque))) }
    }

    /// `isSecret`: an error's parameters may hold what must not be kept.
    func ended(_ outcome: Result<APIValue, APIError>, isSecret: Bool = false) -> AuditEntry {
        var entry = self
        switch outcome {
        case .success: entry.members.append(WireMember("result", .string("ok")))
        case .failure(let error):
            entry.members.append(
                WireMember("result", .string(error.code == "RBAC_PERMISSION_DENIED" ? "denied" : "failed")))
            let words = isSecret ? [error.code] : Array(error.wire.prefix(8))
            entry.members.append(WireMember("error", .array(words.map { .string(Self.cut($0)) })))
        }
        return entry
    }

    var line: [UInt8] { Array(JSONText.encode(.structure(members)).utf8) }

    /// The object that a request to a path names.
    static func objects(_ target: RequestTarget, in database: PoolDatabase) -> [WireValue] {
        let row = database.read { reader in
            target.classes.lazy.compactMap { name in
                target.ref.map { reader.row(className: name, ref: $0) }
                    ?? reader.row(
                        className: name, uuid: target.uuid ?? "")
            }.first
        }
        guard let row else {
            // What is not there has the name that it was asked for by.
            let given = target.ref.map { WireMember("ref", .string(cut($0))) }
            return [.structure([given ?? WireMember("uuid", .string(cut(target.uuid ?? "")))])]
        }
        let members = [WireMember("class", .string(row.className)), WireMember("ref", .string(row.ref))]
        return [.structure(members + description(of: row))]
    }

    private static func description(of row: Row) -> [WireMember] {
        let uuid = WireMember("uuid", .string(row.uuid))
        return row.nameLabel.isEmpty ? [uuid] : [uuid, WireMember("name", .string(cut(row.nameLabel)))]
    }

    /// The objects that the references among the arguments name, those that exist with their uuids and names.
    static func objects(
        _ arguments: [WireValue], of message: MessageDeclaration, in database: PoolDatabase
    ) -> [WireValue] {
        var all: [WireValue] = []
        for (parameter, value) in zip(message.parameters, arguments) where all.count < mostObjects {
            guard case .ref(let className) = parameter.type, case .string(let ref) = value else { continue }
            let row = database.read { $0.row(className: className, ref: ref) }
            var members = [WireMember("class", .string(className)), WireMember("ref", .string(cut(ref)))]
            if let row { members += description(of: row) }
            all.append(.structure(members))
        }
        return all
    }

    /// Tells sessions apart without giving them away: the reference of a session is as good as a password.
    private static func tracking(_ session: Ref<Session>) -> String {
        String(NameDigest.uuid(session.opaque).prefix(18))
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= longestText ? text : String(text.prefix(longestText)) + "…"
    }
}

extension Principal {
    fileprivate var roleName: String {
        switch rights {
        case .nothing: ""
        case .everything: "superuser"
        case .role(let role): role.rawValue
        case .clientCertificate: "client-cert"
        }
    }
}

extension MessageDeclaration {
    /// Whether its calls are written to the audit log: all that may change something. Names tell readers from the rest,
    /// for the roles do not: read-only users have tasks.
    var isAudited: Bool {
        switch origin {
        case .getRecord, .getByUUID, .getByNameLabel, .getAll, .getAllRecords, .getAllWhere, .getAllRecordsWhere,
            .getField:
            return false
        case .create, .destroy, .setField, .addToMap, .removeFromMap, .addToSet, .removeFromSet: return true
        case .custom:
            guard !["event", "role", "auth"].contains(className) else { return false }
            return !Self.readers.contains { name.hasPrefix($0) }
        }
    }

    private static let readers = [
        "get", "assert_", "is_", "has_", "list_", "query_", "compute_", "retrieve_", "check_", "local_assert_", "read_",
        "ha_compute_", "wait_",
    ]
}

/// What a request to a path is about: an object of one of these classes, by what the client gave.
public struct RequestTarget: Sendable {
    let classes: [String]
    let ref: String?
    let uuid: String?

    public init(_ classes: [String], ref: String?, uuid: String?) {
        self.classes = classes
        self.ref = ref
        self.uuid = uuid
    }
}
