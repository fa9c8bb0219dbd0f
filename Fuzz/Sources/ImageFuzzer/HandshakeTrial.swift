import NBDProtocol

/// Both sides of the NBD handshake, with what the other side sends cut into pieces by the first byte. TLS comes up at
/// once where it is agreed on: what follows is then what came through it.
enum HandshakeTrial {
    static func run(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let piece = Int(first >> 1) + 1
        let bytes = input.dropFirst()
        var export = ExportDescription(name: "disk", text: "a disk", size: 1 << 30, flags: [])
        export.bitmaps = ["one", "two"]
        var server = ServerHandshake(exports: [export], encryption: first & 2 == 0 ? .offered : .required)
        var client = ClientHandshake(exportName: "disk", encrypted: first & 2 != 0)
        var position = bytes.startIndex
        var answers = 0
        while position < bytes.endIndex {
            let end = min(position + piece, bytes.endIndex)
            if first & 1 == 0 {
                let effects = server.receive(bytes[position..<end])
                answers += effects.count
                if effects.last == .startTLS { server.secured() }
            } else {
                let effects = client.receive(bytes[position..<end])
                answers += effects.count
                if effects.last == .startTLS { answers += client.secured().count }
            }
            position = end
        }
        precondition(answers <= 64 * (bytes.count + 1), "a few bytes make too many answers")
    }
}
