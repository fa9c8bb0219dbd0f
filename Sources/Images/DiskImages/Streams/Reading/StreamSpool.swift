import BlockIO
import CoreTypes

/// All of a stream in an unnamed file, without its zeroes, to be read in any order.
struct StreamSpool {
    /// For errors.
    let format: String
    let options: StreamReadOptions
    let progress: ProgressCounter
    let cancellation: CancellationFlag

    /// Zeroes are looked for in pieces of this many bytes, and left out.
    private static let piece = 64 << 10

    func keep(_ source: any ByteSource) throws(BlockError) -> ImageFile {
        guard options.spillFolder != nil || options.spillFile != nil else {
            throw BlockError(
                .unsupported,
                "this \(format) image must be read out of order, and there is no place to keep the stream")
        }
        if let length = source.expectedLength { progress.expect(length) }
        let file = try SpillFile.open(options, as: "the stream")
        do throws(BlockError) {
            let buffer = AlignedBuffer(count: 1 << 20)
            var length: UInt64 = 0
            while true {
                if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
                // SAFETY: the buffer's own bytes, as many as were read.
                let count = try unsafe source.readFully(into: buffer.bytes)
                if count == 0 { break }
                guard UInt64(count) <= options.largestSpill - min(length, options.largestSpill) else {
                    throw BlockError(
                        .limitExceeded, "the stream is longer than the \(options.largestSpill) bytes that may be kept")
                }
                try unsafe store(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]), in: file, at: length)
                length += UInt64(count)
                progress.add(UInt64(count))
            }
            try file.truncate(to: length)
            return file
        } catch {
            file.close()
            throw error
        }
    }

    private func store(_ bytes: UnsafeRawBufferPointer, in file: ImageFile, at offset: UInt64) throws(BlockError) {
        var start = 0
        while start < bytes.count {
            // SAFETY: start < end <= count.
            let end = min(start + Self.piece, bytes.count)
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if unsafe !isZero(part) { try unsafe file.write(part, at: offset + UInt64(start)) }
            start = end
        }
    }
}
