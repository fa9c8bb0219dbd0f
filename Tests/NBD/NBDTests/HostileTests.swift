import BlockIO
import Glibc
import NBDProtocol
import NBDTransport
import TestSupport
import Testing

/// Clients that break the protocol end their own connection and nothing else.
struct HostileTests {
    private static func flags(_ value: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBig(value)
        return bytes
    }

    private static func strings(_ parts: [Any]) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in parts {
            if let number = part as? UInt32 { bytes.appendBig(number) }
            if let text = part as? String { bytes += Array(text.utf8) }
        }
        return bytes
    }

    static let handshakes: [[UInt8]] = [
        [],
        flags(0xFFFF_FFFF),
        flags(3) + [UInt8](repeating: 0x41, count: 100),
        flags(3) + RawPeer.option(99, length: .max),
        flags(3) + RawPeer.option(99, [UInt8](repeating: 1, count: 70_000))
            + RawPeer.option(NBDOption.go, length: 1 << 21),
        flags(3) + RawPeer.option(NBDOption.exportName, [UInt8](repeating: 0x61, count: 60_000)),
        flags(3) + RawPeer.option(NBDOption.go, strings([UInt32.max, "x"])) + RawPeer.option(NBDOption.abort),
        flags(3) + RawPeer.option(NBDOption.go, strings([UInt32(2), "x"])) + RawPeer.option(NBDOption.abort),
        flags(3) + RawPeer.option(NBDOption.structuredReply)
            + RawPeer.option(NBDOption.setMetaContext, strings([UInt32(0), UInt32.max, UInt32(1), "x"]))
            + RawPeer.option(NBDOption.abort),
        flags(3) + RawPeer.option(NBDOption.startTLS) + RawPeer.option(NBDOption.list, [1])
            + RawPeer.option(NBDOption.abort),
        flags(3) + (0..<3000).flatMap { _ in RawPeer.option(NBDOption.list) },
    ]

    static let requests: [[UInt8]] = [
        RawPeer.request(0, magic: 0x1234_5678),
        RawPeer.request(1, length: .max) + [1, 2, 3],
        RawPeer.request(1, length: 100_000) + [1, 2, 3],
        RawPeer.request(1, length: 100) + [1, 2, 3],
        RawPeer.request(0, length: 5).dropLast(),
        (0..<2000).flatMap { RawPeer.request(0, handle: UInt64($0), length: 1 << 20) },
        (0..<2000).flatMap { RawPeer.request(3, handle: UInt64($0)) },
    ]

    @Test func brokenHandshakesAndRequestsLeaveOthersAlone() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let good = try served.connect()
        for bytes in Self.handshakes {
            let peer = try RawPeer(served.path)
            peer.send(bytes)
            peer.endSending()
            peer.drain()
            try good.put([1, 2, 3], at: 5)
        }
        for bytes in Self.requests {
            // Once leaving at once with answers unread, once reading them all.
            for reads in [false, true] {
                let peer = try RawPeer(served.path)
                #expect(peer.enter())
                let sender = reads ? peer : nil
                if let sender, bytes.count < 10_000 {
                    sender.send(bytes)
                    sender.endSending()
                    sender.drain()
                } else {
                    peer.send(Array(bytes.prefix(2800)))
                }
            }
            #expect(try good.bytes(at: 5, 3) == [1, 2, 3])
        }
        try good.close()
    }

    @Test func randomBytesLeaveOthersAlone() throws {
        var random = SeededRandom.printed()
        let served = try Served(MemoryDevice(size: 1 << 20))
        let good = try served.connect()
        for round in 0..<60 {
            let peer = try RawPeer(served.path)
            if round % 3 == 1 { #expect(peer.enter()) }
            if round % 3 == 2 { peer.send(Self.flags(3)) }
            var bytes = random.bytes(Int.random(in: 1...2000, using: &random))
            if round % 3 == 2 {
                // Well-formed heads with random content inside.
                bytes = (0..<20).flatMap { _ in
                    RawPeer.option(
                        UInt32.random(in: 0...12, using: &random),
                        random.bytes(Int.random(in: 0...40, using: &random)))
                }
            } else if round % 3 == 1, round % 2 == 0 {
                bytes = (0..<40).flatMap { _ in
                    RawPeer.request(
                        UInt16.random(in: 3...300, using: &random), flags: UInt16.random(in: 0...40, using: &random),
                        offset: random.next(), length: UInt32(truncatingIfNeeded: random.next()))
                }
            }
            peer.send(bytes)
            peer.endSending()
            peer.drain()
        }
        #expect(try good.bytes(at: 0, 8192) == [UInt8](repeating: 0, count: 8192))
        try good.close()
    }

    @Test func badRequestsAreAnsweredAndTheConnectionGoesOn() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let peer = try RawPeer(served.path)
        #expect(peer.enter())
        let tooLong = NBDLimits.payload + 512
        let cases: [([UInt8], UInt32)] = [
            (RawPeer.request(77), NBDErrno.invalid),
            (RawPeer.request(0, flags: 0x8000, length: 512), NBDErrno.invalid),
            (RawPeer.request(0, length: tooLong), NBDErrno.invalid),
            (RawPeer.request(0, offset: (1 << 20) - 1, length: 2), NBDErrno.invalid),
            (RawPeer.request(0, offset: .max, length: 2), NBDErrno.invalid),
            (RawPeer.request(4, offset: .max, length: 2), NBDErrno.invalid),
            (RawPeer.request(6, offset: 1 << 20, length: 1), NBDErrno.noSpace),
            (RawPeer.request(7, length: 512), NBDErrno.invalid),
            (RawPeer.request(1, offset: 1 << 20, length: 4) + [1, 2, 3, 4], NBDErrno.noSpace),
            (RawPeer.request(1, length: tooLong) + [UInt8](repeating: 1, count: Int(tooLong)), NBDErrno.invalid),
            (RawPeer.request(5, length: 512), 0),
            (RawPeer.request(3), 0),
        ]
        for (bytes, error) in cases {
            #expect(peer.send(bytes))
            #expect(peer.receiveError() == error)
        }
        peer.send(RawPeer.request(2))
        #expect(peer.receive(1) == nil)
    }

    @Test func clientsThatVanishWithRequestsInFlightLeakNothing() throws {
        let served = try Served(MemoryDevice(size: 4 << 20))
        let cycles = 200
        let before = try openDescriptors()
        for cycle in 0..<cycles {
            if cycle % 2 == 0 {
                let peer = try RawPeer(served.path)
                #expect(peer.enter())
                peer.send((0..<8).flatMap { RawPeer.request($0 % 2 == 0 ? 0 : 3, handle: UInt64($0), length: 1 << 20) })
            } else {
                let client = try served.connect()
                try client.put([1], at: 0)
                try client.close()
            }
        }
        served.server.stop()
        #expect(served.server.connectionCount == 0)
        // Other tests of this process open descriptors too; a leak of ours would be of `cycles`.
        #expect(try openDescriptors() < before + cycles / 2)
        let sockets = try Tool.check("cat", ["/proc/net/unix"])
        #expect(!sockets.contains(served.path))
    }

    private func openDescriptors() throws -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { throw BlockError(call: "opendir", errno: errno) }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}
