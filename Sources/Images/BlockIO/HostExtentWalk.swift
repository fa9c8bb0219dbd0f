/// The extents of a whole device, one after another, neighbours joined, in bounded memory. Uses what the device offers:
/// `HostMappedDevice` where it is one, else `appendExtents`.
public struct HostExtentWalk: Sendable {
    private let device: any BlockDevice
    private let mapped: (any HostMappedDevice)?
    private let end: UInt64
    private var batch: [HostExtent] = []
    private var plain: [Extent] = []
    private var index = 0
    private var position: UInt64
    private var holes: [FileHoles] = []
    private let resolvesHoles: Bool
    /// A device that knows no places is asked for this much at a time, so that its answers stay small.
    private var window = Self.smallestWindow
    private static let smallestWindow: UInt64 = 1 << 30

    /// No extent that is called data, and has a place in a file, has a page-sized hole there; true at the end of a walk
    /// that has found all of them. Such holes must not be mapped: some file systems fill what is looked at.
    public var hasFoundAllHoles: Bool { mapped?.knowsHoles == true || (resolvesHoles && holes.allSatisfy(\.areAll)) }

    /// Walks all of the device.
    /// - Parameter resolvingHoles: calls zero what the device calls data and the file system a hole.
    public init(_ device: any BlockDevice, resolvingHoles: Bool = false) {
        self.device = device
        mapped = device as? any HostMappedDevice
        resolvesHoles = resolvingHoles && mapped?.knowsHoles == false
        position = 0
        end = device.size
    }

    /// The next extent, nil at the end. Neighbours that adjoin may come apart where the walk pauses.
    @inline(__always)
    public mutating func next() throws(BlockError) -> HostExtent? {
        if index == batch.count {
            if position >= end { return nil }
            try refill()
        }
        index += 1
        return batch[index - 1]
    }

    private mutating func refill() throws(BlockError) {
        batch.removeAll(keepingCapacity: true)
        index = 0
        if let mapped {
            try mapped.appendHostExtents(to: &batch, at: position, length: end - position)
        } else {
            plain.removeAll(keepingCapacity: true)
            let asked = min(window, end - position)
            try device.appendExtents(to: &plain, at: position, length: asked)
            for extent in plain {
                batch.appendJoining(HostExtent(extent))
            }
            // Where one answer is enough for all, more may be asked: a disk may claim exabytes that nobody wrote.
            let isEmpty = batch.count == 1 && batch[0].kind != .data && batch[0].length == asked
            window = isEmpty ? min(window * 2, 1 << 62) : Self.smallestWindow
        }
        guard let last = batch.last, last.end > position, batch[0].offset == position else {
            throw BlockError(.io, "the extent map does not advance", offset: position)
        }
        position = last.end
        if resolvesHoles { try resolveHoles() }
    }

    private mutating func resolveHoles() throws(BlockError) {
        if holes.isEmpty {
            for file in mapped?.hostFiles ?? [] { holes.append(try FileHoles(file)) }
        }
        if holes.allSatisfy({ $0.isEmpty }) { return }
        for index in batch.indices {
            let extent = batch[index]
            guard extent.kind == .data, extent.file >= 0, Int(extent.file) < holes.count else { continue }
            let end = extent.host + extent.length
            let run = holes[Int(extent.file)].run(at: extent.host, limit: end)
            if run.end < end { return splitAtHoles(from: index) }
            if run.isHole { batch[index].kind = .zero }
        }
    }

    /// From the extent on that is partly a hole, extents become several.
    private mutating func splitAtHoles(from index: Int) {
        var resolved = Array(batch[..<index])
        resolved.reserveCapacity(batch.count + 1)
        for extent in batch[index...] {
            guard extent.kind == .data, extent.file >= 0, Int(extent.file) < holes.count else {
                resolved.append(extent)
                continue
            }
            var rest = extent
            while rest.length > 0 {
                let run = holes[Int(rest.file)].run(at: rest.host, limit: rest.host + rest.length)
                var part = rest
                // Whole sectors, where a file ends inside one.
                part.length = min(((run.end - rest.host) + 511) & ~511, rest.length)
                part.kind = run.isHole ? .zero : .data
                resolved.append(part)
                rest.offset += part.length
                rest.host += part.length
                rest.length -= part.length
            }
        }
        batch = resolved
    }
}
