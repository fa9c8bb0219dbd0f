import ArgumentParser

/// `ADDRESS:PORT`, the address numeric; an IPv6 address in brackets.
struct ListenAddress: ExpressibleByArgument, Sendable {
    let address: String
    /// 0 picks a free one.
    let port: UInt16

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...])
        else {
            return nil
        }
        var address = argument[..<colon]
        if address.hasPrefix("["), address.hasSuffix("]") { address = address.dropFirst().dropLast() }
        if address.isEmpty { return nil }
        self.address = String(address)
        self.port = port
    }
}
