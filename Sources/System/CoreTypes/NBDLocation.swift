/// Where an NBD export is, as its URI says: `nbd://host[:port]/export` and `nbd+unix:///export?socket=path`; in TLS
/// `nbds://…` and `nbds+unix://…` with `tls-certificates=folder` in the query, and `tls-hostname=name` where the server's
/// certificate names another host.
public enum NBDLocation: Hashable, Sendable {
    case tcp(host: String, port: UInt16, export: String)
    case unix(socket: String, export: String)
    /// `folder`: of the client's certificates. `peerName`: whom the server's must name; nil: the host, or localhost.
    indirect case secured(NBDLocation, folder: String, peerName: String?)

    /// The protocol's own port.
    public static let port: UInt16 = 10809

    /// What else a URI may ask of TLS. Nothing here does it, and to leave it out would not be what was asked for.
    private static let foreignQueries: Set<String> = ["tls-psk-file", "tls-username", "tls-verify-peer"]

    /// Nil for every other text: other schemes, no host, no socket, no folder of certificates for TLS, characters that are
    /// not escaped rightly.
    public init?(parsing text: String) {
        let isSecured = text.hasPrefix("nbds")
        let scheme = isSecured ? "nbds" : "nbd"
        let isUnix = text.hasPrefix(scheme + "+unix:///")
        let start = isUnix ? scheme + "+unix:///" : scheme + "://"
        guard text.hasPrefix(start) else { return nil }
        let rest = text.dropFirst(start.count)
        let mark = rest.firstIndex(of: "?") ?? rest.endIndex
        var queries: [String: String] = [:]
        for query in rest[mark...].dropFirst().split(separator: "&") {
            let end = query.firstIndex(of: "=") ?? query.endIndex
            guard let value = Self.unescaped(query[end...].dropFirst()) else { return nil }
            if queries[String(query[..<end])] == nil { queries[String(query[..<end])] = value }
        }
        let place: NBDLocation
        if isUnix {
            guard let export = Self.unescaped(rest[..<mark]), let socket = queries["socket"], !socket.isEmpty
            else { return nil }
            place = .unix(socket: socket, export: export)
        } else {
            // Nothing is known that a plain connection could be asked for.
            guard isSecured || mark == rest.endIndex, let remote = Self.remote(rest[..<mark]) else { return nil }
            place = remote
        }
        if !isSecured {
            self = place
            return
        }
        guard let folder = queries["tls-certificates"], folder.hasPrefix("/"),
            queries.keys.allSatisfy({ !Self.foreignQueries.contains($0) }), queries["tls-hostname"] != ""
        else { return nil }
        self = .secured(place, folder: folder, peerName: queries["tls-hostname"])
    }

    /// `host[:port]/export`.
    private static func remote(_ text: Substring) -> NBDLocation? {
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        let authority = text[..<slash]
        guard let export = unescaped(text[slash...].dropFirst()) else { return nil }
        var host = authority
        var port = Self.port
        let colon = authority.lastIndex(of: ":")
        // The colons of an address of version 6 are inside its brackets.
        if let colon, authority.last != "]" {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("@") else { return nil }
        return .tcp(host: String(host), port: port, export: export)
    }

    /// `%41` is `A`.
    private static func unescaped(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
