import BlockIO
import CLinux
import Glibc
import NBDProtocol
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// Servers that break the protocol lose their connection: every caller gets an error, and nobody waits, trusts a byte that did
/// not come, or keeps more and more.
struct HostileServerTests {
    struct Reply: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let command: UInt16
        let bytes: @Sendable (NBDRequest) -> [UInt8]

        init(_ text: String, _ command: UInt16 = NBDCommand.read, _ bytes: @escaping @Sendable (NBDRequest) -> [UInt8])
        {
            testDescription = text
            self.command = command
            self.bytes = bytes
        }
    }

    private typealias S = FakeServer

    /// Requests are of 8192 bytes at 4096.
    static let replies: [Reply] = [
        Reply("no magic number") { _ in [UInt8](repeating: 0x55, count: 64) },
        Reply("another request's simple reply") { S.simple($0.handle &+ 256) },
        Reply("a reply to no slot") { S.simple($0.handle | 0xFF) },
        Reply("a simple reply to a read") { S.simple($0.handle) + [UInt8](repeating: 1, count: 8192) },
        Reply("another request's chunk") { S.chunk($0.handle &+ 256, ChunkType.none) },
        Reply("an unknown chunk") { S.chunk($0.handle, 77) },
        Reply("an empty chunk with data") { S.chunk($0.handle, ChunkType.none, [1]) },
        Reply("an empty chunk that is not the last") { S.chunk($0.handle, ChunkType.none, isLast: false) },
        Reply("nothing at all") { S.chunk($0.handle, ChunkType.none) },
        Reply("one half only") { S.data($0, at: 4096, 4096, isLast: true) },
        Reply("one half twice") { S.data($0, at: 4096, 4096) + S.data($0, at: 4096, 4096, isLast: true) },
        Reply("overlapping data") { S.data($0, at: 4096, 6000) + S.data($0, at: 8192, 4096, isLast: true) },
        Reply("a hole over data") { S.data($0, at: 4096, 8192) + S.hole($0, at: 4096, 512, isLast: true) },
        Reply("data over a hole") { S.hole($0, at: 8192, 4096) + S.data($0, at: 4096, 4097, isLast: true) },
        Reply("data before the request") { S.data($0, at: 4095, 8192, isLast: true) },
        Reply("data behind the request") { S.data($0, at: 12288, 1, isLast: true) },
        Reply("data at the end of the world") { S.data($0, at: .max, 1, isLast: true) },
        Reply("more data than asked for") { S.data($0, at: 4096, 8193, isLast: true) },
        Reply("data of 4 GiB") {
            S.chunk($0.handle, ChunkType.offsetData, S.number(4096 as UInt64), length: .max)
        },
        Reply("a chunk of data without data") { S.data($0, at: 4096, 0) },
        Reply("a chunk of data without an offset") { S.chunk($0.handle, ChunkType.offsetData, [1, 2, 3]) },
        Reply("holes without length") { request in
            (0..<64).flatMap { _ in S.hole(request, at: 4096, 0) }
        },
        Reply("a hole of 4 GiB") { S.hole($0, at: 4096, .max, isLast: true) },
        Reply("a hole of the wrong form") { S.chunk($0.handle, ChunkType.offsetHole, S.number(4096 as UInt64)) },
        Reply("a block status for a read") { S.status($0, [(8192, 0)]) },
        Reply("errors without end") { request in
            (0..<1100).flatMap { _ in S.failure(request, text: 3, isLast: false) }
        },
        Reply("an error without a number") { S.chunk($0.handle, ChunkType.error, [0, 0]) },
        Reply("an error text longer than its chunk") { S.failure($0, text: 10, claimed: 11) },
        Reply("an error text of 60,000 bytes") { S.failure($0, text: 60_000) },
        Reply("an error chunk of 4 GiB") { S.chunk($0.handle, ChunkType.error, [0, 0, 0, 5, 0, 0], length: .max) },
        Reply("an answer twice") { S.data($0, at: 4096, 8192, isLast: true) + S.chunk($0.handle, ChunkType.none) },
        Reply("data for a flush", NBDCommand.flush) { S.data($0, at: 0, 1, isLast: true) },
        Reply("a block status for a flush", NBDCommand.flush) { S.status($0, [(1, 0)]) },
        Reply("data for a write", NBDCommand.write) { S.data($0, at: 4096, 1, isLast: true) },
        Reply("no block status", NBDCommand.blockStatus) { S.chunk($0.handle, ChunkType.none) },
        Reply("a simple reply to a block status", NBDCommand.blockStatus) { S.simple($0.handle) },
        Reply("a block status of no extents", NBDCommand.blockStatus) { S.status($0, []) },
        Reply("a block status of another context", NBDCommand.blockStatus) { S.status($0, [(8192, 0)], context: 9) },
        Reply("an extent without length", NBDCommand.blockStatus) { S.status($0, [(4096, 0), (0, 0)]) },
        Reply("a block status that is cut", NBDCommand.blockStatus) {
            S.chunk($0.handle, ChunkType.blockStatus, S.number(MetaContext.allocationIdentifier) + [1, 2, 3])
        },
        Reply("a block status without end", NBDCommand.blockStatus) { request in
            (0..<64).flatMap { _ in S.status(request, [(4096, 0), (4096, 3)], isLast: false) }
        },
        Reply("a block status of 4 GiB", NBDCommand.blockStatus) {
            S.chunk(
                $0.handle, ChunkType.blockStatus, S.number(MetaContext.allocationIdentifier), length: .max - 3)
        },
    ]

    @Test(arguments: replies) func aServerThatBreaksTheProtocolIsLost(reply: Reply) throws {
        let server = try FakeServer { request, send in _ = send(reply.bytes(request)) }
        let client = try NBDClient.connect(unixSocket: server.path)
        let isAnsweredFirst = reply.testDescription == "an answer twice"
        do {
            switch reply.command {
            case NBDCommand.read: _ = try client.bytes(at: 4096, 8192)
            case NBDCommand.write: try client.put([UInt8](repeating: 1, count: 8192), at: 4096)
            case NBDCommand.blockStatus: _ = try client.extents(at: 4096, length: 8192)
            default: try client.flush()
            }
            #expect(isAnsweredFirst)
        } catch {
            #expect(error.code == .disconnected)
        }
        // Nobody waits for such a server any more.
        #expect { try client.flush() } throws: { ($0 as? BlockError)?.code == .disconnected }
        #expect(client.isLost)
        try? client.close()
    }

    @Test func piecesInAnyOrderMakeARead() throws {
        let server = try FakeServer { request, send in
            _ = send(
                S.hole(request, at: 8192, 4096) + S.data(request, at: 4097, 4095)
                    + S.data(request, at: 4096, 1, isLast: true))
        }
        let client = try NBDClient.connect(unixSocket: server.path)
        #expect(
            try client.bytes(at: 4096, 8192)
                == [UInt8](repeating: 7, count: 4096) + [UInt8](repeating: 0, count: 4096))
        try? client.close()
    }

    /// A byte now and then is no silence, and no answer.
    @Test func aReadThatNeverEndsIsGivenUp() throws {
        let hasEnded = Atomic<Bool>(false)
        let server = try FakeServer { request, send in
            for index in 0..<UInt64(request.length) {
                if !send(S.hole(request, at: request.offset + index, 1)) { break }
                usleep(2000)
            }
            hasEnded.store(true, ordering: .relaxed)
        }
        let client = try NBDClient(NBDEndpoint(unixSocket: server.path), answerSeconds: 0.02)
        #expect { try client.bytes(at: 0, 1 << 20) } throws: { ($0 as? BlockError)?.code == .disconnected }
        #expect(client.isLost)
        try? client.close()
        while !hasEnded.load(ordering: .relaxed) { usleep(1000) }
    }

    @Test func coverageTakesEachByteOnce() {
        var coverage = ReadCoverage(length: 100)
        #expect(coverage.add(0, 0) == .empty)
        #expect(coverage.add(0, 101) == .outside && coverage.add(101, 1) == .outside)
        #expect(coverage.add(.max, 1) == .outside && coverage.add(1, .max) == .outside)
        #expect(coverage.add(50, 10) == .taken)
        for (offset, count) in [(50, 1), (59, 1), (49, 2), (40, 30), (0, 100)] as [(UInt64, UInt64)] {
            #expect(coverage.add(offset, count) == .overlapping)
        }
        #expect(coverage.add(70, 10) == .taken && coverage.add(60, 10) == .taken)
        #expect(coverage.add(79, 1) == .overlapping && coverage.add(40, 10) == .taken)
        #expect(coverage.add(0, 40) == .taken && !coverage.isComplete)
        #expect(coverage.add(39, 1) == .overlapping)
        #expect(coverage.add(80, 20) == .taken && coverage.isComplete)
        #expect(ReadCoverage(length: 0).isComplete)
    }

    @Test func coverageOfScatteredBytesIsBounded() {
        var coverage = ReadCoverage(length: NBDLimits.payload)
        for index in 0..<UInt64(ReadCoverage.mostRuns) { #expect(coverage.add(2 * index + 1, 1) == .taken) }
        let before = coverage
        #expect(coverage.add(2 * UInt64(ReadCoverage.mostRuns) + 1, 1) == .scattered)
        #expect(coverage == before)
        for index in 0..<UInt64(ReadCoverage.mostRuns) { #expect(coverage.add(2 * index, 1) == .taken) }
        #expect(coverage.add(2 * UInt64(ReadCoverage.mostRuns) + 1, 1) == .taken)
    }

    /// Random chunks against an array of bytes.
    @Test func coverageIsWhatAnArraySays() {
        var random = SeededRandom.printed()
        for _ in 0..<200 {
            var coverage = ReadCoverage(length: 64)
            var model = [Bool](repeating: false, count: 64)
            while !coverage.isComplete {
                let offset = Int.random(in: 0..<64, using: &random)
                let count = Int.random(in: 1...8, using: &random)
                let verdict = coverage.add(UInt64(offset), UInt64(count))
                if offset + count > 64 {
                    #expect(verdict == .outside)
                } else if model[offset..<offset + count].contains(true) {
                    #expect(verdict == .overlapping)
                } else {
                    #expect(verdict == .taken)
                    for index in offset..<offset + count { model[index] = true }
                }
                #expect(coverage.isComplete == !model.contains(false))
            }
        }
    }
}
