/// Where an NBD export is, as its URI says: `nbd://host[:port]/export` and `nbd+unix:///export?socket=path`.
public enum NBDLocation: Hashable, Sendable {
    case tcp(host: String, port: UInt16, export: String)
    case unix(socket: String, export: String)

    /// The protocol's own port.
    public static let port: UInt16 = 10809

    /// Nil for every other text: other schemes, no host, no socket, characters that are not escaped rightly.
    public init?(parsing text: String) {
        if text.hasPrefix("nbd://") {
            let rest = text.dropFirst("nbd://".count)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            let authority = rest[..<slash]
            let name = slash == rest.endIndex ? "" : rest[rest.index(after: slash)...]
            guard let export = Self.unescaped(name), !name.contains("?") else { return nil }
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
            self = .tcp(host: String(host), port: port, export: export)
        } else if text.hasPrefix("nbd+unix:///") {
            let rest = text.dropFirst("nbd+unix:///".count)
            guard let mark = rest.firstIndex(of: "?"), let export = Self.unescaped(rest[..<mark]) else { return nil }
            let queries = rest[rest.index(after: mark)...].split(separator: "&")
            guard let query = queries.first(where: { $0.hasPrefix("socket=") }),
                let socket = Self.unescaped(query.dropFirst("socket=".count)), !socket.isEmpty
            else { return nil }
            self = .unix(socket: socket, export: export)
        } else {
            return nil
        }
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
