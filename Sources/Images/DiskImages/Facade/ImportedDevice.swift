import BlockIO
import Synchronization

/// A disk in an image of a format that is only read.
protocol ImportedDevice: BlockDevice {
    /// Where stored bytes are.
    associatedtype Place: Sendable

    var closing: ImportedClosing { get }
    var parent: (any BlockDevice)? { get }
    /// What a person should know of the image.
    var notes: [String] { get }

    /// What `offset`, inside the disk, is, and for how many bytes from it on, at most `most`.
    func resolve(_ offset: UInt64, most: UInt64) throws(BlockError) -> ImportedRun<Place>
    /// Reads a run that `resolve` gave for `offset`.
    func read(_ place: Place, into target: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// The kind of the file's bytes at `place`, and for how many of `length` bytes it stays so.
    func storedRun(_ place: Place, length: UInt64) throws(BlockError) -> (isData: Bool, length: UInt64)
    /// Bytes from `offset` on, at most up to `end`, that are known in one look to be the parent's.
    func parentRun(_ offset: UInt64, end: UInt64) throws(BlockError) -> UInt64
}

/// Adjoining bytes of an imported disk that come from one place.
struct ImportedRun<Place: Sendable>: Sendable {
    enum Content: Sendable {
        case stored(Place)
        /// The parent's, or zeroes without one.
        case parent
        /// Zeroes, which a map shows so.
        case zero(Extent.Kind)
    }

    var content: Content
    var length: UInt64
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

    func parentRun(_ offset: UInt64, end: UInt64) throws(BlockError) -> UInt64 { 0 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRequest(offset, UInt64(buffer.count))
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let run = try resolve(position, most: UInt64(buffer.count - done))
            let count = Int(run.length)
            // SAFETY: `resolve` gives no more than was asked for.
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            switch run.content {
            case .stored(let place): try unsafe read(place, into: target, at: position)
            case .zero: unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            case .parent: try unsafe ImportedExtents.read(from: parent, into: target, at: position)
            }
            done += count
        }
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRequest(offset, length)
        var position = offset
        let end = offset + length
        let most = extents.count + ImportedExtents.perCall
        var runs = 0
        // Above a parent a hole of the file hides what the parent has.
        let empty: Extent.Kind = parent == nil ? .hole : .zero
        while position < end, extents.count < most, runs < ImportedExtents.runsPerCall {
            runs += 1
            let run = try resolve(position, most: end - position)
            var length = run.length
            switch run.content {
            case .stored(let place):
                let part = try storedRun(place, length: length)
                length = part.length
                extents.appendJoining(
                    Extent(offset: position, length: length, kind: part.isData ? .data : empty))
            case .zero(let kind): extents.appendJoining(Extent(offset: position, length: length, kind: kind))
            case .parent:
                length = max(length, try parentRun(position, end: end))
                try ImportedExtents.append(of: parent, to: &extents, at: position, length: length)
                // The parent may have stopped early; so do we.
                if let last = extents.last, last.end < position + length { return }
            }
            position += length
        }
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
    /// Runs that one call looks at, however few extents they make together.
    static let runsPerCall = 65536

    /// Appends the part of a parent's map below `offset ..< offset + length`; nothing lies behind its end.
    static func append(
        of parent: (any BlockDevice)?, to extents: inout [Extent], at offset: UInt64, length: UInt64
    ) throws(BlockError) {
        let size = parent?.size ?? 0
        let inside = offset < size ? min(length, size - offset) : 0
        if let parent, inside > 0 {
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

    /// Fills the buffer from a parent; zeroes behind its end, and without one.
    static func read(
        from parent: (any BlockDevice)?, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        let size = parent?.size ?? 0
        let inside = offset < size ? Int(min(UInt64(buffer.count), size - offset)) : 0
        // SAFETY: inside <= the buffer's count.
        if let parent, inside > 0 {
            try unsafe parent.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<inside]), at: offset)
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[inside...])
            .initializeMemory(as: UInt8.self, repeating: 0)
    }
}
