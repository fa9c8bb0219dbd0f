/// Where to listen: `ADDR:PORT`, `[IPv6]:PORT` or `:PORT`, which is every address. Port 0 stands for any free one.
public struct HTTPAddress: Sendable, Hashable {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil for text of another form.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[colon...].dropFirst()) else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("[") && host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.init(host: host.isEmpty ? "0.0.0.0" : host, port: Int(port))
    }

    func url(_ scheme: String) -> String { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
