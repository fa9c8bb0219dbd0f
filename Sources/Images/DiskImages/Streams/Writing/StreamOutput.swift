import BlockIO
import CoreTypes

/// What a stream is written through: gathers small pieces, counts, reports progress, and can be stopped.
final class StreamOutput {
    private let sink: any ByteSink
    private let buffer = AlignedBuffer(count: 1 << 20)
    private var filled = 0
    private let progress: ProgressCounter
    let cancellation: CancellationFlag
    /// Bytes of the stream so far.
    private(set) var position: UInt64 = 0

    // SAFETY (whole class): `filled` never exceeds the buffer, and every slice below ends at most there.
    private var capacity: Int { unsafe buffer.bytes.count }

    init(_ sink: any ByteSink, progress: ProgressCounter, cancellation: CancellationFlag) {
        self.sink = sink
        self.progress = progress
        self.cancellation = cancellation
    }

    func append(_ bytes: [UInt8]) throws(BlockError) {
        var done = 0
        while done < bytes.count {
            let count = min(try room(), bytes.count - done)
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled..<filled + count])
                .copyBytes(from: bytes[done..<done + count])
            filled += count
            done += count
            position += UInt64(count)
        }
    }

    func append(_ byte: UInt8, count: UInt64) throws(BlockError) {
        var rest = count
        while rest > 0 {
            let count = Int(min(UInt64(try room()), rest))
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled..<filled + count])
                .initializeMemory(as: UInt8.self, repeating: byte)
            filled += count
            rest -= UInt64(count)
            position += UInt64(count)
        }
    }

    /// Appends `byte` up to a position of the stream that is not behind.
    func pad(_ byte: UInt8, to end: UInt64) throws(BlockError) { try append(byte, count: end - position) }

    func append<Word: FixedWidthInteger>(bigEndian value: Word) throws(BlockError) {
        let size = MemoryLayout<Word>.size
        if capacity - filled < size { try flush() }
        unsafe buffer.bytes.storeBytes(of: value.bigEndian, toByteOffset: filled, as: Word.self)
        filled += size
        position += UInt64(size)
    }

    /// Appends `length` bytes of the disk from `offset`, with zeroes where it is shorter.
    func append(_ device: any BlockDevice, at offset: UInt64, length: UInt64) throws(BlockError) {
        let stored = offset < device.size ? min(length, device.size - offset) : 0
        var done: UInt64 = 0
        while done < stored {
            let count = Int(min(UInt64(try room()), stored - done))
            try unsafe device.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled..<filled + count]),
                at: offset + done)
            filled += count
            done += UInt64(count)
            position += UInt64(count)
        }
        try append(0, count: length - stored)
    }

    /// Free bytes in the buffer, at least one. Whole buffers are passed on at page boundaries of the disk that way.
    private func room() throws(BlockError) -> Int {
        if filled == capacity { try flush() }
        return capacity - filled
    }

    func flush() throws(BlockError) {
        if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
        if filled == 0 { return }
        try unsafe sink.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<filled]))
        progress.add(UInt64(filled))
        filled = 0
    }
}
