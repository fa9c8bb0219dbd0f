import TestSupport
import Testing
import ZstdStreams

/// Streams that are compressed as they come.
@Suite struct ZstdStreamTests {
    /// What has come out of one stream, and what is still on its way.
    private struct Reader {
        let decoder: ZstdStreamDecoder
        var content: [UInt8] = []

        init() throws { decoder = try ZstdStreamDecoder() }

        /// Takes all of `coded` in pieces of up to `most` bytes, with room for up to `room` bytes of content at a time.
        mutating func take(_ coded: [UInt8], most: Int = .max, room: Int = 1 << 17) throws {
            var rest = coded[...]
            var buffer = [UInt8](repeating: 0, count: room)
            var isFull = false
            while !rest.isEmpty || isFull {
                let piece = Array(rest.prefix(most))
                let step = try unsafe piece.withUnsafeBytes { input in
                    try unsafe buffer.withUnsafeMutableBytes { try unsafe decoder.decode(input, into: $0) }
                }
                try #require(step.consumed <= piece.count && step.produced <= room)
                content += buffer[..<step.produced]
                rest = rest.dropFirst(step.consumed)
                isFull = step.produced == room
            }
        }
    }

    private static func coded(_ content: [UInt8], by encoder: ZstdStreamEncoder) throws -> [UInt8] {
        var coded: [UInt8] = []
        try unsafe content.withUnsafeBytes { bytes in
            try unsafe encoder.encode(bytes) { unsafe coded.append(contentsOf: $0) }
        }
        return coded
    }

    private static func end(of encoder: ZstdStreamEncoder) throws -> [UInt8] {
        var coded: [UInt8] = []
        try unsafe encoder.finish { unsafe coded.append(contentsOf: $0) }
        return coded
    }

    private static func whole(_ content: [UInt8]) throws -> [UInt8] {
        let encoder = try ZstdStreamEncoder()
        return try coded(content, by: encoder) + end(of: encoder)
    }

    /// Pages as a guest has them: empty ones, such as were there before, and such as nothing can be made of.
    private static func memory(_ pages: Int, _ random: inout SeededRandom) -> [UInt8] {
        var known: [[UInt8]] = [[UInt8](repeating: 0, count: 4096)]
        var all: [UInt8] = []
        for _ in 0..<pages {
            if Int.random(in: 0..<4, using: &random) == 0 { known.append(random.bytes(4096)) }
            all += known[Int.random(in: max(0, known.count - 8)..<known.count, using: &random)]
        }
        return all
    }

    /// Nobody who waits for an answer to what was sent waits for ever.
    @Test func allThatWasGivenIsOutWhateverThePieces() throws {
        var random = SeededRandom.printed()
        for _ in 0..<6 {
            let (encoder, content) = (try ZstdStreamEncoder(), Self.memory(400, &random))
            var (reader, sent, bytes) = (try Reader(), 0, 0)
            while sent < content.count {
                let longest = [1, 100, 40_000, 300_000][Int.random(in: 0..<4, using: &random)]
                let piece = Array(content[sent...].prefix(Int.random(in: 0...longest, using: &random)))
                let coded = try Self.coded(piece, by: encoder)
                sent += piece.count
                bytes += coded.count
                try reader.take(
                    coded, most: Int.random(in: 1...5000, using: &random),
                    room: Int.random(in: 1...200_000, using: &random))
                #expect(reader.content.count == sent && !reader.decoder.isComplete)
            }
            try reader.take(try Self.end(of: encoder))
            try reader.decoder.finish()
            #expect(reader.content == content)
            #expect(bytes < content.count / 2, "\(bytes) of \(content.count)")
        }
    }

    @Test func anEmptyStreamIsOneToo() throws {
        var reader = try Reader()
        try reader.take(try Self.whole([]))
        try reader.decoder.finish()
        #expect(reader.content == [])
    }

    private static func code(_ work: () throws -> Void) -> ZstdStreamError.Code? {
        do {
            try work()
        } catch {
            return (error as? ZstdStreamError)?.code
        }
        return nil
    }

