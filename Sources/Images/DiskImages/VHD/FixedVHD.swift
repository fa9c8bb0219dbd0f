import BlockIO
import CoreTypes
import Synchronization

/// A fixed VHD: the data, then the footer, which writing never changes.
final class FixedVHD: VHDDevice, BulkDestination {
    var size: UInt64 { currentSize.load(ordering: .acquiring) }
    var isReadOnly: Bool { file.isReadOnly }
    var preferredAlignment: UInt64 { 4096 }
    let file: any ImageStorage
    let layout: VHDLayout
    var notes: [String] { layout.notes }
    let currentSize: Atomic<UInt64>
    let resizing = Monitor()
    private static let runsPerCall = 1024

    init(file: any ImageStorage, layout: VHDLayout) {
        self.file = file
        self.layout = layout
        currentSize = Atomic(layout.virtualSize)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        try unsafe file.read(into: buffer, at: offset)
    }

    func willRead(at offset: UInt64, length: UInt64) { file.willRead(at: offset, length: length) }

    /// A byte of the disk keeps its place in the file for ever.
    func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int {
        guard (try? checkRange(offset, UInt64(length))) != nil else { return 0 }
        return file.putPages(at: offset, length: length, into: pipe)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(data.count))
        try unsafe file.write(data, at: offset)
    }

    var canZeroFast: Bool { file.canZeroFast }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRange(offset, length)
        try file.zero(at: offset, length: length, mayUnmap: mayUnmap)
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        _ = try file.punch(at: offset, length: length)
    }

    func flush() throws(BlockError) { try file.sync() }

    func writeBack(unless isOver: () -> Bool) throws(BlockError) { try file.writeBack(unless: isOver) }

    func bypassCache() { file.bypassCache() }
    var bypassesCache: Bool { file.bypassesCache }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        var position = offset
        var runs = 0
        while position < offset + length, runs < Self.runsPerCall {
            let run = try file.run(at: position, end: offset + length)
            extents.append(Extent(offset: position, length: run.end - position, kind: run.isData ? .data : .hole))
            position = run.end
            runs += 1
        }
    }

    func close() throws(BlockError) {
        defer { file.close() }
        try file.sync()
    }
}
