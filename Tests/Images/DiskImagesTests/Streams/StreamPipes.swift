import BlockIO
import CoreTypes
import Foundation
import Synchronization
import TestSupport

@testable import DiskImages

/// A real pipe with a thread at its writing end.
final class StreamPipe: Sendable {
    private let reader: FileHandle
    private let thread: WorkerThread
    private let failure: FailureBox

    private final class FailureBox: Sendable {
        let value = Mutex<BlockError?>(nil)
    }

    init(_ body: @escaping @Sendable (any ByteSink) throws(BlockError) -> Void) {
        let pipe = Pipe()
        reader = pipe.fileHandleForReading
        let writer = pipe.fileHandleForWriting
        let box = FailureBox()
        thread = WorkerThread("stream-writer") {
            do throws(BlockError) {
                try body(DescriptorSink(writer.fileDescriptor))
            } catch { box.value.withLock { $0 = error } }
            try? writer.close()
        }
        failure = box
    }

    var source: DescriptorSource { DescriptorSource(reader.fileDescriptor) }

    func closeReader() throws { try reader.close() }

    /// Waits for the writer, after everything was read or the reader closed, and throws what it threw.
    func finish() throws {
        thread.join()
        if let error = failure.value.withLock({ $0 }) { throw error }
    }
}

/// Gives an array, in pieces of random sizes.
final class ArraySource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0
    private let largestPiece: Int
    var expectedLength: UInt64?

    init(_ bytes: [UInt8], largestPiece: Int = .max) {
        self.bytes = bytes
        self.largestPiece = largestPiece
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        let count = min(buffer.count, bytes.count - position, largestPiece)
        unsafe buffer.copyBytes(from: bytes[position..<position + count])
        position += count
        return count
    }
}

/// Keeps everything.
final class ArraySink: ByteSink {
    private(set) var bytes: [UInt8] = []
    func write(_ data: UnsafeRawBufferPointer) throws(BlockError) { unsafe bytes.append(contentsOf: data) }
}

/// Counts, and checks that no memory is needed for what goes through.
final class CountingSink: ByteSink {
    private(set) var count: UInt64 = 0
    func write(_ data: UnsafeRawBufferPointer) throws(BlockError) { count += UInt64(data.count) }
}

/// The stream of a device, whole.
func streamBytes(
    _ device: any BlockDevice, _ format: ImageFormat, _ options: StreamWriteOptions = StreamWriteOptions()
) throws -> [UInt8] {
    let sink = ArraySink()
    let plan = try StreamPlan(of: device, as: format, options: options)
    try plan.write(to: sink)
    guard UInt64(sink.bytes.count) == plan.length else {
        throw Tool.Failure(description: "another length than announced")
    }
    return sink.bytes
}

/// What a stream holds, in a device of memory.
func readBack(
    _ bytes: [UInt8], _ format: StreamFormat, options: StreamReadOptions = StreamReadOptions(), piece: Int = .max
) throws -> MemoryDevice {
    let made = Mutex<MemoryDevice?>(nil)
    let source = ArraySource(bytes, largestPiece: piece)
    source.expectedLength = UInt64(bytes.count)
    let size = try DiskImage.readStream(
        from: source, as: format, options: options,
        into: .make { (size) throws(BlockError) in
            let device = MemoryDevice(size: size)
            made.withLock { $0 = device }
            return device
        })
    guard let device = made.withLock({ $0 }), device.size == size else {
        throw Tool.Failure(description: "no device was made, or of another size")
    }
    return device
}

/// A sparse disk with random content: data, explicit zeroes among data, holes.
func randomDisk(size: UInt64, pieces: Int, longest: Int, random: inout SeededRandom) throws -> MemoryDevice {
    let device = MemoryDevice(size: size)
    for _ in 0..<pieces where size > 0 {
        let count = Int(min(UInt64(Int.random(in: 1...longest, using: &random)), size))
        let offset = UInt64.random(in: 0...size - UInt64(count), using: &random)
        let content =
            Int.random(in: 0..<4, using: &random) == 0 ? [UInt8](repeating: 0, count: count) : random.bytes(count)
        try device.store(content, at: offset)
    }
    return device
}

func equalContent(_ a: any BlockDevice, _ b: any BlockDevice) throws -> Bool {
    guard a.size == b.size else { return false }
    for (from, to) in [(a, b), (b, a)] {
        for extent in try from.extents(at: 0, length: from.size) where extent.kind == .data {
            var position = extent.offset
            while position < extent.end {
                let count = Int(min(extent.end - position, 1 << 20))
                if try from.bytes(at: position, count: count) != to.bytes(at: position, count: count) { return false }
                position += UInt64(count)
            }
        }
    }
    return true
}