    @Test func aStreamThatIsCutGivesWhatItHasAndIsNotWhole() throws {
        var random = SeededRandom.printed()
        let content = Self.memory(100, &random)
        let coded = try Self.whole(content)
        for count in [0, 1, 3, 4, 5, coded.count - 1]
            + (0..<50).map({ _ in Int.random(in: 0..<coded.count, using: &random) })
        {
            var reader = try Reader()
            try reader.take(Array(coded[..<count]))
            #expect(Self.code { try reader.decoder.finish() } == .truncated, "\(count)")
            #expect(content.starts(with: reader.content))
        }
    }

    @Test func whatIsNoStreamIsRefusedAtOnce() throws {
        var random = SeededRandom.printed()
        let good = try Self.whole(Self.memory(20, &random))
        let others: [[UInt8]] = [
            [0], Array("QEVM".utf8), [0x28, 0xB5, 0x2F, 0xFC], random.bytes(1000),
            // Skippable frames, and two formats of before the standard.
            [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0] + good, [0x25, 0xB5, 0x2F, 0xFD] + good,
            [0x27, 0xB5, 0x2F, 0xFD] + good,
            // A dictionary that nobody has, and a reserved block.
            [0x28, 0xB5, 0x2F, 0xFD, 0x21, 7, 9, 1, 0, 0], [0x28, 0xB5, 0x2F, 0xFD, 0, 0x50, 7, 0, 0],
        ]
        for other in others {
            for most in [1, 3, .max] {
                var reader = try Reader()
                #expect(Self.code { try reader.take(other, most: most) } == .damaged, "\(other.prefix(9))")
            }
        }
        for more in [[0], good, [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]] {
            for most in [1, .max] {
                var reader = try Reader()
                #expect(Self.code { try reader.take(good + more, most: most) } == .followed)
            }
        }
    }

    /// An error, or other content; nothing else.
    @Test func damageEndsTheStreamAndNothingElse() throws {
        var random = SeededRandom.printed()
        let good = try Self.whole(Self.memory(30, &random))
        for _ in 0..<1000 {
            var bad = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bad[Int.random(in: 0..<bad.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = try Reader()
            do {
                try reader.take(bad, most: Int.random(in: 1...4000, using: &random), room: 1 << 12)
                try reader.decoder.finish()
            } catch {
                #expect(error is ZstdStreamError)
            }
        }
    }

    /// A frame of one empty block, with a window of 2 to the power of `bits`.
    private static func frame(windowBits bits: UInt8) -> [UInt8] {
        [0x28, 0xB5, 0x2F, 0xFD, 0, (bits - 10) << 3, 1, 0, 0]
    }

    @Test func aWindowIsBounded() throws {
        for bits: UInt8 in [24, 27, 31, 41] {
            var reader = try Reader()
            #expect(Self.code { try reader.take(Self.frame(windowBits: bits)) } == .windowTooLarge, "\(bits)")
        }
        for bits: UInt8 in [10, 20, 23] {
            var reader = try Reader()
            try reader.take(Self.frame(windowBits: bits))
            try reader.decoder.finish()
        }
        #expect(ZstdStreamDecoder.largestWindow == 1 << 23)
    }

    /// Little can become much: it becomes so only as fast as it is taken.
    @Test func aBombWaitsForWhoeverTakesIt() throws {
        let decoder = try ZstdStreamDecoder()
        // 8192 blocks of 128 KiB of one byte each: a gibibyte.
        var bomb: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0, 0x50]
        for _ in 0..<8192 { bomb += [0x02, 0x00, 0x10, 0x55] }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var consumed = 0
        for _ in 0..<100 {
            let rest = Array(bomb[consumed...])
            let step = try unsafe rest.withUnsafeBytes { input in
                try unsafe buffer.withUnsafeMutableBytes { try unsafe decoder.decode(input, into: $0) }
            }
            #expect(step.produced <= buffer.count)
            consumed += step.consumed
        }
        #expect(consumed < 1000 && !decoder.isComplete)
    }
}
