public import BlockIO
import CoreTypes
import Synchronization

/// A raw image: guest byte N is file byte N. A file whose length is no multiple of 512 shows the missing bytes of its
/// last sector as zeroes, and grows to the whole sector when that sector is first written.
public final class RawImage: BlockDevice, BulkDestination {
    public var size: UInt64 { sizeNow.load(ordering: .acquiring) }
    public var isReadOnly: Bool { file.isReadOnly }
    public var preferredAlignment: UInt64 { 4096 }
    let file: any ImageStorage
    let sizeNow: Atomic<UInt64>
    /// One change of the size at a time.
    let resizing = Monitor()
    /// Where the partial last sector begins, and ends once it is whole; equal when there is none.
    let tail: Range<UInt64>
    private let tailIsWhole: Atomic<Bool>
    /// The guard of the first and the last sector is on (RawImage+Guard), and its lock.
    let refusesForeignMarks: Bool
    let marks = Monitor()
    /// One `appendExtents` call asks the file system for at most this many runs.
    private static let runsPerCall = 1024

    private init(file: any ImageStorage, length: UInt64, size: UInt64, refusesForeignMarks: Bool) {
        self.file = file
        sizeNow = Atomic(size)
        tail = length.roundedDown(to: 512)..<size
        tailIsWhole = Atomic(length == size)
        self.refusesForeignMarks = refusesForeignMarks && size > 0
    }

    static func open(
        file: any ImageStorage, policy: OpenPolicy = .standalone
    ) throws(BlockError) -> RawImage {
        let length = try file.size()
        guard let size = length.roundedUp(to: 512), size <= FormatCapabilities.largestRaw else {
            throw BlockError(.limitExceeded, "the file of \(length) bytes is too long for an image")
        }
        return RawImage(
            file: file, length: length, size: size, refusesForeignMarks: policy.refusesForeignMarks)
    }

    static func info(file: any ImageStorage) throws(BlockError) -> ImageInfo {
        let length = try file.size()
        return ImageInfo(
            format: .raw, virtualSize: length.roundedUp(to: 512) ?? length, actualSize: try file.allocatedSize(),
            fileSize: length)
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        try unsafe file.read(into: buffer, at: offset)
    }

    public func willRead(at offset: UInt64, length: UInt64) { file.willRead(at: offset, length: length) }

    /// A byte of the disk keeps its place in the file for ever.
    public func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int {
        guard (try? checkRange(offset, UInt64(length))) != nil else { return 0 }
        return file.putPages(at: offset, length: length, into: pipe)
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(data.count))
        let isGuarded = try unsafe enterGuard(offset, UInt64(data.count), data)
        defer { if isGuarded { marks.unlock() } }
        try prepareTail(offset + UInt64(data.count))
        try unsafe file.write(data, at: offset)
    }

    public var canZeroFast: Bool { file.canZeroFast }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRange(offset, length)
        let isGuarded = try unsafe enterGuard(offset, length, nil)
        defer { if isGuarded { marks.unlock() } }
        try prepareTail(offset + length)
        try file.zero(at: offset, length: length, mayUnmap: mayUnmap)
    }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        let isGuarded = try unsafe enterGuard(offset, length, nil)
        defer { if isGuarded { marks.unlock() } }
        _ = try file.punch(at: offset, length: length)
    }

    public func flush() throws(BlockError) { try file.sync() }

    public func writeBack(unless isOver: () -> Bool) throws(BlockError) { try file.writeBack(unless: isOver) }

    public func bypassCache() { file.bypassCache() }
    public var bypassesCache: Bool { file.bypassesCache }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        var position = offset
        let end = offset + length
        var runs = 0
        while position < end, runs < Self.runsPerCall {
            let run = try file.run(at: position, end: end)
            // The file's last, partial sector is data as a whole.
            let runEnd = run.isData ? min(run.end.roundedUp(to: 512) ?? end, end) : run.end
            extents.append(
                Extent(offset: position, length: runEnd - position, kind: run.isData ? .data : .hole))
            position = runEnd
            runs += 1
        }
    }

    public func close() throws(BlockError) {
        defer { file.close() }
        try file.sync()
    }

    /// Makes the last sector whole before a write that reaches it.
    func prepareTail(_ end: UInt64) throws(BlockError) {
        if end <= tail.lowerBound || tailIsWhole.load(ordering: .acquiring) { return }
        // Not while the file grows: it would be cut again.
        resizing.lock()
        defer { resizing.unlock() }
        try makeTailWhole()
    }

    /// With `resizing` held.
    func makeTailWhole() throws(BlockError) {
        if tailIsWhole.load(ordering: .acquiring) { return }
        try file.truncate(to: tail.upperBound)
        tailIsWhole.store(true, ordering: .releasing)
    }
}
