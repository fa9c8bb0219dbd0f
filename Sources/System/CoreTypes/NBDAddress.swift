/// An NBD export on a Unix socket, with the text form that storage drivers use: `nbd:unix:<socket>:exportname=<name>`.
public struct NBDAddress: Hashable, Sendable {
    /// Absolute path.
    public let socket: String
    /// Empty: the server's default export.
    public let export: String

    public init(socket: String, export: String) {
        self.socket = socket
        self.export = export
    }

    /// Nil for every other text, and for a socket without an absolute path.
    public init?(parsing text: some StringProtocol) {
        let prefix = "nbd:unix:"
        let mark = ":exportname="
        guard text.hasPrefix(prefix) else { return nil }
        let rest = text.dropFirst(prefix.count)
        var path = rest
        var name = rest.suffix(0)
        // The last mark: neither names nor sockets are likely to hold one, and a socket could.
        var position = rest.startIndex
        while position < rest.endIndex {
            if rest[position...].hasPrefix(mark) {
                path = rest[..<position]
                name = rest[position...].dropFirst(mark.count)
            }
            position = rest.index(after: position)
        }
        guard path.hasPrefix("/"), path.count > 1 else { return nil }
        socket = String(path)
        export = String(name)
    }

    public var text: String { "nbd:unix:\(socket):exportname=\(export)" }
}
