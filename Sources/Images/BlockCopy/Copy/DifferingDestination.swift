public import BlockIO
public import CoreTypes
import Glibc
import Synchronization

/// A new image on a parent, for who writes a whole disk to it once, in whatever order its parts come: like an image without a
/// parent it reads as zeroes at first, and stores only what makes the disk different from what shows of the parent.
///
/// A piece of 64 KiB is the disk's own from the first write to it on: what it holds then, with zeroes around what is written, is
/// compared with what shows there, and stored where that is something else. Pieces that nothing is written to go on showing the
/// parent, until `finish` has made zeroes of them.
///
/// Requests take turns. The image, which has no content of its own at first, stays the caller's to close.
public final class DifferingDestination: BlockDevice {
    private static let unit = DifferenceDevice.unit
    /// Units that are compared at once: 1 MiB of the disk.
    private static let batch: UInt64 = 16

    /// Which units are the disk's own: a bit for each, in chunks that exist where there is one.
    private struct Owned {
        var places: [UInt64: Int] = [:]
        var bits: [SIMD16<UInt64>] = []

        func contains(_ unit: UInt64) -> Bool {
            guard let place = places[unit / DifferenceDevice.chunk] else { return false }
            let within = unit % DifferenceDevice.chunk
            return bits[place][Int(within / 64)] >> (within % 64) & 1 == 1
        }

        mutating func insert(_ unit: UInt64) throws(BlockError) {
            let place: Int
            if let known = places[unit / DifferenceDevice.chunk] {
                place = known
            } else {
                guard bits.count < DifferenceDevice.mostChunks else {
                    throw BlockError(
                        .limitExceeded,
                        "too much is stored, and too scattered, to keep account of it: write the whole disk")
                }
                place = bits.count
                places[unit / DifferenceDevice.chunk] = place
                bits.append(SIMD16(repeating: 0))
            }
            let within = unit % DifferenceDevice.chunk
            bits[place][Int(within / 64)] |= 1 << (within % 64)
        }
    }

    private let image: any BlockDevice
    private let owned = Mutex(Owned())
    // The two buffers are used with `owned` locked only.
    private let shown = AlignedBuffer(count: Int(batch * unit))
    private let wanted = AlignedBuffer(count: Int(batch * unit))

    /// Takes memory for one bit per 64 KiB in each 64 MiB of the disk to which anything is written, 64 MiB at most and as much
    /// again to find them (`.limitExceeded`).
    public init(over image: any BlockDevice) { self.image = image }

    public var size: UInt64 { image.size }
    public var isReadOnly: Bool { image.isReadOnly }
    /// Whoever leaves out zeroes inside a piece would have it compared without what follows them.
    public var preferredAlignment: UInt64 { max(image.preferredAlignment, Self.unit) }

