import NBDProtocol
import TestSupport
import Testing

struct HandshakeTests {
    private static let exports = [
        ExportDescription(name: "first", text: "a disk", size: 1 << 30, flags: [.hasFlags, .flush]),
        ExportDescription(name: "second", size: 512, flags: [.hasFlags, .readOnly], minimumBlock: 512),
    ]

    /// Lets both sides talk, in pieces of `piece` bytes; returns what each says at the end.
    private func talk(
        _ name: String, piece: Int
    ) -> (server: ServerHandshake.Agreement?, client: ClientHandshake.Effect?) {
        var server = ServerHandshake(exports: Self.exports)
        var client = ClientHandshake(exportName: name)
        var toClient = server.greeting
        var toServer: [UInt8] = []
        var serverEnd: ServerHandshake.Agreement?
        while !toClient.isEmpty || !toServer.isEmpty {
            let part = Array(toClient.prefix(piece))
            toClient.removeFirst(part.count)
            for effect in client.receive(part) {
                if case .send(let bytes) = effect { toServer += bytes } else { return (serverEnd, effect) }
            }
            let answer = Array(toServer.prefix(piece))
            toServer.removeFirst(answer.count)
            for effect in server.receive(answer) {
                switch effect {
                case .send(let bytes): toClient += bytes
                case .transmit(let agreement): serverEnd = agreement
                case .close, .startTLS, .lookUp: break
                }
            }
        }
        return (serverEnd, nil)
    }

