import BlockIO
import NBDProtocol
import NBDTransport
import TestSupport
import Testing

/// Each field of each message gets each value that a careless reader trips over, in each state that its connection can be in.
struct HostileFieldsTests {
    private static let exports = [
        ExportDescription(name: "first", size: 1 << 30, flags: [.hasFlags, .flush]),
        ExportDescription(name: "disk", text: "a disk", size: 1 << 20, flags: [.hasFlags, .readOnly]),
    ]

    /// What both sides say in a handshake that goes well.
    private func conversation() throws -> (client: [UInt8], server: [UInt8]) {
        var server = ServerHandshake(exports: Self.exports)
        var client = ClientHandshake(exportName: "disk")
        var said: (client: [UInt8], server: [UInt8]) = ([], server.greeting)
        var answer = server.greeting
        while !answer.isEmpty {
            var words: [UInt8] = []
            for case .send(let bytes) in client.receive(answer) { words += bytes }
            said.client += words
            answer = []
            for case .send(let bytes) in server.receive(words) { answer += bytes }
            said.server += answer
        }
        return said
    }

    /// `bytes` with every one of them changed in turn, alone and as the begin of a field of 2, 4 and 8 bytes, and cut there.
    private func spoilt(_ bytes: [UInt8], from start: Int = 0, _ body: ([UInt8]) throws -> Void) rethrows {
        for place in start..<bytes.count {
            try body(Array(bytes[..<place]))
            for (value, width) in [
                (bytes[place] ^ 1, 1), (0, 1), (0x7F, 1), (0xFF, 1), (0xFF, 2), (0xFF, 4), (0xFF, 8), (0, 8), (0x80, 1),
            ] where place + width <= bytes.count {
                var changed = bytes
                for index in place..<place + width { changed[index] = value }
                try body(changed)
            }
        }
    }

    @Test func everyByteOfAClientsHandshakeMayBeWrong() throws {
        let good = try conversation().client
        var cases = 0
        spoilt(good) { bytes in
            var server = ServerHandshake(exports: Self.exports)
            let effects = server.receive(bytes + [UInt8](repeating: 0, count: 64))
            var answered = 0
            for (index, effect) in effects.enumerated() {
                switch effect {
                case .send(let reply): answered += reply.count
                case .transmit(let agreement):
                    #expect(Self.exports.indices.contains(agreement.export))
                    #expect(agreement.structuredReplies || !agreement.allocationContext)
                    #expect(index == effects.count - 1)
                case .close, .startTLS, .lookUp: #expect(index == effects.count - 1)
                }
            }
            #expect(answered < 4096)
            cases += 1
        }
        #expect(cases > 500)
    }

    @Test func everyByteOfAServersHandshakeMayBeWrong() throws {
        let good = try conversation().server
        var agreed = 0
        spoilt(good) { bytes in
            var client = ClientHandshake(exportName: "disk")
            var effects = client.receive(bytes)
            if case .send? = effects.last { effects += client.receive([UInt8](repeating: 0, count: 64)) }
            for effect in effects.dropLast() {
                if case .send = effect { continue }
                Issue.record("something follows \(effect)")
            }
            guard case .transmit(let agreement)? = effects.last else { return }
            agreed += 1
            let export = agreement.export
            #expect(export.minimumBlock > 0 && export.minimumBlock.nonzeroBitCount == 1)
            #expect(export.minimumBlock <= export.maximumBlock)
            #expect(agreement.structuredReplies || agreement.allocationContext == nil)
        }
        #expect(agreed > 0)
    }

    private static let flags: [UInt8] = [0, 0, 0, 3]
    private static let context: [UInt8] = {
        var data: [UInt8] = []
        data.appendBig(4 as UInt32)
        data += Array("disk".utf8)
        data.appendBig(1 as UInt32)
        data.appendBig(15 as UInt32)
        return data + Array("base:allocation".utf8)
    }()

    /// What a client said before; all of it is answered, as many bytes as are given here, before it goes on.
    private static let states: [(said: [UInt8], answers: Int)] = [
        (flags + RawPeer.option(NBDOption.exportName, Array("disk".utf8)), 18 + 10),
        (
            flags + RawPeer.option(NBDOption.structuredReply)
                + RawPeer.option(NBDOption.setMetaContext, context)
                + RawPeer.option(NBDOption.exportName, Array("disk".utf8)), 18 + 20 + 39 + 20 + 10
        ),
    ]

    /// Requests with every field at its limits, after each kind of agreement, a good request before and one behind them.
    @Test(arguments: 0..<2) func everyFieldOfEveryRequestMayBeWrong(state: Int) throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let good = try served.connect()
        try good.put([1, 2, 3], at: 5)
        let (said, answers) = Self.states[state]
        for command in 0...8 as ClosedRange<UInt16> {
            let payload = [UInt8](repeating: 7, count: command == 1 ? 512 : 0)
            let request = RawPeer.request(command, offset: 65_536, length: 512) + payload
            var streams: [[UInt8]] = []
            for (place, width) in [(0, 4), (4, 2), (6, 2), (8, 8), (16, 8), (24, 4)] {
                for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                    var changed = request
                    for index in place..<place + width { changed[index] = value == 1 ? 0 : value }
                    if value == 1 { changed[place + width - 1] = 1 }
                    // What guests' bytes are is nobody's concern here: those of `good` must stay.
                    if place == 16, value < 0x7F, [1, 4, 6].contains(command) { continue }
                    streams.append(changed)
                }
            }
            for cut in stride(from: 1, to: request.count, by: 9) { streams.append(Array(request[..<cut])) }
            for stream in streams {
                let peer = try RawPeer(served.path)
                #expect(peer.send(said))
                #expect(peer.receive(answers) != nil)
                peer.send(RawPeer.request(3, handle: 1) + stream + RawPeer.request(3, handle: 2))
                peer.endSending()
                // It ends; what it did to its own disk is its own affair.
                peer.drain()
            }
        }
        #expect(try good.bytes(at: 5, 3) == [1, 2, 3])
        try good.close()
    }
}
