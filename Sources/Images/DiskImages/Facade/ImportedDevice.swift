import BlockIO
import Synchronization

/// A disk in an image of a format that is only read.
protocol ImportedDevice: BlockDevice {
    var closing: ImportedClosing { get }
}

/// Whether a device was closed. Its tables and grains may be in memory still, and must not be shown any more.
final class ImportedClosing: Sendable {
    private let isClosed = Atomic<Bool>(false)

    func close() { isClosed.store(true, ordering: .relaxed) }

    @inline(__always)
    func check() throws(BlockError) {
        if isClosed.load(ordering: .relaxed) { throw BlockError(.io, "the image was closed") }
    }
}

extension ImportedDevice {
    var isReadOnly: Bool { true }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        throw refusal(UInt64(data.count), at: offset)
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        throw refusal(length, at: offset)
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { throw refusal(length, at: offset) }

    func flush() throws(BlockError) { try closing.check() }

    /// Throws unless the device is open and the range lies inside it.
    func checkRequest(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        try closing.check()
        try checkRange(offset, length)
    }

    private func refusal(_ length: UInt64, at offset: UInt64) -> BlockError {
        do throws(BlockError) {
            try checkRange(offset, length)
            return BlockError(.readOnly, "images of this format can only be read", offset: offset)
        } catch { return error }
    }
}

/// What the parts of imported images have in common when they are mapped.
enum ImportedExtents {
    /// Extents that one call of `appendExtents` makes at most.
    static let perCall = 1024

    /// Appends the part of a parent's map below `offset ..< offset + length`; nothing lies behind its end.
    static func append(
        of parent: any BlockDevice, to extents: inout [Extent], at offset: UInt64, length: UInt64
    ) throws(BlockError) {
        let inside = offset < parent.size ? min(length, parent.size - offset) : 0
        if inside > 0 {
            var below: [Extent] = []
            try parent.appendExtents(to: &below, at: offset, length: inside)
            for extent in below {
                let depth = extent.kind == .hole ? 0 : extent.depth + 1
                extents.appendJoining(
                    Extent(offset: extent.offset, length: extent.length, kind: extent.kind, depth: depth))
            }
            if extents.last?.end != offset + inside { return }
        }
        if inside < length {
            extents.appendJoining(Extent(offset: offset + inside, length: length - inside, kind: .hole))
        }
    }

    /// Fills the buffer from a parent; zeroes behind its end.
    static func read(
        from parent: any BlockDevice, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        let inside = offset < parent.size ? Int(min(UInt64(buffer.count), parent.size - offset)) : 0
        // SAFETY: inside <= the buffer's count.
        if inside > 0 {
            try unsafe parent.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<inside]), at: offset)
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[inside...])
            .initializeMemory(as: UInt8.self, repeating: 0)
    }
}