    @Test(arguments: [1, 7, 4096]) func bothSidesAgreeHoweverTheBytesAreCut(piece: Int) {
        let (server, client) = talk("second", piece: piece)
        #expect(server == .init(export: 1, structuredReplies: true, allocationContext: true))
        var export = Self.exports[1]
        export.flags.insert(.dontFragment)
        #expect(
            client
                == .transmit(
                    .init(
                        export: export, structuredReplies: true,
                        allocationContext: MetaContext.allocationIdentifier)))
        guard case .fail(.unknownExport, _) = talk("third", piece: piece).client else {
            Issue.record("an unknown export was not refused")
            return
        }
    }

    /// The 32-bit reply types the server gives to some options, with the client's flags sent before.
    private func replies(_ options: [(UInt32, [UInt8])]) -> [UInt32] {
        var server = ServerHandshake(exports: Self.exports)
        var bytes: [UInt8] = []
        bytes.appendBig(3 as UInt32)
        for (option, data) in options {
            bytes.appendBig(NBDMagic.option)
            bytes.appendBig(option)
            bytes.appendBig(UInt32(data.count))
            bytes += data
        }
        return server.receive(bytes).compactMap { effect in
            guard case .send(let reply) = effect, reply.count >= 20 else { return nil }
            return reply[12..<16].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    private func context(_ export: String, _ queries: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBig(UInt32(export.utf8.count))
        bytes += Array(export.utf8)
        bytes.appendBig(UInt32(queries.count))
        for query in queries {
            bytes.appendBig(UInt32(query.utf8.count))
            bytes += Array(query.utf8)
        }
        return bytes
    }

    @Test func optionsAreAnsweredAsTheProtocolSays() {
        let ack = OptionReply.ack
        #expect(replies([(NBDOption.list, [])]) == [OptionReply.server, OptionReply.server, ack])
        #expect(replies([(NBDOption.list, [0])]) == [OptionReply.invalid])
        #expect(replies([(NBDOption.startTLS, []), (200, [1])]) == [OptionReply.policy, OptionReply.unsupported])
        #expect(replies([(NBDOption.setMetaContext, context("first", ["base:allocation"]))]) == [OptionReply.invalid])
        let structured = (NBDOption.structuredReply, [UInt8]())
        #expect(
            replies([structured, (NBDOption.listMetaContext, context("", []))]) == [ack, OptionReply.metaContext, ack])
        #expect(
            replies([structured, (NBDOption.listMetaContext, context("", ["base:", "other:"]))])
                == [ack, OptionReply.metaContext, ack])
        #expect(replies([structured, (NBDOption.setMetaContext, context("", ["base:"]))]) == [ack, ack])
        #expect(
            replies([structured, (NBDOption.setMetaContext, context("none", ["base:allocation"]))])
                == [ack, OptionReply.unknown])
        #expect(replies([(NBDOption.go, [0, 0])]) == [OptionReply.invalid])
    }

    @Test func aContextChosenForAnotherExportDoesNotCount() {
        var server = ServerHandshake(exports: Self.exports)
        var bytes: [UInt8] = []
        bytes.appendBig(3 as UInt32)
        for (option, data) in [
            (NBDOption.structuredReply, []), (NBDOption.setMetaContext, context("second", ["base:allocation"])),
            (NBDOption.go, [0, 0, 0, 0, 0, 0]),
        ] {
            bytes.appendBig(NBDMagic.option)
            bytes.appendBig(option)
            bytes.appendBig(UInt32(data.count))
            bytes += data
        }
        let last = server.receive(bytes + [0x25]).last
        #expect(last == .transmit(.init(export: 0, structuredReplies: true, allocationContext: false)))
        #expect(server.unconsumed == [0x25])
    }

    @Test func garbageFromAServerFailsTheClientHandshake() {
        var random = SeededRandom.printed()
        for round in 0..<300 {
            var client = ClientHandshake(exportName: "x")
            var bytes = ServerHandshake(exports: Self.exports).greeting
            if round % 2 == 0 {
                for option in [8, 10, 7] as [UInt32] {
                    bytes.appendBig(NBDMagic.optionReply)
                    bytes.appendBig(option)
                    bytes.appendBig(UInt32.random(in: 1...4, using: &random))
                    bytes.appendBig(UInt32(20))
                    bytes += random.bytes(20)
                }
            }
            bytes += random.bytes(3000)
            let effects = client.receive(bytes)
            // Whatever happens, it ends: nothing but an agreement or a failure may come last.
            switch effects.last {
            case .fail, .transmit: break
            default: Issue.record("round \(round) did not end: \(effects)")
            }
        }
    }

    /// What both of our clients, the one that reads and writes and the gate's, make of an export's sizes.
    private func refusals(_ export: ExportDescription) -> [Bool] {
        let exports = [export]
        var (server, client) = (ServerHandshake(exports: exports), ClientHandshake(exportName: ""))
        var effects = client.receive(server.greeting)
        while case .send(let bytes)? = effects.first {
            effects.removeFirst()
            for case .send(let answer) in server.receive(bytes) { effects += client.receive(answer) }
        }
        let isRefused = if case .fail(.unsupported, _)? = effects.last { true } else { false }
        var gate = UpstreamHandshake(describing: "")
        server = ServerHandshake(exports: exports)
        var steps = gate.receive(server.greeting)
        while case .send(let bytes)? = steps.first {
            steps.removeFirst()
            for case .send(let answer) in server.receive(bytes) { steps += gate.receive(answer) }
        }
        let isRefusedByGate = if case .fail? = steps.last { true } else { false }
        return [isRefused, isRefusedByGate]
    }

    /// Sizes of requests with which some bytes could not be reached, or that are none. Source: "Block size constraints".
    @Test(
        arguments: [
            (0, 4096, 1 << 20, 1 << 20), (1536, 4096, 1 << 20, 1 << 20), (131072, 131072, 1 << 20, 1 << 20),
            (4096, 512, 1 << 20, 1 << 20), (512, 0, 1 << 20, 1 << 20), (512, 6000, 1 << 20, 1 << 20),
            (512, 4096, 0, 1 << 20), (512, 4096, 5000, 1 << 20), (4096, 4096, 512, 1 << 20), (512, 4096, 2048, 1 << 20),
            (4096, 4096, 1 << 20, (1 << 20) + 512), (65536, 65536, UInt32.max, 512),
        ] as [(UInt32, UInt32, UInt32, UInt64)])
    func sizesOfRequestsThatDoNotFitAreRefused(_ minimum: UInt32, _ best: UInt32, _ most: UInt32, _ size: UInt64) {
        let export = ExportDescription(
            name: "", size: size, flags: [.hasFlags], minimumBlock: minimum, preferredBlock: best, maximumBlock: most)
        #expect(refusals(export) == [true, true])
    }

    @Test(
        arguments: [
            (1, 512, 1 << 20, 512), (4096, 65536, UInt32.max, (1 << 20) + 4096), (65536, 65536, 65536, 1 << 20),
            // No request is larger than the export.
            (512, 4096, 2048, 2048), (4096, 1 << 20, 65536, 0),
        ] as [(UInt32, UInt32, UInt32, UInt64)])
    func sizesOfRequestsThatFitAreTaken(_ minimum: UInt32, _ best: UInt32, _ most: UInt32, _ size: UInt64) {
        let export = ExportDescription(
            name: "", size: size, flags: [.hasFlags], minimumBlock: minimum, preferredBlock: best, maximumBlock: most)
        #expect(refusals(export) == [false, false])
    }

    /// Places in such an export could not be added up.
    @Test(arguments: [UInt64.max, 1 << 63]) func anExportOfMoreThanOffsetsReachIsRefused(size: UInt64) {
        var server = ServerHandshake(exports: [ExportDescription(name: "", size: size, flags: [.hasFlags])])
        var client = ClientHandshake(exportName: "")
        var effects = client.receive(server.greeting)
        while case .send(let bytes)? = effects.first {
            effects.removeFirst()
            for case .send(let answer) in server.receive(bytes) { effects += client.receive(answer) }
        }
        guard case .fail(.malformed, _)? = effects.last else {
            Issue.record("it was taken: \(effects)")
            return
        }
    }
}
