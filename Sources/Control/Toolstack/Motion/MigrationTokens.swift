import APITypes
import PoolDatabase
import Synchronization

/// host.migrate_receive: what VM.migrate_send is told of its destination. Source: the keys that XenAPI's clients pass on.
final class MigrationTokens: Sendable {
    private let database: PoolDatabase
    private let consoles: ConsoleAccess
    /// Known once calls are served.
    private let sessions = Mutex<Sessions?>(nil)

    init(database: PoolDatabase, consoles: ConsoleAccess) {
        self.database = database
        self.consoles = consoles
    }

    func open(_ sessions: Sessions) { self.sessions.withLock { $0 = sessions } }

    func register(in table: inout MessageTable) {
        table.on("host.migrate_receive") { [self] call, arguments in
            let token = try await token(host: try arguments.get(0), network: try arguments.get(1), call)
            return .map(token.mapValues(APIValue.string))
        }
    }

    /// Errors: HOST_CANNOT_ATTACH_NETWORK [host, network], PIF_HAS_NO_NETWORK_CONFIGURATION [pif], INTERFACE_HAS_NO_IP [pif].
    private func token(
        host: Ref<Host>, network: Ref<Network>, _ call: CallContext
    ) async throws -> [String: String] {
        let pif = try database.read { reader -> Row in
            _ = try reader.require(host)
            _ = try reader.require(network)
            let pifs = reader.rows(PIF.self) { $0[PIF.host] == host && $0[PIF.network] == network }
            guard let pif = pifs.first else {
                throw APIError("HOST_CANNOT_ATTACH_NETWORK", host.opaque, network.opaque)
            }
            return pif
        }
        if pif[PIF.ipConfigurationMode] == .none, pif[PIF.ip].isEmpty {
            throw APIError("PIF_HAS_NO_NETWORK_CONFIGURATION", pif.ref)
        }
        if pif[PIF.ip].isEmpty { throw APIError("INTERFACE_HAS_NO_IP", pif.ref) }
        let session = try await session(like: call)
        // Peers speak TLS to what is written with http, as they always have.
        let base = "http://" + pif[PIF.ip] + Self.port(of: consoles.base)
        return [
            "SM": "\(base)/services/SM?session_id=\(session.opaque)", "host": host.opaque,
            "xenops": "\(base)/services/xenops?session_id=\(session.opaque)", "session_id": session.opaque,
            "master": base,
        ]
    }

    /// A session of its own with the rights of the caller's: it outlives the caller's while a machine moves. It serves as many moves as
    /// are asked for until it ends as sessions do, by `session.logout`, a day without use, or the toolstack's end.
    private func session(like call: CallContext) async throws -> Ref<Session> {
        guard let sessions = sessions.withLock({ $0 }) else { throw APIError("HOST_STILL_BOOTING") }
        let row = try database.read { try $0.require(call.session) }
        let account: Account
        switch call.caller.rights {
        case .everything: account = .superuser(name: call.caller.userName)
        case .role(let role):
            account = .user(
                UserAccount(
                    name: call.caller.userName, role: role, subject: row[Session.subject],
                    subjectIdentifier: call.caller.subjectIdentifier, user: row[Session.thisUser]))
        case .nothing, .clientCertificate:
            throw APIError("OPERATION_NOT_ALLOWED", "only users and the local superuser may receive a migration")
        }
        return try await sessions.open(account, originator: row[Session.originator])
    }

    /// The session of what `host.migrate_receive` has answered is used by a move within the pool, as by the calls of one that comes from
    /// another. INVALID_VALUE [dest, text] when it is over.
    func use(_ destination: [String: String]) async throws {
        guard let session = destination["session_id"], let sessions = sessions.withLock({ $0 }) else { return }
        do { _ = try await sessions.require(Ref(session)) } catch { throw Self.told(error, by: "this host") }
    }

    /// INVALID_VALUE [dest, text] for an answer whose session is over or unknown where it was made. SESSION_INVALID would say that of
    /// the caller's own session, and clients would log in again, in vain.
    static func isOver(at host: String) -> APIError {
        APIError(
            "INVALID_VALUE", "dest",
            "its session is over, or unknown, at \(host): call host.migrate_receive there again and pass its answer on")
    }

    /// What the caller is told of an error of the host that `dest` names.
    static func told(_ error: any Error, by host: String) -> any Error {
        (error as? APIError)?.code == "SESSION_INVALID" ? isOver(at: host) : error
    }

    /// `:8443` of `https://[::1]:8443`; empty where the scheme says it.
    static func port(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else { return "" }
        let port = authority[authority.index(after: colon)...]
        return port == "443" || port == "80" || port.isEmpty || Int(port) == nil ? "" : ":\(port)"
    }
}
