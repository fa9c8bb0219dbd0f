/// A part of a stream whose meaning a table has told. 24 bytes: there may be millions.
struct StreamRegion {
    /// Offset in the stream.
    let start: UInt64
    private let tagged: UInt64
    /// Units one behind another, in the stream and on the disk; or a number of bytes.
    let count: UInt32
    /// A bit for each part of the unit, where the format has such.
    let mask: UInt32

    /// What the format's reader calls it.
    var kind: UInt8 { UInt8(truncatingIfNeeded: tagged >> 56) }
    /// A block or cluster of the disk, or the index in a table. 56 bits.
    var unit: UInt64 { tagged & (1 << 56 - 1) }

    init(start: UInt64, kind: UInt8, unit: UInt64, count: UInt32, mask: UInt32 = .max) {
        self.start = start
        tagged = UInt64(kind) << 56 | unit & (1 << 56 - 1)
        self.count = count
        self.mask = mask
    }
}

/// Regions to come, by their place in the stream: a binary heap.
struct StreamRegionQueue {
    private var heap: [StreamRegion] = []

    var bytes: Int { heap.count * MemoryLayout<StreamRegion>.stride }
    var first: StreamRegion? { heap.first }

    mutating func insert(_ region: StreamRegion) {
        heap.append(region)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].start <= heap[child].start { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    mutating func removeFirst() -> StreamRegion? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return first }
            let right = left + 1
            let child = right < heap.count && heap[right].start < heap[left].start ? right : left
            if heap[parent].start <= heap[child].start { return first }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
