import APITypes
import Foundation
import StorageMotion
import XenAPIClient

/// Where the toolstack of another pool is, and by which certificate it is known.
struct PeerPlace: Codable, Hashable, Sendable {
    var host: String
    var port: Int
    /// SHA-256, as XenAPI writes it.
    var fingerprint: String

    /// Of one of the URLs that `host.migrate_receive` answers; peers speak TLS to what is written with http.
    static func parse(_ url: String) -> (host: String, port: Int)? {
        guard let parts = URLComponents(string: url), var host = parts.host, !host.isEmpty else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host, parts.port ?? 443)
    }
}

/// Asks the toolstack of another pool about one move.
struct PeerLink: Sendable {
    static let path = "/services/xenops/moves"
    static let secretField = "x-gantry-move"

    let connection: PeerConnection
    let id: String
    /// By which the other side knows this one, also after a restart, which ends sessions.
    let secret: String

    /// Throws CANNOT_CONTACT_HOST [host].
    init(_ place: PeerPlace, id: String, secret: String) throws(APIError) {
        guard let fingerprint = CertificateFingerprint(place.fingerprint) else {
            throw .internalError("no fingerprint: \(place.fingerprint)")
        }
        connection = PeerConnection(host: place.host, port: place.port, fingerprint: fingerprint)
        (self.id, self.secret) = (id, secret)
    }

    func close() async { await connection.close() }

    /// `session`: one at the other side, for what needs rights. Throws what the other side answers; CANNOT_CONTACT_HOST
    /// [host] when it does not, or nobody knows whether it has done what it was asked.
    func ask<Value: Codable & Sendable>(
        _ verb: String, _ question: some Encodable, session: String? = nil, limit: Duration = .seconds(120),
        as type: Value.Type = Value.self
    ) async throws -> Value {
        try await send(verb, Array(try JSONEncoder().encode(question)), session: session, limit: limit)
    }

    /// The same with a body as it goes over the link.
    func send<Value: Codable & Sendable>(
        _ verb: String, _ body: [UInt8], session: String?, limit: Duration
    ) async throws -> Value {
        var fields = [(name: Self.secretField, value: secret)]
        if let session { fields.append((name: "Cookie", value: "session_id=\(session)")) }
        var question = RepeatedQuestion(verb, until: .now + limit)
        while true {
            do {
                let answer = try await connection.post(
                    "\(Self.path)/\(id)/\(verb)", fields: fields, body: body, limit: question.limit(at: .now))
                guard let reply = try? JSONDecoder().decode(PeerReply<Value>.self, from: Data(answer)) else {
                    throw Self.doesNotTake(connection.host)
                }
                if let value = reply.value, reply.error == nil { return value }
                guard let error = reply.error, let code = error.first else {
                    throw APIError.internalError("\(connection.host) answered nothing")
                }
                guard question.isRepeated(after: error, at: .now) else {
                    throw APIError(code, Array(error.dropFirst()))
                }
            } catch let error as ConnectionError {
                if case .status(_, _, let status) = error {
                    throw Self.refusal(status, of: verb, by: connection.host, session: session)
                }
                guard question.isRepeated(after: error, at: .now) else {
                    throw APIError("CANNOT_CONTACT_HOST", connection.host)
                }
            }
            try await Task.sleep(for: RepeatedQuestion.pause)
        }
    }

    /// What an HTTP status other than 200 means to the caller: CANNOT_CONTACT_HOST [host] where the server has no time or breaks
    /// down, NOT_IMPLEMENTED [text] for a server that knows nothing of such requests, SESSION_INVALID [session],
    /// PERMISSION_DENIED [text].
    static func refusal(_ status: Int, of verb: String, by host: String, session: String?) -> APIError {
        switch status {
        case 401: APIError("SESSION_INVALID", session ?? "")
        case 404, 405, 501: doesNotTake(host)
        case 429, 500...: APIError("CANNOT_CONTACT_HOST", host)
        default:
            APIError("PERMISSION_DENIED", "the toolstack at \(host) refuses '\(verb)' with HTTP status \(status)")
        }
    }

    private static func doesNotTake(_ host: String) -> APIError {
        APIError(
            "NOT_IMPLEMENTED",
            "the toolstack at \(host) does not take machines of other pools as this one hands them over")
    }

    /// How the move stands at the other side, after it was told `verb`.
    func tell(
        _ verb: String, session: String? = nil, limit: Duration = .seconds(120)
    ) async throws -> MachineArrival.Answer {
        try await tell(verb, [String: String](), session: session, limit: limit)
    }

    func tell(
        _ verb: String, _ question: some Encodable, session: String? = nil, limit: Duration = .seconds(120)
    ) async throws -> MachineArrival.Answer {
        let standing: MoveStanding = try await ask(verb, question, session: session, limit: limit)
        guard let answer = MachineArrival.Answer(rawValue: standing.answer) else {
            throw APIError.internalError("\(connection.host) answered '\(standing.answer)'")
        }
        return answer
    }

    /// A Unix socket at which the disk of the other side can be filled.
    func relay(disk uuid: String, onUnixSocket socket: String) async throws -> PeerRelay {
        try await relay("disk/\(uuid)", onUnixSocket: socket)
    }

    /// A Unix socket at which a guest's memory can be sent to the QEMU that waits for it at the other side. `compresses`:
    /// where that side knows how.
    func relayMemory(onUnixSocket socket: String, compresses: Bool) async throws -> PeerRelay {
        // Nobody waits for its end, and the last of the memory may be on its way then.
        try await relay(
            "memory", onUnixSocket: socket, coding: compresses ? MemoryCoding.relay : nil, endsWithin: .seconds(5))
    }

    private func relay(
        _ what: String, onUnixSocket socket: String, coding: RelayCoding? = nil,
        endsWithin patience: Duration = .milliseconds(500)
    ) async throws -> PeerRelay {
        try await PeerRelay.listen(
            onUnixSocket: socket, to: connection, path: "\(Self.path)/\(id)/\(what)",
            fields: [(name: Self.secretField, value: secret)], coding: coding, endsWithin: patience)
    }
}
