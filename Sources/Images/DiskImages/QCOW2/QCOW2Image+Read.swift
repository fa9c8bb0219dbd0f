public import BlockIO

extension QCOW2Image {
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkUsable()
        try checkRange(offset, UInt64(buffer.count))
        mapping.lockShared()
        defer { mapping.unlock() }
        var done = 0
        while done < buffer.count {
            let run = try lookup(offset + UInt64(done), most: UInt64(buffer.count - done))
            let count = Int(run.length)
            // SAFETY: a run is never longer than what was asked for, which is the rest of the buffer.
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            switch run.kind {
            case .hole, .zero: unsafe _ = part.initializeMemory(as: UInt8.self, repeating: 0)
            case .data: try unsafe storage.read(into: part, at: run.host)
            case .compressed: throw compressedCluster(offset + UInt64(done))
            }
            done += count
        }
    }

    /// Holes are what no L2 entry mentions; clusters with the zero flag are zero extents; compressed ones are data.
    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkUsable()
        try checkRange(offset, length)
        let start = extents.count
        mapping.lockShared()
        defer { mapping.unlock() }
        var position = offset
        let end = offset + length
        while position < end, extents.count - start < 4096 {
            let run = try lookup(position, most: end - position)
            let kind: Extent.Kind =
                switch run.kind {
                case .hole: .hole
                case .zero: .zero
                case .data, .compressed: .data
                }
            extents.appendJoining(Extent(offset: position, length: run.length, kind: kind))
            position += run.length
        }
    }
}
