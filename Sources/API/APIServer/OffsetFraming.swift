import APITypes

/// The toolstack's own framing of a raw import: [offset: u64, length: u32, data…], little endian, ended by a frame
/// of offset 0 and length 0. Frames come in rising order; what lies between them is zeros.
struct OffsetFraming {
    private var header: [UInt8] = []
    /// Bytes of the current frame that are still to come.
    private var left = 0
    /// The offset of the next byte to hand on.
    private var position: UInt64 = 0
    private(set) var isComplete = false

    private static let headerSize = 12
    private static let zeros = [UInt8](repeating: 0, count: 1 << 20)

    mutating func take(
        _ bytes: some Collection<UInt8>, _ write: ([UInt8]) async throws -> Void
    ) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard !isComplete else { throw APIError.internalError("there are bytes after the last frame") }
            if left > 0 {
                let data = Array(rest.prefix(left))
                rest = rest.dropFirst(data.count)
                left -= data.count
                position += UInt64(data.count)
                try await write(data)
                continue
            }
            let part = rest.prefix(Self.headerSize - header.count)
            header += part
            rest = rest.dropFirst(part.count)
            if header.count == Self.headerSize { try await startFrame(write) }
        }
    }

    private mutating func startFrame(_ write: ([UInt8]) async throws -> Void) async throws {
        let offset = Self.littleEndian(header[0..<8])
        let length = Self.littleEndian(header[8..<12])
        header = []
        if offset == 0 && length == 0 {
            isComplete = true
            return
        }
        guard offset >= position, offset <= UInt64(Int64.max) - length else {
            throw APIError.internalError("a frame at \(offset) follows one that ended at \(position)")
        }
        while position < offset {
            let gap = Int(min(offset - position, UInt64(Self.zeros.count)))
            try await write(Array(Self.zeros.prefix(gap)))
            position += UInt64(gap)
        }
        left = Int(length)
    }

    private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
