import BlockIO
import NBDProtocol
import NBDTransport
import TestSupport
import Testing

/// What has brought down other NBD servers: long names, long options, long error texts, and clients that are in the
/// handshake when the server stops (CVE-2017-15118, CVE-2017-15119, CVE-2020-10761, CVE-2024-7409).
struct KnownWeaknessTests {
    /// The type and the data of the next option reply; nil when the server has closed.
    private func reply(_ peer: RawPeer) -> (type: UInt32, data: [UInt8])? {
        guard let head = peer.receive(20) else { return nil }
        let numbers = head[12...].map { UInt32($0) }
        let type = numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]
        let length = Int(numbers[4] << 24 | numbers[5] << 16 | numbers[6] << 8 | numbers[7])
        guard length > 0 else { return (type, []) }
        return peer.receive(length).map { (type, $0) }
    }

    private func greeted(_ served: Served) throws -> RawPeer {
        let peer = try RawPeer(served.path)
        #expect(peer.receive(18) != nil)
        var flags: [UInt8] = []
        flags.appendBig(3 as UInt32)
        #expect(peer.send(flags))
        return peer
    }

    private func named(_ name: [UInt8]) -> [UInt8] {
        var data: [UInt8] = []
        data.appendBig(UInt32(name.count))
        data += name
        data.appendBig(0 as UInt16)
        return data
    }

    @Test(
        "a name of any length is refused in a short answer, or ends its own connection",
        arguments: [255, 256, 257, 1024, 4095, 4096, 4097, 60_000])
    func namesOfAnyLengthAreRefusedShortly(length: Int) throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        // Also three bytes a letter: a name's limit is in bytes, and a cut inside a letter is none of ours.
        let letters = Array(repeatElement("€", count: length / 3).joined().utf8)
        for name in [[UInt8](repeating: 0x61, count: length), letters] {
            let peer = try greeted(served)
            for option in [NBDOption.info, NBDOption.go] {
                #expect(peer.send(RawPeer.option(option, named(name))))
                let answer = try #require(reply(peer))
                #expect(answer.type == (name.count > NBDLimits.name ? OptionReply.tooBig : OptionReply.unknown))
                #expect(answer.data.count <= NBDLimits.name)
            }
            // The connection goes on, and ends with the option that has no other answer.
            #expect(peer.send(RawPeer.option(NBDOption.exportName, name)))
            #expect(peer.receive(1) == nil)
        }
        try served.connect().close()
    }

    @Test func optionsOf32MiBCostNoMemoryAndNoOtherConnection() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let options = [
            NBDOption.exportName, NBDOption.list, NBDOption.info, NBDOption.go, NBDOption.setMetaContext, 99,
        ]
        for option in options {
            let peer = try greeted(served)
            #expect(peer.send(RawPeer.option(option, length: 32 << 20)))
            let data = [UInt8](repeating: 0x61, count: 1 << 20)
            for _ in 0..<32 where !peer.send(data) { break }
            peer.endSending()
            peer.drain()
        }
        // The longest that is read past: then comes an answer, and the connection goes on.
        let peer = try greeted(served)
        #expect(peer.send(RawPeer.option(NBDOption.go, [UInt8](repeating: 0x61, count: NBDLimits.drainedOptionData))))
        #expect(try #require(reply(peer)).type == OptionReply.tooBig)
        #expect(peer.send(RawPeer.option(NBDOption.abort)))
        #expect(try #require(reply(peer)).type == OptionReply.ack)
        try served.connect().close()
    }

    @Test func clientsInTheHandshakeAreLetGoWhenTheServerStops() throws {
        for round in 0..<20 {
            let served = try Served(MemoryDevice(size: 1 << 20))
            let go = RawPeer.option(NBDOption.go, named(Array("disk".utf8)))
            var peers: [RawPeer] = []
            for index in 0..<12 {
                let peer = index % 4 == 0 ? try RawPeer(served.path) : try greeted(served)
                // Nothing, a part of an option, a whole one without reading its answer, and one that is under way.
                if index % 4 == 1 { peer.send(Array(go.prefix(7 + round))) }
                if index % 4 == 2 { peer.send(go) }
                peers.append(peer)
            }
            let server = served.server
            let stopping = WorkerThread("stop") { server.stop() }
            for index in peers.indices where index % 4 == 3 { peers[index].send(go) }
            stopping.join()
            #expect(served.server.connectionCount == 0)
            for peer in peers { peer.drain() }
        }
    }
}
