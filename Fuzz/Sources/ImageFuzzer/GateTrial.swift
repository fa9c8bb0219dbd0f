import NBDProtocol

/// A gate between a stranger and a disk's server: the stranger's handshake, what the gate asks the server when a name is looked
/// up, and what it agrees on with it in the end. The first byte says into what pieces the rest is cut, whether TLS is wanted,
/// and whose bytes they are: the client's, with a server that keeps to the protocol, or that server's.
enum GateTrial {
    private static let export: ExportDescription = {
        var export = ExportDescription(
            name: "disk", size: 1 << 30, flags: [.hasFlags, .readOnly, .flush, .multipleConnections])
        export.bitmaps = ["cbt", "other"]
        return export
    }()

    static func run(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let piece = Int(first >> 2) + 1
        let bytes = input.dropFirst()
        if first & 1 == 0 {
            client(bytes, piece, first & 2 == 0 ? .offered : .required)
        } else {
            server(bytes, piece, isDescribed: first & 2 == 0)
        }
    }

    private static func client(_ bytes: ArraySlice<UInt8>, _ piece: Int, _ encryption: ServerHandshake.Encryption) {
        var handshake = ServerHandshake(lookingUpWith: encryption)
        var described: ExportDescription?
        var (position, answers) = (bytes.startIndex, 0)
        while position < bytes.endIndex {
            let end = min(position + piece, bytes.endIndex)
            var effects = handshake.receive(bytes[position..<end])[...]
            position = end
            while let effect = effects.popFirst() {
                answers += 1
                switch effect {
                case .send: break
                case .close: return
                case .startTLS: handshake.secured()
                case .lookUp(let name):
                    // Some names there are, others not, and the last of two is the one that counts.
                    guard name.utf8.count % 4 != 3 else {
                        described = nil
                        effects += handshake.refused("there is no such disk")
                        continue
                    }
                    var asked = UpstreamHandshake(describing: "disk")
                    // A crash is how a fuzz target reports what must not happen, whatever the stranger sent.
                    guard case .described(let description) = negotiate(&asked).last, description.size == export.size,
                        description.bitmaps == export.bitmaps
                    else { fatalError("a server of ours is not understood") }
                    described = description
                    effects += handshake.found(description)
                case .transmit(let agreement):
                    // The same: the gate has let a stranger through to a disk that nobody looked up.
                    guard let described else { fatalError("something is agreed on of no disk") }
                    var upstream = UpstreamHandshake(name: "disk", like: agreement, of: described)
                    let (last, agreed) = negotiate(&upstream)
                    precondition(last == .transmit, "the server refuses what it offered")
                    precondition(agreed == agreement, "both sides agreed on something else")
                    return
                }
            }
        }
        precondition(answers <= 64 * (bytes.count + 1), "a few bytes make too many answers")
    }

    /// With a server that keeps to the protocol: the last effect, and what that server takes for agreed on.
    private static func negotiate(
        _ upstream: inout UpstreamHandshake
    ) -> (last: UpstreamHandshake.Effect?, agreed: ServerHandshake.Agreement?) {
        var server = ServerHandshake(exports: [export])
        var (words, agreed) = (server.greeting, ServerHandshake.Agreement?.none)
        while !words.isEmpty {
            let heard = words
            words = []
            for effect in upstream.receive(heard) {
                guard case .send(let message) = effect else { return (effect, agreed) }
                for answer in server.receive(message) {
                    if case .send(let more) = answer { words += more }
                    if case .transmit(let agreement) = answer { agreed = agreement }
                }
            }
        }
        return (nil, agreed)
    }

    private static func server(_ bytes: ArraySlice<UInt8>, _ piece: Int, isDescribed: Bool) {
        let agreement = ServerHandshake.Agreement(
            export: 0, structuredReplies: true, allocationContext: true, bitmaps: [0, 1])
        var upstream =
            isDescribed
            ? UpstreamHandshake(describing: "disk") : UpstreamHandshake(name: "disk", like: agreement, of: export)
        var (position, answers) = (bytes.startIndex, 0)
        while position < bytes.endIndex {
            let end = min(position + piece, bytes.endIndex)
            for effect in upstream.receive(bytes[position..<end]) {
                answers += 1
                switch effect {
                case .send: break
                case .fail: return
                case .transmit:
                    precondition(!isDescribed, "who asks only what an export is goes no further")
                    return
                case .described(let description):
                    precondition(isDescribed && description.bitmaps.count <= NBDLimits.bitmaps)
                    return
                }
            }
            position = end
        }
        precondition(answers <= 64 * (bytes.count + 1), "a few bytes make too many answers")
    }
}
