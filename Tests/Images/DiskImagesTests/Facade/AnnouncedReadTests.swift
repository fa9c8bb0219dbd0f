import BlockIO
import CoreTypes
import Synchronization
import TestSupport
import Testing

@testable import DiskImages

/// What an image tells those below it of reads that come soon.
@Suite struct AnnouncedReadTests {
    /// What the image does not hold is told to its parent, as far as that reaches.
    @Test func parentsHearOfReadsThatWillBeTheirs() throws {
        let first = StoreInMemory()
        try QCOW2Image.create(storage: first, size: 1 << 20, clusterBits: 16)
        let writer = try QCOW2Image.open(storage: first, readOnly: false)
        try writer.store([UInt8](repeating: 1, count: 65536), 65536)
        try writer.close()
        let header = try QCOW2Image.readHeader(first, fileSize: first.size())
        let words = try first.words(at: header.l1Offset, count: Int(header.l1Entries))
        let below = Listener(size: 196_608)
        let overlay = QCOW2Image(
            storage: first, header: header, geometry: QCOW2Geometry(header),
            l1: QCOW2L1Table(words, at: header.l1Offset), refcounts: nil, fileEnd: try first.size(), parent: below)
        overlay.willRead(at: 4096, length: 1 << 18)
        #expect(below.told == [4096..<65536, 131_072..<196_608])

        let record = try VHDParent(name: "p", identifier: [UInt8](repeating: 1, count: 16), timestamp: 0)
        let second = StoreInMemory()
        try VHDImage.make(file: second, size: 65536, blockSize: 4096, parent: record)
        let layout = try VHDLayout(file: second)
        let under = Listener(size: 65536)
        let difference = try DynamicVHD(
            file: second, layout: layout, header: #require(layout.header), parent: under)
        // A whole block, and a sector of another.
        try difference.store([UInt8](repeating: 1, count: 4096), 4096)
        try difference.store([UInt8](repeating: 1, count: 512), 8192)
        under.told = []
        difference.willRead(at: 0, length: 12288)
        #expect(under.told == [0..<4096, 8192..<12288])
    }
}

private final class Listener: BlockDevice {
    private let memory: MemoryDevice
    private let ranges = Mutex<[Range<UInt64>]>([])

    init(size: UInt64) { memory = MemoryDevice(size: size) }

    var told: [Range<UInt64>] {
        get { ranges.withLock { $0 } }
        set { ranges.withLock { $0 = newValue } }
    }
    var size: UInt64 { memory.size }
    var isReadOnly: Bool { true }
    var preferredAlignment: UInt64 { 4096 }

    func willRead(at offset: UInt64, length: UInt64) { ranges.withLock { $0.append(offset..<offset + length) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe memory.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        throw BlockError(.readOnly, "only reads")
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        throw BlockError(.readOnly, "only reads")
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { try memory.close() }
}
