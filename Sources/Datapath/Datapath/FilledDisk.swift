import BlockIO

/// A disk as one of the two sees it who fill it at once: who brings what is written just now (`newer`), and who brings what it held
/// before. Once both are done it holds what it would if all of the older content had come first.
final class FilledDisk: BlockDevice {
    private let device: any BlockDevice
    private let writes: NewerWrites
    private let isNewer: Bool

    /// Both sides of one disk have the same `writes`.
    init(_ device: any BlockDevice, _ writes: NewerWrites, isNewer: Bool) {
        (self.device, self.writes, self.isNewer) = (device, writes, isNewer)
    }

    var size: UInt64 { device.size }
    var isReadOnly: Bool { device.isReadOnly }
    var preferredAlignment: UInt64 { device.preferredAlignment }
    var hasVolatileMetadata: Bool { device.hasVolatileMetadata }
    var canZeroFast: Bool { device.canZeroFast }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe device.read(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        if isNewer {
            try mark(offset, UInt64(data.count))
            return try unsafe device.write(data, at: offset)
        }
        try fill(offset, UInt64(data.count)) { start, length throws(BlockError) in
            // SAFETY: the part lies inside the data.
            let part = unsafe UnsafeRawBufferPointer(rebasing: data[Int(start - offset)..<Int(start - offset + length)])
            try unsafe device.write(part, at: start)
        }
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        if isNewer {
            try mark(offset, length)
            return try device.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
        try fill(offset, length) { start, length throws(BlockError) in
            try device.writeZeroes(at: start, length: length, mayUnmap: mayUnmap)
        }
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        if isNewer {
            try mark(offset, length)
            return try device.discard(at: offset, length: length)
        }
        try fill(offset, length) { start, length throws(BlockError) in
            try device.discard(at: start, length: length)
        }
    }

    func flush() throws(BlockError) { try device.flush() }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try device.appendExtents(to: &extents, at: offset, length: length)
    }

    /// The disk is its owner's to close.
    func close() throws(BlockError) {}

    /// A sector of which only a part is newer could not be told from others.
    private func mark(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        guard offset % NewerWrites.sectorSize == 0, length % NewerWrites.sectorSize == 0 else {
            throw BlockError(
                .unsupported, "this way to a disk takes whole sectors of \(NewerWrites.sectorSize) bytes",
                offset: offset)
        }
        writes.mark(offset / NewerWrites.sectorSize..<(offset + length) / NewerWrites.sectorSize)
    }

    /// Runs `body` for the parts of the range that have no newer content: where each begins, and how long it is.
    private func fill(
        _ offset: UInt64, _ length: UInt64, _ body: (UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) {
        try checkRange(offset, length)
        if length == 0 { return }
        let size = NewerWrites.sectorSize
        let sectors = offset / size..<(offset + length - 1) / size + 1
        try writes.fill(sectors) { part throws(BlockError) in
            let start = max(offset, part.lowerBound * size)
            try body(start, min(offset + length, part.upperBound * size) - start)
        }
    }
}
