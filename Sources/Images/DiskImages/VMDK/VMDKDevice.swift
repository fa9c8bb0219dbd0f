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

    let size: UInt64
    let preferredAlignment: UInt64
    /// Identifies the content; children name their parent by it.
    let contentID: UInt32
    /// In order, without gaps, none of them empty.
    private let parts: [Part]
    private let files: [any ImageStorage]
    private let parent: (any BlockDevice)?
    let closing = ImportedClosing()

    /// - Parameter files: all that are open for this disk, to be closed with it.
    init(parts: [Part], files: [any ImageStorage], contentID: UInt32, parent: (any BlockDevice)?) {
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

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRequest(offset, UInt64(buffer.count))
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let part = part(at: position)
            var count = Int(min(UInt64(buffer.count - done), part.range.upperBound - position))
            // SAFETY: `resolve` gives no more than was asked for; `count` only becomes smaller.
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            switch part.content {
            case .zero: unsafe rest.initializeMemory(as: UInt8.self, repeating: 0)
            case .flat(let file, let start):
                try unsafe file.readExactly(into: rest, at: start + (position - part.range.lowerBound))
            case .sparse(let extent):
                let inside = position - part.range.lowerBound
                let run = try extent.resolve(inside, most: UInt64(count))
                count = Int(run.length)
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: rest[..<count])
                switch run.place {
                case .stored(let place): try unsafe extent.read(place, into: target, at: inside)
                case .zero: unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
                case .absent:
                    if let parent {
                        try unsafe ImportedExtents.read(from: parent, into: target, at: position)
                    } else {
                        unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
                    }
                }
            }
            done += count
        }
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRequest(offset, length)
        var position = offset
        let end = offset + length
        let most = extents.count + ImportedExtents.perCall
        let hole: Extent.Kind = parent == nil ? .hole : .zero
        while position < end, extents.count < most {
            let part = part(at: position)
            let inside = position - part.range.lowerBound
            var next = min(end, part.range.upperBound)
            switch part.content {
            case .zero: extents.appendJoining(Extent(offset: position, length: next - position, kind: hole))
            case .flat(let file, let start):
                next = try append(file, start + inside, position..<next, hole, to: &extents)
            case .sparse(let extent):
                let run = try extent.resolve(inside, most: next - position)
                next = position + run.length
                switch run.place {
                case .zero: extents.appendJoining(Extent(offset: position, length: run.length, kind: .zero))
                case .stored(let place):
                    if extent.header.isCompressed {
                        extents.appendJoining(Extent(offset: position, length: run.length, kind: .data))
                    } else {
                        next = try append(extent.storage, place, position..<next, hole, to: &extents)
                    }
                case .absent:
                    if let parent {
                        try ImportedExtents.append(of: parent, to: &extents, at: position, length: run.length)
                        // The parent may have stopped early; so do we.
                        if let last = extents.last, last.end < next { return }
                    } else {
                        extents.appendJoining(Extent(offset: position, length: run.length, kind: .hole))
                    }
                }
            }
            position = next
        }
    }

    /// Appends the first run of a range that lies in a file; returns where it ends.
    private func append(
        _ file: any ImageStorage, _ place: UInt64, _ range: Range<UInt64>, _ hole: Extent.Kind,
        to extents: inout [Extent]
    ) throws(BlockError) -> UInt64 {
        let run = try file.run(at: place, end: place + UInt64(range.count))
        let length = run.end - place
        extents.appendJoining(Extent(offset: range.lowerBound, length: length, kind: run.isData ? .data : hole))
        return range.lowerBound + length
    }

    func close() throws(BlockError) {
        closing.close()
        for file in files { file.close() }
        try parent?.close()
    }
}
