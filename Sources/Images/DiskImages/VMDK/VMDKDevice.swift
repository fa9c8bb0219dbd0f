import BlockIO

/// A disk of VMDK extents one behind the other, read-only, with its parent.
final class VMDKDevice: ImportedDevice {
    struct Part: Sendable {
        enum Content: Sendable {
            case zero
            case flat(any ImageStorage, start: UInt64)
            case sparse(VMDKSparseExtent)
        }

        var content: Content
        /// Bytes from the start of the disk.
        var range: Range<UInt64>
    }

    /// Stored bytes of a part.
    enum Place: Sendable {
        case file(any ImageStorage, UInt64)
        /// A place in the extent, and the offset in its part of the disk that it is for.
        case extent(VMDKSparseExtent, UInt64, inside: UInt64)
    }

    let size: UInt64
    let preferredAlignment: UInt64
    /// Identifies the content; children name their parent by it.
    let contentID: UInt32
    /// In order, without gaps, none of them empty.
    private let parts: [Part]
    private let files: [any ImageStorage]
    let parent: (any BlockDevice)?
    let notes: [String]
    let closing = ImportedClosing()

    /// - Parameter files: all that are open for this disk, to be closed with it.
    init(
        parts: [Part], files: [any ImageStorage], contentID: UInt32, parent: (any BlockDevice)?, notes: [String]
    ) {
        self.notes = notes
        self.parts = parts
        self.files = files
        self.contentID = contentID
        self.parent = parent
        size = parts.last?.range.upperBound ?? 0
        preferredAlignment = parts.reduce(4096) { most, part in
            if case .sparse(let extent) = part.content { max(most, extent.header.grainBytes) } else { most }
        }
    }

    private func part(at offset: UInt64) -> Part {
        var low = 0
        var high = parts.count - 1
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].range.upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return parts[low]
    }

    func resolve(_ offset: UInt64, most: UInt64) throws(BlockError) -> ImportedRun<Place> {
        let part = part(at: offset)
        let inside = offset - part.range.lowerBound
        let most = min(most, part.range.upperBound - offset)
        switch part.content {
        case .zero: return ImportedRun(content: .zero(parent == nil ? .hole : .zero), length: most)
        case .flat(let file, let start): return ImportedRun(content: .stored(.file(file, start + inside)), length: most)
        case .sparse(let extent):
            let run = try extent.resolve(inside, most: most)
            switch run.place {
            case .zero: return ImportedRun(content: .zero(.zero), length: run.length)
            case .absent: return ImportedRun(content: .parent, length: run.length)
            case .stored(let place):
                return ImportedRun(content: .stored(.extent(extent, place, inside: inside)), length: run.length)
            }
        }
    }

    func read(_ place: Place, into target: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        switch place {
        case .file(let file, let start): try unsafe file.readExactly(into: target, at: start)
        case .extent(let extent, let start, let inside): try unsafe extent.read(start, into: target, at: inside)
        }
    }

    func storedRun(_ place: Place, length: UInt64) throws(BlockError) -> (isData: Bool, length: UInt64) {
        let (file, start): (any ImageStorage, UInt64)
        switch place {
        case .file(let storage, let place): (file, start) = (storage, place)
        case .extent(let extent, _, _) where extent.header.isCompressed: return (true, length)
        case .extent(let extent, let place, _): (file, start) = (extent.storage, place)
        }
        let run = try file.run(at: start, end: start + length)
        return (run.isData, run.end - start)
    }

    /// Grain tables that the directory has no entries written for at all.
    func parentRun(_ offset: UInt64, end: UInt64) throws(BlockError) -> UInt64 {
        let part = part(at: offset)
        guard case .sparse(let extent) = part.content else { return 0 }
        let length = try extent.absentRun(from: offset - part.range.lowerBound)
        return min(length, min(end, part.range.upperBound) - offset)
    }

    func close() throws(BlockError) {
        closing.close()
        for file in files { file.close() }
        try parent?.close()
    }
}