    /// Makes zeroes of what nothing was written to and shows something of the parent, in the first `length` bytes, or in all.
    /// Nothing is written after it.
    public func finish(
        length: UInt64 = .max, cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        try owned.withLock { (owned) throws(BlockError) in
            let end = min(length, size)
            var walk = HostExtentWalk(image)
            while let extent = try walk.next(), extent.offset < end {
                if extent.kind != .data { continue }
                var position = extent.offset
                let stop = min(extent.end, end)
                while position < stop {
                    if cancellation.isCancelled { throw .stopped }
                    let next = min((position / Self.unit + 1) * Self.unit, stop)
                    if !owned.contains(position / Self.unit) {
                        // SAFETY: at most a unit, which both buffers hold.
                        let bytes = unsafe UnsafeMutableRawBufferPointer(
                            rebasing: shown.bytes[..<Int(next - position)])
                        try unsafe image.read(into: bytes, at: position)
                        if unsafe !isZero(UnsafeRawBufferPointer(bytes)) {
                            try image.writeZeroes(at: position, length: next - position, mayUnmap: true)
                        }
                    }
                    position = next
                }
            }
        }
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(data.count))
        try owned.withLock { (owned) throws(BlockError) in
            var done = 0
            while done < data.count {
                let position = offset + UInt64(done)
                let first = position / Self.unit
                let count = Int(min((first + Self.batch) * Self.unit - position, UInt64(data.count - done)))
                // SAFETY: inside the caller's bytes.
                try unsafe put(UnsafeRawBufferPointer(rebasing: data[done..<done + count]), at: position, &owned)
                done += count
            }
        }
    }

    /// At most a batch, from its first unit on.
    private func put(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, _ owned: inout Owned
    ) throws(BlockError) {
        let first = offset / Self.unit
        let start = first * Self.unit
        let last = (offset + UInt64(data.count) - 1) / Self.unit
        let end = min((last + 1) * Self.unit, size)
        // SAFETY (all of this function): the units from `first` to `last` are a batch at most, which is what both buffers hold.
        let now = unsafe UnsafeMutableRawBufferPointer(rebasing: shown.bytes[..<Int(end - start)])
        let new = unsafe UnsafeMutableRawBufferPointer(rebasing: wanted.bytes[..<Int(end - start)])
        try unsafe image.read(into: now, at: start)
        for unit in first...last {
            let range = Int((unit - first) * Self.unit)..<Int(min((unit + 1 - first) * Self.unit, end - start))
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: new[range])
            if owned.contains(unit) {
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: now[range]))
            } else {
                unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
        let within = Int(offset - start)
        unsafe UnsafeMutableRawBufferPointer(rebasing: new[within..<within + data.count]).copyMemory(from: data)
        try unsafe store(UnsafeRawBufferPointer(new), insteadOf: UnsafeRawBufferPointer(now), at: start)
        for unit in first...last where !owned.contains(unit) { try owned.insert(unit) }
    }

    /// Writes the units of `new` that are not those of `old`, neighbours at once.
    private func store(
        _ new: UnsafeRawBufferPointer, insteadOf old: UnsafeRawBufferPointer, at start: UInt64
    ) throws(BlockError) {
        enum Change { case none, data, zeroes }
        let step = Int(Self.unit)
        // SAFETY (all of this function): ranges are parts of both, which are as long as each other.
        func change(_ from: Int) -> Change {
            let range = from..<min(from + step, new.count)
            let (one, other) = unsafe (
                UnsafeRawBufferPointer(rebasing: new[range]), UnsafeRawBufferPointer(rebasing: old[range])
            )
            guard let left = one.baseAddress, let right = other.baseAddress else { return .none }
            if unsafe memcmp(left, right, range.count) == 0 { return .none }
            return unsafe isZero(one) ? .zeroes : .data
        }
        var from = 0
        while from < new.count {
            let kind = change(from)
            var to = min(from + step, new.count)
            while to < new.count, change(to) == kind { to = min(to + step, new.count) }
            let place = start + UInt64(from)
            switch kind {
            case .none: break
            case .data: try unsafe image.write(UnsafeRawBufferPointer(rebasing: new[from..<to]), at: place)
            case .zeroes: try image.writeZeroes(at: place, length: UInt64(to - from), mayUnmap: true)
            }
            from = to
        }
    }

    /// What nothing was written to is zero for who writes.
    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRange(offset, length)
        if length == 0 { return }
        try owned.withLock { (owned) throws(BlockError) in
            let units = offset / Self.unit...(offset + length - 1) / Self.unit
            let chunks = units.lowerBound / DifferenceDevice.chunk...units.upperBound / DifferenceDevice.chunk
            // The chunks of the range, or those that there are: whichever are fewer.
            let there =
                chunks.count < owned.places.count
                ? chunks.filter { owned.places[$0] != nil } : owned.places.keys.filter { chunks.contains($0) }.sorted()
            for chunk in there {
                let first = max(chunk * DifferenceDevice.chunk, units.lowerBound)
                let last = min(chunk * DifferenceDevice.chunk + DifferenceDevice.chunk - 1, units.upperBound)
                for unit in first...last where owned.contains(unit) {
                    let start = max(unit * Self.unit, offset)
                    let end = min((unit + 1) * Self.unit, offset + length)
                    // SAFETY: at most a unit.
                    let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: shown.bytes[..<Int(end - start)])
                    try unsafe image.read(into: bytes, at: start)
                    if unsafe isZero(UnsafeRawBufferPointer(bytes)) { continue }
                    try image.writeZeroes(at: start, length: end - start, mayUnmap: mayUnmap)
                }
            }
        }
    }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try writeZeroes(at: offset, length: length, mayUnmap: true)
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        try owned.withLock { (owned) throws(BlockError) in
            try unsafe image.read(into: buffer, at: offset)
            var done = 0
            while done < buffer.count {
                let unit = (offset + UInt64(done)) / Self.unit
                let count = Int(min((unit + 1) * Self.unit - offset - UInt64(done), UInt64(buffer.count - done)))
                if !owned.contains(unit) {
                    // SAFETY: inside the caller's buffer.
                    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
                        .initializeMemory(as: UInt8.self, repeating: 0)
                }
                done += count
            }
        }
    }

    /// All of it may be data.
    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        if length > 0 { extents.appendJoining(Extent(offset: offset, length: length, kind: .data)) }
    }

    public func flush() throws(BlockError) { try image.flush() }
    public func close() throws(BlockError) {}
}
