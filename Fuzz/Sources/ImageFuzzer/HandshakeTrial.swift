import NBDProtocol

/// Both sides of the NBD handshake, with what the other side sends cut into pieces by the first byte.
enum HandshakeTrial {
    static func run(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let piece = Int(first >> 1) + 1
        let bytes = input.dropFirst()
        let export = ExportDescription(name: "disk", text: "a disk", size: 1 << 30, flags: [])
        var server = ServerHandshake(exports: [export])
        var client = ClientHandshake(exportName: "disk")
        var position = bytes.startIndex
        var answers = 0
        while position < bytes.endIndex {
            let end = min(position + piece, bytes.endIndex)
            if first & 1 == 0 {
                answers += server.receive(bytes[position..<end]).count
            } else {
                answers += client.receive(bytes[position..<end]).count
            }
            position = end
        }
        precondition(answers <= 64 * (bytes.count + 1), "a few bytes make too many answers")
    }
}
