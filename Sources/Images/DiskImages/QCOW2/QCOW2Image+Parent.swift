internal import BlockIO

/// What lies below clusters that this image does not store.
extension QCOW2Image {
    /// Fills `buffer` with what the parent holds at `offset`; zeroes past its end and without a parent.
    func readParent(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var count = 0
        if let parent, offset < parent.size {
            count = Int(min(UInt64(buffer.count), parent.size - offset))
            // SAFETY: at most the buffer's count.
            do throws(BlockError) {
                try unsafe parent.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset)
            } catch { throw ofParent(error) }
        }
        // SAFETY: as above.
        if count < buffer.count {
            _ = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(
                as: UInt8.self, repeating: 0)
        }
    }

    /// Appends extents from `offset` on, at least one; returns where they end.
    func appendParentExtents(
        to extents: inout [Extent], at offset: UInt64, length: UInt64
    ) throws(BlockError) -> UInt64 {
        guard let parent, offset < parent.size else {
            extents.appendJoining(Extent(offset: offset, length: length, kind: .hole))
            return offset + length
        }
        var below: [Extent] = []
        do throws(BlockError) {
            try parent.appendExtents(to: &below, at: offset, length: min(length, parent.size - offset))
        } catch { throw ofParent(error) }
        var position = offset
        for extent in below {
            let end = min(extent.end, offset + length)
            guard extent.offset == position, end > position else {
                throw BlockError(.io, "the extent map of the parent has gaps", path: storage.path, offset: position)
            }
            extents.appendJoining(
                Extent(
                    offset: position, length: end - position, kind: extent.kind,
                    depth: extent.kind == .hole ? 0 : extent.depth + 1))
            position = end
        }
        guard position > offset else {
            throw BlockError(.io, "the extent map of the parent does not advance", path: storage.path, offset: offset)
        }
        return position
    }

    /// What this image does not store of a range certainly reads as zeroes.
    func parentIsEmpty(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        guard hasBacking else { return true }
        // A parent that is ignored may hold anything.
        guard let parent else { return false }
        guard offset < parent.size else { return true }
        var position = offset
        let end = min(offset + length, parent.size)
        var extents: [Extent] = []
        while position < end {
            extents.removeAll(keepingCapacity: true)
            do throws(BlockError) {
                try parent.appendExtents(to: &extents, at: position, length: end - position)
            } catch { throw ofParent(error) }
            guard let last = extents.last, last.end > position else { return false }
            if extents.contains(where: { $0.kind == .data }) { return false }
            position = last.end
        }
        return true
    }

    /// A parent that is corrupt does not make this image so: its header must not be marked for it.
    private func ofParent(_ error: BlockError) -> BlockError {
        guard error.code == .corrupt else { return error }
        return BlockError(.io, "the parent is corrupt: \(error.message)", path: error.path, offset: error.offset)
    }
}
