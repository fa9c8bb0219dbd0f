import BlockIO

extension DynamicVHD: DamagedImage {
    var ownFile: ImageFile? { file as? ImageFile }

    /// A block that the table has in an impossible place, or whose bitmap cannot be read.
    func lostRun(at offset: UInt64) -> (range: Range<UInt64>, error: BlockError)? {
        if offset >= size { return nil }
        let part = part(offset, size - offset)
        let range = offset - part.within..<offset + part.length
        let place: Place
        do throws(BlockError) {
            place = try enter(part.block)
        } catch { return error.code == .corrupt ? (range, error) : nil }
        defer { leave() }
        if let start = place.start {
            if place.isFull || !bitmapsCount { return nil }
            do throws(BlockError) {
                _ = try presentSectors(of: part.block, start: start)
                return nil
            } catch { return (range, error) }
        }
        guard let parent = parent as? any DamagedImage, offset < parent.size, let lost = parent.lostRun(at: offset)
        else { return nil }
        let blocks = lock.shared { table.unallocatedRun(from: part.block) }
        return (lost.range.clamped(to: offset..<min(UInt64(blocks.upperBound) * blockSize, size)), lost.error)
    }

    /// With nobody who writes: where in `block`, counted on the device, that begins which the file is too short for, and the
    /// sectors that are present; nil bits where all are.
    func cut(_ block: UInt64, at sector: UInt32) throws(BlockError) -> (from: UInt64, present: [UInt8]?)? {
        if !isReadOnly { return nil }
        let start = UInt64(sector) * 512
        let body = start + bitmapSize
        let length = try file.size()
        if length >= body + blockSize { return nil }
        let left = length > body ? (length - body + 511) & ~511 : 0
        return (block * blockSize + left, try presentSectors(of: Int(block), start: start))
    }
}

extension Array where Element == HostExtent {
    /// Appends what a block of which the bits count shows. Present sectors behind the end of the file have their place there.
    mutating func append(
        _ extent: Extent, _ cut: (from: UInt64, present: [UInt8]?)?, blockSize: UInt64, body: UInt64
    ) {
        guard let cut, extent.kind == .zero, extent.depth == 0, extent.end > cut.from else {
            return appendJoining(HostExtent(extent))
        }
        var position = extent.offset
        if position < cut.from {
            appendJoining(HostExtent(offset: position, length: cut.from - position, kind: .zero))
            position = cut.from
        }
        while position < extent.end {
            let within = position & (blockSize - 1)
            var next = extent.end
            var isPresent = true
            if let bits = cut.present {
                let limit = Int((within + next - position + 511) / 512)
                isPresent = bits.isBitSet(Int(within / 512))
                next = Swift.min(
                    position - within + UInt64(bits.endOfRun(at: Int(within / 512), limit: limit)) * 512, next)
            }
            appendJoining(
                isPresent
                    ? HostExtent(offset: position, length: next - position, kind: .data, file: 0, host: body + within)
                    : HostExtent(offset: position, length: next - position, kind: .zero))
            position = next
        }
    }
}
