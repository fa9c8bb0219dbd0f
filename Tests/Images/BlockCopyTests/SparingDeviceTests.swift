import BlockCopy
import BlockIO
import CoreTypes
import TestSupport
import Testing

@Suite struct SparingDeviceTests {
    /// What is written is what is read, whatever was there, and nothing is written that is there already.
    @Test func onlyWhatIsDifferentIsWritten() throws {
        var random = SeededRandom.printed()
        let size = 2 << 20
        let below = CountingDevice(size: UInt64(size))
        let device = SparingDevice(below)
        var model = [UInt8](repeating: 0, count: size)
        for _ in 0..<200 {
            let offset = Int(random.next() % UInt64(size / 512)) * 512
            let length = min(size - offset, 512 * Int(1 + random.next() % 200))
            let before = Array(model[offset..<offset + length])
            switch random.next() % 4 {
            case 0:
                try device.writeZeroes(at: UInt64(offset), length: UInt64(length), mayUnmap: true)
                for index in offset..<offset + length { model[index] = 0 }
            case 1:
                below.written = 0
                try unsafe before.withUnsafeBytes { try unsafe device.write($0, at: UInt64(offset)) }
                #expect(below.written == 0)
            default:
                var data = before
                let changed = Int(random.next() % UInt64(length))
                data[changed] = data[changed] &+ 1
                below.written = 0
                try unsafe data.withUnsafeBytes { try unsafe device.write($0, at: UInt64(offset)) }
                #expect(below.written > 0 && below.written <= 4096)
                model[offset + changed] = data[changed]
            }
        }
        var read = [UInt8](repeating: 1, count: size)
        try unsafe read.withUnsafeMutableBytes { try unsafe device.read(into: $0, at: 0) }
        #expect(read == model)
        device.stopSparing()
        below.written = 0
        try unsafe model.withUnsafeBytes { try unsafe device.write($0, at: 0) }
        #expect(below.written == size)
    }
}

/// Memory that counts what is written.
private final class CountingDevice: BlockDevice, @unchecked Sendable {
    // Used by one thread.
    private let memory: MemoryDevice
    var written = 0

    init(size: UInt64) { memory = MemoryDevice(size: size) }
    var size: UInt64 { memory.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { memory.preferredAlignment }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe memory.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        written += data.count
        try unsafe memory.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try memory.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.discard(at: offset, length: length)
    }
    func flush() throws(BlockError) { try memory.flush() }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { try memory.close() }
}
