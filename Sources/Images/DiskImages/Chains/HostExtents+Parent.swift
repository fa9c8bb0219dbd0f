internal import BlockIO
internal import CoreTypes

extension HostMappedDevice {
    /// The parent's files, behind those of the image itself.
    func files(_ own: any ImageStorage, _ parent: (any BlockDevice)?) -> [ImageFile] {
        // What has no file of its own tells no host offsets either, so that indexes stay right.
        guard let file = own as? ImageFile else { return [] }
        return [file] + ((parent as? any HostMappedDevice)?.hostFiles ?? [])
    }
}

extension Array where Element == HostExtent {
    /// Appends what the parent says of a range, which is not empty, one deeper and with its files counted from `firstFile`
    /// on; a hole where there is no parent. Stops where there are `most` extents, but for the rest of what the parent says at a
    /// time: a small image may say billions of things of a large range.
    /// - Returns: where it stopped, behind the beginning.
    mutating func appendParent(
        _ parent: (any BlockDevice)?, _ range: Range<UInt64>, firstFile: Int32, most: Int
    ) throws(BlockError) -> UInt64 {
        let known = Swift.min(range.upperBound, parent?.size ?? 0)
        var position = range.lowerBound
        if let parent {
            var found: [HostExtent] = []
            while position < known, position == range.lowerBound || count < most {
                found.removeAll(keepingCapacity: true)
                try found.appendExtents(of: parent, position..<known)
                guard let last = found.last, last.end > position else {
                    throw BlockError(.io, "the extent map of the parent does not advance", offset: position)
                }
                for var extent in found {
                    if extent.kind == .hole {
                        (extent.file, extent.depth) = (-1, 0)
                    } else {
                        extent.depth += 1
                        if extent.file >= 0 { extent.file += firstFile }
                    }
                    appendJoining(extent)
                }
                position = last.end
            }
        }
        if position < known { return position }
        if position < range.upperBound {
            appendJoining(HostExtent(offset: position, length: range.upperBound - position, kind: .hole))
        }
        return range.upperBound
    }

    /// Appends extents of a range of a device, at least one, with their places where the device knows them.
    mutating func appendExtents(of device: any BlockDevice, _ range: Range<UInt64>) throws(BlockError) {
        let length = range.upperBound - range.lowerBound
        if let mapped = device as? any HostMappedDevice {
            return try mapped.appendHostExtents(to: &self, at: range.lowerBound, length: length)
        }
        var plain: [Extent] = []
        try device.appendExtents(to: &plain, at: range.lowerBound, length: length)
        for extent in plain { appendJoining(HostExtent(extent)) }
    }
}
