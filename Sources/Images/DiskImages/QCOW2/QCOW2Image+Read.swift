public import BlockIO

extension QCOW2Image {
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkUsable()
        try checkRange(offset, UInt64(buffer.count))
        mapping.lockShared()
        defer { mapping.unlock() }
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let run = try lookup(position, most: UInt64(buffer.count - done))
            let count = Int(run.length)
            // SAFETY: a run is never longer than what was asked for, which is the rest of the buffer.
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            switch run.kind {
            case .data: try unsafe data.read(into: part, at: run.host)
            case .zero: _ = unsafe part.initializeMemory(as: UInt8.self, repeating: 0)
            case .hole:
                if parent == nil {
                    _ = unsafe part.initializeMemory(as: UInt8.self, repeating: 0)
                } else {
                    try unsafe readParent(into: part, at: position)
                }
            case .compressed: try unsafe readCompressed(run.host, into: part, at: position)
            }
            done += count
        }
    }

    public func willRead(at offset: UInt64, length: UInt64) {
        guard (try? checkUsable()) != nil, (try? checkRange(offset, length)) != nil else { return }
        mapping.lockShared()
        defer { mapping.unlock() }
        var position = offset
        while position < offset + length {
            guard let run = try? lookup(position, most: offset + length - position) else { return }
            switch run.kind {
            case .data: data.willRead(at: run.host, length: run.length)
            case .hole: parent?.willReadInside(at: position, length: run.length)
            case .zero, .compressed: break
            }
            position += run.length
        }
    }

    /// Holes are what no image of the chain mentions; what is said to be zero is a zero extent; compressed clusters are
    /// data. The depth counts from this image.
    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkUsable()
        try checkRange(offset, length)
        let start = extents.count
        mapping.lockShared()
        defer { mapping.unlock() }
        var position = offset
        let end = offset + length
        // Joined extents may take any number of lookups, and who allocates waits for the lock meanwhile.
        var lookups = 0
        while position < end, extents.count - start < 4096, lookups < 65536 {
            lookups += 1
            let run = try lookup(position, most: end - position)
            let kind: Extent.Kind
            switch run.kind {
            case .hole:
                position = try appendParentExtents(to: &extents, at: position, length: run.length)
                continue
            case .zero: kind = .zero
            case .data, .compressed: kind = .data
            }
            extents.appendJoining(Extent(offset: position, length: run.length, kind: kind))
            position += run.length
        }
    }
}
