import BlockIO
import NBDProtocol

// BLOCK_STATUS: one chunk for each context the client chose, each sent by itself: context, then (length, state) of each
// extent, neighbours of one state joined. What lies below is asked in pieces that grow while the extents are few, so that
// memory stays bounded.
// SAFETY: a chunk takes at most 24 + 8 * `NBDLimits.extents` bytes, which is less than the buffer's 64 KiB.

extension ExportSession {
    /// Sends all chunks but the last, which it leaves in `reply`; returns its size.
    func mapExtents(_ request: NBDRequest, _ reply: MappedBuffer) throws(BlockError) -> Int {
        var size = 0
        if allocationContext {
            var extents: [Extent] = []
            size = try unsafe map(request, MetaContext.allocationIdentifier, bitmaps.isEmpty, reply) {
                (table, offset, length) throws(BlockError) in
                extents.removeAll(keepingCapacity: true)
                try device.appendExtents(to: &extents, at: offset, length: length)
                for extent in extents {
                    if unsafe !table.add(extent.offset, extent.end, extent.kind.state) { break }
                }
                return extents.count
            }
        }
        for (index, bitmap) in bitmaps.enumerated() {
            if size > 0, unsafe !transmit(reply.base, size) { return 0 }
            var extents: [ChangedExtent] = []
            size = try unsafe map(request, bitmap.identifier, index == bitmaps.count - 1, reply) {
                (table, offset, length) throws(BlockError) in
                extents.removeAll(keepingCapacity: true)
                try bitmap.source.appendChanges(to: &extents, at: offset, length: length)
                for extent in extents {
                    let state = extent.isChanged ? MetaContext.isDirty : 0
                    if unsafe !table.add(extent.offset, extent.end, state) { break }
                }
                return extents.count
            }
        }
        return size
    }

    private func map(
        _ request: NBDRequest, _ context: UInt32, _ isLast: Bool, _ reply: MappedBuffer,
        _ ask: (inout StatusTable, UInt64, UInt64) throws(BlockError) -> Int
    ) throws(BlockError) -> Int {
        let first = ChunkHead.size + 4
        var table = unsafe StatusTable(
            position: request.offset, end: request.offset + UInt64(request.length),
            limit: request.flags.contains(.one) ? 1 : NBDLimits.extents, base: reply.base + first)
        var piece: UInt64 = 64 << 20
        while unsafe !table.isComplete {
            let before = unsafe table.position
            let count = unsafe try ask(&table, before, min(piece, table.end - before))
            guard unsafe table.isComplete || table.position > before else {
                throw BlockError(.io, "the extent map does not advance", offset: before)
            }
            if count < 64 { piece = min(piece * 2, 1 << 32) }
        }
        unsafe table.finish()
        let length = unsafe 4 + 8 * table.count
        let chunk = ChunkHead(
            isLast: isLast, type: ChunkType.blockStatus, handle: request.handle, length: UInt32(length))
        unsafe chunk.store(to: reply.base)
        unsafe reply.base.storeBig(context, at: ChunkHead.size)
        return ChunkHead.size + length
    }
}

/// The extents of one chunk on their way to the wire.
@unsafe
struct StatusTable {
    /// Up to where the states are known.
    private(set) var position: UInt64
    let end: UInt64
    /// Most entries.
    let limit: Int
    let base: UnsafeMutableRawPointer
    /// Entries stored.
    private(set) var count = 0
    private var state: UInt32 = 0
    private var length: UInt64 = 0

    init(position: UInt64, end: UInt64, limit: Int, base: UnsafeMutableRawPointer) {
        unsafe self.position = position
        unsafe self.end = end
        unsafe self.limit = limit
        unsafe self.base = base
    }

    var isComplete: Bool { unsafe position >= end || count == limit }

    /// Takes the part of an extent that lies between `position` and `end`; false when no more can be taken.
    mutating func add(_ offset: UInt64, _ extentEnd: UInt64, _ newState: UInt32) -> Bool {
        let stop = unsafe min(extentEnd, end)
        guard unsafe offset <= position, unsafe stop > position else { return true }
        if unsafe newState != state || length == 0 {
            unsafe finish()
            if unsafe count == limit { return false }
            unsafe state = newState
        }
        unsafe length += stop - position
        unsafe position = stop
        return true
    }

    /// Stores the last entry. A length lies within one request and so within 32 bits.
    mutating func finish() {
        guard unsafe length > 0, unsafe count < limit else { return }
        // SAFETY: the chunk's buffer has room for `limit` entries.
        unsafe base.storeBig(UInt32(length), at: 8 * count)
        unsafe base.storeBig(state, at: 8 * count + 4)
        unsafe count += 1
        unsafe length = 0
    }
}

extension Extent.Kind {
    /// The status bits of `base:allocation`.
    fileprivate var state: UInt32 {
        switch self {
        case .data: 0
        case .zero: AllocationState.zero
        case .hole: AllocationState.hole | AllocationState.zero
        }
    }
}
