import ZstdStreams

/// A guest's memory as a stranger sends it compressed. The first byte says in which pieces it comes and how much room there is
/// for what comes out; the rest is the stream.
///
/// Whatever comes, each step makes progress or is an error, nothing is written beyond the room that was given, and what is whole
/// is whole, and the same, in whatever pieces it came. The fuzzer limits the memory.
///
/// Its `fatalError`s are findings: a crash is how a fuzz target reports what must not happen.
enum MemoryCodingTrial {
    /// Bytes of content after which nobody reads on.
    private static let most = 4 << 20
    private static let margin: UInt8 = 0xA5

    private struct Outcome {
        var error: ZstdStreamError.Code?
        var count = 0
        /// FNV-1a of all content.
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        var isCut = false
    }

    static func run(_ input: [UInt8]) {
        guard let manner = input.first else { return }
        let stream = Array(input.dropFirst())
        let small = decode(stream, piece: 1 + Int(manner & 31) * 7, room: 1 + Int(manner >> 5) * 811)
        let large = decode(stream, piece: max(1, stream.count), room: 64 << 10)
        if small.isCut || large.isCut { return }
        guard (small.error == nil) == (large.error == nil) else {
            fatalError("the stream is whole in some pieces and not in others: \(small), \(large)")
        }
        if small.error == nil, small.count != large.count || small.digest != large.digest {
            fatalError("the content depends on the pieces that it comes in: \(small), \(large)")
        }
    }

    private static func decode(_ stream: [UInt8], piece: Int, room: Int) -> Outcome {
        var outcome = Outcome()
        var output = [UInt8](repeating: margin, count: room + 16)
        do {
            let decoder = try ZstdStreamDecoder()
            var position = 0
            var isFull = false
            while position < stream.count || isFull {
                let end = min(stream.count, position + piece)
                let (consumed, produced) = try stream.withUnsafeBytes { bytes in
                    try output.withUnsafeMutableBytes { room in
                        try decoder.decode(
                            UnsafeRawBufferPointer(rebasing: bytes[position..<end]),
                            into: UnsafeMutableRawBufferPointer(rebasing: room[..<(room.count - 16)]))
                    }
                }
                guard consumed >= 0, consumed <= end - position, produced >= 0, produced <= room else {
                    fatalError("\(consumed) of \(end - position) bytes became \(produced) in room for \(room)")
                }
                if output.suffix(16).contains(where: { $0 != margin }) { fatalError("written beyond the room") }
                if consumed == 0, produced == 0, end > position { fatalError("no progress and no error") }
                for byte in output.prefix(produced) {
                    outcome.digest = (outcome.digest ^ UInt64(byte)) &* 0x100_0000_01B3
                }
                (position, outcome.count, isFull) = (position + consumed, outcome.count + produced, produced == room)
                if outcome.count > most {
                    outcome.isCut = true
                    return outcome
                }
            }
            try decoder.finish()
        } catch let error as ZstdStreamError {
            outcome.error = error.code
        } catch {
            fatalError("an error of another kind: \(error)")
        }
        return outcome
    }
}
