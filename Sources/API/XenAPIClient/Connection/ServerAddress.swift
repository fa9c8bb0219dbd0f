import Foundation

/// Where a toolstack listens.
public enum ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Plain HTTP over a Unix socket; the server takes whoever can open it for root.
    case unixSocket(path: String)
    /// HTTP, or HTTPS when `tls`.
    case tcp(host: String, port: Int, tls: Bool)

    public var description: String {
        switch self {
        case .unixSocket(let path): path
        case .tcp(let host, let port, _): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// The URL of `path` (which starts with a slash and is encoded already) with `query` appended.
    func url(_ path: String, query: [(name: String, value: String)] = []) -> String {
        var text = "\(base)\(path)"
        for (index, item) in query.enumerated() {
            text +=
                (index == 0 && !path.contains("?") ? "?" : "&") + Self.encode(item.name) + "=" + Self.encode(item.value)
        }
        return text
    }

    private var base: String {
        switch self {
        case .unixSocket(let path): "http+unix://\(Self.encode(path))"
        case .tcp(_, _, let tls): "\(tls ? "https" : "http")://\(description)"
        }
    }

    /// Everything but the unreserved characters of RFC 3986 §2.3 as %XX.
    private static func encode(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        allowed.formIntersection(CharacterSet(charactersIn: Unicode.Scalar(0)...Unicode.Scalar(127)))
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
